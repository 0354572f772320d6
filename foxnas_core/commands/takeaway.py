"""The commands that take something away: export, profile, report."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from foxnas_core.cards.card import Card
from foxnas_core.commands.printing import Answer
from foxnas_core.commands.shared import bar, check_bound, named_architecture, opened, say
from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.files import check_place, write_atomically
from foxnas_core.space.architecture import Architecture
from foxnas_core.steps.fit import fit_all, fit_each
from foxnas_core.steps.kept_fits import kept_fits
from foxnas_core.steps.measure import PRECISIONS
from foxnas_core.steps.profile import profile_subnet, subnet_layers
from foxnas_core.study import Study, check_weights, open_study
from foxnas_core.table.files import as_csv
from foxnas_core.table.metrics import metric_of

if TYPE_CHECKING:
    from foxnas_core.export.written import ExportedModel
    from foxnas_core.regression import Predictor


def export(options: argparse.Namespace) -> Answer:
    """Export one architecture's subnet to a new folder or archive."""
    from foxnas_core.export.written import check_new, write_export

    # What takes no time comes first, and torch after it.
    check_new(options.out)
    if not options.random_weights:
        check_weights(open_study(options.study))
    study = opened(options)
    architecture = named_architecture(study, options.architecture)
    if options.random_weights:
        return _export_untrained(study, architecture, options)

    from foxnas_core.cards.expected import expected
    from foxnas_core.cards.export import checks_card
    from foxnas_core.cards.given import Given
    from foxnas_core.export.formats import INT8_FLOOR
    from foxnas_core.steps.export import export as run

    tuning = None
    if options.fine_tune:
        from foxnas_core.quantization.finetuning import FineTuning

        tuning = FineTuning(options.fine_tune, quantization_aware=options.quantization_aware)
    elif options.quantization_aware or options.data:
        raise InvalidInput(
            "--quantization-aware and --data are about fine-tuning; give --fine-tune EPOCHS too."
        )
    table, asked = study.table(), Given(study, architecture=architecture)
    with bar() as report:
        exported = run(
            study,
            architecture,
            expected(asked, architecture) if len(table) else (),
            formats=options.formats,
            tuning=tuning,
            data=options.data,
            int8_floor=INT8_FLOOR if options.int8_floor is None else options.int8_floor,
            report=report,
        )
    write_export(exported, options.out)
    wrote = f"Wrote {len(exported.files)} files to {options.out}."
    return Answer(
        _told(exported, options.out),
        (Card(sentence=wrote, points=exported.left_out), checks_card(exported)),
    )


def _export_untrained(
    study: Study, architecture: Architecture, options: argparse.Namespace
) -> Answer:
    """The architecture and its network with random weights, which says so."""
    from foxnas_core.export.untrained import FILE, export_untrained
    from foxnas_core.export.written import write_export

    if options.fine_tune or options.formats or options.data or options.quantization_aware:
        raise InvalidInput(
            "--random-weights writes one file of weights that nothing was taught; leave out "
            "--formats, --fine-tune, --quantization-aware and --data."
        )
    exported = export_untrained(study.space, architecture)
    write_export(exported, options.out)
    wrote = (
        f"Wrote the architecture and {FILE} to {options.out}. Its weights are random, as its "
        "metadata says too: measure what it costs, and ask it for nothing else."
    )
    return Answer(_told(exported, options.out), (Card(sentence=wrote),))


def _told(exported: "ExportedModel", out: Path) -> dict[str, Any]:
    return {
        "id": exported.architecture_id,
        "out": str(out),
        "files": sorted(exported.files),
        "checks": [asdict(check) for check in exported.checks],
        "left_out": list(exported.left_out),
    }


