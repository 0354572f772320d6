import json
import math
from dataclasses import replace

import numpy as np
import pytest
from conftest import tiny_document
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau, spearmanr, ttest_1samp
from trust_pairs import pairs_of

from foxnas_core.errors import MissingPart
from foxnas_core.evidence.trust import agreement as module
from foxnas_core.evidence.trust.agreement import ALL, WITHIN
from foxnas_core.evidence.trust.report import largest_reversals, report_document, trust_report
from foxnas_core.families import space_from_dict

SPACE = space_from_dict(tiny_document())
ACCURACIES = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=3, max_size=12).map(
    lambda rows: tuple(zip(*rows, strict=True))
)


def report_of(inherited, alone, *, seed=0, resamples=300, **further):
    return trust_report(
        pairs_of(SPACE, inherited, alone, **further), seed=seed, resamples=resamples
    )


@settings(max_examples=15, deadline=None)
@given(ACCURACIES)
def test_tau_is_scipys(columns):
    own, known = report_of(*columns).agreement().tau, kendalltau(*columns).statistic
    assert own == pytest.approx(known) or (math.isnan(own) and math.isnan(known))


@settings(max_examples=40, deadline=None)
@given(ACCURACIES)
def test_rho_is_scipys(columns):
    own = report_of(*columns, resamples=20).agreement().rho
    constant = any(len(set(column)) == 1 for column in columns)
    assert math.isnan(own) if constant else own == pytest.approx(spearmanr(*columns).statistic)


def test_the_jackknife_leaves_out_each_subnet_in_turn():
    rng = np.random.default_rng(5)
    x = rng.normal(size=14)
    y = x + rng.normal(size=14)
    found = report_of(x, y, resamples=20).agreement()
    without = [kendalltau(np.delete(x, i), np.delete(y, i)).statistic for i in range(14)]
    half = 1.96 * np.sqrt(13 / 14 * np.var(without) * 14) / (1 - found.tau**2)
    low, high = np.arctanh(found.jackknife)
    assert (low + high) / 2 == pytest.approx(np.arctanh(found.tau))
    assert (high - low) / 2 == pytest.approx(half)
    assert report_of([1, 2, 3], [1, 2, 3]).agreement().jackknife == (1, 1)


def test_the_first_choice_gives_up_more_in_some_resamples():
    found = report_of([1, 2, 3, 4], [4, 3, 1, 5], resamples=2000)
    assert found.regret["alone"] == 0 and found.regret_high["alone"] == 3


def test_a_resample_counts_a_subnet_as_often_as_it_was_drawn():
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 9, (2, 12))
    drawn = rng.integers(0, 12, 12)
    one, other = (np.sign(v[:, None] - v[None, :]) for v in (x, y))
    weights = np.bincount(drawn, minlength=12)[None].astype(float)
    [tau] = module._tau(one, other, weights)
    assert tau == pytest.approx(kendalltau(x[drawn], y[drawn]).statistic)


def test_within_resolutions_only_their_own_pairs_count():
    # Resolutions take turns: the larger is better by far, and its subnets stand the wrong way.
    inherited = [1, 11, 2, 12, 3, 13, 4, 14]
    alone = [1, 14, 2, 13, 3, 12, 4, 11]
    found = report_of(inherited, alone)
    assert found.scopes() == [ALL, WITHIN, "8", "12"]
    assert found.agreement(scope="8").tau == 1 and found.agreement(scope="12").tau == -1
    assert found.agreement(scope=WITHIN).tau == 0 == found.agreement(scope=WITHIN).rho
    assert found.agreement().tau == pytest.approx((28 - 2 * 6) / 28)
    low = found.agreement(scope="12")
    assert (low.low, low.high, low.subnets) == (-1, -1, 4)


def test_one_resolution_has_no_scopes_of_its_own():
    single = space_from_dict(tiny_document(resolutions=[12]))
    found = trust_report(pairs_of(single, [1, 2, 3], [1, 2, 3]), seed=0, resamples=50)
    assert found.scopes() == [ALL] and found.resolution_sentence() == ""
    assert "resolution" not in found.subnets


def test_equal_seeds_give_equal_intervals_and_more_subnets_narrower_ones():
    rng = np.random.default_rng(1)
    x = rng.normal(size=60)
    y = x + rng.normal(size=60)
    small, large = report_of(x[:15], y[:15]).agreement(), report_of(x, y).agreement()
    assert small == report_of(x[:15], y[:15]).agreement()
    assert small.low < small.tau < small.high
    assert large.high - large.low < small.high - small.low


