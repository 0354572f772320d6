"""The method: from the first measured ladder, each next one that is better within the limits."""

import json

import pandas as pd

from foxnas_core.methods import Method, Question, Selection
from foxnas_core.methods.method import missing_columns
from foxnas_core.study import Study
from foxnas_core.table.metrics import metric_of


class Climbing(Method):
    name = "climbing"
    title = "Climb the measured ladders"

    def lacks(self, study: Study, question: Question | None = None) -> str | None:
        return missing_columns(study, question)

    def begin(
        self, study: Study, question: Question, *, seed: int = 0, state: bytes | None = None
    ) -> "_Climb":
        return _Climb(study, question, json.loads(state or b"0"))


class _Climb:
    def __init__(self, study: Study, question: Question, done: int) -> None:
        self._table, self._question = study.table(), question
        self.total, self.done = len(self._table), done

    def advance(self, steps: int) -> None:
        self.done = min(self.total, self.done + steps)

    def state(self) -> bytes:
        return json.dumps(self.done).encode()

    def selection(self) -> Selection:
        frame, question = self._table.frame.iloc[: self.done], self._question
        kept = pd.Series(True, index=frame.index)
        for column, bound in question.limits.items():
            more = metric_of(column).direction == "max"
            kept &= (frame[column] >= bound) if more else (frame[column] <= bound)
        found = frame[kept][question.objective]
        row = int(
            found.idxmax() if metric_of(question.objective).direction == "max" else found.idxmin()
        )
        evidence = frame.loc[[row], list(question.columns)].reset_index(drop=True)
        return Selection(
            self._table.space.decode(self._table.codes[[row]])[0],
            f"The best of {int(kept.sum())} measured ladders within the limits.",
            evidence,
            {"exact": None, "gap": None},
        )
