import functools

import numpy as np
import pytest
from hand import noisy_table, table_of
from scipy import stats
from statsmodels.stats.diagnostic import normal_ad

from foxnas_core.diagnostics import normality as room
from foxnas_core.diagnostics.diagnosis import diagnose
from foxnas_core.diagnostics.normality import p_text
from foxnas_core.families import load_shipped
from foxnas_core.regression import fit

MINI = load_shipped("foxnas-mini")


@functools.cache
def table_with(errors: str):
    table = noisy_table(MINI, 400, seed=3, noise=0.0)
    rng = np.random.default_rng(4)
    drawn = {
        "normal": rng.normal(size=400),
        "heavy": rng.standard_t(2, 400),
        "even": rng.uniform(-2, 2, 400),
    }[errors]
    return table_of(MINI, table.codes, cross_entropy=table.values("latency_ms") + drawn)


def normality_with(errors: str):
    table = table_with(errors)
    return diagnose(fit(table, "cross_entropy", "per_layer"), table).normality


def test_points_are_ordered_residuals_over_the_quantiles_of_t() -> None:
    table = table_with("normal")
    predictor = fit(table, "cross_entropy", "per_layer")
    found, residuals = diagnose(predictor, table).normality, diagnose(predictor, table).residuals
    np.testing.assert_allclose(found.points["studentised"], np.sort(residuals["studentised"]))
    t = stats.t(predictor.residual_df - 1)
    np.testing.assert_allclose(
        found.points["theoretical"], t.ppf((np.arange(400) + 0.5) / 400), atol=1e-9
    )
    by_row = residuals.set_index("row")["studentised"]
    assert (by_row[found.points["row"]].to_numpy() == found.points["studentised"]).all()


def test_the_band_holds_95_percent_of_each_ordered_value() -> None:
    found = normality_with("normal").points
    t = fit(table_with("normal"), "cross_entropy", "per_layer").residual_df - 1
    draws = np.sort(np.random.default_rng(5).standard_t(t, (4000, 400)), axis=1)
    for point in (0, 100, 399):
        inside = (draws[:, point] > found["low"][point]) & (draws[:, point] < found["high"][point])
        # Four standard errors of a share of .95 over 4000 draws.
        assert inside.mean() == pytest.approx(0.95, abs=0.014)


def test_skewness_and_kurtosis_are_scipys() -> None:
    table = table_with("heavy")
    predictor = fit(table, "cross_entropy", "per_layer")
    found, residuals = diagnose(predictor, table).normality, diagnose(predictor, table).residuals
    assert found.skewness == pytest.approx(stats.skew(residuals["standardised"]), abs=1e-9)
    assert found.excess_kurtosis == pytest.approx(
        stats.kurtosis(residuals["standardised"]), abs=1e-9
    )
    expected = stats.anderson(residuals["standardised"], "norm", method="interpolate").statistic
    assert found.statistic == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("errors", ["normal", "even"])
def test_anderson_and_darling_s_test_is_that_of_statsmodels(errors: str) -> None:
    table = table_with(errors)
    predictor = fit(table, "cross_entropy", "per_layer")
    found, residuals = diagnose(predictor, table).normality, diagnose(predictor, table).residuals
    statistic, p = normal_ad(residuals["standardised"].to_numpy())
    assert found.statistic == pytest.approx(statistic, abs=1e-9)
    assert found.p == pytest.approx(p, abs=1e-9)


@pytest.mark.parametrize("scale", [0.1, 0.5, 0.7, 1.0, 3.0])
def test_its_p_value_is_that_of_statsmodels_over_its_range(scale: float) -> None:
    """From values evenly spread over the quantiles of a normal distribution, bent more and more."""
    z = stats.norm.ppf((np.arange(200) + 0.5) / 200)
    bent = z + scale * z**3 / 10
    scaled = (bent - bent.mean()) / bent.std(ddof=1)
    statistic, p = normal_ad(bent)
    assert room._anderson_darling(scaled) == pytest.approx(statistic, abs=1e-9)
    assert room._anderson_darling_p(statistic, 200) == pytest.approx(p, abs=1e-12)


def test_normal_errors_are_told_from_others() -> None:
    assert "Nothing speaks against normal errors" in normality_with("normal").sentence
    assert "heavier tails than normal" in normality_with("heavy").sentence
    assert "lighter tails than normal" in normality_with("even").sentence


def test_p_values_as_they_are_read() -> None:
    assert [p_text(p) for p in (0.0421, 0.00999, 1e-9)] == ["p = 0.042", "p = 0.01", "p < 0.001"]
