"""The method for a table that has every architecture of its space: nothing is predicted."""

import pandas as pd

from foxnas_core.methods.method import Method, Question, Selection, missing_columns
from foxnas_core.methods.posing import problem_of
from foxnas_core.records import document_of
from foxnas_core.regression.counting import with_counted
from foxnas_core.search.lookup import check_known, whole_table
from foxnas_core.search.options import LARGEST_GROUP
from foxnas_core.search.solving import solve
from foxnas_core.study import Study
from foxnas_core.table.readings import keeping

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
        table, space = with_counted(study.table()), study.space
        if space.size > LARGEST_GROUP:
            return (
                f"Space {space.name!r} has {space.size:.3g} architectures, more than the "
                f"{LARGEST_GROUP:,} a table is asked for; take the method 'regression'."
            )
        columns = question.columns if question else (study.objective.column,)
        if whole_table(table, columns) is None:
            known = table.frame.dropna(subset=list(columns))["id"].nunique()
            return (
                f"The table has {known:,} of the {space.size:,} architectures of space "
                f"{space.name!r} with {' and '.join(columns)}; measure the rest, or take the "
                "method 'regression'."
            )
        return None

    def begin(
        self, study: Study, question: Question, *, seed: int = 0, state: bytes | None = None
    ) -> "_LookupRun":
        return _LookupRun(study, question)


class _LookupRun:
    """One step, which is too short to be resumed."""

    total = 1

    def __init__(self, study: Study, question: Question) -> None:
        self.done = 0
        whole = whole_table(with_counted(study.table()), question.columns)
        assert whole is not None, "lacks says so"
        self._whole, self._problem = whole, problem_of(whole.predictors(), question)
        check_known(self._problem)
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
        problem, whole = self._problem, self._whole
        best = solve(problem).candidate
        kept = whole.known & keeping(whole.space, whole.means.codes, problem.allowed)
        for limit in problem.limits:
            kept &= limit.sign * whole.means.values[limit.column] <= limit.sign * limit.bound
        shown = [predictor.target.column for predictor in problem.predictors]
        values = pd.DataFrame({column: whole.means.values[column][kept] for column in shown})
        values.insert(0, "id", whole.space.ids(whole.means.codes[kept]))
        ranked = values.sort_values(shown[0], ascending=problem.sign < 0, kind="stable")
        return Selection(
            best.architecture,
            f"{whole.sentence} Of {int(kept.sum()):,} that may be selected none is better.",
            ranked.head(_SHOWN).reset_index(drop=True),
            {"exact": document_of(best), "gap": 0.0, "bound": None},
        )
