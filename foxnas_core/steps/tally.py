"""How far the training of several networks is, whoever trains them."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

# A report comes at least every so many steps.
_EACH = 50


@dataclass(frozen=True)
class TrainingProgress:
    """Networks, which are `called` so, and training steps done of all that a call is to train, and
    the seconds that are left at the rate so far."""

    called: str
    networks: int
    total_networks: int
    steps: int
    total_steps: int
    seconds_left: float

    def sentence(self) -> str:
        minutes = max(1, round(self.seconds_left / 60)) if self.seconds_left else 0
        return f"{self.networks} of {self.total_networks} {self.called}, {minutes} min to go"


Report = Callable[[TrainingProgress], None]


class Tally:
    """Turns the steps of each network, of `each` that it takes, into progress of all."""

    def __init__(self, names: Iterable[str], each: int, called: str, report: Report) -> None:
        self._each, self._called, self._report = each, called, report
        self._steps = dict.fromkeys(names, 0)
        self._skipped: dict[str, int] = {}
        self._started = time.monotonic()

    def add(self, name: str, steps: int) -> None:
        """A network has done so many steps."""
        # What an earlier run had done says nothing of this one's rate.
        self._skipped.setdefault(name, max(0, steps - _EACH))
        self._steps[name] = steps
        done, total = sum(self._steps.values()), self._each * len(self._steps)
        new = max(done - sum(self._skipped.values()), 1)
        left = (time.monotonic() - self._started) / new * (total - done)
        whole = sum(steps >= self._each for steps in self._steps.values())
        progress = TrainingProgress(self._called, whole, len(self._steps), done, total, left)
        self._report(progress)
