"""Whole studies, `python -m foxnas_core study ACTION`, and the app that shows them."""

import argparse
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from foxnas_core.commands.shared import named_space, say
from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.files import check_file
from foxnas_core.launching import fill_with_demo, start_app, studies_folder
from foxnas_core.study import library, open_study
from foxnas_core.study.goals import NAMES, Goals
from foxnas_core.table.machine import device_names, devices_sentence
from foxnas_core.table.metrics import unknown_sentence
from foxnas_core.table.whole import Finding, findings


def study(options: argparse.Namespace) -> dict[str, Any]:
    """Do one of the actions in the folder of studies."""
    folder = studies_folder(options.studies)
    return {"studies": str(folder), **_ACTIONS[options.action](folder, options)}


def _list(studies: Path, options: argparse.Namespace) -> dict[str, Any]:
    if options.trash:
        trash = library.trashed(studies)
        return {"trash": [_entry(item.entry) | {"study": item.key} for item in trash]}
    return {"list": [_entry(entry) for entry in library.shelf(studies)]}


def _entry(entry: library.Entry) -> dict[str, Any]:
    return {
        "study": entry.folder.name,
        "name": entry.name,
        "description": entry.description,
        "space": entry.space,
        "rows": entry.rows,
        "weights": entry.has_weights,
        "images": entry.has_images,
        "bytes": entry.size,
        "in_use": entry.in_use,
        "problem": entry.problem,
    }


def _create(studies: Path, options: argparse.Namespace) -> dict[str, Any]:
    made = library.create(
        studies,
        options.name,
        named_space(options.space),
        description=options.description,
        goals=Goals(options.objective, options.cost),
    )
    say(f"Created {made.folder}, without rows yet.")
    return {"study": options.name, "space": made.space.name}


def _describe(studies: Path, options: argparse.Namespace) -> dict[str, Any]:
    found = open_study(library.study_at(studies, options.name))
    title = found.name if options.title is None else options.title
    text = found.description if options.description is None else options.description
    given = {name: getattr(options, name) for name in NAMES}
    if both := [name for name in options.clear if given[name]]:
        raise InvalidInput(f"--clear {both[0]} and --{both[0]} are both given; keep one.")
    goals = Goals(
        **{
            name: None if name in options.clear else given[name] or getattr(found.goals, name)
            for name in NAMES
        }
    )
    unknown: tuple[str, ...] = ()
    said: list[Finding] = []
    devices: dict[str, str | None] = {}
    whose = ""
    with suppress(InvalidInput):  # of a damaged table too the name may be mended
        table = found.table()
        unknown, said, devices = table.unknown, findings(table), device_names(table)
        whose = devices_sentence(table)
    found.describe(name=title, description=text, goals=goals)
    sentences = [whose, unknown_sentence(unknown), *(finding.sentence for finding in said)]
    for sentence in filter(None, sentences):
        say(sentence)
    return {
        "study": options.name,
        "name": title,
        "description": text,
        **goals.to_dict(),
        "devices": devices,
        "unknown_columns": list(unknown),
        "findings": [finding.to_dict() for finding in said],
    }


def _duplicate(studies: Path, options: argparse.Namespace) -> dict[str, Any]:
    copy = library.duplicate(studies, options.name, options.new, shown=options.title)
    say(f"Copied {options.name} to {copy.folder}.")
    return {"study": options.new}


def _rename(studies: Path, options: argparse.Namespace) -> dict[str, Any]:
    renamed = library.rename(studies, options.name, options.new)
    say(f"{options.name} is {renamed.folder} now.")
    return {"study": options.new}


def _delete(studies: Path, options: argparse.Namespace) -> dict[str, Any]:
    item = library.delete(studies, options.name)
    say(f"{options.name} is in the trash as {item.key}; 'study restore {item.key}' brings it back.")
    return {"trashed": item.key}


def _restore(studies: Path, options: argparse.Namespace) -> dict[str, Any]:
    folder = library.restore(studies, options.key, options.new)
    say(f"Restored {folder}.")
    return {"study": folder.name}


def _discard(studies: Path, options: argparse.Namespace) -> dict[str, Any]:
    library.discard(studies, options.key, confirmed=options.confirm)
    say(f"Removed {options.key} for good.")
    return {"discarded": options.key}


def _export(studies: Path, options: argparse.Namespace) -> dict[str, Any]:
    library.write_file(open_study(library.study_at(studies, options.name)), options.file)
    say(f"Wrote {options.file}.")
    return {"study": options.name, "file": str(options.file)}


def _import(studies: Path, options: argparse.Namespace) -> dict[str, Any]:
    path: Path = options.file
    try:
        with check_file(path).open("rb") as file:
            made = library.bring_in(studies, file, label=str(path), name=options.new)
    except OSError as error:
        raise MissingPart(f"{path} can't be read ({error.strerror}); check the path.") from error
    say(f"Imported {made.folder}.")
    return {"study": made.folder.name, "rows": len(made.table())}


_ACTIONS: dict[str, Callable[[Path, argparse.Namespace], dict[str, Any]]] = {
    "list": _list,
    "create": _create,
    "describe": _describe,
    "duplicate": _duplicate,
    "rename": _rename,
    "delete": _delete,
    "restore": _restore,
    "discard": _discard,
    "export": _export,
    "import": _import,
}


def app(options: argparse.Namespace) -> dict[str, Any]:
    """Serve the app; ends with the server's own exit status."""
    studies = studies_folder(options.studies)
    if fill_with_demo(studies):
        say(f"Copied the demo to {studies}.")
    sys.exit(start_app(studies, address=options.address, port=options.port))
