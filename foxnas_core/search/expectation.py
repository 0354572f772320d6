"""The headline of an architecture: what it is expected to measure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from foxnas_core.search.calibration import SearchCalibration
from foxnas_core.search.limits import AdditivePredictor, noun_of
from foxnas_core.search.lookup import LookedUp
from foxnas_core.space.architecture import Architecture
from foxnas_core.table.metrics import Metric

if TYPE_CHECKING:
    from foxnas_core.search.exact import Front

_SAME = 1e-9  # sums of the same numbers in another order, relative to their size


@dataclass(frozen=True)
class Expectation:
    """One target of one architecture: the `value` that it is expected to measure, in the target's
    unit, with the ends of its 95 % interval, and behind it what is `predicted`, with those of the
    prediction interval.

    Of an architecture that was searched for, so many measured `optima` tell what it measures;
    without any both are the same, and both what was measured where that was `looked_up`. `exactly`
    is how it is told without a fit, as `Predictor.exactly`.
    """

    target: Metric
    value: float
    low: float
    high: float
    predicted: float
    predicted_low: float
    predicted_high: float
    optima: int = 0
    looked_up: bool = False
    exactly: str = ""

    @property
    def how(self) -> str:
        """How its value is said to come: "expected to measure", "predicted at"."""
        if self.looked_up:
            return "measured at"
        return "expected to measure" if self.optima else "predicted at"

    @property
    def value_text(self) -> str:
        """What it is expected to measure, with its unit or, of what has none, its name."""
        return f"{self.target.text(self.value)} {self.target.unit or noun_of(self.target)}"

    @property
    def interval_text(self) -> str:
        """Both ends of what it is expected to measure: "90.80 to 91.60"."""
        return self.exactly or self.target.interval_text(self.low, self.high)

    @property
    def told(self) -> str:
        """What stands under the headline: its interval and, where it is another, the plain
        prediction."""
        return f"{self.interval_text}; {self.predicted_text}" if self.optima else self.interval_text

    @property
    def predicted_text(self) -> str:
        """The plain prediction behind it: "predicted 91.40 (91.00 to 91.80)"."""
        ends = self.target.in_brackets(self.predicted_low, self.predicted_high)
        return f"predicted {self.target.text(self.predicted)} {ends}"


def not_fitted_sentence(found: Sequence[Expectation]) -> str:
    """That none of these numbers is fitted; "" where one is."""
    ways = dict.fromkeys(own.exactly for own in found)
    if not all(ways):
        return ""
    told = f"Nothing of this is fitted: it is {' and '.join(ways)}."
    if "summed" in ways:
        told += " Sums are what whole networks take as far as costs add up."
    return told


def expectation(
    predictor: AdditivePredictor,
    architecture: Architecture,
    known: Mapping[str, SearchCalibration] | None = None,
) -> Expectation:
    """What an architecture is expected to measure in a predictor's target.

    `known` are calibrations by column, of an architecture that was searched for where they were:
    only then do measured optima tell of it.
    """
    row = predictor.predict([architecture]).iloc[0]
    predicted, low, high = (
        float(row[name]) for name in ("value", "prediction_low", "prediction_high")
    )
    found = (known or {}).get(predictor.target.column)
    told = found.interval(predicted) if found else (predicted, low, high)
    optima = found.count if found else 0
    looked_up, exactly = isinstance(predictor, LookedUp), getattr(predictor, "exactly", "")
    return Expectation(predictor.target, *told, predicted, low, high, optima, looked_up, exactly)


def is_optimum(front: "Front", architecture: Architecture) -> bool:
    """Whether nothing of a front is predicted better at an architecture's cost."""
    problem = front.problem
    value, cost = (
        float(predictor.predict([architecture])["value"].iloc[0])
        for predictor in problem.predictors[:2]
    )
    within = front.values[front.costs <= cost + _SAME * abs(cost)]
    return bool(len(within)) and problem.sign * (within[-1] - value) <= _SAME * abs(value)
