"""What every `Update` keeps: steps that follow from their number alone, gradients for what it
trains, the columns it says, and a run that ends as an unbroken one when it was killed."""

import copy
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from foxnas_core.tasks.dataset import ImageSet
from foxnas_core.training.loop import Batches, run
from foxnas_core.training.update import Update


def check_update(make: Callable[[], Update], cases: ImageSet, folder: Path) -> None:
    """Check the update that `make` makes, each time with the same weights, by its recipe on some
    cases; states are kept in `folder`."""
    check_step(make, cases)
    check_resumes(make, cases, folder)


def check_step(make: Callable[[], Update], cases: ImageSet) -> None:
    """One step adds gradients, moves no weight itself, and repeats."""
    gradients = []
    for number in (3, 3):
        update = make()
        assert update.columns[0] == "loss", f"{update.name}: the loss does not come first"
        assert len(update.columns_for(update.task)) == len(update.columns)
        assert isinstance(update.model, update.takes), f"{update.name} takes another model"
        before = copy.deepcopy(list(update.model.parameters()))
        seen = update.step(number, Batches(update, cases).of_step(number))
        assert {column for column, _ in seen} <= set(update.columns), f"{update.name}: a column"
        assert any(column == "loss" for column, _ in seen), f"{update.name} tells no loss"
        for old, new in zip(before, update.model.parameters(), strict=True):
            assert torch.equal(old, new), f"{update.name} moves weights, which the loop does"
        gradients.append([p.grad for p in update.model.parameters()])
        check_groups(update)
    assert any(g is not None and bool(g.any()) for g in gradients[0]), f"{update.name}: no gradient"
    for one, two in zip(*gradients, strict=True):
        same = one is None if two is None else one is not None and torch.equal(one, two)
        assert same, f"{update.name}: a step that does not repeat"


def check_groups(update: Update) -> None:
    """Each parameter to train is in one optimizer, once; norms and biases have no weight decay."""
    own = [g for optimizer in update.optimizers() for g in optimizer.param_groups]
    held = [id(p) for group in own for p in group["params"]]
    assert len(held) == len(set(held)), f"{update.name} trains a parameter twice"
    wanted = {id(p) for p in update.model.parameters() if p.requires_grad}
    assert set(held) == wanted, f"{update.name} leaves out parameters to train"
    for module in update.model.modules():
        if isinstance(module, nn.modules.batchnorm._NormBase):
            norms = {id(p) for p in module.parameters()}
            decayed = {id(p) for g in own if g.get("weight_decay") for p in g["params"]}
            assert not norms & decayed, f"{update.name} shrinks norms to nothing"


def check_resumes(make: Callable[[], Update], cases: ImageSet, folder: Path) -> None:
    """Killed half way and gone on with, it ends with the weights of an unbroken run."""
    whole, state = make(), folder / "state.safetensors"
    done = run(whole, cases)
    assert done.step == done.steps > 1, f"{whole.name}: give a recipe of two steps or more"
    run(make(), cases, state_file=state, stop=lambda step: step >= done.steps // 2)
    resumed = make()
    again = run(resumed, cases, state_file=state, resume=True)
    assert again.step == done.steps
    assert again.epochs == done.epochs, f"{whole.name} tells otherwise of its epochs when gone on"
    expected = whole.model.state_dict()
    for name, tensor in resumed.model.state_dict().items():
        assert torch.equal(tensor, expected[name]), f"{whole.name}: {name} differs when gone on"
