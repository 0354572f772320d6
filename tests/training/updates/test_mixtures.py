"""What steps on a mixture of operations learn from, and what they leave alone."""

import pytest
import torch
from mixtures import CELLS, mixture_of, space_of_cells

from foxnas_core.errors import InvalidInput
from foxnas_core.tasks.classification import Classification
from foxnas_core.training.loop import Batches
from foxnas_core.training.recipe import Recipe
from foxnas_core.training.supernets import score_of, train
from foxnas_core.training.updates.mixtures import DARTS, FixedMixture
from foxnas_core.training.updates.single_path import SinglePath

RECIPE = Recipe(1, 40, 0.025, 3e-4, 0.0, seed=1)


@pytest.mark.parametrize("family", CELLS)
def test_weights_and_architecture_parameters_learn_from_different_cases(family, tiny_dataset):
    """Each one's gradient is that of its own half's loss alone."""
    supernet = mixture_of(family).train()
    task = Classification.of(tiny_dataset)
    update = DARTS(supernet, task, RECIPE)
    training, searching = Batches(update, tiny_dataset.training).of_step(0)
    assert not {i.tobytes() for i in training.images} & {i.tobytes() for i in searching.images}
    update.step(0, [training, searching])
    found = {n: p.grad for n, p in supernet.named_parameters()}
    supernet.zero_grad()
    for part, mine in ((training, False), (searching, True)):
        outputs = supernet.mixed(task.batch(part.images, supernet.shape), supernet.weights())
        supernet.zero_grad()
        task.loss(outputs, part.labels).backward()
        for name, parameter in supernet.named_parameters():
            if name.startswith("alpha") == mine:
                assert torch.allclose(found[name], parameter.grad, atol=1e-5), name


def test_a_fixed_mixture_moves_weights_alone(tiny_dataset):
    supernet = mixture_of("nasbench201").train()
    update = FixedMixture(supernet, Classification.of(tiny_dataset), RECIPE)
    update.step(0, Batches(update, tiny_dataset.training).of_step(0))
    reached = {n.split(".")[0] for n, p in supernet.named_parameters() if p.grad is not None}
    assert reached == {"stem", "cells", "last", "classifier"}


def test_a_single_path_trains_what_a_cell_has_and_no_more(tiny_dataset):
    supernet = mixture_of("nasbench201").train()
    update = SinglePath(supernet, Classification.of(tiny_dataset), RECIPE)
    [architecture] = update.subnets(0)
    assert update.subnets(0) == [architecture] != update.subnets(1)
    update.step(0, Batches(update, tiny_dataset.training).of_step(0))
    for name, parameter in supernet.named_parameters():
        edge, _, operation = name.partition(".edges.")[2].partition(".")
        if edge and architecture[edge] != operation.split(".")[0]:
            assert parameter.grad is None, name


def test_a_mixture_learns_and_so_do_its_parameters(tiny_dataset, tmp_path):
    space = space_of_cells("nasbench201", channels=4, resolution=8)
    task = Classification.of(tiny_dataset)
    trained = train(
        space, task, tiny_dataset, Recipe(4, 20, 0.05, 3e-4, 0.0), update="darts",
        state_file=tmp_path / "state",
    )  # fmt: skip
    [*_, last] = trained.record["history"]["rows"]
    assert trained.record["history"]["columns"] == ["step", "loss", "search_loss"]
    assert last[1] < 1.0 and last[2] < 1.0  # chance is 1.1
    assert all(alpha.std() > 1e-3 for alpha in trained.supernet.alpha.values())
    epochs = trained.record["epochs"]
    assert [own["epoch"] for own in epochs] == [1, 2, 3, 4]
    for name, weights in trained.supernet.numbers().items():
        assert epochs[-1][name] == pytest.approx(weights, abs=1e-4) != epochs[0][name]
    scores = score_of(trained.supernet, space.sample(1, seed=0)[0], task, tiny_dataset)
    assert scores["accuracy"].std_error > 0


def test_a_supernet_that_mixes_nothing_is_not_trained_so(tiny_space, tiny_dataset, tmp_path):
    with pytest.raises(InvalidInput, match="'darts' trains a mixture of operations"):
        train(
            tiny_space, Classification.of(tiny_dataset), tiny_dataset, RECIPE, update="darts",
            state_file=tmp_path / "state",
        )  # fmt: skip
