"""From a measurement table to a predictor."""

import math
from dataclasses import dataclass, field

import numpy as np

from foxnas_core.errors import InvalidInput
from foxnas_core.regression import ceiling
from foxnas_core.regression.assessment import Assessment, Data, agreement, assess
from foxnas_core.regression.ceiling import Ceiling
from foxnas_core.regression.features import BASES, Form, build_form, forms_of
from foxnas_core.regression.leastsquares import FoldedRows
from foxnas_core.regression.link import Link
from foxnas_core.regression.pairs import PairScatter
from foxnas_core.regression.predictor import Predictor
from foxnas_core.regression.repeats import Repeats
from foxnas_core.regression.weighing import (
    LEAST_SQUARES,
    RELATIVE,
    Products,
    measured_variance,
    relative_residuals,
    spent,
    spread,
)
from foxnas_core.table.latency_verdicts import usable
from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.table.metrics import in_a_sentence, metric_of, some_of
from foxnas_core.table.whole import findings_of

# Belsley's limit: above it coefficients of the centred columns can hardly be told apart.
LARGEST_CONDITION = 30.0
_LOST = 1e-8
_NAMED = 5  # at most, in a sentence


def fit(
    table: MeasurementTable,
    target: str,
    form: str | Form = "auto",
    link: str = "auto",
    estimator: str = "auto",
    *,
    seed: int = 0,
) -> Predictor:
    """Fit a target column of the table by least squares, weighted or not.

    `form` is one of `forms_of` the space, or "auto" for the one that `picker.choose` takes, or a
    form as built, whose interactions are then kept. `link` is "none", "saturating" (for what
    saturates), or "auto", which takes the saturating link where the likelihood ratio speaks for a
    ceiling and the squared error on held-out subnets is clearly smaller. `estimator` is one of
    `ESTIMATORS`, or "auto", which leaves it to `picker.choose` where that takes the form, and else
    is least squares but for forms whose terms are shrunk. `seed` deals the architectures into the
    folds of the cross-validation. Raises `InvalidInput` naming what is missing where the table
    can't carry the form.
    """
    from foxnas_core.regression.picker import choose

    data = Data.of(table, target)
    few = data.sample(seed)
    if form == "auto":
        best = choose(few, table.space, link, estimator, seed=seed).best
        if few is data:
            return _fitted(table, data, best, seed)
        form, link = best.form, "saturating" if best.saturates else "none"
        estimator = best.estimator
    built = form
    if not isinstance(built, Form):
        built = build_form(built, table.space, target, held=data.held)
    if not (table.ordered or built.order_free):
        raise InvalidInput(
            f"The form {built.name!r} needs to know which block stands where, but this table "
            "counts block types per stage without their order; choose "
            f"{' or '.join(forms_of(table.space, ordered=False))}."
        )
    if estimator == "auto":
        estimator = RELATIVE if built.relative else LEAST_SQUARES
    if built.name in BASES and not built.pairs and few is not data:
        built = assess(few, built, link, estimator, seed=seed).form
    return _fitted(table, data, assess(data, built, link, estimator, seed=seed), seed)


def _fitted(table: MeasurementTable, data: Data, assessed: Assessment, seed: int) -> Predictor:
    form, y = assessed.form, data.y
    x = form.matrix(data.codes)
    relative = assessed.weights is not None
    own = _relatively(x, data, assessed) if relative else _squares(x, data, assessed, seed)
    residuals = y - own.link.inverse(x @ own.estimates)
    unexplained = float(residuals @ residuals) / float(((y - y.mean()) ** 2).sum())
    return Predictor(
        target=form.target,
        form=form,
        link=own.link,
        ceiling=own.ceiling,
        rows=len(y),
        r2=1 - unexplained,
        r2_adjusted=1 - unexplained * (len(y) - 1) / (own.df or len(y) - form.parameters),
        cv=agreement(y, assessed.held_out),
        warnings=tuple(_warnings(data, table, form, x, own.repeats, assessed.held_out)),
        table_fingerprint=table.fingerprint,
        estimates=own.estimates,
        covariance=own.covariance,
        residual_variance=own.variance,
        held_out=assessed.held_out,
        df=own.df,
        left_out=data.left_out,
        repeated=len(y) - len(data.repeats),
        err_together=own.repeats.any,
        pair_scatter=PairScatter.of(table.space, data.codes, own.errors),
        weights=assessed.weights,
        penalty=own.penalty,
    )


