"""The steps of a study from end to end, as the command line and the pages both take them."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from foxnas_core.devices.common import latency_columns, read_rows
from foxnas_core.devices.transfer import transfer
from foxnas_core.errors import FoxnasError, InvalidInput, MissingPart
from foxnas_core.families.mbconv.space import settings_of
from foxnas_core.regression import Predictor, fit
from foxnas_core.regression.features import build_form
from foxnas_core.space.architecture import Architecture, Value
from foxnas_core.study.storage import Study, file_hash
from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.table.metrics import KNOWN, Metric, metric_of
from foxnas_core.tasks.dataset import Dataset, ImageSet, check_apart, load_dataset

if TYPE_CHECKING:
    from foxnas_core.export.exporter import ExportedModel
    from foxnas_core.measurement.campaign import CampaignProgress, Measured
    from foxnas_core.planning.plan import MeasurementPlan
    from foxnas_core.profiling.result import Layer, LayerProfile
    from foxnas_core.quantization.finetuning import (
        Effect,
        FineTuned,
        FineTuning,
        FineTuningProgress,
    )
    from foxnas_core.search.calibration import SearchCalibration
    from foxnas_core.search.exact import Front
    from foxnas_core.search.problem import SearchProblem
    from foxnas_core.search.rounds import Round, RoundsRecord
    from foxnas_core.supernet.checkpoint import Checkpoint

PRECISIONS: Mapping[str, str] = {"fp32": "latency_ms", "int8": "latency_ms:int8"}
"""The precisions that a subnet is measured in here, each with its latency column."""


def fit_all(
    table: MeasurementTable,
    form: str = "auto",
    link: str = "auto",
    *,
    targets: Sequence[str] | None = None,
) -> dict[str, Predictor]:
    """A predictor for each of `targets`, by default all of the table's, by column, but energies
    and memories that too few rows have.

    By default, what only a few rows have of accuracy in a further precision is left out, so that a
    table that was begun without it goes on. `link` is that of accuracies. A latency with too few
    rows is calibrated from another device's, as in `predictor_or_transfer`.

    Raises `MissingPart` where nothing was measured yet, and as `regression.fit`.
    """
    if not len(table.frame):
        raise MissingPart(
            f"The table of space {table.space.name!r} has no measured subnets to fit; measure "
            "some with 'python -m foxnas_core measure' or import a table."
        )
    columns = targets
    if columns is None:
        columns = [
            t.column
            for t in table.targets
            if (t in KNOWN.values() and not t.is_extra)
            or t.is_latency
            or not _too_few(table, t.column, form)
        ]
    return {
        column: predictor_or_transfer(
            table, column, form, link if metric_of(column).is_accuracy else "none"
        )
        for column in columns
    }


def fit_each(
    targets: Sequence[Metric], fitted: Callable[[str], Predictor]
) -> tuple[dict[str, Predictor], list[str]]:
    """A predictor, by `fitted`, for each target that can be fitted or calibrated, and a sentence
    for each that can't or is calibrated."""
    found: dict[str, Predictor] = {}
    sentences: list[str] = []
    for target in targets:
        try:
            predictor = fitted(target.column)
            found[target.column] = predictor
            if predictor.df is not None:  # calibrated from another device
                sentences += predictor.warnings
        except FoxnasError as error:
            sentences.append(f"{target.label}: {error}")
    return found, sentences


def predictor_or_transfer(
    table: MeasurementTable, column: str, form: str = "auto", link: str = "auto"
) -> Predictor:
    """The fit of a target or, for a latency with fewer rows than the form has parameters plus
    one, another device's predictor calibrated to those rows.

    Of several devices that can be fitted, the one whose calibration errs least on rows left out is
    taken. The predictor's `warnings` then say so. Raises as `regression.fit`, also where no
    calibration is possible.
    """
    if column in latency_columns(table) and _too_few(table, column, form):
        found = []
        for source in latency_columns(table):
            if source != column:
                with suppress(InvalidInput):
                    fitted = fit(table, source, form, "none")
                    found.append(transfer(fitted, table=table, target=column))
        if found:
            return min(found, key=lambda predictor: predictor.cv.rmse)
    return fit(table, column, form, link)


