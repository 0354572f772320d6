"""How far the order of inherited accuracies is that of subnets trained alone.

Agreement is Kendall's tau-b, by which supernets are commonly judged (Yu et al., "Evaluating the
Search Phase of Neural Architecture Search", arXiv 1902.08142): 1 for the same order, 0 for none in
common. Of two subnets without ties, a share of (1 + tau) / 2 stands in the same order.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from foxnas_core.evidence.trust.pairs import SCORES, TrustPair
from foxnas_core.explanation.edits import changes

# How intervals of tau are had: within -1 to 1 whatever the order, where those by Kendall's variance
# reach beyond.
METHOD = "percentile bootstrap over subnets"
INHERITED = {"inherited": "with recalibration", "unrecalibrated": "without recalibration"}
TRAINED = {"alone": "trained from scratch", "fine_tuned": "fine-tuned"}
# Scopes of an agreement beside each resolution's own.
ALL, WITHIN = "all", "within resolutions"
_LEAST = 3


@dataclass(frozen=True)
class RankAgreement:
    """Kendall's tau-b of an inherited accuracy and one of subnets trained alone.

    `inherited` is one of `INHERITED`, `trained` one of `TRAINED`; `scope` is `ALL` pairs of
    subnets, those `WITHIN` one resolution, or a resolution. `low` to `high` is the 95 % percentile
    interval over resampled subnets; `jackknife` are the ends by leaving out one subnet after the
    other (Arvesen, "Jackknifing U-statistics", 1969), on the scale of Fisher's z. `rho` is
    Spearman's correlation of ranks, of ranks within each where `scope` is that, with its interval
    by the same resamples. NaN where fewer than three subnets, or ties alone, leave no order.
    """

    inherited: str
    trained: str
    scope: str
    subnets: int
    tau: float
    low: float
    high: float
    jackknife: tuple[float, float] = (np.nan, np.nan)
    rho: float = np.nan
    rho_low: float = np.nan
    rho_high: float = np.nan

    @property
    def same_order(self) -> float:
        """The share of pairs of subnets in the same order, without ties."""
        return (1 + self.tau) / 2


@dataclass(frozen=True)
class Offset:
    """Mean of trained less inherited (recalibrated) accuracy, in points, and its 95 % interval by
    Student's t; NaN where one subnet gives none."""

    trained: str
    scope: str
    subnets: int
    mean: float
    low: float
    high: float


def subnet_table(pairs: Sequence[TrustPair]) -> pd.DataFrame:
    rows = []
    for pair in pairs:
        scores = {name: getattr(pair, name) for name in SCORES}
        context = {"resolution": pair.architecture.get("resolution")}
        rows.append(
            {"id": pair.architecture.id}
            | {name: value for name, value in context.items() if value is not None}
            | {"parameters": pair.parameters, "macs": pair.macs}
            | {name: score.value for name, score in scores.items()}
            | {f"{name}_std_error": score.std_error for name, score in scores.items()}
            | {f"{t}_offset": scores[t].value - scores["inherited"].value for t in TRAINED}
        )
    return pd.DataFrame(rows)


def agreement_of(
    inherited: str,
    trained: str,
    scope: str,
    x: np.ndarray,
    y: np.ndarray,
    drawn: np.ndarray,
    counted: np.ndarray | None = None,
) -> RankAgreement:
    """Tau-b over the pairs of subnets (n, n) that are `counted`, and over resamples of indices
    (resamples, n)."""
    n = len(x)
    one, other = signs_of(x), signs_of(y)
    if counted is not None:
        one, other = one * counted, other * counted
    if n < _LEAST:
        return RankAgreement(inherited, trained, scope, n, np.nan, np.nan, np.nan)
    weights = np.zeros((len(drawn), n))
    np.add.at(weights, (np.arange(len(drawn))[:, None], drawn), 1.0)
    tau, (low, high) = tau_of(one, other), _ends(_tau(one, other, weights))
    groups = np.zeros(n, dtype=int)
    if counted is not None:
        groups = np.unique(counted, axis=0, return_inverse=True)[1].reshape(-1)
    rho = float(_spearman(x, y, groups, np.arange(n)[None])[0])
    rhos = _ends(_spearman(x, y, groups, drawn))
    if not np.isfinite(tau):
        low = high = np.nan
    return RankAgreement(
        inherited, trained, scope, n, tau, low, high, _jackknife(one, other, tau), rho, *rhos
    )


def signs_of(x: np.ndarray) -> np.ndarray:
    """The signs (n, n) of the differences of values (n,)."""
    return np.sign(x[:, None] - x[None, :])


