"""What choices change of two targets that the same subnets were measured on, and by how much more
of the one: the average effects of `explanation.averages`, and those on the difference.

A difference of two effects that the same subnets tell has less noise than either, so its interval
is that of the effect on the difference. What is larger is often better: at equal size each value
is first lowered by what its multiply-accumulate operations bring on average, the slope of the
target on their logarithm over all drawn subnets, so that only what a choice adds beyond its size is
left. The slope is taken as known.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from foxnas_core.errors import InvalidInput
from foxnas_core.explanation.averages import (
    drawn_rows,
    estimated,
    intervals_of,
    subnet_values,
)
from foxnas_core.explanation.coefficients import effect_rows
from foxnas_core.regression.features import averaged_form
from foxnas_core.table.latency_verdicts import usable
from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.table.metrics import Metric, metric_of

DIFFERENCE = "difference"
_KEPT = ("effect", "low", "high")


@dataclass(frozen=True, eq=False)
class PairedEffects:
    """Average effects on `first` and `second`, in their unit.

    - `places`: one row a choice at its place: the keys of `choice_effects`, and for each of
      first, second and difference (second less first) the effect, `…_low` and `…_high`.
    - `choices`: the same of each choice taken in all its places at once, with `places`, how many.
    - `slopes`: what a doubling of the MACs brings of either, by column; empty where effects are
      not told at equal size. `rows` are the subnets that were read.
    """

    first: Metric
    second: Metric
    places: pd.DataFrame = field(repr=False)
    choices: pd.DataFrame = field(repr=False)
    slopes: Mapping[str, float]
    rows: int


def paired_effects(
    table: MeasurementTable, first: str, second: str, *, equal_size: bool = False
) -> PairedEffects:
    """Effects on two targets of the drawn subnets that have both; see the module.

    Raises `InvalidInput` where too few subnets have both, and, at equal size, where their MACs were
    not counted.
    """
    form = averaged_form(table.space, ordered=table.ordered)
    keys, combinations = effect_rows(form)
    read, _ = drawn_rows(table, usable(table, first) & usable(table, second))
    if equal_size:
        if not table.known("macs"):
            raise InvalidInput(
                "Effects at equal size need the subnets' MACs; import a column 'macs', or measure."
            )
        read &= np.isfinite(table.values("macs"))
    codes, one = subnet_values(table, read, first)
    _, other = subnet_values(table, read, second)
    slopes: dict[str, float] = {}
    if equal_size and len(one) > 2:
        doublings = np.log2(subnet_values(table, read, "macs")[1])
        doublings -= doublings.mean()
        for column, own in ((first, one), (second, other)):
            slopes[column] = float(doublings @ own / (doublings @ doublings))
            own -= slopes[column] * doublings
    x, values = form.matrix(codes), {first: one, second: other, DIFFERENCE: other - one}
    places = _told(x, values, combinations, keys)
    if places is None:
        raise InvalidInput(
            f"{len(one)} drawn subnets have both {first} and {second}, which is too few for the "
            f"{form.parameters} terms; measure more with 'python -m foxnas_core measure --count "
            "100'."
        )
    groups = keys.groupby(["role", "choice", "reference"], sort=False).indices
    together = np.array([combinations[own].sum(axis=0) for own in groups.values()])
    named = pd.DataFrame(list(groups), columns=["role", "choice", "reference"])
    named["places"] = [len(own) for own in groups.values()]
    choices = _told(x, values, together, named)
    assert choices is not None
    return PairedEffects(metric_of(first), metric_of(second), places, choices, slopes, len(one))


def _told(
    x: np.ndarray, values: Mapping[str, np.ndarray], combinations: np.ndarray, keys: pd.DataFrame
) -> pd.DataFrame | None:
    """The effects on each of `values` beside each other, of the combinations that the rows tell of;
    None without rows to spare."""
    parts: list[pd.DataFrame] = []
    for column, y in values.items():
        found = estimated(x, y, combinations)
        if found is None:
            return None
        if not parts:
            parts.append(keys[found.told].reset_index(drop=True))
        own = intervals_of(found, 0.95, False)[list(_KEPT)]
        parts.append(own.set_axis([column, f"{column}_low", f"{column}_high"], axis=1))
    return pd.concat(parts, axis=1)