def _too_few(table: MeasurementTable, column: str, form: str) -> bool:
    """Whether the column's rows are no more than the parameters of its form, or, where that is
    chosen by the rows, of the one that `fit` takes for few."""
    few = "per_layer" if table.ordered else "stage_counts"
    name = few if form == "auto" else form
    return len(read_rows(table, column)) <= build_form(name, table.space, column).parameters


def not_yet_measured(study: Study, count: int, seed: int) -> list[Architecture]:
    """Those of the seed's first `count` sampled architectures that have no row yet.

    The plan depends on the seed alone, so a killed campaign goes on where it was.
    """
    done = set(study.table().frame["id"])
    return [a for a in study.space.sample(count, seed=seed) if a.id not in done]


def measure(
    study: Study,
    architectures: Sequence[Architecture],
    *,
    seed: int,
    report: "Callable[[CampaignProgress], None]",
    optima: Mapping[str, Mapping[str, Any]] | None = None,
    origin: Mapping[str, Any] | None = None,
    energy: bool = False,
    memory: bool = False,
    workers: int = 1,
    ray: str | None = None,
) -> "list[Measured]":
    """Measure subnets and append each finished batch to the study's table.

    With `optima`, which holds further values by id, they go to the table of optima. `origin` says
    how they were chosen, see `run_crew`. `energy` and `memory` are measured where asked for and
    the device tells them. `workers` processes share the work, of this machine or, with `ray`, of
    the cluster at that address. Raises `MissingPart` where the study has no weights or images,
    `InvalidInput` for what can't be shared, and as `Cluster`.
    """
    checkpoint, calibration, held_out = parts_of(study)

    from foxnas_core.measurement import campaign

    if workers > 1 or ray is not None:
        _check_shared(checkpoint, energy and ray is None)
    parents = {"checkpoint": file_hash(study.checkpoint_file)}
    measured: list[Measured] = []

    def keep(rows: "list[Measured]", circumstances: dict[str, Any]) -> None:
        further = optima or {}
        study.append(
            [row.architecture for row in rows],
            [row.values | dict(further.get(row.architecture.id, {})) for row in rows],
            {name: parents | values for name, values in circumstances.items()},
            optima=optima is not None,
        )
        measured.extend(rows)

    device: dict[str, Any] = {
        "calibration": calibration,
        "seed": seed,
        "baseline": baseline_of(study.table()),
        "energy": energy,
        "memory": memory,
    }
    how: dict[str, Any] = {"seed": seed, "keep": keep, "report": report, "origin": origin}
    if ray is None:
        with study.in_use():
            meters = campaign.standard_meters(checkpoint, held_out=held_out, **device)
            campaign.run_campaign(
                checkpoint,
                architectures,
                meters=meters,
                calibration=calibration,
                workers=workers,
                **how,
            )
        return measured

    from foxnas_core.measurement.cluster import Cluster

    with (
        study.in_use(),
        Cluster(
            checkpoint,
            calibration,
            campaign.scoring_meters(checkpoint, held_out=held_out, calibration=calibration),
            partial(campaign.device_meters, **device),
            address=ray,
            count=workers,
        ) as crew,
    ):
        campaign.run_crew(crew, architectures, recalibration_images=len(calibration), **how)
    return measured


def _check_shared(checkpoint: "Checkpoint", energy: bool) -> None:
    """Raises `InvalidInput` for what several processes can't measure."""
    from foxnas_core.supernet.adapter import AdaptedSupernet

    if isinstance(checkpoint.supernet, AdaptedSupernet):
        raise InvalidInput(
            "A supernet of your own code stays in one process; leave --workers and --ray out."
        )
    if energy:
        raise InvalidInput(
            "--energy counts whatever the processor does, other processes included; leave "
            "--workers out."
        )


