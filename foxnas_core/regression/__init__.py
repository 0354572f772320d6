"""Least squares of one target on the features of architectures, and what may be inferred.

The first answer waits for it, so it is imported without statsmodels and scipy.stats, which tests
hold it to: fitting needs numpy and some special functions alone.
"""

from foxnas_core.regression.fitting import fit
from foxnas_core.regression.predictor import (
    CrossValidation,
    GroupValues,
    Predictor,
    predictor_summary,
)

__all__ = ["CrossValidation", "GroupValues", "Predictor", "fit", "predictor_summary"]
