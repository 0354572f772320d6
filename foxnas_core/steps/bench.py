"""A benchmark of one's own: every block that a space's networks are chains of, measured by itself
on each device and added up, beside whole networks that say how far such sums are off; of other
spaces a sample of networks, which a regression reads."""

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import pandas as pd

from foxnas_core.errors import InvalidInput
from foxnas_core.families import family_of
from foxnas_core.measurement.devices import Device
from foxnas_core.progress import Pace, Report, not_told
from foxnas_core.space.architecture import Architecture
from foxnas_core.steps.bench_networks import planned_networks
from foxnas_core.steps.columns import columns_of
from foxnas_core.steps.measure import device_cells, device_for
from foxnas_core.study import Study
from foxnas_core.table.additive import BLOCK, additive_table, block_space
from foxnas_core.table.latency_verdicts import without_failed
from foxnas_core.table.machine import baselines_of, recorded_machine
from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.table.metrics import is_metric
from foxnas_core.table.refusals import refused_ids, with_refusals
from foxnas_core.table.sums import costs_of_blocks, with_sums

if TYPE_CHECKING:
    from foxnas_core.measurement.campaign import Measured
    from foxnas_core.measurement.crew import Batch, Crew
    from foxnas_core.measurement.kept_models import KeptModels
    from foxnas_core.measurement.meter import Meter
    from foxnas_core.measurement.preparing import Prepare
    from foxnas_core.measurement.random_weights import Models, RandomNetworks

SECONDS_A_VISIT = 0.05
# Small enough that little is lost with one, and large enough that the reference costs little.
_BLOCKS, _NETWORKS = 30, 12


@dataclass(frozen=True)
class Timing:
    """How each model is timed: visits in so many `rounds`, of `seconds` at most, see
    `runner.timed`."""

    rounds: int = 5
    seconds: float = SECONDS_A_VISIT


@dataclass(frozen=True)
class Measuring:
    """A table at `path` that a benchmark fills: with what it shall hold, what makes that ready, and
    how much of it in a `batch`."""

    path: Path
    read: Callable[[], MeasurementTable]
    planned: Sequence[Architecture]
    prepare: "Prepare"
    batch: int


def bench(
    study: Study,
    specs: Sequence[str],
    *,
    count: int | None = None,
    seed: int = 0,
    report: Report = not_told,
    name: str | None = None,
    python: str = "python3",
    program: Path | None = None,
    energy: bool = False,
    memory: bool = False,
    workers: int = 1,
    timing: Timing = Timing(),
    models: Path | None = None,
    models_only: bool = False,
    again: bool = False,
) -> list[Device]:
    """Measure a study's benchmark on devices, each as in `measure_on_device`, and keep its sums.

    Blocks go to `blocks.parquet`; `count` whole networks, by default `NETWORKS` beside blocks and
    else as many as `sample_size` says, to the study's table, with the sums of blocks in its record.
    Each batch is kept, so a killed run goes on where it was, and a further device is measured on
    what is there. A model that a runtime can't convert or load costs its own cell: the table keeps
    why (`table.refusals`), and only `again` tries it again, as it does latencies that failed a
    check (`table.latency_verdicts`). `workers` processes make models while this one times; with
    `models_only` nothing is timed. What is converted is kept by its content in `models`, without it
    in the study until it is measured. Energy and peak memory are told by ONNX Runtime on this
    machine alone. Raises `InvalidInput` where networks of the space can't be built, `OtherMachine`
    where columns are of another machine, and as `meter_of`.
    """
    from foxnas_core.measurement.kept_models import FOLDER, KeptModels
    from foxnas_core.measurement.random_weights import RandomNetworks

    if not family_of(study.space).network:
        raise InvalidInput(
            f"Networks of family {study.space.family!r} can't be built with random weights, so "
            "there is nothing to measure; take a study of a space such as fbnet-imagenet or "
            "nasbench201."
        )
    if name is not None and len(specs) > 1:
        raise InvalidInput("--device-name names the columns of one device; give one --device.")
    devices = [device_for(study, spec, name) for spec in specs]
    kept = KeptModels(models or study.folder / FOLDER)
    if again:
        kept.forget_failures()
    making = _models_of(devices, kept, ahead=workers > 1, only=models_only)
    networks = RandomNetworks(study.space, seed)
    parts = _parts_of(study, planned_networks(study, count, seed), networks, making)
    lacking = [{device: _lacking(part, device, again) for device in devices} for part in parts]
    total = sum(len(part.planned) for part in parts) * len(devices)
    if (done := total - sum(len(own) for left in lacking for own in left.values())) == total:
        return devices
    pace = Pace(total, report)
    pace.skip(done)
    if models_only:
        _convert(parts, lacking, pace, done, workers=workers)
        return devices
    with study.in_use():
        meters = {
            device: _meters(
                study, device, spec, networks,
                seed=seed, python=python, program=program, energy=energy, memory=memory,
                timing=timing, kept=kept,
            )
            for device, spec in zip(devices, specs, strict=True)
        }  # fmt: skip
        for part, left in zip(parts, lacking, strict=True):
            for measured, stage in _filled(
                study, part, meters, left, seed=seed, workers=workers, again=again
            ):
                done += measured
                pace.at(done, stage)
        if block_space(study.space) is not None:
            keep_sums(study)
    if models is None:
        kept.clear()
    return devices


