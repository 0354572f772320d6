"""The commands that measure subnets into the table."""

import argparse
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pandas as pd

from foxnas_core.cards.card import Card
from foxnas_core.commands.printing import Answer, document_cards
from foxnas_core.commands.shared import (
    asked_goals,
    bar,
    cards_of,
    latencies_document,
    measured_document,
    named_architecture,
    opened,
    say,
    space_to_train,
    stoppable,
)
from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.measurement.here import machine_here
from foxnas_core.progress import Progress, Stopped
from foxnas_core.space.architecture import Architecture
from foxnas_core.steps.calibrate import calibrations, measure_optima
from foxnas_core.steps.fit import fit_all
from foxnas_core.steps.kept_fits import kept_fits
from foxnas_core.steps.measure import device_for, measure_on_device, measure_subnets
from foxnas_core.steps.plan import not_yet_measured, plan_measurements
from foxnas_core.study import Study, open_study
from foxnas_core.table.machine import device_name_of, machine_of
from foxnas_core.table.metrics import is_metric, metric_of

if TYPE_CHECKING:
    from foxnas_core.measurement.campaign import Measured


def measure(options: argparse.Namespace) -> Answer | dict[str, Any]:
    """Measure sampled subnets, or one given architecture, and append them to the table."""
    study = _study_to_measure(options)
    if options.device:
        return _measure_on_device(study, options)
    if options.next:
        return _measure_next(study, options)
    count = options.count or 1
    if options.architecture:
        architecture = named_architecture(study, options.architecture)
        planned = [architecture] * count
    else:
        planned = not_yet_measured(study, count, options.seed)
    origin = {"origin": "named"} if options.architecture else None
    measured = _measured(study, planned, options, origin=origin)
    document = {
        "study": str(study.folder),
        "rows": len(study.table().frame),
        **_timed_on(study, measured),
        "measured": [measured_document(row.architecture, row.values) for row in measured],
    }
    relied = cards_of(study, "measurements-verdict")
    return Answer(document, (*document_cards(document), *relied))


def _measure_on_device(study: Study, options: argparse.Namespace) -> dict[str, Any]:
    """Add one device's latencies to the rows that lack them."""
    if options.next or options.architecture:
        raise InvalidInput(
            "--device measures the subnets that the table holds already; leave --next and "
            "--architecture out."
        )
    if options.workers > 1 or options.ray:
        raise InvalidInput("--device times one device at a time; leave --workers and --ray out.")
    columns = device_for(study, options.device, options.device_name).columns
    with bar("subnet") as report:
        measured = measure_on_device(
            study,
            options.device,
            name=options.device_name,
            count=options.count,
            seed=options.seed,
            report=report,
            python=options.device_python,
            program=options.device_program,
        )
    if not measured:
        say(f"Every subnet of {study.folder} has {columns[0]} already.")
    table = study.table()
    return {
        "study": str(study.folder),
        "rows": len(table),
        "device": options.device,
        "columns": list(columns),
        "lacking": len(table.lacking(columns[0])),
        "measured": [
            {"id": row.architecture.id, **latencies_document(row.values)} for row in measured
        ],
    }


def _measure_next(study: Study, options: argparse.Namespace) -> Answer:
    """Measure the batch that makes the effects on a target known best."""
    if options.architecture:
        raise InvalidInput("--next chooses the subnets itself; leave --architecture out.")
    study.load_checkpoint()
    target = options.target or study.objective.column
    of_device = (target,) if metric_of(target).suffix == "DEVICE" else ()
    plan = plan_measurements(study, target, options.next, seed=options.seed)
    say(plan.sentence())
    planned = plan.batch.architectures()
    measured = _measured(study, planned, options, origin={"origin": "design"}, targets=of_device)
    rows = len(study.table())
    document = {
        "study": str(study.folder),
        "rows": rows,
        **_timed_on(study, measured),
        "target": plan.target,
        "expected": plan.to_dict(),
        "measured": [measured_document(row.architecture, row.values) for row in measured],
    }
    shown = [metric_of(c) for c in dict.fromkeys((target, *document["columns"]))]
    card = Card(
        title=f"{len(measured)} subnet{'s' if len(measured) > 1 else ''} measured",
        sentence=f"{plan.sentence()} {study.folder} has {rows:,} rows now.",
        table=pd.DataFrame(
            {"id": row.architecture.id}
            | {m.named: m.text(row.values[m.column]) for m in shown if m.column in row.values}
            for row in measured
        ),
    )
    return Answer(document, (card,))


