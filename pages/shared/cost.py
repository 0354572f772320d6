"""The pickers of cost, budget and the objective's floor, the same on every page."""

import math
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from foxnas_core.devices.common import titled
from foxnas_core.errors import FoxnasError, MissingPart
from foxnas_core.study import Study
from foxnas_core.table.metrics import Metric, metric_of
from foxnas_core.table.sums import tells
from pages.shared import cache, choices
from pages.shared.picked import picked
from pages.shared.text import plain

if TYPE_CHECKING:
    from foxnas_core.search.exact import Front

_GUARDS = (0.5, 0.8, 0.95, 0.99)


def named(study: Study, column: str) -> str:
    """What a cost's column is called where it is picked."""
    return titled(cache.table_of(study), column)


def in_unit(words: str, target: Metric) -> str:
    """A widget's label with the target's unit, where it has one."""
    return f"{words} ({target.unit})" if target.unit else words


def bound_word(objective: Metric) -> str:
    """What the number that an objective is to reach is called."""
    return "floor" if objective.sign > 0 else "limit"


def chosen_cost(study: Study) -> str | None:
    """The chosen column of the study's cost, on whatever device, or the study's own where the table
    lacks that, else its first; None without any."""
    columns = _columns(study)
    for column in (choices.current().latency, study.cost.column):
        if column in columns:
            return column
    return next(iter(columns), None)


def cost_picker(study: Study, *, disabled: bool = False) -> str:
    """Draw the picker and return the chosen column.

    Raises `MissingPart` where the table has none of the study's cost.
    """
    chosen, cost = chosen_cost(study), study.cost
    if chosen is None or not tells(cache.table_of(study)):
        raise MissingPart(
            f"This study has no measured {cost.word} yet; measure subnets with 'python -m "
            f"foxnas_core measure' or import a table with a column {cost.column}."
        )
    return picked(
        st.selectbox,
        f"{metric_of(cost.head).label} of",
        _columns(study),
        key="latency",
        value=chosen,
        # Another cost has another range, so the budget starts anew.
        act=lambda column: choices.update(latency=column, budget=None),
        format_func=partial(named, study),
        disabled=disabled,
    )


def _columns(study: Study) -> list[str]:
    head = study.cost.head
    return [t.column for t in cache.table_of(study).targets if t.head == head]


def budget_of(study: Study, front: "Front") -> float:
    """The chosen budget, or the `default_budget` on the slider where none was chosen (in the cost's
    unit)."""
    chosen = choices.current().budget
    return default_on(study, front, budgets_of(front)) if chosen is None else chosen


def default_on(
    study: Study, front: "Front", span: tuple[float, float, float], factor: float = 1.0
) -> float:
    """The default budget, times `factor`, as a slider over `span` can show it."""
    from foxnas_core.search.default_budget import default_budget

    low, high, step = span
    found = factor * default_budget(front, cache.table_of(study))
    return round(min(max(low + step * round((found - low) / step), low), high), _decimals(step))


def budget_picker(
    study: Study,
    front: "Front",
    *,
    floor: bool = False,
    and_then: Callable[[], None] | None = None,
    disabled: bool = False,
) -> float:
    """Draw the slider of the budget, or of the objective's `floor`, over the front's range, and how
    surely a measurement shall keep it; returns what was chosen, in its unit.

    `and_then` is called after a move of either.
    """
    row = st.container(horizontal=True, vertical_alignment="bottom", key="budget-and-guard")
    with row:
        if floor:
            target = front.problem.objective.target
            label = in_unit(f"{target.title} {bound_word(target)}", target)
            chosen = slider(
                "floor", label, floor_of(study, front), floors_of(front), and_then=and_then,
                disabled=disabled,
            )  # fmt: skip
        else:
            target = front.problem.limits[0].predictor.target
            label = in_unit(f"{target.title} budget", target)
            span = budgets_of(front)
            from foxnas_core.search.default_budget import WHY

            unset = choices.current().budget is None
            chosen = slider(
                "budget", label, budget_of(study, front), span, and_then=and_then,
                disabled=disabled, told=f"Not chosen yet, the budget is {WHY}." if unset else "",
            )  # fmt: skip
        word = bound_word(target) if floor else "budget"
        _guard_picker(study, front, word, and_then, disabled)
    return chosen


