"""Least squares of one target on the features of architectures, and what may be inferred.

The only user of statsmodels, which is imported when something is fitted: predicting from a
fitted `Predictor` needs numpy and two special functions alone.
"""

from foxnas_core.regression.fitting import fit
from foxnas_core.regression.predictor import (
    CrossValidation,
    GroupValues,
    Predictor,
    predictor_summary,
)

__all__ = ["CrossValidation", "GroupValues", "Predictor", "fit", "predictor_summary"]
