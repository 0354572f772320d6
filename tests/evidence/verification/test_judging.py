"""The rule by which claims are judged: what holds by definition, and how often true claims hold."""

from dataclasses import replace

import numpy as np
import pytest
from hand import choice_space, hand_space, noisy_table, table_of, two_block_space
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, norm
from trials import claim_of, trial_of

from foxnas_core.evidence.verification.claims import FitRecord
from foxnas_core.evidence.verification.edits import random_edits
from foxnas_core.evidence.verification.judging import (
    ERROR_OF_RANGE,
    claims_on,
    judge_latency,
    judge_score,
    paired_difference,
    share_error,
    widened,
    wilson,
)
from foxnas_core.regression import fit
from foxnas_core.regression.link import Link

LEVEL = 0.95


def drawn(seed: int, n: int, right: float, agree: float):
    """Two subnets' right images (n,), which agree on a share of them."""
    rng = np.random.default_rng(seed)
    one = rng.random(n) < right
    return one, np.where(rng.random(n) < agree, one, rng.random(n) < right)


shares = st.floats(0, 1)
images = st.builds(drawn, st.integers(0, 999), st.integers(1, 300), shares, shares)


# Intervals of measurements


@given(st.integers(0, 400), st.integers(1, 400))
def test_wilsons_ends_are_where_the_score_test_turns(successes, trials):
    successes = min(successes, trials)
    low, high = wilson(successes, trials)
    assert 0 <= low <= successes / trials <= high <= 1
    for end in {low, high} - {0.0, 1.0}:
        z = (successes / trials - end) / np.sqrt(end * (1 - end) / trials)
        assert abs(z) == pytest.approx(norm.ppf(0.975), rel=1e-6)


def test_wilson_is_the_textbooks():
    # Newcombe, "Two-sided confidence intervals for the single proportion", 1998, table I.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert wilson(0, 0) == (0.0, 1.0)


@given(images)
def test_a_paired_difference_is_that_of_each_image_with_half_a_pair_in_each_cell(pair):
    right, before = pair
    center, error = paired_difference(right, before)
    assert center == pytest.approx((right.sum() - before.sum()) / (len(right) + 2))
    assert error > 0
    won, lost = (right & ~before).sum() + 0.5, (before & ~right).sum() + 0.5
    n = len(right) + 2
    assert error**2 * n == pytest.approx((won + lost) / n - ((won - lost) / n) ** 2)


def test_subnets_that_agree_on_more_images_are_told_apart_more_surely():
    errors = [paired_difference(*drawn(0, 10_000, 0.8, agree))[1] for agree in (0.2, 0.6, 0.95)]
    assert errors == sorted(errors, reverse=True)
    # Of equally many images each, the errors of subnets that have nothing in common.
    assert errors[0] < np.sqrt(2 * 0.8 * 0.2 / 10_000)


# Verdicts


@given(images, st.integers(1, 5))
def test_a_share_is_held_against_what_was_stated_and_what_fewer_images_leave_open(pair, times):
    right, n = pair[0], len(pair[0])
    one = claim_of(value=80.0)
    verdict = judge_score(one, 100.0 * right, before=None, total=times * n, level=LEVEL)
    assert verdict.measured == pytest.approx(100 * right.mean())
    assert verdict.std_error == pytest.approx(100 * share_error(right))
    further = 1.96 * verdict.std_error * np.sqrt(1 - 1 / times)
    assert verdict.judged_high - 80 == pytest.approx(np.hypot(1.0, further))
    assert verdict.judged_low - 80 == pytest.approx(-np.hypot(1.0, further))
    if times == 1:
        assert (verdict.judged_low, verdict.judged_high) == (one.low, one.high)


@given(images, st.floats(-5, 5))
def test_a_difference_is_held_against_what_was_stated_and_the_error_of_both(pair, value):
    right, before = pair
    one = claim_of("difference", value=value)
    verdict = judge_score(one, 100.0 * right, before=100.0 * before, total=len(right), level=LEVEL)
    assert verdict.measured == pytest.approx(100 * (right.mean() - before.mean()))
    assert verdict.judged_high - value == pytest.approx(np.hypot(1.0, 1.96 * verdict.std_error))
    assert verdict.judged_low + verdict.judged_high == pytest.approx(2 * value)
    assert verdict.inside == (abs(verdict.measured - value) <= verdict.judged_high - value)


