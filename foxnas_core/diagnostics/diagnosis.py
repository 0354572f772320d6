"""All that is known of a fit's rows, errors, terms and form, computed together."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from foxnas_core.diagnostics.collinearity import Collinearity, collinearity
from foxnas_core.diagnostics.fitted import FittedRows
from foxnas_core.diagnostics.normality import Normality, normality
from foxnas_core.diagnostics.residuals import residual_table
from foxnas_core.diagnostics.specification import Specification, specification
from foxnas_core.regression import Predictor
from foxnas_core.regression.features import Form
from foxnas_core.table.measurements import MeasurementTable


@dataclass(frozen=True, eq=False)
class Diagnosis:
    """`residuals` is the `residual_table`; `root` (p, p) the triangular factor R of the
    regression rows of the terms of `form` (see `FittedRows`), X'X = R'R, and `even` what
    `Predictor.evened` gives for the mean row of its scale."""

    predictor: Predictor
    residuals: pd.DataFrame
    normality: Normality
    collinearity: Collinearity
    specification: Specification
    form: Form
    root: np.ndarray = field(repr=False)
    even: float = 1.0

    def leverage_at(self, codes: np.ndarray) -> np.ndarray:
        """x'(X'X)⁻¹x (architectures,) of any architectures: the variance of a prediction, in
        residual variances."""
        whole = self.predictor.form.matrix(codes)
        scale = self.predictor.evened(whole @ self.predictor.estimates) / self.even
        x = self.form.matrix(codes) * scale[:, np.newaxis]
        half = np.linalg.solve(self.root.T, x.T)
        return np.einsum("ij,ij->j", half, half)


def diagnose(predictor: Predictor, table: MeasurementTable) -> Diagnosis:
    """Raises as `FittedRows.of`."""
    rows = FittedRows.of(predictor, table)
    residuals = residual_table(rows)
    return Diagnosis(
        predictor,
        residuals,
        normality(residuals, predictor.residual_df),
        collinearity(rows),
        specification(rows),
        rows.predictor.form,
        rows.r,
        float(predictor.evened(np.array([rows.fitted.mean()]))[0]),
    )
