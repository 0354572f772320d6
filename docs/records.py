"""The documents that a study keeps beside its tables, from the classes that hold them."""

import types
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from typing import Any

import pandas as pd

from docs.words import code, rows, said
from foxnas_core.evidence import judged
from foxnas_core.evidence.handmade import record as handmade
from foxnas_core.evidence.trust import alone_networks, pairs
from foxnas_core.evidence.verification import claims
from foxnas_core.search import result, schedule, selections
from foxnas_core.search.problem import Candidate
from foxnas_core.search.rounds import record as rounds
from foxnas_core.space.architecture import Architecture
from foxnas_core.study.variants import VARIANTS, Variant, Variants


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


KINDS = {bool: "true or false", int: "whole number", float: "number", str: "text"}
_EXAMPLES: dict[Any, Any] = {
    str: "text", int: 1, float: 0.5, bool: True, Any: "value",
    Architecture: Architecture((("DECISION", 3),)),
    pd.DataFrame: pd.DataFrame({c: [0.5] for c in result.TRACE_COLUMNS}),
}  # fmt: skip


def keys(document: Mapping[str, Any]) -> str:
    """A table of the keys of a JSON document and what stands there."""
    return rows(("key", "holds"), [(code(key), kind) for key, kind in _flat(document, "")])


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
    return KINDS.get(type(value), "null")


def document_part(document: Mapping[str, Any], *classes: Any) -> str:
    """The keys of a document, and what the classes say that it is read into."""
    told = "\n\n".join(f"**{c.__name__.lstrip('_')}.** {said(c)}" for c in classes)
    return f"{keys(document)}\n\n{told}"


def record_parts() -> dict[str, Callable[[], str]]:
    trust = example(pairs.TrustRecord, parents=dict.fromkeys(("space", "checkpoint"), "text"))
    recipe = dict.fromkeys(handmade.RECIPE, 0.5)
    alone = example(alone_networks.AloneRecord, parents={"space": "text"}, recipe=recipe)
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
        recipe=recipe,
        contenders=(example(handmade.Contender, results=(outcome,), latency=time),),
    )
    scored = example(
        judged.JudgedRecord,
        parents=dict.fromkeys(("space", "checkpoint"), "text"),
        recipe=recipe,
    )
    found = example(result.SearchResult, sides=("at_least",))
    named = example(Variants)
    discretised = example(selections.SupernetSelection, settings={})
    return {
        "trust.json": lambda: document_part(
            pairs.TRUST.document(trust), pairs.TrustRecord, pairs.TrustSettings, pairs.TrustPair,
            pairs.Score,
        ),
        "alone.json": lambda: document_part(
            alone_networks.ALONE.document(alone), alone_networks.AloneRecord,
            alone_networks.AloneNetwork,
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
