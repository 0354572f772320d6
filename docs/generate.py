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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import pandas as pd
from threadpoolctl import threadpool_limits

from docs import figures
from foxnas_core.evidence import judged
from foxnas_core.evidence.handmade import record as handmade
from foxnas_core.evidence.trust import pairs
from foxnas_core.evidence.verification import claims
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
from foxnas_core.search import result, schedule, selections
from foxnas_core.search.problem import Candidate
from foxnas_core.search.rounds import record as rounds
from foxnas_core.space.architecture import Architecture, Value
from foxnas_core.space.decisions import Condition, Decision
from foxnas_core.study import parts
from foxnas_core.study.library import archive
from foxnas_core.study.variants import VARIANTS, Variant, Variants
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


def rows(header: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *body]
    return "\n".join(
        "| " + " | ".join(c.replace("|", "\\|") for c in line) + " |" for line in lines
    )


def said(thing: Any) -> str:
    """What the docstring of a class, function or module says, in one line a paragraph or item.

    Whom it is read by in the documents don't catch its errors, so what is raised is left out.
    """
    text = inspect.getdoc(thing) or ""
    parts = re.split(r"\n\n|\n(?=- )", text)
    joined = [" ".join(part.split()) for part in parts]
    kept = [re.sub(r" ?(Meant|Raises) .*", "", part) for part in joined]
    return "\n\n".join(part for part in kept if part).replace("\n\n- ", "\n- ")


# The command line


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
            rows(("option", "what it is"), [(_code(_called(a)), _help(a)) for a in actions])
        )
    return "\n\n".join(parts)


def _code(text: str) -> str:
    return f"`{text}`"


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


# Documents


