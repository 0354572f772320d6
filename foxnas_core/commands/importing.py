"""The commands that import: tables, and weights in a published layout."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from foxnas_core.cards import bringing
from foxnas_core.commands.printing import Answer, document_cards
from foxnas_core.commands.shared import named_space, say, space_to_train
from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.steps.bring import Brought, bring
from foxnas_core.study import Study, create_study, open_study
from foxnas_core.study.goals import Goals
from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.table.metrics import is_metric, metric_of
from foxnas_core.table.sums import all_choice_costs
from foxnas_core.table.whole import Finding, already_in, multiples

if TYPE_CHECKING:
    from foxnas_core.table.importing import ColumnMapping, ForeignFile


def import_table(options: argparse.Namespace) -> Answer:
    """Append a table of one's own to a study, which is created where it does not exist; only say
    what would be where the file is to be checked."""
    from foxnas_core.table.importing import read_file

    if options.study is None and (options.join or not options.check):
        raise InvalidInput("Name the study that the file goes to (--study FOLDER).")
    is_there = options.study is not None and (options.study / "space.json").exists()
    study = open_study(options.study) if is_there else None
    named = named_space(options.space) if options.space else None
    if study and named and named.fingerprint != study.space.fingerprint:
        raise InvalidInput(
            f"{options.study} is of space {study.space.name!r}, not {options.space!r}; leave "
            "--space out, or name a new folder."
        )
    if options.join:
        return _join(study, options)
    space, mapping = study.space if study else named, _mapping(options)
    file = read_file(options.file).of(space)
    table = file.table(space, mapping)
    if options.check:
        return _checked(study, file, table, mapping)
    if study is None:
        study = create_study(
            options.study,
            table.space,
            name=options.study.resolve().name,
            description=f"Imported from {options.file.name}; there is no supernet.",
            table=table,
            goals=Goals(options.objective, options.cost),
        )
        brought = Brought(len(table), 0, len(table))
    else:
        brought = bring(study, table, again=options.again)
    added = bringing.brought(str(study.folder), brought)
    document = {
        "study": str(study.folder),
        "added": brought.added,
        "already": brought.already,
        "rows": brought.rows,
    }
    answer = _told(document, file, table, mapping, "As it is stored")
    for sentence in (*added.points, added.sentence):
        say(sentence)
    return answer


def _checked(
    study: Study | None,
    file: "ForeignFile",
    table: MeasurementTable,
    mapping: "ColumnMapping",
) -> Answer:
    """What a file would bring, none of which is written."""
    already = int(already_in(study.table(), table).sum()) if study else 0
    document = {
        "space": table.space.name,
        "would_add": len(table) - already,
        "already": already,
    }
    answer = _told(document, file, table, mapping, "As it would be stored")
    say("Nothing was written.")
    return answer


def _told(
    document: Mapping[str, Any],
    file: "ForeignFile",
    table: MeasurementTable,
    mapping: "ColumnMapping",
    title: str,
) -> Answer:
    """A document with what was read of a file, and its first rows; says what there is to know."""
    sums, read, found = (
        all_choice_costs(table), file.columns_read(table, mapping), file.findings(table)
    )  # fmt: skip
    stored = bringing.stored(table, read, found)
    for sentence in (*stored.points, *stored.cautions, *(s.sentence for s in sums.values())):
        say(sentence)
    told = {
        **document,
        "targets": [target.column for target in table.targets],
        "ordered": table.ordered,
        **read.to_dict(),
    }
    if sums:
        told["sums"] = {column: one.told for column, one in sums.items()}
    answer = _answer(told, found)
    return replace(
        answer, cards=(*answer.cards, replace(stored, title=title, points=(), cautions=()))
    )


def import_weights(options: argparse.Namespace) -> dict[str, Any]:
    """Begin a study with weights in a layout of once-for-all's."""
    from foxnas_core.steps.adopt import import_once_for_all

    space = space_to_train(options.study, options.space or "ofa-mobilenetv3")
    study = import_once_for_all(
        options.study,
        space,
        weights=options.file,
        data=options.data,
        part=options.part or "",
    )
    calibration, held_out = study.images()
    say(f"Saved {study.checkpoint_file}.")
    return {
        "study": str(study.folder),
        "space": space.name,
        "calibration_images": len(calibration),
        "held_out_images": len(held_out),
    }


def _answer(document: Mapping[str, Any], found: Sequence[Finding]) -> Answer:
    """A document with findings, which were said and are not told twice."""
    told = {"findings": [finding.to_dict() for finding in found]}
    return Answer({**document, **told}, tuple(document_cards(document)))


def _join(study: Study | None, options: argparse.Namespace) -> Answer:
    """Add another device's latencies from a file, by id, to the rows that lack them."""
    from foxnas_core.table.importing import read_file

    if study is None:
        raise MissingPart(
            f"There is no study at {options.study} to join to; import the table without --join to "
            "make one."
        )
    file, mapping = read_file(options.file).of(study.space), _mapping(options)
    before = study.table()
    if options.check:
        table = file.joined(before, mapping)
    else:
        table = study.amend(lambda table: file.joined(table, mapping))
    added = [
        t.column
        for t in table.targets
        if t.timed and table.known(t.column) > before.known(t.column)
    ]
    read = file.columns_read(table, mapping, added)
    for sentence in read.sentences():
        say(sentence)
    found = [m.finding for m in multiples(table) if {m.of, m.column} & set(added)]
    for finding in found:
        say(finding.sentence)
    joined = max(table.known(column) - before.known(column) for column in added)
    say(
        f"{'Would join' if options.check else 'Joined'} {', '.join(added)} to {joined} of the "
        f"{len(table)} rows of {study.folder}."
    )
    document = {
        "study": str(study.folder),
        "joined": joined,
        "rows": len(table),
        "targets": added,
        **read.to_dict(),
    }
    return _answer(document, found)


def _mapping(options: argparse.Namespace) -> "ColumnMapping":
    """What --map and the units say; a latency's unit is that of every mapped latency."""
    from foxnas_core.table.importing import ColumnMapping

    columns = dict(options.map)
    if len(columns) < len(options.map):
        names = [name for name, _ in options.map]
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidInput(f"{twice!r} is mapped to two columns; keep one --map of it.")
    units: dict[str, str] = {}
    if options.accuracy_unit:
        units |= dict.fromkeys(_mapped(columns, "accuracy"), options.accuracy_unit)
    if options.latency_unit:
        units |= dict.fromkeys(_mapped(columns, "latency_ms"), options.latency_unit)
    return ColumnMapping(columns, units | dict(options.unit), options.decimal or "")


def _mapped(columns: Mapping[str, str], head: str) -> list[str]:
    """The mapped columns of one metric, on whatever device; without any the metric itself."""
    return [n for n in columns if is_metric(n) and metric_of(n).head == head] or [head]
