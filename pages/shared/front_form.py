"""What the front is asked for: its cost, its budget, the unit it is read in, and what is kept."""

import numpy as np
import streamlit as st

from foxnas_core.cards import front as cards
from foxnas_core.cards.given import Given
from foxnas_core.errors import FoxnasError, MissingPart
from foxnas_core.figures.front import CostUnit, cost_units
from foxnas_core.search.exact import Front
from foxnas_core.study import Study
from foxnas_core.table.metrics import metric_of
from foxnas_core.table.sums import tells
from pages.shared import cache, choices
from pages.shared.cards import given_of
from pages.shared.cost import budget_picker, cost_picker, default_on
from pages.shared.limits import chosen_terms, terms_picker
from pages.shared.picked import picked

OWN_COST = "latency"  # as addresses name the study's own cost


def front_picker(study: Study) -> Given:
    """Draw the pickers of the cost, its unit, the budget and its guard, limits and choices.

    Raises as `Given.front_of`, with the pickers drawn, so that limits can be taken off.
    """
    table = cache.table_of(study)
    kind = against_picker(study)
    cost = cost_picker(study) if kind == OWN_COST else kind
    terms = chosen_terms(study, table, cost)
    allowed = terms.allowed(study.space)
    given = given_of(study, cost=cost, limits=terms.limits, allowed=allowed)
    try:
        front = given.front(cost)
    except FoxnasError:
        terms_picker(study, table, cost, terms)
        raise
    unit = unit_picker(front, cards.unit_of(given, front))
    own = kind == OWN_COST
    # Over the budgets of the search without the further limits, as in the other views.
    free = cache.front_of(study, cost, allowed)
    budget = budget_picker(study, free) if own else count_slider(study, front, unit)
    terms_picker(study, table, cost, terms)
    return given_of(
        study, cost=cost, limits=terms.limits, allowed=allowed, unit=unit.label, budget=budget,
    )  # fmt: skip


def against_picker(study: Study) -> str:
    """Draw the choice of what the objective is traded against; returns a column, or `OWN_COST` for
    the study's own cost, on whatever device."""
    objective, cost = study.objective, metric_of(study.cost.head)
    table = cache.table_of(study)
    columns = [target.column for target in table.targets]
    own = any(target.head == cost.column for target in table.targets)
    names = {OWN_COST: cost.label} if own else {}
    names |= {c: metric_of(c).label for c in ("parameters", "macs")
              if c in columns and c != cost.column}  # fmt: skip
    if objective.column not in columns or not names or not tells(table):
        raise MissingPart(cards.nothing_to_trade(study))
    return picked(
        st.segmented_control, f"{objective.title} against", names, key="front-cost", field="cost",
        # Another cost has another range and other units.
        act=lambda value: choices.update(cost=value, unit=None, count=None), required=True,
    )  # fmt: skip


def count_slider(study: Study, front: Front, unit: CostUnit) -> float:
    """The budget of a count, in the table's unit."""
    key = f"front-budget-{front.problem.limits[0].predictor.target.column}"
    low, high = (float(front.costs[end]) * unit.factor for end in (0, -1))
    step = 10.0 ** np.floor(np.log10((high - low or high) / 100))
    low, high = (
        np.ceil(low / step) * step,
        max(np.ceil(high / step), np.ceil(low / step) + 1) * step,
    )
    kept = choices.current().count
    span = (float(low), float(high), float(step))
    value = default_on(study, front, span, unit.factor) if kept is None else kept * unit.factor
    found = picked(
        st.slider, f"Budget ({unit.symbol})", key=f"{key}-{unit.symbol}",
        value=float(np.clip(np.round(value / step) * step, low, high)),
        act=lambda v: choices.update(count=v / unit.factor),
        min_value=float(low), max_value=float(high), step=float(step),
    )  # fmt: skip
    return found / unit.factor


def unit_picker(front: Front, fitting: CostUnit) -> CostUnit:
    """The unit that costs are read in, where there is a choice; by default the `fitting` one."""
    target = front.problem.limits[0].predictor.target
    units = {unit.label: unit for unit in cost_units(target)}
    if len(units) == 1:
        return fitting
    label = picked(
        st.selectbox, "Read costs in", list(units), key=f"front-unit-{target.column}", field="unit",
        default=fitting.label,
    )  # fmt: skip
    return units[label]
