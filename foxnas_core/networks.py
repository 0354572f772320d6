"""What networks and supernets are to the rest: contracts that every family, and code of one's own,
keep."""

from typing import ClassVar

import torch
from torch import Tensor, nn

from foxnas_core.space.architecture import Architecture
from foxnas_core.space.search_space import SearchSpace


class _Model(nn.Module):
    """What networks and supernets say of themselves to those that train, run and look into them.

    `foreign`: made by code that the user named, so that nothing is known of its inside, and it
    stays in this process. `layout`: how its tensors are laid out best.
    """

    foreign: ClassVar[bool] = False
    layout: ClassVar[torch.memory_format] = torch.contiguous_format

    def decays(self, name: str, parameter: nn.Parameter) -> bool:
        """Whether weight decay is for a parameter: not for norms and biases, which would shrink
        to zero."""
        return parameter.ndim > 1

    def laid_out(self, layout: torch.memory_format) -> None:
        """Lay out all parameters so."""
        self.to(memory_format=layout)  # type: ignore[call-overload]


class Network(_Model):
    """What is measured and exported: (N, *input_shape) to an output for each case, (N, …).

    `input_shape` is that of one case, channels first: (C, H, W) of an image, (C, D, H, W) of a
    volume.
    """

    input_shape: tuple[int, ...]

    def parts(self) -> list[nn.Module]:
        """What a batch passes through, one after another; one whole where that isn't known."""
        return [self]

    def place(self, path: str) -> tuple[str, str] | None:
        """Block and part of the module `path`, a name of `named_modules`; None where the names of
        modules tell."""
        return None

    def example(self, count: int = 1) -> Tensor:
        """Zeros (count, *input_shape)."""
        return torch.zeros(count, *self.input_shape)


class SupernetAdapter(_Model):
    """One set of weights that every architecture of `space` shares.

    Its parameters are those to train, and its `state_dict` is what a checkpoint holds.
    """

    space: SearchSpace

    def input_shape(self, architecture: Architecture) -> tuple[int, ...]:
        """The shape of one case that this architecture takes, as `Network.input_shape`."""
        raise NotImplementedError

    def forward(self, x: Tensor, architecture: Architecture) -> Tensor:
        """(N, *input_shape) to (N, …), as the subnet of `architecture` computes it.

        The architecture is an argument, never state, so that many may read one supernet at once.
        """
        raise NotImplementedError

    def extract(self, architecture: Architecture) -> Network:
        """The subnet with weights of its own, in evaluation mode; the supernet stays as it was.

        Its output equals `forward` for the same architecture in evaluation mode. Its norm
        statistics are the supernet's, which belong to no subnet: recalibrate them before scoring.
        Raises `InvalidInput` where the architecture is not of the space.
        """
        raise NotImplementedError
