"""Intervals and tests of linear combinations of a predictor's estimates.

Every figure that shows effects asks for combinations of terms; how sure one may be of them is
answered here, once, in one of four ways:

- `ordinary`: Student's t, one combination at a time;
- `simultaneous`: all combinations asked for together hold at once with the stated confidence, by
  the maximum of |t| (Hothorn, Bretz and Westfall, "Simultaneous inference in general parametric
  models", Biometrical Journal 50, 2008);
- `hc3`: valid where the spread of residuals differs between subnets (MacKinnon and White, 1985);
- `bootstrap`: the same without normality: percentiles over wild bootstrap samples (Wu, "Jackknife,
  bootstrap and other resampling methods in regression analysis", 1986), in each of which the
  ceiling of a saturating link is estimated anew.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import scipy

from foxnas_core.errors import InvalidInput
from foxnas_core.regression import ceiling
from foxnas_core.regression.leastsquares import stacked, wild_samples
from foxnas_core.regression.link import Link
from foxnas_core.regression.predictor import Predictor
from foxnas_core.regression.repeats import Repeats
from foxnas_core.regression.weighing import looseness, relative_residuals
from foxnas_core.table.latency_verdicts import usable
from foxnas_core.table.measurements import MeasurementTable

KINDS: Mapping[str, str] = {
    "ordinary": "One effect at a time",
    "simultaneous": "All effects at once (max-t)",
    "hc3": "Unequal spread (HC3)",
    "bootstrap": "Bootstrap",
}
_DRAWS = 20_000
_SAMPLES = 1000
_TOGETHER = 100  # samples held in memory at a time
_STARS = ((0.001, "***"), (0.01, "**"), (0.05, "*"))


@dataclass(frozen=True, eq=False)
class Inference:
    """How sure one may be of combinations of a predictor's terms, on its link's scale.

    `samples` (bootstrap samples, terms) are there for the bootstrap alone.
    """

    predictor: Predictor
    kind: str
    level: float
    seed: int
    covariance: np.ndarray = field(repr=False)
    samples: np.ndarray | None = field(repr=False, default=None)

    def intervals(self, rows: np.ndarray) -> pd.DataFrame:
        """One row a combination of `rows` (n, terms): value, std_error, low, high, t, p,
        p_adjusted, stars.

        p is two-sided against 0; `p_adjusted` is Benjamini and Hochberg's, over all rows, and
        `stars` stand for it: * below .05, ** below .01, *** below .001.
        """
        value = rows @ self.predictor.estimates
        std_error = np.sqrt(np.einsum("ij,ij->i", rows @ self.covariance, rows).clip(0))
        df = self.predictor.residual_df
        with np.errstate(divide="ignore", invalid="ignore"):
            t = np.nan_to_num(value / std_error, nan=0.0)  # 0 in a perfect fit: no evidence
        p = 2 * scipy.special.stdtr(df, -np.abs(t))
        if self.predictor.is_counted:  # nothing to test
            t = np.full_like(t, np.nan)
        if self.samples is not None:
            drawn = self.samples @ rows.T
            tail = (1 - self.level) / 2
            low, high = np.quantile(drawn, [tail, 1 - tail], axis=0)
        else:
            half = std_error * self._quantile(rows, std_error)
            low, high = value - half, value + half
        adjusted = benjamini_hochberg(p)
        return pd.DataFrame(
            {
                "value": value, "std_error": std_error, "low": low, "high": high, "t": t, "p": p,
                "p_adjusted": adjusted, "stars": [stars(x) for x in adjusted],
            }
        )  # fmt: skip

    def _quantile(self, rows: np.ndarray, std_error: np.ndarray) -> float:
        """Half width of the intervals in standard errors."""
        df = self.predictor.residual_df
        if self.kind != "simultaneous" or len(rows) < 2:
            return float(scipy.special.stdtrit(df, (1 + self.level) / 2))
        moving = std_error > 0
        scaled = rows[moving] / std_error[moving, np.newaxis]
        rng = np.random.default_rng(self.seed)
        # Only as many independent normals as the combinations span.
        values, vectors = np.linalg.eigh(self.covariance)
        root = scaled @ (vectors * np.sqrt(values.clip(0)))
        normal = rng.standard_normal((_DRAWS, root.shape[1])) @ root.T
        chi = np.sqrt(rng.chisquare(df, _DRAWS) / df)
        largest = np.abs(normal).max(axis=1, initial=0.0) / chi
        return float(np.quantile(largest, self.level))


def inference(
    predictor: Predictor,
    kind: str = "ordinary",
    *,
    table: MeasurementTable | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> Inference:
    """One of `KINDS` for a predictor; `hc3` and `bootstrap` need the `table` it was fitted on.

    Raises `InvalidInput` for an unknown kind, a level outside (0, 1), or a table that is missing
    or another one.
    """
    if kind not in KINDS:
        raise InvalidInput(f"{kind!r} is no kind of interval; choose {', '.join(KINDS)}.")
    if not 0 < level < 1:
        raise InvalidInput(f"The confidence is {level}; give a share above 0 and below 1.")
    covariance, samples = predictor.covariance, None
    if kind in ("hc3", "bootstrap") and not predictor.is_counted:
        if table is None or table.fingerprint != predictor.table_fingerprint:
            raise InvalidInput(f"Intervals of kind {kind!r} need the table of the fit.")
        values = table.values(predictor.target.column)
        measured = usable(table, predictor.target.column)
        rows = predictor.form.matrix(table.codes[measured])
        codes = table.codes[measured]
        repeats = Repeats.of(codes) if predictor.err_together else Repeats.none(len(codes))
        if kind == "hc3":
            covariance = _hc3(predictor, rows, values[measured], repeats)
        else:
            samples = _bootstrap(predictor, rows, values[measured], repeats, seed)
            covariance = np.cov(samples, rowvar=False).reshape(rows.shape[1], -1)
    return Inference(predictor, kind, level, seed, covariance, samples)


def joint_tests(predictor: Predictor, how: Inference | None = None) -> pd.DataFrame:
    """An F-test for each block slot and each group: that none of its choices matters.

    One row a test: group, slot ("" for the whole group), terms, F, df, residual_df, p, p_adjusted,
    stars. F = b'V⁻¹b / q for the q estimates b of the terms that read the slot (group) and their
    covariance V, F-distributed on (q, residual_df) degrees of freedom.
    """
    how = how or inference(predictor)
    terms = predictor.form.terms
    df = predictor.residual_df
    rows = []
    for group in dict.fromkeys(term.group for term in terms if term.group):
        slots = [s for s in dict.fromkeys(t.slot for t in terms if t.group == group) if s]
        for slot in [*slots, ""]:
            own = [i for i, t in enumerate(terms) if t.group == group and slot in ("", t.slot)]
            estimates = predictor.estimates[own]
            covariance = how.covariance[np.ix_(own, own)]
            with np.errstate(divide="ignore", invalid="ignore"):
                wald = float(estimates @ np.linalg.pinv(covariance, hermitian=True) @ estimates)
            statistic = wald / len(own)
            rows.append((group, slot, len(own), statistic, len(own), df))
    table = pd.DataFrame(rows, columns=["group", "slot", "terms", "F", "df", "residual_df"])
    p = scipy.special.fdtrc(table["df"].to_numpy(float), float(df), table["F"].to_numpy())
    adjusted = benjamini_hochberg(p)
    return table.assign(p=p, p_adjusted=adjusted, stars=[stars(x) for x in adjusted])


def benjamini_hochberg(p: np.ndarray) -> np.ndarray:
    """p-values (n,) adjusted so that of those below q at most a share q are false discoveries
    (Benjamini and Hochberg, JRSS B 57, 1995)."""
    from scipy.stats import false_discovery_control

    return np.asarray(false_discovery_control(p))


def stars(p: float) -> str:
    return next((mark for limit, mark in _STARS if p < limit), "")


def _hc3(predictor: Predictor, rows: np.ndarray, y: np.ndarray, repeats: Repeats) -> np.ndarray:
    """(X'X)⁻¹ X' diag(e² / (1 - h)²) X (X'X)⁻¹, with the uncertainty of the ceiling added.

    Of repeated rows e and h are sums over those of an architecture: what leaving out all of them
    changes (Bell and McCaffrey, "Bias reduction in standard errors for linear regression with
    multi-stage samples", Survey Methodology 28, 2002).
    """
    q, r, root, loose = _factors(predictor, rows, y)
    residuals = (predictor.link.forward(y) - rows @ predictor.estimates) * root
    rest = np.maximum(1 - repeats.leverage(q), 1e-9)
    bread = np.linalg.solve(r, q[repeats.first].T * (repeats.summed(residuals) / rest))
    covariance = loose**2 * bread @ bread.T
    if predictor.ceiling is not None:
        pull = predictor.ceiling.pull
        covariance = covariance + predictor.ceiling.rate_variance * np.outer(pull, pull)
    return covariance


def _bootstrap(
    predictor: Predictor, rows: np.ndarray, y: np.ndarray, repeats: Repeats, seed: int
) -> np.ndarray:
    """Estimates (samples, terms) of fits to values whose residuals changed signs at random."""
    link = predictor.link
    q, r, root, loose = _factors(predictor, rows, y)
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(_SAMPLES // _TOGETHER):
        eta = wild_samples(q, link.forward(y) * root, _TOGETHER, rng, repeats)
        if predictor.ceiling is not None:
            values = link.inverse(eta)
            rates = ceiling.wider_rates(y, link.center)
            likelihood = ceiling.profile(q, values, link.center, rates)
            for number, rate in enumerate(ceiling.best_rate(rates, likelihood)):
                eta[:, number] = Link(link.center, float(rate)).forward(values[:, number])
        found.append(np.linalg.solve(r, q.T @ eta).T)
    return predictor.estimates + loose * (np.vstack(found) - predictor.estimates)


def _factors(
    predictor: Predictor, rows: np.ndarray, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Q (n, terms) and R (terms, terms) of the weighted rows above those of the ridge, so that
    R'R = X'WX + D, the roots (n,) of the weights, and the `looseness` of the fit."""
    weights = predictor.weights
    root = np.ones(len(rows)) if weights is None else np.sqrt(weights)
    q, r = np.linalg.qr(stacked(rows * root[:, np.newaxis], predictor.penalty))
    if weights is None:
        return q[: len(rows)], r, root, 1.0
    residuals = relative_residuals(y, rows @ predictor.estimates)
    loose = looseness(residuals, predictor.independent_rows - predictor.residual_df)
    return q[: len(rows)], r, root, loose
