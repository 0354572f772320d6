"""Parameters and multiply-accumulate operations."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

from foxnas_core.measurement.meter import Prepared
from foxnas_core.supernet.subnet import Network


class CostMeter:
    """Parameters, and MACs for one image by torch's own formulas (half its FLOPs).

    Both are those of the operations that the image passes through: a parameter that a subnet
    carries but does not use, and what is computed of parameters alone, count for nothing. So a
    supernet set to a subnet costs the same as the subnet extracted from it.
    """

    on_device = False

    def measure(self, subnets: Sequence[Prepared]) -> list[dict[str, float]]:
        return [cost_of(prepared.subnet) for prepared in subnets]

    def record(self) -> dict[str, Any]:
        return {}


@torch.no_grad()
def cost_of(network: Network) -> dict[str, float]:
    """`parameters` and `macs` of one image of the network's resolution."""
    image = torch.zeros(1, network.input_channels, network.resolution, network.resolution)
    with _Counter(list(network.parameters()), image) as counter:
        network(image)
    return {"parameters": float(counter.parameters), "macs": counter.flops / 2}


class _Counter(TorchDispatchMode):
    """Follows which tensors come of the image, and which of parameters alone."""

    def __init__(self, parameters: Sequence[Tensor], image: Tensor) -> None:
        super().__init__()
        self.parameters, self.flops = 0, 0.0
        # Tensors are kept, so that no id is given anew.
        self._weights = {id(p): p for p in parameters}
        self._data = {id(image): image}
        self._counted: set[tuple[int, torch.Size]] = set()

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        taken = [x for x in tree_leaves((args, kwargs)) if isinstance(x, Tensor)]
        given = [x for x in tree_leaves(result) if isinstance(x, Tensor)]
        weights = [x for x in taken if id(x) in self._weights]
        if any(id(x) in self._data for x in taken):
            self._data |= {id(x): x for x in given}
            for weight in weights:
                self._count(weight)
            packet = getattr(func, "_overloadpacket", None)
            if packet in flop_registry:
                self.flops += flop_registry[packet](*args, **kwargs, out_val=result)
        elif weights:
            self._weights |= {id(x): x for x in given}
        return result

    def _count(self, weight: Tensor) -> None:
        place = (weight.data_ptr(), weight.shape)
        if place not in self._counted:
            self._counted.add(place)
            self.parameters += weight.numel()
