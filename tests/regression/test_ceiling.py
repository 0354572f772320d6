import functools

import numpy as np
import pytest
from scipy.stats import chi2

from foxnas_core.regression import ceiling
from foxnas_core.regression.ceiling import (
    Ceiling,
    best_rate,
    candidate_rates,
    estimate,
    predict_held_out,
    profile,
)
from foxnas_core.regression.leastsquares import FoldedRows, deal_folds
from foxnas_core.regression.link import Link

TRUE = Link(70.0, 1 / 12)  # a ceiling of 82
NONE = Link(70.0, 0.0)
NOISE = 0.8


@functools.cache
def design(rows: int) -> tuple[np.ndarray, FoldedRows]:
    """An intercept and three effects, as QR in one fold."""
    x = np.column_stack([np.ones(rows), np.random.default_rng(0).normal(size=(rows, 3))])
    return x, FoldedRows.of(x, np.zeros(rows, dtype=int))


def simulated(rows: int, seed: int, link: Link = TRUE) -> np.ndarray:
    eta = design(rows)[0] @ [70.0, 4, -3, 5]
    return link.inverse(eta + np.random.default_rng(seed).normal(0, NOISE, rows))


def estimates(rows: int, runs: int, link: Link = TRUE) -> list[Ceiling]:
    """Of many simulations, without the bootstrap, which takes the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ceiling, "_rate_variance", lambda *_: 0.0)
        rows_of = design(rows)[1]
        return [estimate(rows_of, simulated(rows, s, link), seed=0)[1] for s in range(runs)]


def test_the_profile_is_the_likelihood_of_the_transformed_values_by_hand() -> None:
    """l = -n/2 ln RSS + Σ ln dη/dy, with dη/dy = 1 / (1 - rate (y - c)) and a fit for each rate."""
    x, rows = design(30)
    y = simulated(30, 1)
    center = float(y.mean())
    rates = candidate_rates(y, center)[[0, 7, 30, 59]]
    found = profile(rows.q, y, center, rates)
    for rate, likelihood in zip(rates, found, strict=True):
        link = Link(center, float(rate))
        eta = link.forward(y)
        residuals = eta - x @ np.linalg.lstsq(x, eta, rcond=None)[0]
        slopes = 1 / (1 - rate * (y - center))
        expected = -15 * np.log(residuals @ residuals) + np.log(slopes).sum()
        assert likelihood == pytest.approx(expected, abs=1e-8)


def test_the_profile_of_many_values_at_once_is_that_of_each() -> None:
    _, rows = design(30)
    y = np.column_stack([simulated(30, seed) for seed in range(4)])
    rates = np.linspace(0, 1 / 20, 5)
    together = profile(rows.q, y, 70.0, rates)
    for column in range(4):
        alone = profile(rows.q, y[:, column], 70.0, rates)
        np.testing.assert_allclose(together[:, column], alone, atol=1e-9)


def test_a_ceiling_below_a_value_has_no_likelihood() -> None:
    _, rows = design(30)
    y = simulated(30, 1)
    center = float(y.mean())
    too_steep = np.array([1.01 / (y.max() - center)])
    assert not np.isfinite(profile(rows.q, y, center, too_steep)).any()
    assert np.isfinite(profile(rows.q, y, center, candidate_rates(y, center))).all()


def test_candidates_reach_from_no_ceiling_to_just_above_the_highest_value() -> None:
    y = np.array([60.0, 70, 80])
    rates = candidate_rates(y, 70.0)
    assert rates[0] == 0 and (np.diff(rates) > 0).all()
    # .05 standard deviations (of √(200/3)) above 80.
    assert Link(70.0, float(rates[-1])).ceiling == pytest.approx(80 + 0.05 * np.sqrt(200 / 3))


def test_the_peak_of_a_parabola_is_found_between_the_rates() -> None:
    rates = np.linspace(0, 1, 11)
    for peak in (0.33, 0.5, 0.77):
        assert best_rate(rates, -((rates - peak) ** 2)) == pytest.approx(peak, abs=1e-12)
    # At either end, and beyond it, there is no parabola.
    assert best_rate(rates, -rates) == 0
    assert best_rate(rates, rates) == 1
    several = np.column_stack([-((rates - 0.33) ** 2), -rates])
    assert best_rate(rates, several) == pytest.approx([0.33, 0])
    assert best_rate(rates, np.where(rates > 0.65, np.nan, rates)) == pytest.approx(0.6)


def test_a_known_ceiling_is_found_and_covered() -> None:
    """300 simulations of 60 rows: the share has a standard deviation of .0126."""
    found = estimates(60, 300)
    values = np.array([c.value for c in found])
    assert np.median(values) == pytest.approx(TRUE.ceiling, abs=0.2)
    covered = np.mean([c.low <= TRUE.ceiling <= c.high for c in found])
    assert 0.91 <= covered <= 0.985
    assert all(c.low <= c.value <= c.high for c in found)
    assert all(c.p < 0.01 and np.isfinite(c.high) for c in found)


def test_more_rows_tell_more() -> None:
    few, many = (estimates(rows, 30) for rows in (40, 640))
    widths = [np.median([c.high - c.low for c in found]) for found in (few, many)]
    # Sixteen times the rows: a quarter of the width.
    assert widths[1] / widths[0] == pytest.approx(0.25, abs=0.1)


def test_the_test_and_the_interval_are_those_of_the_likelihood_ratio() -> None:
    _, rows = design(60)
    y = simulated(60, 3)
    link, found = estimate(rows, y, seed=0)

    def likelihood(rate: float) -> float:
        return float(profile(rows.q, y, link.center, np.array([rate]))[0])

    top = likelihood(link.rate)
    assert found.value == link.ceiling
    assert found.statistic == pytest.approx(2 * (top - likelihood(0.0)), abs=1e-9)
    assert found.p == pytest.approx(chi2.sf(found.statistic, 1), rel=1e-9)
    for end in (found.low, found.high):
        lost = 2 * (top - likelihood(1 / (end - link.center)))
        # Between two of the rates the likelihood is taken for straight.
        assert lost == pytest.approx(chi2.ppf(0.95, 1), abs=0.35)


def test_without_a_ceiling_few_are_claimed() -> None:
    """No ceiling is the end of the range, where half of the statistics are 0 (Self and Liang,
    1987): so p is uniform below .5, at half its size, and 1 otherwise. 800 simulations: the
    share below α has a standard deviation of at most .0155."""
    found = estimates(60, 800, NONE)
    p = np.array([c.p for c in found])
    for alpha in (0.05, 0.1, 0.2, 0.4, 0.8):
        assert np.mean(p < alpha) == pytest.approx(alpha / 2, abs=0.04)
    infinite = np.isinf([c.high for c in found])
    # "No ceiling" is left out where the likelihood ratio speaks against it at 5 %.
    np.testing.assert_array_equal(infinite, p >= 0.05)
    assert infinite.mean() > 0.95
    assert all(np.isinf(c.value) or c.value > c.low for c in found)


def test_held_out_predictions_are_those_of_links_and_fits_without_each_fold() -> None:
    x, _ = design(90)
    y = simulated(90, 5)
    fold = deal_folds(np.arange(90), 2)
    center = float(y.mean())
    rates = candidate_rates(y, center)
    predicted, seen = np.empty(90), set()
    for number in np.unique(fold):
        held = fold == number
        kept, _ = np.linalg.qr(x[~held])
        link = Link(center, float(best_rate(rates, profile(kept, y[~held], center, rates))))
        b, *_ = np.linalg.lstsq(x[~held], link.forward(y[~held]), rcond=None)
        predicted[held] = link.inverse(x[held] @ b)
        seen.add(link.rate)
    assert len(seen) == len(np.unique(fold))  # each fold has a ceiling of its own
    np.testing.assert_allclose(predict_held_out(FoldedRows.of(x, fold), y), predicted, atol=1e-7)


def test_a_fold_with_the_highest_value_is_predicted_below_the_ceiling_of_the_others() -> None:
    x, _ = design(40)
    y = simulated(40, 6)
    y[3] = TRUE.ceiling + 2
    predicted = predict_held_out(FoldedRows.of(x, deal_folds(np.arange(40), 0)), y)
    assert np.isfinite(predicted).all()
    assert predicted[3] < y[3]


def test_the_pull_says_how_estimates_move_with_the_rate() -> None:
    x, rows = design(60)
    y = simulated(60, 7)
    link, found = estimate(rows, y, seed=0)
    step = 1e-6 * link.rate
    high, low = (
        np.linalg.lstsq(x, Link(link.center, link.rate + s).forward(y), rcond=None)[0]
        for s in (step, -step)
    )
    np.testing.assert_allclose(found.pull, (high - low) / (2 * step), rtol=1e-5)


@functools.cache
def spread_of_rates() -> float:
    """The variance of the rate over 600 simulations of 150 rows, itself known to 6 %."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ceiling, "_rate_variance", lambda *_: 0.0)
        links = [estimate(design(150)[1], simulated(150, s), seed=0)[0] for s in range(600)]
    return float(np.var([link.rate for link in links], ddof=1))


