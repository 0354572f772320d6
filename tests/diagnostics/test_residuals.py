import functools

import numpy as np
import pytest
from hand import choice_space, hand_space, noisy_table, table_of
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.regression.linear_model import OLS

from foxnas_core.diagnostics.diagnosis import diagnose
from foxnas_core.diagnostics.fitted import FittedRows, exact_sentence, is_exact
from foxnas_core.diagnostics.residuals import (
    cook_limit,
    leverage_limit,
    offending_rows,
    outlier_limit,
)
from foxnas_core.errors import InvalidInput
from foxnas_core.families import load_shipped
from foxnas_core.regression import fit

MINI = load_shipped("foxnas-mini")
FLAGS = ["outlier", "influential", "high_leverage"]


@functools.cache
def mini_table():
    return noisy_table(MINI, 300, seed=1)


def two_means():
    """Operation x measured 1 and 3, y measured 4 and 6: means 2 and 5."""
    codes = np.array([[0], [0], [1], [1]])
    return table_of(choice_space({"op": ("x", "y")}), codes, accuracy=np.array([1.0, 3, 4, 6]))


def test_two_means_by_hand() -> None:
    table = two_means()
    found = diagnose(fit(table, "accuracy", link="none"), table).residuals
    assert found["row"].tolist() == [1, 2, 3, 4]
    np.testing.assert_allclose(found["predicted"], [2, 2, 5, 5], atol=1e-9)
    np.testing.assert_allclose(found["residual"], [-1, 1, -1, 1], atol=1e-9)
    np.testing.assert_allclose(found["leverage"], 0.5, atol=1e-9)
    # s² = 4 / 2, so r = ±1 / √(2 · ½); t = r √((4 - 2 - 1) / (4 - 2 - 1)); D = 1 · ½ / (2 · ½).
    np.testing.assert_allclose(found["standardised"], [-1, 1, -1, 1], atol=1e-9)
    np.testing.assert_allclose(found["studentised"], [-1, 1, -1, 1], atol=1e-9)
    np.testing.assert_allclose(found["cook"], 0.5, atol=1e-9)


@pytest.mark.parametrize("form", ["per_layer", "foxnas"])
@pytest.mark.parametrize("target", ["accuracy", "latency_ms"])
def test_they_are_those_of_statsmodels(form: str, target: str) -> None:
    table = mini_table()
    predictor = fit(table, target, form, link="none")
    found = diagnose(predictor, table).residuals
    result = OLS(table.values(target), predictor.form.matrix(table.codes)).fit()
    influence = result.get_influence()
    for column, expected in (
        ("residual", result.resid),
        ("leverage", influence.hat_matrix_diag),
        ("standardised", influence.resid_studentized_internal),
        ("studentised", influence.resid_studentized_external),
        ("cook", influence.cooks_distance[0]),
    ):
        np.testing.assert_allclose(found[column], expected, atol=1e-9, err_msg=column)
    np.testing.assert_array_equal(found["held_out"], predictor.held_out)


def test_a_studentised_residual_is_the_t_of_the_row_left_out() -> None:
    """The externally studentised residual tests an indicator of that row alone."""
    table = noisy_table(hand_space(), 40, seed=2)
    predictor = fit(table, "latency_ms", "per_layer")
    found = diagnose(predictor, table).residuals
    x = predictor.form.matrix(table.codes)
    for row in (0, 17, 39):
        result = OLS(table.values("latency_ms"), np.column_stack([x, np.arange(40) == row])).fit()
        assert found["studentised"][row] == pytest.approx(result.tvalues[-1], abs=1e-9)


def test_through_a_ceiling_they_are_those_of_the_link_s_scale() -> None:
    table = mini_table()
    saturated = 95 - 40 * np.exp(-(table.values("accuracy") - 50) / 15)
    table = table_of(MINI, table.codes, accuracy=saturated)
    predictor = fit(table, "accuracy", "per_layer", link="saturating")
    assert not predictor.link.is_identity
    found = diagnose(predictor, table).residuals
    y = predictor.link.forward(table.values("accuracy"))
    result = OLS(y, predictor.form.matrix(table.codes)).fit()
    np.testing.assert_allclose(found["residual"], result.resid, atol=1e-9)
    np.testing.assert_allclose(found["cook"], result.get_influence().cooks_distance[0], atol=1e-9)
    np.testing.assert_allclose(
        found["predicted"], predictor.predict_codes(table.codes)["value"], atol=1e-9
    )


