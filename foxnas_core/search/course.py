"""The course of a run of annealing as it is watched, finer than the trace that is kept of it."""

import pandas as pd

from foxnas_core.search.annealing import Annealer
from foxnas_core.search.result import trace_of

MOST = 200  # rows, at least half of which there are once a run is long


class Course:
    """A row for each look at a run, with the columns of `Annealer.trace`: where the leading chain
    is, and which share of the proposals since the look before was accepted.

    Of a long run every second row is dropped time and again. One thread looks, that which advances
    the run; others may read meanwhile.
    """

    def __init__(self, annealer: Annealer) -> None:
        self._annealer = annealer
        self._rows: list[tuple[float, ...]] = []
        self._before = 0, 0

    def look(self) -> None:
        annealer = self._annealer
        made, accepted = self._before
        self._before = annealer.proposals, annealer.accepted
        if annealer.proposals == made:
            return
        share = (annealer.accepted - accepted) / (annealer.proposals - made)
        rows = self._rows if len(self._rows) < MOST else self._rows[1::2]
        self._rows = [*rows, (*annealer.whereabouts, share)]

    @property
    def frame(self) -> pd.DataFrame:
        return trace_of(self._annealer.problem, self._rows)
