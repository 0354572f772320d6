import functools

import numpy as np
import pytest
from conftest import DEMO
from hand import hand_space, table_of
from hypothesis import given, settings
from hypothesis import strategies as st

from foxnas_core.devices import reversals
from foxnas_core.devices.common import architectures_of, fit_pair
from foxnas_core.devices.reversals import RankReversals, disagreement, rank_reversals
from foxnas_core.errors import InvalidInput
from foxnas_core.explanation.edits import changes
from foxnas_core.study import open_study
from foxnas_core.table.measurements import MeasurementTable

FIRST, SECOND = "latency_ms", "latency_ms:pi"
FP32, INT8 = "latency_ms", "latency_ms:int8"


def measured(first, second, **columns) -> MeasurementTable:
    space = hand_space()
    codes = space.encode(space.sample(len(first), seed=0))
    table = table_of(space, codes, latency_ms=np.array(first), **{SECOND: np.array(second)})
    if columns:
        table.frame[list(columns)] = np.column_stack(list(columns.values()))
    return table


@functools.cache
def demo() -> MeasurementTable:
    return open_study(DEMO).table()


@functools.cache
def demo_reversals() -> RankReversals:
    return rank_reversals(demo(), FP32, INT8)


def test_one_pair_of_six_by_hand():
    found = rank_reversals(measured([1.0, 2, 3, 4], [10.0, 30, 20, 40]), FIRST, SECOND)
    assert (found.swapped, found.tau) == pytest.approx((1 / 6, 4 / 6))
    assert found.subnets["share"].tolist() == pytest.approx([0, 1 / 3, 1 / 3, 0])
    [pair] = found.pairs.to_dict("records")
    ids = found.subnets["id"].tolist()
    assert (pair["quick_first"], pair["quick_second"]) == (ids[1], ids[2])
    assert pair["margin"] == pytest.approx(50)
    assert [pair[f"first_of_quick_{e}"] for e in ("first", "second")] == [2, 3]
    assert [pair[f"second_of_quick_{e}"] for e in ("first", "second")] == [30, 20]
    assert found.certain is None and "does not tell the noise" in found.sentence()


@given(st.permutations(range(12)))
@settings(max_examples=10, deadline=None)
def test_without_ties_tau_is_one_less_twice_the_swapped_share(order):
    found = rank_reversals(
        measured(np.arange(1.0, 13), np.array(order) + 1.0), FIRST, SECOND, most=1000
    )
    assert found.tau == pytest.approx(1 - 2 * found.swapped)
    assert found.subnets["share"].mean() == pytest.approx(found.swapped)


def test_what_is_certain_depends_on_the_noise_of_both_devices():
    first, second = np.array([1.0, 2, 3]), np.array([1.0, 3, 2])
    table = measured(first, second)
    for sd, certain in ((0.4, 1 / 3), (0.6, 0.0)):
        found = rank_reversals(table, FIRST, SECOND, residual_sds=(0.1, sd))
        assert found.certain == pytest.approx(certain)
        assert len(found.pairs) == (1 if certain else 0)
        assert "residual standard deviations" in found.sentence()
    # Twice the standard error of the difference, √2 × 0.3, is less than 1; √2 × 0.4 is more.
    for error, certain in ((0.3, 1 / 3), (0.4, 0.0)):
        errors = {f"{column}_std_error": np.full(3, error) for column in (FIRST, SECOND)}
        found = rank_reversals(measured(first, second, **errors), FIRST, SECOND)
        assert found.certain == pytest.approx(certain)
    for half, certain in ((0.4, 1 / 3), (0.6, 0.0)):
        ranges = {
            f"{end}_{column}": values + sign * half
            for column, values in ((FIRST, first), (SECOND, second))
            for end, sign in (("low", -1), ("high", 1))
        }
        found = rank_reversals(measured(first, second, **ranges), FIRST, SECOND)
        assert found.certain == pytest.approx(certain)
        assert "ranges of repeated measurements" in found.rule


