from dataclasses import replace

import pytest
import torch
from optimizers import kernels, learning_rates, reached, shrunk_alone

from foxnas_core.errors import InvalidInput
from foxnas_core.evidence.handmade.designs import design_named, plan_of
from foxnas_core.evidence.handmade.networks import HandmadeNetwork
from foxnas_core.supernet.recalibration import recalibrate
from foxnas_core.tasks.classification import Classification
from foxnas_core.tasks.dataset import Dataset
from foxnas_core.training.loop import steps_of
from foxnas_core.training.networks import train_network
from foxnas_core.training.recipe import Recipe

RECIPE = Recipe(epochs=2, batch=40, learning_rate=1e-2, seed=5)  # 10 steps an epoch


def build() -> HandmadeNetwork:
    kind = {"resolution": 12, "stem_stride": 1, "input_channels": 1, "classes": 3, "divisor": 4}
    return HandmadeNetwork(plan_of(design_named("mobilenet-v3-small"), 0.15, **kind))


def run(dataset, path, recipe=RECIPE, name="a", **options):
    torch.set_num_threads(1)
    task = Classification.of(dataset)
    state = path / "state.safetensors"
    network, seconds = train_network(
        build, name, task, dataset, recipe, state_file=state, **options
    )
    assert seconds > 0
    return network


def same(one, two) -> bool:
    a, b = one.state_dict(), two.state_dict()
    return all(torch.equal(a[name], b[name]) for name in a)


def test_training_learns_what_the_labels_say(tiny_dataset, tmp_path):
    told = []
    network = run(tiny_dataset, tmp_path, replace(RECIPE, epochs=12), report=told.append)
    task = Classification.of(tiny_dataset)
    recalibrate(network, task.batches(tiny_dataset.training.images, network.input_shape))
    with torch.no_grad():
        [images] = task.batches(tiny_dataset.held_out.images, network.input_shape)
        right = network(images).argmax(1) == torch.from_numpy(tiny_dataset.held_out.labels)
    assert right.float().mean() > 0.6  # chance is a third
    assert told[-1].done == told[-1].total == 120
    assert told[-1].values["loss"] < told[0].values["loss"]


def test_equal_seeds_give_equal_weights_and_others_do_not(tiny_dataset, tmp_path):
    first = run(tiny_dataset, tmp_path)
    assert same(first, run(tiny_dataset, tmp_path))
    assert not same(first, run(tiny_dataset, tmp_path, replace(RECIPE, seed=6)))


def test_a_killed_training_ends_as_an_unbroken_one(tiny_dataset, tmp_path):
    whole = run(tiny_dataset, tmp_path)
    run(tiny_dataset, tmp_path, stop=reached(13))
    seen = []
    resumed = run(tiny_dataset, tmp_path, report=lambda p: seen.append(p.done), report_every=1)
    assert seen == list(range(14, 21))
    assert same(whole, resumed)


def test_the_schedule_and_weight_decay_are_the_supernets(tiny_dataset, tmp_path):
    with learning_rates() as rates:
        run(tiny_dataset, tmp_path, replace(RECIPE, warmup=0.2))
    assert rates[3] == pytest.approx(0.01) and rates[12] == pytest.approx(0.005)
    one, two = (
        run(tiny_dataset, tmp_path / name, replace(RECIPE, weight_decay=decay), stop=reached(1))
        for name, decay in (("one", 0.0), ("two", 0.5))
    )
    assert shrunk_alone(one, two) == kernels(one)


def test_the_state_of_another_network_is_refused(tiny_dataset, tmp_path):
    run(tiny_dataset, tmp_path, stop=reached(3))
    with pytest.raises(InvalidInput, match="another recipe, space or dataset"):
        run(tiny_dataset, tmp_path, name="b")


def test_too_few_images_are_one_sentence(tiny_dataset, tmp_path):
    few = Dataset(
        "few", "", tiny_dataset.classes, tiny_dataset.training.take(slice(0, 30)),
        tiny_dataset.held_out,
    )  # fmt: skip
    with pytest.raises(InvalidInput, match="30 training images are fewer than one batch of 40"):
        run(few, tmp_path)
    assert steps_of(400, RECIPE) == 20
