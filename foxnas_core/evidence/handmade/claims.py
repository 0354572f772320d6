"""How much faster searched networks are at the accuracy of each one designed by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from foxnas_core.errors import MissingPart
from foxnas_core.evidence.handmade.record import (
    ALONE,
    FAMILIES,
    INHERITED,
    PRECISIONS,
    Contender,
    HandmadeRecord,
)

RESAMPLES = 2000
WAYS: Mapping[str, str] = {ALONE: "trained alone", INHERITED: "with inherited weights"}
"""What the searched networks' accuracy is, and how it reads."""


@dataclass(frozen=True)
class Published:
    """What the FOX-NAS paper (Liu et al., arXiv 2108.08189) measured of a hand-designed network and
    of its own beside it: quantized ImageNet top-1 (%) and latency (ms) on a Raspberry Pi 4.

    Its abstract speaks of "240% and 40% less latency". Less than nothing no latency can be: by its
    own figures the two are 240 % and 40 % faster, which is these ratios.
    """

    accuracy: float
    latency: float
    searched_accuracy: float
    searched_latency: float

    @property
    def ratio(self) -> float:
        return self.latency / self.searched_latency


PUBLISHED = {
    "mobilenet-v2": Published(70.5, 115, 70.3, 34),
    "efficientnet-lite0": Published(74.4, 132, 75.1, 97),
}


@dataclass(frozen=True)
class SpeedClaim:
    """One hand-made network against the front of the searched ones, in one precision.

    `ratio` is its latency over that of the searched front at its accuracy, from a 95 % interval
    `ratio_low` to `ratio_high`; above 1 the searched are faster, and 0 says that none reaches the
    accuracy. `at_least` says that even the fastest searched is more accurate, so that the ratio is
    no less. `gain` is the searched front's accuracy at its latency, less its own (points), with an
    interval likewise; NaN where no searched network is as fast.
    """

    name: str
    family: str
    width: float
    precision: str
    way: str
    accuracy: float
    latency: float
    ratio: float
    ratio_low: float
    ratio_high: float
    at_least: bool
    gain: float
    gain_low: float
    gain_high: float

    @property
    def reached(self) -> bool:
        return self.ratio > 0

    @property
    def verdict(self) -> str:
        """ "faster", "slower" or "open": whether the interval of the ratio lies above, below or
        round 1."""
        if self.ratio_low > 1:
            return "faster"
        return "slower" if self.ratio_high < 1 else "open"


@dataclass(frozen=True)
class Comparison:
    """The claims of one way and precision, and the points of the searched front: latency (ms) and
    accuracy (%), by both rising."""

    way: str
    precision: str
    claims: tuple[SpeedClaim, ...]
    front: tuple[tuple[float, float], ...]
    seed: int

    def of(self, family: str) -> tuple[SpeedClaim, ...]:
        return tuple(claim for claim in self.claims if claim.family == family)

    def families(self) -> list[str]:
        return list(dict.fromkeys(claim.family for claim in self.claims))

    def sentence(self) -> str:
        """How many of the hand-made networks are beaten, are not, and are left open."""
        count = {v: sum(c.verdict == v for c in self.claims) for v in ("faster", "slower", "open")}
        return (
            f"In {PRECISIONS[self.precision]}, searched networks {WAYS[self.way]} reach the "
            f"accuracy of {count['faster']} of {len(self.claims)} hand-designed ones in less "
            f"latency, beyond what noise explains. For {count['slower']} they need more or never "
            f"reach it, and {count['open']} are too close to tell."
        )

    def family_sentence(self, family: str) -> str:
        """The ratios of one family, and the paper's beside them."""
        parts = []
        for claim in self.of(family):
            low = f"{claim.ratio_low:.2f}" if claim.ratio_low else "not reached"
            said = f"{'at least ' if claim.at_least else ''}{claim.ratio:.2f}"
            said += f" ({low} to {claim.ratio_high:.2f})"
            parts.append(f"{said if claim.reached else 'not reached'} at width {claim.width:g}")
        said = (
            f"{FAMILIES[family]}'s latency over that of the searched at its accuracy: "
            f"{', '.join(parts)}"
        )
        paper = PUBLISHED.get(family)
        if paper is None:
            return f"{said}."
        return (
            f"{said}. The paper's figures give {paper.ratio:.1f} ({paper.latency:g} ms at "
            f"{paper.accuracy:g} % against {paper.searched_latency:g} ms at "
            f"{paper.searched_accuracy:g} %), on ImageNet, in int8, on a Raspberry Pi 4."
        )


