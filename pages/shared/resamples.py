"""Fronts of resampled coefficients that are solved in this server, each in a thread of its own."""

import math
import time
from contextlib import suppress
from typing import Literal

from foxnas_core.search.exact import Front
from foxnas_core.search.stability import DRAWS, ResampledFronts, resampled_fronts
from pages.shared.registry import Registry, Work

State = Literal["running", "stopped", "finished", "failed"]


class _Stopped(Exception):
    """Raised between two draws, since what is stopped has no result."""


class Resampling(Work):
    """The front of coefficients drawn anew, `draws` times; `done` of them are solved.

    `result` is None until all are.
    """

    name = "resampling"

    def __init__(self, study: str, front: Front, draws: int = DRAWS) -> None:
        super().__init__(study)
        self.front, self.draws, self.done = front, draws, 0
        self.result: ResampledFronts | None = None
        self._started = time.monotonic()
        self._thread.start()

    @property
    def state(self) -> State:
        if self.result is not None:
            return "finished"
        if not self.ended:
            return "running"
        return "failed" if self.failed else "stopped"

    @property
    def seconds_left(self) -> float:
        """About how long the rest takes; NaN before the first draw is solved."""
        if not self.done:
            return math.nan
        return (time.monotonic() - self._started) * (self.draws / self.done - 1)

    def _work(self) -> None:
        with suppress(_Stopped):
            self.result = resampled_fronts(self.front, draws=self.draws, report=self._report)

    def _report(self, done: int) -> None:
        self.done = done
        if self._stop.is_set() and done < self.draws:
            raise _Stopped


class Resamplings(Registry[Resampling]):
    """The registry of running and recently ended resamplings; one of a front at most runs."""

    most_unfinished, most_kept, what = 2, 8, "fronts are resampled"

    def start(self, study: str, front: Front, draws: int = DRAWS) -> Resampling:
        """Start to resample a front, or join in where that is under way or finished already;
        raises `ServerBusy` where too many are under way."""
        present = self.of(study, front)
        if present is not None and present.state in ("running", "finished"):
            return present
        return self.add(lambda: Resampling(study, front, draws))

    def of(self, study: str, front: Front) -> Resampling | None:
        """The latest resampling of a front of the same fits and choices, if it is still
        remembered."""
        wanted = _identity(front)
        own = [run.id for run in list(self._runs.values()) if _identity(run.front) == wanted]
        return self.get(own[-1], study) if own else None


def _identity(front: Front) -> tuple:
    """What a front was found from."""
    problem = front.problem
    predictors = (problem.objective, problem.limits[0].predictor)
    fits = [(p.target.column, p.table_fingerprint) for p in predictors]
    return problem.space.fingerprint, *fits, tuple(problem.allowed.items())