def test_intervals_cover_the_true_tau_about_as_often_as_they_say():
    """Of a bivariate normal of correlation ρ, tau is 2 arcsin(ρ) / π."""
    rng = np.random.default_rng(2)
    true = 2 / np.pi * np.arcsin(0.8)
    covered = 0
    for _ in range(100):
        x = rng.normal(size=20)
        y = 0.8 * x + 0.6 * rng.normal(size=20)
        drawn = rng.integers(0, 20, (200, 20))
        found = module.agreement_of("inherited", "alone", ALL, x, y, drawn)
        covered += found.low <= true <= found.high
    assert covered >= 85


def test_the_mean_offset_has_students_interval():
    rng = np.random.default_rng(3)
    inherited = rng.normal(80, 2, 12)
    alone = inherited + rng.normal(3, 1, 12)
    offset = report_of(inherited, alone).offset()
    known = ttest_1samp(alone - inherited, 0).confidence_interval()
    assert (offset.mean, offset.low, offset.high) == pytest.approx(
        ((alone - inherited).mean(), known.low, known.high)
    )


def test_reversals_name_who_is_preferred_and_who_is_better():
    found = report_of([80, 82, 84], [90, 95, 91])
    ids = found.subnets["id"].tolist()
    [row] = largest_reversals(found, "alone").to_dict("records")
    assert (row["preferred"], row["better"]) == (ids[2], ids[1])
    assert (row["inherited_gap"], row["trained_gap"]) == (2, 4) and row["certain"]
    assert "→" in row["differs"]
    assert found.reversed_share["alone"] == found.certain_share["alone"] == pytest.approx(1 / 3)
    assert found.regret["alone"] == 4
    noisy = report_of([80, 82, 84], [90, 95, 91], std_error=1)
    assert noisy.certain_share["alone"] == 0 < noisy.reversed_share["alone"]


def test_the_list_of_reversals_is_sorted_and_not_filled_by_one_subnet():
    rng = np.random.default_rng(4)
    found = report_of(rng.normal(size=15), rng.normal(size=15))
    listed = largest_reversals(found, "alone", most=8)
    margins = listed[["inherited_gap", "trained_gap"]].min(axis=1)
    assert (margins > 0).all() and margins.is_monotonic_decreasing
    ends = [*listed["preferred"], *listed["better"]]
    assert len(listed) <= 8 and max(ends.count(end) for end in ends) <= 3


RISING = np.arange(12.0)


@pytest.mark.parametrize(
    ("alone", "verdict", "said"),
    [
        (RISING, "holds", "100 of 100 pairs"),
        (-RISING, "fails", "mend the supernet"),
        (np.array([3, 0, 5, 1, 6, 2, 9, 4, 8, 7, 11, 10.0]), "open", "leave open whether"),
    ],
)
def test_the_verdict_follows_the_interval(alone, verdict, said):
    found = report_of(RISING, alone)
    assert found.verdict() == verdict and said in found.sentence()
    assert "percentile bootstrap over subnets)" in found.sentence()
    assert report_document(found)["interval"] == "percentile bootstrap over subnets"
    assert bool(found.advice()) == (verdict != "holds")


def test_few_subnets_have_no_verdict():
    found = report_of(RISING[:9], RISING[:9])
    assert found.verdict() == "few" and "too few" in found.sentence() and not found.advice()
    one = report_of([80.0], [90.0])
    assert "1 subnet so far" in one.sentence() and math.isnan(one.offset().low)


def test_recalibration_is_told_by_level_and_order():
    found = report_of(RISING, RISING, unrecalibrated=list(-RISING - 5))
    assert "raises the mean inherited accuracy by 16.00 points" in found.recalibration_sentence()
    assert "tau from -1.00 to 1.00" in found.recalibration_sentence()
    assert (
        "lowers"
        in report_of(RISING, RISING, unrecalibrated=list(RISING + 1)).recalibration_sentence()
    )


def test_no_pairs_say_what_to_do():
    with pytest.raises(MissingPart, match="foxnas_core trust"):
        trust_report([], seed=0)


def test_the_document_is_json_without_nan_at_any_number_of_pairs():
    for count in (1, 2, 12):
        document = report_document(report_of(RISING[:count], -RISING[:count]))
        json.dumps(document, allow_nan=False)
        assert set(document["kendall_tau"]) == {"alone", "fine_tuned"}
    assert document["kendall_tau"]["alone"]["inherited"][ALL]["value"] == -1
    assert document["reversals"]["alone"][0]["certain"] is True


def test_ties_alone_leave_no_order():
    pairs = pairs_of(SPACE, [1, 1, 1], [1, 2, 3])
    assert math.isnan(trust_report(pairs, seed=0, resamples=20).agreement().tau)
    one = [replace(p, alone=p.inherited) for p in pairs]
    assert (
        len(trust_report(one, seed=0, resamples=20).reversals[lambda t: t["trained"] == "alone"])
        == 0
    )
