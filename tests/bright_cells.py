"""Supernets of cells that know bright images from dark ones, built so that the answer is known."""

from pathlib import Path

import numpy as np
import torch
from cell_study import true_values
from mixtures import mixture_of
from torch import nn

from foxnas_core.methods import Question, method_of
from foxnas_core.methods.perturbation import Perturbation
from foxnas_core.methods.selecting import select_kept
from foxnas_core.study import Study, create_study
from foxnas_core.supernet.checkpoint import save_checkpoint
from foxnas_core.tasks.dataset import ImageSet

SIDE = 8
SIGNAL = "edge_0_3"
RECORD = {
    "task": "classification", "pixel_mean": 0.5, "pixel_std": 0.25, "classes": ["dark", "bright"],
    "dataset": "brightness", "update": "darts", "recipe": {"learning_rate": 0.025, "batch": 16},
}  # fmt: skip


def brightness(count: int, seed: int) -> ImageSet:
    """Images whose class is whether they are bright."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, count)
    pixels = 60 + 130 * labels[:, None, None] + rng.normal(0, 15, (count, SIDE, SIDE))
    return ImageSet(pixels.clip(0, 255).astype(np.uint8), labels)


@torch.no_grad()
def signalling(supernet):
    """Only the 3×3 convolution of one edge hands brightness on to the channel that is classified,
    and the architecture parameters prefer a skip everywhere."""
    for name, parameter in supernet.named_parameters():
        if parameter.ndim > 1:
            nn.init.zeros_(parameter)
        elif "alpha" in name:
            parameter.copy_(torch.tensor([0.0, 2.0, 0.0, 0.0, 0.0]))
    for module in supernet.modules():
        if isinstance(module, nn.BatchNorm2d) and module.affine:
            module.reset_parameters()
    supernet.stem[0].weight[0, 0, 1, 1] = 1
    for name, cell in supernet.cells.items():
        if name.startswith("reduce"):
            nn.init.eye_(cell.shortcut[1].weight[:, :, 0, 0])
        else:
            cell.edges[SIGNAL]["nor_conv_3x3"][1].weight[1, 0, 1, 1] = 1
    supernet.classifier.weight[1, 1] = 1
    supernet.classifier.bias.copy_(torch.tensor([0.1, 0.0]))
    return supernet


def study_of(folder, supernet, **record) -> Study:
    study = create_study(folder, supernet.space, name="Brightness")
    save_checkpoint(study.checkpoint_file, supernet, RECORD | record)
    study.save_images(brightness(32, 1), brightness(80, 2))
    return study


def selected_study(folder: Path, *, seeds: int = 2, rows: int = 150) -> Study:
    """Such a study, with the course of a training in which the skip takes over, selections by
    perturbation in orders of so many seeds and one by magnitude, and measured cells, whose
    accuracies are those of `cell_study`."""
    supernet = signalling(mixture_of("nasbench201", classes=2, resolution=SIDE))
    epochs = [
        {"epoch": epoch} | {
            edge.name: [0.1, 0.1 + share, 0.1, 0.6 - share, 0.1] for edge in supernet.mixture.edges
        }
        for epoch, share in enumerate((0.0, 0.2, 0.3, 0.4), 1)
    ]  # fmt: skip
    study = study_of(folder, supernet, epochs=epochs)
    question = Question("accuracy")
    for seed in range(seeds):
        select_kept(study, Perturbation(epochs=0, images=40), question, seed=seed)
    select_kept(study, method_of("magnitude"), question)
    architectures = study.space.sample(rows, seed=0)
    truth = true_values(study.space.encode(architectures))["accuracy"]
    study.append(architectures, [{"accuracy": float(value)} for value in truth])
    return study
