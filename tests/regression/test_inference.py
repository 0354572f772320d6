import functools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hand import choice_space, hand_space, noisy_table, saturating_table, table_of, two_block_space
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from foxnas_core.errors import InvalidInput
from foxnas_core.regression import Predictor, ceiling, fit
from foxnas_core.regression.inference import (
    KINDS,
    Inference,
    benjamini_hochberg,
    inference,
    joint_tests,
    stars,
)
from foxnas_core.regression.link import Link
from foxnas_core.table.measurements import MeasurementTable

T_13DF = 2.1603686564627913  # 97.5 % quantile of Student's t on 13 degrees of freedom


@functools.cache
def fitted(noise: float = 1.0, rows: int = 200) -> tuple[Predictor, MeasurementTable]:
    table = noisy_table(hand_space(), rows, seed=2, noise=noise)
    return fit(table, "accuracy", "per_layer", "none"), table


@functools.cache
def saturating() -> tuple[Predictor, MeasurementTable]:
    table = saturating_table(hand_space(), 200, seed=4)
    return fit(table, "accuracy", "per_layer", "saturating"), table


# By hand: nine subnets of two blocks, each measured twice, .3 above and below what adds up

P, Q = np.array([-1.0, 0, 1]), np.array([-2.0, 0.5, 1.5])
# Residuals of ±.3 in 18 rows for 5 parameters.
VARIANCE = 18 * 0.3**2 / 13


def two_blocks() -> tuple[np.ndarray, np.ndarray]:
    """Codes (18, 2) and what adds up, 70 on average, with the noise."""
    codes = np.array([[p, q] for p in range(3) for q in range(3) for _ in range(2)], dtype=np.int16)
    return codes, 70 + P[codes[:, 0]] + Q[codes[:, 1]] + 0.3 * np.resize([1.0, -1.0], 18)


def check_two_blocks(predictor: Predictor, stretch: float) -> None:
    """Each difference is one of two means of six rows: its variance is s² (1/6 + 1/6)."""
    names = ["p1_kernel=5", "p1_kernel=7", "q1_kernel=5", "q1_kernel=7"]
    shown = predictor.coefficients().set_index("term").loc[names]
    expected = stretch * np.array([1, 2, 2.5, 3.5])
    half = T_13DF * stretch * np.sqrt(VARIANCE / 3)
    np.testing.assert_allclose(shown["estimate"], expected, atol=1e-9)
    np.testing.assert_allclose(shown["std_error"], stretch * np.sqrt(VARIANCE / 3), atol=1e-9)
    found = inference(predictor).intervals(predictor.form.shown[1:])
    for table in (shown, found):
        np.testing.assert_allclose(table["low"], expected - half, atol=1e-9)
        np.testing.assert_allclose(table["high"], expected + half, atol=1e-9)
    tests = joint_tests(predictor).set_index(["group", "slot"])
    # Six rows a choice: between them 6 Σ P² and 6 Σ Q², on 2 degrees of freedom each.
    for group, squares in (("p", 6 * 2.0), ("q", 6 * 6.5)):
        for slot in (f"{group}1", ""):
            row = tests.loc[group, slot]
            assert row["F"] == pytest.approx(squares / 2 / VARIANCE, rel=1e-9)
            # The F distribution on 2 and m degrees of freedom: P(F > f) = (1 + 2f/m)^(-m/2).
            assert row["p"] == pytest.approx((1 + 2 * row["F"] / 13) ** -6.5, rel=1e-9)
            assert (row["terms"], row["df"], row["residual_df"]) == (2, 2, 13)


def test_two_blocks_by_hand() -> None:
    codes, accuracy = two_blocks()
    table = table_of(two_block_space(), codes, accuracy=accuracy)
    predictor = fit(table, "accuracy", "per_layer", "none")
    assert predictor.residual_variance == pytest.approx(VARIANCE, abs=1e-9)
    np.testing.assert_allclose(predictor.estimates, [70, 0, 1, 0.5, 1.5], atol=1e-9)
    check_two_blocks(predictor, 1.0)


