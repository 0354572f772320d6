"""What each command of the command line does, from options to a JSON document.

Each function returns what `--json` prints; progress and messages go to stderr. Heavy packages
are imported by the command that needs them.
"""

import argparse
import math
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from foxnas_core import workflow
from foxnas_core.architecture import Architecture
from foxnas_core.dataset import load_dataset
from foxnas_core.errors import FoxnasError, InvalidInput, MissingPart
from foxnas_core.families import load_shipped, shipped_spaces
from foxnas_core.families.mbconv import settings_of
from foxnas_core.files import write_atomically
from foxnas_core.search_space import SearchSpace
from foxnas_core.storage import (
    Study,
    create_study,
    open_study,
    read_architecture,
    read_space,
)
from foxnas_core.table import as_csv, is_target
from foxnas_core.target import STD_ERROR, target_of

if TYPE_CHECKING:
    from foxnas_core.importing import ColumnMapping
    from foxnas_core.measurement.campaign import CampaignProgress, Measured

CALIBRATION_IMAGES = 2000


def say(message: str) -> None:
    print(message, file=sys.stderr)


def train(options: argparse.Namespace) -> dict[str, Any]:
    """Train a supernet on a study's space and store its weights and images with the study."""
    import torch
    from torch import distributed

    from foxnas_core.supernet.checkpoint import save_checkpoint
    from foxnas_core.supernet.training import (
        Progress,
        Recipe,
        accuracy_of,
        check_images,
        is_first,
    )
    from foxnas_core.supernet.training import train as run

    torch.set_num_threads(options.threads)
    space = _space_to_train(options.study, options.space)
    settings = settings_of(space)
    dataset = load_dataset(
        options.data, side=settings.resolutions[-1], channels=settings.input_channels
    )
    check_images(space, dataset)
    recipe = Recipe(**_given(options, Recipe))
    if is_first() and not (options.study / "space.json").exists():
        create_study(options.study, space, name=options.study.resolve().name)
    study = Study(options.study, options.study.name, "", space)
    kept = study.in_use() if is_first() else nullcontext()
    with kept, tqdm(unit="step", delay=1, disable=not is_first(), file=sys.stderr) as bar:

        def report(progress: Progress) -> None:
            bar.total = progress.steps
            bar.set_postfix_str(
                f"loss {progress.loss:.3f}, largest {progress.largest:.1f} %, "
                f"smallest {progress.smallest:.1f} %"
            )
            bar.update(progress.step - bar.n)

        trained = run(
            study.space,
            dataset,
            recipe,
            state_file=study.training_state_file,
            resume=options.resume,
            report=report,
        )
    if not is_first():
        return {}
    mean, std = trained.record["pixel_mean"], trained.record["pixel_std"]
    final = {
        which: accuracy_of(
            trained.supernet, study.space.extreme(which), dataset, mean=mean, std=std
        )
        for which in ("largest", "smallest")
    }
    record = trained.record | {"accuracy": final}
    with study.writing():
        save_checkpoint(study.checkpoint_file, trained.supernet, record)
    study.save_images(dataset.training.take(slice(0, CALIBRATION_IMAGES)), dataset.held_out)
    study.training_state_file.unlink(missing_ok=True)
    if distributed.is_initialized():
        distributed.destroy_process_group()
    say(f"Saved {study.checkpoint_file}.")
    return {"study": str(study.folder), "steps": trained.record["steps"], "accuracy": final}


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Measure sampled subnets, or one given architecture, and append them to the table."""
    study = _study_to_measure(options)
    if options.device:
        return _measure_on_device(study, options)
    if options.next:
        return _measure_next(study, options)
    count = options.count or 1
    if options.architecture:
        architecture = read_architecture(options.architecture, study.space)
        planned = [architecture] * count
    else:
        planned = workflow.not_yet_measured(study, count, options.seed)
    with tqdm(total=len(planned), unit="subnet", delay=1, file=sys.stderr) as bar:
        measured = workflow.measure(
            study,
            planned,
            seed=options.seed,
            report=lambda progress: bar.update(progress.done - bar.n),
            workers=options.workers,
            ray=options.ray,
            energy=options.energy,
            memory=options.memory,
        )
    _say_what_is_not_told(study, measured)
    return {
        "study": str(study.folder),
        "rows": len(study.table().frame),
        "measured": [_measured_document(row) for row in measured],
    }


def _measure_on_device(study: Study, options: argparse.Namespace) -> dict[str, Any]:
    """Add one device's latencies to the rows that lack them."""
    from foxnas_core.measurement.devices import device_of

    if options.next or options.architecture:
        raise InvalidInput(
            "--device measures the subnets that the table holds already; leave --next and "
            "--architecture out."
        )
    if options.workers > 1 or options.ray:
        raise InvalidInput("--device times one device at a time; leave --workers and --ray out.")
    columns = device_of(options.device, options.device_name).columns
    with tqdm(unit="subnet", delay=1, file=sys.stderr) as bar:

        def report(progress: "CampaignProgress") -> None:
            bar.total = progress.total
            bar.update(progress.done - bar.n)

        measured = workflow.measure_on_device(
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
            {"id": row.architecture.id, **_latencies_document(row.values)} for row in measured
        ],
    }


