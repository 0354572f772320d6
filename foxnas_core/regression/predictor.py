"""A fitted predictor: a frozen value that predicts and splits over groups."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import scipy

from foxnas_core.errors import InvalidInput
from foxnas_core.regression.ceiling import Ceiling
from foxnas_core.regression.features.form import COUNTED, SUMMED, Form
from foxnas_core.regression.link import Link
from foxnas_core.regression.pairs import PairScatter
from foxnas_core.regression.weighing import LEAST_SQUARES, RELATIVE
from foxnas_core.space.architecture import Architecture, Value
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.table.metrics import Metric

# Residuals, as a share of the largest term, that are those of the arithmetic.
_ROUNDING = 1e-9
# Of a cost that is predicted at nothing or less.
_LEAST_COST = 1e-12


@dataclass(frozen=True)
class CrossValidation:
    """Agreement of values predicted by fits that never saw the architecture, over all folds:
    R² about the mean of all rows, RMSE in the target's unit, Kendall's τ-b. `left_out` counts rows
    that no such fit could predict."""

    r2: float
    rmse: float
    tau: float
    left_out: int = 0


@dataclass(frozen=True, eq=False)
class GroupValues:
    """A prediction for a fixed context: `constant` plus one value for each additive group and each
    coupling, on the scale of the predictor's link."""

    constant: float
    _form: Form = field(repr=False)
    _estimates: np.ndarray = field(repr=False)
    _context: Mapping[int, int] = field(repr=False)  # code of each column of the context

    def group_values(self, group: str, option_codes: np.ndarray) -> np.ndarray:
        """What each option (options,) of a group, or of the groups that a coupling reads, adds.

        `option_codes` (options, all decisions of the space) are right in the columns of those
        groups; the others are not read.
        """
        codes = _with_context(option_codes, self._context).astype(np.intp, order="F")
        total, scale, first = np.zeros(len(codes)), self._form.scale(codes), 0
        # The rows of `Form.matrix` times the estimates, sooner where these are many.
        for part in self._form.parts:
            last = first + len(part.terms)
            if part.terms[0].group == group:
                own = part.values(codes, self._estimates[first:last])
                total += own * scale if part.terms[0].scaled else own
            first = last
        return total


