"""What must hold of made images, or the game has collapsed: each a number, and a lamp that is on
where it is great enough."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Rule:
    """What a lamp watches, the least that it must be, and what to change where it is less."""

    title: str
    least: float
    out: str
    advice: str


RULES: Mapping[str, Rule] = {
    "change": Rule(
        "Mean change of a pixel", 0.1, "the generator leaves images as they are",
        "give the cycle less weight (--cycle) or train for more epochs",
    ),
    "meaning": Rule(
        "Accuracy kept by a classifier that reads nothing that may change", 0.9,
        "made images have lost what they show",
        "give meaning more weight (--meaning)",
    ),
    "transport": Rule(
        "Transport, by that between real images", 1.5, "made images are of no other domain",
        "give transport more weight (--transport) or the cycle less (--cycle)",
    ),
    "diversity": Rule(
        "Difference between made images, by that between real ones", 0.5,
        "all made images look alike",
        "give the cycle and meaning more weight (--cycle, --meaning)",
    ),
    "harder": Rule(
        "Share of accuracy that the supernet loses on made images", 0.1,
        "the supernet finds made images no harder than real ones",
        "give meaning and the cycle less weight (--meaning, --cycle) or train for more epochs",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Lamp:
    """One number at an evaluation; `name` is of `RULES`."""

    name: str
    value: float

    @property
    def rule(self) -> Rule:
        return RULES[self.name]

    @property
    def is_on(self) -> bool:
        return self.value >= self.rule.least

    @property
    def text(self) -> str:
        return f"{self.value:.2f}" if np.isfinite(self.value) else "not told"

    def to_dict(self) -> dict[str, Any]:
        """A JSON document."""
        value = float(self.value) if np.isfinite(self.value) else None
        return {"name": self.name, "value": value, "least": self.rule.least, "on": self.is_on}


def lamps_of(values: Mapping[str, Any]) -> tuple[Lamp, ...]:
    """The lamps of an evaluation as `training.updates.minimax` watches it, an empty list where
    nothing could be told."""
    return tuple(Lamp(name, float(values[name][0]) if values[name] else np.nan) for name in RULES)


def said_of(lamps: Sequence[Lamp]) -> str:
    """Which lamps of an evaluation are out, and what each tells, as within a sentence."""
    out = [lamp.name for lamp in lamps if not lamp.is_on]
    said = f"all {len(lamps)} lamps are on"
    if out:
        said = f"{' and '.join(out)} of {len(lamps)} lamps {'are' if out[1:] else 'is'} out"
    each = ", ".join(f"{lamp.name} {lamp.text} (at least {lamp.rule.least:g})" for lamp in lamps)
    return f"{said}: {each}"


def collapse(lamps: Iterable[Lamp]) -> str | None:
    """What is wrong and how to mend it, by the first lamp that is out; None where all are on."""
    for lamp in lamps:
        if not lamp.is_on:
            rule = lamp.rule
            if np.isnan(lamp.value):
                return (
                    f"The game can't be judged by the lamp {lamp.name!r}: the classifiers beside "
                    "it have not learnt what images show; train for more epochs."
                )
            return (
                f"The game collapsed: {rule.out} (lamp {lamp.name!r}: {lamp.value:.2f}, at least "
                f"{rule.least:g} is needed); {rule.advice}."
            )
    return None