def test_two_blocks_through_a_link_of_known_ceiling_by_hand(monkeypatch) -> None:
    """A link that touches the target's scale at another value is the same but for a stretch."""
    codes, eta = two_blocks()
    true = Link(70.0, 1 / 12)
    accuracy = true.inverse(eta)
    center = float(accuracy.mean())
    monkeypatch.setattr(ceiling, "best_rate", lambda *_: 1 / (82 - center))
    monkeypatch.setattr(ceiling, "_rate_variance", lambda *_: 0.0)
    table = table_of(two_block_space(), codes, accuracy=accuracy)
    predictor = fit(table, "accuracy", "per_layer", "saturating")
    assert predictor.link.center == pytest.approx(center, abs=1e-9)
    assert predictor.ceiling is not None and predictor.ceiling.value == pytest.approx(82, abs=1e-9)
    stretch = (82 - center) / 12
    assert predictor.residual_variance == pytest.approx(VARIANCE * stretch**2, abs=1e-9)
    check_two_blocks(predictor, stretch)
    # Predictions hold in accuracy: the mean of η is predicted with variance s² 5/18.
    row = predictor.predict_codes(np.array([[2, 1]])).iloc[0]
    half = T_13DF * np.sqrt(VARIANCE * 5 / 18)
    wide = T_13DF * np.sqrt(VARIANCE * (1 + 5 / 18))
    expected = true.inverse(71.5 + np.array([0, -half, half, -wide, wide]))
    np.testing.assert_allclose(row, expected, atol=1e-9)


def test_without_noise_the_ceiling_is_found_and_estimates_are_the_truth() -> None:
    codes = two_blocks()[0]
    true = Link(70.0, 1 / 6)
    accuracy = true.inverse(70 + 2 * P[codes[:, 0]] + 2 * Q[codes[:, 1]])
    predictor = fit(
        table_of(two_block_space(), codes, accuracy=accuracy), "accuracy", "per_layer", "saturating"
    )
    assert predictor.ceiling is not None
    # Between two of the candidate rates, which lie .2 points of ceiling apart here.
    assert predictor.ceiling.value == pytest.approx(76, abs=0.1)
    stretch = (76 - predictor.link.center) / 6
    np.testing.assert_allclose(
        predictor.coefficients()["estimate"][1:], stretch * np.array([2, 4, 5, 7]), rtol=0.02
    )
    np.testing.assert_allclose(predictor.predict_codes(codes)["value"], accuracy, atol=0.02)


# Each kind


def test_ordinary_intervals_are_those_of_the_coefficient_table() -> None:
    for predictor, _ in (fitted(), saturating()):
        for level in (0.8, 0.95):
            found = inference(predictor, level=level).intervals(predictor.form.shown)
            table = predictor.coefficients(level)
            columns = ["std_error", "low", "high", "t", "p"]
            pd.testing.assert_frame_equal(found[columns], table[columns], rtol=1e-9, atol=1e-12)
            np.testing.assert_allclose(found["value"], table["estimate"], atol=1e-12)


def test_hc3_is_that_of_statsmodels() -> None:
    predictor, table = fitted()
    x = predictor.form.matrix(table.codes)
    known = sm.OLS(table.values("accuracy"), x).fit(cov_type="HC3", use_t=True)
    how = inference(predictor, "hc3", table=table)
    np.testing.assert_allclose(how.covariance, known.cov_params(), atol=1e-9)
    found = how.intervals(np.eye(x.shape[1]))
    np.testing.assert_allclose(found[["low", "high"]], known.conf_int(), atol=1e-9)
    np.testing.assert_allclose(found["p"], known.pvalues, atol=1e-9)


