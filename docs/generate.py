"""Renews what the references take from the code: `python -m docs.generate`, or `make reference`.

What stands between `<!-- generated: NAME -->` and `<!-- end -->` is made here, of the command
line's own parser and of the classes that documents are read into and written from. All else in
these files is written by hand and left as it is.
"""

import argparse
import inspect
import re
import types
import typing
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from docs import figures
from docs.records import KINDS, record_parts
from docs.words import code, rows, said
from foxnas_core.families import load_shipped, shipped_spaces
from foxnas_core.families.darts import space as darts
from foxnas_core.families.fbnet import space as fbnet
from foxnas_core.families.fbnetv2 import space as fbnetv2
from foxnas_core.families.listed import space as listed
from foxnas_core.families.mbconv import space as mbconv
from foxnas_core.families.nasbench201 import space as nasbench201
from foxnas_core.families.volumetric import space as volumetric
from foxnas_core.measurement import latency, runner
from foxnas_core.options import build_parser
from foxnas_core.space.architecture import Architecture, Value
from foxnas_core.space.decisions import Condition, Decision
from foxnas_core.study import parts
from foxnas_core.study.library import archive
from foxnas_core.table import files, latency_verdicts, measurements, metrics

FOLDER = Path(__file__).parent
FILES = (
    "command-line.md", "schemas.md", "measurements.md", "method.md", "limits.md",
    "../data/README.md",
)  # fmt: skip
_NUMBER = re.compile(r"(<!-- figure: (.+?) -->).*?(<!-- end -->)", re.S)
_PART = re.compile(r"(<!-- generated: (.+?) -->\n)(?:.*?\n)??(<!-- end -->)", re.S)


def renewed(text: str) -> str:
    """The text of a reference with every generated part as the code has it now."""
    text = _NUMBER.sub(lambda m: f"{m[1]}{figures.NUMBERS[m[2]].make()}{m[3]}", text)
    return _PART.sub(lambda m: f"{m[1]}\n{PARTS[m[2]]()}\n\n{m[3]}", text)


def figure_part(name: str) -> str:
    """A table of figures, and the command that gives it."""
    figure = figures.TABLES[name]
    return f"By `python -m foxnas_core {figure.command}`:\n\n{figure.make()}"


def names_in(text: str) -> list[str]:
    """The generated parts of a text, in order."""
    return [name for _, name, _ in _PART.findall(text)]


def commands() -> dict[str, argparse.ArgumentParser]:
    """Every command, and every action of `study`, with its parser."""
    found = {}
    for name, parser in _parsers_of(build_parser()):
        found[name] = parser
        found |= {f"{name} {action}": own for action, own in _parsers_of(parser)}
    return found


