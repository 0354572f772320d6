"""What a search reads of a predictor, and the limits that predictions must keep."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from functools import cached_property
from typing import Literal, Protocol

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from foxnas_core.errors import InvalidInput
from foxnas_core.regression.link import Link
from foxnas_core.space.architecture import Architecture, Value
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.table.metrics import SIZES, Metric, in_a_sentence


class SummedGroup(Protocol):
    """A prediction for a fixed context, on the scale of its predictor's link: `constant` plus a
    value for each group's option and for what each coupling reads.

    `group_values` takes the name of a group, or of one of the predictor's couplings.
    """

    @property
    def constant(self) -> float: ...
    def group_values(self, group: str, option_codes: np.ndarray) -> np.ndarray: ...


class AdditivePredictor(Protocol):
    """What a search needs of a predictor."""

    @property
    def space(self) -> SearchSpace: ...
    @property
    def target(self) -> Metric: ...
    @property
    def link(self) -> Link: ...
    @property
    def table_fingerprint(self) -> str: ...
    @property
    def couplings(self) -> Mapping[str, tuple[str, ...]]:
        """What does not add up over groups: by a name of its own, the names of the decisions,
        context aside, that each reads."""
        ...

    def split(self, context: Mapping[str, Value]) -> SummedGroup: ...
    def predict(self, architectures: Sequence[Architecture]) -> pd.DataFrame: ...


Side = Literal["at_most", "at_least"]


@dataclass(frozen=True, eq=False)
class Limit:
    """The prediction of `predictor` must be `at_most` or `at_least` this, in its target's unit.

    A limit is held as a cost, the prediction on the scale of its link, negated for a floor, that
    must be within a budget. Raises `InvalidInput` unless exactly one finite number is given.
    """

    predictor: AdditivePredictor
    at_most: float | None = None
    at_least: float | None = None

    def __post_init__(self) -> None:
        noun = noun_of(self.predictor.target)
        if (self.at_most is None) == (self.at_least is None):
            raise InvalidInput(
                f"The limit on {noun} must say either what it is at most or what it is at least."
            )
        if not math.isfinite(self.bound):
            raise InvalidInput(f"The limit on {noun} is {self.bound}; give a finite number.")

    @property
    def bound(self) -> float:
        return self.at_most if self.at_most is not None else self.at_least  # type: ignore[return-value]

    @property
    def side(self) -> Side:
        return "at_least" if self.at_most is None else "at_most"

    @property
    def column(self) -> str:
        return self.predictor.target.column

    @property
    def sign(self) -> float:
        """What turns a prediction into a cost and back: -1 for a floor."""
        return -1.0 if self.at_most is None else 1.0

    @cached_property
    def budget(self) -> float:
        """The greatest cost whose prediction keeps the limit: infinity where every prediction
        does, minus infinity where none does, by the link's ceiling or the target's bounds."""
        reached = self.sign * self.predictor.target.within([-math.inf, math.inf])
        if not min(reached) <= self.sign * self.bound < max(reached):
            return math.copysign(math.inf, self.sign * self.bound - min(reached))
        return self.sign * _edge(self.predictor.link, self.bound, self.side)

    def cost_of(self, prediction: np.ndarray) -> np.ndarray:
        """Costs of predictions on the scale of the link, any shape."""
        return prediction if self.at_least is None else -prediction

    def value_of(self, cost: ArrayLike) -> np.ndarray:
        """Predictions, in the target's unit, of costs of any shape."""
        values = self.predictor.link.inverse(self.sign * np.asarray(cost))
        return self.predictor.target.within(values) + 0.0  # no negative zero

    @property
    def text(self) -> str:
        """What the limit asks, within a sentence: "latency of at most 0.25 ms"."""
        target, side = self.predictor.target, self.side.replace("_", " ")
        unit = f" {target.unit}" if target.unit else ""
        return f"{noun_of(target)} of {side} {self.bound:.12g}{unit}"

    def at(self, bound: float) -> "Limit":
        """The same limit at another number."""
        if self.at_least is None:
            return Limit(self.predictor, bound)
        return Limit(self.predictor, at_least=bound)

    def nearest(self, cost: float) -> str:
        """The prediction of a cost as a number that it keeps, of three significant digits where
        the limit is a ceiling and five where it is a floor, and its unit."""
        value, unit = float(self.value_of(cost)), self.predictor.target.unit
        number = rounded_up(value) if self.at_least is None else rounded_down(value)
        return f"{number} {unit}" if unit else number


def limit_of(predictor: AdditivePredictor, bound: float) -> Limit:
    """At most the bound, or at least that where more of the predictor's target is better."""
    if predictor.target.direction == "max":
        return Limit(predictor, at_least=bound)
    return Limit(predictor, bound)


def rounded_up(number: float, digits: int = 3) -> str:
    """The least decimal of so many significant digits that is not below `number`."""
    return _rounded(number, digits, ROUND_CEILING)


def rounded_down(number: float, digits: int = 5) -> str:
    """The greatest decimal of so many significant digits that is not above `number`."""
    return _rounded(number, digits, ROUND_FLOOR)


def _rounded(number: float, digits: int, way: str) -> str:
    if number == 0:
        return "0"
    exact = Decimal(repr(float(number)))
    return f"{exact.quantize(Decimal(1).scaleb(exact.adjusted() - digits + 1), way):f}"


def _edge(link: Link, bound: float, side: Side) -> float:
    """The last number on the scale of the link that keeps the limit.

    Found by halving, since the link there and back may miss the bound by rounding.
    """
    edge = float(link.forward(bound))
    if math.isnan(edge):
        return math.inf  # at the ceiling and above: all predictions are below
    if link.is_identity:
        return edge

    def below(eta: float) -> bool:
        value = float(link.inverse(eta))
        return value <= bound if side == "at_most" else value < bound

    step = 1e-12 * max(1.0, abs(edge))
    low, high = edge - step, edge + step
    while not below(low):
        step *= 2
        low -= step
    while below(high):
        step *= 2
        high += step
    while low < (middle := (low + high) / 2) < high:
        low, high = (middle, high) if below(middle) else (low, middle)
    return low if side == "at_most" else high


def noun_of(target: Metric) -> str:
    """The target's label within a sentence: "latency", but "MACs", also of a size in those."""
    return target.word if target.column in SIZES else in_a_sentence(target.label)


def difference_noun(target: Metric) -> str:
    """What stands behind the number of a difference: "points of top-1 accuracy", "MACs"."""
    unit = f"{target.difference_unit} of " if target.difference_unit else ""
    return f"{unit}{noun_of(target)}"


def in_words(limits: Iterable[tuple[Metric, float, Side]]) -> list[str]:
    """Limits within a sentence, as "at most 20.0 k parameters"."""
    return [
        " ".join(
            filter(None, (side.replace("_", " "), target.text(bound), target.unit, noun_of(target)))
        )
        for target, bound, side in limits
    ]
