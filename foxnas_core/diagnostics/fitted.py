"""The measured rows of a predictor as its fit saw them, which every check reads."""

from dataclasses import dataclass

import numpy as np

from foxnas_core.errors import InvalidInput
from foxnas_core.regression import Predictor
from foxnas_core.regression.leastsquares import leverage
from foxnas_core.table.equals import fold_members
from foxnas_core.table.latency_verdicts import usable
from foxnas_core.table.measurements import MeasurementTable

# Residuals below this share of the values' range are rounding, not error.
_ROUNDING = 1e-8


@dataclass(frozen=True, eq=False)
class FittedRows:
    """The n measured rows of one target under one form of p terms.

    - `numbers` (n,): positions of the rows in the table, from 0; `ids` (n,) their subnets',
      and `members` (n,) those of `fold_members`.
    - `measured` (n,): in the target's unit; `response` (n,) the same on the link's scale.
    - `x` (n, p) the regression rows, `q` (n, p) and `r` (p, p) their QR factors.
    - `fitted` and `residuals` (n,): on the link's scale.
    - `variance`: of the residuals, on n - p degrees of freedom.
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
        response, fitted = predictor.link.forward(measured), x @ predictor.estimates
        residuals = response - fitted
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
            variance=float(residuals @ residuals) / (len(measured) - x.shape[1]),
        )

    def __len__(self) -> int:
        return len(self.measured)

    @property
    def leverage(self) -> np.ndarray:
        """The diagonal (n,) of X(X'X)⁻¹X'."""
        return leverage(self.q)


def is_exact(predictor: Predictor, table: MeasurementTable) -> bool:
    """Whether the fit has no error but rounding, as that of a count of weights has."""
    _check_table(predictor, table)
    values = table.values(predictor.target.column)
    response = predictor.link.forward(values[usable(table, predictor.target.column)])
    return bool(np.sqrt(predictor.residual_variance) <= _ROUNDING * np.ptp(response))


def exact_sentence(predictor: Predictor) -> str:
    """Why nothing is diagnosed where a fit is exact, or was not needed."""
    if predictor.is_counted:
        return (
            f"{predictor.target.label} are counted, not fitted, so there are no errors to look "
            "into; choose another target, or a form to fit them by all the same."
        )
    return (
        f"The form {predictor.form.name!r} gives every measured "
        f"{predictor.target.label.lower()} exactly, up to rounding, so there are no errors to "
        "look into; choose another target."
    )


def _check_table(predictor: Predictor, table: MeasurementTable) -> None:
    if predictor.table_fingerprint != table.fingerprint:
        raise InvalidInput(
            f"The predictor of {predictor.target.column} was fitted to table "
            f"{predictor.table_fingerprint}, not to {table.fingerprint}; fit it again."
        )