def _measured(
    study: Study,
    planned: list[Architecture],
    options: argparse.Namespace,
    *,
    origin: Mapping[str, Any] | None = None,
    targets: Sequence[str] = (),
) -> "list[Measured]":
    """Measure what was planned, with a bar of progress."""
    with bar("subnet") as report:
        measured = measure_subnets(
            study,
            planned,
            seed=options.seed,
            report=report,
            origin=origin,
            device=options.device_name,
            targets=targets,
            workers=options.workers,
            ray=options.ray,
            energy=options.energy,
            memory=options.memory,
            images=options.images,
            timed=not options.untimed,
        )
    _say_what_is_not_told(study, measured)
    return measured


def _timed_on(study: Study, measured: "list[Measured]") -> dict[str, Any]:
    """The machine and the latency columns of what was measured, said where they are not the study's
    first ones."""
    table = study.table()
    values = measured[0].values if measured else {}
    columns = [c for c in values if is_metric(c) and metric_of(c).timed]
    machine = machine_of(table, columns[0]) if columns else None
    if machine is not None and device_name_of(columns[0]):
        say(f"Latencies are of {machine.name}, and are kept in {' and '.join(columns)}.")
    return {"device": machine and machine.name, "columns": columns}


def _say_what_is_not_told(study: Study, measured: "list[Measured]") -> None:
    """Say which of energy and memory this device did not tell."""
    campaigns = study.table().record.get("campaigns", {})
    for name in dict.fromkeys(row.values["campaign"] for row in measured):
        for quantity in ("energy", "memory"):
            said = str(campaigns[name].get(quantity, ""))
            if said.startswith("not available"):
                say(f"{quantity.capitalize()} is {said}.")


def _study_to_measure(options: argparse.Namespace) -> Study:
    """The study, begun or filled where the options bring a supernet of the user's own."""
    if not options.weights:
        if options.space or options.data:
            raise InvalidInput(
                "--space and --data go with a supernet of your own; give --weights FILE too."
            )
        return opened(options)
    from foxnas_core.steps.adopt import adopt

    if not options.supernet:
        raise InvalidInput(
            "--weights are those of a supernet of your own; name the function that builds it "
            "(--supernet MODULE:FUNCTION)."
        )
    if not options.space and not (options.study / "space.json").exists():
        raise MissingPart(f"{options.study} is a new study; name its space (--space FILE).")
    images = open_study(options.study).images_file if not options.data else options.data
    space = space_to_train(options.study, options.space)
    return adopt(
        options.study,
        space,
        supernet=options.supernet,
        weights=options.weights,
        data=images,
        part=options.part or "",
    )


def make_device(options: argparse.Namespace) -> Answer:
    """Make this machine a device of the study."""
    from foxnas_core.steps import make_device as making

    study, made = opened(options), None
    with stoppable() as stop, bar("subnet") as report, suppress(Stopped):

        def told(progress: Progress) -> None:
            report(progress)
            if stop.is_set():
                raise Stopped

        made = making.make_device(study, count=options.count, seed=options.seed, report=told)
    table = study.table()
    columns = making.columns_here(table)
    document: dict[str, Any] = {
        "study": str(study.folder),
        "device": machine_here().name,
        "columns": list(columns),
        "rows": {column: table.known(column) for column in columns},
        "targets": None,
    }
    if made is None:
        say("Stopped; what was measured is kept, and the same command goes on.")
        return Answer(document)
    document["targets"] = {
        column: {
            "rows": found.rows,
            "median_error": made.errors[column],
            "rmse": found.cv.rmse,
            "tau": found.cv.tau,
            "warnings": list(found.warnings),
        }
        for column, found in made.predictors.items()
    }
    return Answer(document, cards_of(study, "devices-this-machine"))


def calibrate(options: argparse.Namespace) -> Answer:
    """Measure optima of random budgets, by which later searches are judged."""
    study = opened(options)
    objective, cost = asked_goals(study, options)
    with bar("subnet") as report:
        optima = measure_optima(
            study,
            cost.column,
            options.count,
            objective=objective.column,
            seed=options.seed,
            report=report,
        )
    table = study.table()
    columns = (objective.column, cost.column)
    predictors = list(fit_all(table, targets=columns, kept=kept_fits(study)).values())
    found = calibrations(table, optima, predictors)
    document = {
        "study": str(study.folder),
        "optima": len(optima),
        "targets": {
            column: {"optima": c.count, "shift": c.shift, "spread": c.spread}
            for column, c in found.items()
        },
    }
    rows = []
    for column, one in found.items():
        metric, by = metric_of(column), one.table["measured"] - one.table["predicted"]
        mean = metric.difference_text(by.mean(), signed=True)
        rows.append((metric.named, one.count, mean, metric.difference_text(by.std())))
    card = Card(
        sentence=f"{found[cost.column].count} optima of {objective.word} by {cost.word} are "
        f"measured, of {len(optima)} in all; searches are judged by how these differ from their "
        "predictions.",
        table=pd.DataFrame(rows, columns=["target", "optima", "measured - predicted", "deviation"]),
    )
    return Answer(document, (card,))
