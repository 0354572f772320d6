import json
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from optimizers import kernels, learning_rates, shrunk_alone
from safetensors.torch import load
from torch import nn

from foxnas_core.errors import InvalidInput
from foxnas_core.families.mbconv.subnet import Subnet
from foxnas_core.measurement.campaign import prepare
from foxnas_core.measurement.meter import Prepared
from foxnas_core.measurement.score import ScoreMeter
from foxnas_core.quantization.finetuning import (
    FineTuning,
    effect_of,
    fine_tune,
    fine_tuned_files,
)
from foxnas_core.supernet.onnx import INPUT, session_of
from foxnas_core.tasks.dataset import Dataset, ImageSet
from foxnas_core.training.fake_quantization import FakeQuantized


@pytest.fixture(scope="module")
def given(tiny_checkpoint, tiny_dataset):
    """A subnet whose classifier was spoilt, its images and pixel statistics."""
    task = tiny_checkpoint.task
    space = tiny_checkpoint.supernet.space
    prepared = prepare(tiny_checkpoint, space.extreme("largest"), tiny_dataset.training)
    torch.manual_seed(0)
    nn.init.normal_(prepared.subnet.head.classifier.weight, std=0.1)
    return prepared, {"calibration": tiny_dataset.training, "task": task}


def tuned_by(given, dataset, recipe, **options):
    prepared, shared = given
    calibration, task = shared.values()
    return fine_tune(prepared, task, dataset.training, recipe, calibration=calibration, **options)


def effect(given, dataset, tuned):
    prepared, shared = given
    calibration, task = shared.values()
    meter = ScoreMeter(dataset.held_out, calibration, task=task)
    return effect_of(
        prepared, tuned.prepared, meter, lambda p: p.int8(calibration, task), task.objective
    )


@pytest.mark.parametrize("aware", [False, True])
def test_int8_accuracy_rises_on_held_out_images(given, tiny_dataset, aware):
    recipe = FineTuning(epochs=4, batch=50, learning_rate=1e-2, quantization_aware=aware)
    told = []
    tuned = tuned_by(given, tiny_dataset, recipe, report=told.append, report_every=10)
    assert (tuned.steps, tuned.planned) == (32, 32)
    assert [p.done for p in told] == [10, 20, 30, 32] and told[-1].seconds_left == 0
    assert told[-1].values["loss"] < told[0].values["loss"]
    found = effect(given, tiny_dataset, tuned)
    gain = found.gain["accuracy:int8"]
    assert gain["low"] > 10 and gain["low"] < gain["value"] < gain["high"]
    for scores in (found.before, found.after):
        values = {name: interval["value"] for name, interval in scores.items()}
        lost = values["accuracy"] - values["accuracy:int8"]
        assert values["accuracy_drop:int8"] == pytest.approx(lost)
    assert "on 300 held-out images" in found.sentence()


def test_the_given_subnet_stays_and_the_seed_decides(given, tiny_dataset):
    before = {n: t.clone() for n, t in given[0].subnet.state_dict().items()}
    recipe = FineTuning(epochs=1, batch=100, quantization_aware=True)
    one, same, other = (
        tuned_by(given, tiny_dataset, FineTuning(**{**vars(recipe), "seed": seed}))
        for seed in (1, 1, 2)
    )
    weights = [t.prepared.subnet.head.classifier.weight for t in (one, same, other)]
    assert torch.equal(weights[0], weights[1]) and not torch.equal(weights[0], weights[2])
    for name, tensor in given[0].subnet.state_dict().items():
        assert torch.equal(tensor, before[name])


def test_it_stops_when_asked_and_keeps_what_it_learnt(given, tiny_dataset):
    answers = iter([False, False, False, True])
    recipe = FineTuning(epochs=2, batch=50)
    tuned = tuned_by(given, tiny_dataset, recipe, stop=lambda: next(answers))
    assert (tuned.steps, tuned.planned) == (3, 16)
    weights = [p.subnet.head.classifier.weight for p in (given[0], tuned.prepared)]
    assert not torch.equal(*weights)


@pytest.mark.parametrize("aware", [False, True])
def test_the_rate_falls_from_the_recipes_to_nothing(given, tiny_dataset, aware):
    recipe = FineTuning(epochs=2, batch=50, learning_rate=1e-2, quantization_aware=aware)
    with learning_rates() as rates:
        tuned_by(given, tiny_dataset, recipe)
    assert len(rates) == 16 and rates[0] == pytest.approx(1e-2)
    assert np.all(np.diff(rates) < 0)
    assert rates[8] == pytest.approx(5e-3) and 0 < rates[-1] < 2e-4


