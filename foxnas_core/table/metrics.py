"""A target: a measured column with its unit and the direction that is better."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from foxnas_core.errors import InvalidInput

STD_ERROR = "_std_error"


@dataclass(frozen=True)
class Metric:
    """A named, measured quantity.

    `column` is its column in the measurement table; a latency, energy or memory on a further
    device or precision is `latency_ms:NAME`, `energy_mj:NAME` or `memory_kib:NAME`, an accuracy in
    a further precision `accuracy:NAME`, and what that lost against the first `accuracy_drop:NAME`.
    """

    column: str
    label: str
    unit: str
    direction: Literal["max", "min"]

    @property
    def std_error_column(self) -> str:
        return f"{self.column}{STD_ERROR}"

    @property
    def is_latency(self) -> bool:
        return self.column.partition(":")[0] == "latency_ms"

    @property
    def is_extra(self) -> bool:
        """Whether it is measured on demand, so that a table may have it for few of its rows."""
        return self.column.partition(":")[0] in ("energy_mj", "memory_kib")

    @property
    def is_accuracy(self) -> bool:
        """Whether it is an accuracy in any precision, which nears a ceiling."""
        return self.column.partition(":")[0] == "accuracy"

    @property
    def is_drop(self) -> bool:
        """Whether it is a difference of two accuracies, which may be negative."""
        return self.column.partition(":")[0] == "accuracy_drop"

    @property
    def named(self) -> str:
        """The label with its unit, as an axis is titled."""
        return f"{self.label} ({self.unit})" if self.unit else self.label

    @property
    def difference_unit(self) -> str:
        """The unit of a difference of two values: percentages differ by points."""
        return "points" if self.unit == "%" else self.unit

    def text(self, value: float, *, signed: bool = False) -> str:
        """The value as it is read, without its unit: percentages and points to two decimals, all
        else to three significant digits, thousands as k, M, G and T; KiB, which has a prefix
        already, in whole numbers. What was not measured is "nan"."""
        sign = "+" if signed else ""
        if self.unit in ("%", "points"):
            return f"{value:{sign}z.2f}"
        if self.unit == "KiB":
            return f"{value:{sign}z,.0f}"
        if not math.isfinite(value):
            return f"{value:{sign}}"
        for prefix in ("", "k", "M", "G", "T"):
            # 999.6 would round to 1000, so it takes the next prefix.
            if abs(value) < 999.5 or prefix == "T":
                break
            value /= 1000
        number = f"{value:{sign}#.3g}".removesuffix(".") if value else "0"
        exponent = int(f"{value:.2e}".partition("e")[2])
        if -7 <= exponent < -4:
            # Differences of some nanoseconds in ms are everyday; nobody reads them as "e-05".
            number = f"{value:{sign}.{2 - exponent}f}"
        return f"{number} {prefix}".strip()


KNOWN = {
    "accuracy": Metric("accuracy", "Top-1 accuracy", "%", "max"),
    "cross_entropy": Metric("cross_entropy", "Cross-entropy", "nats", "min"),
    "latency_ms": Metric("latency_ms", "Latency", "ms", "min"),
    "energy_mj": Metric("energy_mj", "Energy", "mJ", "min"),
    "memory_kib": Metric("memory_kib", "Peak memory", "KiB", "min"),
    "parameters": Metric("parameters", "Parameters", "", "min"),
    "macs": Metric("macs", "MACs", "", "min"),
}

# Measured on a device, so that a further one's column is NAME:DEVICE.
_OF_DEVICES = ("latency_ms", "energy_mj", "memory_kib")

# What a number of a unit is multiplied by to stand in the table's own unit.
_UNITS: Mapping[str, Mapping[str, float]] = {
    "accuracy": {"percent": 1.0, "fraction": 100.0},
    "latency_ms": {"ms": 1.0, "s": 1000.0, "us": 0.001},
}


def units_of(column: str) -> Mapping[str, float]:
    """The units that numbers of a target may be given in, each with its factor to the table's own;
    empty where there is one unit only."""
    return _UNITS.get(column.partition(":")[0], {})


def metric_of(column: str) -> Metric:
    """The target that a column name stands for, by this product's naming.

    Raises `InvalidInput` for a name that is neither known nor such as `latency_ms:NAME`,
    `accuracy:NAME` or `accuracy_drop:NAME`.
    """
    if column in KNOWN:
        return KNOWN[column]
    head, _, device = column.partition(":")
    if device.endswith(STD_ERROR):
        device = ""  # what goes with a target, not one
    if head in _OF_DEVICES and device:
        return replace(KNOWN[head], column=column, label=f"{KNOWN[head].label} ({device})")
    if head == "accuracy" and device:
        return Metric(column, f"Top-1 accuracy ({device})", "%", "max")
    if head == "accuracy_drop" and device:
        return Metric(column, f"Accuracy lost by {device}", "points", "min")
    named = ", ".join(f"{name}:DEVICE" for name in _OF_DEVICES)
    raise InvalidInput(
        f"{column!r} is no target; known: {', '.join(KNOWN)}, {named}, accuracy:PRECISION and "
        "accuracy_drop:PRECISION."
    )
