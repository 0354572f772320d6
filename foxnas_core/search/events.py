"""What is done to a run of annealing while it runs."""

import math
from dataclasses import dataclass, fields
from typing import Annotated, Any

from foxnas_core.errors import InvalidInput
from foxnas_core.records import Stored
from foxnas_core.search.schedule import Schedule

_LEFT_OUT = Stored(omitted=True)


@dataclass(frozen=True)
class Event:
    """What was done to a run when it had made `at` proposals; what is None stays as it is.

    - `bound`: the new number of the first limit, in its unit, `was` the one before, and `asked`
      what was asked for where a guard made that tighter.
    - `start_temperature`, `end_temperature` (units of the objective), `schedule`: as in
      `AnnealingSettings`, from there on. Every chain goes on at the start temperature where it is
      given, a reheat, else at its own, and falls from there to the end in the steps that are left;
      the starts that follow go by them from their beginning.
    - `paused`: the run was held there, which changes nothing of it.
    """

    at: int = 0
    bound: Annotated[float | None, _LEFT_OUT] = None
    was: Annotated[float | None, _LEFT_OUT] = None
    asked: Annotated[float | None, _LEFT_OUT] = None
    start_temperature: Annotated[float | None, _LEFT_OUT] = None
    end_temperature: Annotated[float | None, _LEFT_OUT] = None
    schedule: Annotated[Schedule | None, _LEFT_OUT] = None
    paused: Annotated[bool, _LEFT_OUT] = False

    def __post_init__(self) -> None:
        if self.at < 0 or not all(
            value is None or math.isfinite(value) for value in (self.bound, self.was, self.asked)
        ):
            raise InvalidInput(f"{self} is no event of a search; its numbers must be finite.")

    @property
    def cooling(self) -> dict[str, Any]:
        """What it changes of `AnnealingSettings`, by name."""
        named = ("start_temperature", "end_temperature", "schedule")
        return {
            each.name: value
            for each in fields(self)
            if each.name in named and (value := getattr(self, each.name)) is not None
        }
