import functools
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from hand import choice_space, hand_space, noisy_table, table_of
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau

from foxnas_core.errors import InvalidInput
from foxnas_core.families import load_shipped
from foxnas_core.regression import Predictor, fit, predictor_summary
from foxnas_core.regression.features import build_form, forms_of
from foxnas_core.regression.leastsquares import FOLDS
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.table.importing import read_file
from foxnas_core.table.measurements import MeasurementTable, empty_table

MINI = load_shipped("foxnas-mini")
T_2DF = 4.302652729911275  # 97.5 % quantile of Student's t on 2 degrees of freedom


@functools.cache
def mini_table() -> MeasurementTable:
    return noisy_table(MINI, 500, seed=1)


@functools.cache
def mini_predictor(form: str, target: str) -> Predictor:
    return fit(mini_table(), target, form)


def two_means() -> Predictor:
    """Operation x measured 1 and 3, y measured 4 and 6: means 2 and 5, residual variance 2."""
    space = choice_space({"op": ("x", "y")})
    codes = np.array([[0], [0], [1], [1]])
    return fit(table_of(space, codes, accuracy=np.array([1.0, 3, 4, 6])), "accuracy")


def test_two_means_by_hand() -> None:
    predictor = two_means()
    assert (predictor.rows, predictor.parameters, predictor.residual_df) == (4, 2, 2)
    assert predictor.r2 == pytest.approx(1 - 4 / 13, abs=1e-9)
    assert predictor.r2_adjusted == pytest.approx(1 - (4 / 2) / (13 / 3), abs=1e-9)
    intercept, difference = predictor.coefficients().to_dict("records")
    # The intercept is the mean of the two means, 3.5, with variance 2/4.
    assert intercept["estimate"] == pytest.approx(3.5, abs=1e-9)
    assert intercept["std_error"] == pytest.approx(np.sqrt(0.5), abs=1e-9)
    assert (difference["term"], difference["decision"]) == ("op=y", "op")
    # y less x: 5 - 2, with variance 2/2 + 2/2.
    assert difference["estimate"] == pytest.approx(3.0, abs=1e-9)
    assert difference["std_error"] == pytest.approx(np.sqrt(2), abs=1e-9)
    assert difference["t"] == pytest.approx(3 / np.sqrt(2), abs=1e-9)
    # Student's t on 2 degrees of freedom: P(|T| > t) = 1 - t / √(2 + t²), with t² = 4.5.
    assert difference["p"] == pytest.approx(1 - np.sqrt(4.5 / 6.5), abs=1e-9)
    assert difference["low"] == pytest.approx(3 - T_2DF * np.sqrt(2), abs=1e-9)
    assert difference["high"] == pytest.approx(3 + T_2DF * np.sqrt(2), abs=1e-9)


def test_a_prediction_by_hand() -> None:
    predictor = two_means()
    space = predictor.space
    predicted = predictor.predict([space.architecture({"op": "y"})]).iloc[0]
    # The mean of two rows has variance 2/2, one new measurement 2 more.
    assert predicted["value"] == pytest.approx(5, abs=1e-9)
    assert predicted["low"] == pytest.approx(5 - T_2DF, abs=1e-9)
    assert predicted["high"] == pytest.approx(5 + T_2DF, abs=1e-9)
    # That would reach below 0, where no latency is.
    assert 5 - T_2DF * np.sqrt(3) < 0 and predicted["prediction_low"] == 0
    assert predicted["prediction_high"] == pytest.approx(5 + T_2DF * np.sqrt(3), abs=1e-9)
    # 90 %: P(|T| > t) = .1 where t² = 2 · .81 / (1 - .81).
    t90 = np.sqrt(2 * 0.81 / 0.19)
    narrower = predictor.predict_codes(np.array([[1]]), level=0.9).iloc[0]
    assert narrower["high"] == pytest.approx(5 + t90, abs=1e-9)


def test_estimates_solve_the_normal_equations() -> None:
    """b = (X'X)⁻¹X'y, its covariance s²(X'X)⁻¹, R² and adjusted R² from the residuals."""
    table, predictor = mini_table(), mini_predictor("per_layer", "accuracy")
    x, y = predictor.form.matrix(table.codes), table.values("accuracy")
    inverse = np.linalg.inv(x.T @ x)
    estimates = inverse @ x.T @ y
    np.testing.assert_allclose(predictor.estimates, estimates, atol=1e-9)
    rss, tss = ((y - x @ estimates) ** 2).sum(), ((y - y.mean()) ** 2).sum()
    n, p = x.shape
    np.testing.assert_allclose(predictor.covariance, rss / (n - p) * inverse, atol=1e-9)
    assert predictor.r2 == pytest.approx(1 - rss / tss, abs=1e-9)
    assert predictor.r2_adjusted == pytest.approx(1 - rss / tss * (n - 1) / (n - p), abs=1e-9)