def test_rows_without_the_target_are_left_out_and_the_others_keep_their_numbers() -> None:
    table = mini_table()
    values = table.values("accuracy").copy()
    values[[0, 5]] = np.nan
    holed = table_of(MINI, table.codes, accuracy=values)
    found = diagnose(fit(holed, "accuracy"), holed).residuals
    assert found["row"].tolist() == [row + 1 for row in range(300) if row not in (0, 5)]
    np.testing.assert_array_equal(found["measured"], values[np.isfinite(values)])
    assert found["id"].tolist() == holed.frame["id"][found["row"] - 1].tolist()


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(30, 80))
def test_leverages_add_up_to_the_parameters(seed: int, rows: int) -> None:
    table = noisy_table(hand_space(), rows, seed=seed)
    try:
        predictor = fit(table, "accuracy", "per_layer", link="none")
    except InvalidInput:
        return  # the draw lacks a choice
    found = diagnose(predictor, table).residuals
    assert found["leverage"].sum() == pytest.approx(predictor.parameters, abs=1e-9)
    assert found["residual"].sum() == pytest.approx(0, abs=1e-8)


def test_one_wrong_measurement_is_the_first_row_to_look_into() -> None:
    table = mini_table()
    values = table.values("accuracy").copy()
    values[123] += 3
    wrong = table_of(MINI, table.codes, cross_entropy=values)
    found = diagnose(fit(wrong, "cross_entropy", "per_layer"), wrong).residuals
    first = offending_rows(found).iloc[0]
    assert (first["row"], first["why"]) == (124, "outlier, influential")
    assert found.loc[found["outlier"], "row"].tolist() == [124]


def test_flags_are_those_of_their_limits() -> None:
    table = mini_table()
    predictor = fit(table, "latency_ms", "foxnas")
    found = diagnose(predictor, table).residuals
    n, p = 300, predictor.parameters
    assert (found["influential"] == (found["cook"] > 4 / 300)).all()
    assert (found["high_leverage"] == (found["leverage"] > 3 * p / 300)).all()
    assert found["influential"].any() and found["high_leverage"].any()
    assert cook_limit(n) == 4 / 300 and leverage_limit(n, p) == 3 * p / 300
    offending = offending_rows(found[~found["outlier"]])
    found = found[~found["outlier"]]
    assert set(offending["row"]) == set(found.loc[found[FLAGS].any(axis=1), "row"])
    assert offending["cook"].is_monotonic_decreasing


def test_the_outlier_limit_by_hand() -> None:
    # One degree of freedom: Student's t is Cauchy's, whose quantile of 1 - a is cot(πa).
    assert outlier_limit(4, 2) == pytest.approx(1 / np.tan(np.pi * 0.05 / 8), rel=1e-9)
    assert outlier_limit(3, 2) == np.inf


def test_a_row_that_settles_a_term_alone_has_no_studentised_residual() -> None:
    space = choice_space({"op": ("x", "y", "z")})
    codes = np.array([[0], [0], [1], [1], [2]])
    table = table_of(space, codes, accuracy=np.array([1.0, 3, 4, 6, 9]))
    found = diagnose(fit(table, "accuracy", link="none"), table).residuals
    assert found["high_leverage"].tolist() == [False] * 4 + [True]
    assert found.loc[4, ["standardised", "studentised", "cook"]].isna().all()
    assert offending_rows(found)["why"].tolist()[-1] == "high leverage"


def test_an_exact_fit_has_nothing_to_look_into() -> None:
    table = mini_table()
    total = (table.codes + 1).sum(axis=1).astype(float)
    exact = table_of(MINI, table.codes, accuracy=total, latency_ms=table.values("latency_ms"))
    predictor = fit(exact, "accuracy", "per_layer")
    assert is_exact(predictor, exact)
    assert not is_exact(fit(exact, "latency_ms"), exact)
    with pytest.raises(InvalidInput, match="exactly, up to rounding.*choose another target"):
        diagnose(predictor, exact)
    assert "top-1 accuracy" in exact_sentence(predictor)


def test_another_table_is_refused() -> None:
    predictor = fit(mini_table(), "accuracy")
    with pytest.raises(InvalidInput, match="was fitted to table .*fit it again"):
        FittedRows.of(predictor, noisy_table(MINI, 300, seed=2))