def profile(options: argparse.Namespace) -> Answer:
    """One architecture's layers: what each computes, takes on this machine and brings."""
    from foxnas_core.cards.given import Given
    from foxnas_core.cards.model_graph import effects_of
    from foxnas_core.figures.layer_tables import graph_table

    study = opened(options)
    if options.precision not in PRECISIONS:
        raise InvalidInput(f"--precision is fp32 or int8, not {options.precision!r}.")
    if options.out:
        with _to(options.out):
            check_place(options.out)
    architecture = named_architecture(study, options.architecture)
    found = None
    try:
        layers, found = profile_subnet(study, architecture, options.precision)
    except MissingPart as missing:
        layers = subnet_layers(study, architecture)
        say(f"There are no times. {missing}")
    effects, refused = effects_of(Given(study, architecture=architecture), options.precision)
    for sentence in refused:
        say(sentence)
    table = graph_table(layers, found, effects)
    if options.out:
        with _to(options.out):
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
    told = f"{architecture.id} computes {metric_of('macs').text(document['macs'])} MACs"
    if found is not None:
        document |= {
            "latency_ms": {"value": found.latency_ms, "low": found.low_ms, "high": found.high_ms},
            "layers_ms": found.layers_ms,
            "of_no_layer_ms": found.elsewhere_ms,
            "unattributed_ms": found.unattributed_ms,
            "profiler_ms": found.profiler_ms,
            "profiled_ms": found.profiled_ms,
            "circumstances": found.circumstances,
        }
        told += (
            f" in {found.latency_ms:.4g} ms ({found.low_ms:.4g} to {found.high_ms:.4g}) of "
            f"{options.precision} on {found.circumstances['device']}"
        )
        if not study.checkpoint_file.exists():
            told += ", with random weights, which a time hardly depends on"
    return Answer(document, (Card(sentence=f"{told}.", table=table.dropna(axis=1, how="all")),))


@contextmanager
def _to(out: Path) -> Iterator[None]:
    """Whatever writes a file that the user named does so in here; raises `InvalidInput` instead of
    what the system raises."""
    try:
        yield
    except OSError as error:
        raise InvalidInput(
            f"{out} can't be written ({error.strerror or error}); name another file, or free some "
            "space there."
        ) from error


def report(options: argparse.Namespace) -> Answer:
    """Write the study's report, one HTML file that needs no server."""
    from datetime import UTC, datetime

    from foxnas_core.cards.subject import PARTS, ReportRequest, subject_of

    study = open_study(options.study)
    if options.out.is_dir():
        raise InvalidInput(f"{options.out} is a folder; name a file, such as report.html.")
    with _to(options.out):
        check_place(options.out)
    check_bound(options.cost or study.cost.column, options.budget)
    request = ReportRequest(
        objective=options.objective,
        cost=options.cost,
        budget=options.budget,
        guard=options.guard,
        architecture=options.architecture and named_architecture(study, options.architecture),
        rationale=options.rationale,
        parts=tuple(part for part in PARTS if part not in options.without),
        made=datetime.now(UTC).date().isoformat(),
    )
    table = study.table()
    goals = {request.objective or study.objective.column, request.cost or study.cost.column}
    fitted: dict[str, Predictor] = {}
    refused: list[str] = []
    for asked in (True, False):
        found, why = fit_each(
            [target for target in table.targets if (target.column in goals) == asked],
            lambda column: fit_all(table, targets=[column], kept=kept_fits(study))[column],
        )
        fitted |= found
        refused += why
        if asked:
            # What is asked for in vain is refused before all the rest is fitted.
            subject_of(study, request, fitted)
    for sentence in refused:
        say(sentence)
    from foxnas_core.reporting.report import build_report

    built = build_report(study, fitted, request, refused)
    with _to(options.out):
        write_atomically(options.out, built.html)
    document = {
        "study": str(study.folder),
        "out": str(options.out),
        "bytes": len(built.html),
        "id": built.subnet or None,
        "summary": [built.summary.sentence, *built.summary.points],
    }
    wrote = f"Wrote {options.out}, {len(built.html):,} bytes."
    return Answer(document, (Card(sentence=wrote), built.summary))
