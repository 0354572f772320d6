"""What cards of explanations say of numbers."""

import pytest

from foxnas_core.cards.explanations import against_regression
from foxnas_core.regression.predictor import CrossValidation
from foxnas_core.table.metrics import metric_of


@pytest.mark.parametrize(("rmse", "word"), [(0.25, "smaller"), (0.75, "larger")])
def test_the_error_of_trees_is_told_against_the_regressions(rmse, word):
    theirs, ours = (CrossValidation(r2, error, tau) for r2, error, tau in (
        (0.91, rmse, 0.81), (0.92, 0.5, 0.82),
    ))  # fmt: skip
    said = against_regression(theirs, ours, metric_of("accuracy"))
    assert f"R² 0.910, RMSE {rmse:.2f} points, Kendall's tau 0.810." in said
    assert f"That is a {word} error than the regression's, which has 0.920, 0.50 and 0.820." in said