def test_the_bootstraps_variance_is_that_of_estimates_over_simulations() -> None:
    """The mean of 24 is known to 7 %."""
    rows = design(150)[1]
    told = [estimate(rows, simulated(150, s), seed=s)[1].rate_variance for s in range(24)]
    assert np.mean(told) == pytest.approx(spread_of_rates(), rel=0.25)


def test_for_many_rows_the_curvature_tells_the_variance() -> None:
    rows = design(150)[1]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ceiling, "LARGEST_BOOTSTRAP", 149)
        one, other = (estimate(rows, simulated(150, 0), seed=s)[1] for s in (0, 1))
        assert one.rate_variance == other.rate_variance  # no bootstrap, no seed
        told = [estimate(rows, simulated(150, s), seed=0)[1].rate_variance for s in range(100)]
    assert np.mean(told) == pytest.approx(spread_of_rates(), rel=0.25)


def test_the_seed_is_the_bootstraps() -> None:
    _, rows = design(60)
    y = simulated(60, 8)
    (one, a), (same, b), (other, c) = (estimate(rows, y, seed=s) for s in (1, 1, 2))
    assert one == same == other
    assert a.rate_variance == b.rate_variance != c.rate_variance
    assert (a.low, a.high, a.p) == (c.low, c.high, c.p)