def _measure_next(study: Study, options: argparse.Namespace) -> dict[str, Any]:
    """Measure the batch that makes the effects on a target known best."""
    if options.architecture:
        raise InvalidInput("--next chooses the subnets itself; leave --architecture out.")
    study.load_checkpoint()
    plan = workflow.plan_measurements(study, options.target, options.next, seed=options.seed)
    say(plan.sentence())
    planned = plan.batch.architectures()
    with tqdm(total=len(planned), unit="subnet", delay=1, file=sys.stderr) as bar:
        measured = workflow.measure(
            study,
            planned,
            seed=options.seed,
            report=lambda progress: bar.update(progress.done - bar.n),
            origin={"origin": "design"},
            workers=options.workers,
            ray=options.ray,
            energy=options.energy,
            memory=options.memory,
        )
    _say_what_is_not_told(study, measured)
    return {
        "study": str(study.folder),
        "rows": len(study.table()),
        "target": plan.target,
        "expected": plan.to_dict(),
        "measured": [_measured_document(row) for row in measured],
    }


def _say_what_is_not_told(study: Study, measured: "list[Measured]") -> None:
    """Say which of energy and memory this device did not tell."""
    campaigns = study.table().record.get("campaigns", {})
    for name in dict.fromkeys(row.values["campaign"] for row in measured):
        for quantity in ("energy", "memory"):
            said = str(campaigns[name].get(quantity, ""))
            if said.startswith("not available"):
                say(f"{quantity.capitalize()} is {said}.")


def fit(options: argparse.Namespace) -> dict[str, Any]:
    """Fit every target of a study's table."""
    from foxnas_core.regression import predictor_summary

    table = open_study(options.study).table()
    predictors = workflow.fit_all(table, options.form, options.link)
    for target in table.targets:
        if target.column not in predictors:
            say(f"{target.column}: too few rows have it for a fit; measure more subnets.")
    for column, predictor in predictors.items():
        for warning in predictor.warnings:
            say(f"{column}: {warning}")
    return {"targets": {column: predictor_summary(p) for column, p in predictors.items()}}


def calibrate(options: argparse.Namespace) -> dict[str, Any]:
    """Measure optima of random budgets, by which later searches are judged."""
    study = _opened(options)
    with tqdm(unit="subnet", delay=1, file=sys.stderr) as bar:

        def report(progress: "CampaignProgress") -> None:
            bar.total = progress.total
            bar.update(progress.done - bar.n)

        optima = workflow.measure_optima(
            study, options.latency_target, options.count, seed=options.seed, report=report
        )
    table = study.table()
    columns = ("accuracy", options.latency_target)
    predictors = list(workflow.fit_all(table, targets=columns).values())
    found = workflow.calibrations(table, optima, predictors, options.latency_target)
    return {
        "study": str(study.folder),
        "optima": len(optima),
        "targets": {
            column: {"optima": c.count, "shift": c.shift, "spread": c.spread}
            for column, c in found.items()
        },
    }