@pytest.mark.parametrize("target", ["dice", "cross_entropy"])
def test_what_is_no_share_is_held_against_the_error_of_its_mean(target):
    rng = np.random.default_rng(0)
    cases = rng.uniform(0.4, 0.9, 400)
    before = cases - rng.normal(0.02, 0.01, 400)
    one = claim_of(target=target, value=0.65, half=0.01)
    verdict = judge_score(one, cases, before=None, total=1600, level=LEVEL)
    error = cases.std(ddof=1) / 20
    assert (verdict.measured, verdict.std_error) == pytest.approx((cases.mean(), error))
    assert verdict.high - verdict.measured == pytest.approx(1.96 * error, rel=1e-3)
    assert verdict.judged_high - 0.65 == pytest.approx(np.hypot(0.01, 1.96 * error * np.sqrt(0.75)))
    # Both are of the same images, so that a difference is known better than either.
    one = claim_of("difference", target, value=0.02, half=0.001)
    verdict = judge_score(one, cases, before=before, total=400, level=LEVEL)
    assert verdict.measured == pytest.approx((cases - before).mean()) and verdict.inside
    assert verdict.std_error == pytest.approx((cases - before).std(ddof=1) / 20)
    assert verdict.std_error < error / 5
    # Within what the metric can be, as an interval of a share is.
    near = judge_score(claim_of(target="dice"), np.array([0.9] + [1.0] * 9), before=None, total=10,
                       level=LEVEL)  # fmt: skip
    assert near.high == 1.0


def test_a_latency_is_held_against_what_was_stated_and_a_difference_has_the_errors_of_both():
    value = claim_of(target="latency_ms", value=5.0)
    verdict = judge_latency(value, (5.9, 5.8, 6.1), before=None, level=LEVEL)
    assert verdict.inside and (verdict.low, verdict.high) == (5.8, 6.1)
    assert not judge_latency(value, (6.1, 6, 7), before=None, level=LEVEL, reason="slow").inside
    difference = claim_of("difference", "latency_ms", value=1.0, half=0.6)
    verdict = judge_latency(difference, (5.0, 4.9, 5.2), before=(3.0, 2.8, 3.2), level=LEVEL)
    assert verdict.measured == 2.0 and not verdict.inside
    assert verdict.std_error == pytest.approx(ERROR_OF_RANGE * np.hypot(0.3, 0.4))
    # A t of 7.6 degrees of freedom, by tables between 2.31 and 2.36.
    half = verdict.high - 2.0
    assert 2.31 < half / verdict.std_error < 2.36
    assert verdict.judged_high - 1.0 == pytest.approx(np.hypot(0.6, half))


def test_the_error_of_a_median_of_rounds_is_about_that_of_their_range():
    rounds = np.random.default_rng(0).normal(size=(100_000, 5))
    ratio = np.median(rounds, axis=1).std() / np.ptp(rounds, axis=1).mean()
    assert ratio == pytest.approx(ERROR_OF_RANGE, rel=0.06)


@given(st.floats(0, 10), st.floats(0, 10))
def test_widening_only_ever_widens(half, further):
    one = claim_of(half=half)
    low, high = widened(one.value, one.low, one.high, further)
    assert low <= one.low and high >= one.high
    assert high - one.value == pytest.approx(np.hypot(half, further))


# Coverage, by simulation

FITS, EDITS = 15, 30
NOISE = 0.5