def test_hc3_through_a_link_includes_the_uncertainty_of_the_ceiling() -> None:
    predictor, table = saturating()
    x = predictor.form.matrix(table.codes)
    eta = predictor.link.forward(table.values("accuracy"))
    known = np.asarray(sm.OLS(eta, x).fit(cov_type="HC3").cov_params())
    assert predictor.ceiling is not None
    pull = predictor.ceiling.pull
    known += predictor.ceiling.rate_variance * pull[:, None] * pull[None, :]
    np.testing.assert_allclose(
        inference(predictor, "hc3", table=table).covariance, known, rtol=1e-7, atol=1e-9
    )


def quantile(how: Inference, rows: np.ndarray) -> float:
    found = how.intervals(rows)
    shares = (found["high"] - found["value"]) / found["std_error"]
    assert shares.max() == pytest.approx(shares.min(), rel=1e-9)
    return float(shares.iloc[0])


def test_all_at_once_is_wider_the_more_is_asked_for() -> None:
    predictor, _ = fitted()
    rows = predictor.form.shown[1:]
    plain = quantile(inference(predictor), rows)
    how = inference(predictor, "simultaneous")
    two, all_of_them = quantile(how, rows[:2]), quantile(how, rows)
    assert plain < two < all_of_them
    # Never wider than Bonferroni's.
    assert all_of_them < stats.t.ppf(1 - 0.025 / len(rows), predictor.residual_df) + 0.03


def test_one_combination_at_once_is_one_at_a_time() -> None:
    predictor, _ = fitted()
    row = predictor.form.shown[3:4]
    for level in (0.9, 0.95):
        how = inference(predictor, "simultaneous", level=level)
        exact = stats.t.ppf((1 + level) / 2, predictor.residual_df)
        assert quantile(how, row) == pytest.approx(exact, abs=1e-9)
        # Nor does asking twice make two of it: 20,000 draws tell the quantile to .02.
        assert quantile(how, np.vstack([row, -2 * row])) == pytest.approx(exact, abs=0.06)


@pytest.mark.parametrize("level", [0.9, 0.95])
def test_independent_combinations_have_the_quantile_of_sidak(level: float) -> None:
    predictor, _ = fitted()
    k = predictor.parameters
    free = replace(predictor, covariance=np.diag(np.arange(1.0, k + 1)), df=10**7)
    how = inference(free, "simultaneous", level=level)
    exact = stats.norm.ppf((1 + level ** (1 / k)) / 2)
    assert quantile(how, np.eye(k)) == pytest.approx(exact, abs=0.04)


def test_all_at_once_hold_at_once() -> None:
    """4000 simulations of 40 rows; the share has a standard deviation of .0034."""
    table = noisy_table(hand_space(), 40, seed=5)
    predictor = fit(table, "accuracy", "per_layer", "none")
    x, rows = predictor.form.matrix(table.codes), predictor.form.shown[1:]
    y = np.random.default_rng(0).normal(size=(40, 4000))
    estimates, rss, *_ = np.linalg.lstsq(x, y, rcond=None)
    unit = np.sqrt(np.diag(rows @ np.linalg.inv(x.T @ x) @ rows.T))
    largest = np.abs(rows @ estimates / unit[:, None]).max(axis=0) / np.sqrt(rss / (40 - 8))
    held = {
        kind: np.mean(largest <= quantile(inference(predictor, kind), rows))
        for kind in ("ordinary", "simultaneous")
    }
    assert held["simultaneous"] == pytest.approx(0.95, abs=0.01)
    assert held["ordinary"] < 0.85