def _parts_of(
    study: Study, planned: list[Architecture], networks: "RandomNetworks", making: "Models"
) -> list[Measuring]:
    """What is measured: blocks, where networks of the space are chains of them, then networks."""
    from foxnas_core.measurement.random_weights import RandomBlocks

    prepare: Prepare = replace(networks, models=making)
    parts = [Measuring(study.table_file, study.table, planned, prepare, _NETWORKS)]
    if (own := block_space(study.space)) is not None:
        blocks = [own.architecture({BLOCK: block}) for block in own.decisions[0].choices]
        prepare = RandomBlocks(study.space, networks.seed, making)
        parts.insert(0, Measuring(study.blocks_file, study.blocks, blocks, prepare, _BLOCKS))
    return parts


def _convert(
    parts: Sequence[Measuring],
    lacking: Sequence[Mapping[Device, Set[Architecture]]],
    pace: Pace,
    done: int,
    *,
    workers: int,
) -> None:
    """Convert what devices lack, and time nothing."""
    for part, left in zip(parts, lacking, strict=True):
        todo = [a for a in part.planned if any(a in mine for mine in left.values())]
        for batch in _crew(part, workers).measured(_batches(part, todo)):
            done += sum(a in mine for a in batch.architectures for mine in left.values())
            pace.at(done, "models")


def _models_of(
    devices: Sequence[Device], kept: "KeptModels", *, ahead: bool, only: bool
) -> "Models":
    """What is made of networks `ahead` of their timing, ONNX models too where they are read, or
    `only` what is converted; raises `InvalidInput` where nothing is."""
    from foxnas_core.measurement.random_weights import Models

    names = dict.fromkeys(device.runtime.name for device in devices if device.runtime.converts)
    if only and not names:
        raise InvalidInput(
            "--models-only converts what LiteRT and ExecuTorch read, and no device that was named "
            "runs in these; add --device litert or --device executorch, or leave it out."
        )
    onnx = not only and not all(device.runtime.converts for device in devices)
    return Models(onnx, tuple(names), kept) if ahead or only else Models()


def keep_sums(study: Study) -> tuple[str, ...]:
    """Keep with the table what the measured blocks tell of each column of which all are measured;
    returns these columns."""
    additive = additive_table(study.space, study.blocks())
    whole = [c for c, costs in additive.costs.items() if not set(additive.blocks) - set(costs)]
    sums = [costs_of_blocks(additive, column) for column in whole]
    study.amend(lambda table: with_sums(table, *sums))
    return tuple(whole)


def _meters(
    study: Study,
    device: Device,
    spec: str,
    networks: "Prepare",
    *,
    seed: int,
    python: str,
    program: Path | None,
    energy: bool,
    memory: bool,
    timing: Timing,
    kept: "KeptModels",
) -> "list[Meter]":
    """What measures on a device; the reference for its drift is one in both tables."""
    from foxnas_core.measurement.campaign import reference_architecture
    from foxnas_core.measurement.device_meters import meter_of
    from foxnas_core.measurement.energy import EnergyMeter
    from foxnas_core.measurement.memory import MemoryMeter
    from foxnas_core.measurement.random_weights import CASES, NOISE

    reference = reference_architecture(study.space)
    known = [baselines_of(table, device.columns) for table in (study.table(), study.blocks())]
    how: dict[str, Any] = {"kept": kept} if device.name is not None else {}
    meter = meter_of(
        device,
        lambda: networks([reference])[0],
        python=python,
        program=program,
        calibration=CASES,
        task=NOISE,
        seed=seed,
        baselines=known[1] | known[0],
        rounds=timing.rounds,
        seconds=timing.seconds,
        lenient=True,
        **how,
    )
    # Only a device that is elsewhere knows itself.
    columns_of(study, recorded_machine(meter.record()), device=device.name, spec=spec)
    found: list[Meter] = [meter]
    if device.scheme == "local" and device.runtime.name == "onnxruntime":
        if energy:
            found.append(EnergyMeter(CASES, task=NOISE, device=device.name))
        if memory:
            found.append(MemoryMeter(CASES, task=NOISE, device=device.name))
    return found