def search(options: argparse.Namespace) -> dict[str, Any]:
    """Anneal under limits, beside the exact optimum."""
    from foxnas_core.search.annealing import search as run
    from foxnas_core.search.restriction import allowed_choices
    from foxnas_core.search.result import search_document
    from foxnas_core.search.schedule import AnnealingSettings

    study = _opened(options)
    if options.rounds:
        return _search_rounds(study, options)
    table, latency_column = study.table(), options.latency_target
    asked = _bounds(options)
    columns = dict.fromkeys(["accuracy", latency_column, *asked])
    allowed = allowed_choices(study.space, options.allow, options.forbid)
    predictors = workflow.fit_all(table, targets=list(columns))
    accuracy, latency = predictors["accuracy"], predictors[latency_column]
    bounds, found = dict(asked), {}
    try:
        found = workflow.calibrations(table, study.optima(), [accuracy, latency], latency_column)
    except MissingPart:
        if options.guard is not None:
            raise
    if options.guard is not None:
        if latency_column not in bounds:
            raise InvalidInput("--guard needs a latency budget to keep; give --latency-budget.")
        bounds[latency_column] = found[latency_column].guarded(asked[latency_column], options.guard)
        say(
            f"Searching under {bounds[latency_column]:.4g} ms, so that the budget holds when "
            "measured."
        )
    objective = "accuracy" if options.accuracy_floor is None else latency_column
    problem = workflow.search_problem(predictors, bounds, objective=objective, allowed=allowed)
    result = run(problem, AnnealingSettings(**_given(options, AnnealingSettings)))
    say(result.certificate)
    if options.save:
        say(f"Saved search {study.save_search(result)}.")
    document = search_document(result, predictors, latency_column, found)
    budget = None
    if latency_column in asked:
        budget = {"asked": asked[latency_column], "searched": bounds[latency_column]}
    return document | {"budget": budget}


def _search_rounds(study: Study, options: argparse.Namespace) -> dict[str, Any]:
    """Rounds of searching, measuring and fitting anew."""
    from foxnas_core.search.rounds import Round, rounds_document

    if options.guard is not None:
        raise InvalidInput(
            "--guard makes one search's budget smaller; leave it out with --rounds, which measure "
            "what they find."
        )
    with study.in_use(), tqdm(unit="subnet", delay=1, file=sys.stderr) as bar:

        def report(progress: "CampaignProgress") -> None:
            bar.total = progress.total
            bar.update(progress.done - bar.n)

        def finished(done: Round, number: int) -> None:
            bar.clear()
            say(f"Round {number}: {done.sentence(options.latency_target)}")

        record = workflow.search_rounds(
            study,
            options.latency_target,
            options.rounds,
            per_round=options.per_round,
            shared=options.latency_budget,
            seed=options.seed or 0,
            report=report,
            finished=finished,
        )
    return {"study": str(study.folder), "rows": len(study.table()), **rounds_document(record)}


def counterfactual(options: argparse.Namespace) -> dict[str, Any]:
    """The fewest and the cheapest edits of an architecture that reach a goal."""
    from foxnas_core.answers.reach import Goal, reach
    from foxnas_core.answers.why_not import why_not
    from foxnas_core.search.restriction import choices_that_keep, chosen_value, named_decisions

    study, latency = open_study(options.study), options.latency_target
    table = study.table()
    base = _named_architecture(study, options.architecture)
    predictors = workflow.fit_all(table, targets=("accuracy", latency))
    given = {
        name: getattr(options, name)
        for name in ("save", "gain", "latency_budget", "accuracy_floor")
        if getattr(options, name) is not None
    }
    [(aim, amount)] = given.items()
    objective, limited = ("accuracy", latency) if aim in ("save", "latency_budget") else (
        latency, "accuracy"
    )  # fmt: skip
    calibration = None
    with suppress(MissingPart):
        found = workflow.calibrations(table, study.optima(), list(predictors.values()), latency)
        calibration = found[limited]
    allowed = choices_that_keep(
        study.space, base, [n for keep in options.keep for n in named_decisions(study.space, keep)]
    )
    problem = workflow.search_problem(predictors, {limited: amount}, objective=objective)
    reached = reach(
        problem,
        base,
        Goal(amount, relative=aim in ("save", "gain")),
        allowed=allowed,
        calibration=calibration,
    )
    why = None
    if options.why_not:
        if aim != "latency_budget":
            raise InvalidInput("--why-not asks within a budget; give --latency-budget as the goal.")
        name, text = options.why_not
        why = why_not(problem, base, name, chosen_value(study.space, name, text), allowed=allowed)
    for answer in reached.answers:
        prices = ", ".join(answer.price(target) for target in dict.fromkeys(reached.targets))
        say(f"{answer.counted}: {answer.words}. {prices}; kept with a chance of {answer.sure}.")
    if why:
        say(why.sentence())
    return {
        "study": str(study.folder),
        "id": base.id,
        "goal": reached.asked,
        "answers": [answer.to_dict() for answer in reached.answers],
        "why_not": why and why.to_dict(),
    }


