"""When a measurement speaks against a claim.

A measurement has noise of its own, so it is never held against an interval for a mean alone:

- A subnet's value is held against the prediction interval, value ± t √(v + s²): v is the variance
  of the fitted mean, s² that of rows about the fit (Seber and Lee, "Linear Regression Analysis",
  2003, section 5.3). The table's rows were measured in the same way, so s² has the measurement's
  noise in it already. Only where n of the N held-out images are scored, the share of right ones is
  off from that on all N by a further standard error of √(p(1 − p)/n · (1 − n/N)) (Cochran,
  "Sampling Techniques", 1977, chapter 2). One that was searched for is held against what measured
  optima tell to expect instead (`search.calibration`).
- A difference of two subnets, this edit of this subnet, is held against
  d ± t √(v_d + r s²(g₁² + g₂²)) with the slopes g of the link at both ends and the share r that
  pairs of the table which differ as much tell (`regression.pairs`): measurement noise and what a
  pair departs from the mean over all pairs are in it (`Trial.holds`).
- Beside it the average edit is tested, by the confidence interval of the mean difference, widened
  by the error e with which this one was measured: d ± √(h² + (t e)²) for a half width h. Both
  subnets are scored on the same images and timed in the same rounds, so e is small, and the test is
  a strict one: where effects depend on what else is chosen and the form has no term for it, it
  fails more often than stated.

Where several errors are independent, half widths are added as squares.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from scipy.special import ndtri, stdtrit

from foxnas_core.evidence.verification.claims import Claim, FitRecord, Verdict, widened
from foxnas_core.explanation.edits import edit_effects
from foxnas_core.regression import Predictor
from foxnas_core.search.calibration import SearchCalibration
from foxnas_core.space.architecture import Architecture
from foxnas_core.table.metrics import metric_of
from foxnas_core.tasks.task import mean_of

# The median of five rounds that range over R has a standard error of .24 R where rounds are
# normal, as in `latency_verdicts`. Ranges of five vary as a standard deviation of 3.8 degrees of
# freedom does (Patnaik, "The use of mean range as an estimator of variance", Biometrika 37, 1950).
ERROR_OF_RANGE = 0.24
_RANGE_FREEDOM = 3.8


def claims_on(
    predictor: Predictor,
    subnets: Sequence[Architecture],
    *,
    level: float,
    known: Mapping[str, SearchCalibration] | None = None,
) -> tuple[Claim, ...]:
    """What a predictor claims of the last of one or two subnets and, where there are two, of its
    difference to the first; `known` are calibrations by column, of one that was searched for."""
    edited, fit = subnets[-1], FitRecord.of(predictor)
    quantile = predictor.quantile(level)
    row = predictor.predict([edited], level).iloc[0]
    low, high = float(row["prediction_low"]), float(row["prediction_high"])
    target = predictor.target.column
    found = (known or {}).get(target)
    expected = found.interval(float(row["value"]), level) if found else ()
    ends = (low, high, low, high)
    value = Claim("value", target, float(row["value"]), *ends, quantile, fit, *expected)
    if len(subnets) == 1:
        return (value,)
    effect = edit_effects(predictor, subnets[0], edited, level)
    difference = Claim(
        "difference", target, effect.total, effect.average_low, effect.average_high,
        effect.low, effect.high, quantile, fit,
    )  # fmt: skip
    return (value, difference)


def judge_score(
    claim: Claim, cases: np.ndarray, *, before: np.ndarray | None, total: int, level: float
) -> Verdict:
    """The verdict on the mean of a metric over images, or on a difference of two, in its unit.

    `cases` (images,) are the edited subnet's; `before`, those of the one it was edited from, is
    read for a difference. They are of `total` held-out images. Where every image is at one bound of
    the metric or the other, as it is named right or wrong, the mean is judged as a share.
    """
    z, n = normal_quantile(level), len(cases)
    low, high = metric_of(claim.target).bounds
    scale, shares = high - low, np.isin([cases, cases if before is None else before], (low, high))
    measured = float(cases.mean())
    if claim.kind == "value":
        if shares.all():
            right = cases == high
            error = scale * share_error(right)
            ends = [low + scale * end for end in wilson(int(right.sum()), n, level)]
        else:
            error = mean_of(cases).std_error
            ends = [float(np.clip(measured + side * error, low, high)) for side in (-z, z)]
        further = claim.quantile * error * math.sqrt(1 - n / total)
        return _verdict(claim, measured, error, (ends[0], ends[1]), further)
    assert before is not None
    measured -= float(before.mean())
    if shares.all():
        center, error = (scale * x for x in paired_difference(cases == high, before == high))
    else:
        center, error = measured, mean_of(cases - before).std_error
    return _verdict(
        claim, measured, error, (center - z * error, center + z * error), claim.quantile * error
    )


def judge_latency(
    claim: Claim,
    rounds: tuple[float, float, float],
    *,
    before: tuple[float, float, float] | None,
    level: float,
    reason: str = "",
) -> Verdict:
    """The verdict on a latency or a difference of two (ms); `rounds` are the edited subnet's
    median, least and greatest, `before` those of the one it was edited from."""
    measured, low, high = rounds
    error = ERROR_OF_RANGE * (high - low)
    if claim.kind == "value":
        return _verdict(claim, measured, error, (low, high), 0.0, reason)
    assert before is not None
    measured -= before[0]
    error = math.hypot(error, ERROR_OF_RANGE * (before[2] - before[1]))
    half = float(stdtrit(2 * _RANGE_FREEDOM, (1 + level) / 2)) * error
    return _verdict(claim, measured, error, (measured - half, measured + half), half, reason)


def _verdict(
    claim: Claim,
    measured: float,
    error: float,
    ends: tuple[float, float],
    further: float,
    reason: str = "",
) -> Verdict:
    """A verdict by `low` to `high`, widened by a `further`, independent half width."""
    return Verdict(
        measured, error, *ends, *widened(claim.value, claim.low, claim.high, further), reason
    )


def normal_quantile(level: float) -> float:
    return float(ndtri((1 + level) / 2))


def wilson(successes: int, trials: int, level: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval of a share (Wilson, "Probable inference, the law of succession, and
    statistical inference", JASA 22, 1927); all of 0 to 1 for no trials."""
    from statsmodels.stats.proportion import proportion_confint

    if not trials:
        return 0.0, 1.0
    low, high = proportion_confint(successes, trials, 1 - level, method="wilson")
    # Both ends are exact where none or all succeed, which rounding must not undo.
    return min(low, successes / trials), max(high, successes / trials)


def share_error(right: np.ndarray) -> float:
    """The binomial standard error of the share of right images (images,), with two right and two
    wrong ones added, so that it is never 0 (Agresti and Coull, "Approximate is better than 'exact'
    for interval estimation of binomial proportions", The American Statistician 52, 1998)."""
    n = len(right) + 4
    share = (float(right.sum()) + 2) / n
    return math.sqrt(share * (1 - share) / n)


def paired_difference(right: np.ndarray, before: np.ndarray) -> tuple[float, float]:
    """The difference of two shares on the same images (images,), drawn a little towards 0, and its
    standard error.

    Only images that one subnet names and the other does not tell a difference (McNemar, 1947). With
    half a pair added to each of the four cells the error is never 0 (Agresti and Min, "Simple
    improved confidence intervals for comparing matched proportions", Statistics in Medicine 24,
    2005).
    """
    n = len(right) + 2
    won = float((right & ~before).sum()) + 0.5
    lost = float((before & ~right).sum()) + 0.5
    return (won - lost) / n, math.sqrt(won + lost - (won - lost) ** 2 / n) / n