@dataclass(frozen=True, eq=False)
class Predictor:
    """A fitted form: a frozen value that predicts, explains itself and pickles.

    `estimates` (terms,), `covariance` (terms, terms) and `residual_variance` are those of the
    fitted, sum-to-zero coding on the scale of `link`, where effects add up; `coefficients` shows
    them as differences to each first choice. On a saturating scale they are in the target's unit
    for a subnet of the value `link.center`; `ceiling` then says how well the ceiling is known, and
    `covariance` includes that. `held_out` (rows,) are the predictions, in the target's unit, of
    the cross-validation, in the order of the rows that the fit read. `left_out` counts the rows
    that it did not read as their latency failed a check (see `latency_verdicts`), `repeated` those
    of an architecture that another row is of, which add no degrees of freedom where rows of one
    `err_together` (see `regression.repeats`). `pair_scatter` tells how measured differences err.

    `weights` (rows,) are those of a fit by relative errors (see `weighing`); `residual_variance`
    is then that of a measurement's share above or below its prediction. `penalty` (terms, terms)
    is what shrinks terms, added to X'WX. `transferred` says that another device's predictor
    was calibrated.
    """

    target: Metric
    form: Form
    link: Link
    ceiling: Ceiling | None
    rows: int
    r2: float
    r2_adjusted: float
    cv: CrossValidation
    warnings: tuple[str, ...]
    table_fingerprint: str
    estimates: np.ndarray = field(repr=False)
    covariance: np.ndarray = field(repr=False)
    residual_variance: float = field(repr=False)
    held_out: np.ndarray = field(repr=False)
    df: int | None = None
    left_out: int = 0
    repeated: int = 0
    err_together: bool = False
    pair_scatter: PairScatter = field(default_factory=PairScatter)
    weights: np.ndarray | None = field(repr=False, default=None)
    penalty: np.ndarray | None = field(repr=False, default=None)
    transferred: bool = False

    @classmethod
    def exact(
        cls, form: Form, estimates: np.ndarray, table: MeasurementTable, known: np.ndarray
    ) -> "Predictor":
        """What tells a target of every architecture without error: `known` (rows,) are the values
        that a table has of it."""
        return cls(
            target=form.target,
            form=form,
            link=Link(),
            ceiling=None,
            rows=len(known),
            r2=1.0,
            r2_adjusted=1.0,
            cv=CrossValidation(1.0, 0.0, 1.0),
            warnings=(),
            table_fingerprint=table.fingerprint,
            estimates=estimates,
            covariance=np.zeros((len(estimates), len(estimates))),
            residual_variance=0.0,
            held_out=known,
        )

    @property
    def estimator(self) -> str:
        """One of `ESTIMATORS`."""
        return LEAST_SQUARES if self.weights is None else RELATIVE

    @property
    def space(self) -> SearchSpace:
        return self.form.space

    @property
    def couplings(self) -> Mapping[str, tuple[str, ...]]:
        """The terms that read several groups: by the name that stands as theirs, the decisions that
        they read."""
        return self.form.couplings

    def by_part(self, groups: Sequence[str]) -> "Predictor":
        """The same predictor, which tells the parts of some groups as couplings."""
        return replace(self, form=self.form.by_part(groups))

    @property
    def parameters(self) -> int:
        return self.form.parameters

    @property
    def independent_rows(self) -> int:
        """Rows that err each by itself: different architectures where their rows don't."""
        return self.rows - self.repeated if self.err_together else self.rows

    @property
    def residual_df(self) -> int:
        if self.is_counted:  # no error is estimated of rows
            return max(self.rows, 1)
        return self.independent_rows - self.parameters if self.df is None else self.df

    @property
    def exactly(self) -> str:
        """How values are told without a fit: "counted" of each architecture or "summed" over the
        costs of its choices; "" where they are fitted."""
        return self.form.name if self.form.name in (COUNTED, SUMMED) else ""

    @property
    def is_counted(self) -> bool:
        """Whether values are told without a fit; see `exactly`."""
        return bool(self.exactly)

    @cached_property
    def is_exact(self) -> bool:
        """Whether values are counted, or the terms reproduce every row that was fitted, up to
        rounding: what adds up, such as parameters, not what is measured."""
        scale = 1.0 if self.weights is not None else float(np.abs(self.estimates).max())
        return self.residual_df > 0 and bool(self.residual_variance**0.5 <= _ROUNDING * scale)

    def coefficients(self, level: float = 0.95) -> pd.DataFrame:
        """One row a term: term, label, group, slot, decision, estimate, std_error, t, p, low, high.

        Contrasts are differences to the first choice. `low` and `high` bound the interval of
        confidence `level`; t and p test the estimate against 0.
        """
        estimate, std_error = self.combine(self.form.shown)
        with np.errstate(divide="ignore", invalid="ignore"):
            t = estimate / std_error
        t[np.isnan(t)] = 0.0  # exactly 0 in a perfect fit: no evidence against 0
        half = self.quantile(level) * std_error
        return pd.DataFrame(
            {
                "term": [term.name for term in self.form.terms],
                "label": [term.label for term in self.form.terms],
                "group": [term.group for term in self.form.terms],
                "slot": [term.slot for term in self.form.terms],
                "decision": [term.decision for term in self.form.terms],
                "estimate": estimate,
                "std_error": std_error,
                "t": t,
                "p": 2 * scipy.special.stdtr(self.residual_df, -np.abs(t)),
                "low": estimate - half,
                "high": estimate + half,
            }
        )

    def predict(self, architectures: Sequence[Architecture], level: float = 0.95) -> pd.DataFrame:
        """See `predict_codes`."""
        return self.predict_codes(self.space.encode(architectures), level)

    def predict_codes(self, codes: np.ndarray, level: float = 0.95) -> pd.DataFrame:
        """Predictions in the target's unit: value, low, high, prediction_low, prediction_high.

        One row for each row of `codes` (rows, decisions). `low` and `high` bound the mean over
        repeated measurements of such a subnet, the prediction interval one new measurement, both at
        `level` for one architecture chosen without regard to the data. None is beyond the target's
        bounds.
        """
        return pd.DataFrame(self.predicted(codes, level))

    def predicted(self, codes: np.ndarray, level: float = 0.95) -> dict[str, np.ndarray]:
        """The columns (rows,) of `predict_codes`, without the frame that takes as long again."""
        rows = self.form.matrix(codes)
        eta = rows @ self.estimates
        std_error = self.std_error(rows, self.link.rate_pull(eta))
        quantile = self.quantile(level)
        half = quantile * std_error
        wide = quantile * np.sqrt(std_error**2 + self.scatter(eta))
        ends = {
            "value": eta,
            "low": eta - half,
            "high": eta + half,
            "prediction_low": eta - wide,
            "prediction_high": eta + wide,
        }
        return {name: self.target.within(self.link.inverse(end)) for name, end in ends.items()}

    def measuring(self, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Predictions and standard errors of one new measurement (rows,) of `codes` (rows,
        decisions), on the link's scale."""
        rows = self.form.matrix(codes)
        eta = rows @ self.estimates
        std_error = self.std_error(rows, self.link.rate_pull(eta))
        return eta, np.sqrt(std_error**2 + self.scatter(eta))

    def evened(self, eta: np.ndarray) -> np.ndarray:
        """What rows of predictions `eta` (n,) are multiplied by so that all scatter alike; 1 where
        they do."""
        return np.ones_like(eta) if self.weights is None else 1 / np.maximum(eta, _LEAST_COST)

    def scatter(self, eta: np.ndarray) -> np.ndarray:
        """The variance of one measurement of each subnet about its prediction `eta`, any shape, on
        the link's scale."""
        return self.residual_variance / self.evened(eta) ** 2

    def combine(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Value and standard error, (n,) each and on the link's scale, of the combinations `rows`
        (n, terms) of terms."""
        return rows @ self.estimates, self.std_error(rows)

    def std_error(self, rows: np.ndarray, by_rate: np.ndarray | None = None) -> np.ndarray:
        """Standard errors (n,) of values whose derivatives are `rows` (n, terms) by the estimates
        and `by_rate` (n,) by the link's rate at fixed estimates.

        The covariance holds how the estimates move with the rate; what passes through the link
        moves with it directly too: Var = r'Σr + Var(rate)·h(2 r'pull + h), the delta method.
        """
        variance = np.einsum("ij,ij->i", rows @ self.covariance, rows)
        if self.ceiling is not None and by_rate is not None:
            pull = rows @ self.ceiling.pull
            variance = variance + self.ceiling.rate_variance * by_rate * (2 * pull + by_rate)
        return np.sqrt(variance.clip(0))

    def difference_variance(
        self, before: np.ndarray, after: np.ndarray, ratio: float = 1.0
    ) -> np.ndarray:
        """Variances (n,), in the target's unit, of measured differences of pairs of codes
        (n, decisions), the first `ratio` times, about what is predicted for them, were the
        estimates exact."""
        ends = [self.form.matrix(codes) @ self.estimates for codes in (before, after)]
        first, second = (self.scatter(eta) * self.link.slope(eta) ** 2 for eta in ends)
        apart = ratio**2 * first + second
        return apart * self.pair_scatter.shares(self.space, before, after)

    def quantile(self, level: float = 0.95) -> float:
        """Half width, in standard errors, of an interval of confidence `level`."""
        return float(scipy.special.stdtrit(self.residual_df, (1 + level) / 2))

    def split(self, context: Mapping[str, Value]) -> GroupValues:
        """The prediction as a sum over additive groups, for one choice of each context decision.

        Raises `InvalidInput` where `context` is none of `SearchSpace.context_options`.
        """
        options = self.space.context_options()
        if dict(context) not in options:
            raise InvalidInput(
                f"{dict(context)} is no context of space {self.space.name!r}; choose one of "
                f"{', '.join(map(str, options))}."
            )
        codes = {
            column: decision.choices.index(context[decision.name])
            for column, decision in enumerate(self.space.decisions)
            if decision.name in context
        }
        nothing = np.full((1, len(self.space.decisions)), -1, dtype=np.int16)
        row = self.form.matrix(_with_context(nothing, codes), "")
        constant = float((row @ self.estimates[self.form.columns_of("")])[0])
        return GroupValues(constant, self.form, self.estimates, codes)


def predictor_summary(predictor: Predictor) -> dict[str, Any]:
    """The fit as plain, finite values, ready for JSON."""
    columns = ["term", "estimate", "std_error", "low", "high", "p"]
    ceiling = predictor.ceiling
    return {
        "form": predictor.form.name,
        "estimator": predictor.estimator,
        "ceiling": ceiling
        and {
            "value": _finite(ceiling.value),
            "low": _finite(ceiling.low),
            "high": _finite(ceiling.high),
            "p": ceiling.p,
        },
        "rows": predictor.rows,
        "left_out": predictor.left_out,
        "repeated": predictor.repeated,
        "parameters": predictor.parameters,
        "r2": predictor.r2,
        "r2_adjusted": predictor.r2_adjusted,
        "cv": {name: _finite(value) for name, value in asdict(predictor.cv).items()},
        "coefficients": predictor.coefficients()[columns].to_dict("records"),
    }


def _finite(number: float) -> float | None:
    return number if np.isfinite(number) else None


def _with_context(codes: np.ndarray, context: Mapping[int, int]) -> np.ndarray:
    codes = codes.copy()
    for column, code in context.items():
        codes[:, column] = code
    return codes
