import functools

import numpy as np
import pytest
from hand import choice_space, hand_space, noisy_table, table_of
from scipy.special import stdtrit
from statsmodels.regression.linear_model import OLS

from foxnas_core.diagnostics import learning_curve as room
from foxnas_core.diagnostics.fitted import FittedRows
from foxnas_core.diagnostics.learning_curve import learning_curve
from foxnas_core.errors import InvalidInput
from foxnas_core.families import load_shipped
from foxnas_core.regression import fit

MINI = load_shipped("foxnas-mini")


@functools.cache
def mini_table():
    return noisy_table(MINI, 500, seed=1, noise=1.0)


@functools.cache
def mini_curve():
    table = mini_table()
    return learning_curve(fit(table, "accuracy", "per_layer", link="none"), table)


def test_a_part_is_fitted_and_the_rest_predicted_as_by_hand() -> None:
    table = mini_table()
    predictor = fit(table, "accuracy", "per_layer", link="none")
    rows = FittedRows.of(predictor, table)
    order = np.random.default_rng(0).permutation(500)
    part, rest = order[:200], order[200:]
    found = room._Draws.of(rows, np.arange(500))._fit(part, rest)
    x, y = predictor.form.matrix(table.codes), table.values("accuracy")
    result = OLS(y[part], x[part]).fit()
    error = y[rest] - x[rest] @ result.params
    assert found["rmse"] == pytest.approx(np.sqrt(np.mean(error**2)), abs=1e-9)
    covariance = predictor.form.shown @ result.cov_params() @ predictor.form.shown.T
    quantile = stdtrit(result.df_resid, 0.975)
    widths = 2 * quantile * np.sqrt(np.diag(covariance))[1:]
    assert found["width"] == pytest.approx(widths.mean(), abs=1e-9)


def test_error_falls_and_order_improves_with_rows() -> None:
    curve = mini_curve().table
    assert curve["rows"].is_monotonic_increasing and curve["rows"].iloc[-1] == 400
    assert curve["rmse"].iloc[0] > 1.2 * curve["rmse"].iloc[-1]
    assert curve["tau"].iloc[0] < curve["tau"].iloc[-1]
    assert curve["width"].is_monotonic_decreasing
    assert (curve["repeats"] > 0).all()


def test_the_floor_is_the_noise() -> None:
    # Its standard error over 446 degrees of freedom is 1 / √(2 · 446) = .033.
    assert mini_curve().floor == pytest.approx(1.0, abs=0.12)


def test_widths_follow_the_law() -> None:
    curve = mini_curve()
    assert curve.exponent == pytest.approx(-0.5, abs=0.1)
    np.testing.assert_allclose(curve.table["law"], curve.table["width"], rtol=0.2)


def test_widths_do_halve_at_the_rows_said() -> None:
    """The answer holds for a table of that many rows."""
    curve = mini_curve()
    assert curve.more_rows == 3 * (500 - curve.parameters)
    more = noisy_table(MINI, curve.halved_rows, seed=2, noise=1.0)
    larger = learning_curve(
        fit(more, "accuracy", "per_layer", link="none"), more, sizes=1, repeats=1
    )
    # Each in units of the noise that its own table was found to have.
    assert larger.width / larger.floor == pytest.approx(curve.width / curve.floor / 2, rel=0.03)
    assert f"{curve.more_rows:,} more rows" in curve.sentence


def test_the_width_of_all_rows_is_that_of_the_fit() -> None:
    table = mini_table()
    predictor = fit(table, "accuracy", "per_layer", link="none")
    effects = predictor.coefficients()[1:]
    assert mini_curve().width == pytest.approx((effects["high"] - effects["low"]).mean(), abs=1e-9)


def test_draws_are_those_of_the_seed() -> None:
    table = noisy_table(hand_space(), 60, seed=3)
    predictor = fit(table, "accuracy", "per_layer", link="none")
    first, second, other = (
        learning_curve(predictor, table, repeats=3, seed=seed).table for seed in (1, 1, 2)
    )
    assert first.equals(second) and not first.equals(other)


def test_repeats_of_an_architecture_stay_together() -> None:
    """Noise alone, each row thrice: no part predicts its own repeats."""
    codes = np.repeat(MINI.random_codes(150, seed=5), 3, axis=0)
    noise = np.repeat(np.random.default_rng(6).normal(70, 1, 150), 3)
    table = table_of(MINI, codes, accuracy=noise)
    curve = learning_curve(fit(table, "accuracy", "per_layer", link="none"), table)
    assert (curve.table["rmse"] > 1).all()
    assert (curve.table["tau"].abs() < 0.2).all()
    draws = room._Draws.of(
        FittedRows.of(fit(table, "accuracy", "per_layer", link="none"), table), np.arange(450)
    )
    sizes = [
        measured["rows"] for _, measured in draws.fits(np.array([200]), np.random.default_rng())
    ]
    assert sizes == [201]


def test_of_large_tables_a_part_is_drawn(monkeypatch) -> None:
    monkeypatch.setattr(room, "MOST_ROWS", 300)
    table = mini_table()
    curve = learning_curve(fit(table, "accuracy", "per_layer", link="none"), table)
    assert (curve.used, curve.rows) == (300, 500)
    assert curve.table["rows"].max() == 240
    assert curve.width == pytest.approx(mini_curve().width, abs=1e-12)


def test_too_few_rows_to_divide_are_refused() -> None:
    codes = np.array([[0], [0], [1], [1]])
    table = table_of(choice_space({"op": ("x", "y")}), codes, accuracy=np.array([1.0, 3, 4, 6]))
    with pytest.raises(InvalidInput, match="of 2 parameters needs 5 rows, but 4 have accuracy"):
        learning_curve(fit(table, "accuracy", link="none"), table)


def test_parts_that_lack_a_choice_are_refused() -> None:
    """Three architectures, each kept whole: a part always lacks one of them."""
    codes = np.array([[0], [1]] * 10 + [[2]])
    values = np.random.default_rng(0).normal(50, 1, 21)
    table = table_of(choice_space({"op": ("x", "y", "z")}), codes, accuracy=values)
    with pytest.raises(InvalidInput, match="no learning curve"):
        learning_curve(fit(table, "accuracy", link="none"), table)


def test_error_at_its_least_says_so() -> None:
    table = noisy_table(hand_space(), 400, seed=3)
    curve = learning_curve(fit(table, "accuracy", "per_layer", link="none"), table)
    assert "would hardly lower it" in curve.error_sentence
    few = noisy_table(hand_space(), 14, seed=3)
    curve = learning_curve(fit(few, "accuracy", "per_layer", link="none"), few)
    assert "can lower it" in curve.error_sentence
