"""How much of a difference between subnets trained alone is the luck of one training: some were
trained by two seeds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from foxnas_core.evidence.trust.agreement import signs_of, tau_of
from foxnas_core.evidence.trust.pairs import TrustPair

DRAWS = 2000


@dataclass(frozen=True)
class TrainingNoise:
    """`std` is the standard deviation of a subnet's score over seeds of its training, pooled over
    `subnets` that have several, with its 95 % interval (chi-squared).

    `ceilings`, by scope, are what tau a ranking would reach that has the true order, were the luck
    of one training all that comes between: mean, and the ends of 95 % of the draws.
    """

    subnets: int
    std: float
    low: float
    high: float
    ceilings: Mapping[str, tuple[float, float, float]]


def training_noise(
    pairs: Sequence[TrustPair], scopes: Mapping[str, np.ndarray], *, seed: int, draws: int = DRAWS
) -> TrainingNoise | None:
    """None where no subnet was trained by two seeds.

    `scopes` say by name which pairs of subnets (n, n) count. The true scores, which nobody knows,
    are taken to be the observed ones, drawn together about the mean of those that a subnet is
    compared with until they vary by the noise less than these; to them noise is added by `seed`.
    """
    from scipy import stats

    repeated = [[p.alone.value, *(s.value for s in p.again)] for p in pairs if p.again]
    freedom = sum(len(scores) - 1 for scores in repeated)
    if not freedom:
        return None
    squares = sum(float(np.var(scores) * len(scores)) for scores in repeated)
    low, high = (squares / stats.chi2.ppf(q, freedom) for q in (0.975, 0.025))
    variance = squares / freedom
    rng, observed = np.random.default_rng(seed), np.array([p.alone.value for p in pairs])
    noise = rng.normal(0.0, np.sqrt(variance), (draws, len(pairs)))
    ceilings = {}
    for name, counted in scopes.items():
        true = _drawn_together(observed, counted | np.eye(len(pairs), dtype=bool), variance)
        one = signs_of(true) * counted
        taus = np.array([tau_of(one, signs_of(true + each) * counted) for each in noise])
        taus = taus[np.isfinite(taus)]
        if len(taus):
            least, most = np.quantile(taus, [0.025, 0.975])
            ceilings[name] = (float(taus.mean()), float(least), float(most))
    return TrainingNoise(
        len(repeated), float(np.sqrt(variance)), float(np.sqrt(low)), float(np.sqrt(high)), ceilings
    )


def _drawn_together(observed: np.ndarray, alike: np.ndarray, variance: float) -> np.ndarray:
    """Scores whose spread about the mean of those alike is less by the noise's."""
    means = (alike @ observed) / alike.sum(axis=1)
    spread = float(np.mean((observed - means) ** 2))
    share = np.sqrt(max(0.0, 1 - variance / spread)) if spread else 0.0
    return means + share * (observed - means)
