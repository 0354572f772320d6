"""From a study and an architecture to checked files: what `export` and the page Export do."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from foxnas_core.export.formats import INT8_FLOOR, Format, formats_of, step_seconds
from foxnas_core.measurement.here import machine_here
from foxnas_core.progress import Report, Steps, not_told
from foxnas_core.search.expectation import Expectation
from foxnas_core.space.architecture import Architecture
from foxnas_core.steps.fine_tune import check_can_be_tuned, training_images
from foxnas_core.steps.measure import PRECISIONS, parts_of
from foxnas_core.study import Study, file_hash
from foxnas_core.table.latency_verdicts import without_failed
from foxnas_core.table.machine import baselines_of, machine_of
from foxnas_core.table.measurements import MeasurementTable, campaign_names, campaigns_of
from foxnas_core.table.metrics import KNOWN, is_metric, metric_of
from foxnas_core.tasks.dataset import Dataset, ImageSet

if TYPE_CHECKING:
    from foxnas_core.export.model_card import Estimate
    from foxnas_core.export.written import ExportedModel
    from foxnas_core.measurement.meter import Prepared
    from foxnas_core.quantization.finetuning import FineTuning
    from foxnas_core.supernet.checkpoint import Checkpoint

EXTRACT, TUNE, MEASURE = "extract the subnet", "fine-tune", "measure latency"
# Looks at the reference until its time has settled: somebody waits, and no row is to rest on it.
LOOKS = 8
MEASURE_SECONDS = 12.0
"""About how many seconds it takes to measure a latency that is not known."""


def export(
    study: Study,
    architecture: Architecture,
    expected: Sequence[Expectation],
    *,
    formats: Sequence[str] | None = None,
    tuning: "FineTuning | None" = None,
    data: Path | None = None,
    int8_floor: float = INT8_FLOOR,
    report: Report = not_told,
    alone: AbstractContextManager[Any] | None = None,
) -> "ExportedModel":
    """The architecture's files, checked, its model card with what it is `expected` to measure and
    what it measured.

    `formats` are names of `export.formats`, by default all that can be written here. With `tuning`
    the subnet is fine-tuned first, on the images of `training_images(study, data)`. A latency that
    the table lacks, or that failed a check, is measured now, while `alone` is held; the table is
    left as it is. What `report` raises ends the export. Raises `MissingPart` where the study has no
    weights or images, and as `formats_of`, `fine_tune_subnet` and `export_subnet`.
    """
    wanted, left_out = formats_of(formats)
    checkpoint, calibration, held_out = parts_of(study)
    dataset = None
    if tuning is not None:
        dataset = training_images(study, data)
        check_can_be_tuned(checkpoint, dataset, held_out)

    from foxnas_core.export.exporter import export_subnet
    from foxnas_core.measurement.preparing import prepare

    table = study.table()
    known = _KnownValues(table, architecture)
    lacking = [column for column in _latencies(wanted) if column not in known.values]
    steps = _steps(wanted, tuning, lacking, report)
    steps.begin(EXTRACT)
    prepared, told = prepare(checkpoint, architecture, calibration), ""
    if tuning is not None and dataset is not None:
        steps.begin(TUNE)
        prepared, told = _tuned(checkpoint, prepared, tuning, dataset, calibration, held_out, steps)
        known.forget_weights()
    if lacking:
        steps.begin(MEASURE)
        with alone or nullcontext():
            _measure(known, lacking, prepared, checkpoint, calibration, table, steps)
    exported = export_subnet(
        prepared,
        space=study.space,
        record=checkpoint.record,
        calibration=calibration,
        held_out=held_out,
        formats=wanted,
        steps=steps,
        estimates=_estimates(expected, known),
        parents={
            "space": study.space.fingerprint,
            "checkpoint": file_hash(study.checkpoint_file),
            "images": file_hash(study.images_file),
            "measurements": table.fingerprint,
        },
        tuning=told,
        int8_floor=int8_floor,
    )
    return replace(exported, left_out=tuple(left_out))


def expected_seconds(formats: Sequence[str] | None, epochs: int) -> float:
    """About how long an export takes where the latency is known, with so many epochs before it."""
    return sum(_expected(formats_of(formats)[0], epochs, measured=True).values())


def _latencies(formats: Sequence[Format]) -> list[str]:
    int8 = any(own.name == "onnx-int8" for own in formats)
    return list(PRECISIONS.values()) if int8 else [PRECISIONS["fp32"]]


def _expected(formats: Sequence[Format], epochs: int, *, measured: bool) -> dict[str, float]:
    """All steps in their order, with about how many seconds each takes for the shipped study."""
    return {
        EXTRACT: 2.0,
        **({TUNE: 60.0 * epochs} if epochs else {}),
        **({} if measured else {MEASURE: MEASURE_SECONDS}),
        **step_seconds(formats),
    }


def _steps(
    formats: Sequence[Format],
    tuning: "FineTuning | None",
    lacking: Sequence[str],
    report: Report,
) -> Steps:
    epochs = tuning.epochs if tuning else 0
    return Steps(_expected(formats, epochs, measured=not lacking), report)


def _tuned(
    checkpoint: "Checkpoint",
    inherited: "Prepared",
    tuning: "FineTuning",
    dataset: Dataset,
    calibration: ImageSet,
    held_out: ImageSet,
    steps: Steps,
) -> "tuple[Prepared, str]":
    """The subnet after fine-tuning, and what that was and did, in sentences."""
    from foxnas_core.measurement.score import ScoreMeter
    from foxnas_core.quantization import finetuning

    task = checkpoint.task
    tuned = finetuning.fine_tune(
        inherited,
        checkpoint.task,
        dataset.training,
        tuning,
        calibration=calibration,
        report=lambda progress: steps.tick(progress.share),
        # So that what the report raises ends it at once.
        report_every=1,
    )
    meter = ScoreMeter(held_out, calibration, task=task)
    effect = finetuning.effect_of(
        inherited,
        tuned.prepared,
        meter,
        lambda own: own.int8(calibration, task),
        task.objective,
    )
    return tuned.prepared, f"{tuned.sentence(dataset.name)} {effect.sentence()}"


def _measure(
    known: "_KnownValues",
    columns: Sequence[str],
    prepared: "Prepared",
    checkpoint: "Checkpoint",
    calibration: ImageSet,
    table: MeasurementTable,
    steps: Steps,
) -> None:
    """Measure latencies that are not known, and cost, which goes quickly."""
    from foxnas_core.measurement.campaign import device_meters
    from foxnas_core.measurement.cost import CostMeter

    # Of another machine, the reference's time says nothing here.
    timed = machine_of(table, PRECISIONS["fp32"])
    own = timed is not None and timed.same_as(machine_here())
    baselines = baselines_of(table, list(PRECISIONS.values())) if own else {}
    [meter] = device_meters(
        checkpoint,
        calibration=calibration,
        seed=0,
        baselines=baselines,
        looks=LOOKS,
        waiting=steps.tick,
    )
    found = meter.measure([prepared])[0]
    known.add({column: found[column] for column in columns}, meter.record())
    known.values |= CostMeter().measure([prepared])[0]


class _KnownValues:
    """What a table tells of one architecture, the mean over its rows, and where what depends on a
    device was measured, of these rows and of all that a prediction rests on. Latencies that failed
    a check are left out."""

    def __init__(self, table: MeasurementTable, architecture: Architecture) -> None:
        sound = without_failed(table)
        rows = sound.frame[sound.frame["id"] == architecture.id]
        means = rows.mean(numeric_only=True)
        self.values = {str(k): float(v) for k, v in means.items() if pd.notna(v)}
        columns = [t.column for t in sound.targets if t.suffix == "DEVICE"]
        self._predicted_for = {c: _campaigns(table, sound.frame, c) for c in columns}
        self._measured_on = {c: _campaigns(table, rows, c) for c in columns if c in self.values}
        self._now: dict[str, str] = {}

    def add(self, values: Mapping[str, float], circumstances: Mapping[str, Any]) -> None:
        """Take values that were measured now."""
        self.values |= values
        self._measured_on |= {column: [circumstances] for column in values}
        self._now |= dict.fromkeys(values, ", for this export")

    def forget_weights(self) -> None:
        """Leave out what depends on the weights, which have changed."""
        for column in list(self.values):
            if is_metric(column) and metric_of(column).quality:
                del self.values[column]

    def places(self, column: str, *, predicted: bool) -> dict[str, Any]:
        """Where a column was measured, as fields of `Estimate`, with that of its prediction."""
        told: dict[str, Any] = {}
        if own := self._measured_on.get(column):
            told["measured_on"] = _places(own) + self._now.get(column, "")
        if predicted and column in self._predicted_for:
            all_ = self._predicted_for[column]
            told["predicted_for"] = _places(all_)
            told["elsewhere"] = bool(own and _devices(all_) and _devices(own) - _devices(all_))
        return told


def _campaigns(table: MeasurementTable, rows: pd.DataFrame, column: str) -> list[Mapping[str, Any]]:
    """The circumstances of the campaigns that measured a column of some rows, empty ones where they
    are not told."""
    known, names = campaigns_of(table), campaign_names(table, column)[rows.index]
    found = (known.get(name) for name in dict.fromkeys(names[rows[column].notna().to_numpy()]))
    return [c if isinstance(c, Mapping) else {} for c in found]


def _devices(campaigns: Sequence[Mapping[str, Any]]) -> set[str]:
    """The machines that campaigns name."""
    return {
        str(circumstances["device"]) for circumstances in campaigns if "device" in circumstances
    }


def _places(campaigns: Sequence[Mapping[str, Any]]) -> str:
    """Devices, runtimes and threads as campaigns' circumstances name them."""
    return " and ".join(dict.fromkeys(map(_place, campaigns)))


def _place(circumstances: Mapping[str, Any]) -> str:
    named = [str(circumstances[key]) for key in ("device", "runtime") if key in circumstances]
    if "threads" in circumstances and "batch" in circumstances:
        named.append(f"batch {circumstances['batch']}, {circumstances['threads']} thread")
    return ", ".join(named) or "as the study's table has it"


def _estimates(expected: Sequence[Expectation], known: _KnownValues) -> "list[Estimate]":
    """What was expected beside what was measured, and what was measured alone."""
    from foxnas_core.export.model_card import Estimate

    found = []
    for own in expected:
        column = own.target.column
        plain = (own.predicted, own.predicted_low, own.predicted_high)
        told = (own.value, own.low, own.high) if own.optima else None
        places, measured = known.places(column, predicted=True), known.values.get(column)
        found.append(Estimate(own.target, *plain, measured, expected=told, **places))
    columns = [own.target.column for own in expected]
    return found + [
        Estimate(
            metric_of(column), None, None, None, known.values[column],
            **known.places(column, predicted=False),
        )
        for column in (*KNOWN, PRECISIONS["int8"])
        if column in known.values and column not in columns
    ]  # fmt: skip
