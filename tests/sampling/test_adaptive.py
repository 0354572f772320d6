"""How a distribution learns: how much it draws, where it goes, and that it can be stopped."""

from pathlib import Path

import numpy as np
import pytest

from foxnas_core.errors import InvalidInput
from foxnas_core.families import family_of, load_shipped
from foxnas_core.sampling.adaptive import AdaptiveSampler, SamplingSettings, Step, tempered
from foxnas_core.sampling.distribution import Distribution

CELLS = load_shipped("nasbench201")
NODES = (("edge_0_2", "edge_1_2"), ("edge_0_3", "edge_1_3", "edge_2_3"))
PLACES = 5 ** np.arange(6)
PUBLISHED = Path(__file__).parents[2] / "../shared/data/nb201_part.parquet"
RULES = {
    "fixed 16": SamplingSettings(fixed=16),
    "adaptive": SamplingSettings(),
    "coarse to fine": SamplingSettings(switch=80, joint=NODES),
}


def made_up() -> np.ndarray:
    """Percent of each cell (15,625,), by operations of unequal worth and by pairs of them."""
    rng = np.random.default_rng(0)
    codes = np.arange(5**6)[:, None] // PLACES % 5
    alone, pairs = rng.normal(0, 2, (6, 5)), rng.normal(0, 1, (5, 5, 5))
    worth = 85 + sum(alone[edge, codes[:, edge]] for edge in range(6))
    return worth + sum(pairs[edge, codes[:, edge], codes[:, edge + 1]] for edge in range(5))


def published() -> np.ndarray:
    import pandas as pd

    rows = pd.read_parquet(PUBLISHED)
    family, accuracies = family_of(CELLS), np.zeros(5**6)
    codes = CELLS.encode([family.read(CELLS, cell) for cell in rows["arch"]])
    accuracies[codes.astype(int) @ PLACES] = rows["test_acc_cifar10"]
    return accuracies


def until_decided(
    sampler: AdaptiveSampler, oracle: np.ndarray, noise: float = 0.0
) -> tuple[list[Step], bool]:
    """The steps until H ≤ .1·H₀, and whether the mode is then of the best 1 %."""
    steps, rng = [], np.random.default_rng([sampler.seed, 1])
    while sampler.undecided > 0.1 and len(steps) < 600:
        codes = sampler.draw()
        values = oracle[codes.astype(int) @ PLACES]
        steps.append(sampler.learn(codes, values + rng.normal(0, noise, len(values))))
    [mode] = CELLS.encode([sampler.distribution.mode()])
    return steps, bool(oracle[mode.astype(int) @ PLACES] >= np.quantile(oracle, 0.99))


def compared(oracle: np.ndarray, seeds: int) -> dict[str, tuple[float, float]]:
    """By rule: samples until decided, in the median of seeds, and the share that chose well."""
    found = {}
    for name, settings in RULES.items():
        runs = [
            until_decided(AdaptiveSampler(Distribution.uniform(CELLS), settings, seed), oracle)
            for seed in range(seeds)
        ]
        samples = [sum(step.k for step in steps) for steps, _ in runs]
        found[name] = float(np.median(samples)), float(np.mean([well for _, well in runs]))
    return found


def test_samples_follow_the_entropy():
    settings = SamplingSettings(samples_per_nat=2.5, switch=30, joint="group")
    sampler = AdaptiveSampler(Distribution.uniform(CELLS), settings)
    steps, _ = until_decided(sampler, made_up())
    assert [step.k for step in steps] == [max(2, round(2.5 * step.entropy)) for step in steps]
    assert steps[0].k == 24 and steps[-1].k == 3 and sum(not step.joint for step in steps) == 30


def test_sampling_by_entropy_takes_fewer():
    found = compared(published() if PUBLISHED.exists() else made_up(), 3)
    fixed, success = found["fixed 16"]
    assert found["adaptive"][0] <= 0.6 * fixed and found["coarse to fine"][0] <= 0.45 * fixed
    assert found["adaptive"][1] >= success and found["coarse to fine"][1] >= success


