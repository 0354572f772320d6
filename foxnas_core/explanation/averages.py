"""What each choice changes on average over subnets drawn at random, whatever form is true.

Subnets are drawn by a known design, decision by decision. So least squares on columns that sum to
zero over each decision's choices estimate differences of means over that design, even where effects
depend on what else is chosen and no term says so (Freedman, "On regression adjustments to
experimental data", Advances in Applied Mathematics 40, 2008; Lin, Annals of Applied Statistics 7,
2013). What the columns leave unexplained then spreads unequally, which HC2 standard errors allow
for (MacKinnon and White, Journal of Econometrics 29, 1985), with Satterthwaite's degrees of freedom
(Bell and McCaffrey, "Bias reduction in standard errors for linear regression with multi-stage
samples", Survey Methodology 28, 2002). Effects are in the target's own unit, without a link, and
averaged over the resolutions unless one is named.

Rows that were searched for or chosen are no such draw and are left out; rows of one subnet count as
one, their mean.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import scipy

from foxnas_core.errors import InvalidInput
from foxnas_core.explanation.coefficients import At, effect_rows
from foxnas_core.regression.features import averaged_form
from foxnas_core.regression.inference import benjamini_hochberg, stars
from foxnas_core.space.architecture import Value
from foxnas_core.table.latency_verdicts import usable
from foxnas_core.table.measurements import MeasurementTable, campaigns_of
from foxnas_core.table.metrics import Metric, metric_of

# What rows of these origins are, none of which are a random draw.
_CHOSEN = {
    "search": "found by searching",
    "design": "chosen for what they tell of the coefficients",
    "verify": "measured to test claims",
    "named": "named by hand",
}
_ALONE = 1e-9  # what is left of a row that settles a term alone
_SPANNED = 1e-8
# Choices that go together as if their columns were so many times as uncertain were not drawn apart.
_TOGETHER = 2.0
_DRAWS = 20_000
# Intervals by Student's t want so many rows, times the squared skewness of what is left unexplained
# (Cochran, "Sampling Techniques", 1977, section 2.15).
_COCHRAN = 25


@dataclass(frozen=True, eq=False)
class AverageEffects:
    """The average effect of every choice on one target.

    - `table`: one row a choice that the rows tell of: the keys of `choice_effects`, effect,
      std_error, df, low, high, p, p_adjusted, stars; effects in the target's unit.
    - `rows`: the subnets that were read; `left_out` counts the rows that were not drawn, by what
      they are; `untold` counts the choices that too few rows hold.
    - `form`: "per_layer", or "choice_counts" where the table does not tell the order of blocks.
    - `at`: the context that it is told at; empty for the average over all.
    - `assumed`: what is taken for granted of how the rows were drawn, "" where that is recorded.
    - `skewness`: that of what the choices leave unexplained.
    """

    target: Metric
    form: str
    table: pd.DataFrame = field(repr=False)
    rows: int
    parameters: int
    left_out: Mapping[str, int]
    untold: int
    at: Mapping[str, Value]
    assumed: str
    table_fingerprint: str
    level: float
    skewness: float = 0.0

    @property
    def wanted_rows(self) -> int:
        """From how many subnets on skewed leftovers average out in the intervals."""
        return int(np.ceil(_COCHRAN * self.skewness**2))

    @property
    def sentences(self) -> list[str]:
        """What was read, what was left out and what is assumed."""
        said = []
        if self.left_out:
            counted = ", ".join(f"{count:,} {what}" for what, count in self.left_out.items())
            said.append(
                f"Left out of the average effects on {self.target.word}, as no random draw: "
                f"{counted}."
            )
        if self.assumed:
            said.append(self.assumed)
        if self.rows < self.wanted_rows:
            said.append(
                f"What choices leave unexplained of {self.target.word} is skewed (skewness "
                f"{self.skewness:.1f}; a few subnets are far from the rest): intervals of average "
                f"effects hold as often as they say from about {self.wanted_rows:,} subnets on, "
                f"and less often by these {self.rows:,}; measure more."
            )
        if self.untold:
            said.append(
                f"{self.untold} choices have no average effect on {self.target.word}: no two of "
                "these subnets have them; measure some that do."
            )
        if self.form != "per_layer":
            said.append(
                "The table does not tell the order of the blocks, so the blocks after a stage's "
                "first share their effects."
            )
        return said

    def to_dict(self) -> dict[str, Any]:
        """A JSON document."""
        return {
            "form": self.form,
            "rows": self.rows,
            "left_out": dict(self.left_out),
            "at": dict(self.at),
            "assumed": self.assumed,
            "level": self.level,
            "skewness": self.skewness,
            "wanted_rows": self.wanted_rows,
            "effects": self.table.to_dict("records"),
        }


def average_effects(
    table: MeasurementTable,
    target: str,
    *,
    at: At = (),
    level: float = 0.95,
    together: bool = False,
) -> AverageEffects:
    """The average effects of choices on a target column; see the module.

    `at` fixes decisions of the context, whose other rows are then left out. With `together` all
    intervals hold at once, by the least of their p-values over draws of correlated estimates
    (Westfall and Young, "Resampling-based multiple testing", 1993). Raises `InvalidInput` where the
    target was not measured in more drawn subnets than the form has parameters.
    """
    space = table.space
    form = averaged_form(space, ordered=table.ordered)
    keys, combinations = effect_rows(form, at)
    read, left_out = drawn_rows(table, usable(table, target))
    for name, value in at:
        decision = space.by_name[name]
        taken = table.codes[:, space.decisions.index(decision)]
        read &= taken == decision.choices.index(value)
    codes, y = subnet_values(table, read, target)
    x = form.matrix(codes)
    estimate = estimated(x, y, combinations)
    if estimate is None:
        raise InvalidInput(
            f"Average effects on {metric_of(target).word} need more subnets drawn at random than "
            f"the {form.parameters} terms; {len(y)} are measured"
            + (f", besides {sum(left_out.values())} that were chosen" if left_out else "")
            + f". Measure {form.parameters + 1 - len(y)} more, as 'python -m foxnas_core measure' "
            "draws them."
        )
    told = estimate.told
    found = intervals_of(estimate, level, together)
    return AverageEffects(
        target=metric_of(target),
        form=form.name,
        table=pd.concat([keys[told].reset_index(drop=True), found], axis=1),
        rows=len(y),
        parameters=estimate.rank,
        left_out=left_out,
        untold=int((~told).sum()),
        at=dict(at),
        assumed=_assumed(table, read, x),
        table_fingerprint=table.fingerprint,
        level=level,
        skewness=estimate.skewness,
    )


def drawn_rows(table: MeasurementTable, rows: np.ndarray) -> tuple[np.ndarray, dict[str, int]]:
    """Which of `rows` (a mask) were drawn at random, and how many were not, by what they are."""
    drawn, left_out = rows.copy(), {}
    for origin, words in _CHOSEN.items():
        own = table.of_origin(origin) & rows
        if own.any():
            left_out[words] = int(own.sum())
            drawn &= ~own
    return drawn, left_out


def subnet_values(
    table: MeasurementTable, rows: np.ndarray, target: str
) -> tuple[np.ndarray, np.ndarray]:
    """Codes (n, decisions) of the distinct subnets of some rows, and their mean values (n,)."""
    _, first, member = np.unique(
        table.frame["id"].to_numpy(dtype=str)[rows], return_index=True, return_inverse=True
    )
    values = np.bincount(member, table.values(target)[rows]) / np.bincount(member)
    return table.codes[rows][first], values


@dataclass(frozen=True, eq=False)
class Estimate:
    """Values (k,) of the combinations that the rows tell of, their covariance (k, k) by HC2 and
    degrees of freedom (k,); `told` says which of all combinations these are. `skewness` is that of
    the residuals, each divided by what it is expected to keep of its error."""

    value: np.ndarray
    covariance: np.ndarray
    df: np.ndarray
    told: np.ndarray
    rank: int
    skewness: float


def estimated(x: np.ndarray, y: np.ndarray, combinations: np.ndarray) -> Estimate | None:
    """Least squares of y (n,) on x (n, terms), which may lack rank; None without rows to spare.

    With residuals e, leverages h and weights g = X (X'X)⁺ c, HC2's variance of c'b is
    Σ g²e²/(1 - h), a quadratic form e'De whose degrees of freedom, were the errors of equal spread,
    are (tr MD)² / tr MDMD for M = I - H.
    """
    q, r = np.linalg.qr(x)
    left, sizes, right = np.linalg.svd(r)
    rank = int((sizes > _SPANNED * sizes[:1].max(initial=0.0)).sum())
    if len(y) <= rank:
        return None
    q, basis = q @ left[:, :rank], right[:rank].T
    inside = combinations @ basis
    told = np.abs(combinations - inside @ basis.T).max(axis=1, initial=0.0) < _SPANNED
    h = np.einsum("ij,ij->i", q, q)
    g = q @ (inside / sizes[:rank]).T
    alone = h > 1 - _ALONE
    told &= (np.abs(g[alone]) < _SPANNED).all(axis=0)
    g = g[:, told]
    rest = np.where(alone, 1.0, 1 - h)
    errors = np.where(alone, 0.0, (y - q @ (q.T @ y)) / np.sqrt(rest))
    weight = errors**2
    d = g**2 / rest[:, np.newaxis]
    # The product of a matrix and itself is symmetric, which takes half the time.
    roots = (q * np.sqrt(own)[:, np.newaxis] for own in d.T)
    squares = d.T**2 @ (1 - 2 * h) + [float(((own.T @ own) ** 2).sum()) for own in roots]
    df = (g**2).sum(axis=0) ** 2 / squares
    covariance = g.T @ (g * weight[:, np.newaxis])
    return Estimate(g.T @ y, covariance, df, told, rank, _skewness(errors[~alone], y))


def _skewness(errors: np.ndarray, y: np.ndarray) -> float:
    """That of errors (n,); 0 where these are those of the arithmetic."""
    centered = errors - errors.mean() if len(errors) else errors
    spread = float(np.sqrt(np.mean(centered**2))) if len(errors) else 0.0
    if spread <= _SPANNED * np.abs(y).max(initial=0.0):
        return 0.0
    return float(np.mean(centered**3)) / spread**3


def intervals_of(found: Estimate, level: float, together: bool) -> pd.DataFrame:
    std_error = np.sqrt(np.diag(found.covariance))
    outside = 1 - level
    if together and len(std_error) > 1:
        outside = _least_p(found.covariance, level)
    half = scipy.special.stdtrit(found.df, 1 - outside / 2) * std_error
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.nan_to_num(found.value / std_error, nan=0.0)  # 0 in a perfect fit: no evidence
    p = 2 * scipy.special.stdtr(found.df, -np.abs(t))
    adjusted = benjamini_hochberg(p)
    return pd.DataFrame(
        {
            "effect": found.value, "std_error": std_error, "df": found.df,
            "low": found.value - half, "high": found.value + half, "p": p,
            "p_adjusted": adjusted, "stars": [stars(own) for own in adjusted],
        }
    )  # fmt: skip


def _least_p(covariance: np.ndarray, level: float) -> float:
    """The p-value below which the least of all falls with the probability 1 - `level`."""
    size = np.sqrt(np.diag(covariance))
    moving = size > 0
    scaled = covariance[np.ix_(moving, moving)] / np.outer(size[moving], size[moving])
    values, vectors = np.linalg.eigh(scaled)
    root = vectors * np.sqrt(values.clip(0))
    drawn = np.random.default_rng(0).standard_normal((_DRAWS, len(root))) @ root.T
    largest = np.quantile(np.abs(drawn).max(axis=1, initial=0.0), level)
    return float(2 * scipy.special.stdtr(np.inf, -largest)) if np.isfinite(largest) else 1 - level


def _assumed(table: MeasurementTable, rows: np.ndarray, x: np.ndarray) -> str:
    """What is taken for granted of how the rows came about."""
    if len(set(table.frame["id"][rows])) == table.space.size:
        return ""
    said = []
    campaigns = list(campaigns_of(table))
    named = table.frame.get("campaign", pd.Series(index=table.frame.index, dtype=object))
    unknown = int((rows & ~named.isin(campaigns).to_numpy()).sum())
    if unknown:
        said.append(
            f"How {unknown:,} of these subnets were chosen is not recorded: it is assumed that "
            "each was drawn at random, one decision independently of the others."
        )
    inflated = _inflation(x)
    if inflated > _TOGETHER:
        said.append(
            "In these subnets choices go together (variance inflation "
            f"{inflated:.1f}), so that they were hardly drawn apart: where effects depend on what "
            "else is chosen, these averages are off."
        )
    return " ".join(said)


def _inflation(x: np.ndarray) -> float:
    """The largest variance inflation of the columns that vary, less what chance alone brings."""
    moving = x[:, x.std(axis=0) > 0]
    if len(moving) <= 2 * moving.shape[1] or moving.shape[1] < 2:
        return 1.0
    correlations = np.corrcoef(moving, rowvar=False)
    factors = np.diag(np.linalg.pinv(correlations, hermitian=True))
    return float(factors.max() * (1 - moving.shape[1] / len(moving)))