def test_the_devices_can_be_exchanged():
    there, back = demo_reversals(), rank_reversals(demo(), INT8, FP32)
    assert (there.swapped, there.certain, there.tau) == (back.swapped, back.certain, back.tau)
    pairs = zip(there.pairs["quick_first"], there.pairs["quick_second"], strict=True)
    turned = zip(back.pairs["quick_second"], back.pairs["quick_first"], strict=True)
    assert sorted(pairs) == sorted(turned)


def test_the_map_and_the_gaps_hold_every_pair_once():
    found = demo_reversals()
    assert 0 < found.certain < found.swapped < 1
    for table in (found.grid, found.gaps):
        assert table["pairs"].sum() == len(demo().frame) * (len(demo().frame) - 1) / 2
        weighted = (table["swapped"] * table["pairs"]).sum() / table["pairs"].sum()
        assert weighted == pytest.approx(found.swapped)
    # The further apart on one device, the surer the order on the other.
    assert found.gaps["swapped"].is_monotonic_decreasing
    assert "from 20 % apart on, 1 % or fewer do" in found.gap_sentence()


def test_an_order_that_never_settles_is_said():
    rng = np.random.default_rng(0)
    table = measured(rng.uniform(1, 9, 12), rng.uniform(1, 9, 12))
    assert "measure on pi itself" in rank_reversals(table, FIRST, SECOND).gap_sentence()


def test_every_listed_pair_is_reversed_and_no_subnet_fills_the_list():
    pairs = demo_reversals().pairs
    assert len(pairs) == 20 and pairs["margin"].is_monotonic_decreasing
    assert (pairs["first_of_quick_first"] < pairs["first_of_quick_second"]).all()
    assert (pairs["second_of_quick_first"] > pairs["second_of_quick_second"]).all()
    ids = np.concatenate([pairs["quick_first"], pairs["quick_second"]])
    assert np.unique(ids, return_counts=True)[1].max() <= 2
    one, other = architectures_of(demo(), pairs.loc[0, ["quick_first", "quick_second"]])
    changed = {e.split(" →")[0].rsplit(" ", 1)[0] for e in pairs["differs"][0].split(", ")}
    names = [n.replace("_", " ") for n in demo().space.by_name if one.get(n) != other.get(n)]
    assert changed == set(names)


def test_a_large_table_is_sampled_by_the_seed(monkeypatch):
    monkeypatch.setattr(reversals, "MOST_ROWS", 60)
    one, again, other = (rank_reversals(demo(), FP32, INT8, seed=seed) for seed in (1, 1, 2))
    assert (one.rows, one.available) == (60, len(demo().frame))
    assert one.subnets.equals(again.subnets) and not one.subnets.equals(other.subnets)


def test_too_little_in_common_is_one_sentence():
    table = measured([1.0, 2], [1.0, 2])
    with pytest.raises(InvalidInput, match="2 subnets have both"):
        rank_reversals(table, FIRST, SECOND)
    with pytest.raises(InvalidInput, match="choose two columns"):
        rank_reversals(demo(), FP32, FP32)


def test_differences_name_what_changes_only():
    space = hand_space()
    one = space.architecture({"p_depth": 1, "p1_kernel": 3, "q1_kernel": 5})
    other = space.architecture({"p_depth": 2, "p1_kernel": 3, "p2_kernel": 7, "q1_kernel": 5})
    assert changes(list(space.by_name), one, other) == "p depth 1 → 2, p2 kernel off → 7"


def test_disagreement_adds_up_to_what_either_device_predicts():
    pair = fit_pair(demo(), FP32, INT8)
    one, other = demo().architectures()[:2]
    table = disagreement(*pair, one, other)
    for predictor, column in zip(pair, ("first", "second"), strict=True):
        before, after = predictor.predict([one, other])["value"]
        assert table[column].sum() == pytest.approx(100 * (after / before - 1))
    assert table["difference"].abs().is_monotonic_decreasing