@pytest.mark.parametrize("stop", [1, 29, 30, 31, 50])
def test_it_goes_on_as_if_it_had_never_stopped(stop):
    settings, oracle = SamplingSettings(switch=30, joint="group"), made_up()

    def steps_from(sampler, first, last):
        for _ in range(first, last):
            codes = sampler.draw()
            sampler.learn(codes, oracle[codes.astype(int) @ PLACES], codes[:, 0] / 4)
        return sampler

    whole = steps_from(AdaptiveSampler(Distribution.uniform(CELLS), settings, 3), 0, 60)
    half = steps_from(AdaptiveSampler(Distribution.uniform(CELLS), settings, 3), 0, stop)
    other = AdaptiveSampler(Distribution.uniform(CELLS), settings, 3)
    other.recall(half.state())
    steps_from(other, stop, 60)
    np.testing.assert_equal(other.state(), whole.state())


def test_costs_push_away():
    """With nothing to gain, what costs less is drawn."""
    sampler = AdaptiveSampler(Distribution.uniform(CELLS))
    for _ in range(80):
        codes = sampler.draw()
        sampler.learn(codes, np.zeros(len(codes)), (codes == 4).sum(axis=1).astype(float))
    drawn = sampler.distribution.draw(np.random.default_rng(0), 500)
    assert (drawn == 4).mean() < 0.05


def spent_of_what_is_allowed(tolerance: float) -> float:
    """The cost of the mode, as a share of the most, where what is better costs more."""
    settings = SamplingSettings(tolerance=tolerance)
    shares = []
    for seed in range(3):
        sampler = AdaptiveSampler(Distribution.uniform(CELLS), settings, seed)
        for _ in range(150):
            codes = sampler.draw()
            costs = codes.sum(axis=1) / 14
            sampler.learn(codes, costs, np.maximum(costs - 1, 0))
        [mode] = CELLS.encode([sampler.distribution.mode()])
        shares.append(mode.sum() / 14)
    return float(np.median(shares))


def test_what_may_be_spent_is_spent():
    assert 0.85 <= spent_of_what_is_allowed(0.05) <= 1.05
    # Without a tolerance what is hardly over pushes as hard as what is far over.
    assert spent_of_what_is_allowed(1e-9) < spent_of_what_is_allowed(0.05) - 0.05


def test_equal_likelihoods_are_no_reason_to_decide():
    sampler = AdaptiveSampler(Distribution.uniform(CELLS))
    for _ in range(20):
        codes = sampler.draw()
        sampler.learn(codes, np.full(len(codes), 3.0))
    assert sampler.undecided == 1


def test_failures_and_what_is_not_allowed_are_left_out():
    name = CELLS.decisions[0].name
    kept = {name: CELLS.decisions[0].choices[:2]}
    sampler = AdaptiveSampler(Distribution.uniform(CELLS, allowed=kept))
    codes = np.zeros((4, 6), dtype=np.int16)
    codes[3, 0] = 4
    step = sampler.learn(codes, np.array([np.nan, 1.0, 2.0, 9.0]))
    assert step.k == 2
    # Two that are one architecture: no matter which is better.
    assert sampler.undecided == pytest.approx(1)


@pytest.mark.parametrize("share", [0.3, 0.7, 0.95])
def test_the_temper_gives_weights_their_worth(share):
    likelihoods = np.random.default_rng(0).normal(0, 100, 16)
    omega = np.exp(likelihoods / tempered(likelihoods, share))
    assert omega.sum() ** 2 / (omega @ omega) == pytest.approx(share * 16)


def test_settings_that_make_no_sense_are_refused():
    for wrong in ({"rate": 0}, {"samples_per_nat": -1}, {"fixed": 0}, {"first": float("nan")}):
        with pytest.raises(InvalidInput, match=f"{next(iter(wrong))} is .*above 0"):
            SamplingSettings(**wrong)
    with pytest.raises(InvalidInput, match="below 1"):
        SamplingSettings(effective=1.0)


def test_nothing_is_learnt_while_it_warms_up():
    sampler, oracle = (
        AdaptiveSampler(Distribution.uniform(CELLS), SamplingSettings(warmup=5)),
        made_up(),
    )
    for number in range(7):
        assert (sampler.undecided == 1) == (number <= 5) and (number > 5 or sampler.temper is None)
        codes = sampler.draw()
        sampler.learn(codes, oracle[codes.astype(int) @ PLACES])
