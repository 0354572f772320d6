"""What each of two processes under torchrun does: `FOLDER ARGUMENTS…`.

A supernet, a mixture and a distribution over subnets are trained, and `out.json` in the folder
tells what they came to; then the program runs with these arguments.
"""

import json
import sys
from pathlib import Path

import torch
from conftest import stripes, tiny_document
from mixtures import space_of_cells
from torch import distributed
from training.updates import test_fpnas as fpnas

from foxnas_core.__main__ import main
from foxnas_core.families import space_from_dict
from foxnas_core.tasks.classification import Classification
from foxnas_core.tasks.dataset import Dataset
from foxnas_core.training.distributed import average_gradients, is_first
from foxnas_core.training.loop import run
from foxnas_core.training.recipe import Recipe
from foxnas_core.training.supernets import train

DATASET = Dataset("stripes", "", ("a", "b", "c"), stripes(1600, 1), stripes(9))
TASK = Classification.of(DATASET)
RECIPE = Recipe(6, 320, 1e-2)
EVERY = 3


def of_both(own):
    gathered = [None, None]
    distributed.all_gather_object(gathered, own)
    return gathered


def averaged() -> list[list[float]]:
    """Of the gradients 1 and 3."""
    own = torch.nn.Linear(2, 1)
    own.weight.grad = torch.full((1, 2), 1.0 + 2 * distributed.get_rank())
    average_gradients(own, 2)
    return own.weight.grad.tolist()


def mixture(folder: Path) -> dict:
    cells = space_of_cells("nasbench201", resolution=12)
    trained = train(
        cells, TASK, DATASET, Recipe(1, 80, 0.02), update="darts", state_file=folder / "mixture"
    ).supernet
    sums = of_both([p.detach().double().sum().item() for p in trained.parameters()])
    return {"sums": sums, "alpha": [a.tolist() for a in trained.alpha.values()]}


def drawn(space) -> list:
    update = fpnas.made(space, DATASET)
    run(update, DATASET.training.take(slice(0, 160)))
    kept = [step.k for step in update.steps]
    return of_both([update.sampler.draw().tolist(), kept, update.sampler.temper])


def both(folder: Path, arguments: list[str]) -> None:
    torch.set_num_threads(1)
    space = space_from_dict(tiny_document())
    state = folder / "supernet"
    trained = train(space, TASK, DATASET, RECIPE, state_file=state, report_every=EVERY)
    found = {"averaged": averaged(), **mixture(folder), "drawn": drawn(space)}
    if is_first():
        (folder / "out.json").write_text(json.dumps(trained.record | found))
    assert main(arguments) == 0  # which leaves the group


if __name__ == "__main__":
    both(Path(sys.argv[1]), sys.argv[2:])
