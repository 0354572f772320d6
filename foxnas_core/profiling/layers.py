"""The layers of a network in order of computation, with what each computes of one image.

A layer is a convolution or linear map with the norm and the activation after it; the squeeze and
excitation of a block, its residual addition and the pooling are layers of their own. In a network
of somebody's own code a layer is a module that computes something itself.
"""

from collections.abc import Mapping
from dataclasses import replace

from torch import nn
from torch.nn.modules.conv import _ConvNd

from foxnas_core.measurement.cost import costs_by_module
from foxnas_core.networks import Network
from foxnas_core.profiling.result import Layer
from foxnas_core.space.search_space import SearchSpace

Place = tuple[str, str]


def layers_of(network: Network, space: SearchSpace) -> tuple[Layer, ...]:
    """The layers in order of computation; parameters and MACs add up to `cost.cost_of`."""
    modules = dict(network.named_modules())
    found: dict[Place, Layer] = {}
    for path, cost in costs_by_module(network).items():
        block, part = place = place_of(network, path, space)
        kind = _kind(modules[path])
        if place not in found:
            found[place] = Layer(
                block, part, kind, cost.input_shape, cost.output_shape, cost.parameters, cost.macs
            )
            continue
        layer = found[place]
        found[place] = replace(
            layer,
            kind=", ".join(dict.fromkeys(k for k in (layer.kind, kind) if k)),
            output_shape=cost.output_shape,
            parameters=layer.parameters + cost.parameters,
            macs=layer.macs + cost.macs,
        )
    return tuple(replace(layer, kind=layer.kind or layer.part) for layer in found.values())


def place_of(network: Network, path: str, space: SearchSpace) -> Place:
    """Block and part of the module `path`, a name of `named_modules`."""
    known = network.place(path)
    if known is not None:
        return known
    # Somebody's own network is a module inside ours.
    names = path.split(".")[int(network.foreign) :]
    blocks = {*space.slots, *space.groups} - set(space.context)
    at = next((i for i in reversed(range(len(names))) if names[i] in blocks), 0)
    block = names[at] if names else "network"
    part = ".".join(names[at + 1 :])
    inside = bool(list(network.get_submodule(path).children()))
    return block, part if not inside else f"{part} itself".strip()


def path_of(scope: str, modules: Mapping[str, nn.Module]) -> str:
    """The module that a node's name "/a/b/Conv" begins with, or the nearest one around it.

    torch's exporter names a module by how it is called, so the names of containers that are only
    looked into are missing; where several modules answer to one name, the one around them is told.
    """
    path = ""
    for piece in scope.split("/")[1:-1]:
        inside = f"{path}." if path else ""
        if f"{inside}{piece}" in modules:
            path = f"{inside}{piece}"
            continue
        tail = piece.split(".")[-2:]
        fitting = [
            name
            for name in modules
            if name.startswith(inside) and name != path and name.split(".")[-len(tail) :] == tail
        ]
        depths = [name.count(".") for name in fitting]
        nearest = [n for n, d in zip(fitting, depths, strict=True) if d == min(depths)]
        if len(nearest) != 1:
            break
        [path] = nearest
    return path


def _kind(module: nn.Module) -> str:
    if isinstance(module, _ConvNd):
        size = "×".join(map(str, module.kernel_size))
        depthwise = "depthwise " if module.groups == module.in_channels > 1 else ""
        stride = f", stride {max(module.stride)}" if max(module.stride) > 1 else ""
        return f"{depthwise}convolution {size}{stride}"
    return "linear" if isinstance(module, nn.Linear) else ""
