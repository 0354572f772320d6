import functools

import numpy as np
import pytest
from hand import hand_space, noisy_table
from scipy.special import stdtrit

from foxnas_core.errors import InvalidInput
from foxnas_core.families import load_shipped
from foxnas_core.regression import Predictor, fit
from foxnas_core.regression.inference import (
    KINDS,
    benjamini_hochberg,
    inference,
    joint_tests,
    stars,
)

MINI = load_shipped("foxnas-mini")


@functools.cache
def table():
    return noisy_table(MINI, 400, seed=2)


@functools.cache
def predictor() -> Predictor:
    return fit(table(), "accuracy", "per_layer", "none")


def statsmodels_fit(fitted: Predictor, **options):
    from statsmodels.regression.linear_model import OLS

    x = fitted.form.matrix(table().codes)
    return OLS(table().values("accuracy"), x).fit(**options)


def test_ordinary_intervals_are_those_of_the_coefficients() -> None:
    found = inference(predictor()).intervals(predictor().form.shown)
    expected = predictor().coefficients()
    for ours, theirs in (("value", "estimate"), ("low", "low"), ("high", "high"), ("p", "p")):
        np.testing.assert_allclose(found[ours], expected[theirs], rtol=1e-12, atol=1e-300)


def test_hc3_is_that_of_statsmodels() -> None:
    how = inference(predictor(), "hc3", table=table())
    expected = statsmodels_fit(predictor(), cov_type="HC3").cov_params()
    np.testing.assert_allclose(how.covariance, expected, rtol=1e-7, atol=1e-9)


def test_one_effect_alone_is_as_wide_simultaneously_as_ordinarily() -> None:
    rows = predictor().form.shown[3:4]
    one, all_ = (inference(predictor(), kind).intervals(rows) for kind in KINDS if kind[0] in "os")
    assert one["high"].tolist() == pytest.approx(all_["high"].tolist(), abs=1e-12)


def test_unrelated_effects_hold_at_once_with_sidaks_quantile() -> None:
    """For k uncorrelated effects the maximum of |t| is below q with P(|t| < q) to the power k."""
    fitted = predictor()
    _, vectors = np.linalg.eigh(fitted.covariance)
    rows = vectors[:, -20:].T  # combinations without correlation
    found = inference(fitted, "simultaneous", seed=3).intervals(rows)
    width = (found["high"] - found["value"]) / found["std_error"]
    sidak = stdtrit(fitted.residual_df, (1 + 0.95 ** (1 / 20)) / 2)
    assert width.iloc[0] == pytest.approx(sidak, rel=0.02)
    assert np.ptp(width) < 1e-9


def test_the_bootstrap_agrees_where_errors_are_normal() -> None:
    rows = predictor().form.shown
    ordinary = inference(predictor()).intervals(rows)
    drawn = inference(predictor(), "bootstrap", table=table(), seed=1).intervals(rows)
    ratio = (drawn["high"] - drawn["low"]) / (ordinary["high"] - ordinary["low"])
    assert 0.9 < ratio.mean() < 1.05
    again = inference(predictor(), "bootstrap", table=table(), seed=1).intervals(rows)
    assert again.equals(drawn)


def test_where_residuals_spread_unequally_only_robust_intervals_are_wide_enough() -> None:
    """The effect of a block's kernel, where subnets with it scatter five times as much."""
    space = hand_space()
    held = {kind: 0 for kind in ("ordinary", "hc3", "bootstrap")}
    runs = 150
    for run in range(runs):
        made = noisy_table(space, 120, seed=run, noise=0.0)
        rng = np.random.default_rng(run + 1000)
        spread = np.where(made.codes[:, 3] == 2, 5.0, 0.2) * (made.codes[:, 1] == 2) + 0.1
        frame = made.frame.assign(
            accuracy=60 + 0.5 * made.codes[:, 3] + spread * rng.normal(0, 0.5, len(made))
        )
        from foxnas_core.table import table_from_frame

        made = table_from_frame(space, frame)
        fitted = fit(made, "accuracy", "per_layer", "none")
        position = [t.name for t in fitted.form.terms].index("q1_kernel=7")
        for kind in held:
            found = inference(fitted, kind, table=made, seed=run).intervals(fitted.form.shown)
            held[kind] += found["low"][position] <= 1.0 <= found["high"][position]
    # 95 % less three standard errors of 150 runs.
    assert held["hc3"] / runs > 0.89 and held["bootstrap"] / runs > 0.86
    assert held["ordinary"] < held["hc3"] - 5


def test_adjusted_p_values_are_those_of_statsmodels() -> None:
    from statsmodels.stats.multitest import multipletests

    p = np.random.default_rng(0).beta(0.3, 1, 60)
    expected = multipletests(p, method="fdr_bh")[1]
    np.testing.assert_allclose(benjamini_hochberg(p), expected, atol=1e-12)
    assert [stars(x) for x in (0.2, 0.04, 0.009, 0.0001)] == ["", "*", "**", "***"]


def test_joint_tests_are_those_of_statsmodels() -> None:
    result = statsmodels_fit(predictor())
    tests = joint_tests(predictor())
    for row in tests.to_dict("records"):
        own = [
            i
            for i, term in enumerate(predictor().form.terms)
            if term.group == row["group"] and row["slot"] in ("", term.slot)
        ]
        expected = result.f_test(np.eye(predictor().parameters)[own])
        assert row["F"] == pytest.approx(float(expected.fvalue), rel=1e-9)
        assert row["p"] == pytest.approx(float(expected.pvalue), rel=1e-6, abs=1e-300)
        assert (row["df"], row["residual_df"]) == (len(own), expected.df_denom)


def test_what_can_not_be_inferred_says_why() -> None:
    with pytest.raises(InvalidInput, match="'jackknife' is no kind of interval"):
        inference(predictor(), "jackknife")
    with pytest.raises(InvalidInput, match="confidence is 95"):
        inference(predictor(), level=95)
    with pytest.raises(InvalidInput, match="need the table of the fit"):
        inference(predictor(), "hc3")
    with pytest.raises(InvalidInput, match="need the table of the fit"):
        inference(predictor(), "bootstrap", table=noisy_table(MINI, 300, seed=9))
