"""When a measurement speaks against a claim.

A measurement has noise of its own, so it is never held against an interval for a mean alone:

- A subnet's value is held against the prediction interval, value ± t √(v + s²): v is the variance
  of the fitted mean, s² that of rows about the fit (Seber and Lee, "Linear Regression Analysis",
  2003, section 5.3). The table's rows were measured in the same way, so s² has the measurement's
  noise in it already. Only where n of the N held-out images are scored, the share of right ones is
  off from that on all N by a further standard error of √(p(1 − p)/n · (1 − n/N)) (Cochran,
  "Sampling Techniques", 1977, chapter 2).
- A difference of two subnets is held against the confidence interval of the mean difference, as
  explanations show it, widened by the error e with which this one was measured: d ± √(h² + (t e)²)
  for a half width h. Both subnets are scored on the same images and timed in the same rounds, so e
  is small, and the test is a strict one: it leaves no room for what a pair departs from the mean
  over all pairs. Where effects depend on what else is chosen and the form has no term for it,
  claims hold less often than stated, which a scoreboard is there to show.
- Whether such a pair at least scatters no more than rows do about the fit is told beside it, by
  d ± t √(v_d + s²(g₁² + g₂²)) with the slopes g of the link at both ends, as if the two scattered
  independently. Subnets that differ in one choice scatter alike, so that this is wide.

Where several errors are independent, half widths are added as squares.
"""

import math
from collections.abc import Sequence

import numpy as np
from scipy.special import ndtri, stdtrit

from foxnas_core.evidence.verification.claims import Claim, FitRecord, Verdict
from foxnas_core.explanation.edits import edit_effects
from foxnas_core.regression import Predictor
from foxnas_core.space.architecture import Architecture

# The median of five rounds that range over R has a standard error of .24 R where rounds are
# normal, as in `latency_verdicts`. Ranges of five vary as a standard deviation of 3.8 degrees of
# freedom does (Patnaik, "The use of mean range as an estimator of variance", Biometrika 37, 1950).
ERROR_OF_RANGE = 0.24
_RANGE_FREEDOM = 3.8


def claims_on(
    predictor: Predictor, subnets: Sequence[Architecture], *, level: float
) -> tuple[Claim, ...]:
    """What a predictor claims of the last of one or two subnets and, where there are two, of its
    difference to the first."""
    edited, fit = subnets[-1], FitRecord.of(predictor)
    quantile = predictor.quantile(level)
    row = predictor.predict([edited], level).iloc[0]
    low, high = float(row["prediction_low"]), float(row["prediction_high"])
    target = predictor.target.column
    value = Claim("value", target, float(row["value"]), low, high, low, high, quantile, fit)
    if len(subnets) == 1:
        return (value,)
    effect = edit_effects(predictor, subnets[0], edited, level)
    eta = predictor.form.matrix(predictor.space.encode(subnets)) @ predictor.estimates
    scatter = predictor.residual_variance * float((predictor.link.slope(eta) ** 2).sum())
    half = math.hypot((effect.high - effect.low) / 2, quantile * math.sqrt(scatter))
    difference = Claim(
        "difference", target, effect.total, effect.low, effect.high,
        effect.total - half, effect.total + half, quantile, fit,
    )  # fmt: skip
    return (value, difference)


def judge_share(
    claim: Claim, right: np.ndarray, *, before: np.ndarray | None, total: int, level: float
) -> Verdict:
    """The verdict on a top-1 accuracy in percent, or a difference of two in points.

    `right` (images,) says which images the edited subnet names; `before`, the same of the one it
    was edited from, is read for a difference. They are of `total` held-out images.
    """
    z = normal_quantile(level)
    if claim.kind == "value":
        error = 100 * share_error(right)
        low, high = (100 * end for end in wilson(int(right.sum()), len(right), level))
        further = claim.quantile * error * math.sqrt(1 - len(right) / total)
        return _verdict(claim, 100 * float(right.mean()), error, (low, high), further)
    assert before is not None
    center, error = (100 * number for number in paired_difference(right, before))
    measured = 100 * float(right.mean() - before.mean())
    ends = (center - z * error, center + z * error)
    return _verdict(claim, measured, error, ends, claim.quantile * error)


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
    """A verdict by the stated interval, widened by a `further`, independent half width."""
    return Verdict(measured, error, *ends, *widened(claim, claim.low, claim.high, further), reason)


def widened(claim: Claim, low: float, high: float, further: float) -> tuple[float, float]:
    """The ends of an interval about the claim's value with a further half width, added as
    squares."""
    if further == 0:
        return low, high
    return (
        claim.value - math.hypot(claim.value - low, further),
        claim.value + math.hypot(high - claim.value, further),
    )


def within_scatter(claim: Claim, verdict: Verdict) -> bool:
    """Whether a measured difference is one that two rows which scatter about the fit may have."""
    further = claim.quantile * verdict.std_error
    low, high = widened(claim, claim.scatter_low, claim.scatter_high, further)
    return low <= verdict.measured <= high


def normal_quantile(level: float) -> float:
    return float(ndtri((1 + level) / 2))


def wilson(successes: int, trials: int, level: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval of a share (Wilson, "Probable inference, the law of succession, and
    statistical inference", JASA 22, 1927); all of 0 to 1 for no trials."""
    if not trials:
        return 0.0, 1.0
    z2 = normal_quantile(level) ** 2
    share = successes / trials
    center = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    half = math.sqrt(z2 * (share * (1 - share) / trials + z2 / (4 * trials**2)))
    half /= 1 + z2 / trials
    # Both ends are exact where none or all succeed, which rounding must not undo.
    return (
        0.0 if not successes else max(0.0, center - half),
        1.0 if successes == trials else min(1.0, center + half),
    )


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