def test_predictions_do_not_depend_on_the_coding() -> None:
    """Fitted instead with indicators of every choice but the first, 0 in inactive slots."""
    space = hand_space()
    table = noisy_table(space, 60, seed=3)
    predictor = fit(table, "accuracy", "per_layer")
    columns = [np.ones(len(table)), table.codes[:, 0] == 1]
    columns += [table.codes[:, column] == code for column in (1, 2, 3) for code in (1, 2)]
    x = np.column_stack(columns).astype(float)
    estimates, *_ = np.linalg.lstsq(x, table.values("accuracy"), rcond=None)
    np.testing.assert_allclose(
        predictor.predict_codes(table.codes)["value"], x @ estimates, atol=1e-9
    )
    # These are the coefficients shown, but for p2_on: a block of average choices there.
    shown = predictor.coefficients().set_index("term")["estimate"]
    assert shown["p1_kernel=7"] == pytest.approx(estimates[3], abs=1e-9)
    assert shown["p2_kernel=5"] == pytest.approx(estimates[4], abs=1e-9)
    assert shown["p2_on"] == pytest.approx(
        estimates[1] + (0 + estimates[4] + estimates[5]) / 3, abs=1e-9
    )


@pytest.mark.parametrize("form", forms_of(MINI))
@pytest.mark.parametrize("target", ["accuracy", "latency_ms"])
@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_prediction_is_a_sum_over_groups(form: str, target: str, seed: int) -> None:
    predictor = mini_predictor(form, target)
    codes = MINI.random_codes(20, seed=seed)
    for context in MINI.context_options():
        split = predictor.split(context)
        total = split.constant + sum(
            split.group_values(group, codes) for group in MINI.additive_groups
        )
        codes[:, 0] = MINI.by_name["resolution"].choices.index(context["resolution"])
        np.testing.assert_allclose(total, predictor.predict_codes(codes)["value"], atol=1e-9)


def test_a_context_that_the_space_lacks_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"'resolution': 13.*choose one of \{'resolution': 12"):
        mini_predictor("per_layer", "accuracy").split({"resolution": 13})


# Cross-validation


def noise_table(repeats: int) -> MeasurementTable:
    """A target that the architecture says nothing about, each row `repeats` times."""
    codes = MINI.random_codes(200, seed=5)
    noise = np.random.default_rng(6).normal(70, 1, 200)
    return table_of(MINI, np.repeat(codes, repeats, axis=0), accuracy=np.repeat(noise, repeats))


@pytest.mark.parametrize("repeats", [1, 3])
def test_noise_is_not_predicted_from_what_was_fitted(repeats: int) -> None:
    """The fit follows the noise of its own rows; rows left out, repeats with them, show it."""
    predictor = fit(noise_table(repeats), "accuracy", "per_layer")
    assert predictor.r2 > 0.15
    assert predictor.cv.r2 < 0
    assert abs(predictor.cv.tau) < 0.15


def test_cross_validation_equals_fitting_again_without_each_fold() -> None:
    table = noisy_table(hand_space(), 45, seed=7, noise=3.0)
    predictor = fit(table, "accuracy", "per_layer", link="none", seed=11)
    x, y = predictor.form.matrix(table.codes), table.values("accuracy")
    distinct, member = np.unique(table.frame["id"], return_inverse=True)
    assert len(distinct) < len(table)  # repeats stay together
    folds = np.arange(len(distinct)) % FOLDS
    np.random.default_rng(11).shuffle(folds)
    predicted = np.empty(len(y))
    for fold in range(FOLDS):
        out = folds[member] == fold
        estimates, *_ = np.linalg.lstsq(x[~out], y[~out], rcond=None)
        predicted[out] = x[out] @ estimates
    squares = ((y - predicted) ** 2).sum()
    assert predictor.cv.r2 == pytest.approx(1 - squares / ((y - y.mean()) ** 2).sum(), abs=1e-9)
    assert predictor.cv.rmse == pytest.approx(np.sqrt(squares / len(y)), abs=1e-9)
    assert predictor.cv.tau == pytest.approx(kendalltau(y, predicted.round(9)).statistic, abs=1e-9)