def trust(options: argparse.Namespace) -> dict[str, Any]:
    """Train sampled subnets alone and compare them with what they inherit."""
    from foxnas_core import trusting
    from foxnas_core.trust.pairs import TrustSettings, spread_sample
    from foxnas_core.trust.report import report_document, trust_report

    study = open_study(options.study)
    settings = TrustSettings(**_given(options, TrustSettings))
    shown = "{percentage:.0f} % |{bar}| {n_fmt}/{total_fmt} steps, {elapsed}{postfix}"
    with tqdm(delay=1, file=sys.stderr, bar_format=shown) as bar:

        def report(progress: trusting.TrustProgress) -> None:
            bar.total = progress.total_steps
            bar.set_postfix_str(progress.sentence(), refresh=False)
            bar.update(progress.steps - bar.n)

        record = trusting.measure_trust(
            study,
            settings,
            count=options.count,
            seed=options.seed,
            data=options.data,
            workers=options.workers,
            report=report,
        )
    sample = spread_sample(study.space, options.count, seed=options.seed)
    elsewhere = len({a.id for a in sample} - record.ids)
    if elsewhere:
        say(f"{elsewhere} subnets are with another process, which adds their pairs.")
    found = trust_report(record.pairs, seed=options.seed)
    say(found.sentence())
    return {
        "study": str(study.folder),
        "pairs": len(record.pairs),
        "parents": record.parents,
        "settings": asdict(record.settings),
        **report_document(found),
    }


def verify(options: argparse.Namespace) -> dict[str, Any]:
    """Measure subnets and judge what was claimed of them before."""
    from foxnas_core import verifying
    from foxnas_core.verification.scoreboard import scoreboard, scoreboard_document

    study = _opened(options)
    if (options.random is None) == (options.architecture is None):
        raise InvalidInput("Give --architecture FILE or ID to test one subnet, or --random N.")
    if options.random is not None and options.against:
        raise InvalidInput("--random draws its own pairs; leave --against out.")
    with _stoppable() as stop, tqdm(unit="trial", delay=1, file=sys.stderr) as bar:

        def report(progress: verifying.VerifyProgress) -> None:
            bar.total = progress.total
            bar.set_postfix_str(progress.stage)
            bar.update(progress.done - bar.n)

        how: dict[str, Any] = {
            "images": options.images,
            "seed": options.seed,
            "report": report,
            "stop": stop.is_set,
        }
        if options.random is not None:
            trials = verifying.verify_random(study, options.random, **how)
        else:
            named = [options.against] if options.against else []
            subnets = [_named_architecture(study, name) for name in [*named, options.architecture]]
            trials = [verifying.verify(study, subnets, **how)]
    for trial in trials:
        for sentence in trial.sentences():
            say(f"{trial.title}: {sentence}")
    if not all(trial.done for trial in trials):
        say("Stopped; what was measured is kept, and the same command goes on.")
    board = scoreboard(study.current_trials())
    for sentence in board.sentences():
        say(sentence)
    return {
        "study": str(study.folder),
        "rows": len(study.table()),
        "trials": [trial.to_dict() for trial in trials],
        **scoreboard_document(board),
    }


