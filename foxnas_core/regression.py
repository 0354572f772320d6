"""Ordinary least squares of one target on the features of architectures.

The only user of statsmodels, which is imported when something is fitted: predicting from a
fitted `Predictor` needs numpy and two special functions alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import stdtr, stdtrit

from foxnas_core.architecture import Architecture, Value
from foxnas_core.errors import InvalidInput
from foxnas_core.features import ORDER_FREE, Form, build_form, independent_columns
from foxnas_core.search_space import SearchSpace
from foxnas_core.table import MeasurementTable
from foxnas_core.target import Target

FOLDS = 10
# Belsley's limit: above it coefficients of the centred columns can hardly be told apart.
LARGEST_CONDITION = 30.0


@dataclass(frozen=True)
class CrossValidation:
    """Agreement of values predicted by fits that never saw the architecture, over all folds:
    R² about the mean of all rows, RMSE in the target's unit, Kendall's τ-b."""

    r2: float
    rmse: float
    tau: float


@dataclass(frozen=True, eq=False)
class GroupValues:
    """A prediction for a fixed context: `constant` plus one value for each additive group."""

    constant: float
    _form: Form = field(repr=False)
    _estimates: np.ndarray = field(repr=False)
    _context: Mapping[int, int] = field(repr=False)  # code of each column of the context

    def group_values(self, group: str, option_codes: np.ndarray) -> np.ndarray:
        """What each option (options,) of a group adds, in the target's unit.

        `option_codes` (options, all decisions of the space) are right in that group's columns;
        the others are not read.
        """
        codes = _with_context(option_codes, self._context)
        return self._form.matrix(codes, group) @ self._estimates[self._form.columns_of(group)]


@dataclass(frozen=True, eq=False)
class Predictor:
    """A fitted form: a frozen value that predicts, explains itself and pickles.

    `estimates` (terms,) and `covariance` (terms, terms) are those of the fitted, sum-to-zero
    coding; `coefficients` shows them as differences to each first choice.
    """

    target: Target
    form: Form
    rows: int
    r2: float
    r2_adjusted: float
    cv: CrossValidation
    warnings: tuple[str, ...]
    table_fingerprint: str
    estimates: np.ndarray = field(repr=False)
    covariance: np.ndarray = field(repr=False)
    residual_variance: float = field(repr=False)

    @property
    def space(self) -> SearchSpace:
        return self.form.space

    @property
    def parameters(self) -> int:
        return self.form.parameters

    @property
    def residual_df(self) -> int:
        return self.rows - self.parameters

    def coefficients(self, level: float = 0.95) -> pd.DataFrame:
        """One row a term: term, label, group, slot, decision, estimate, std_error, t, p, low, high.

        Contrasts are differences to the first choice. `low` and `high` bound the interval of
        confidence `level`; t and p test the estimate against 0.
        """
        shown = self.form.shown
        estimate = shown @ self.estimates
        std_error = np.sqrt(np.einsum("ij,jk,ik->i", shown, self.covariance, shown).clip(0))
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
                "p": 2 * stdtr(self.residual_df, -np.abs(t)),
                "low": estimate - half,
                "high": estimate + half,
            }
        )

    def predict(self, architectures: Sequence[Architecture], level: float = 0.95) -> pd.DataFrame:
        """See `predict_codes`."""
        return self.predict_codes(self.space.encode(architectures), level)

    def predict_codes(self, codes: np.ndarray, level: float = 0.95) -> pd.DataFrame:
        """Predictions in the target's unit: value, low, high, prediction_low, prediction_high.

        `low` and `high` bound the mean over repeated measurements of such a subnet, the
        prediction interval one new measurement, both at `level` for one architecture chosen
        without regard to the data.
        """
        value, std_error = self.combine(self.form.matrix(codes))
        quantile = self.quantile(level)
        half = quantile * std_error
        wide = quantile * np.sqrt(std_error**2 + self.residual_variance)
        return pd.DataFrame(
            {
                "value": value,
                "low": value - half,
                "high": value + half,
                "prediction_low": value - wide,
                "prediction_high": value + wide,
            }
        )

    def combine(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Value and standard error, (n,) each, of the combinations `rows` (n, terms) of terms."""
        variance = np.einsum("ij,ij->i", rows @ self.covariance, rows)
        return rows @ self.estimates, np.sqrt(variance.clip(0))

    def quantile(self, level: float = 0.95) -> float:
        """Half width, in standard errors, of an interval of confidence `level`."""
        return float(stdtrit(self.residual_df, (1 + level) / 2))

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


