"""What training steps do: one module an update, by name.

`register_update` adds one from outside; training then knows it.
"""

from typing import TYPE_CHECKING

from foxnas_core.registry import add_named, named

if TYPE_CHECKING:
    from foxnas_core.training.update import Update

SANDWICH = "sandwich"
_HERE = "foxnas_core.training.updates"
_updates: "dict[str, type[Update] | str]" = {
    SANDWICH: f"{_HERE}.sandwich:Sandwich",
    "single": f"{_HERE}.single:SingleNetwork",
    "quantization-aware": f"{_HERE}.quantization:QuantizationAware",
    "single-path": f"{_HERE}.single_path:SinglePath",
    "fpnas": f"{_HERE}.fpnas:FPNAS",
    "minimax": f"{_HERE}.minimax:Minimax",
    "darts": f"{_HERE}.mixtures:DARTS",
    "fixed-alpha": f"{_HERE}.mixtures:FixedMixture",
}


def register_update(update: "type[Update]") -> None:
    """Make an update known by its name; raises `InvalidInput` where another class has the name."""
    add_named(_updates, update, "an update")


def update_named(name: str) -> "type[Update]":
    """The update of that name; raises `InvalidInput` where it is not known here."""
    return named(_updates, name, "an update")


def updates() -> tuple[str, ...]:
    """Names of all that are known."""
    return tuple(_updates)