def handmade(options: argparse.Namespace) -> dict[str, Any]:
    """Train networks designed by hand and searched ones alone, and time them all."""
    from foxnas_core.comparing import ComparisonProgress, ComparisonSettings, compare_handmade
    from foxnas_core.handmade.claims import WAYS, compare, comparison_document
    from foxnas_core.handmade.record import PRECISIONS

    study = open_study(options.study)
    shown = "{percentage:.0f} % |{bar}| {n_fmt}/{total_fmt} steps, {elapsed}{postfix}"
    with tqdm(delay=1, file=sys.stderr, bar_format=shown) as bar:

        def report(progress: ComparisonProgress) -> None:
            bar.total = progress.total_steps
            bar.set_postfix_str(progress.sentence(), refresh=False)
            bar.update(progress.steps - bar.n)

        record = compare_handmade(
            study,
            ComparisonSettings(**_given(options, ComparisonSettings)),
            seed=options.seed,
            data=options.data,
            report=report,
        )
    comparisons = [
        compare(record, way=way, precision=precision, seed=record.seeds[0])
        for precision in PRECISIONS
        for way in WAYS
    ]
    for comparison in comparisons:
        say(comparison.sentence())
    return {
        "study": str(study.folder),
        "parents": record.parents,
        "recipe": record.recipe,
        "seeds": record.seeds,
        "seed_spread": {
            name: spread if math.isfinite(spread := record.seed_spread(precision)) else None
            for precision, name in PRECISIONS.items()
        },
        "comparisons": comparison_document(comparisons),
    }


def export(options: argparse.Namespace) -> dict[str, Any]:
    """Export one architecture's subnet to a new folder or archive."""
    from foxnas_core.export.exporter import check_new, write_export
    from foxnas_core.export.formats import INT8_FLOOR
    from foxnas_core.export.progress import ExportProgress
    from foxnas_core.exporting import export as run

    study = _opened(options)
    architecture = read_architecture(options.architecture, study.space)
    check_new(options.out)
    tuning = None
    if options.fine_tune:
        from foxnas_core.quantization.finetuning import FineTuning

        tuning = FineTuning(options.fine_tune, quantization_aware=options.quantization_aware)
    elif options.quantization_aware or options.data:
        raise InvalidInput(
            "--quantization-aware and --data are about fine-tuning; give --fine-tune EPOCHS too."
        )
    table = study.table()
    predictors = workflow.fit_all(table) if len(table.frame) else {}
    shown = "{percentage:.0f} % |{bar}| {elapsed}{postfix}"
    with tqdm(total=1.0, delay=1, file=sys.stderr, bar_format=shown) as bar:

        def report(progress: ExportProgress) -> None:
            bar.set_postfix_str(progress.sentence(), refresh=False)
            bar.n = progress.share
            bar.refresh()

        exported = run(
            study,
            architecture,
            predictors,
            formats=options.formats,
            tuning=tuning,
            data=options.data,
            int8_floor=INT8_FLOOR if options.int8_floor is None else options.int8_floor,
            report=report,
        )
        bar.clear()
    write_export(exported, options.out)
    for sentence in exported.left_out:
        say(f"Left out: {sentence}")
    say(f"Wrote {len(exported.files)} files to {options.out}.")
    return {
        "id": exported.architecture_id,
        "out": str(options.out),
        "files": sorted(exported.files),
        "checks": [asdict(check) for check in exported.checks],
        "left_out": list(exported.left_out),
    }


def profile(options: argparse.Namespace) -> dict[str, Any]:
    """One architecture's layers: what each computes, takes on this machine and brings."""
    from foxnas_core.explanation.block_effects import block_prices
    from foxnas_core.figures.model_graph import graph_table
    from foxnas_core.files import write_atomically

    study = _opened(options)
    if options.precision not in workflow.PRECISIONS:
        raise InvalidInput(f"--precision is fp32 or int8, not {options.precision!r}.")
    architecture = _named_architecture(study, options.architecture)
    found = None
    try:
        layers, found = workflow.profile_subnet(study, architecture, options.precision)
    except MissingPart as missing:
        layers = workflow.subnet_layers(study, architecture)
        say(f"There are no times. {missing}")
    effects = {}
    for column in ("accuracy", workflow.PRECISIONS[options.precision]):
        try:
            predictor = workflow.fit_all(study.table(), targets=[column])[column]
            effects[column] = block_prices(predictor, architecture=architecture)
        except FoxnasError as error:
            say(f"There are no effects on {column}. {error}")
    table = graph_table(layers, found, effects)
    if options.out:
        write_atomically(options.out, as_csv(table))
        say(f"Wrote {options.out}.")
    cells = table.astype(object).where(table.notna(), None)
    document = {
        "study": str(study.folder),
        "id": architecture.id,
        "architecture": architecture.to_dict(),
        "precision": options.precision,
        "parameters": sum(layer.parameters for layer in layers),
        "macs": sum(layer.macs for layer in layers),
        "rows": cells.to_dict("records"),
        "latency_ms": None,
    }
    if found is None:
        return document
    return document | {
        "latency_ms": {"value": found.latency_ms, "low": found.low_ms, "high": found.high_ms},
        "layers_ms": found.layers_ms,
        "of_no_layer_ms": found.elsewhere_ms,
        "unattributed_ms": found.unattributed_ms,
        "profiler_ms": found.profiler_ms,
        "profiled_ms": found.profiled_ms,
        "circumstances": found.circumstances,
    }