def fit(table: MeasurementTable, target: str, form: str = "auto", *, seed: int = 0) -> Predictor:
    """Fit a target column of the table by least squares.

    "auto" takes, for what adds up over blocks (latency, MACs, parameters), block states where
    there are rows enough, and else the per-layer form. Where block order is unknown it takes block
    counts per stage, but FOX-NAS's formula, which needs a third of the rows, for any other target
    while rows are few. `seed` deals the architectures into the folds of the cross-validation.
    Raises `InvalidInput` naming what is missing where the table can't carry the form.
    """
    measured = np.isfinite(table.values(target))
    y = table.values(target)[measured]
    codes = table.codes[measured]
    if not len(y):
        raise InvalidInput(
            f"The table has no row with {target} yet; measure subnets or import a table first."
        )
    chosen = _choose_form(table, target, form, len(y))
    x = chosen.matrix(codes)
    _check_rows(chosen, x, y)
    warnings = []
    if len(y) < len(table):
        warnings.append(
            f"{len(table) - len(y)} of {len(table)} rows have no {target} and are left out."
        )
    if len(y) < chosen.wanted_rows:
        warnings.append(
            f"{len(y)} rows for {chosen.parameters} parameters: intervals of the form "
            f"{chosen.name!r} can be trusted from {chosen.wanted_rows} rows on, so measure "
            f"{chosen.wanted_rows - len(y)} more or take a smaller form."
        )
    condition = _condition(x)
    if condition > LARGEST_CONDITION:
        warnings.append(
            f"The terms of the form {chosen.name!r} overlap (condition number {condition:.0f} of "
            "the centred, scaled columns): predictions hold, but read no coefficient alone."
        )
    # 1.5 s that pages which only predict need not wait for.
    from statsmodels.regression.linear_model import OLS

    result = OLS(y, x).fit()
    return Predictor(
        target=chosen.target,
        form=chosen,
        rows=len(y),
        r2=float(result.rsquared),
        r2_adjusted=float(result.rsquared_adj),
        cv=_cross_validate(x, y, table.frame["id"].to_numpy()[measured], seed),
        warnings=tuple(warnings),
        table_fingerprint=table.fingerprint,
        estimates=np.asarray(result.params),
        covariance=np.asarray(result.cov_params()),
        residual_variance=float(result.mse_resid),
    )


def predictor_summary(predictor: Predictor) -> dict[str, Any]:
    """The fit as plain, finite values, ready for JSON."""
    columns = ["term", "estimate", "std_error", "low", "high", "p"]
    return {
        "form": predictor.form.name,
        "rows": predictor.rows,
        "parameters": predictor.parameters,
        "r2": predictor.r2,
        "r2_adjusted": predictor.r2_adjusted,
        "cv": {"r2": predictor.cv.r2, "rmse": predictor.cv.rmse, "tau": predictor.cv.tau},
        "coefficients": predictor.coefficients()[columns].to_dict("records"),
    }


def _choose_form(table: MeasurementTable, target: str, name: str, rows: int) -> Form:
    if name != "auto":
        chosen = build_form(name, table.space, target)
        if not (table.ordered or chosen.order_free):
            raise InvalidInput(
                f"The form {name!r} needs to know which block stands where, but this table counts "
                f"block types per stage without their order; choose {' or '.join(ORDER_FREE)}."
            )
        return chosen
    adds_up = target.startswith("latency_ms") or target in ("macs", "parameters")
    if table.ordered:
        states = build_form("block_state", table.space, target)
        if adds_up and rows >= states.wanted_rows:
            return states
        return build_form("per_layer", table.space, target)
    counts = build_form("stage_counts", table.space, target)
    if adds_up or rows >= counts.wanted_rows:
        return counts
    return build_form("foxnas", table.space, target)


def _check_rows(form: Form, x: np.ndarray, y: np.ndarray) -> None:
    """Raises `InvalidInput` where the rows can't tell all terms apart."""
    rows, parameters = x.shape
    target = form.target.column
    if rows <= parameters:
        raise InvalidInput(
            f"The form {form.name!r} has {parameters} parameters and wants {form.wanted_rows} "
            f"rows, but only {rows} have {target}; measure more subnets or take a smaller form."
        )
    if np.ptp(y) == 0:
        raise InvalidInput(
            f"All {rows} rows have the same {target}, {y[0]:g}, so there is nothing to explain; "
            "measure subnets that differ."
        )
    if np.linalg.matrix_rank(x) < parameters:
        aliased = [form.terms[i].name for i in np.flatnonzero(~independent_columns(x))]
        named = ", ".join(aliased[:3]) + (f" and {len(aliased) - 3} more" if aliased[3:] else "")
        raise InvalidInput(
            f"In these {rows} rows {named or 'some terms'} can't be told apart from the other "
            f"terms of the form {form.name!r}; measure subnets in which these choices vary, or "
            "take a smaller form."
        )


def _condition(x: np.ndarray) -> float:
    """Condition number of the columns but the intercept, centred and scaled to length 1."""
    centred = x[:, 1:] - x[:, 1:].mean(axis=0)
    if not centred.shape[1]:
        return 1.0
    return float(np.linalg.cond(centred / np.linalg.norm(centred, axis=0)))


def _cross_validate(x: np.ndarray, y: np.ndarray, ids: np.ndarray, seed: int) -> CrossValidation:
    """Folds of whole architectures, so that none is predicted from its own repeats.

    With X = QR, the fit without a fold f solves (I - Q_f'Q_f) a = Q'y - Q_f'y_f.
    """
    from scipy.stats import kendalltau

    distinct, member = np.unique(ids, return_inverse=True)
    folds = np.arange(len(distinct)) % FOLDS
    np.random.default_rng(seed).shuffle(folds)
    fold = folds[member]
    q, _ = np.linalg.qr(x)
    projected = q.T @ y
    predicted = np.empty_like(y)
    for number in range(min(FOLDS, len(distinct))):
        own = q[fold == number]
        left = np.eye(q.shape[1]) - own.T @ own
        solution = np.linalg.lstsq(left, projected - own.T @ y[fold == number], rcond=1e-10)[0]
        predicted[fold == number] = own @ solution
    residuals = y - predicted
    r2 = 1 - float(residuals @ residuals) / float(((y - y.mean()) ** 2).sum())
    tau = float(kendalltau(y, predicted).statistic)
    rmse = float(np.sqrt(np.mean(residuals**2)))
    return CrossValidation(r2, rmse, tau if np.isfinite(tau) else 0.0)


def _with_context(codes: np.ndarray, context: Mapping[int, int]) -> np.ndarray:
    codes = codes.copy()
    for column, code in context.items():
        codes[:, column] = code
    return codes
