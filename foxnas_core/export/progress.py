"""How far an export is, step by step, and about how long the rest takes."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

# Seconds of expected work that the first measured steps must outweigh: a step of a tenth of a
# second says little about one of a minute.
_PRIOR = 5.0


@dataclass(frozen=True)
class ExportProgress:
    """The step under way, its number of all, the share of all time that is over, and about how
    many seconds are left."""

    step: str
    number: int
    steps: int
    share: float
    seconds_left: float

    def sentence(self) -> str:
        left = max(1, round(self.seconds_left))
        return (
            f"Step {self.number} of {self.steps}: {self.step}, about "
            f"{f'{left / 60:.0f} min' if left > 90 else f'{left} s'} to go"
        )


class Steps:
    """Steps in their order, with the seconds that each is expected to take.

    What finished steps took, beside what was expected, corrects what is expected of the others.
    `report` may raise to end the work.
    """

    def __init__(
        self, expected: Mapping[str, float], report: Callable[[ExportProgress], None]
    ) -> None:
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
        now = time.monotonic()
        pace = (self._taken + _PRIOR) / (self._planned + _PRIOR)
        here = now - self._began
        rest = sum(self._expected[name] for name in self._names[self._current + 1 :])
        if share:
            self._told = True
            left = here * (1 - share) / share
        else:
            # A step that takes longer than expected is near its end for all one knows.
            left = max(self._expected[self._names[self._current]] * pace - here, 1.0)
        left += rest * pace
        elapsed = now - self._started
        self._report(
            ExportProgress(
                self._names[self._current],
                self._current + 1,
                len(self._names),
                elapsed / (elapsed + left),
                left,
            )
        )
