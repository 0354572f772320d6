"""The saturating link's ceiling: profiled, tested against no ceiling, and its uncertainty.

For rows X and values y, η(y) = Xb + ε with normal ε gives, for each rate, the likelihood profile
l(rate) = -n/2 ln RSS(η) + Σ ln η'(y) (Box and Cox, "An analysis of transformations", 1964).
"""

from dataclasses import dataclass, field, replace

import numpy as np
import scipy

from foxnas_core.regression.leastsquares import FoldedRows, wild_samples
from foxnas_core.regression.link import Link
from foxnas_core.table.metrics import Metric

RATES = 60
BOOTSTRAPS = 200
# Above so many rows the likelihood's curvature says the same as the bootstrap, at once.
LARGEST_BOOTSTRAP = 5000
# The ceiling stays so many standard deviations of the values above the highest one.
_CLEARANCE = 0.05
_LEVEL = 0.95
_LEAST = 1e-280  # the square sum of residuals of a perfect fit


@dataclass(frozen=True, eq=False)
class Ceiling:
    """An estimated ceiling, in the target's unit.

    - `low`, `high`: the 95 % profile likelihood interval; `high` is infinite where no ceiling at
      all is within it.
    - `statistic`, `p`: the likelihood-ratio test of the link against none, on 1 degree of freedom.
    - `rate_variance`: of the link's rate, over bootstrap samples (by curvature for many rows).
    - `pull` (terms,): how the estimates move with the rate.
    """

    value: float
    low: float
    high: float
    statistic: float
    p: float
    rate_variance: float = field(repr=False)
    pull: np.ndarray = field(repr=False)

    def within(self, target: Metric) -> "Ceiling":
        """The same as one says it of a target: no number is beyond what that can be."""
        ends = np.array([self.value, self.low, self.high])
        told = np.where(np.isfinite(ends), target.within(ends), ends).tolist()
        return replace(self, value=told[0], low=told[1], high=told[2])


def candidate_rates(y: np.ndarray, center: float) -> np.ndarray:
    """Rates (RATES,) from 0, no ceiling, to that of a ceiling just above the highest value."""
    nearest = y.max() - center + _CLEARANCE * y.std()
    return np.linspace(0.0, 1 / nearest, RATES)


def wider_rates(y: np.ndarray, center: float) -> np.ndarray:
    """Rates (RATES,) for samples whose highest value may lie below that of the data."""
    return 1.5 * candidate_rates(y, center)


def profile(q: np.ndarray, y: np.ndarray, center: float, rates: np.ndarray) -> np.ndarray:
    """Log-likelihood (rates,) or, for values (n, k), (rates, k), up to a constant."""
    found = []
    for rate in rates:
        eta, jacobian = _transformed(y, Link(center, rate))
        rss = (eta**2).sum(axis=0) - ((q.T @ eta) ** 2).sum(axis=0)
        found.append(_likelihood(rss, jacobian))
    return np.array(found)


def best_rate(rates: np.ndarray, likelihood: np.ndarray) -> np.ndarray:
    """Where the likelihood (rates,) or (rates, k) is greatest, by a parabola through its peak."""
    likelihood = np.where(np.isfinite(likelihood), likelihood, -np.inf)
    top = likelihood.argmax(axis=0)
    inner = np.clip(top, 1, len(rates) - 2)
    left, middle, right = (
        np.take_along_axis(likelihood, np.expand_dims(inner + step, 0), 0)[0] for step in (-1, 0, 1)
    )
    bend = left - 2 * middle + right
    with np.errstate(invalid="ignore", divide="ignore"):
        shift = np.clip(0.5 * (left - right) / bend, -1, 1)
    usable = (top == inner) & np.isfinite(shift) & (bend < 0)
    return rates[top] + np.where(usable, shift, 0.0) * (rates[1] - rates[0])


@dataclass(frozen=True, eq=False)
class Likely:
    """The `link` whose ceiling is most likely, its log-likelihood `top` and those (rates,) of the
    candidate `rates` (rates,)."""

    link: Link
    rates: np.ndarray
    likelihood: np.ndarray
    top: float

    @classmethod
    def of(cls, rows: FoldedRows, y: np.ndarray) -> "Likely":
        """By values `y` (n,) in the target's unit; the likelihood is that of as many rows as there
        are architectures."""
        center, share = float(y.mean()), rows.repeats.share
        rates = candidate_rates(y, center)
        likelihood = share * profile(rows.q, y, center, rates)
        link = Link(center, float(best_rate(rates, likelihood)))
        own = share * float(profile(rows.q, y, center, np.array([link.rate]))[0])
        return cls(link, rates, likelihood, max(own, float(likelihood.max())))

    @property
    def statistic(self) -> float:
        """That of the likelihood-ratio test against no ceiling."""
        return max(2 * (self.top - float(self.likelihood[0])), 0.0)

    @property
    def p(self) -> float:
        return float(scipy.special.chdtrc(1, self.statistic))


