"""How an annealing run is set: length, chains, temperatures and how they fall."""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

import numpy as np

from foxnas_core.errors import InvalidInput

Schedule = Literal["geometric", "linear", "logarithmic"]
LEVELS = 1000


@dataclass(frozen=True)
class AnnealingSettings:
    """Settings of an annealing run.

    - `steps`: proposals of one chain; `chains`: chains for each choice of the context.
    - `start_temperature`, `end_temperature`: in units of the objective (points of accuracy);
      None for those of `annealing.suggest_temperatures`.
    - `penalty`: what a unit above the limit costs, in units of the objective (points per ms);
      None for a little above the price of the limit, see `annealing.limit_price`.
    - `seed`: equal seeds give equal runs.

    Raises `InvalidInput` naming the setting that is out of range.
    """

    steps: int = 200_000
    chains: int = 1
    start_temperature: float | None = None
    end_temperature: float | None = None
    schedule: Schedule = "geometric"
    penalty: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        for name, value, least in (
            ("steps", self.steps, 1),
            ("chains", self.chains, 1),
            ("seed", self.seed, 0),
        ):
            if type(value) is not int or value < least:
                raise InvalidInput(f"{name} is {value!r}; it must be a whole number from {least}.")
        if self.schedule not in get_args(Schedule):
            raise InvalidInput(
                f"The schedule is {self.schedule!r}; known: {', '.join(get_args(Schedule))}."
            )
        start, end = self.start_temperature, self.end_temperature
        for name, temperature in (("start", start), ("end", end)):
            if temperature is not None and not (math.isfinite(temperature) and temperature > 0):
                raise InvalidInput(
                    f"The {name} temperature is {temperature}; it must be a number above 0."
                )
        if start is not None and end is not None and end > start:
            raise InvalidInput(
                f"The end temperature, {end:g}, is above the start temperature, {start:g}; "
                "swap them."
            )
        if self.penalty is not None and not (math.isfinite(self.penalty) and self.penalty >= 0):
            raise InvalidInput(f"The penalty is {self.penalty}; it must be a number from 0.")

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> "AnnealingSettings":
        return cls(**document)


def temperatures(schedule: Schedule, start: float, end: float, levels: int) -> np.ndarray:
    """The temperature of each level, from exactly `start` to exactly `end`; shape (levels,).

    With u = k / (levels - 1): geometric `start (end/start)^u` (Kirkpatrick et al., Science 220,
    1983), linear `start + u (end - start)`, logarithmic `start / (1 + a ln(1 + k))` (Geman and
    Geman, 1984) with `a` such that the last is `end`.
    """
    if levels == 1:
        return np.array([start])
    level = np.arange(levels, dtype=np.float64)
    falls: dict[str, Callable[[], np.ndarray]] = {
        "geometric": lambda: start * (end / start) ** (level / (levels - 1)),
        "linear": lambda: start + (end - start) * level / (levels - 1),
        "logarithmic": lambda: start / (1 + (start / end - 1) * np.log1p(level) / math.log(levels)),
    }
    fallen = falls[schedule]()
    fallen[0], fallen[-1] = start, end
    return fallen