def measure_on_device(
    study: Study,
    spec: str,
    *,
    name: str | None = None,
    count: int | None = None,
    seed: int,
    report: "Callable[[CampaignProgress], None]",
    python: str = "python3",
    program: Path | None = None,
) -> "list[Measured]":
    """Add a device's latencies to rows that are measured already but lack them.

    `spec` and `name` are as in `measurement.devices.device_of`, `python` and `program` as in
    `meter_of`; `count` is how many subnets to measure at most, by default all. Each finished batch
    is kept, so a killed campaign goes on where it was. Raises `MissingPart` where the study has no
    rows, weights or images, and as `meter_of`.
    """
    from foxnas_core.measurement.devices import device_of, meter_of

    device = device_of(spec, name)
    table = study.table()
    if not len(table):
        raise MissingPart(
            f"Study {study.name!r} has no measured subnets that a device's latency could be added "
            "to; measure some first, without --device."
        )
    lacking = table.lacking(device.columns[0])[:count]
    if not lacking:
        return []
    checkpoint, calibration, _ = parts_of(study)

    from foxnas_core.measurement.campaign import run_campaign

    parents = {"checkpoint": file_hash(study.checkpoint_file)}
    measured: list[Measured] = []

    def keep(rows: "list[Measured]", circumstances: dict[str, Any]) -> None:
        cells = pd.DataFrame([_device_cells(row, device.columns) for row in rows])

        def change(table: MeasurementTable) -> MeasurementTable:
            campaigns = {n: parents | values for n, values in circumstances.items()}
            known = {**table.record.get("campaigns", {}), **campaigns}
            return table.with_cells(cells, record={**table.record, "campaigns": known})

        study.amend(change)
        measured.extend(rows)

    with study.in_use():
        run_campaign(
            checkpoint,
            lacking,
            meters=[
                meter_of(
                    device,
                    checkpoint,
                    calibration=calibration,
                    seed=seed,
                    baseline=baseline_of(table, device.columns[0]),
                    python=python,
                    program=program,
                )
            ],
            calibration=calibration,
            seed=seed,
            keep=keep,
            report=report,
            # What converts is slow, so that much would be lost with a large batch.
            batch=4 if device.runtime.converts else 12,
            origin={"origin": "device"},
        )
    return measured


def _device_cells(row: "Measured", columns: Sequence[str]) -> dict[str, Any]:
    """What a device adds to a row: its columns, and for each the campaign it was measured in,
    since the row's own `campaign` is that of its accuracy."""
    own = {k: v for k, v in row.values.items() if any(k.endswith(column) for column in columns)}
    campaigns = {f"campaign_{column}": row.values["campaign"] for column in columns}
    return {"id": row.architecture.id, **own, **campaigns}


def measure_optima(
    study: Study,
    latency: str,
    count: int,
    *,
    seed: int,
    report: "Callable[[CampaignProgress], None]",
) -> MeasurementTable:
    """Measure optima of random budgets, until the study has `count` of this seed's; returns all.

    The plan depends on table and seed alone, so a killed campaign goes on where it was. Raises as
    `fit_all` and `measure`.
    """
    from foxnas_core.search.calibration import random_optima

    front = latency_front(*fit_all(study.table(), targets=("accuracy", latency)).values())
    planned = random_optima(front, count, seed=seed)
    done = set(study.optima().frame["id"])
    found = {
        c.architecture.id: {"budget": c.costs[0], "searched_latency": latency} for c in planned
    }
    missing = [c.architecture for c in planned if c.architecture.id not in done]
    measure(study, missing, seed=seed, report=report, optima=found)
    return study.optima()