def _guard_picker(
    study: Study, front: "Front", bound: str, and_then: Callable[[], None] | None, disabled: bool
) -> None:
    """Draw the choice of how surely a measurement shall keep the bound, as it is called."""
    from foxnas_core.search.guard import GUARD, OFF, share_of

    chosen = share_of(choices.current().guard)
    options = sorted({OFF, *_GUARDS, GUARD, chosen})
    try:
        cache.calibrations_of(study, front.problem.limits[0].predictor.target.column)
        why = ""
    except FoxnasError as error:
        why = f"Nothing is promised of the {bound}. {error}"

    def choose(share: float) -> None:
        choices.update(guard=None if share == GUARD else share)
        if and_then is not None:
            and_then()

    picked(
        st.select_slider,
        f"Measurements that keep the {bound}",
        {p: f"{100 * p:g} %" if p else "not guarded" for p in options},
        key="guard",
        value=OFF if why else chosen,
        act=choose,
        disabled=disabled or bool(why),
        help=plain(why)
        or f"Optima of other {bound}s were measured: from how far they were off, the search takes "
        f"a {bound} so much tighter that the chosen share of optima keeps yours when measured.",
    )


def floor_of(study: Study, front: "Front") -> float:
    """The chosen floor, or what the present budget reaches where none was chosen."""
    chosen = choices.current().floor
    if chosen is not None:
        return chosen
    low, high, step = floors_of(front)
    reached = front.values[front.costs <= budget_of(study, front)]
    if front.problem.objective.target.sign < 0:
        best = float(reached[-1]) if len(reached) else high
        return min(high, round(math.ceil(best / step) * step, _decimals(step)))
    best = float(reached[-1]) if len(reached) else low
    return max(low, round(math.floor(best / step) * step, _decimals(step)))


def slider(
    choice: str,
    label: str,
    value: float,
    span: tuple[float, float, float],
    *,
    key: str = "",
    and_then: Callable[[], None] | None = None,
    disabled: bool = False,
    told: str = "",
) -> float:
    """The slider of a choice over `span`: least, greatest, step; `key` is the widget's, where it is
    not the choice's name, and `told` is what it tells when pointed at."""
    low, high, step = span
    key = key or choice

    def move(moved: float) -> None:
        moved = round(moved, _decimals(step))
        # A browser that says its value in more digits than are shown has moved nothing.
        if moved == getattr(choices.current(), choice):
            return
        choices.update(**{choice: moved})
        if and_then is not None:
            and_then()

    # A value from an address may lie outside; the search then says what can be reached.
    return picked(
        st.slider,
        label,
        key=key,
        value=value,
        act=move,
        min_value=min(low, value),
        max_value=max(high, value),
        step=step,
        format=f"%.{_decimals(step)}f",
        disabled=disabled,
        help=told or None,
    )


def floors_of(front: "Front") -> tuple[float, float, float]:
    """Least and greatest floor and the step between floors, in round numbers.

    Both ends are rounded down, so that the least allows everything and the greatest can be met;
    of an objective of which less is better, both up, as those of a budget.
    """
    least, greatest = float(front.values.min()), float(front.values.max())
    if front.problem.objective.target.sign < 0:
        return _rounded_up(least, greatest)
    step = 10.0 ** math.floor(math.log10((greatest - least or greatest) / 100))
    high = math.floor(greatest / step)
    low = min(math.floor(least / step), high - 1)
    decimals = _decimals(step)
    return round(low * step, decimals), round(high * step, decimals), step


def budgets_of(front: "Front") -> tuple[float, float, float]:
    """Least and greatest budget and the step between budgets, in round numbers.

    Both ends are rounded up, so that the least can be met and the greatest allows everything.
    """
    return _rounded_up(float(front.costs[0]), float(front.costs[-1]))


def _rounded_up(least: float, greatest: float) -> tuple[float, float, float]:
    step = 10.0 ** math.floor(math.log10((greatest - least or greatest) / 100))
    low = math.ceil(least / step)
    high = max(math.ceil(greatest / step), low + 1)
    decimals = _decimals(step)
    return round(low * step, decimals), round(high * step, decimals), step


def amounts_up_to(most: float) -> tuple[float, float, float]:
    """Least and greatest amount and the step between amounts, in round numbers; the greatest can be
    reached where `most` can."""
    step = 10.0 ** math.floor(math.log10(most / 40))
    decimals = _decimals(step)
    return round(step, decimals), round(math.floor(most / step) * step, decimals), step


def _decimals(step: float) -> int:
    return max(0, -math.floor(math.log10(step)))
