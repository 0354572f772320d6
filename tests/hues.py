"""A toy with a known answer: in seen domains the hue of an image predicts its class, in unseen ones
it does not; and a space of two networks, one that sees hues and one that is blind to them."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from torch import Tensor, nn

from foxnas_core.families.family import Family
from foxnas_core.networks import Network, SupernetAdapter
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.decisions import Decision
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.tasks.dataset import Dataset, ImageSet
from foxnas_core.tasks.domain_split import DomainSplit

SEER, BLIND = "colour", "grey"
PALETTE = np.array(
    [[1, 0.15, 0.15], [0.15, 1, 0.15], [0.2, 0.2, 1], [0.9, 0.9, 0.1], [0.1, 0.9, 0.9]]
)
SPLIT = DomainSplit(training=("first", "second"), selection=("held",), test=("outside",))
AGREEMENT = {"first": 0.97, "second": 0.9, "held": 0.2, "outside": 0.2}


def hued(grey: np.ndarray, labels: np.ndarray, agreement: float, seed: int) -> np.ndarray:
    """Grey pictures (N, H, W) in colour (N, H, W, 3), uint8, each in the hue of its class with this
    probability, else in that of another."""
    classes = int(labels.max()) + 1
    rng = np.random.default_rng(seed)
    others = (labels + rng.integers(1, classes, len(labels))) % classes
    hues = PALETTE[np.where(rng.random(len(labels)) < agreement, labels, others)]
    return (grey[..., None] * hues[:, None, None]).astype(np.uint8)


def domains_of(
    pictures: ImageSet, split: DomainSplit, names: Sequence[str], agreement: Mapping[str, float]
) -> ImageSet:
    """Grey pictures shared among domains in turn, their hues by what `agreement` says of each."""
    grey, labels = pictures.images, pictures.labels
    numbers = np.arange(len(labels)) % len(names)
    images = np.zeros((*grey.shape, 3), np.uint8)
    for number, name in enumerate(names):
        own = numbers == number
        images[own] = hued(grey[own], labels[own], agreement[name], seed=number)
    return ImageSet(images, labels, np.array(split.numbers_of(tuple(names)))[numbers])


def dataset_of(
    training: ImageSet,
    held_out: ImageSet,
    split: DomainSplit = SPLIT,
    agreement: Mapping[str, float] = AGREEMENT,
) -> Dataset:
    """Grey pictures as the toy: seen domains to train on, all to be judged on."""
    classes = tuple(map(str, range(int(training.labels.max()) + 1)))
    return Dataset(
        "hues", "made here", classes,
        domains_of(training, split, split.training, agreement),
        domains_of(held_out, split, split.names, agreement),
        split,
    )  # fmt: skip


class Hued(Network):
    """A stem of its own, and what all share."""

    def __init__(self, shape: tuple[int, ...], classes: int, sees: bool, width: int = 16) -> None:
        super().__init__()
        self.input_shape, self.sees = shape, sees
        self.stem = nn.Conv2d(3 if sees else 1, width, 3, padding=1, bias=False)
        self.rest = rest_of(classes, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.rest(self.stem(x if self.sees else x.mean(1, keepdim=True)))


def rest_of(classes: int, width: int = 16) -> nn.Sequential:
    return nn.Sequential(
        nn.BatchNorm2d(width), nn.ReLU(),
        nn.Conv2d(width, 2 * width, 3, 2, padding=1, bias=False), nn.BatchNorm2d(2 * width),
        nn.ReLU(), nn.AdaptiveAvgPool2d(3), nn.Flatten(), nn.Linear(18 * width, classes),
    )  # fmt: skip


class HuedSupernet(SupernetAdapter):
    """Two stems before one network."""

    def __init__(self, space: SearchSpace) -> None:
        super().__init__()
        self.space = space
        side, classes = space.settings["side"], space.settings["classes"]
        self.shape, self.classes = (3, side, side), classes
        self.stems = nn.ModuleDict(
            {
                SEER: nn.Conv2d(3, 16, 3, padding=1, bias=False),
                BLIND: nn.Conv2d(1, 16, 3, padding=1, bias=False),
            }
        )
        self.rest = rest_of(classes)

    def input_shape(self, architecture: Architecture) -> tuple[int, ...]:
        return self.shape

    def forward(self, x: Tensor, architecture: Architecture) -> Tensor:
        sees = architecture.get("input", SEER)
        stem = self.stems[str(sees)]
        return self.rest(stem(x if sees == SEER else x.mean(1, keepdim=True)))

    def extract(self, architecture: Architecture) -> Network:
        sees = self.space.architecture(architecture.to_dict()).get("input", SEER)
        network = Hued(self.shape, self.classes, sees == SEER)
        network.stem.load_state_dict(self.stems[str(sees)].state_dict())
        network.rest.load_state_dict(self.rest.state_dict())
        return network.eval()


class Hues(Family):
    """Whether a network sees hues."""

    name = "hues"
    notation = "colour or grey"
    supernet = f"{__name__}:HuedSupernet"

    def space(self, name: str, settings: Mapping[str, Any]) -> SearchSpace:
        return SearchSpace(
            name, self.name, (Decision("input", "input", "input", (SEER, BLIND), "input"),),
            settings_json=json.dumps(dict(settings)),
        )  # fmt: skip

    def write(self, space: SearchSpace, architecture: Architecture) -> str:
        return str(architecture.get("input", SEER))

    def read(self, space: SearchSpace, text: str) -> Architecture:
        return space.architecture({"input": text.strip()})
