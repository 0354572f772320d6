"""Networks of random weights, and the blocks that they are chains of, ready to be measured: what
they cost, which their weights don't change."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch import Tensor

from foxnas_core.measurement.environments import RUNTIMES
from foxnas_core.measurement.kept_models import KeptModels
from foxnas_core.measurement.meter import Prepared
from foxnas_core.measurement.runtimes import write_models
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.supernet.building import build_blocks, build_network
from foxnas_core.table.additive import BLOCK
from foxnas_core.tasks.dataset import ImageSet

# Few, since what the ranges of int8 are changes no time.
_COUNT = 8
CASES = ImageSet(np.zeros((_COUNT, 1, 1), np.uint8), np.zeros(_COUNT, np.int64))
"""What stands for calibration images; `Noise` makes their inputs."""


class Noise:
    """Standard normal inputs, the same each time, in place of cases."""

    def batch(self, inputs: np.ndarray, input_shape: Sequence[int]) -> Tensor:
        generator = torch.Generator().manual_seed(0)
        return torch.randn(len(inputs), *input_shape, generator=generator)


NOISE = Noise()


@dataclass(frozen=True)
class Models:
    """The models that are made before they are timed: ONNX where `onnx`, and those of runtimes that
    convert, by their names, which are kept in `kept`."""

    onnx: bool = False
    converting: tuple[str, ...] = ()
    kept: KeptModels | None = None

    def made_of(self, prepared: list[Prepared]) -> list[Prepared]:
        """The same networks, their models made; one that can't be is told by who times it."""
        for own in prepared if self.onnx else ():
            with suppress(Exception):
                own.int8(CASES, NOISE)
        named = {str(place): own for place, own in enumerate(prepared)}
        for name in self.converting:
            with TemporaryDirectory() as folder:
                write_models(
                    RUNTIMES[name], named, calibration=CASES, task=NOISE,
                    folder=Path(folder), kept=self.kept, refused={},
                )  # fmt: skip
        return prepared


NO_MODELS = Models()


@dataclass(frozen=True)
class RandomNetworks:
    """Builds the networks of architectures; with `models`, these are made of them at once."""

    space: SearchSpace
    seed: int
    models: Models = NO_MODELS

    def __call__(self, architectures: Sequence[Architecture]) -> list[Prepared]:
        return self.models.made_of(
            [Prepared(own, build_network(self.space, own, seed=self.seed)) for own in architectures]
        )


@dataclass(frozen=True)
class RandomBlocks:
    """Builds the blocks of a space's networks; an architecture is a block's, of `block_space`."""

    space: SearchSpace
    seed: int
    models: Models = NO_MODELS

    def __call__(self, architectures: Sequence[Architecture]) -> list[Prepared]:
        names = [str(own[BLOCK]) for own in architectures]
        blocks = build_blocks(self.space, seed=self.seed, names=names)
        return self.models.made_of(
            [Prepared(own, blocks[name]) for own, name in zip(architectures, names, strict=True)]
        )
