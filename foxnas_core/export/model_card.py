"""The model card that goes with an exported subnet."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from foxnas_core.export.formats import FileCheck, Format
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.table.metrics import COUNTED_AS, Metric, metric_of
from foxnas_core.tasks import CLASSIFICATION, task_named

if TYPE_CHECKING:
    from foxnas_core.export.trying import Trying


@dataclass(frozen=True)
class Estimate:
    """A target as predicted (with its 95 % prediction interval) and as measured; either may be
    None.

    Of what depends on a machine, `predicted_for` says where what the prediction rests on was
    measured, `measured_on` where the measured value was; `elsewhere` is set where these are two
    machines. `expected` is what other measured optima tell of one that was searched for: the value
    and the ends of its 95 % interval.
    """

    target: Metric
    predicted: float | None
    low: float | None
    high: float | None
    measured: float | None
    predicted_for: str = ""
    measured_on: str = ""
    elsewhere: bool = False
    expected: tuple[float, float, float] | None = None


def model_card(
    architecture: Architecture,
    *,
    space: SearchSpace,
    record: Mapping[str, Any],
    estimates: Sequence[Estimate],
    held_out_images: int,
    tuning: str,
    formats: Sequence[Format],
    checks: Sequence[FileCheck],
    trying: "Trying",
    answer: str,
    preprocessing: Mapping[str, Any],
    parents: Mapping[str, str],
    versions: Mapping[str, str],
) -> str:
    """The card as Markdown; what comes from files is escaped.

    `tuning` says how the inherited weights were trained on ("" where they weren't), `answer` what
    the fp32 files say of the sample.
    """
    objective = metric_of(task_named(record.get("task", CLASSIFICATION)).objective)
    parts = [
        [
            f"# Subnet {architecture.id}",
            f"A subnet of the supernet of space {escaped(space.name)}, {_origin(record)}.",
        ],
        _values(estimates, objective, held_out_images),
        [_weights_sentence(tuning)],
        _files(formats, checks, objective, trying),
        [
            f"The sample is {trying.said}; of it the fp32 files say: {escaped(answer)}. Any other "
            "may stand in its place."
        ],
        ["## Input", _listed(f"{name}: {value}" for name, value in preprocessing.items())],
        ["## Architecture", f"```json\n{json.dumps(architecture.to_dict(), indent=2)}\n```"],
        ["## Parents", _listed(f"{name}: `{value}`" for name, value in parents.items())],
        ["## Versions", _listed(f"{name} {value}" for name, value in versions.items())],
        _licences(record, trying),
    ]
    return "\n\n".join(paragraph for part in parts for paragraph in part if paragraph) + "\n"


def _values(estimates: Sequence[Estimate], objective: Metric, held_out_images: int) -> list[str]:
    wheres: dict[str, list[str]] = {}
    for estimate in estimates:
        if where := _where(estimate):
            wheres.setdefault(where, []).append(escaped(estimate.target.column))
    heads = {
        "target": lambda e: escaped(e.target.label),
        "expected": lambda e: _with_ends(e, *(e.expected or (None, None, None))),
        "predicted": lambda e: _number(e.predicted, f" {e.target.unit}".rstrip()),
        "95 % prediction interval": lambda e: _ends(e, e.low, e.high),
        "measured": _measured,
    }
    searched = any(estimate.expected for estimate in estimates)
    if not searched:
        del heads["expected"]
    rows = (f"| {' | '.join(told(own) for told in heads.values())} |" for own in estimates)
    return [
        "## Predicted and measured",
        _table(tuple(heads), rows),
        "Expected is what optima measure that a search has found, by others that were measured, "
        "with a 95 % interval; the plain prediction stands beside it."
        if searched
        else "",
        f"{objective.title} is what the files here score on the {held_out_images:,} held-out "
        "images." + (" What depends on a machine is of:" if wheres else ""),
        _listed(f"{', '.join(columns)}: {where}" for where, columns in wheres.items()),
    ]


def _where(estimate: Estimate) -> str:
    """Which machine's the numbers are; "" where that is nothing they depend on."""
    predicted, measured = escaped(estimate.predicted_for), escaped(estimate.measured_on)
    if not predicted or not measured or predicted == measured:
        return predicted or measured
    apart = "; the interval says nothing of that other machine" if estimate.elsewhere else ""
    return f"predicted for {predicted}; measured on {measured}{apart}"


def _files(
    formats: Sequence[Format], checks: Sequence[FileCheck], objective: Metric, trying: "Trying"
) -> list[str]:
    return [
        "## Files",
        "Each was written, read back, run on held-out images and compared with the subnet.",
        _table(
            ("file", "format", "images", "greatest logit difference", "same class", objective.word),
            (
                f"| {c.file} | {f.title} | {c.images:,} | {c.max_difference:.2g} "
                f"| {c.agreement:.2f} % | {_number(c.score, f' {objective.unit}'.rstrip())} |"
                for f, c in zip(formats, checks, strict=True)
            ),
        ),
        "## Run it",
        _table(
            ("file", "once", "then"),
            (
                f"| {f.file} | `{f.runner.install}` | `{f.command(trying.sample)}` |"
                for f in formats
            ),
        ),
    ]


def _licences(record: Mapping[str, Any], trying: "Trying") -> list[str]:
    return [
        "## Licence",
        _listed(
            (
                f"Images, {trying.sample} among them: {escaped(record['licence'])}.",
                f"Weights: {_weights_licence(record)}",
                "Scripts (run\\_\\*.py): MIT licence, as FOX-NAS Studio, which they are part of.",
            )
        ),
    ]


def _table(heads: Sequence[str], rows: Iterable[str]) -> str:
    return "\n".join((f"| {' | '.join(heads)} |", "|---" * len(heads) + "|", *rows))


def _listed(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


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


def _with_ends(estimate: Estimate, value: float | None, *ends: float | None) -> str:
    """A value with the ends of its interval."""
    if value is None:
        return "–"
    return f"{_number(value, f' {estimate.target.unit}'.rstrip())} ({_ends(estimate, *ends)})"


def _ends(estimate: Estimate, low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return "–"
    if low == high and estimate.target.column in COUNTED_AS:
        return "counted"
    return f"{_number(low)} to {_number(high, f' {estimate.target.unit}'.rstrip())}"


def _measured(estimate: Estimate) -> str:
    value = _number(estimate.measured, f" {estimate.target.unit}".rstrip())
    return value + ", another machine" * estimate.elsewhere


def _number(value: float | None, unit: str = "") -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}{unit}" if abs(value) >= 1000 else f"{value:.4g}{unit}"
