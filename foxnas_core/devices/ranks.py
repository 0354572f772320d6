"""How far columns agree on the order of networks: Kendall's τ, with its interval."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

LEAST_ROWS = 5
# Networks that the spread of τ is told by, where there are more.
_SPREAD_ROWS = 1000
_NORMAL = 1.96


@dataclass(frozen=True)
class Rank:
    """Kendall's τ_b of `rows` networks with its 95 % interval, all NaN where it is not defined."""

    tau: float
    low: float
    high: float
    rows: int


def rank_correlations(columns: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """One row a pair of columns, each of values (n,), NaN where not known: first, second, tau, low,
    high and rows, the networks that have both."""
    found = [
        {"first": one, "second": other, **vars(rank_correlation(columns[one], columns[other]))}
        for one, other in combinations(columns, 2)
    ]
    return pd.DataFrame(found, columns=["first", "second", "tau", "low", "high", "rows"])


def rank_correlation(one: np.ndarray, other: np.ndarray) -> Rank:
    """Of two columns of values (n,), where both are known.

    The interval is that of a ratio of U-statistics by the delta method, on Fisher's scale (Kendall
    and Gibbons, "Rank Correlation Methods", 1990, chapter 5): what one network's pairs say
    beyond all pairs' is its part in the spread.
    """
    from scipy.stats import kendalltau

    known = np.isfinite(one) & np.isfinite(other)
    one, other, rows = one[known], other[known], int(known.sum())
    if rows < LEAST_ROWS or not np.ptp(one) or not np.ptp(other):
        return Rank(np.nan, np.nan, np.nan, rows)
    tau = float(kendalltau(one, other).statistic)
    error = _spread(one, other) / np.sqrt(rows)
    if abs(tau) > 1 - 1e-12:
        return Rank(tau, tau, tau, rows)
    low, high = np.tanh(np.arctanh(tau) + np.array([-1, 1]) * _NORMAL * error / (1 - tau**2))
    return Rank(tau, float(low), float(high), rows)


def _spread(one: np.ndarray, other: np.ndarray) -> float:
    """The standard error of τ_b times the root of the number of networks."""
    if len(one) > _SPREAD_ROWS:
        drawn = np.random.default_rng(0).choice(len(one), _SPREAD_ROWS, replace=False)
        one, other = one[drawn], other[drawn]
    signs = [np.sign(np.subtract.outer(values, values)).astype(np.int8) for values in (one, other)]
    others = len(one) - 1
    agree = (signs[0] * signs[1]).sum(axis=1) / others
    apart = [np.abs(own).sum(axis=1, dtype=int) / others for own in signs]
    means = [own.mean() for own in apart]
    scale = np.sqrt(means[0] * means[1])
    tau = agree.mean() / scale
    part = agree / scale - tau / 2 * (apart[0] / means[0] + apart[1] / means[1])
    return float(2 * np.std(part, ddof=1))