def tau_of(one: np.ndarray, other: np.ndarray) -> float:
    """Tau-b of subnets by the signs (n, n) of their differences; NaN for ties alone."""
    return float(_tau(one, other, np.ones((1, len(one))))[0])


def _ends(values: np.ndarray) -> tuple[float, float]:
    """The ends of 95 % of the finite values; NaN without one."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        return np.nan, np.nan
    low, high = np.quantile(finite, [0.025, 0.975])
    return float(low), float(high)


def _jackknife(one: np.ndarray, other: np.ndarray, tau: float) -> tuple[float, float]:
    """The ends of the 95 % interval by tau without each subnet in turn."""
    n = len(one)
    without = _tau(one, other, 1 - np.eye(n))
    if not np.isfinite([tau, *without]).all() or abs(tau) == 1:
        return (tau, tau) if abs(tau) == 1 else (np.nan, np.nan)
    variance = (n - 1) / n * float(((without - without.mean()) ** 2).sum())
    half = 1.96 * np.sqrt(variance) / (1 - tau**2)
    return float(np.tanh(np.arctanh(tau) - half)), float(np.tanh(np.arctanh(tau) + half))


def _spearman(x: np.ndarray, y: np.ndarray, groups: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """Spearman's correlation (resamples,) of the subnets `drawn` (resamples, n), of ranks within
    each of `groups` (n,); NaN where one side is all ties."""
    from scipy.stats import rankdata

    own = groups[drawn]
    sides = []
    for values in (x, y):
        # Groups one after the other, so that the ranks of one are in a row.
        apart = np.unique(values, return_inverse=True)[1].reshape(-1) + len(values) * groups
        ranks = rankdata(apart[drawn], axis=1)
        for group in np.unique(groups):
            of_group = own == group
            number = np.maximum(of_group.sum(axis=1, keepdims=True), 1)
            mean = (ranks * of_group).sum(axis=1, keepdims=True) / number
            ranks = np.where(of_group, ranks - mean, ranks)
        sides.append(ranks)
    one, other = sides
    norm = np.sqrt((one**2).sum(axis=1) * (other**2).sum(axis=1))
    return np.divide(
        (one * other).sum(axis=1), norm, out=np.full(len(norm), np.nan), where=norm > 0
    )


def _tau(one: np.ndarray, other: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Tau-b (resamples,) of subnets that stand in the resample as often as `weights`
    (resamples, n) say, by the signs (n, n) of their differences; NaN for ties alone."""
    concordance, first, second = (
        ((weights @ signs) * weights).sum(axis=1)
        for signs in (one * other, np.abs(one), np.abs(other))
    )
    untied = np.sqrt(first * second)
    return np.divide(concordance, untied, out=np.full(len(weights), np.nan), where=untied > 0)


def offset_of(trained: str, scope: str, differences: np.ndarray) -> Offset:
    from scipy import stats

    n, mean = len(differences), float(differences.mean())
    if n < 2:
        return Offset(trained, scope, n, mean, np.nan, np.nan)
    half = float(stats.t.ppf(0.975, n - 1) * differences.std(ddof=1) / np.sqrt(n))
    return Offset(trained, scope, n, mean, mean - half, mean + half)


def reversals_of(pairs: Sequence[TrustPair], table: pd.DataFrame, trained: str) -> pd.DataFrame:
    x, y = table["inherited"].to_numpy(), table[trained].to_numpy()
    errors = [table[f"{name}_std_error"].to_numpy() for name in ("inherited", trained)]
    i, j = np.triu_indices(len(pairs), 1)
    swapped = (x[i] - x[j]) * (y[i] - y[j]) < 0
    i, j = i[swapped], j[swapped]
    preferred, better = np.where(x[i] > x[j], i, j), np.where(x[i] > x[j], j, i)
    gaps = x[preferred] - x[better], y[better] - y[preferred]
    certain = np.ones(len(i), dtype=bool)
    for gap, error in zip(gaps, errors, strict=True):
        certain &= gap > 2 * np.hypot(error[preferred], error[better])
    # The gap that both orders grant: a near tie in either is no large reversal.
    order = np.argsort(-np.minimum(*gaps), kind="stable")
    names = list(dict.fromkeys(n for pair in pairs for n in pair.architecture))
    return pd.DataFrame(
        {
            "trained": trained,
            "preferred": table["id"].to_numpy()[preferred],
            "better": table["id"].to_numpy()[better],
            "inherited_gap": gaps[0],
            "trained_gap": gaps[1],
            "certain": certain,
            "differs": [
                changes(names, pairs[p].architecture, pairs[b].architecture)
                for p, b in zip(preferred, better, strict=True)
            ],
        }
    ).iloc[order]