@dataclass(frozen=True)
class _Ready:
    """Measures what is ready already, on one device."""

    subnets: "Batch"
    meters: "Sequence[Meter]"

    def record(self) -> dict[str, Any]:
        from foxnas_core.measurement.crew import records_of

        return records_of(self.meters) | {"weights": "random"}

    @property
    def refused(self) -> Mapping[str, Mapping[str, str]]:
        """Why the runtime loads what it doesn't, by column and id."""
        ids = {own.architecture.id for own in self.subnets.subnets}
        told: Mapping[str, Mapping[str, str]] = getattr(self.meters[0], "refused", {})
        return {c: {i: why for i, why in own.items() if i in ids} for c, own in told.items()}

    def measured(self, batches: Sequence[Sequence[Architecture]]) -> Any:
        from foxnas_core.measurement.crew import Batch, add_columns

        by = {own.architecture: own for own in self.subnets.subnets}
        for batch in batches:
            values: list[dict[str, float]] = [{} for _ in batch]
            ready = Batch(list(batch), [by[own] for own in batch], values, 0.0)
            yield add_columns(self.meters, ready, monotonic())


def _filled(
    study: Study,
    part: Measuring,
    meters: "Mapping[Device, Sequence[Meter]]",
    lacking: Mapping[Device, Set[Architecture]],
    *,
    seed: int,
    workers: int,
    again: bool,
) -> Iterator[tuple[int, str]]:
    """Measure what a table lacks of each device, batch by batch; tells after each device of a batch
    how many it has more, and whose they are."""
    todo = [own for own in part.planned if any(own in left for left in lacking.values())]
    with closing(_crew(part, workers).measured(_batches(part, todo))) as ready:
        for batch in ready:
            _begun(study, part, batch)
            for device, own in meters.items():
                planned = [a for a in batch.architectures if a in lacking[device]]
                if planned:
                    _measured(study, part, _Ready(batch, own), planned, seed=seed, again=again)
                    yield len(planned), device.runtime.title


def _crew(part: Measuring, workers: int) -> "Crew":
    from foxnas_core.measurement.cost import CostMeter
    from foxnas_core.measurement.crew import Alone, Processes

    if workers > 1:
        return Processes(part.prepare, [CostMeter()], count=workers)
    return Alone(part.prepare, [CostMeter()])


def _batches(part: Measuring, todo: Sequence[Architecture]) -> list[Sequence[Architecture]]:
    return [todo[i : i + part.batch] for i in range(0, len(todo), part.batch)]


def _begun(study: Study, part: Measuring, batch: "Batch") -> None:
    """Append what of a batch the table has no rows of, with its parameters and MACs."""

    def change(table: MeasurementTable) -> MeasurementTable:
        known = set(table.frame["id"])
        rows = [
            a.to_dict() | {k: value for k, value in values.items() if value > 0}  # pooling has none
            for a, values in zip(batch.architectures, batch.values, strict=True)
            if a.id not in known
        ]
        return table.with_rows(pd.DataFrame(rows)) if rows else table

    study.amend(change, part.path)


def _measured(
    study: Study,
    part: Measuring,
    crew: _Ready,
    planned: Sequence[Architecture],
    *,
    seed: int,
    again: bool,
) -> None:
    """Measure on one device, and keep it in the rows that there are, with `again` in place of what
    failed a check."""
    from foxnas_core.measurement.campaign import run_crew

    def keep(rows: "list[Measured]", circumstances: dict[str, Any]) -> None:
        def change(table: MeasurementTable) -> MeasurementTable:
            cells = []
            for row in rows:
                new = [c for c in row.values if is_metric(c) and row.architecture in lacks[c]]
                cells.append(device_cells(row, new))
            campaigns = {**table.record.get("campaigns", {}), **circumstances}
            record = {**table.record, "campaigns": campaigns}
            if again:
                ids = frozenset(row.architecture.id for row in rows)
                table = without_failed(table, ids, frozenset(columns))
            table = table.with_cells(pd.DataFrame(cells), record=record)
            return with_refusals(table, crew.refused)

        table = without_failed(part.read()) if again else part.read()
        columns = {c for row in rows for c in row.values if is_metric(c)}
        lacks = {c: set(table.lacking(c)) for c in columns}
        study.amend(change, part.path)

    run_crew(
        crew,
        planned,
        recalibration_images=0,
        seed=seed,
        keep=keep,
        batch=len(planned),
        origin={"origin": "bench"},
    )


def _lacking(part: Measuring, device: Device, again: bool) -> set[Architecture]:
    """What is planned and was not measured on a device yet; what its runtime refused, or failed a
    check, only to be tried `again`."""
    table = part.read()
    known = set(table.architectures())
    if again:
        sound = without_failed(table)
        known -= {a for column in device.columns for a in sound.lacking(column)}
        return set(part.planned) - known
    first = device.columns[0]
    known -= set(table.lacking(first))
    refused = refused_ids(table, first)
    return {a for a in part.planned if a not in known and a.id not in refused}
