"""Which column of a file holds what, and in which unit: told by the user, never guessed."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from foxnas_core.errors import InvalidInput
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.table.importing.reading import ARCHITECTURE
from foxnas_core.table.metrics import (
    COUNTABLE,
    KNOWN,
    STD_ERROR,
    is_metric,
    known_names,
    metric_of,
    names_unit,
    some_of,
    units_of,
    unknown_sentence,
)

# Names under which targets are often found; how they are written (top-1, Top1) does not matter.
_SYNONYMS = {
    "accuracy": (
        "acc", "top1", "acc1", "top1acc", "acctop1", "top1accuracy", "accuracytop1", "valacc",
        "testacc", "valaccuracy", "testaccuracy", "valtop1", "testtop1",
    ),
    "latency_ms": ("latency", "lat", "latencys", "latencyus", "runtime", "inferencetime"),
    "cross_entropy": ("crossentropyloss", "ce", "nll"),
    "parameters": ("params", "param", "numparams", "nparams", "numparameters", "parametercount"),
    "macs": ("mac", "madds", "multadds", "nummacs"),
}  # fmt: skip
_LISTED = 12


@dataclass(frozen=True)
class ColumnMapping:
    """What the columns of a file mean.

    `columns` gives, for a decision, a target, a target's `TARGET_std_error` or "architecture" (JSON
    objects of choices, or what the family writes), the file's column that holds it; whatever is not
    in it is looked for under its own name. `units` gives, for a target, the unit of
    `table.metrics.units_of` that it and its standard error stand in. `decimal` is the mark before
    decimals, "comma" or "point", where the file leaves that open.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    decimal: str = ""

    def __bool__(self) -> bool:
        return bool(self.columns or self.units or self.decimal)


@dataclass(frozen=True)
class ColumnsRead:
    """What became of the columns of a file: what each of `known` was read as, those `unknown`,
    which are kept as they are but no metric, and those `left_out`; by target, of how many rows it
    says that they `failed` to be measured; and what its text was `told` for, in sentences."""

    known: Mapping[str, str]
    unknown: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    failed: Mapping[str, int] = field(default_factory=dict)
    told: tuple[str, ...] = ()

    def sentences(self) -> list[str]:
        """What to know of them, and what to do where one is unknown."""
        renamed = [f"{own!r} as {name}" for own, name in self.known.items() if own != name]
        said = [*self.told, *([f"Read {', '.join(renamed)}."] if renamed else [])]
        said += [
            f"{rows:,} {'row has' if rows == 1 else 'rows have'} -1 as {name}, which says that the "
            "network could not be run there: kept as not measured."
            for name, rows in self.failed.items()
        ]
        said += [unknown_sentence(self.unknown)] if self.unknown else []
        if self.left_out:
            said.append(f"Left out: {some_of([repr(c) for c in self.left_out], _LISTED)}.")
        return said

    def to_dict(self) -> dict[str, Any]:
        """A JSON document."""
        return {
            "columns": dict(self.known),
            "unknown_columns": list(self.unknown),
            "left_out": list(self.left_out),
            "failed": dict(self.failed),
            "read_as": list(self.told),
        }


def needs_unit(target: str, column: str) -> bool:
    """Whether the unit of `target`, found in the file's `column`, must be told.

    The documented names tell it: each is in the metric's own unit. Counts are counted one by one
    unless something else is told.
    """
    return (
        target != column
        and is_metric(target)
        and bool(units_of(target))
        and metric_of(target).head not in COUNTABLE
    )


def suggest_mapping(columns: Sequence[str], space: SearchSpace) -> ColumnMapping:
    """Columns for what the file does not have under its own name, to fill in a form with.

    Names match where they differ in case and separators only; targets also by well-known
    synonyms. No unit is suggested.
    """
    wanted = [ARCHITECTURE, *space.by_name, *KNOWN, *(f"{t}{STD_ERROR}" for t in KNOWN)]
    taken = {column for column in columns if column in wanted or is_metric(column)}
    found: dict[str, str] = {}
    for synonyms in (False, True):
        for name in wanted:
            if name in taken or name in found:
                continue
            accepted = _SYNONYMS.get(name, ()) if synonyms else (_bare(name),)
            matches = [c for c in columns if c not in taken and _bare(c) in accepted]
            # Of two columns that match, neither is the one.
            if len(matches) == 1:
                found[name] = matches[0]
                taken.add(matches[0])
    return ColumnMapping(found)


def check_mapping(
    mapping: ColumnMapping, source: str, columns: Sequence[str], space: SearchSpace
) -> None:
    """Raises `InvalidInput` where the mapping does not suit the file or the space."""
    for name, column in mapping.columns.items():
        target = name.removesuffix(STD_ERROR)
        if not (name == ARCHITECTURE or name in space.by_name or is_metric(target)):
            raise InvalidInput(
                f"{name!r} can't be mapped to the column {column!r} of {source}: it is neither a "
                f"decision of space {space.name!r} ({_some(list(space.by_name))}) nor a target "
                f"({known_names()}, each also with {STD_ERROR}) nor {ARCHITECTURE!r}."
            )
    for name, column in mapping.columns.items():
        if column not in columns:
            raise InvalidInput(
                f"{source} has no column {column!r}, which {name!r} is mapped to; it has "
                f"{_some(columns)}."
            )
        users = [n for n, c in mapping.columns.items() if c == column]
        if len(users) > 1:
            raise InvalidInput(
                f"{users[0]!r} and {users[1]!r} are both mapped to the column {column!r} of "
                f"{source}; map each to its own."
            )


def check_units(mapping: ColumnMapping, source: str, columns: Sequence[str]) -> None:
    """Raises `InvalidInput` where a unit can't be its target's, or is missing."""
    for target, unit in mapping.units.items():
        _check_unit(target, unit, mapping, source, columns)
    for name, column in mapping.columns.items():
        if needs_unit(name, column) and name not in mapping.units:
            *others, last = units_of(name)
            raise InvalidInput(
                f"The unit of the column {column!r} of {source}, mapped to {name}, is not told; "
                f"say whether it is in {', '.join(others)} or {last} ({unit_option(name)})."
            )


def _check_unit(
    target: str, unit: str, mapping: ColumnMapping, source: str, columns: Sequence[str]
) -> None:
    allowed = units_of(target) if is_metric(target) else {}
    if not allowed:
        raise InvalidInput(
            f"{target!r} takes no unit; units are told of "
            f"{', '.join(name for name, metric in KNOWN.items() if metric.units)} only."
        )
    if unit not in allowed:
        raise InvalidInput(f"{target} can't be in {unit!r}; allowed: {', '.join(allowed)}.")
    if target not in mapping.columns:
        if target not in columns:
            raise InvalidInput(
                f"A unit is told for {target}, but {source} has no such column; map one to it, of "
                f"{_some(columns)}."
            )
        own = next(iter(allowed))
        if names_unit(metric_of(target)) and unit != own:
            raise InvalidInput(
                f"{source} has a column {target!r}, which is in {own} by its name, not in {unit}; "
                f"map it explicitly (--map {target}={target}) if its name is wrong."
            )


def unit_option(target: str, unit: str = "UNIT") -> str:
    """How the command line is told a target's unit."""
    if target == "accuracy":
        return f"--accuracy-unit {unit}"
    if metric_of(target).head == "latency_ms":
        return f"--latency-unit {unit}"
    return f"--unit {target}={unit}"


def _bare(name: str) -> str:
    return re.sub(r"[\W_]", "", name).lower()


def _some(names: Sequence[str]) -> str:
    return some_of(names, _LISTED) or "no columns"
