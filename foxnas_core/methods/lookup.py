"""The method for a table that has every architecture of its space: nothing is predicted."""

import numpy as np

from foxnas_core.errors import InvalidInput
from foxnas_core.methods.method import Method, Question, Selection, missing_columns
from foxnas_core.records import document_of
from foxnas_core.search.coupling import JointPredictor
from foxnas_core.search.limits import limit_of
from foxnas_core.search.options import LARGEST_GROUP
from foxnas_core.search.problem import SearchProblem
from foxnas_core.search.solving import solve
from foxnas_core.study import Study
from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.table.metrics import metric_of

# Rows that are shown beside the best.
_SHOWN = 10


class CompleteTable(Method):
    """Looks every architecture up, so that what it selects is the best of all measured ones.

    A regression of a complete table only adds its own error: at any budget the table itself holds
    an architecture that is no worse.
    """

    name = "table"
    title = "Complete table"

    def lacks(self, study: Study, question: Question | None = None) -> str | None:
        if sentence := missing_columns(study, question):
            return sentence
        table, space = study.table(), study.space
        if space.size > LARGEST_GROUP:
            return (
                f"Space {space.name!r} has {space.size:.3g} architectures, more than the "
                f"{LARGEST_GROUP:,} a table is asked for; take the method 'regression'."
            )
        rows = table.frame.drop_duplicates("id")
        columns = list(question.columns) if question else []
        known = int(rows[columns].notna().all(axis=1).sum())
        if known < space.size:
            of = f" with {' and '.join(columns)}" if columns else ""
            return (
                f"The table has {known:,} of the {space.size:,} architectures of space "
                f"{space.name!r}{of}; measure the rest, or take the method 'regression'."
            )
        return None

    def begin(
        self, study: Study, question: Question, *, seed: int = 0, state: bytes | None = None
    ) -> "_LookupRun":
        return _LookupRun(study.table(), question)


class _LookupRun:
    """One step, which is too short to be resumed."""

    total = 1

    def __init__(self, table: MeasurementTable, question: Question) -> None:
        self.done = 0
        self._table = table
        self._problem = SearchProblem(
            looked_up(table, question.objective),
            tuple(limit_of(looked_up(table, c), bound) for c, bound in question.limits.items()),
            question.allowed,
        )
        self._found: Selection | None = None

    def advance(self, steps: int) -> None:
        if steps and not self._found:
            self._found, self.done = self._selected(), 1

    def state(self) -> bytes:
        return b""

    def selection(self) -> Selection:
        if self._found is None:
            raise RuntimeError("The run is not done; call advance first.")
        return self._found

    def _selected(self) -> Selection:
        problem, space = self._problem, self._table.space
        best = solve(problem).candidate
        columns = [p.target.column for p in problem.predictors]
        frame = self._table.frame.drop_duplicates("id")
        kept = np.ones(len(frame), dtype=bool)
        for name, choices in problem.allowed.items():
            kept &= (frame[name].isin(choices) | frame[name].isna()).to_numpy()
        for limit in problem.limits:
            kept &= limit.sign * frame[limit.column].to_numpy(float) <= limit.sign * limit.bound
        ranked = frame[kept].sort_values(
            columns[0], ascending=problem.sign < 0, kind="stable", ignore_index=True
        )
        within = int(kept.sum())
        rivals = f"none of the {within:,} that may be selected"
        return Selection(
            best.architecture,
            f"All {space.size:,} architectures of space {space.name!r} are measured, and {rivals} "
            "is better.",
            ranked.head(_SHOWN)[["id", *columns]],
            {"exact": document_of(best), "gap": 0.0, "bound": None},
        )


def looked_up(table: MeasurementTable, column: str) -> JointPredictor:
    """A column of a table that has every architecture of its space, as a predictor.

    Raises `InvalidInput` for an architecture that the table lacks.
    """
    keys, rows = np.unique(_keys(table, table.codes), return_index=True)
    values = table.frame[column].to_numpy(float)[rows]

    def value(codes: np.ndarray) -> np.ndarray:
        asked = _keys(table, codes)
        found = np.searchsorted(keys, asked).clip(max=len(keys) - 1)
        if (keys[found] != asked).any():
            raise InvalidInput(
                f"The table of space {table.space.name!r} lacks some architectures; measure them."
            )
        return values[found]

    return JointPredictor(table.space, metric_of(column), value, table.fingerprint)


def _keys(table: MeasurementTable, codes: np.ndarray) -> np.ndarray:
    """A number for each row of codes (rows, decisions), equal where they are."""
    key = np.zeros(len(codes), dtype=np.int64)
    for column, decision in zip(codes.T, table.space.decisions, strict=True):
        key = key * (len(decision.choices) + 1) + column + 1
    return key