def held(make, measure, target="latency_ms", *, level=LEVEL, link="none", seed=1):
    """The share that held (fits,) of the claims of one fit: of values, of differences by their
    verdicts, and of differences of two rows by their scatter.

    `make` gives a table, the true values of codes on the link's scale, and the link's inverse;
    `measure` judges a claim on two true values.
    """
    rng = np.random.default_rng(seed)
    found: dict[str, list[list[bool]]] = {"value": [], "difference": [], "scatter": []}
    for number in range(FITS):
        table, truth, inverse = make(100 * seed + number)
        predictor = fit(table, target, "per_layer", link)
        for own in found.values():
            own.append([])
        for pair in random_edits(table.space, EDITS, seed=100 * seed + number):
            value, difference = claims_on(predictor, pair, level=level)
            true = truth(table.space.encode(pair))
            before, after = inverse(true + rng.normal(0, NOISE, 2))
            found["value"][-1].append(bool(value.low <= after <= value.high))
            scatter = difference.scatter_low <= after - before <= difference.scatter_high
            found["scatter"][-1].append(bool(scatter))
            verdict = measure(difference, *inverse(true), level, rng)
            found["difference"][-1].append(bool(verdict.inside))
    return {kind: np.mean(own, axis=1) for kind, own in found.items()}


def by_rounds(one, before, after, level, rng):
    """Five normal rounds each, whose medians err about as much as the fit does."""
    rounds = np.array([[before], [after]]) + rng.normal(0, 0.2, (2, 5))
    old, new = ((float(np.median(r)), float(r.min()), float(r.max())) for r in rounds)
    return judge_latency(one, new, before=old, level=level)


def by_images(one, before, after, level, rng):
    """Images of which both subnets find nearly the same ones hard."""
    hard = 100 * rng.random(3000)
    other = np.where(rng.random(3000) < 0.9, hard, 100 * rng.random(3000))
    before, after = 100.0 * (hard < before), 100.0 * (other < after)
    return judge_score(one, after, before=before, total=10**9, level=level)


def additive(codes):
    """What `noisy_table` makes latencies of."""
    return 10 + (codes + 1) @ (1 + np.arange(codes.shape[1]) / 10)


def as_often_as(level, shares, most=1.0):
    """Whether claims hold as often as stated but for 4 standard errors; those of one fit share its
    errors, so that fits are counted."""
    error = 4 * max(shares.std(ddof=1), 0.01) / np.sqrt(len(shares))
    return level - error <= shares.mean() <= most


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_true_claims_hold_as_often_as_stated(level):
    def make(seed):
        table = noisy_table(hand_space(), 40, seed=seed, noise=NOISE)
        return table, additive, lambda values: values

    for kind, shares in held(make, by_rounds, level=level).items():
        assert as_often_as(level, shares, most=level + 0.06), (kind, shares.mean())


def test_true_claims_hold_through_a_saturating_link():
    link = Link(65.0, 1 / 25)

    def make(seed):
        table = noisy_table(hand_space(), 100, seed=seed, noise=NOISE)
        codes, scale = table.codes, 30 / (additive(hand_space().random_codes(500, seed=0)).max())
        rng = np.random.default_rng(seed)

        def truth(codes):
            return 55 + scale * additive(codes)

        accuracy = link.inverse(truth(codes) + rng.normal(0, NOISE, len(codes)))
        return table_of(table.space, codes, accuracy=accuracy), truth, link.inverse

    found = held(make, by_images, "accuracy", link="saturating")
    for kind, shares in found.items():
        assert as_often_as(LEVEL, shares, most=0.995), (kind, shares.mean())


def test_a_stated_mean_alone_is_no_place_for_a_measurement():
    """Why a measured difference is not held against the confidence interval itself."""
    space = two_block_space()
    predictor = fit(noisy_table(space, 900, noise=NOISE), "latency_ms", "per_layer", "none")
    rng = np.random.default_rng(0)
    stated, judged = [], []
    for pair in random_edits(space, 300, seed=0):
        [_, one] = claims_on(predictor, pair, level=LEVEL)
        verdict = by_rounds(one, *additive(space.encode(pair)), LEVEL, rng)
        stated.append(one.low <= verdict.measured <= one.high)
        judged.append(verdict.inside)
    assert np.mean(stated) < 0.7 < 0.9 < np.mean(judged)