def estimate(rows: FoldedRows, y: np.ndarray, *, seed: int) -> tuple[Link, Ceiling]:
    """The link whose ceiling is most likely, with its interval, test and variance.

    `y` (n,) are values in the target's unit; `seed` that of the bootstrap.
    """
    found = Likely.of(rows, y)
    q, link, rates, likelihood, top = rows.q, found.link, found.rates, found.likelihood, found.top
    center, share = link.center, rows.repeats.share
    inside = likelihood >= top - float(scipy.special.chdtri(1, 1 - _LEVEL)) / 2
    push = link.rate_push(y)
    return link, Ceiling(
        value=link.ceiling,
        low=Link(center, _crossing(rates, likelihood, top, inside, last=True)).ceiling,
        high=Link(center, _crossing(rates, likelihood, top, inside, last=False)).ceiling,
        statistic=found.statistic,
        p=found.p,
        rate_variance=(
            _rate_variance(rows, y, link, seed)
            if len(y) <= LARGEST_BOOTSTRAP
            else _curvature_variance(q, y, link, rates[1] - rates[0]) / share
        ),
        pull=np.linalg.solve(rows.r, q.T @ push),
    )


def predict_held_out(folded: FoldedRows, y: np.ndarray) -> np.ndarray:
    """Each row's prediction (n,), in the target's unit, by link and fit without its fold, NaN where
    those can't tell."""
    center = float(y.mean())
    rates = candidate_rates(y, center)
    # One response a rate; the likelihood of each is that of the rows a fold leaves.
    etas, jacobians = map(
        np.stack, zip(*(_transformed(y, Link(center, rate)) for rate in rates), strict=True)
    )
    etas, jacobians = etas.T, jacobians.T
    projected, squares = folded.q.T @ etas, (etas**2).sum(axis=0)
    predicted = np.empty_like(y)
    for fold in folded.folds:
        rest = projected - fold.own.T @ etas[fold.held]
        rss = squares - (etas[fold.held] ** 2).sum(axis=0) - (rest * (fold.inverse @ rest)).sum(0)
        likelihood = _likelihood(rss, jacobians[fold.kept])
        link = Link(center, float(best_rate(rates, likelihood)))
        eta = link.forward(y)
        # A ceiling learnt without this fold may lie below its highest value, which is not used.
        kept = folded.q[fold.kept].T @ eta[fold.kept]
        predicted[fold.held] = link.inverse(fold.own @ (fold.inverse @ kept))
    predicted[folded.alone] = np.nan
    return predicted


def _transformed(y: np.ndarray, link: Link) -> tuple[np.ndarray, np.ndarray]:
    """η and ln dη/dy; the likelihood is that of no value where one is above the ceiling."""
    rest = 1 - link.rate * (y - link.center)
    with np.errstate(invalid="ignore", divide="ignore"):
        logarithm = np.log(rest)
    return (y if link.is_identity else link.center - logarithm / link.rate), -logarithm


def _likelihood(rss: np.ndarray, jacobian: np.ndarray) -> np.ndarray:
    return -len(jacobian) / 2 * np.log(np.maximum(rss, _LEAST)) + jacobian.sum(axis=0)


def _crossing(
    rates: np.ndarray, likelihood: np.ndarray, top: float, inside: np.ndarray, *, last: bool
) -> float:
    """Where the likelihood leaves the interval, between two rates, on one side of the peak."""
    limit = top - float(scipy.special.chdtri(1, 1 - _LEVEL)) / 2
    within = np.flatnonzero(inside)
    if not len(within):  # narrower than the grid
        within = np.array([int(likelihood.argmax())])
    here = within[-1] if last else within[0]
    there = here + (1 if last else -1)
    if not 0 <= there < len(rates) or not np.isfinite(likelihood[there]):
        return float(rates[here])
    share = (likelihood[here] - limit) / (likelihood[here] - likelihood[there])
    return float(rates[here] + np.clip(share, 0, 1) * (rates[there] - rates[here]))


def _rate_variance(rows: FoldedRows, y: np.ndarray, link: Link, seed: int) -> float:
    """The variance of the rate over wild bootstrap samples."""
    rng = np.random.default_rng(seed)
    drawn = wild_samples(rows.q, link.forward(y), BOOTSTRAPS, rng, rows.repeats)
    wider = wider_rates(y, link.center)
    likelihood = profile(rows.q, link.inverse(drawn), link.center, wider)
    return float(np.var(best_rate(wider, likelihood), ddof=1))


def _curvature_variance(q: np.ndarray, y: np.ndarray, link: Link, step: float) -> float:
    """The variance of the rate by the likelihood's second difference at its peak."""
    around = link.rate + step / 4 * np.array([-1.0, 0.0, 1.0])
    left, middle, right = profile(q, y, link.center, around)
    return float(-((step / 4) ** 2) / (left - 2 * middle + right))
