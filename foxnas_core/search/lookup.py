"""Tables that hold every architecture of their space: they answer by themselves.

A regression of such a table only adds its own error, since at any budget the table itself holds an
architecture that is no worse.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from foxnas_core.errors import InvalidInput
from foxnas_core.search.coupling import JointPredictor
from foxnas_core.search.options import LARGEST_GROUP
from foxnas_core.search.problem import SearchProblem
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.table.latency_verdicts import without_failed
from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.table.metrics import metric_of
from foxnas_core.table.readings import NORMAL, Means, keeping, means_of

# Where fewer have a value, the best of those that have says little of the others.
LEAST_SHARE = 0.5


@dataclass(frozen=True, eq=False)
class WholeTable:
    """A table that holds every architecture of its space, as they are written; `known` (n,) of them
    have all of the `columns` that are asked for."""

    space: SearchSpace
    columns: tuple[str, ...]
    means: Means = field(repr=False)
    known: np.ndarray = field(repr=False)
    fingerprint: str

    @property
    def sentence(self) -> str:
        """What the table holds, and so answers."""
        told = f"All {len(self.known):,} architectures of space {self.space.name!r} are measured"
        missing = int((~self.known).sum())
        if not missing:
            return f"{told}, so the answer is the table's and nothing is predicted."
        nouns = " or ".join(metric_of(column).word for column in self.columns)
        return (
            f"{told}, {missing:,} of them without {nouns}: the answer is the best of the other "
            f"{int(self.known.sum()):,}, and nothing is predicted."
        )

    def predictors(self) -> "dict[str, LookedUp]":
        """What stands in for a prediction, by column."""
        return {column: self._looked_up(column) for column in self.columns}

    def _looked_up(self, column: str) -> "LookedUp":
        target, own = metric_of(column), self.means.values[column]
        least, most = float(own[self.known].min()), float(own[self.known].max())
        beyond = (most - least) or 1.0
        worst = least - beyond if target.sign > 0 else most + beyond
        values = np.where(self.known, own, worst)
        return LookedUp(
            self.space, target, lambda codes: values[self.places(codes)], self.fingerprint,
            whole=self,
        )  # fmt: skip

    def places(self, codes: np.ndarray) -> np.ndarray:
        """Positions (rows,) in `known` of codes (rows, decisions)."""
        keys, order = self._sorted
        return order[np.searchsorted(keys, _keys(codes))]

    @cached_property
    def _sorted(self) -> tuple[np.ndarray, np.ndarray]:
        keys = _keys(self.means.codes)
        order = np.argsort(keys)
        return keys[order], order


@dataclass(frozen=True, eq=False)
class LookedUp(JointPredictor):
    """A column of the `whole` table in place of a prediction: the mean of each architecture's rows.

    To a search an architecture that lacks a value is worse than all others; it is told as NaN.
    """

    whole: WholeTable = field(kw_only=True, repr=False)

    def predict(self, architectures: Sequence[Architecture]) -> pd.DataFrame:
        """As `Predictor.predict`, with the mean's normal 95 % interval for all of them, or the mean
        alone where no error is known."""
        values, errors = self.told(self.space.encode(architectures))
        half = NORMAL * np.nan_to_num(errors)
        low, high = (self.target.within(end) for end in (values - half, values + half))
        ends = {"low": low, "high": high, "prediction_low": low, "prediction_high": high}
        return pd.DataFrame({"value": values} | ends)

    def told(self, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Means and their standard errors (rows,) of codes (rows, decisions), NaN where there are
        none."""
        own, means = self.whole.places(codes), self.whole.means
        column, known = self.target.column, self.whole.known[own]
        values = np.where(known, means.values[column][own], np.nan)
        return values, np.where(known, means.errors[column][own], np.nan)


def whole_table(table: MeasurementTable, columns: Sequence[str]) -> WholeTable | None:
    """The table where it answers by itself: where it holds every architecture of its space, at
    least half of them with values of all `columns` that can be relied on. None where not; raises as
    `MeasurementTable.values`."""
    space, columns = table.space, tuple(dict.fromkeys(columns))
    try:
        if not 0 < space.size <= min(LARGEST_GROUP, table.frame["id"].nunique()):
            return None
    except InvalidInput:  # too many even to be counted
        return None
    means = means_of(without_failed(table), columns)
    known = np.isfinite(np.stack([means.values[column] for column in columns])).all(axis=0)
    if known.sum() < LEAST_SHARE * len(known):
        return None
    return WholeTable(space, columns, means, known, table.fingerprint)


def whole_of(problem: SearchProblem) -> WholeTable | None:
    """The table that a search is answered from; None where it is by predictions."""
    objective = problem.objective
    return objective.whole if isinstance(objective, LookedUp) else None


def check_known(problem: SearchProblem) -> None:
    """Raises `InvalidInput` where the choices that a search is left leave it nothing that has a
    value in the table that answers it."""
    whole = whole_of(problem)
    if whole is None:
        return
    left = keeping(whole.space, whole.means.codes, problem.allowed)
    if not (left & whole.known).any():
        raise InvalidInput(
            f"None of the {int(left.sum()):,} architectures with the allowed choices has a value "
            f"of {' and '.join(whole.columns)} in the table; allow more choices."
        )


def _keys(codes: np.ndarray) -> np.ndarray:
    """A key (rows,) for each row of codes (rows, decisions), equal where they are."""
    return np.ascontiguousarray((codes + 1).astype(">u2")).view(f"S{2 * codes.shape[1]}").ravel()
