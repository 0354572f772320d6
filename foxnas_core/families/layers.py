"""What supernets of cells are built of: an edge with its operations side by side, and how a subnet
takes its tensors from them."""

from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

EDGES = ".edges."


class MixedEdge(nn.ModuleDict):
    """All operations of an edge, by name in their order; None for one that computes nothing.

    Norms have no scale of their own here, which would stand in for the operation's weight (Liu et
    al., arXiv 1806.09055, section 3.1.1).
    """

    def __init__(self, operations: Mapping[str, nn.Module | None]) -> None:
        super().__init__({n: _unscaled(own) for n, own in operations.items() if own is not None})
        self.names = tuple(operations)

    def forward(self, x: Tensor, weights: Tensor | Sequence[float]) -> Tensor | None:
        """(N, C, …) to the sum of what operations make of it, each times its weight; None where
        none takes part."""
        learnt = isinstance(weights, Tensor)
        plain = weights.tolist() if isinstance(weights, Tensor) else weights
        total: Tensor | None = None
        for name, weight, number in zip(self.names, weights, plain, strict=True):
            if number and name in self:
                found = self[name](x)
                found = weight * found if learnt or number != 1 else found
                total = found if total is None else total + found
        return total


def _unscaled(operation: nn.Module) -> nn.Module:
    """The operation with norms that have statistics alone."""
    for parent in operation.modules():
        for name, child in list(parent.named_children()):
            if isinstance(child, _BatchNorm):
                setattr(parent, name, type(child)(child.num_features, affine=False))
    return operation


@torch.no_grad()
def fill(subnet: nn.Module, supernet: nn.Module, operations: Mapping[str, str]) -> None:
    """Give a subnet, whose modules are called as the supernet's, the supernet's tensors.

    `operations` says which of an edge's the subnet has. Norms of operations keep the scale 1 that
    they were built with.
    """
    taken = dict(_taken(supernet.state_dict().items(), operations))
    missing, _ = subnet.load_state_dict(taken, strict=False)
    assert all(EDGES in name for name in missing), missing


def _taken(
    tensors: Iterable[tuple[str, Tensor]], operations: Mapping[str, str]
) -> Iterable[tuple[str, Tensor]]:
    for name, tensor in tensors:
        before, found, rest = name.partition(EDGES)
        if not found:
            yield name, tensor
            continue
        edge, operation, within = rest.split(".", 2)
        if operations.get(edge) == operation:
            yield f"{before}{EDGES}{edge}.{within}", tensor


def place_in_cells(path: str) -> tuple[str, str]:
    """Where a module of a network of `cells` stands, as `Network.place` tells it: in which cell, at
    which edge."""
    first, *rest = path.split(".")
    if first == "cells":
        name, *within = rest
        return name, ".".join(within[1:2] or within) or "add"
    return first, rest[0] if rest else first