def test_an_effect_that_depends_on_what_else_is_chosen_fails():
    """An interaction that the form leaves out: the mean effect is right, single pairs are not."""
    space = choice_space({name: tuple(range(12)) for name in "ab"})
    codes = np.array([[a, b] for a in range(12) for b in range(12)], dtype=np.int16)

    def truth(codes):
        return additive(codes) + 0.3 * (codes[:, 0] - 5.5) * (codes[:, 1] - 5.5)

    rng = np.random.default_rng(0)
    table = table_of(space, codes, latency_ms=truth(codes) + rng.normal(0, NOISE, 144))
    predictor = fit(table, "latency_ms", "per_layer", "none")
    verdicts, scatter = [], []
    for pair in random_edits(space, 200, seed=0):
        [_, one] = claims_on(predictor, pair, level=LEVEL)
        verdict = by_rounds(one, *truth(space.encode(pair)), LEVEL, rng)
        verdicts.append(verdict.inside)
        scatter.append(one.scatter_low <= verdict.measured <= one.scatter_high)
    assert np.mean(verdicts) < 0.6 < 0.8 < np.mean(scatter)


@pytest.mark.parametrize("n", [100, 500, 2000])
def test_true_claims_hold_on_fewer_images(n):
    """2000 images of which two subnets name some; the claim is exact but for the images drawn."""
    rng = np.random.default_rng(n)
    total, verdicts = 2000, {"value": [], "difference": []}
    for _ in range(600):
        hard = rng.random(total)
        before, after = hard < 0.85, (hard < 0.83) | (rng.random(total) < 0.2)
        truth = {"value": 100 * after.mean(), "difference": 100 * (after.mean() - before.mean())}
        chosen = rng.choice(total, n, replace=False)
        for kind, own in verdicts.items():
            verdict = judge_score(
                claim_of(kind, value=truth[kind], half=1e-9), 100.0 * after[chosen],
                before=100.0 * before[chosen], total=total, level=LEVEL,
            )  # fmt: skip
            own.append(verdict.inside)
    # The normal approximation is a little off at 100 images.
    assert min(map(sum, verdicts.values())) >= binom.ppf(1e-4, 600, 0.94)
    if n == total:
        assert all(verdicts["value"]) and all(verdicts["difference"])
    else:
        assert sum(verdicts["value"]) <= binom.ppf(1 - 1e-4, 600, 0.965)


def test_false_claims_fail():
    n, rng = 2000, np.random.default_rng(0)
    right = np.where(np.arange(n) < 1600, 100.0, 0.0)
    drawn = [right[rng.choice(n, 500, replace=False)] for _ in range(200)]
    for value, share in ((80.0, 1.0), (70.0, 0.0), (90.0, 0.0)):
        one = claim_of(value=value, half=3.0)
        inside = [judge_score(one, d, before=None, total=n, level=LEVEL).inside for d in drawn]
        assert np.mean(inside) == pytest.approx(share, abs=0.02)
    for value, inside in ((77.1, True), (76.9, False), (83.1, False)):
        one = claim_of(value=value, half=3.0)
        assert judge_score(one, right, before=None, total=n, level=LEVEL).inside == inside


def test_an_edit_may_hold_for_its_subnet_and_not_on_average():
    right, before = np.arange(1000) < 825, np.arange(1000) < 800
    for value, inside, within in ((1.0, False, True), (2.0, True, True), (-1.0, False, False)):
        one = claim_of("difference", value=value, half=0.1, scatter=2.0)
        verdict = judge_score(one, 100.0 * right, before=100.0 * before, total=1000, level=LEVEL)
        assert verdict.measured == pytest.approx(2.5)
        trial = replace(trial_of(hand_space(), "t", [one], [0.0]), verdicts=(verdict,))
        assert (verdict.inside, trial.holds(one, verdict)) == (inside, within)
        # Of fewer images a share may be farther off.
        assert trial.circumstances is not None
        few = replace(trial, circumstances=replace(trial.circumstances, images=500, held_out=1000))
        low, high = few.interval(one, verdict)
        further = 1.96 * verdict.std_error * 0.5**0.5
        assert high - value == pytest.approx(np.hypot(2.0, further))
        assert low + high == pytest.approx(2 * value)


def test_a_claim_names_its_fit_and_another_fit_has_another_name():
    space = hand_space()
    one, other = (
        fit(noisy_table(space, 60, seed=seed), "accuracy", "per_layer", "none") for seed in (1, 2)
    )
    assert FitRecord.of(one) == FitRecord.of(one) != FitRecord.of(other)
    assert FitRecord.of(one).table == one.table_fingerprint