def compare(
    record: HandmadeRecord, *, way: str, precision: str, seed: int, resamples: int = RESAMPLES
) -> Comparison:
    """Hold every hand-made network against the front of the searched ones as they were measured.

    Hand-made networks are trained alone; the searched ones' accuracy is of `way`. Between points
    of the front the logarithm of latency is linear in accuracy. Intervals (percentile, 95 %) draw
    every accuracy from a normal distribution with its standard error and every latency uniformly
    between its least and greatest round, and build the front anew. All are scored on the same
    images, whose luck is shared; drawing them apart makes the intervals too wide rather than too
    narrow. Raises `MissingPart` where latencies or the results of two searched networks are
    missing.
    """
    searched = [c for c in record.contenders if c.searched and c.of(way) and c.latency]
    made = [c for c in record.contenders if not c.searched and c.of(ALONE) and c.latency]
    if len(searched) < 2 or not made:
        chosen = sum(c.searched for c in record.contenders)
        if chosen < 2:
            raise MissingPart(
                f"{chosen} searched network is in this record, and a comparison needs two "
                "different ones; move handmade.json away and begin anew with 'python -m "
                "foxnas_core handmade' and more budgets by --searched."
            )
        trained = sum(bool(c.of(ALONE)) for c in record.contenders)
        raise MissingPart(
            f"{trained} of {len(record.contenders)} networks are trained so far; latencies are "
            "measured when all are. Go on with 'python -m foxnas_core handmade'."
        )
    rng = np.random.default_rng(seed)
    own_accuracy, own_latency = _drawn(record, made, ALONE, precision, rng, resamples)
    front_accuracy, front_latency = _drawn(record, searched, way, precision, rng, resamples)
    fronts = [_front(*draw) for draw in zip(front_latency, front_accuracy, strict=True)]
    claims = []
    draws = list(zip(fronts, own_latency, own_accuracy, strict=True))
    for place, contender in enumerate(made):
        found = [against(front, ms[place], accuracy[place]) for front, ms, accuracy in draws]
        ratios, gains = np.array(found, dtype=float).T
        assert contender.width is not None
        claims.append(
            SpeedClaim(
                contender.name,
                contender.family,
                contender.width,
                precision,
                way,
                float(own_accuracy[0, place]),
                float(own_latency[0, place]),
                *_with_ends(ratios),
                bool(own_accuracy[0, place] <= fronts[0][1][0]),
                *_with_ends(gains),
            )
        )
    points = tuple((float(x), float(y)) for x, y in zip(*fronts[0], strict=True))
    return Comparison(way, precision, tuple(claims), points, seed)


def _with_ends(values: np.ndarray) -> tuple[float, float, float]:
    """What was measured, the first value, and the interval of all others, which are drawn; NaN
    without."""
    drawn = values[1:][np.isfinite(values[1:])]
    if not np.isfinite(values[0]) or not len(drawn):
        return float(values[0]), np.nan, np.nan
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(values[0]), float(low), float(high)


def against(
    front: tuple[np.ndarray, np.ndarray], latency: float, accuracy: float
) -> tuple[float, float]:
    """The ratio and gain of `SpeedClaim` against a front of latencies and accuracies, both rising.

    Beyond the front's ends: 0 and the fastest point's for the ratio, NaN and the most accurate
    point's for the gain.
    """
    latencies, accuracies = front
    ratio = 0.0
    if accuracy <= accuracies[-1]:
        ratio = latency / float(np.exp(np.interp(accuracy, accuracies, np.log(latencies))))
    gain = np.nan
    if latency >= latencies[0]:
        gain = float(np.interp(np.log(latency), np.log(latencies), accuracies)) - accuracy
    return ratio, gain


def comparison_document(comparisons: Sequence[Comparison]) -> list[dict[str, Any]]:
    """What the command line prints of comparisons; see docs/command-line.md."""

    def known(value: Any) -> Any:
        return None if isinstance(value, float) and not np.isfinite(value) else value

    return [
        {
            "way": comparison.way,
            "precision": PRECISIONS[comparison.precision],
            "sentence": comparison.sentence(),
            "networks": [
                {k: known(v) for k, v in asdict(claim).items() if k not in ("way", "precision")}
                | {"verdict": claim.verdict}
                for claim in comparison.claims
            ],
            "published": {
                family: asdict(paper) | {"ratio": paper.ratio}
                for family, paper in PUBLISHED.items()
            },
        }
        for comparison in comparisons
    ]


def _drawn(
    record: HandmadeRecord,
    contenders: Sequence[Contender],
    way: str,
    precision: str,
    rng: np.random.Generator,
    resamples: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Accuracies and latencies (1 + resamples, networks), first as measured."""
    scores = [record.score(c, way, precision) for c in contenders]
    means = np.array([s.value for s in scores if s is not None])
    errors = np.array([s.std_error for s in scores if s is not None])
    timings = [c.latency[precision] for c in contenders if c.latency]
    low, high = (np.array([getattr(t, end) for t in timings]) for end in ("low", "high"))
    shape = (resamples, len(contenders))
    return (
        np.vstack([means, rng.normal(means, errors, shape)]),
        np.vstack([[t.value for t in timings], rng.uniform(low, high, shape)]),
    )


def _front(latencies: np.ndarray, accuracies: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Those points that no other is both as fast as and more accurate than, by both rising."""
    order = np.lexsort((-accuracies, latencies))
    latencies, accuracies = latencies[order], accuracies[order]
    before = np.concatenate([[-np.inf], np.maximum.accumulate(accuracies)[:-1]])
    kept = accuracies > before
    return latencies[kept], accuracies[kept]
