"""Supernets of one's own: any torch module that can be set to an architecture, or extract one.

The module is built by code that the user names (`load_factory`); weights come as safetensors.
"""

import copy
import importlib
import importlib.util
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from foxnas_core.errors import InvalidInput
from foxnas_core.space.architecture import Architecture, Value
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.supernet.subnet import Network

_FACTORY = re.compile(r"(?P<module>[A-Za-z_][\w.]*|.+\.py):(?P<function>[A-Za-z_]\w*)")


@runtime_checkable
class Extracting(Protocol):
    """A supernet that gives a subnet as a module of its own, which shares no memory with it."""

    def extract(self, choices: dict[str, Value]) -> nn.Module:
        """The subnet of these choices: (N, channels, r, r) to logits (N, classes)."""


@runtime_checkable
class Settable(Protocol):
    """A supernet whose `forward` takes images alone and runs the subnet that it was set to."""

    def set_active(self, choices: dict[str, Value]) -> None:
        """Run the subnet of these choices from now on."""


Factory = Callable[[], nn.Module]


class AdaptedSubnet(Network):
    """A subnet of somebody's own supernet, with what measuring and export ask of it."""

    def __init__(self, module: nn.Module, resolution: int, input_channels: int) -> None:
        super().__init__()
        self.module = module
        self.resolution = resolution
        self.input_channels = input_channels

    def forward(self, x: Tensor) -> Tensor:
        return self.module(x)


class AdaptedSupernet:
    """Somebody's own supernet of `space`: a module with `extract` or `set_active`.

    Both are given the active decisions as a plain dictionary. `resolution` and `input_channels`
    hold where the module has no attribute of that name, `resolution` only where the space has no
    decision in the role "resolution". Raises `InvalidInput` for a module with neither method.
    """

    def __init__(
        self, module: nn.Module, space: SearchSpace, *, resolution: int, input_channels: int
    ) -> None:
        if not isinstance(module, Extracting | Settable):
            raise InvalidInput(
                f"{type(module).__name__} has neither a method extract(choices) nor "
                "set_active(choices); give it one, see docs/own-supernet.md."
            )
        self.space = space
        self.module = module.eval()
        self.resolution = int(getattr(module, "resolution", resolution))
        self.input_channels = int(getattr(module, "input_channels", input_channels))

    def extract(self, architecture: Architecture) -> AdaptedSubnet:
        """The subnet, in evaluation mode, the supernet left as it was.

        Of a module with `set_active` alone it is a copy that is set once; the copy shares the
        parameters and has buffers (norm statistics) of its own. Raises `InvalidInput` where the
        module fails, or the architecture is not of the space.
        """
        choices = self.space.architecture(architecture.to_dict()).to_dict()
        try:
            if isinstance(self.module, Extracting):
                subnet = self.module.extract(dict(choices))
            else:
                shared = {id(p): p for p in self.module.parameters()}
                subnet = copy.deepcopy(self.module, shared)
                subnet.set_active(dict(choices))
        except Exception as error:
            raise InvalidInput(
                f"{type(self.module).__name__} can't be set to {choices}: {_said(error)}."
            ) from error
        if not isinstance(subnet, nn.Module):
            raise InvalidInput(
                f"{type(self.module).__name__}.extract gives a {type(subnet).__name__}; let it "
                "return a torch module."
            )
        return AdaptedSubnet(subnet.eval(), self._resolution_of(choices), self.input_channels)

    def _resolution_of(self, choices: Mapping[str, Value]) -> int:
        for decision in self.space.decisions:
            if decision.role == "resolution" and decision.name in choices:
                return int(choices[decision.name])
        return self.resolution


def load_factory(name: str) -> Factory:
    """The function that `name` ("package.module:function" or "file.py:function") says.

    Runs the module: call it only with what the user typed. Raises `InvalidInput` where it can't be
    found or imported.
    """
    match = _FACTORY.fullmatch(name)
    if not match:
        raise InvalidInput(
            f"{name!r} names no function; write package.module:function or file.py:function."
        )
    module, function = match["module"], match["function"]
    try:
        loaded = _from_file(Path(module)) if module.endswith(".py") else _from_path(module)
    except Exception as error:
        raise InvalidInput(f"{module} can't be imported: {_said(error)}.") from error
    factory = getattr(loaded, function, None)
    if not callable(factory):
        raise InvalidInput(f"{module} has no function {function!r}; name the one that builds.")
    return factory


def build_supernet(
    factory: Factory, tensors: Mapping[str, Tensor], space: SearchSpace, record: Mapping[str, Any]
) -> AdaptedSupernet:
    """The module that `factory` builds, with the weights `tensors`.

    `record` holds `resolution` and `input_channels` as they were when the weights were stored.
    Raises `InvalidInput` where the function fails or the weights are not those of its module.
    """
    try:
        module = factory()
    except Exception as error:
        raise InvalidInput(f"The supernet's function failed: {_said(error)}.") from error
    if not isinstance(module, nn.Module):
        raise InvalidInput(
            f"The supernet's function gives a {type(module).__name__}; let it return a torch "
            "module."
        )
    try:
        module.load_state_dict(dict(tensors))
    except RuntimeError as error:
        raise InvalidInput(
            f"The weights are not those of {type(module).__name__}: {_said(error)}."
        ) from error
    return AdaptedSupernet(
        module, space, resolution=record["resolution"], input_channels=record["input_channels"]
    )


@torch.no_grad()
def check_supernet(supernet: AdaptedSupernet, classes: int) -> None:
    """Run the smallest and the largest subnet on one empty image each.

    Raises `InvalidInput` where one fails or gives no logits (N, classes).
    """
    for which in ("largest", "smallest"):
        subnet = supernet.extract(supernet.space.extreme(which))
        shape = (2, subnet.input_channels, subnet.resolution, subnet.resolution)
        try:
            logits = subnet(torch.zeros(shape))
        except Exception as error:
            raise InvalidInput(
                f"The {which} subnet can't run on images {shape}: {_said(error)}."
            ) from error
        found = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
        if found != (2, classes):
            raise InvalidInput(
                f"The {which} subnet gives {found} for 2 images of {classes} classes; it must give "
                f"logits (2, {classes})."
            )


def _from_path(module: str) -> Any:
    # As for a script: what lies in the folder one works in can be imported.
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    return importlib.import_module(module)


def _from_file(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Registered, as dataclasses of the module look themselves up.
    sys.modules[path.stem] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[path.stem]
        raise
    return module


def _said(error: Exception) -> str:
    """An error of somebody else's code in one line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = " ".join(lines[:3]).rstrip(".") or "no reason given"
    return f"{type(error).__name__}: {text}"
