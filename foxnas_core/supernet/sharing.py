"""Subnets that begin alike, run together: what they have in common is computed once.

The stem, and the first blocks of a stage, work on the largest images and are among the costliest
parts; of a dozen random subnets many share them.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn

from foxnas_core.networks import Network
from foxnas_core.supernet.onnx import (
    INPUT,
    NOT_WRITTEN,
    onnx_model,
    onnx_of_parts,
    session_of,
)
from foxnas_core.supernet.recalibration import Averaging


@dataclass(frozen=True)
class Branch:
    """Parts `start` to `stop` - 1, which the subnets `members` have in common."""

    start: int
    stop: int
    members: tuple[int, ...]
    children: tuple["Branch", ...]


def branches(paths: Sequence[Sequence[str]]) -> tuple[Branch, ...]:
    """The tree of sequences by their common beginnings, each branch as long as it can be."""
    return _branches(paths, tuple(range(len(paths))), 0)


def _branches(
    paths: Sequence[Sequence[str]], members: tuple[int, ...], start: int
) -> tuple[Branch, ...]:
    groups: dict[str, list[int]] = {}
    for member in members:
        if len(paths[member]) > start:
            groups.setdefault(paths[member][start], []).append(member)
    found = []
    for group in groups.values():
        stop = start + 1
        while len({tuple(paths[m][stop : stop + 1]) for m in group}) == 1 and (
            len(paths[group[0]]) > stop
        ):
            stop += 1
        own = tuple(group)
        found.append(Branch(start, stop, own, _branches(paths, own, stop)))
    return tuple(found)


class SharedSessions:
    """Subnets of one input shape in ONNX Runtime, one session for each branch of their tree."""

    def __init__(self, subnets: Sequence[Network]) -> None:
        self._count = len(subnets)
        try:
            self._prepare([subnet.parts() for subnet in subnets], subnets[0].input_shape)
        except NOT_WRITTEN:  # of parts; whole subnets are exported by torch
            self._prepare([[subnet] for subnet in subnets], subnets[0].input_shape)

    def _prepare(self, parts: Sequence[Sequence[nn.Module]], own_shape: tuple[int, ...]) -> None:
        self._tree = branches([[_key(part) for part in own] for own in parts])
        self._sessions: dict[tuple[int, ...], onnxruntime.InferenceSession] = {}
        for branch in _all(self._tree):
            own = parts[branch.members[0]][branch.start : branch.stop]
            if isinstance(own[0], Network):
                model = onnx_model(own[0])
            else:
                free = [None] * len(own_shape)
                model = onnx_of_parts(own, ["batch", *free])
            self._sessions[_name(branch)] = session_of(model)

    def logits(self, batch: np.ndarray) -> list[np.ndarray]:
        """A batch (N, *input_shape) to each subnet's output (N, …), equal to that of the whole
        model to rounding."""
        found: dict[int, np.ndarray] = {}

        def run(branch: Branch, x: np.ndarray) -> None:
            y = self._sessions[_name(branch)].run(None, {INPUT: x})[0]
            for child in branch.children:
                run(child, y)
            if not branch.children:
                found.update(dict.fromkeys(branch.members, y))

        for branch in self._tree:
            run(branch, batch)
        return [found[i] for i in range(self._count)]


@torch.no_grad()
def recalibrate_together(subnets: Sequence[Network], batches: Iterable[Tensor]) -> None:
    """As `recalibrate` each of these subnets, of one input shape and from one supernet.

    Raises `ValueError` as that.
    """
    parts = [subnet.parts() for subnet in subnets]
    tree = branches([[_key(part) for part in own] for own in parts])

    def run(branch: Branch, x: Tensor) -> None:
        for part in parts[branch.members[0]][branch.start : branch.stop]:
            x = part(x)
        for child in branch.children:
            run(child, x)

    layout = subnets[0].layout
    for subnet in subnets:
        subnet.eval().laid_out(layout)
    with Averaging() as averaging:
        for batch in batches:
            for branch in tree:
                run(branch, batch.contiguous(memory_format=layout))
            averaging.batches += 1
    for subnet in subnets:
        subnet.laid_out(torch.contiguous_format)
    if not averaging.batches:
        raise ValueError("Recalibration needs at least one batch of images.")
    for branch in _all(tree):
        for place in range(branch.start, branch.stop):
            state = parts[branch.members[0]][place].state_dict()
            for member in branch.members[1:]:
                parts[member][place].load_state_dict(state)


def _key(part: nn.Module) -> str:
    """Equal for parts that compute the same; a module whose code is not known equals itself."""
    if isinstance(part, Network):
        return str(id(part))
    digest = hashlib.sha256(repr(part).encode())
    for tensor in part.state_dict().values():
        digest.update(tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()


def _all(tree: Sequence[Branch]) -> Iterator[Branch]:
    for branch in tree:
        yield branch
        yield from _all(branch.children)


def _name(branch: Branch) -> tuple[int, ...]:
    return (branch.start, *branch.members)
