import functools

import numpy as np
import pytest
from conftest import DEMO
from hand import hand_space, table_of
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t as student

from foxnas_core.devices.common import fit_pair
from foxnas_core.devices.comparison import (
    DeviceComparison,
    benjamini_hochberg,
    compare_devices,
)
from foxnas_core.errors import InvalidInput
from foxnas_core.explanation.coefficients import KEYS, choice_effects
from foxnas_core.regression import fit
from foxnas_core.regression.inference import inference
from foxnas_core.study import open_study
from foxnas_core.table.measurements import MeasurementTable

FIRST, SECOND = "latency_ms", "latency_ms:pi"
P1, P2, Q1 = np.array([0, 1, 3.0]), 2 + np.array([0, 0.5, 1]), np.array([0, 1, 2.0])


@functools.cache
def two_devices(noise: float = 0.1) -> MeasurementTable:
    """p1's kernel 7 costs 3 ms more than 3 on the first device and 6 on the second."""
    space = hand_space()
    codes = space.random_codes(90, seed=1)
    p1, p2, q1 = codes[:, -3:].T
    rest = np.where(p2 >= 0, P2[p2], 0) + Q1[q1]
    rng = np.random.default_rng(2)
    shared, own = rng.normal(0, noise, (2, 90))
    return table_of(
        space,
        codes,
        latency_ms=10 + P1[p1] + rest + shared,
        **{SECOND: 5 + 2 * P1[p1] + rest + 0.8 * shared + 0.6 * own},
    )


def compared(table: MeasurementTable, form: str = "per_layer", **options) -> DeviceComparison:
    return compare_devices(*fit_pair(table, FIRST, SECOND, form), table=table, **options)


def difference_table(table: MeasurementTable) -> MeasurementTable:
    gap = table.values(SECOND) - table.values(FIRST)
    return table_of(table.space, table.codes, latency_ms=gap + 100)


@pytest.mark.parametrize("form", ["per_layer", "block_state", "stage_counts"])
def test_a_difference_is_that_of_a_regression_of_the_difference(form):
    table = two_devices()
    ours = compared(table, form, level=0.9).own
    gap = fit(difference_table(table), FIRST, form)
    theirs = choice_effects(gap, inference(gap, level=0.9))
    assert ours[KEYS].equals(theirs[KEYS])
    for end, name in (("", "effect"), ("_low", "low"), ("_high", "high")):
        np.testing.assert_allclose(ours[f"difference{end}"], theirs[name], atol=1e-9)


def test_each_device_has_the_effects_and_intervals_of_its_own_fit():
    table = two_devices()
    ours = compared(table).own
    for name, predictor in zip(
        ("first", "second"), fit_pair(table, FIRST, SECOND, "per_layer"), strict=True
    ):
        theirs = choice_effects(predictor)
        for end, column in (("", "effect"), ("_low", "low"), ("_high", "high")):
            np.testing.assert_allclose(ours[f"{name}{end}"], theirs[column], atol=1e-9)


def test_a_block_is_tested_as_by_leaving_its_terms_out():
    """F = (RSS₀ - RSS₁) / q / s² of the regression of the difference, without and with them,
    where each subnet has one row."""
    table = two_devices()
    table = table.rows(~table.frame["id"].duplicated().to_numpy())
    found = compared(table).blocks.set_index("block")
    assert found["terms"].to_dict() == {"p1": 2, "p2": 3, "q1": 2}
    predictor = fit(difference_table(table), FIRST, "per_layer")
    x, y = predictor.form.matrix(table.codes), difference_table(table).values(FIRST)

    def rss(columns: np.ndarray) -> float:
        return float(np.linalg.lstsq(x[:, columns], y)[1][0])

    every = np.arange(x.shape[1])
    for slot in ("p1", "p2", "q1"):
        kept = np.array([i for i in every if predictor.form.terms[i].slot != slot])
        q = len(every) - len(kept)
        by_hand = (rss(kept) - rss(every)) / q / predictor.residual_variance
        assert found.loc[slot, "F_own"] == pytest.approx(by_hand, rel=1e-6)
    assert found.loc["p1", "adjusted_own"] < 1e-9
    assert found.loc["q1", "adjusted_own"] > 0.01


