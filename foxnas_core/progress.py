"""How far something is that takes its time, and about how long the rest takes."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

# Seconds of expected work that the first measured steps must outweigh: a step of a tenth of a
# second says little about one of a minute.
_PRIOR = 5.0


@dataclass(frozen=True)
class Progress:
    """How much of all is done, in whatever is counted, and about how many seconds are left, NaN
    while nothing tells; `stage` says what is going on, `values` what was seen on the way."""

    done: float
    total: float
    seconds_left: float = math.nan
    stage: str = ""
    values: Mapping[str, float] = field(default_factory=dict)

    @property
    def share(self) -> float:
        return self.done / self.total

    def sentence(self) -> str:
        parts = [self.stage, *(f"{name} {value:.4g}" for name, value in self.values.items())]
        if self.seconds_left > 0:
            left = max(1, round(self.seconds_left))
            parts.append(f"about {f'{left / 60:.0f} min' if left > 90 else f'{left} s'} to go")
        return ", ".join(part for part in parts if part)


Report = Callable[[Progress], None]
"""What is told how far something is; what it raises ends that."""


def not_told(progress: Progress) -> None:
    """What is done with progress unless a caller asks for it."""


class Stopped(Exception):
    """Raised by what is told, to end something of which nothing is to be left."""


class Pace:
    """Tells of `total` pieces at the rate so far. What was `begun` before says nothing of it."""

    def __init__(self, total: float, report: Report) -> None:
        self.total, self._report = total, report
        self._skipped, self._started = 0.0, time.monotonic()

    def skip(self, pieces: float) -> None:
        """So many were done before."""
        self._skipped += pieces

    def rested(self, seconds: float) -> None:
        """Nothing was done for so long."""
        self._started += seconds

    def at(self, done: float, stage: str = "", values: Mapping[str, float] | None = None) -> None:
        """So many are done, skipped ones included."""
        each = (time.monotonic() - self._started) / max(done - self._skipped, 1)
        left = each * (self.total - done)
        self._report(Progress(done, self.total, left, stage, values or {}))


class Tally:
    """Tells of several trainings of `each` steps by what each of them says, in any order."""

    def __init__(self, count: int, each: int, report: Report, what: str) -> None:
        self._count, self._each, self._what = count, each, what
        self._steps: dict[str, int] = {}
        self._pace = Pace(count * each, report)

    def at(self, name: str, steps: int, every: int = 50) -> None:
        """The training of this name, which tells every so many steps, has done so many."""
        if name not in self._steps:
            self._pace.skip(max(0, steps - every))
        self._steps[name] = steps
        whole = sum(own >= self._each for own in self._steps.values())
        self._pace.at(sum(self._steps.values()), f"{whole} of {self._count} {self._what}")


class Steps:
    """Steps in their order, with the seconds that each is expected to take.

    What finished steps took, beside what was expected, corrects what is expected of the others.
    What is done, and all, is in seconds.
    """

    def __init__(self, expected: Mapping[str, float], report: Report = not_told) -> None:
        self._expected, self._report = dict(expected), report
        self._names = list(expected)
        self._current = -1
        self._started = self._began = time.monotonic()
        self._taken = self._planned = 0.0
        self._told = False

    def begin(self, name: str) -> None:
        """Go on to a step, which ends the one before."""
        now = time.monotonic()
        # What told of itself how far it was need not have been expected well.
        if self._current >= 0 and not self._told:
            self._taken += now - self._began
            self._planned += self._expected[self._names[self._current]]
        self._current, self._began, self._told = self._names.index(name), now, False
        self.tick()

    def tick(self, share: float | None = None) -> None:
        """Report; `share` of the current step is done, where that is known."""
        now, name = time.monotonic(), self._names[self._current]
        pace = (self._taken + _PRIOR) / (self._planned + _PRIOR)
        here = now - self._began
        if share:
            self._told = True
            left = here * (1 - share) / share
        else:
            # A step that takes longer than expected is near its end for all one knows.
            left = max(self._expected[name] * pace - here, 1.0)
        left += pace * sum(self._expected[own] for own in self._names[self._current + 1 :])
        stage = f"Step {self._current + 1} of {len(self._names)}: {name}"
        elapsed = now - self._started
        self._report(Progress(elapsed, elapsed + left, left, stage))
