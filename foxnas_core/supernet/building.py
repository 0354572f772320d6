"""Networks with random weights, of whatever family."""

import pkgutil
from collections.abc import Iterable, Iterator, Sequence

import torch
from torch import Tensor, nn

from foxnas_core.errors import InvalidInput
from foxnas_core.families import family_of
from foxnas_core.families.family import Place
from foxnas_core.networks import Network
from foxnas_core.space.architecture import Architecture, Value
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


def build_blocks(
    space: SearchSpace, *, seed: int, names: Iterable[str] | None = None
) -> dict[str, BlockNetwork]:
    """Blocks of the space's networks, by their names, with random weights; by default every one.

    Raises `InvalidInput` where networks of the space's family are no chains of blocks.
    """
    places = family_of(space).places(space)
    if not places:
        raise InvalidInput(
            f"Networks of family {space.family!r} are no chains of blocks, so there is nothing to "
            "measure one by one; measure whole networks."
        )
    wanted = blocks_of(places) if names is None else tuple(names)
    found: dict[str, BlockNetwork] = {}
    for architecture in _covering(space, places, set(wanted)):
        own = blocks_in(build_network(space, architecture, seed=seed), architecture, places)
        found |= {name: block for name, block in own.items() if name not in found}
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


def _covering(
    space: SearchSpace, places: Sequence[Place], wanted: set[str]
) -> Iterator[Architecture]:
    """Architectures that have every wanted block between them: in each, as many new ones as go
    together, the first first."""
    usual, missing = family_of(space).reference(space).to_dict(), set(wanted)
    left = [{c: block for c, block in place.blocks.items() if block in wanted} for place in places]
    while missing and any(left):
        taken: dict[str, Value] = {}
        for place, blocks in zip(places, left, strict=True):
            for chosen in list(blocks):
                own = dict(zip(place.decisions, chosen, strict=True))
                if blocks[chosen] not in missing:
                    del blocks[chosen]
                elif all(taken.get(name, choice) == choice for name, choice in own.items()):
                    taken |= own
                    missing.remove(blocks.pop(chosen))
                    break
        yield space.architecture(usual | taken)
