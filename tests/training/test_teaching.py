from dataclasses import replace

import numpy as np
import pytest
import torch
from mixtures import space_of_cells
from volumes import volumetric_space, volumetric_supernet

from foxnas_core.errors import InvalidInput
from foxnas_core.supernet.adapter import supernet_of
from foxnas_core.supernet.recalibration import recalibrate
from foxnas_core.tasks.classification import Classification
from foxnas_core.tasks.dataset import ImageSet
from foxnas_core.tasks.segmentation import Segmentation
from foxnas_core.training.recipe import Recipe
from foxnas_core.training.teaching import taught_by
from foxnas_core.training.updates.sandwich import Sandwich


def test_a_teacher_tells_of_each_case_and_of_its_mirror(tiny_checkpoint, tiny_space, tiny_dataset):
    task = tiny_checkpoint.task
    taught = taught_by(tiny_checkpoint.supernet, task, tiny_dataset).training
    assert taught.taught.shape == (len(taught), 3) and taught.taught.dtype == np.float32
    network = tiny_checkpoint.extract(tiny_space.extreme("largest"))
    shape = network.input_shape
    recalibrate(network, task.batches(taught.images[: task.kept], shape))
    with torch.no_grad():
        plain, mirrored = (
            network(task.batch(images, shape)).numpy()
            for images in (taught.images, taught.images[:, :, ::-1].copy())
        )
    flipped = np.abs(taught.taught - plain).max(1) > 1e-4
    assert 0.3 < flipped.mean() < 0.7  # drawn as in training, half of them
    both = (plain + mirrored) / 2
    assert np.allclose(taught.taught, np.where(flipped[:, None], both, plain), atol=1e-4)
    rows = np.array([5, 3])
    assert (taught.take(rows).taught == taught.taught[rows]).all()
    # Who teaches is neither trained nor recalibrated itself.
    assert tiny_dataset.training.taught is None


def gradient(space, task, images, architecture, weight):
    torch.manual_seed(1)
    update = Sandwich(supernet_of(space).train(), task, Recipe(distillation=weight))
    update.subnets = lambda step: [architecture]
    update.step(0, [images])
    return update.model.head.classifier.weight.grad.clone()


def test_every_subnet_learns_from_the_teacher_the_largest_too(tiny_space, tiny_dataset):
    task = Classification.of(tiny_dataset)
    labels = tiny_dataset.training.take(slice(0, 40))
    sure = 20 * np.eye(3, dtype=np.float32)
    right = replace(labels, taught=sure[labels.labels])
    wrong = replace(labels, taught=sure[(labels.labels + 1) % 3])
    moved = replace(labels, labels=(labels.labels + 1) % 3)
    for which in ("smallest", "largest"):
        own = (tiny_space.extreme(which),)
        by_labels = gradient(tiny_space, task, labels, *own, 0.5)
        close = {"rtol": 1e-4, "atol": 1e-6}
        assert torch.allclose(gradient(tiny_space, task, right, *own, 0.5), by_labels, **close)
        by_others = gradient(tiny_space, task, moved, *own, 0.5)
        assert torch.allclose(gradient(tiny_space, task, wrong, *own, 1.0), by_others, **close)
        half = (by_labels + by_others) / 2
        assert torch.allclose(gradient(tiny_space, task, wrong, *own, 0.5), half, **close)


def test_who_cannot_teach_is_told(tiny_dataset, tiny_checkpoint):
    four = replace(tiny_dataset, classes=("a", "b", "c", "d"))
    with pytest.raises(InvalidInput, match="4 classes"):
        taught_by(tiny_checkpoint.supernet, tiny_checkpoint.task, four)
    space = volumetric_space()
    scans = ImageSet(np.zeros((4, *space.settings["input_shape"]), np.uint8), np.zeros(4, np.int64))
    voxels = replace(scans, labels=scans.images.astype(np.int64))
    dataset = replace(tiny_dataset, classes=("a", "b"), training=voxels, held_out=voxels)
    with pytest.raises(InvalidInput, match="are of places in the case"):
        taught_by(volumetric_supernet(space), Segmentation.of(dataset), dataset)


def test_what_has_no_sizes_is_taught_by_its_reference(tiny_dataset):
    cells = supernet_of(space_of_cells("nasbench201"))
    dataset = replace(tiny_dataset, training=tiny_dataset.training.take(slice(0, 8)))
    taught = taught_by(cells, Classification.of(dataset), dataset)
    assert np.isfinite(taught.training.taught).all()
