"""One set of weights for all volumetric networks: in every cell all three ways side by side."""

from torch import Tensor, nn

from foxnas_core.families.layers import MixedEdge, fill
from foxnas_core.families.volumetric.network import VolumetricNetwork, operation, surround, through
from foxnas_core.families.volumetric.space import (
    CHOICES,
    CellPlan,
    input_shape,
    mixture_of,
    plan_of,
)
from foxnas_core.networks import MixtureSupernet, MixtureWeights
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.search_space import SearchSpace


class VolumetricSupernet(MixtureSupernet):
    """The network around mixtures; every cell has architecture parameters of its own."""

    def __init__(self, space: SearchSpace) -> None:
        plan = plan_of(space)
        super().__init__(space, mixture_of(space), input_shape(plan.how))
        self.plan = plan
        surround(self, plan, _mixture)

    def mixed(self, x: Tensor, weights: MixtureWeights) -> Tensor:
        return through(self, self.plan, x, lambda cell, value: cell.mixed(value, weights))

    def extract(self, architecture: Architecture) -> VolumetricNetwork:
        architecture = self.space.architecture(architecture.to_dict())
        subnet = VolumetricNetwork(self.space, architecture)
        fill(subnet, self, {name: str(own) for name, own in architecture.to_dict().items()})
        return subnet.eval()


def _mixture(cell: CellPlan) -> nn.Module:
    return MixedEdge({choice: operation(choice, cell.width) for choice in CHOICES})
