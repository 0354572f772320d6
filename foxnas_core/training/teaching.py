"""A teacher that was trained beforehand: the largest subnet of a supernet, whose predictions a
training imitates beside the labels (Hinton et al., arXiv 1503.02531)."""

from dataclasses import replace

import numpy as np
import torch
from torch import nn

from foxnas_core.errors import InvalidInput
from foxnas_core.families import family_of
from foxnas_core.networks import SupernetAdapter
from foxnas_core.supernet.recalibration import recalibrate
from foxnas_core.tasks.dataset import Dataset
from foxnas_core.tasks.task import Task
from foxnas_core.training.supernets import check_fits

_SEED = 0


@torch.no_grad()
def taught_by(supernet: SupernetAdapter, task: Task, dataset: Dataset) -> Dataset:
    """The dataset with what the supernet's largest subnet says of each training case.

    That is asked once, and not in each step, which would cost as much as training: of a case as it
    is and as the task varies it, and the mean of both kept. Where choices have no sizes, the
    family's reference teaches. Raises `InvalidInput` where it does not take these cases, or where a
    prediction is of places in the case, which vary with it.
    """
    check_fits(supernet, task, dataset)
    network = supernet.extract(family_of(supernet.space).reference(supernet.space))
    if network(network.example(2)).ndim != 2:
        raise InvalidInput(
            f"A teacher's predictions of the task {task.name!r} are of places in the case; only "
            "those of whole cases can be imitated. Leave --teacher out."
        )
    shape, cases = network.input_shape, dataset.training
    recalibrate(network, task.batches(cases.images[: task.kept], shape))
    drawn = task.variation(np.random.default_rng(_SEED), len(cases))
    views = (cases, task.varied(cases, drawn))
    said = [_outputs(network, task, view.images, shape) for view in views]
    return replace(dataset, training=replace(cases, taught=(said[0] + said[1]) / 2))


def _outputs(
    network: nn.Module, task: Task, inputs: np.ndarray, shape: tuple[int, ...]
) -> np.ndarray:
    return np.concatenate([network(batch).numpy() for batch in task.batches(inputs, shape)])
