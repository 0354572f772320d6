"""Networks with random weights, of whatever family."""

import pkgutil

import torch

from foxnas_core.errors import InvalidInput
from foxnas_core.families import family_of
from foxnas_core.networks import Network
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.search_space import SearchSpace


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