def search_rounds(
    study: Study,
    latency: str,
    rounds: int,
    *,
    per_round: int | None = None,
    shared: float | None = None,
    seed: int = 0,
    report: "Callable[[CampaignProgress], None]",
    finished: "Callable[[Round, int], None]" = lambda done, number: None,
) -> "RoundsRecord":
    """Search, measure the finds, fit anew, until the study has so many rounds; returns them all.

    Each round finds the predicted optima of `per_round` budgets, of which one is `shared`, or
    near ones where those were measured. What is planned is written before it is measured, so a
    killed round goes on where it was. Optima that calibrate are neither measured again nor read by
    the fits. `report` counts the subnets of all rounds that are left; `finished` is told each round
    and its number. Raises as `fit_all` and `measure`, and `InvalidInput` where rounds were begun
    with other settings.
    """
    from foxnas_core.measurement.campaign import CampaignProgress
    from foxnas_core.search import rounds as loop

    record = study.rounds()
    if record is not None:
        loop.check_continues(record, latency, per_round, shared, seed)
    columns = ("accuracy", latency)
    table = study.table()
    fitted = fit_all(table, targets=columns)
    if record is None:
        front = latency_front(*fitted.values())
        budgets = loop.spread_budgets(front, per_round or loop.PER_ROUND, shared)
        record = loop.RoundsRecord(latency, budgets, shared, seed)
    begun, measured_before = time.monotonic(), 0
    total = len(record.budgets) * (rounds - record.done)
    while record.done < rounds:
        if not record.rounds or record.rounds[-1].done:
            taken = {*table.frame["id"], *study.optima().frame["id"]}
            finds = loop.plan_finds(
                latency_front(*fitted.values()), list(fitted.values()), record.budgets, taken
            )
            if not finds:
                raise InvalidInput(
                    "Every subnet within the rounds' budgets is measured already; there is "
                    "nothing left to search."
                )
            planned = loop.Round(
                parents={
                    "space": study.space.fingerprint,
                    "measurements": table.fingerprint,
                    "checkpoint": file_hash(study.checkpoint_file)
                    if study.checkpoint_file.exists()
                    else "",
                },
                finds=finds,
                before={c: loop.FitQuality.of(p) for c, p in fitted.items()},
                best_before=loop.best_measured(table, latency, record.budgets),
            )
            record = record.with_last(planned)
            study.load_checkpoint()  # nothing is planned that can't be measured
            study.save_rounds(record)
        current = record.rounds[-1]
        done = set(table.frame["id"])
        missing = [f.architecture for f in current.finds if f.architecture.id not in done]
        already = measured_before + len(current.finds) - len(missing)

        def told(progress: "CampaignProgress", already: int = already) -> None:
            so_far = already + progress.done
            rate = (time.monotonic() - begun) / max(so_far, 1)
            report(CampaignProgress(so_far, total, rate * (total - so_far)))

        if missing:
            origin = {"origin": loop.ORIGIN, "round": len(record.rounds)}
            measure(study, missing, seed=seed, report=told, origin=origin)
        measured_before += len(current.finds)
        # What a fit before this round's finds says, also where the round was cut short.
        earlier = fitted
        if len(missing) < len(current.finds):
            ids = [find.architecture.id for find in current.finds]
            earlier = fit_all(table.rows(~table.frame["id"].isin(ids).to_numpy()), targets=columns)
        table = study.table()
        fitted = fit_all(table, targets=columns)
        current = replace(
            current,
            finds=loop.measured_finds(current.finds, table),
            after={c: loop.FitQuality.of(p) for c, p in fitted.items()},
            best=loop.best_measured(table, latency, record.budgets),
            moved={
                c: loop.movement(p, table, seed=seed) for c, p in earlier.items() if p.df is None
            },
        )
        record = record.with_last(current)
        study.save_rounds(record)
        finished(current, len(record.rounds))
    return record


def plan_measurements(
    study: Study, target: str, count: int, *, form: str = "auto", seed: int = 0
) -> "MeasurementPlan":
    """The next batch that makes the effects on `target` known best; measured optima are left out.

    Raises as `design.plan.plan_next`.
    """
    from foxnas_core.planning.plan import plan_next

    optima = study.optima()
    return plan_next(study.table(), target, count, form=form, seed=seed, taken=optima.codes)


