from dataclasses import replace

import pytest
from conftest import tiny_document

from foxnas_core.errors import InvalidInput
from foxnas_core.evidence.trust.alone import (
    TrustBench,
    forget_state,
    recipe_of,
    steps_of,
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


def test_a_pair_holds_what_is_measured_otherwise(bench, small, tmp_path, tiny_checkpoint):
    before = weights_fingerprint(tiny_checkpoint.supernet)
    told = []
    pair = train_pair(bench, small, SETTINGS, seed=2, state=tmp_path / "state", report=told.append)
    meter = ScoreMeter(bench.dataset.held_out, task=tiny_checkpoint.task)
    [measured] = meter.measure([prepare(tiny_checkpoint, small, bench.calibration)])
    assert pair.inherited.value == measured["accuracy"]
    assert pair.inherited.std_error == measured["accuracy_std_error"]
    assert pair.alone.value > 50 and pair.fine_tuned.value > 50  # chance is 33
    assert told[-1] == steps_of(tiny_checkpoint, bench.dataset, SETTINGS) == 30
    assert weights_fingerprint(tiny_checkpoint.supernet) == before
    other = train_pair(bench, small, SETTINGS, seed=3, state=tmp_path / "other")
    assert other.inherited == pair.inherited and other.alone != pair.alone


@pytest.mark.parametrize("stopped_at", [12, 26])
def test_a_killed_training_ends_as_an_unbroken_one(bench, small, tmp_path, stopped_at):
    whole = train_pair(bench, small, SETTINGS, seed=2, state=tmp_path / "whole")

    class Killed(Exception):
        pass

    def kill(steps):
        if steps >= stopped_at:
            raise Killed

    with pytest.raises(Killed):
        train_pair(bench, small, SETTINGS, seed=2, state=tmp_path / "s", report=kill, save_every=3)
    assert list(tmp_path.glob("s-*"))
    resumed = []
    pair = train_pair(
        bench, small, SETTINGS, seed=2, state=tmp_path / "s", report=resumed.append, save_every=3
    )
    assert timeless(pair) == timeless(whole)
    forget_state(tmp_path / "s")
    assert not list(tmp_path.glob("s-*"))


def test_weights_without_a_recipe_can_not_be_compared(tiny_checkpoint):
    bare = Checkpoint(tiny_checkpoint.supernet, {"pixel_mean": 0.5, "pixel_std": 0.2})
    with pytest.raises(InvalidInput, match="does not tell the recipe"):
        recipe_of(bare)
