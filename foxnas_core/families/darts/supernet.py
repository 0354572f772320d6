"""One set of weights for all cells of DARTS: on every edge all operations side by side."""

import torch
from torch import Tensor, nn

from foxnas_core.families.darts.network import OPERATION, DARTSNetwork, stride, surround, through
from foxnas_core.families.darts.space import MIXTURE, OPERATIONS, input_shape, settings_of
from foxnas_core.families.layers import MixedEdge, fill
from foxnas_core.networks import MixtureSupernet, MixtureWeights
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.search_space import SearchSpace


class DARTSSupernet(MixtureSupernet):
    """The network around mixtures; normal cells share their architecture parameters, and those that
    reduce share theirs."""

    layout = torch.channels_last

    def __init__(self, space: SearchSpace) -> None:
        how = settings_of(space)
        super().__init__(space, MIXTURE, input_shape(how))
        surround(self, how, self._edges)

    def _edges(self, kind: str, width: int) -> nn.ModuleDict:
        found = nn.ModuleDict()
        for edge in self.mixture.edges:
            cell, source, _ = edge.name.split("_")
            if cell == kind:
                step = stride(kind, int(source))
                found[edge.name] = MixedEdge(
                    {n: OPERATION[n](width, step) if n in OPERATION else None for n in OPERATIONS}
                )
        return found

    def mixed(self, x: Tensor, weights: MixtureWeights) -> Tensor:
        return through(self, x, weights)

    def extract(self, architecture: Architecture) -> DARTSNetwork:
        architecture = self.space.architecture(architecture.to_dict())
        subnet = DARTSNetwork(self.space, architecture)
        fill(subnet, self, {name: str(own) for name, own in architecture.to_dict().items()})
        return subnet.eval()