def test_the_seed_deals_the_folds_and_nothing_else() -> None:
    table = mini_table()
    first, again, other = (fit(table, "accuracy", "foxnas", seed=s) for s in (0, 0, 1))
    assert first.cv == again.cv != other.cv
    np.testing.assert_array_equal(first.estimates, other.estimates)


# Intervals


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    """24 rows for 8 parameters, three rows a parameter, measured 100 times."""
    space = hand_space()
    form = build_form("per_layer", space, "accuracy")
    rng = np.random.default_rng(12)
    truth = np.array([70.0, 1, -2, 3, 0, 1, 0, -1])
    shown = form.shown @ truth
    codes, new = distinct_codes(space, 24), space.random_codes(1, seed=99)
    new_mean = float((form.matrix(new) @ truth)[0])
    covered = np.zeros(form.parameters)
    mean_covered = new_covered = warned = 0
    for _ in range(100):
        accuracy = form.matrix(codes) @ truth + rng.normal(size=24)
        predictor = fit(table_of(space, codes, accuracy=accuracy), "accuracy", "per_layer")
        table = predictor.coefficients()
        covered += (table["low"] <= shown) & (shown <= table["high"])
        row = predictor.predict_codes(new).iloc[0]
        mean_covered += row["low"] <= new_mean <= row["high"]
        new_covered += row["prediction_low"] <= new_mean + rng.normal() <= row["prediction_high"]
        warned += any("intervals" in warning for warning in predictor.warnings)
    # The standard deviation of a share of 100 is .022.
    assert np.all(np.abs(covered / 100 - 0.95) < 0.07)
    assert np.mean(covered / 100) == pytest.approx(0.95, abs=0.02)
    assert mean_covered / 100 == pytest.approx(0.95, abs=0.07)
    assert new_covered / 100 == pytest.approx(0.95, abs=0.07)
    assert warned == 0


# What a table can't carry


def distinct_codes(space: SearchSpace, rows: int) -> np.ndarray:
    """So many different architectures, drawn at random."""
    every = np.unique(space.random_codes(2000, seed=0), axis=0)
    return np.random.default_rng(0).permutation(every)[:rows]


def test_fewer_than_three_rows_a_parameter_are_warned_of() -> None:
    space = hand_space()
    codes = distinct_codes(space, 23)
    accuracy = 60 + codes.sum(axis=1) + np.random.default_rng(0).normal(size=23)
    [warning] = fit(table_of(space, codes, accuracy=accuracy), "accuracy", "per_layer").warnings
    assert warning == (
        "23 rows for 8 parameters: intervals of the form 'per_layer' can be trusted from 24 rows "
        "on, so measure 1 more or take a smaller form."
    )


def test_too_few_rows_are_refused() -> None:
    with pytest.raises(
        InvalidInput, match=r"8 parameters and wants 24 rows, but only 8 have accuracy; measure"
    ):
        fit(noisy_table(hand_space(), 8), "accuracy", "per_layer")


def test_choices_that_never_vary_are_named() -> None:
    space = hand_space()
    codes = space.random_codes(60, seed=1)
    codes = codes[codes[:, 3] != 2]  # q1_kernel is never 7
    table = table_of(space, codes, accuracy=np.linspace(60, 70, len(codes)))
    with pytest.raises(InvalidInput, match=r"q1_kernel=7 can't be told apart.*measure subnets in"):
        fit(table, "accuracy", "per_layer")


def test_a_constant_target_is_nothing_to_explain() -> None:
    space = hand_space()
    codes = space.random_codes(40, seed=1)
    table = table_of(space, codes, accuracy=np.full(40, 70.0))
    with pytest.raises(InvalidInput, match="All 40 rows have the same accuracy, 70,"):
        fit(table, "accuracy", "per_layer")