def search_problem(
    predictors: Mapping[str, Predictor],
    bounds: Mapping[str, float],
    *,
    objective: str = "accuracy",
    allowed: Mapping[str, tuple[Value, ...]] | None = None,
) -> "SearchProblem":
    """The search for the best `objective` with every column of `bounds` at most its number, or at
    least that where more is better; `allowed` as in `SearchProblem`.

    Raises `InvalidInput` as that.
    """
    from foxnas_core.search.problem import Limit, SearchProblem

    limits = tuple(
        Limit(predictors[column], at_least=bound)
        if predictors[column].target.direction == "max"
        else Limit(predictors[column], bound)
        for column, bound in bounds.items()
    )
    return SearchProblem(predictors[objective], limits, allowed or {})


def latency_front(
    accuracy: Predictor,
    latency: Predictor,
    *,
    allowed: Mapping[str, tuple[Value, ...]] | None = None,
) -> "Front":
    """The best predicted accuracy for every budget of a latency; `allowed` as in
    `SearchProblem`."""
    from foxnas_core.search.exact import front
    from foxnas_core.search.problem import Limit, SearchProblem

    return front(SearchProblem(accuracy, (Limit(latency, 0.0),), allowed or {}))


def calibrations(
    table: MeasurementTable, optima: MeasurementTable, predictors: Sequence[Predictor], latency: str
) -> "dict[str, SearchCalibration]":
    """What optima under budgets of `latency` tell of each predictor, by column.

    Raises `MissingPart` where too few were measured.
    """
    from foxnas_core.search.calibration import ADVISED, calibrate

    try:
        searched = optima.frame.get("searched_latency", pd.Series(dtype=str))
        own = optima.rows((searched == latency).to_numpy())
        return {p.target.column: calibrate(p, own, table) for p in predictors}
    except InvalidInput as error:
        raise MissingPart(
            f"{error} Measure some with 'python -m foxnas_core calibrate --count {ADVISED} "
            f"--latency-target {latency}'."
        ) from None


def training_images(study: Study, data: Path | None) -> Dataset:
    """The images at `data` (by default Fashion-MNIST), as the study's space takes them.

    Raises as `load_dataset` and, for a space without a supernet of ours, `InvalidInput`.
    """
    settings = settings_of(study.space)
    return load_dataset(data, side=settings.resolutions[-1], channels=settings.input_channels)


def subnet_layers(study: Study, architecture: Architecture) -> "tuple[Layer, ...]":
    """The layers of a subnet; a space of the MBConv family needs no weights for them.

    Raises `InvalidInput` for weights of somebody's own code that was not named, `MissingPart` where
    the space is of another family and there are no weights.
    """
    if study.checkpoint_file.exists():
        network = study.load_checkpoint().extract(architecture)
    elif study.space.family == "mbconv":
        from foxnas_core.families.mbconv.space import settings_of
        from foxnas_core.supernet.subnet import Subnet

        network = Subnet(settings_of(study.space), architecture).eval()
    else:
        raise MissingPart(
            f"Space {study.space.name!r} lists decisions without saying what network they make, so "
            "its layers are not known; bring the supernet's weights and code with 'python -m "
            "foxnas_core measure --supernet'."
        )
    from foxnas_core.profiling.layers import layers_of

    return layers_of(network, study.space)


def profile_subnet(
    study: Study, architecture: Architecture, precision: str = "fp32"
) -> "tuple[tuple[Layer, ...], LayerProfile]":
    """The layers of a subnet and where its time goes on this machine, in fp32 or int8.

    Raises `InvalidInput` for another precision, `MissingPart` where the study has no weights or
    images.
    """
    if precision not in PRECISIONS:
        raise InvalidInput(f"{precision!r} is no precision; choose {' or '.join(PRECISIONS)}.")
    checkpoint, calibration, _ = parts_of(study)

    from foxnas_core.measurement.preparing import pixel_statistics, prepare
    from foxnas_core.profiling.layers import layers_of
    from foxnas_core.profiling.profile import profile_network

    prepared = prepare(checkpoint, architecture, calibration)
    fp32 = prepared.onnx
    int8 = precision == "int8"
    model = prepared.int8(calibration, *pixel_statistics(checkpoint)) if int8 else fp32
    profile = profile_network(
        prepared.subnet, study.space, fp32=fp32, model=model, precision=precision
    )
    return layers_of(prepared.subnet, study.space), profile


