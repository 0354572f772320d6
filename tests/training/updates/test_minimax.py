"""A supernet trained beside a generator: who learns from what, and lamps that forced generators
trip."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from foxnas_core.supernet.adapter import supernet_of
from foxnas_core.tasks.classification import Classification
from foxnas_core.testing.updates import check_update
from foxnas_core.training.adversary.lamps import RULES, collapse, lamps_of
from foxnas_core.training.loop import Batches, steps_of
from foxnas_core.training.recipe import Recipe
from foxnas_core.training.updates.minimax import GameSettings, Minimax

RECIPE = Recipe(epochs=2, batch=40, learning_rate=1e-2, seed=1)
SETTINGS = GameSettings(domains=1, begin=4)


def made(space, dataset, settings=SETTINGS, **given) -> Minimax:
    torch.manual_seed(0)
    return Minimax(
        supernet_of(space).train(), Classification.of(dataset), RECIPE, settings=settings, **given
    )


def gradients(update: Minimax, dataset, number: int) -> dict[str, torch.Tensor]:
    update.step(number, Batches(update, dataset.training).of_step(number))
    named = update.model.named_parameters()
    return {name: p.grad for name, p in named if p.grad is not None}


def told(update: Minimax, cases) -> dict[str, list[float]]:
    return {name: [value] for name, value in update.told_by(cases).items()}


def test_it_keeps_the_contract_while_the_game_is_on(tiny_space, tiny_dataset, tmp_path):
    watch = tiny_dataset.held_out.take(slice(0, 40))
    check_update(
        lambda: made(tiny_space, tiny_dataset, replace(SETTINGS, begin=3), watch=watch),
        tiny_dataset.training.take(slice(0, 160)), tmp_path,
    )  # fmt: skip


def test_readers_learn_before_the_game_and_the_generator_in_it(tiny_space, tiny_dataset):
    before = gradients(made(tiny_space, tiny_dataset), tiny_dataset, 3)
    during = gradients(made(tiny_space, tiny_dataset), tiny_dataset, 4)
    for found, learns, stays in ((before, "guide", "generator"), (during, "generator", "guide")):
        assert any(name.startswith(learns) for name in found)
        assert not any(name.startswith(stays) for name in found)


def test_weights_learn_from_made_images_only_where_that_is_asked(tiny_space, tiny_dataset):
    none, off, on = (
        gradients(made(tiny_space, tiny_dataset, settings), tiny_dataset, 4)
        for settings in (
            replace(SETTINGS, begin=None), SETTINGS, replace(SETTINGS, on_made=True),
        )
    )  # fmt: skip
    own = [name for name in none if name.startswith("supernet")]
    assert own == list(none) and all(torch.equal(none[name], off[name]) for name in own)
    assert any(not torch.equal(off[name], on[name]) for name in own)
    generator = [name for name in off if name.startswith("generator")]
    assert all(torch.equal(off[name], on[name]) for name in generator)


@pytest.fixture(scope="module")
def read(tiny_space, tiny_dataset) -> Minimax:
    """Readers that tell stripes, before any game."""
    update = made(tiny_space, tiny_dataset, replace(SETTINGS, rate=3e-3))
    [architecture] = tiny_space.decode(update._judges()[:1])
    real, _ = update.made(tiny_dataset.training, architecture)
    optimizer, draw = update.optimizers()[1], torch.Generator().manual_seed(0)
    for number in range(130):
        own = slice(number % 10 * 40, number % 10 * 40 + 40)
        optimizer.zero_grad()
        update._read(real[own], tiny_dataset.training.labels[own], draw)
        optimizer.step()
    return update


class Forced(nn.Module):
    """A generator that makes what it is told."""

    def __init__(self, make) -> None:
        super().__init__()
        self.make = make

    def forward(self, pixels, source, target):
        return self.make(pixels)


FORCED = {
    "change": lambda pixels: pixels,
    "meaning": lambda pixels: torch.rand(
        pixels.shape, generator=torch.Generator().manual_seed(0)
    ),
    "diversity": lambda pixels: pixels[:1].expand(pixels.shape).clone(),
}  # fmt: skip


def test_a_training_tells_its_lamps(tiny_space, tiny_dataset):
    task = Classification.of(tiny_dataset)
    update = Minimax.on(supernet_of(tiny_space).train(), task, RECIPE, tiny_dataset)
    steps = steps_of(len(tiny_dataset.training), RECIPE)
    assert update.settings.begin == round(steps / 3) and update.settings.domains == 1
    assert Minimax.told([]) == ("", {})
    said, document = Minimax.told([told(update, tiny_dataset.held_out)])
    assert "lamps" in said and "train for more epochs" in said
    assert [lamp["name"] for lamp in document["lamps"]] == list(RULES)


def test_readers_that_have_learnt_nothing_vouch_for_nothing(tiny_space, tiny_dataset):
    update = made(tiny_space, tiny_dataset)
    lamps = lamps_of(told(update, tiny_dataset.held_out))
    assert "not learnt what images show" in collapse(lamps[1:])


@pytest.mark.parametrize("lamp", FORCED)
def test_identity_noise_and_one_picture_trip_their_lamps(read, tiny_dataset, lamp):
    read.model.generator = Forced(FORCED[lamp])
    lamps = lamps_of(told(read, tiny_dataset.held_out))
    values = {one.name: one for one in lamps}
    assert not values[lamp].is_on, lamps
    if lamp == "change":
        assert values["meaning"].value == 1 and values["harder"].value == 0
        assert values["transport"].value < 1.5
        assert "lamp 'change'" in collapse(lamps)
    assert np.isfinite([one.value for one in lamps]).all()