def test_overlapping_terms_are_warned_of() -> None:
    """Two columns of correlation r have condition number √((1 + r) / (1 - r))."""
    space = choice_space({"a": ("x", "y"), "b": ("x", "y")})
    codes = np.repeat(np.arange(2000) % 2, 2).reshape(2000, 2)
    codes[0] = [0, 1]  # else the two operations agree
    accuracy = 70 + codes[:, 0] + np.random.default_rng(0).normal(0, 0.1, 2000)
    r = np.corrcoef(codes.T)[0, 1]
    *repeats, alone, warning = fit(table_of(space, codes, accuracy=accuracy), "accuracy").warnings
    assert [text.split(":")[0] for text in repeats] == [
        "1997 of 2000 rows repeat a subnet that another row has"
    ]
    assert alone.startswith("2000 of 2000 rows are left out of the cross-validation")
    assert f"overlap (condition number {np.sqrt((1 + r) / (1 - r)):.0f} of" in warning
    assert not mini_predictor("per_layer", "accuracy").warnings


@pytest.mark.parametrize("form", ["per_layer", "block_state", "interactions"])
def test_forms_that_need_the_order_of_blocks_are_refused_without_it(form: str) -> None:
    table = noisy_table(hand_space(), 60, ordered=False)
    with pytest.raises(
        InvalidInput, match=f"'{form}'.*choose choice_counts or stage_counts or "
    ) as caught:
        fit(table, "accuracy", form)
    assert "without their order" in str(caught.value)
    assert fit(table, "accuracy", "stage_counts").rows == 60


def test_rows_without_the_target_are_left_out_and_counted() -> None:
    space = hand_space()
    whole = noisy_table(space, 60, seed=2)
    accuracy = whole.values("accuracy").copy()
    accuracy[[3, 17]] = np.nan
    holed = table_of(space, whole.codes, accuracy=accuracy)
    predictor = fit(holed, "accuracy", "per_layer")
    assert predictor.warnings[0] == "2 of 60 rows have no top-1 accuracy and are left out."
    kept = np.isfinite(accuracy)
    alone = fit(table_of(space, whole.codes[kept], accuracy=accuracy[kept]), "accuracy")
    np.testing.assert_array_equal(predictor.estimates, alone.estimates)
    assert (predictor.rows, predictor.cv) == (58, alone.cv)


def test_a_target_without_rows_and_an_unknown_one_are_refused() -> None:
    with pytest.raises(InvalidInput, match="no row with accuracy yet; measure"):
        fit(empty_table(hand_space(), ["accuracy"]), "accuracy")
    with pytest.raises(InvalidInput, match="no target 'macs'; it has accuracy, latency_ms"):
        fit(noisy_table(hand_space(), 60), "macs")


# Predictors as values


def test_a_predictor_pickles() -> None:
    predictor = mini_predictor("block_state", "latency_ms")
    again = pickle.loads(pickle.dumps(predictor))
    codes = MINI.random_codes(20, seed=8)
    assert again.predict_codes(codes).equals(predictor.predict_codes(codes))
    assert again.coefficients().equals(predictor.coefficients())
    assert (again.form, again.cv, again.target, again.table_fingerprint) == (
        predictor.form, predictor.cv, predictor.target, mini_table().fingerprint
    )  # fmt: skip


def test_the_summary_is_strict_json_even_of_a_perfect_fit() -> None:
    space = choice_space({"a": ("x", "y"), "b": ("x", "y")})
    codes = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    table = table_of(space, codes, macs=np.array([100.0, 100, 300, 300]))
    summary = json.loads(json.dumps(predictor_summary(fit(table, "macs")), allow_nan=False))
    assert summary["r2"] == pytest.approx(1)
    assert set(summary) == {
        "form", "rows", "left_out", "repeated", "parameters", "r2", "r2_adjusted", "cv",
        "coefficients", "ceiling", "estimator",
    }  # fmt: skip
    a, b = summary["coefficients"][1:]
    assert a["estimate"] == pytest.approx(200)
    assert b["estimate"] == pytest.approx(0, abs=1e-9)


PUBLISHED = Path(__file__).parents[3] / "shared" / "data" / "foxnas_cpu_256.csv"


@pytest.mark.skipif(not PUBLISHED.exists(), reason=f"no published table at {PUBLISHED}")
@pytest.mark.parametrize(
    ("target", "r2", "df"), [("latency_ms", 0.99007, (35, 264)), ("accuracy", 0.94722, (40, 259))]
)
def test_the_published_fits(target: str, r2: float, df: tuple[int, int]) -> None:
    predictor = fit(read_file(PUBLISHED).table(None), target, "foxnas", "none")
    assert predictor.r2 == pytest.approx(r2, abs=5e-6)
    assert (predictor.parameters - 1, predictor.residual_df) == df