def devices_of(table: MeasurementTable, column: str) -> list[str]:
    """The devices that campaigns say they measured a latency column on."""
    found = []
    for circumstances in table.record.get("campaigns", {}).values():
        if column in circumstances.get("latency_columns", list(PRECISIONS.values())):
            found.append(circumstances.get("device"))
    return [str(device) for device in dict.fromkeys(found) if device]


def fine_tune(
    study: Study,
    architecture: Architecture,
    dataset: Dataset,
    recipe: "FineTuning",
    *,
    report: "Callable[[FineTuningProgress], None]",
    stop: Callable[[], bool],
) -> "tuple[FineTuned, Effect, ExportedModel]":
    """Fine-tune a subnet on the dataset that its supernet was trained on, and score it before and
    after on the study's held-out images; the study is left as it is.

    `stop` ends the training early. Raises `MissingPart` where the study has no weights or images,
    `InvalidInput` where the supernet is not of ours, the dataset is another one or has held-out
    images among the training ones.
    """
    checkpoint, calibration, held_out = parts_of(study)
    check_can_be_tuned(checkpoint, dataset, held_out)

    from foxnas_core.measurement.accuracy import AccuracyMeter
    from foxnas_core.measurement.campaign import pixel_statistics, prepare
    from foxnas_core.quantization import finetuning

    mean, std = pixel_statistics(checkpoint)
    before = prepare(checkpoint, architecture, calibration)
    tuned = finetuning.fine_tune(
        before, dataset.training, recipe,
        calibration=calibration, mean=mean, std=std, report=report, stop=stop,
    )  # fmt: skip
    meter = AccuracyMeter(held_out, calibration, mean=mean, std=std)
    effect = finetuning.effect_of(
        before, tuned.prepared, meter, lambda prepared: prepared.int8(calibration, mean, std)
    )
    parents = {
        "space": study.space.fingerprint,
        "checkpoint": file_hash(study.checkpoint_file),
        "images": file_hash(study.images_file),
    }
    int8 = tuned.prepared.int8(calibration, mean, std)
    files = finetuning.fine_tuned_files(
        tuned, effect, int8, record=checkpoint.record, parents=parents
    )
    return tuned, effect, files


def parts_of(study: Study) -> "tuple[Checkpoint, ImageSet, ImageSet]":
    """The supernet, the images to calibrate on and the held-out ones; holds torch to one thread,
    as measuring and training one subnet want it.

    Raises `MissingPart` where the study lacks one of them.
    """
    checkpoint = study.load_checkpoint()
    calibration, held_out = study.images()

    import torch

    torch.set_num_threads(1)
    return checkpoint, calibration, held_out


def check_can_be_tuned(checkpoint: "Checkpoint", dataset: Dataset, held_out: ImageSet) -> None:
    """Raises `InvalidInput` as `fine_tune` says."""
    from foxnas_core.supernet.network import Supernet

    if not isinstance(checkpoint.supernet, Supernet):
        raise InvalidInput(
            "Subnets of a supernet of your own cannot be fine-tuned here, where their layers are "
            "not known; fine-tune them by your own recipe."
        )
    if checkpoint.record.get("dataset") != dataset.name:
        raise InvalidInput(
            f"The supernet was trained on {checkpoint.record.get('dataset')}, not on "
            f"{dataset.name}; name its images with --data."
        )
    check_apart(dataset.training, held_out)


def baseline_of(table: MeasurementTable, column: str = "latency_ms") -> float | None:
    """The reference's time in the first campaign that measured a latency column (ms), which later
    ones are held to."""
    for circumstances in table.record.get("campaigns", {}).values():
        columns = circumstances.get("latency_columns", list(PRECISIONS.values()))
        if "reference_baseline_ms" in circumstances and column in columns:
            return circumstances["reference_baseline_ms"]
    return None