@dataclass(frozen=True, eq=False)
class _Solved:
    """A fit's numbers, as `Predictor` has them; `errors` (rows,) are those of held-out rows, on a
    scale on which all are as large."""

    estimates: np.ndarray
    covariance: np.ndarray
    variance: float
    errors: np.ndarray
    repeats: Repeats
    df: int | None = None
    link: Link = field(default_factory=Link)
    ceiling: Ceiling | None = None
    penalty: np.ndarray | None = None


def _squares(x: np.ndarray, data: Data, assessed: Assessment, seed: int) -> _Solved:
    """By least squares, through the link.

    Terms that are pooled have the covariance of the normal prior that pools them, as in
    `_relatively`, and what not knowing that prior adds to it.
    """
    form, y, penalty = assessed.form, data.y, assessed.penalty
    rows = FoldedRows.of(x, penalty=penalty).erring(data.repeats, y)
    scale, found = Link(), None
    if assessed.saturates:
        scale, found = ceiling.estimate(rows, y, seed=seed)
        # What looked like a shared error may have been the ceiling.
        again = rows.erring(data.repeats, scale.forward(y))
        if again.repeats.any != rows.repeats.any:
            rows = again
            scale, found = ceiling.estimate(rows, y, seed=seed)
    response = scale.forward(y)
    estimates, unscaled = _by_statsmodels(rows, response)
    rest = response - rows.q @ (rows.q.T @ response)
    df, parameters = None, float(form.parameters)
    if penalty is not None:
        parameters = spent(x.T @ x, penalty)
        df = max(len(rows.repeats) - math.ceil(parameters), 1)
    variance = float(rest @ rest) / max(len(y) - parameters, 1)
    covariance = variance * unscaled
    if rows.repeats.any:
        spread, variance = rows.repeats.covariance(rows.q, rest)
        inverse = np.linalg.inv(rows.r)
        covariance = inverse @ spread @ inverse.T
    if assessed.pooling is not None:
        covariance = covariance + assessed.pooling.doubt(x, response)
    if found is not None:
        found = found.within(form.target)
        covariance = covariance + found.rate_variance * np.outer(found.pull, found.pull)
    errors = response - scale.forward(assessed.held_out)
    return _Solved(estimates, covariance, variance, errors, rows.repeats, df, scale, found, penalty)


def _relatively(x: np.ndarray, data: Data, assessed: Assessment) -> _Solved:
    """By relative errors.

    Terms that are shrunk have the covariance of the normal prior that shrinks them, (X'WX + D)⁻¹,
    which covers what shrinking them may leave out (Nychka, JASA 83, 1988). Where rows of one
    architecture err together, each counts as its share.
    """
    form, y, weights = assessed.form, data.y, assessed.weights
    assert weights is not None
    parameters, penalty = float(form.parameters), assessed.penalty
    rows = FoldedRows.of(x, weights=weights)
    if penalty is not None:
        products = Products.of(x, y, weights)
        estimates = products.solve(penalty)
        unscaled = np.linalg.inv(products.gram + penalty)
        parameters = spent(products.gram, penalty)
    else:
        estimates, unscaled = _by_statsmodels(rows, y * rows.root)
    repeats = rows.erring(data.repeats, y * rows.root).repeats
    fitted = math.ceil(parameters)
    df = max(len(repeats) - fitted, 1)
    residuals = relative_residuals(y, x @ estimates)
    covariance = spread(residuals, min(fitted, len(y) - 1)) * unscaled / repeats.share
    known = np.isfinite(assessed.held_out)
    variance = measured_variance(y[known], assessed.held_out[known], df)
    errors = relative_residuals(y, assessed.held_out)
    return _Solved(estimates, covariance, variance, errors, repeats, df, penalty=penalty)


