"""Networks with random weights, of whatever family."""

import pkgutil
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from foxnas_core.errors import InvalidInput
from foxnas_core.families import family_of
from foxnas_core.families.family import Place
from foxnas_core.networks import Network
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.table.additive import blocks_of


def build_network(space: SearchSpace, architecture: Architecture, *, seed: int) -> Network:
    """The network of an architecture with random weights, in evaluation mode: for what it costs,
    not for what it knows.

    Raises `InvalidInput` where the space's family builds none.
    """
    builder = family_of(space).network
    if not builder:
        raise InvalidInput(
            f"Architectures of family {space.family!r} can't be built as networks, so nothing can "
            "be measured of them here; import a table of what was measured elsewhere."
        )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return pkgutil.resolve_name(builder)(
            space, space.architecture(architecture.to_dict())
        ).eval()


class BlockNetwork(Network):
    """A block of a network, alone, from what it is given there."""

    def __init__(self, block: nn.Module, input_shape: Sequence[int]) -> None:
        super().__init__()
        self.block, self.input_shape = block, tuple(input_shape)

    def forward(self, x: Tensor) -> Tensor:
        return self.block(x)


def build_blocks(space: SearchSpace, *, seed: int) -> dict[str, BlockNetwork]:
    """Every block of the space's networks, by its name, with random weights.

    Raises `InvalidInput` where networks of the space's family are no chains of blocks.
    """
    places = family_of(space).places(space)
    if not places:
        raise InvalidInput(
            f"Networks of family {space.family!r} are no chains of blocks, so there is nothing to "
            "measure one by one; measure whole networks."
        )
    found: dict[str, BlockNetwork] = {}
    wanted = blocks_of(places)
    for architecture in _covering(space, places):
        filled = [place.block(architecture) for place in places]
        if not {name for name in filled if name} <= found.keys():
            found |= blocks_in(build_network(space, architecture, seed=seed), architecture, places)
    return {name: found[name].eval() for name in wanted}


@torch.no_grad()
def blocks_in(
    network: Network, architecture: Architecture, places: Sequence[Place]
) -> dict[str, BlockNetwork]:
    """The blocks of an architecture's network, by their names."""
    names = [name for place in places if (name := place.block(architecture)) is not None]
    x, found = network.example(), {}
    for name, part in zip(names, network.parts(), strict=True):
        found[name] = BlockNetwork(part, x.shape[1:])
        x = part(x)
    return found


def _covering(space: SearchSpace, places: Sequence[Place]) -> Iterator[Architecture]:
    """Architectures that have every block: few, then for each that is left one."""
    for number in range(max(len(d.choices) for d in space.decisions)):
        yield space.architecture(
            {d.name: d.choices[number % len(d.choices)] for d in space.decisions}
        )
    usual = family_of(space).reference(space).to_dict()
    for place in places:
        for chosen in place.blocks:
            yield space.architecture(usual | dict(zip(place.decisions, chosen, strict=True)))