def test_with_normal_noise_the_bootstrap_is_near_the_ordinary_intervals() -> None:
    """1000 samples tell a percentile to about 5 % of the half width."""
    for predictor, table in (fitted(), saturating()):
        rows = predictor.form.shown[1:]
        plain = inference(predictor).intervals(rows)
        how = inference(predictor, "bootstrap", table=table, seed=1)
        found = how.intervals(rows)
        half = plain["high"] - plain["value"]
        np.testing.assert_allclose((found["high"] - plain["high"]) / half, 0, atol=0.3)
        np.testing.assert_allclose((found["low"] - plain["low"]) / half, 0, atol=0.3)
        widths = (found["high"] - found["low"]) / (plain["high"] - plain["low"])
        assert widths.mean() == pytest.approx(1, abs=0.1)
        assert how.samples is not None
        # The percentiles are those of the samples.
        drawn = how.samples @ rows.T
        np.testing.assert_allclose(found["low"], np.percentile(drawn, 2.5, axis=0), atol=1e-9)


def test_the_bootstrap_is_seeded() -> None:
    predictor, table = fitted()
    one, same, other = (
        inference(predictor, "bootstrap", table=table, seed=s).samples for s in (0, 0, 1)
    )
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_where_the_spread_differs_hc3_and_the_bootstrap_hold_and_the_ordinary_does_not() -> None:
    """100 quiet subnets and 20 of four times the noise; 200 simulations, each share known to
    .02 (ordinary .03)."""
    space = choice_space({"op": ("x", "y")})
    codes = np.repeat([[0], [1]], [100, 20], axis=0).astype(np.int16)
    rng = np.random.default_rng(3)
    held = {kind: 0 for kind in KINDS}
    for run in range(200):
        values = 50 + 2 * codes[:, 0] + rng.normal(size=120) * np.where(codes[:, 0], 4, 1)
        table = table_of(space, codes, accuracy=values)
        predictor = fit(table, "accuracy", "per_layer", "none")
        for kind in ("ordinary", "hc3", "bootstrap"):
            row = inference(predictor, kind, table=table, seed=run).intervals(
                predictor.form.shown[1:]
            )
            held[kind] += bool(row["low"][0] <= 2 <= row["high"][0])
    assert held["ordinary"] / 200 < 0.8
    assert 0.9 <= held["hc3"] / 200 <= 0.99
    assert 0.9 <= held["bootstrap"] / 200 <= 0.99


def test_a_perfect_fit_is_no_evidence_where_nothing_is() -> None:
    space = choice_space({"a": ("x", "y"), "b": ("x", "y")})
    codes = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    table = table_of(space, codes, macs=np.array([100.0, 100, 300, 300]))
    predictor = fit(table, "macs", "per_layer")
    for kind in KINDS:
        found = inference(predictor, kind, table=table).intervals(predictor.form.shown)
        assert np.isfinite(found[["value", "low", "high", "p", "p_adjusted"]]).all(axis=None)
    # A combination of nothing is 0, for sure.
    nothing = inference(predictor).intervals(np.zeros((1, 3))).iloc[0]
    assert (nothing["value"], nothing["t"], nothing["p"], nothing["stars"]) == (0, 0, 1, "")


# Many tests


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60))
def test_benjamini_hochberg_is_that_of_statsmodels(p: list[float]) -> None:
    known = multipletests(p, method="fdr_bh")[1]
    np.testing.assert_allclose(benjamini_hochberg(np.array(p)), known, atol=1e-12)


def test_benjamini_hochberg_by_hand() -> None:
    # .01·4/1, .02·4/2, .03·4/3, .5·4/4, each no more than those after it.
    np.testing.assert_allclose(
        benjamini_hochberg(np.array([0.5, 0.01, 0.03, 0.02])), [0.5, 0.04, 0.04, 0.04], atol=1e-12
    )


def test_adjusted_p_and_stars_stand_in_the_table() -> None:
    predictor, table = fitted(5.0, 60)
    for kind in KINDS:
        found = inference(predictor, kind, table=table).intervals(predictor.form.shown)
        known = multipletests(found["p"], method="fdr_bh")[1]
        np.testing.assert_allclose(found["p_adjusted"], known, atol=1e-12)
        assert found["stars"].tolist() == [stars(p) for p in known]
        assert (found["p"] <= found["p_adjusted"] + 1e-15).all()


