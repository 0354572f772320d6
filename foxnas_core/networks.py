"""What networks and supernets are to the rest: contracts that every family, and code of one's own,
keep; and how far a state dict is that of a network."""

from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from foxnas_core.errors import InvalidInput
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.mixture import Mixture
from foxnas_core.space.search_space import SearchSpace

_TOLD = 3  # tensors that are named
MixtureWeights = Mapping[str, Tensor | Sequence[float]]
"""By edge, the weight of each of its operations; an operation of weight 0 is not computed."""


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


class MixtureSupernet(SupernetAdapter):
    """A supernet whose edges have all their operations side by side: Σ softmax(α)·op(x) (Liu et
    al., arXiv 1806.09055, equation 2).

    `alpha` holds the architecture parameters (operations,) of each edge of `mixture`; `shape` is
    that of one case, whatever the architecture.
    """

    alpha: nn.ParameterDict

    def __init__(self, space: SearchSpace, mixture: Mixture, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.space, self.mixture, self.shape = space, mixture, shape
        self.alpha = nn.ParameterDict()
        for edge in mixture.edges:  # one by one, as a mapping would be sorted
            self.alpha[edge.name] = nn.Parameter(torch.zeros(len(edge.operations)))

    def input_shape(self, architecture: Architecture) -> tuple[int, ...]:
        return self.shape

    def weights(self) -> dict[str, Tensor]:
        """The weights that the architecture parameters give, with their gradient."""
        return {name: alpha.softmax(0) for name, alpha in self.alpha.items()}

    def numbers(self) -> dict[str, list[float]]:
        """The same as plain numbers."""
        return {name: weights.tolist() for name, weights in self.weights().items()}

    def mixed(self, x: Tensor, weights: MixtureWeights) -> Tensor:
        """As `forward`, of the mixture by these weights, in which what weighs 0 takes no part."""
        raise NotImplementedError

    def forward(self, x: Tensor, architecture: Architecture) -> Tensor:
        """(N, *input_shape) to (N, …), of the mixture in which each edge has one operation."""
        return self.mixed(x, self.mixture.one_hot(architecture))


def unwrapped(tensors: Mapping[str, Tensor], wanted: Collection[str]) -> dict[str, Tensor]:
    """The tensors by their names without what wrappers put before all of them, such as `module.`
    of DataParallel and `ema.` of a moving average, until some are `wanted`."""
    found = {name: tensor for name, tensor in tensors.items() if name != "n_averaged"}
    while found and not found.keys() & set(wanted):
        heads = {name.partition(".")[0] for name in found}
        if len(heads) > 1 or not all("." in name for name in found):
            return dict(found)
        found = {name.partition(".")[2]: tensor for name, tensor in found.items()}
    return dict(found)


def check_tensors(
    what: str, tensors: Mapping[str, Tensor], wanted: Mapping[str, Tensor], mend: str
) -> None:
    """Raises `InvalidInput`, which begins with `what` they are and ends in how to `mend` it, naming
    tensors that are missing, left over or of another shape than `wanted`, with their shapes."""
    missing = [f"{n!r} ({_sized(t)})" for n, t in wanted.items() if n not in tensors]
    surplus = [f"{n!r} ({_sized(t)})" for n, t in tensors.items() if n not in wanted]
    other = [
        f"{n!r} ({_sized(t)} in place of {_sized(wanted[n])})"
        for n, t in tensors.items()
        if n in wanted and t.shape != wanted[n].shape
    ]
    found = (
        _some("lack", missing, len(wanted)),
        _some("have", other, len(wanted), "of another shape"),
        _some("have", surplus, len(tensors), "too many"),
    )
    if any(found):
        raise InvalidInput(f"{what} {', '.join(filter(None, found))}; {mend}.")


def _some(verb: str, names: list[str], of: int, which: str = "") -> str:
    if not names:
        return ""
    rest = f" and {len(names) - _TOLD:,} more" if len(names) > _TOLD else ""
    counted = " ".join(filter(None, (verb, f"{len(names):,} of {of:,} tensors", which)))
    return f"{counted}: {', '.join(names[:_TOLD])}{rest}"


def _sized(tensor: Tensor) -> str:
    return "×".join(map(str, tensor.shape)) or "one number"
