"""The model card that goes with an exported subnet."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from foxnas_core.export.formats import Format
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.table.metrics import Metric

if TYPE_CHECKING:
    from foxnas_core.export.exporter import FileCheck


@dataclass(frozen=True)
class Estimate:
    """A target as predicted (with its 95 % prediction interval) and as measured; either may be
    None."""

    target: Metric
    predicted: float | None
    low: float | None
    high: float | None
    measured: float | None


def model_card(
    architecture: Architecture,
    *,
    space: SearchSpace,
    record: Mapping[str, Any],
    estimates: Sequence[Estimate],
    held_out_images: int,
    origins: Mapping[str, str],
    tuning: str,
    formats: Sequence[Format],
    checks: "Sequence[FileCheck]",
    answer: str,
    preprocessing: Mapping[str, Any],
    parents: Mapping[str, str],
    versions: Mapping[str, str],
) -> str:
    """The card as Markdown; what comes from files is escaped.

    `origins` say of columns where they were measured, `tuning` how the inherited weights were
    trained on ("" where they weren't), `answer` what the fp32 files say of the sample.
    """
    lines = [
        f"# Subnet {architecture.id}",
        "",
        f"A subnet of the supernet of space {escaped(space.name)}, {_origin(record)}.",
        "",
        "## Predicted and measured",
        "",
        "| target | predicted | 95 % prediction interval | measured |",
        "|---|---|---|---|",
        *(_estimate_row(estimate) for estimate in estimates),
        "",
        f"Accuracy is what the files here score on the {held_out_images:,} held-out images."
        + (" All else was measured on:" if origins else ""),
        "",
        *(
            f"- {', '.join(escaped(c) for c, own in origins.items() if own == where)}: "
            f"{escaped(where)}"
            for where in dict.fromkeys(origins.values())
        ),
        "",
        _weights_sentence(tuning),
        "",
        "## Files",
        "",
        "Each was written, read back, run on held-out images and compared with the subnet.",
        "",
        "| file | format | images | greatest logit difference | same class | accuracy |",
        "|---|---|---|---|---|---|",
        *(
            f"| {c.file} | {f.title} | {c.images:,} | {c.max_difference:.2g} "
            f"| {c.agreement:.2f} % | {_number(c.accuracy, ' %')} |"
            for f, c in zip(formats, checks, strict=True)
        ),
        "",
        "## Run it",
        "",
        "| file | once | then |",
        "|---|---|---|",
        *(f"| {f.file} | `{f.install}` | `{f.command}` |" for f in formats),
        "",
        f"The sample is a held-out image; of it the fp32 files say: {escaped(answer)}. Any other "
        "picture may stand in its place.",
        "",
        "## Input",
        "",
        *(f"- {name}: {value}" for name, value in preprocessing.items()),
        "",
        "## Architecture",
        "",
        "```json",
        json.dumps(architecture.to_dict(), indent=2),
        "```",
        "",
        "## Parents",
        "",
        *(f"- {name}: `{value}`" for name, value in parents.items()),
        "",
        "## Versions",
        "",
        *(f"- {name} {value}" for name, value in versions.items()),
        "",
        "## Licence",
        "",
        f"- Images, sample.png among them: {escaped(record['licence'])}.",
        f"- Weights: {_weights_licence(record)}",
        "- Scripts (run\\_\\*.py): MIT licence, as FOX-NAS Studio, which they are part of.",
        "",
    ]
    return "\n".join(lines)


def _weights_sentence(tuning: str) -> str:
    if tuning:
        return f"{escaped(tuning)} Predictions are of the inherited weights."
    return (
        "The weights are inherited from the supernet, with recalibrated batch norms; they were "
        "not fine-tuned."
    )


def escaped(text: object) -> str:
    """What comes from files, as Markdown that says just that, on one line."""
    return re.sub(r"([\\`*_\[\]<>|~$])", r"\\\1", " ".join(str(text).split()))


def _origin(record: Mapping[str, Any]) -> str:
    """Where the supernet's weights came from."""
    dataset = escaped(record["dataset"])
    if "weights" in record:
        return f"its weights from {escaped(record['weights'])}, measured on {dataset}"
    return (
        f"trained on {dataset} ({record['images']:,} images, {record['steps']:,} steps, "
        f"seed {record['recipe']['seed']})"
    )


def _weights_licence(record: Mapping[str, Any]) -> str:
    if "weights" in record:
        return f"from {escaped(record['weights'])}; their owner's terms hold, unknown here."
    return "trained on these images in this study; no licence of their own is recorded."


def _estimate_row(estimate: Estimate) -> str:
    unit = f" {estimate.target.unit}".rstrip()
    interval = (
        "–"
        if estimate.low is None or estimate.high is None
        else f"{_number(estimate.low)} to {_number(estimate.high, unit)}"
    )
    return (
        f"| {escaped(estimate.target.label)} | {_number(estimate.predicted, unit)} | {interval} "
        f"| {_number(estimate.measured, unit)} |"
    )


def _number(value: float | None, unit: str = "") -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}{unit}" if abs(value) >= 1000 else f"{value:.4g}{unit}"
