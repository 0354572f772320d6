"""Every update of ours keeps its contract."""

import pytest
import torch
from mixtures import space_of_cells

from foxnas_core.errors import InvalidInput
from foxnas_core.networks import MixtureSupernet, Network
from foxnas_core.supernet.adapter import supernet_of
from foxnas_core.tasks.classification import Classification
from foxnas_core.testing.updates import check_step, check_update
from foxnas_core.training.recipe import Recipe
from foxnas_core.training.supernets import train
from foxnas_core.training.updates import register_update, update_named, updates
from foxnas_core.training.updates.sandwich import Sandwich

RECIPE = Recipe(epochs=1, batch=40, learning_rate=1e-2, largest_share=0.5, seed=1)


def maker(kind, space, dataset):
    """The update with the same weights each time."""

    def make():
        torch.manual_seed(0)
        own = space_of_cells("nasbench201") if kind.takes is MixtureSupernet else space
        model = supernet_of(own)
        if kind.takes is Network:
            model = model.extract(space.extreme("largest"))
        return kind(model.train(), Classification.of(dataset), RECIPE)

    return make


@pytest.mark.parametrize("name", updates())
def test_an_update_keeps_its_contract(name, tiny_space, tiny_dataset, tmp_path):
    torch.set_num_threads(1)
    check_update(
        maker(update_named(name), tiny_space, tiny_dataset), tiny_dataset.training, tmp_path
    )


class Restless(Sandwich):
    """Breaks the contract: it steps itself."""

    name = "restless"

    def step(self, number, parts):
        seen = super().step(number, parts)
        with torch.no_grad():
            self.model.head.classifier.weight.add_(1)
        return seen


def test_the_suite_finds_a_broken_update(tiny_space, tiny_dataset):
    with pytest.raises(AssertionError, match="restless moves weights"):
        check_step(maker(Restless, tiny_space, tiny_dataset), tiny_dataset.training)


class LargestAlone(Sandwich):
    """One from outside: the largest subnet and no other."""

    name = "largest-alone"

    def subnets(self, step):
        return [self.model.space.extreme("largest")]


def test_an_update_from_outside_trains_by_its_name(tiny_space, tiny_dataset, tmp_path, monkeypatch):
    monkeypatch.setattr("foxnas_core.training.updates._updates", {"sandwich": Sandwich})
    register_update(LargestAlone)
    assert updates() == ("sandwich", "largest-alone")
    task, state = Classification.of(tiny_dataset), tmp_path / "state"
    given = tiny_space, task, tiny_dataset, RECIPE
    trained = train(*given, update="largest-alone", state_file=state, stop=lambda step: step >= 2)
    assert trained.record["update"] == "largest-alone"
    with pytest.raises(InvalidInput, match="another recipe"):
        train(*given, state_file=state, resume=True)
    with pytest.raises(InvalidInput, match="an update 'sandwich' already"):
        register_update(type("Other", (Sandwich,), {}))
    with pytest.raises(InvalidInput, match="no update 'single'; known: sandwich, largest-alone"):
        train(*given, update="single", state_file=state)