def _parsers_of(parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from action.choices.items()


def command_part(name: str) -> str:
    """What a command does, how it is called, and its options."""
    parser = commands()[name]
    actions = [a for a in parser._actions if not isinstance(a, argparse._HelpAction)]
    nested = [a for a in actions if isinstance(a, argparse._SubParsersAction)]
    actions = [a for a in actions if a not in nested]
    needed = [_called(a) for a in actions if a.required]
    rest = ["[options]"] if any(not a.required for a in actions) else []
    rest += ["ACTION …"] if nested else []
    exclusive = [
        "(" + " \\| ".join(_called(a) for a in group._group_actions) + ")"
        for group in parser._mutually_exclusive_groups
        if group.required
    ]
    call = " ".join(["python -m foxnas_core", name, *needed, *exclusive, *rest])
    parts = [parser.description or "", f"    {call}".replace("\\|", "|")]
    if actions:
        parts.append(
            rows(("option", "what it is"), [(code(_called(a)), _help(a)) for a in actions])
        )
    return "\n\n".join(parts)


def _called(action: argparse.Action) -> str:
    """An option with its value, or a positional argument."""
    metavar = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    if action.choices is not None and action.metavar is None:
        metavar = "|".join(map(str, action.choices))
    if not action.option_strings:
        return metavar
    more = " …" if action.nargs == "+" else ""
    return ", ".join(action.option_strings) + ("" if action.nargs == 0 else f" {metavar}{more}")


def _help(action: argparse.Action) -> str:
    text = action.help or {"name": "the study's folder", "new": "the new folder's name"}.get(
        action.dest, action.dest.replace("_", " ")
    )
    if action.required:
        text += " (needed)"
    plain = action.default is None or action.default is False or action.default in ("", [])
    plain = plain or action.required or "default" in text
    return text if plain else f"{text} (default: {action.default})"


def _fields(*classes: Any) -> str:
    """The fields of the classes that a document is read into, as they are written there."""
    parts = []
    for kind in classes:
        hints = typing.get_type_hints(kind)
        body = [(code(f.name), _type(hints[f.name])) for f in fields(kind)]
        parts.append(f"**{kind.__name__}.** {said(kind)}\n\n{rows(('key', 'holds'), body)}")
    return "\n\n".join(parts)


def _type(kind: Any) -> str:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is tuple:
        return f"list of {_type(arguments[0])}"
    if origin in (typing.Union, types.UnionType):
        return " or ".join(dict.fromkeys(map(_type, arguments)))
    return KINDS.get(kind, f"{kind.__name__} (below)" if isinstance(kind, type) else str(kind))


def files_part() -> str:
    """Every file of a study, what it is, and the most bytes of it that are taken from elsewhere."""
    told = [
        *((name, about, most) for name, (about, most) in parts.FILES.items()),
        *((kind.file, kind.about, kind.most) for kind in parts.kinds()),
        *((f"{kind.file}/ID.json", kind.about, kind.most) for kind in parts.collections()),
    ]
    return rows(
        ("file", "what it is", "at most"),
        [(code(name), about, _bytes(most)) for name, about, most in told]
        + [(code(name), about, "") for name, about in parts.STATE.items()],
    )


def _bytes(count: int) -> str:
    return f"{count >> 20} MB" if count >= 1 << 20 else f"{count >> 10} KB"


def recipe_part() -> str:
    """What a supernet is trained by, unless told otherwise."""
    from foxnas_core.training.recipe import Recipe

    body = [(code(f.name), str(f.default)) for f in fields(Recipe) if f.default is not None]
    return f"{said(Recipe)}\n\n{rows(('setting', 'default'), body)}"


def spaces_part() -> str:
    """The spaces that come with the package."""

    def are_numbers(choices: Iterable[Value]) -> bool:
        return all(isinstance(choice, int) for choice in choices)

    body = []
    for name in shipped_spaces():
        space = load_shipped(name)
        kinds: dict[str, dict[Value, None]] = {}
        for decision in space.decisions:
            kinds.setdefault(decision.role, {}).update(dict.fromkeys(decision.choices))
        # The choices of a role in the order of the first decision that has them, numbers by size.
        chosen = "; ".join(
            f"{role} {'/'.join(map(str, sorted(v) if are_numbers(v) else v))}"
            for role, v in kinds.items()
        )
        stages = space.settings.get("stages", ())
        decided = (stage.get("widths") or [stage["width"]] for stage in stages)
        widths = "-".join("…".join(dict.fromkeys((str(own[0]), str(own[-1])))) for own in decided)
        classes = str(space.settings.get("classes", ""))
        body.append((code(name), code(space.family), widths, chosen, classes, f"{space.size:.2g}"))
    header = ("name", "family", "widths of its stages", "choices", "classes", "architectures")
    return rows(header, body)


def targets_part() -> str:
    """What is known of each metric, and which names may follow a colon."""
    body = []
    for column in [*metrics.bare_columns(), "accuracy:int8", "accuracy_drop:int8"]:
        known = metrics.metric_of(column)
        better = {"max": "more", "min": "less"}[known.direction]
        units = list(metrics.units_of(column))
        unit = known.unit or next(iter(units), "count")
        body.append((code(column), known.label, unit, better, ", ".join(units)))
    return rows(("column", "what it is", "unit", "better", "units that an import takes"), body)


def checks_part() -> str:
    """The checks of a measured latency."""
    return rows(
        ("check", "question", "fails where", "can't be made where"),
        [(c.name, c.question, c.fails, c.lacks) for c in latency_verdicts.CHECKS],
    )


PARTS: dict[str, Callable[[], str]] = {
    **{name: (lambda name=name: command_part(name)) for name in commands()},
    **record_parts(),
    "recipe": recipe_part,
    "files": files_part,
    "spaces": spaces_part,
    "mbconv": lambda: _fields(mbconv.MBConvSettings, mbconv.Stage),
    "nasbench201": lambda: f"{said(nasbench201)}\n\n{_fields(nasbench201.Settings)}",
    "darts": lambda: f"{said(darts)}\n\n{_fields(darts.Settings)}",
    "fbnet": lambda: f"{said(fbnet)}\n\n{said(fbnet.space_from_settings)}",
    "fbnetv2": lambda: f"{said(fbnetv2)}\n\n{_fields(fbnetv2.Settings, fbnetv2.Stage)}",
    "volumetric": lambda: f"{said(volumetric)}\n\n{_fields(volumetric.Settings)}",
    "listed": lambda: f"{said(listed.space_from_settings)}\n\n{_fields(Decision, Condition)}",
    "architecture": lambda: said(Architecture),
    "table": lambda: f"{said(measurements)}\n\n{said(files)}",
    "targets": targets_part,
    "latency columns": lambda: said(latency.columns_of),
    "checks": checks_part,
    "runner": lambda: f"```text\n{inspect.getdoc(runner)}\n```",
    "archive": lambda: said(archive),
    **{name: (lambda name=name: figure_part(name)) for name in figures.TABLES},
}


def main() -> None:
    with threadpool_limits(1):  # threads of BLAS that wait for each other cost several times more
        for path in (FOLDER / name for name in FILES):
            path.write_text(renewed(path.read_text()))


if __name__ == "__main__":
    main()
