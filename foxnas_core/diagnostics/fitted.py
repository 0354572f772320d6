"""The measured rows of a predictor as its fit saw them, which every check reads."""

from dataclasses import dataclass, replace

import numpy as np

from foxnas_core.errors import InvalidInput
from foxnas_core.regression import Predictor
from foxnas_core.regression.features import independent_columns
from foxnas_core.regression.leastsquares import leverage
from foxnas_core.regression.weighing import told
from foxnas_core.table.equals import fold_members
from foxnas_core.table.latency_verdicts import usable
from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.table.metrics import in_a_sentence

# Residuals below this share of the values' range are rounding, not error.
_ROUNDING = 1e-8
_TOLD = 0.5


@dataclass(frozen=True, eq=False)
class FittedRows:
    """The n measured rows of one target under one form of p terms.

    - `numbers` (n,): positions of the rows in the table, from 0; `ids` (n,) their subnets',
      and `members` (n,) those of `fold_members`.
    - `measured` (n,): in the target's unit; `response` (n,) the same on the link's scale.
    - `x` (n, p) the regression rows, `q` (n, p) and `r` (p, p) their QR factors.
    - `fitted` and `residuals` (n,): on the link's scale.
    - `variance`: of the residuals, on n - p degrees of freedom.

    Of a fit by relative errors `response`, `x` and `residuals` are multiplied by `scale` (n,), the
    mean prediction over the row's own: as they would be of a subnet of average cost. Of terms that
    are shrunk `predictor` and `x` have those of which rows tell more than what shrinks them.
    """

    predictor: Predictor
    numbers: np.ndarray
    ids: np.ndarray
    members: np.ndarray
    measured: np.ndarray
    response: np.ndarray
    x: np.ndarray
    q: np.ndarray
    r: np.ndarray
    fitted: np.ndarray
    residuals: np.ndarray
    variance: float
    scale: np.ndarray

    @classmethod
    def of(cls, predictor: Predictor, table: MeasurementTable) -> "FittedRows":
        """Raises `InvalidInput` where the predictor was fitted to another table, or without
        error, so that there is none to look into."""
        if is_exact(predictor, table):
            raise InvalidInput(exact_sentence(predictor))
        values = table.values(predictor.target.column)
        numbers = np.flatnonzero(usable(table, predictor.target.column))
        measured = values[numbers]
        x = predictor.form.matrix(table.codes[numbers])
        fitted = x @ predictor.estimates
        scale = predictor.evened(fitted)
        scale = scale / predictor.evened(np.array([fitted.mean()]))
        taken = np.ones(x.shape[1], dtype=bool)
        if predictor.penalty is not None:
            weights = 1.0 if predictor.weights is None else predictor.weights
            taken = told((x.T * weights) @ x, predictor.penalty) > _TOLD
        x = x * scale[:, np.newaxis]
        if not taken.all():
            taken[taken] = independent_columns(x[:, taken])
            predictor, x = _with(predictor, taken), x[:, taken]
        response = predictor.link.forward(measured) * scale
        residuals = response - fitted * scale
        q, r = np.linalg.qr(x)
        return cls(
            predictor=predictor,
            numbers=numbers,
            ids=table.frame["id"].to_numpy()[numbers],
            members=fold_members(table, predictor.target)[numbers],
            measured=measured,
            response=response,
            x=x,
            q=q,
            r=r,
            fitted=fitted,
            residuals=residuals,
            variance=float(residuals @ residuals) / max(len(measured) - x.shape[1], 1),
            scale=scale,
        )

    def __len__(self) -> int:
        return len(self.measured)

    @property
    def leverage(self) -> np.ndarray:
        """The diagonal (n,) of X(X'X)⁻¹X'."""
        return leverage(self.q)


def _with(predictor: Predictor, taken: np.ndarray) -> Predictor:
    """The predictor without the terms that `taken` (terms,) leaves out."""
    ceiling = predictor.ceiling
    return replace(
        predictor,
        form=predictor.form.only(taken),
        estimates=predictor.estimates[taken],
        covariance=predictor.covariance[np.ix_(taken, taken)],
        ceiling=ceiling and replace(ceiling, pull=ceiling.pull[taken]),
        penalty=None,
        df=predictor.residual_df,
    )


def is_exact(predictor: Predictor, table: MeasurementTable) -> bool:
    """Whether the fit has no error but rounding, as that of a count of weights has."""
    _check_table(predictor, table)
    if predictor.is_counted:
        return True
    values = table.values(predictor.target.column)
    response = predictor.link.forward(values[usable(table, predictor.target.column)])
    most = 1.0 if predictor.weights is not None else np.ptp(response)
    return bool(np.sqrt(predictor.residual_variance) <= _ROUNDING * most)


def exact_sentence(predictor: Predictor) -> str:
    """Why nothing is diagnosed where a fit is exact, or was not needed."""
    if predictor.is_counted:
        return (
            f"{predictor.target.title} are {predictor.exactly}, not fitted, so there are no errors "
            "to look into; choose another target, or a form to fit them by all the same."
        )
    return (
        f"The form {predictor.form.name!r} gives every measured "
        f"{in_a_sentence(predictor.target.label)} exactly, up to rounding, so there are no errors "
        "to look into; choose another target."
    )


def _check_table(predictor: Predictor, table: MeasurementTable) -> None:
    if predictor.table_fingerprint != table.fingerprint:
        raise InvalidInput(
            f"The predictor of {predictor.target.column} was fitted to table "
            f"{predictor.table_fingerprint}, not to {table.fingerprint}; fit it again."
        )