def fine_tune(options: argparse.Namespace) -> dict[str, Any]:
    """Fine-tune one architecture's subnet, and write it to a new folder."""
    from foxnas_core.export.exporter import check_new, write_export
    from foxnas_core.quantization.finetuning import FineTuning, FineTuningProgress

    study = open_study(options.study)
    architecture = read_architecture(options.architecture, study.space)
    check_new(options.out)
    dataset = workflow.training_images(study, options.data)
    with _stoppable() as stop, tqdm(unit="step", delay=1, file=sys.stderr) as bar:

        def report(progress: FineTuningProgress) -> None:
            bar.total = progress.steps
            bar.set_postfix_str(f"loss {progress.loss:.3f}")
            bar.update(progress.step - bar.n)

        tuned, effect, files = workflow.fine_tune(
            study,
            architecture,
            dataset,
            FineTuning(**_given(options, FineTuning)),
            report=report,
            stop=stop.is_set,
        )
    write_export(files, options.out)
    if tuned.steps < tuned.planned:
        say(f"Stopped after {tuned.steps} of {tuned.planned} steps; what was learnt is kept.")
    say(effect.sentence())
    return {
        "id": architecture.id,
        "out": str(options.out),
        "files": sorted(files.files),
        "steps": tuned.steps,
        "planned_steps": tuned.planned,
        **asdict(effect),
    }


@contextmanager
def _stoppable() -> Iterator[threading.Event]:
    """An event that the first Ctrl-C sets; the second one interrupts as usual."""
    asked = threading.Event()
    usual = signal.getsignal(signal.SIGINT)

    def ask(number: int, frame: object) -> None:
        asked.set()
        signal.signal(signal.SIGINT, usual)

    signal.signal(signal.SIGINT, ask)
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, usual)


def report(options: argparse.Namespace) -> dict[str, Any]:
    """Write the study's report, one HTML file that needs no server."""
    from datetime import UTC, datetime

    from foxnas_core.reporting.report import build_report
    from foxnas_core.reporting.subject import PARTS, ReportRequest

    study = open_study(options.study)
    if options.out.is_dir():
        raise InvalidInput(f"{options.out} is a folder; name a file, such as report.html.")
    request = ReportRequest(
        latency=options.latency_target,
        budget=options.latency_budget,
        guard=options.guard,
        architecture=options.architecture and _named_architecture(study, options.architecture),
        rationale=options.rationale,
        parts=tuple(part for part in PARTS if part not in options.without),
        made=datetime.now(UTC).date().isoformat(),
    )
    table = study.table()
    fitted, refused = workflow.fit_each(
        table.targets, lambda column: workflow.fit_all(table, targets=[column])[column]
    )
    for sentence in refused:
        say(sentence)
    built = build_report(study, fitted, request, refused)
    try:
        write_atomically(options.out, built.html)
    except OSError as error:
        raise InvalidInput(
            f"{options.out} can't be written ({error.strerror or error}); name another file."
        ) from error
    for sentence in built.sentences:
        say(sentence)
    say(f"Wrote {options.out}, {len(built.html):,} bytes.")
    return {
        "study": str(study.folder),
        "out": str(options.out),
        "bytes": len(built.html),
        "id": built.subnet or None,
        "summary": list(built.sentences),
    }


