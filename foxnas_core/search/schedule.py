"""How an annealing run is set: length, chains, temperatures and how they fall."""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

import numpy as np

from foxnas_core.errors import InvalidInput

Schedule = Literal["geometric", "linear", "logarithmic", "adaptive"]
Mode = Literal["full", "teaching"]
# Where chains begin; anything else is the choices of an architecture, as JSON.
RANDOM, SIZES = "random", ("smallest", "largest")
LEVELS = 1000
# An adaptive schedule measures the acceptance of each level, so its levels must not be short.
ADAPTIVE_LEVELS, SHORTEST_LEVEL = 200, 50


@dataclass(frozen=True)
class AnnealingSettings:
    """Settings of an annealing run.

    - `steps`: proposals of one chain between two starts; `chains`: chains for each choice of the
      context; `restarts`: how often each chain then begins anew, elsewhere and hot again.
    - `mode`: "full", or "teaching" for the plain rule of Metropolis alone: a chain starts at the
      cheapest architecture, steps over the budget are refused, and nothing is polished.
    - `start_temperature`, `end_temperature`: in units of the objective (points of accuracy);
      None for those of `suggestion.suggest_temperatures`. An adaptive schedule stays between them.
    - `penalty`: what a unit above the limit costs, in units of the objective (points per ms);
      None for a little above the price of the limit, see `suggestion.limit_price`.
    - `seed`: equal seeds give equal runs.
    - `begin`: where each start of a chain begins: at a "random" architecture, the "smallest" or
      "largest" by cost, or one given by the JSON of its choices; at the context of the chain. What
      breaks the budget gives way to the cheapest in the teaching mode, and to random ones there.

    Raises `InvalidInput` naming the setting that is out of range.
    """

    steps: int = 20_000
    chains: int = 1
    restarts: int = 9
    mode: Mode = "full"
    start_temperature: float | None = None
    end_temperature: float | None = None
    schedule: Schedule = "geometric"
    penalty: float | None = None
    seed: int = 0
    begin: str = RANDOM

    def __post_init__(self) -> None:
        for name, value, least in (
            ("steps", self.steps, 1),
            ("chains", self.chains, 1),
            ("restarts", self.restarts, 0),
            ("seed", self.seed, 0),
        ):
            if type(value) is not int or value < least:
                raise InvalidInput(f"{name} is {value!r}; it must be a whole number from {least}.")
        for name, word, known in (
            ("schedule", self.schedule, get_args(Schedule)),
            ("mode", self.mode, get_args(Mode)),
        ):
            if word not in known:
                raise InvalidInput(f"The {name} is {word!r}; known: {', '.join(known)}.")
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
        if self.penalty is not None and self.mode == "teaching":
            raise InvalidInput(
                "A penalty is given, but the teaching mode refuses every step over the budget; "
                "leave the penalty out, or search in the full mode."
            )

    @property
    def levels(self) -> int:
        """How many levels of temperature the steps of a chain are divided into."""
        if self.schedule == "adaptive":
            return min(ADAPTIVE_LEVELS, max(1, self.steps // SHORTEST_LEVEL))
        return min(LEVELS, self.steps)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> "AnnealingSettings":
        """Of a saved document; runs from before there were restarts had none."""
        return cls(**({"restarts": 0} | dict(document)))


def temperatures(schedule: Schedule, start: float, end: float, levels: int) -> np.ndarray:
    """The temperature of each level, from exactly `start` to exactly `end`; shape (levels,).

    With u = k / (levels - 1): geometric `start (end/start)^u` (Kirkpatrick et al., Science 220,
    1983), linear `start + u (end - start)`, logarithmic `start / (1 + a ln(1 + k))` (Geman and
    Geman, 1984) with `a` such that the last is `end`. The adaptive one is not known before the
    run: it is `start` throughout, until `steered` moves it.
    """
    if levels == 1 or schedule == "adaptive":
        return np.full(levels, start)
    level = np.arange(levels, dtype=np.float64)
    falls: dict[str, Callable[[], np.ndarray]] = {
        "geometric": lambda: start * (end / start) ** (level / (levels - 1)),
        "linear": lambda: start + (end - start) * level / (levels - 1),
        "logarithmic": lambda: start / (1 + (start / end - 1) * np.log1p(level) / math.log(levels)),
    }
    fallen = falls[schedule]()
    fallen[0], fallen[-1] = start, end
    return fallen


def cooled_anew(
    before: np.ndarray, made: int, settings: AnnealingSettings, start: float | None
) -> np.ndarray:
    """The temperatures of a chain, shape (levels of `settings`,), that had those `before` when it
    had made so many of its steps: from there on as `settings` have them fall to their end, from
    `start` or, where that is None, from where the chain is."""
    steps, end = settings.steps, settings.end_temperature
    assert end is not None
    here = min(made, steps - 1)
    now = float(before[here * len(before) // steps])
    level = here * settings.levels // steps
    first = max(now if start is None else start, end)
    fallen = temperatures(settings.schedule, first, end, settings.levels - level)
    return np.concatenate([np.full(level, now), fallen])


def target_acceptance(progress: float) -> float:
    """The share of proposals that an adaptive schedule wants accepted, of 0 <= `progress` <= 1.

    From 1 to 0.44 in the first 15 % of the run, level until 65 %, then down to 0.001 (Lam and
    Delosme, 1988, as given by Swartz, "Automatic layout of analog and digital mixed macro/standard
    cell integrated circuits", 1993).
    """
    if progress < 0.15:
        return 0.44 + 0.56 * 560 ** (-progress / 0.15)
    if progress < 0.65:
        return 0.44
    return float(0.44 * 440 ** (-(progress - 0.65) / 0.35))


def steered(
    temperature: float, accepted: float, progress: float, start: float, end: float
) -> float:
    """The temperature of the next level, after one in which the share `accepted` was accepted.

    Multiplied by exp(target - accepted), within `end` and `start`. Acceptance rises by about a
    fifth for each factor e of temperature, so that a deviation dies away within some five levels.
    """
    moved = temperature * math.exp(target_acceptance(progress) - accepted)
    return min(max(moved, end), start)