@given(st.floats(0.01, 100))
@settings(max_examples=15, deadline=None)
def test_percent_do_not_depend_on_how_fast_a_device_is_throughout(factor):
    table = two_devices()
    faster = table_of(
        table.space,
        table.codes,
        latency_ms=table.values(FIRST),
        **{SECOND: factor * table.values(SECOND)},
    )
    ours, theirs = compared(table), compared(faster)
    numbers = list(ours.percent.columns[len(KEYS) + 1 :])
    np.testing.assert_allclose(ours.percent[numbers], theirs.percent[numbers], atol=1e-7)
    np.testing.assert_allclose(ours.blocks["F_percent"], theirs.blocks["F_percent"], rtol=1e-6)


def test_a_device_that_is_slower_throughout_differs_in_ms_alone():
    table = two_devices()
    latency = table.values(FIRST)
    slower = table_of(table.space, table.codes, latency_ms=latency, **{SECOND: 3 * latency})
    found = compared(slower)
    np.testing.assert_allclose(found.percent["difference"], 0, atol=1e-9)
    np.testing.assert_allclose(found.own["difference"], 2 * found.own["first"], atol=1e-9)
    assert found.correlation == pytest.approx(1)
    assert found.means[1] == pytest.approx(3 * found.means[0])


def test_intervals_in_percent_are_as_wide_as_estimates_scatter():
    """Against the spread over 3000 tables with fresh, correlated noise on the same subnets."""
    table = two_devices()
    pair = fit_pair(table, FIRST, SECOND, "per_layer")
    x = pair[0].form.matrix(table.codes)
    rng = np.random.default_rng(5)
    covariance = np.array([[4.0, 2.0], [2.0, 3.0]]) / 4
    noise = rng.multivariate_normal([0, 0], covariance, (3000, len(x)))
    means = np.stack([x @ p.estimates for p in pair], axis=1) + noise
    solve = np.linalg.pinv(x)
    estimates = np.einsum("tn,snd->sdt", solve, means)
    first = compared(table).percent
    shown = pair[0].form.shown
    row = [t.name for t in pair[0].form.terms].index("p1_kernel=7")
    effects = 100 * (estimates @ shown[row]) / means.mean(axis=1)
    scatter = np.std(effects[:, 1] - effects[:, 0])
    one = table_of(table.space, table.codes, latency_ms=means[0, :, 0], **{SECOND: means[0, :, 1]})
    found = compared(one).percent
    at = first.index[(first["decision"] == "p1_kernel") & (first["choice"] == 7)][0]
    half = (found["difference_high"] - found["difference_low"])[at] / 2
    df = len(x) - x.shape[1]
    assert half / student.ppf(0.975, df) == pytest.approx(scatter, rel=0.3)


def test_the_clearest_difference_is_said_in_words():
    first, *_ = compared(two_devices(0.001)).sentences("own")
    assert first.startswith(
        "kernel 7 instead of 3 in p1 costs 6 ms on pi but 3 ms on fp32: +3 ms (+"
    )
    assert all("q1" not in sentence for sentence in compared(two_devices(0.001)).sentences("own"))


def test_the_demo_says_which_expand_ratio_int8_does_not_pay_for():
    table = open_study(DEMO).table()
    pair = fit_pair(table, "latency_ms", "latency_ms:int8")
    found = compare_devices(*pair, table=table)
    assert found.sentences("percent")[0].startswith("expand 4 instead of 1 in s1b1 saves")
    assert (found.blocks["adjusted_percent"] < 0.05).all()
    depth = found.own[found.own["decision"] == "s1_depth"]["what"].tolist()
    assert depth == ["adding s1b2 (depth 2 instead of 1)", "adding s1b3 (depth 3 instead of 2)"]
    assert found.own["what"][0] == "resolution 18 instead of 12"


def test_adjusted_p_by_hand():
    adjusted = benjamini_hochberg(np.array([0.03, 0.5, 0.01, 0.02]))
    np.testing.assert_allclose(adjusted, [0.04, 0.5, 0.04, 0.04])


def test_unlike_fits_are_refused():
    table = two_devices()
    first, _ = fit_pair(table, FIRST, SECOND, "per_layer")
    with pytest.raises(InvalidInput, match="same form"):
        compare_devices(first, fit(table, SECOND, "block_state"), table=table)
    fewer = table_of(table.space, table.codes[:80], **{SECOND: table.values(SECOND)[:80]})
    with pytest.raises(InvalidInput, match="subnets have both"):
        compare_devices(first, fit(fewer, SECOND, "per_layer"), table=table)
    accuracy = table_of(table.space, table.codes, accuracy=table.values(FIRST))
    with pytest.raises(InvalidInput, match="latency"):
        compare_devices(first, fit(accuracy, "accuracy", "per_layer", "none"), table=table)
