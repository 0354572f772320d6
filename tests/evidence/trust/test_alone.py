from dataclasses import replace

import pytest
from conftest import tiny_document

from foxnas_core.errors import InvalidInput
from foxnas_core.evidence.trust.alone import (
    TrustBench,
    recipe_of,
    steps_of,
    train_alone,
    train_pair,
)
from foxnas_core.evidence.trust.pairs import TrustSettings
from foxnas_core.families import space_from_dict
from foxnas_core.measurement.campaign import prepare
from foxnas_core.measurement.score import ScoreMeter
from foxnas_core.supernet.checkpoint import Checkpoint
from foxnas_core.training.supernets import weights_fingerprint

SETTINGS = TrustSettings(2, 1, 0.5)  # 20 and 10 steps


@pytest.fixture(scope="module")
def bench(tiny_checkpoint, tiny_dataset):
    calibration = tiny_dataset.training.take(slice(0, 100))
    return TrustBench.of(tiny_checkpoint, tiny_dataset, calibration, tiny_dataset.held_out)


@pytest.fixture(scope="module")
def small():
    return space_from_dict(tiny_document()).extreme("smallest")


def timeless(pair):
    return replace(pair, seconds=0.0)


def trained(bench, small, path, seed, **options):
    alone = train_alone(bench, small, SETTINGS, seed=seed, state=path / "alone", **options)
    (path / "alone").unlink(missing_ok=True)
    return alone, train_pair(bench, SETTINGS, [alone], state=path / "tuned", **options)


def test_a_pair_holds_what_is_measured_otherwise(bench, small, tmp_path, tiny_checkpoint):
    before = weights_fingerprint(tiny_checkpoint.supernet)
    told = []
    alone, pair = trained(bench, small, tmp_path, 2, report=told.append)
    meter = ScoreMeter(bench.dataset.held_out, task=tiny_checkpoint.task)
    [measured] = meter.measure([prepare(tiny_checkpoint, small, bench.calibration)])
    assert pair.inherited.value == measured["accuracy"]
    assert pair.inherited.std_error == measured["accuracy_std_error"]
    assert pair.alone == alone.score and pair.again == ()
    assert pair.alone.value > 50 and pair.fine_tuned.value > 50  # chance is 33
    assert (told[0], told[-1]) == (20, 10)
    assert steps_of(tiny_checkpoint, bench.dataset, SETTINGS) == 30
    assert steps_of(tiny_checkpoint, bench.dataset, SETTINGS, seeds=2) == 50
    assert weights_fingerprint(tiny_checkpoint.supernet) == before
    other = train_alone(bench, small, SETTINGS, seed=3, state=tmp_path / "other")
    assert other.score != alone.score
    both = train_pair(bench, SETTINGS, [alone, other], state=tmp_path / "both")
    assert both.again == (other.score,) and both.seconds > pair.seconds - 1
    assert timeless(replace(both, again=())) == timeless(pair)


@pytest.mark.parametrize("stopped_at", [12, 6])
def test_a_killed_training_ends_as_an_unbroken_one(bench, small, tmp_path, stopped_at):
    """In the training from scratch, of 20 steps, and in the fine-tuning, of 10."""
    whole, pair = trained(bench, small, tmp_path, 2)

    class Killed(Exception):
        pass

    def kill(steps):
        if steps >= stopped_at:
            raise Killed

    state = tmp_path / "killed"

    def again(**options):
        common = {"state": state, "save_every": 3, **options}
        if stopped_at == 6:
            return train_pair(bench, SETTINGS, [whole], **common)
        return train_alone(bench, small, SETTINGS, seed=2, **common)

    with pytest.raises(Killed):
        again(report=kill)
    assert state.exists()
    assert timeless(again()) == timeless(pair if stopped_at == 6 else whole)


def test_weights_without_a_recipe_can_not_be_compared(tiny_checkpoint):
    bare = Checkpoint(tiny_checkpoint.supernet, {"pixel_mean": 0.5, "pixel_std": 0.2})
    with pytest.raises(InvalidInput, match="does not tell the recipe"):
        recipe_of(bare)
