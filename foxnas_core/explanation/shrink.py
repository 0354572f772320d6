"""What each choice of an architecture costs and gives when it is made smaller, all else equal."""

from collections.abc import Sequence

import pandas as pd

from foxnas_core.explanation.edits import each_effects
from foxnas_core.explanation.rates import rates
from foxnas_core.regression import Predictor
from foxnas_core.space.architecture import Architecture, Value
from foxnas_core.space.decisions import Decision
from foxnas_core.space.editing.bulk import set_choices
from foxnas_core.space.editing.changes import changes_between, in_words
from foxnas_core.space.search_space import SearchSpace

ONE, SMALLEST = "one step", "smallest"
KEYS = ["block", "role", "step", "edit", "id"]


def smaller(space: SearchSpace, architecture: Architecture) -> pd.DataFrame:
    """One row an edit that makes one choice smaller: block, role, step, edit (in words), id, and
    the architecture `after` it.

    Of choices that are numbers these are one `step` and that to the smallest one, which may be the
    same; of others, which have no order, each other choice. What an edit opens takes its first
    choices, what it closes is gone. A `block` is a slot, else the group that has slots, else the
    decision itself.
    """
    rows = []
    for decision in space.decisions:
        if decision.name not in architecture:
            continue
        for choice, step in _steps(decision, architecture[decision.name]).items():
            after = set_choices(space, architecture, [decision], choice).architecture
            words = in_words(space, changes_between(space, architecture, after))
            block = _block(space, decision)
            rows.append((block, decision.role, step, words, after.id, after))
    return pd.DataFrame(rows, columns=[*KEYS, "after"])


def _steps(decision: Decision, now: Value) -> dict[Value, str]:
    if not all(isinstance(choice, int | float) for choice in decision.choices):
        return {choice: str(choice) for choice in decision.choices if choice != now}
    below = sorted((c for c in decision.choices if c < now), reverse=True)  # type: ignore[operator]
    if not below:
        return {}
    if len(below) == 1:
        return {below[0]: f"{ONE}, {SMALLEST}"}
    return {below[0]: ONE, below[-1]: SMALLEST}


def _block(space: SearchSpace, decision: Decision) -> str:
    slotted = any(other.slot for other in space.in_group(decision.group))
    return decision.slot or (decision.group if slotted else decision.name.replace("_", " "))


def shrink_effects(
    predictors: Sequence[Predictor], *, architecture: Architecture, level: float = 0.95
) -> pd.DataFrame:
    """The rows of `smaller` without `after`, with what each changes in the targets: by a target's
    column, and with `_low` and `_high` the interval of this edit of this subnet, where both are
    measured, with `_average_low` and `_average_high` that of the average edit.

    The first target is the objective and the second the cost; `rate` is what a unit of the cost is
    worth (see `rates`), of which the average edit's interval decides. First come edits that cost
    nothing, then those of least rate, last those that save nothing for certain.
    """
    gain, cost = predictors[:2]
    table = smaller(gain.space, architecture)
    for predictor in predictors:
        found = each_effects(predictor, architecture, table["after"].tolist(), level)
        for column in found:
            end = "" if column == "effect" else f"_{column}"
            table[f"{predictor.target.column}{end}"] = found[column].to_numpy()
    won, paid, low, high = (
        table[name]
        for name in (
            gain.target.column, cost.target.column,
            f"{cost.target.column}_average_low", f"{cost.target.column}_average_high",
        )
    )  # fmt: skip
    rate = rates(won, paid, low, high, gain.target, cost.target)
    free = (gain.target.sign * won >= 0) & (cost.target.sign * paid > 0) & (low * high > 0)
    order = pd.DataFrame({"priced": ~free, "rate": rate}).sort_values(
        ["priced", "rate"], kind="stable"
    )
    return table.assign(rate=rate, free=free).drop(columns="after").loc[order.index]
