"""The model card that goes with an exported subnet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from foxnas_core.architecture import Architecture
from foxnas_core.search_space import SearchSpace
from foxnas_core.target import Target

if TYPE_CHECKING:
    from foxnas_core.export.exporter import Check


@dataclass(frozen=True)
class Estimate:
    """A target as predicted (with its 95 % prediction interval) and as measured; either may be
    None."""

    target: Target
    predicted: float | None
    low: float | None
    high: float | None
    measured: float | None


def model_card(
    architecture: Architecture,
    space: SearchSpace,
    record: Mapping[str, Any],
    estimates: Sequence[Estimate],
    checks: "Sequence[Check]",
    preprocessing: Mapping[str, Any],
    parents: Mapping[str, str],
) -> str:
    """The card as Markdown."""
    lines = [
        f"# Subnet {architecture.id}",
        "",
        f"A subnet of the supernet of space {space.name}, {_origin(record)}. Images: "
        f"{record['licence']}.",
        "",
        "## Predicted and measured",
        "",
        "| target | predicted | 95 % prediction interval | measured |",
        "|---|---|---|---|",
        *(_estimate_row(estimate) for estimate in estimates),
        "",
        "The weights are inherited from the supernet, with recalibrated batch norms; they were "
        "not fine-tuned.",
        "",
        "## Files",
        "",
        "| file | images compared | greatest logit difference | same class |",
        "|---|---|---|---|",
        *(
            f"| {c.file} | {c.images} | {c.max_difference:.2g} | {c.agreement:.2f} % |"
            for c in checks
        ),
        "",
        "## Input",
        "",
        *(f"- {name}: {value}" for name, value in preprocessing.items()),
        "",
        "## Architecture",
        "",
        *(f"- {name}: {value}" for name, value in architecture.to_dict().items()),
        "",
        "## Parents",
        "",
        *(f"- {name}: `{value}`" for name, value in parents.items()),
        "",
    ]
    return "\n".join(lines)


def _origin(record: Mapping[str, Any]) -> str:
    """Where the supernet's weights came from."""
    if "weights" in record:
        return f"its weights from {record['weights']}, measured on {record['dataset']}"
    return (
        f"trained on {record['dataset']} ({record['images']:,} images, {record['steps']:,} steps, "
        f"seed {record['recipe']['seed']})"
    )


def _estimate_row(estimate: Estimate) -> str:
    unit = f" {estimate.target.unit}".rstrip()
    interval = (
        "–"
        if estimate.low is None or estimate.high is None
        else f"{_number(estimate.low)} to {_number(estimate.high, unit)}"
    )
    return (
        f"| {estimate.target.label} | {_number(estimate.predicted, unit)} | {interval} "
        f"| {_number(estimate.measured, unit)} |"
    )


def _number(value: float | None, unit: str = "") -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}{unit}" if abs(value) >= 1000 else f"{value:.4g}{unit}"