def _by_statsmodels(rows: FoldedRows, response: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Estimates (terms,) of rows and responses that their weights have multiplied, and (X'WX)⁻¹."""
    # 1.5 s that pages which only predict need not wait for.
    from statsmodels.regression.linear_model import OLS

    # X = QR: the triangular rows have the solution of all rows, which may be a hundred thousand.
    result = OLS(rows.q.T @ response, rows.r).fit(method="qr")
    return np.asarray(result.params), np.asarray(result.cov_params(scale=1.0))


def _condition(x: np.ndarray) -> float:
    """Condition number of the columns but the intercept, centred and scaled to length 1."""
    if x.shape[1] < 2:
        return 1.0
    correlations = np.corrcoef(x[:, 1:], rowvar=False).reshape(x.shape[1] - 1, -1)
    values = np.linalg.eigvalsh(correlations)
    return float(np.sqrt(values[-1] / max(values[0], np.finfo(float).tiny)))


def _warnings(
    data: Data,
    table: MeasurementTable,
    form: Form,
    x: np.ndarray,
    repeats: Repeats,
    held_out: np.ndarray,
) -> list[str]:
    rows, whole, subnets = len(data.y), len(table) - data.left_out, len(data.repeats)
    warnings = []
    if rows < whole:
        word = in_a_sentence(metric_of(data.target).label)
        warnings.append(f"{whole - rows:,} of {whole:,} rows have no {word} and are left out.")
    if subnets < rows:
        warnings.append(
            f"{rows - subnets} of {rows} rows repeat a subnet that another row has: "
            + (
                f"rows of one err together, so standard errors are those of {subnets} subnets, not "
                f"of {rows} rows."
                if repeats.any
                else "what they err by differs as between other rows, so each counts."
            )
        )
    if form.held:
        named = ", ".join(f"{decision} = {choice}" for decision, choice in form.held)
        warnings.append(
            f"All {rows} rows have {named}: what other choices do is unknown, so predictions and "
            "searches keep to it; measure subnets with others to tell."
        )
    counted = len(repeats)
    if counted < form.wanted_rows:
        warnings.append(
            f"{counted} {'different subnets' if repeats.any else 'rows'} for {form.parameters} "
            f"parameters: intervals of the form {form.name!r} can be trusted from "
            f"{form.wanted_rows} rows on, so measure {form.wanted_rows - counted} more or take a "
            "smaller form."
        )
    warnings += [finding.sentence for finding in findings_of(table, form.target)]
    alone = ~np.isfinite(held_out)
    if alone.any():
        warnings.append(_alone_sentence(data, table, form, x, alone))
    searched = int((table.of_origin("search") & usable(table, data.target)).sum())
    if searched:
        warnings.append(
            f"{searched} of {rows} rows were found by searching with earlier fits: they sharpen "
            "predictions near the front, but lean the coefficients towards it, and the intervals "
            "take no account of how they were chosen."
        )
    condition = 1.0 if form.shrunk else _condition(x)
    if condition > LARGEST_CONDITION:
        warnings.append(
            f"The terms of the form {form.name!r} overlap (condition number {condition:.0f} of "
            "the centred, scaled columns): predictions hold, but read no coefficient alone."
        )
    return warnings


def _alone_sentence(
    data: Data, table: MeasurementTable, form: Form, x: np.ndarray, alone: np.ndarray
) -> str:
    """Which rows no fit without them can predict, and by what they differ from all others."""
    numbers = np.flatnonzero(usable(table, data.target))[alone] + 1
    rows = f"row{'s' if len(numbers) > 1 else ''} {some_of([str(n) for n in numbers], _NAMED)}"
    found = [
        f"{decision.name} = {decision.choices[code]}"
        for decision, own in zip(form.space.decisions, data.codes.T, strict=True)
        for code in np.unique(own[alone & (own >= 0)])
        if not (own[~alone] == code).any()
    ]
    if found:
        why, mend = f"no other row has {some_of(found, _NAMED)}", "with it"
    else:
        # What the others can't tell apart: a combination of terms that is 0 in all of them.
        _, values, directions = np.linalg.svd(x[~alone], full_matrices=True)
        values = np.pad(values, (0, len(directions) - len(values)))
        lost = np.abs(directions[values <= _LOST * values[0]]).max(axis=0, initial=0.0)
        terms = [t for t, size in zip(form.terms, lost, strict=True) if size > _LOST]
        names = dict.fromkeys(t.decision or t.label for t in terms if t.group or t.decision)
        *others, last = [*names][:_NAMED] or ["its terms"]
        named = f"{', '.join(others)} and {last}" if others else last
        why = f"no other row tells {named} apart"
        mend = "in which they differ"
    verb, of = ("is", "that row") if len(numbers) == 1 else ("are", "those rows")
    return (
        f"{len(numbers)} of {len(alone)} rows {verb} left out of the cross-validation ({rows}): "
        f"{why}, so what that does rests on {of} alone, and no fit without it can tell; measure "
        f"more subnets {mend}."
    )
