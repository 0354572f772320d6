"""Parameters and multiply-accumulate operations."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

from foxnas_core.measurement.meter import Prepared
from foxnas_core.networks import Network


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
    counts = _counted(network)
    return {
        "parameters": float(sum(c.parameters for c in counts.values())),
        "macs": sum(c.macs for c in counts.values()),
    }


@dataclass
class ModuleCost:
    """What one module itself, not those inside it, does to one image: the shapes of what it takes
    first and gives last, without the batch; parameters and MACs."""

    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    parameters: int = 0
    macs: float = 0.0


@torch.no_grad()
def costs_by_module(network: Network) -> dict[str, ModuleCost]:
    """By the names of `named_modules`, in order of computation: modules that operate on the image.

    They add up to `cost_of`. A parameter that several modules use counts for the first.
    """
    within: list[str] = [""]

    def enter(name: str) -> Callable[..., None]:
        return lambda *_: within.append(name)

    def leave(*_: Any) -> None:
        within.pop()

    hooks = []
    for name, module in network.named_modules():
        hooks.append(module.register_forward_pre_hook(enter(name)))
        hooks.append(module.register_forward_hook(leave))
    try:
        return _counted(network, lambda: within[-1])
    finally:
        for hook in hooks:
            hook.remove()


def _counted(network: Network, place: Callable[[], str] = str) -> dict[str, ModuleCost]:
    image = network.example()
    with _Counter(list(network.parameters()), image, place) as counter:
        network(image)
    return counter.costs


class _Counter(TorchDispatchMode):
    """Follows which tensors come of the image, and which of parameters alone.

    What is counted goes to the `place` that is told at that moment.
    """

    def __init__(
        self, parameters: Sequence[Tensor], image: Tensor, place: Callable[[], str]
    ) -> None:
        super().__init__()
        self.costs: dict[str, ModuleCost] = {}
        self._place = place
        # Tensors are kept, so that no id is given anew.
        self._weights = {id(p): p for p in parameters}
        self._data = {id(image): image}
        self._counted: set[tuple[int, torch.Size]] = set()

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Nothing is compiled here; to keep the compiler away, torch would import all of it."""
        return False

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
        data = [x for x in taken if id(x) in self._data]
        if data and given:
            self._data |= {id(x): x for x in given}
            first = ModuleCost(tuple(data[0].shape[1:]), ())
            cost = self.costs.setdefault(self._place(), first)
            cost.output_shape = tuple(given[0].shape[1:])
            for weight in weights:
                cost.parameters += self._new(weight)
            packet = getattr(func, "_overloadpacket", None)
            if packet in flop_registry:
                cost.macs += flop_registry[packet](*args, **kwargs, out_val=result) / 2
        elif weights:
            self._weights |= {id(x): x for x in given}
        return result

    def _new(self, weight: Tensor) -> int:
        """How many numbers it holds that were not counted yet."""
        place = (weight.data_ptr(), weight.shape)
        if place in self._counted:
            return 0
        self._counted.add(place)
        return weight.numel()