def import_table(options: argparse.Namespace) -> dict[str, Any]:
    """Append a table of one's own to a study, which is created where it does not exist."""
    from foxnas_core.importing import read_foreign

    study = open_study(options.study) if (options.study / "space.json").exists() else None
    named = named_space(options.space) if options.space else None
    if study and named and named.fingerprint != study.space.fingerprint:
        raise InvalidInput(
            f"{options.study} is of space {study.space.name!r}, not {options.space!r}; leave "
            "--space out, or name a new folder."
        )
    if options.join:
        return _join(study, options)
    table = read_foreign(options.file, study.space if study else named, _mapping(options))
    if study is None:
        study = create_study(
            options.study,
            table.space,
            name=options.study.resolve().name,
            description=f"Imported from {options.file.name}; there is no supernet.",
            table=table,
        )
        rows = len(table)
    else:
        rows = len(study.add_table(table))
    say(f"Added {len(table)} rows to {study.folder}, which now has {rows}.")
    return {
        "study": str(study.folder),
        "added": len(table),
        "rows": rows,
        "targets": [target.column for target in table.targets],
        "ordered": table.ordered,
    }


def import_weights(options: argparse.Namespace) -> dict[str, Any]:
    """Begin a study with weights in once-for-all's published layout."""
    from foxnas_core.adoption import import_once_for_all

    space = _space_to_train(options.study, options.space or "ofa-mobilenetv3")
    study = import_once_for_all(options.study, space, weights=options.file, data=options.data)
    calibration, held_out = study.images()
    say(f"Saved {study.checkpoint_file}.")
    return {
        "study": str(study.folder),
        "space": space.name,
        "calibration_images": len(calibration),
        "held_out_images": len(held_out),
    }


def _join(study: Study | None, options: argparse.Namespace) -> dict[str, Any]:
    """Add another device's latencies from a file, by id, to the rows that lack them."""
    from foxnas_core.importing import read_file

    if study is None:
        raise MissingPart(
            f"There is no study at {options.study} to join to; import the table without --join to "
            "make one."
        )
    file, mapping = read_file(options.file), _mapping(options)
    before = study.table()
    table = study.amend(lambda table: file.joined(table, mapping))
    added = [
        t.column
        for t in table.targets
        if t.is_latency and table.known(t.column) > before.known(t.column)
    ]
    joined = max(table.known(column) - before.known(column) for column in added)
    say(f"Joined {', '.join(added)} to {joined} of the {len(table)} rows of {study.folder}.")
    return {
        "study": str(study.folder),
        "joined": joined,
        "rows": len(table),
        "targets": added,
    }


def app(options: argparse.Namespace) -> dict[str, Any]:
    """Serve the app; ends with the server's own exit status."""
    from foxnas_core.launching import fill_with_demo, start_app, studies_folder

    studies = studies_folder(options.studies)
    if fill_with_demo(studies):
        say(f"Copied the demo to {studies}.")
    sys.exit(start_app(studies, address=options.address, port=options.port))


COMMANDS: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "train": train,
    "measure": measure,
    "fit": fit,
    "calibrate": calibrate,
    "search": search,
    "counterfactual": counterfactual,
    "trust": trust,
    "verify": verify,
    "handmade": handmade,
    "export": export,
    "profile": profile,
    "fine-tune": fine_tune,
    "report": report,
    "import": import_table,
    "import-weights": import_weights,
    "app": app,
}


def _opened(options: argparse.Namespace) -> Study:
    """The study, with the code that builds its supernet where the options name some."""
    study = open_study(options.study)
    if not options.supernet:
        return study
    from foxnas_core.supernet.adapter import load_factory

    return replace(study, build=load_factory(options.supernet))


def _named_architecture(study: Study, named: str) -> Architecture:
    """An architecture from a JSON file, or a measured one by its id."""
    if Path(named).exists():
        return read_architecture(Path(named), study.space)
    for table in (study.table(), study.optima()):
        rows = (table.frame["id"] == named).to_numpy()
        if rows.any():
            return table.rows(rows).architectures()[0]
    raise MissingPart(
        f"{named!r} is neither a file nor the id of a subnet that {study.folder} has measured."
    )