@pytest.mark.parametrize(
    ("p", "mark"),
    [(0.0, "***"), (0.00099, "***"), (0.001, "**"), (0.0099, "**"), (0.01, "*"), (0.049, "*"),
     (0.05, ""), (1.0, "")],
)  # fmt: skip
def test_stars_stand_for_what_is_below_their_limits(p: float, mark: str) -> None:
    assert stars(p) == mark


@pytest.mark.parametrize("kind", ["ordinary", "hc3"])
def test_joint_tests_are_those_of_statsmodels(kind: str) -> None:
    predictor, table = fitted(5.0, 60)
    x = predictor.form.matrix(table.codes)
    how = {"ordinary": {}, "hc3": {"cov_type": "HC3", "use_t": True}}[kind]
    known = sm.OLS(table.values("accuracy"), x).fit(**how)
    found = joint_tests(predictor, inference(predictor, kind, table=table))
    assert list(zip(found["group"], found["slot"], strict=True)) == [
        ("p", "p1"), ("p", "p2"), ("p", ""), ("q", "q1"), ("q", ""),
    ]  # fmt: skip
    terms = predictor.form.terms
    for row in found.to_dict("records"):
        group, slot = row["group"], row["slot"]
        own = [i for i, t in enumerate(terms) if t.group == group and slot in ("", t.slot)]
        tested = known.f_test(np.eye(len(terms))[own])
        assert row["F"] == pytest.approx(float(tested.fvalue), rel=1e-9)
        assert row["p"] == pytest.approx(float(tested.pvalue), rel=1e-9, abs=1e-14)
        assert (row["terms"], row["df"], row["residual_df"]) == (
            len(own), tested.df_num, tested.df_denom,
        )  # fmt: skip
    np.testing.assert_allclose(
        found["p_adjusted"], multipletests(found["p"], method="fdr_bh")[1], atol=1e-12
    )


def test_a_stage_that_does_nothing_is_found_as_often_as_chance_has_it() -> None:
    """120 simulations: the share of p below .1 has a standard deviation of .027."""
    space = two_block_space()
    codes = two_blocks()[0]
    rng = np.random.default_rng(6)
    below = 0
    for _ in range(120):
        accuracy = 70 + P[codes[:, 0]] + rng.normal(size=18)
        predictor = fit(table_of(space, codes, accuracy=accuracy), "accuracy", "per_layer", "none")
        tests = joint_tests(predictor).set_index(["group", "slot"])
        below += bool(tests.loc[("q", ""), "p"] < 0.1)
    assert below / 120 == pytest.approx(0.1, abs=0.06)


# What is refused


def test_what_can_not_be_inferred_says_so() -> None:
    predictor, table = fitted()
    with pytest.raises(InvalidInput, match="'bayes' is no kind of interval; choose ordinary, sim"):
        inference(predictor, "bayes")
    for level in (0.0, 1.0, 1.5, -0.1, np.nan):
        with pytest.raises(InvalidInput, match="share above 0 and below 1"):
            inference(predictor, level=level)
    other = table.rows(np.arange(len(table)) > 0)
    for kind in ("hc3", "bootstrap"):
        for given_table in (None, other):
            with pytest.raises(InvalidInput, match=f"'{kind}' need the table of the fit"):
                inference(predictor, kind, table=given_table)


@pytest.mark.parametrize("kind", KINDS)
def test_the_level_is_kept(kind: str) -> None:
    predictor, table = fitted()
    widths = [
        (found["high"] - found["low"]).to_numpy()
        for level in (0.5, 0.9, 0.99)
        for found in [
            inference(predictor, kind, table=table, level=level).intervals(predictor.form.shown)
        ]
    ]
    assert (widths[0] < widths[1]).all() and (widths[1] < widths[2]).all()