def example(kind: Any, **given: Any) -> Any:
    """A value of a type, with everything in it that it may hold; `given` are fields of a class."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind in _EXAMPLES:
        return _EXAMPLES[kind]
    if origin in (typing.Union, types.UnionType):
        return example(next(a for a in arguments if a is not type(None)))
    if origin is typing.Literal:
        return arguments[0]
    if origin is tuple:
        return tuple(example(a) for a in arguments if a is not Ellipsis)
    if origin in (dict, Mapping):
        return {"NAME": example(arguments[1])}
    hints = typing.get_type_hints(kind)
    value = object.__new__(kind)  # unchecked: what may stand there need not belong together
    for each in fields(kind):
        object.__setattr__(value, each.name, given.get(each.name) or example(hints[each.name]))
    return value


_KINDS = {bool: "true or false", int: "whole number", float: "number", str: "text"}
_EXAMPLES: dict[Any, Any] = {
    str: "text", int: 1, float: 0.5, bool: True, Any: "value",
    Architecture: Architecture((("DECISION", 3),)),
    pd.DataFrame: pd.DataFrame({c: [0.5] for c in result.TRACE_COLUMNS}),
}  # fmt: skip


def keys(document: Mapping[str, Any]) -> str:
    """A table of the keys of a JSON document and what stands there."""
    return rows(("key", "holds"), [(_code(key), kind) for key, kind in _flat(document, "")])


def _flat(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, (list, tuple)) and value and isinstance(value[0], Mapping):
        yield from _flat(value[0], f"{path}[]")
    elif isinstance(value, (list, tuple)):
        inner = dict.fromkeys(_kind(v) for v in value)
        yield path, f"list of {' and '.join(inner)}" if inner else "list"
    else:
        yield path, _kind(value)


def _kind(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_kind(v) for v in value) + "]"
    return _KINDS.get(type(value), "null")


def document_part(document: Mapping[str, Any], *classes: Any) -> str:
    """The keys of a document, and what the classes say that it is read into."""
    told = "\n\n".join(f"**{c.__name__.lstrip('_')}.** {said(c)}" for c in classes)
    return f"{keys(document)}\n\n{told}"


def _fields(*classes: Any) -> str:
    """The fields of the classes that a document is read into, as they are written there."""
    parts = []
    for kind in classes:
        hints = typing.get_type_hints(kind)
        body = [(_code(f.name), _type(hints[f.name])) for f in fields(kind)]
        parts.append(f"**{kind.__name__}.** {said(kind)}\n\n{rows(('key', 'holds'), body)}")
    return "\n\n".join(parts)


def _type(kind: Any) -> str:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is tuple:
        return f"list of {_type(arguments[0])}"
    if origin in (typing.Union, types.UnionType):
        return " or ".join(dict.fromkeys(map(_type, arguments)))
    return _KINDS.get(kind, f"{kind.__name__} (below)" if isinstance(kind, type) else str(kind))


def files_part() -> str:
    """Every file of a study, what it is, and the most bytes of it that are taken from elsewhere."""
    told = [
        *((name, about, most) for name, (about, most) in parts.FILES.items()),
        *((kind.file, kind.about, kind.most) for kind in parts.kinds()),
        *((f"{kind.file}/ID.json", kind.about, kind.most) for kind in parts.collections()),
    ]
    return rows(
        ("file", "what it is", "at most"),
        [(_code(name), about, _bytes(most)) for name, about, most in told]
        + [(_code(name), about, "") for name, about in parts.STATE.items()],
    )


def _bytes(count: int) -> str:
    return f"{count >> 20} MB" if count >= 1 << 20 else f"{count >> 10} KB"


def recipe_part() -> str:
    """What a supernet is trained by, unless told otherwise."""
    from foxnas_core.training.recipe import Recipe

    body = [(_code(f.name), str(f.default)) for f in fields(Recipe) if f.default is not None]
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
        body.append(
            (_code(name), _code(space.family), widths, chosen, classes, f"{space.size:.2g}")
        )
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
        body.append((_code(column), known.label, unit, better, ", ".join(units)))
    return rows(("column", "what it is", "unit", "better", "units that an import takes"), body)


def checks_part() -> str:
    """The checks of a measured latency."""
    return rows(
        ("check", "question", "fails where", "can't be made where"),
        [(c.name, c.question, c.fails, c.lacks) for c in latency_verdicts.CHECKS],
    )


def _documents() -> dict[str, Callable[[], str]]:
    trust = example(pairs.TrustRecord, parents=dict.fromkeys(("space", "checkpoint"), "text"))
    begun = example(rounds.RoundsRecord)
    trial = example(
        claims.Trial,
        parents=dict.fromkeys(("space", "measurements", "checkpoint", "images"), "text"),
    )
    score = dict.fromkeys(handmade.PRECISIONS, pairs.Score(0.5, 0.5))
    time = dict.fromkeys(handmade.PRECISIONS, example(handmade.Latency))
    outcome = example(handmade.Result, accuracy=score)
    compared = example(
        handmade.HandmadeRecord,
        parents=dict.fromkeys(("space", "checkpoint", "measurements"), "text"),
        recipe=dict.fromkeys(handmade.RECIPE, 0.5),
        contenders=(example(handmade.Contender, results=(outcome,), latency=time),),
    )
    scored = example(
        judged.JudgedRecord,
        parents=dict.fromkeys(("space", "checkpoint"), "text"),
        recipe=dict.fromkeys(handmade.RECIPE, 0.5),
    )
    found = example(result.SearchResult, sides=("at_least",))
    named = example(Variants)
    discretised = example(selections.SupernetSelection, settings={})
    return {
        "trust.json": lambda: document_part(
            pairs.TRUST.document(trust), pairs.TrustRecord, pairs.TrustSettings, pairs.TrustPair,
            pairs.Score,
        ),
        "rounds.json": lambda: document_part(
            rounds.ROUNDS.document(begun), rounds.RoundsRecord, rounds.Round, rounds.Find,
            rounds.FindEstimate, rounds.BestMeasured, rounds.FitQuality,
        ),
        "claims.json": lambda: document_part(
            claims.CLAIMS.document(claims.Trials((trial,))), claims.Trial, claims.Claim,
            claims.FitRecord, claims.Verdict, claims.Circumstances,
        ),
        "judged.json": lambda: document_part(
            judged.JUDGED.document(scored), judged.JudgedRecord, judged.JudgedNetwork,
        ),
        "handmade.json": lambda: document_part(
            handmade.HANDMADE.document(compared), handmade.HandmadeRecord, handmade.Contender,
            handmade.Result, handmade.Latency,
        ),
        "searches": lambda: document_part(
            result.SEARCHES.document(found), result.SearchResult, schedule.AnnealingSettings,
            Candidate,
        ),
        "selections": lambda: document_part(
            selections.SELECTIONS.document(discretised), selections.SupernetSelection,
            selections.EdgeDecision, selections.MaskedOperation, selections.SelectedCell,
        ),
        "variants.json": lambda: document_part(VARIANTS.document(named), Variant),
    }  # fmt: skip


PARTS: dict[str, Callable[[], str]] = {
    **{name: (lambda name=name: command_part(name)) for name in commands()},
    **_documents(),
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