def _study_to_measure(options: argparse.Namespace) -> Study:
    """The study, begun or filled where the options bring a supernet of the user's own."""
    if not options.weights:
        if options.space or options.data:
            raise InvalidInput(
                "--space and --data go with a supernet of your own; give --weights FILE too."
            )
        return _opened(options)
    from foxnas_core.adoption import adopt

    if not options.supernet:
        raise InvalidInput(
            "--weights are those of a supernet of your own; name the function that builds it "
            "(--supernet MODULE:FUNCTION)."
        )
    if not options.space and not (options.study / "space.json").exists():
        raise MissingPart(f"{options.study} is a new study; name its space (--space FILE).")
    images = open_study(options.study).images_file if not options.data else options.data
    space = _space_to_train(options.study, options.space)
    return adopt(
        options.study, space, supernet=options.supernet, weights=options.weights, data=images
    )


def _given(options: argparse.Namespace, settings: type) -> dict[str, Any]:
    """The options that were given, of those that a settings class has; it knows the defaults."""
    names = [field.name for field in fields(settings)]
    return {n: getattr(options, n) for n in names if getattr(options, n, None) is not None}


def _bounds(options: argparse.Namespace) -> dict[str, float]:
    """The number that each limited column is held to, in the order in which they are given."""
    pairs = list(options.limit)
    if options.latency_budget is not None:
        pairs.insert(0, (options.latency_target, options.latency_budget))
    if options.accuracy_floor is not None:
        pairs.insert(0, ("accuracy", options.accuracy_floor))
    if not pairs:
        raise InvalidInput(
            "A search needs a limit; give --latency-budget, --limit or --accuracy-floor."
        )
    names = [name for name, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            raise InvalidInput(f"{name} is limited twice; keep the tighter limit.")
    return dict(pairs)


def _mapping(options: argparse.Namespace) -> "ColumnMapping":
    """What --map and the units say; a latency's unit is that of every mapped latency."""
    from foxnas_core.importing import ColumnMapping

    columns = dict(options.map)
    if len(columns) < len(options.map):
        names = [name for name, _ in options.map]
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidInput(f"{twice!r} is mapped to two columns; keep one --map of it.")
    units: dict[str, str] = {}
    if options.accuracy_unit:
        accuracies = [n for n in columns if is_target(n) and target_of(n).is_accuracy]
        units |= dict.fromkeys(accuracies or ["accuracy"], options.accuracy_unit)
    if options.latency_unit:
        latencies = [n for n in columns if is_target(n) and n.startswith("latency_ms")]
        units |= dict.fromkeys(latencies or ["latency_ms"], options.latency_unit)
    return ColumnMapping(columns, units)


def _space_to_train(folder: Path, named: str | None) -> SearchSpace:
    if not (folder / "space.json").exists():
        return named_space(named or "foxnas-mini")
    study = open_study(folder)
    if named and named_space(named).fingerprint != study.space.fingerprint:
        raise InvalidInput(
            f"{folder} is of space {study.space.name!r}, not {named!r}; name a new folder."
        )
    return study.space


def named_space(name: str) -> SearchSpace:
    """A shipped space by name, or one from a JSON file."""
    if name in shipped_spaces():
        return load_shipped(name)
    if Path(name).exists():
        return read_space(Path(name))
    raise InvalidInput(
        f"{name!r} is neither a shipped space ({', '.join(shipped_spaces())}) nor a file."
    )


def _measured_document(row: "Measured") -> dict[str, Any]:
    """A measured subnet with its accuracies and latencies, each with a 95 % interval.

    An accuracy's is normal, from its standard error; a latency's is the range of its rounds.
    """
    document: dict[str, Any] = {
        "id": row.architecture.id,
        "architecture": row.architecture.to_dict(),
    }
    for column, value in row.values.items():
        if is_target(column) and (target_of(column).is_accuracy or target_of(column).is_drop):
            error = 1.96 * row.values[f"{column}{STD_ERROR}"]
            document[column] = {"value": value, "low": value - error, "high": value + error}
    return document | _latencies_document(row.values)


def _latencies_document(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        column: {"value": value, "low": values[f"low_{column}"], "high": values[f"high_{column}"]}
        for column, value in values.items()
        if column.partition(":")[0] == "latency_ms"
    }
