"""One set of weights for all cells: on every edge all operations side by side."""

import torch
from torch import Tensor, nn

from foxnas_core.families.layers import MixedEdge, fill
from foxnas_core.families.nasbench201.network import OPERATION, Cell, CellNetwork, surround
from foxnas_core.families.nasbench201.space import (
    MIXTURE,
    NONE,
    OPERATIONS,
    input_shape,
    settings_of,
)
from foxnas_core.networks import MixtureSupernet, MixtureWeights
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.search_space import SearchSpace


class CellSupernet(MixtureSupernet):
    """The network around mixtures; all its cells share the architecture parameters."""

    stem: nn.Module
    cells: nn.ModuleDict
    last: nn.Module
    classifier: nn.Module
    layout = torch.channels_last

    def __init__(self, space: SearchSpace) -> None:
        how = settings_of(space)
        super().__init__(space, MIXTURE, input_shape(how))
        surround(self, how, self._cell)

    def _cell(self, width: int) -> Cell:
        def made() -> MixedEdge:
            return MixedEdge({n: OPERATION[n](width) if n != NONE else None for n in OPERATIONS})

        return Cell(nn.ModuleDict({edge.name: made() for edge in self.mixture.edges}))

    def mixed(self, x: Tensor, weights: MixtureWeights) -> Tensor:
        x = self.stem(x)
        for cell in self.cells.values():
            x = cell.mixed(x, weights) if isinstance(cell, Cell) else cell(x)
        return self.classifier(self.last(x))

    def extract(self, architecture: Architecture) -> CellNetwork:
        architecture = self.space.architecture(architecture.to_dict())
        subnet = CellNetwork(self.space, architecture)
        fill(subnet, self, {name: str(own) for name, own in architecture.to_dict().items()})
        return subnet.eval()