def test_weight_decay_is_for_kernels_alone(given, tiny_dataset):
    recipe = FineTuning(epochs=1, batch=50)
    one, two = (
        tuned_by(
            given,
            tiny_dataset,
            replace(recipe, weight_decay=decay),
            stop=partial(next, iter([0, 1])),
        ).prepared.subnet
        for decay in (0.0, 0.5)
    )  # fmt: skip
    assert shrunk_alone(one, two) == kernels(one)


def test_each_image_is_flipped_half_of_the_times(given, tiny_dataset, monkeypatch):
    """What goes through the network in ten epochs is each image, or its mirror image."""
    passed = []
    plain = FakeQuantized.plain

    def noting(self, x):
        passed.append(x.numpy().copy())
        return plain(self, x)

    monkeypatch.setattr(FakeQuantized, "plain", noting)
    few = Dataset("few", "", (), tiny_dataset.training.take(slice(0, 100)), tiny_dataset.held_out)
    tuned_by(given, few, FineTuning(epochs=10, batch=50))
    known = given[1]["task"].batch(few.training.images, (1, 12, 12)).numpy()
    rows = {image.tobytes(): row for row, image in enumerate(known)}
    mirrored_rows = {image[:, :, ::-1].tobytes(): row for row, image in enumerate(known)}
    count = {"straight": np.zeros(100), "mirrored": np.zeros(100)}
    for image in np.concatenate(passed):
        way = "straight" if image.tobytes() in rows else "mirrored"
        count[way][(rows if way == "straight" else mirrored_rows)[image.tobytes()]] += 1
    assert (count["straight"] + count["mirrored"] == 10).all()
    assert abs(count["mirrored"].mean() - 5) < 0.5


def test_too_few_images_are_one_sentence(given, tiny_dataset):
    with pytest.raises(InvalidInput, match="400 training images are fewer than one batch of 500"):
        tuned_by(given, tiny_dataset, FineTuning(batch=500))


def test_gains_are_paired_over_images(given, tiny_dataset, monkeypatch):
    """By hand, on four images: one is won, one lost by int8."""
    right = iter([[1, 1, 0, 0], [1, 0, 0, 0], [1, 1, 1, 0], [1, 1, 1, 0]])
    prepared, shared = given
    four = ImageSet(tiny_dataset.held_out.images[:4], tiny_dataset.held_out.labels[:4])
    meter = ScoreMeter(four, **shared)
    monkeypatch.setattr(meter, "objective", lambda model, shape: 100.0 * np.array(next(right)))
    found = effect_of(prepared, prepared, meter, lambda p: b"", "accuracy")
    assert found.before["accuracy:int8"]["value"] == 25 and found.after["accuracy"]["value"] == 75
    gain = found.gain["accuracy:int8"]
    assert gain["value"] == 50
    assert gain["high"] - 50 == pytest.approx(1.96 * 100 * np.sqrt(1 / 3) / 2, rel=1e-3)
    assert found.gain["accuracy_drop:int8"]["value"] == -25


def test_files_can_be_loaded_again_and_name_their_parents(given, tiny_checkpoint, tiny_dataset):
    tuned = tuned_by(given, tiny_dataset, FineTuning(epochs=1, batch=200, quantization_aware=True))
    found = effect(given, tiny_dataset, tuned)
    int8 = tuned.prepared.int8(*given[1].values())
    parents = {"space": "a", "checkpoint": "b"}
    files = fine_tuned_files(
        tuned, found, int8, record=tiny_checkpoint.record, parents=parents
    ).files
    document = json.loads(files["fine_tuning.json"])
    assert document["parents"] == parents and document["recipe"]["quantization_aware"]
    assert document["gain"]["accuracy:int8"] == dict(found.gain["accuracy:int8"])
    supernet = tiny_checkpoint.supernet
    architecture = supernet.space.architecture(document["architecture"])
    again = Subnet(supernet.settings, architecture).eval()
    again.load_state_dict(load(files["subnet.safetensors"]))
    x = torch.randn(3, 1, 12, 12)
    with torch.no_grad():
        expected = tuned.prepared.subnet(x)
        assert torch.equal(again(x), expected)
    onnx = session_of(files["model.onnx"]).run(None, {INPUT: x.numpy()})[0]
    assert np.abs(onnx - expected.numpy()).max() < 1e-4
    rescored = Prepared(architecture, again)
    assert rescored.int8(*given[1].values()) == files["model_int8.onnx"]
