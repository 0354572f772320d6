"""What training steps do: one module an update, by name.

`register_update` adds one from outside; training then knows it.
"""

import importlib
from typing import TYPE_CHECKING

from foxnas_core.errors import InvalidInput

if TYPE_CHECKING:
    from foxnas_core.training.update import Update

SANDWICH = "sandwich"
_HERE = "foxnas_core.training.updates"
_updates: "dict[str, type[Update] | str]" = {
    SANDWICH: f"{_HERE}.sandwich:Sandwich",
    "single": f"{_HERE}.single:SingleNetwork",
    "quantization-aware": f"{_HERE}.quantization:QuantizationAware",
}


def register_update(update: "type[Update]") -> None:
    """Make an update known by its name; raises `InvalidInput` where another class has the name."""
    known = _updates.get(update.name)
    if known is not None and known is not update:
        raise InvalidInput(f"There is an update {update.name!r} already; give yours another name.")
    _updates[update.name] = update


def update_named(name: str) -> "type[Update]":
    """The update of that name; raises `InvalidInput` where it is not known here."""
    known = _updates.get(name)
    if known is None:
        raise InvalidInput(f"There is no update {name!r}; known: {', '.join(_updates)}.")
    if isinstance(known, str):
        module, _, of_module = known.partition(":")
        return getattr(importlib.import_module(module), of_module)
    return known


def updates() -> tuple[str, ...]:
    """Names of all that are known."""
    return tuple(_updates)
