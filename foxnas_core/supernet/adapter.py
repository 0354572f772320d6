"""Supernets: that of a space's family, or one of one's own code.

One's own is any torch module that can be set to an architecture, or extract one. It is built by
code that the user names (`load_factory`); weights come as safetensors.
"""

import copy
import importlib
import importlib.util
import pkgutil
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from foxnas_core.errors import InvalidInput
from foxnas_core.families import families, family_of
from foxnas_core.networks import Network, SupernetAdapter, check_tensors, unwrapped
from foxnas_core.space.architecture import Architecture, Value
from foxnas_core.space.search_space import SearchSpace

_FACTORY = re.compile(r"(?P<module>[A-Za-z_][\w.]*|.+\.py):(?P<function>[A-Za-z_]\w*)")


Factory = Callable[[], nn.Module]


class AdaptedSubnet(Network):
    """A subnet of somebody's own supernet, with what measuring and export ask of it."""

    foreign = True

    def __init__(self, module: nn.Module, input_shape: tuple[int, ...]) -> None:
        super().__init__()
        self.module = module
        self.input_shape = input_shape

    def forward(self, x: Tensor) -> Tensor:
        return self.module(x)


class AdaptedSupernet(SupernetAdapter):
    """Somebody's own supernet of `space`: a module with `extract` or `set_active`.

    Both are given the active decisions as a plain dictionary. `input_shape`, of one case with the
    channels first, holds where the module has no attribute of that name, and neither `resolution`
    nor `input_channels`. A decision in the role "resolution" comes before all of them. Raises
    `InvalidInput` for a module with neither method.
    """

    foreign = True
    module: Any

    def __init__(
        self, module: nn.Module, space: SearchSpace, *, input_shape: tuple[int, ...]
    ) -> None:
        super().__init__()
        self._check(module)
        self.space = space
        self.module = module.eval()
        channels, *sides = getattr(module, "input_shape", input_shape)
        if hasattr(module, "resolution"):
            sides = [module.resolution] * len(sides)
        channels = getattr(module, "input_channels", channels)
        self._shape = (int(channels), *(int(side) for side in sides))

    @staticmethod
    def _check(module: nn.Module) -> None:
        if not (hasattr(module, "extract") or hasattr(module, "set_active")):
            raise InvalidInput(
                f"{type(module).__name__} has neither a method extract(choices) nor "
                "set_active(choices); give it one, see docs/own-supernet.md."
            )

    def input_shape(self, architecture: Architecture) -> tuple[int, ...]:
        channels, *sides = self._shape
        for decision in self.space.decisions:
            if decision.role == "resolution" and decision.name in architecture:
                sides = [int(architecture[decision.name])] * len(sides)
        return (channels, *sides)

    def forward(self, x: Tensor, architecture: Architecture) -> Tensor:
        choices = self.space.architecture(architecture.to_dict()).to_dict()
        if not hasattr(self.module, "set_active"):
            return self._tried(choices, lambda: self.module.extract(dict(choices)))(x)
        self._tried(choices, lambda: self.module.set_active(dict(choices)))
        return self.module(x)

    def extract(self, architecture: Architecture) -> AdaptedSubnet:
        """The subnet, in evaluation mode, the supernet left as it was.

        Of a module with `set_active` alone it is a copy that is set once; the copy shares the
        parameters and has buffers (norm statistics) of its own. Raises `InvalidInput` where the
        module fails, or the architecture is not of the space.
        """
        architecture = self.space.architecture(architecture.to_dict())
        choices = architecture.to_dict()

        def copied() -> nn.Module:
            shared = {id(p): p for p in self.module.parameters()}
            subnet = copy.deepcopy(self.module, shared)
            subnet.set_active(dict(choices))
            return subnet

        cut = getattr(self.module, "extract", None)
        subnet = self._tried(choices, (lambda: cut(dict(choices))) if cut else copied)
        if not isinstance(subnet, nn.Module):
            raise InvalidInput(
                f"{type(self.module).__name__}.extract gives a {type(subnet).__name__}; let it "
                "return a torch module."
            )
        return AdaptedSubnet(subnet, self.input_shape(architecture)).eval()

    def _tried(self, choices: Mapping[str, Value], call: Callable[[], Any]) -> Any:
        try:
            return call()
        except Exception as error:
            raise InvalidInput(
                f"{type(self.module).__name__} can't be set to {dict(choices)}: {_said(error)}."
            ) from error


def has_supernet(space: SearchSpace) -> bool:
    """Whether the space's family has a supernet of its own."""
    return bool(family_of(space).supernet)


def supernet_of(space: SearchSpace) -> SupernetAdapter:
    """An untrained supernet of the space's family; raises `InvalidInput` where it has none."""
    if not has_supernet(space):
        raise InvalidInput(
            f"Space {space.name!r} is of family {space.family!r}, which has no supernet here; "
            f"only {', '.join(repr(f.name) for f in families() if f.supernet)} has."
        )
    return pkgutil.resolve_name(family_of(space).supernet)(space)


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

    `record` holds `input_shape`, or `resolution` and `input_channels` of images, as they were when
    the weights were stored.
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
    wanted = module.state_dict()
    own = unwrapped(tensors, wanted)
    what = f"The weights are not those of {type(module).__name__}: they"
    check_tensors(what, own, wanted, "name those of this module")
    module.load_state_dict(own)
    shape = record.get("input_shape")
    if shape is None:
        shape = (record["input_channels"], record["resolution"], record["resolution"])
    return AdaptedSupernet(module, space, input_shape=tuple(shape))


@torch.no_grad()
def check_supernet(supernet: SupernetAdapter, output: Sequence[int | None]) -> None:
    """Run the smallest and the largest subnet on two empty cases.

    Raises `InvalidInput` where one fails or gives no (2, *output), of which None stands for any.
    """
    for which in ("largest", "smallest"):
        subnet = supernet.extract(supernet.space.extreme(which))
        given = subnet.example(2)
        try:
            found = subnet(given)
        except Exception as error:
            raise InvalidInput(
                f"The {which} subnet can't run on a batch of {tuple(given.shape)}: {_said(error)}."
            ) from error
        shape = tuple(found.shape) if isinstance(found, Tensor) else ()
        told = shape or type(found).__name__
        if (
            len(shape) != 1 + len(output)
            or shape[0] != 2
            or not all(wanted in (None, own) for wanted, own in zip(output, shape[1:], strict=True))
        ):
            wanted = ", ".join("any" if side is None else str(side) for side in output)
            raise InvalidInput(
                f"The {which} subnet gives {told} for a batch of {tuple(given.shape)}; it must "
                f"give (2, {wanted})."
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
