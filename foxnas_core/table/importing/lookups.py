"""Look-up tables of what blocks cost: an operation's cost for each layer, as ProxylessNAS, FBNet
and once-for-all sum them (arXiv 1812.00332, section 3.3).

Networks that differ in one choice, and some that were drawn, become rows, whose sums tell the table
again, exactly: `table.sums`, an additive predictor of every network. Where a table has the costs of
blocks, these are kept with the rows.
"""

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import yaml

from foxnas_core.errors import InvalidInput
from foxnas_core.families import family_of
from foxnas_core.space.architecture import Value
from foxnas_core.space.decisions import check_choice
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.table.additive import AdditiveTable, blocks_of, named_places
from foxnas_core.table.importing.dialect import decoded
from foxnas_core.table.importing.mapping import ColumnMapping
from foxnas_core.table.importing.reading import Rows
from foxnas_core.table.metrics import is_metric, units_of
from foxnas_core.table.sums import SUMS, Costs, costs_of_blocks

COST = "cost"
"""The column of a table that does not name its metric."""
_MOST_BYTES = 4 << 20
_DRAWN, _LISTED = 300, 2000  # networks that are drawn, and most of a space that all become rows


def parse_yaml(source: str, content: bytes) -> Any:
    """The plain values of a YAML file; raises `InvalidInput` where it is none, or a large one."""
    if len(content) > _MOST_BYTES:
        raise InvalidInput(f"{source} is larger than {_MOST_BYTES >> 20} MB; write it as JSON.")
    try:
        return yaml.load(decoded(source, content)[0], yaml.CSafeLoader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        line = str(error).strip().splitlines()[0] if str(error).strip() else "it nests too deeply"
        raise InvalidInput(f"{source} is no valid YAML ({line:.200}); mend it.") from error


def is_lookup(document: Any) -> bool:
    """Whether parsed JSON is a look-up table: costs by layer and operation, no rows."""
    if isinstance(document, list):
        return bool(document) and all(isinstance(own, list) and own for own in document)
    values = list(document.values()) if isinstance(document, dict) else []
    return any(isinstance(own, dict) and own for own in values)


def lookup_rows(source: str, document: Any, space: SearchSpace) -> Rows:
    """Rows of networks of the space with their sums, in a column for each metric that the table
    names on its outside, else in one called `cost`.

    A table has for each decision, by name or in the space's order, the cost of each choice, by name
    or in the decision's order; for a slot that of "k3_e6", its choices in their order; a number
    alone is what every network has. Or it has the cost of each block that the space's networks are
    chains of, by its name or by the key that ProxylessNAS or once-for-all give it. A cost may be an
    object with its "mean". Raises `InvalidInput` naming what is missing, or no cost.
    """
    named = isinstance(document, Mapping) and all(is_metric(str(name)) for name in document)
    tables = document if named else {COST: document}
    codes = _networks(space)
    columns: dict[str, np.ndarray] = {}
    kept: dict[str, Any] = {}
    said = [
        f"{source} is a look-up table of costs: {len(codes):,} networks have their sums as rows."
    ]
    for name, own in tables.items():
        column, found = str(name), _blocks(source, str(name), own, space)
        if found is None:
            columns[column] = _sums(source, own, space, codes)
            continue
        kept[column], others = found[0].to_dict(), found[1]
        columns[column] = found[0].sums(codes)
        if others:
            said.append(f"Left out: {others:,} costs of blocks that space {space.name!r} lacks.")
    choices = pd.DataFrame([a.to_dict() for a in space.decode(codes)])
    frame = choices.assign(**columns).set_axis(range(1, len(codes) + 1), axis="index")
    record = {"imported_from": source, SUMS: kept}
    metadata = {
        "format": 1, "space": space.fingerprint, "space_name": space.name, "record": record,
        "ordered": True,
    } if kept else {}  # fmt: skip
    return Rows(frame, "row", told=tuple(said), metadata=metadata)


def sums_by(kept: Mapping[str, Any], source: str, mapping: ColumnMapping) -> dict[str, Any]:
    """The costs of blocks that a record keeps, under the columns that they are mapped to and in the
    table's own units. Raises `InvalidInput` where nobody says what they are."""
    names = {own: name for name, own in mapping.columns.items()}
    found = {}
    for column, document in kept.items():
        name = names.get(column, column)
        if not is_metric(name):
            raise InvalidInput(
                f"{source} has costs of blocks and does not say what they are; map them (--map "
                "latency_ms:DEVICE=cost --latency-unit ms), or put them under a metric's name, as "
                '{"latency_ms": {…}}.'
            )
        found[name] = _times(document, units_of(name).get(mapping.units.get(name, ""), 1.0))
    return found


def _times(document: Any, factor: float) -> Any:
    if isinstance(document, Mapping):
        return {name: _times(own, factor) for name, own in document.items()}
    if isinstance(document, list):
        return [_times(own, factor) for own in document]
    return document * factor if isinstance(document, int | float) else document


def _blocks(
    source: str, column: str, document: Any, space: SearchSpace
) -> tuple[Costs, int] | None:
    """The costs of a table of the space's blocks, and how many of other blocks it has, as those of
    others do, which are of several spaces; None where it names none of the space's."""
    if not isinstance(document, Mapping):
        return None
    places = named_places(space, document)
    blocks = set(blocks_of(places))
    if not blocks & document.keys():
        return None
    others = [name for name in document if name not in blocks]
    if others and places == family_of(space).places(space):
        raise InvalidInput(
            f"{source} has a cost of {others[0]!r:.80}, which is no block of space "
            f"{space.name!r}; leave it out."
        )
    costs = {}
    for name in blocks & document.keys():
        if (cost := _cost(document[name])) is None:
            raise InvalidInput(
                f"{source} has {document[name]!r:.40} as the cost of {name!r:.80}; give a number."
            )
        costs[name] = cost
    return costs_of_blocks(AdditiveTable(space, places, {column: costs}), column), len(others)


def _networks(space: SearchSpace) -> np.ndarray:
    """Codes (rows, decisions) of all networks of a small space; of another, of the first, of those
    that differ from it in one choice, and of some that are drawn."""
    if space.size <= _LISTED:
        return space.option_codes(space.decisions)
    first = space.architecture({d.name: d.choices[0] for d in space.decisions})
    full = {d.name: d.choices[-1] for d in space.decisions}
    alone = [
        space.architecture({**base, d.name: choice})
        for base in (first.to_dict() | _rest(space, first.to_dict()), full)
        for d in space.decisions
        for choice in d.choices
    ]
    drawn = space.decode(space.random_codes(_DRAWN, seed=0))
    return space.encode(list({a.id: a for a in [first, *alone, *drawn]}.values()))


def _rest(space: SearchSpace, choices: Mapping[str, Value]) -> dict[str, Value]:
    return {d.name: d.choices[0] for d in space.decisions if d.name not in choices}


def _sums(source: str, document: Any, space: SearchSpace, codes: np.ndarray) -> np.ndarray:
    """The sums (rows,) of a table for networks of codes (rows, decisions)."""
    if isinstance(document, list):
        if len(document) != len(space.decisions):
            raise InvalidInput(
                f"{source} has {len(document)} lists of costs, and the space {space.name!r} has "
                f"{len(space.decisions)} decisions; give one list for each, in their order."
            )
        document = dict(zip(space.by_name, document, strict=True))
    if not isinstance(document, Mapping):
        raise InvalidInput(f"{source} holds {document!r:.40} where costs by layer belong.")
    total, told = np.zeros(len(codes)), set()
    for name, own in document.items():
        if (cost := _cost(own)) is not None:
            total += cost
            continue
        names = [d.name for d in _decisions(source, str(name), space)]
        told |= set(names)
        at = [list(space.by_name).index(own_name) for own_name in names]
        costs = dict(_costs(source, str(name), own, space, names))
        for row, key in enumerate(map(tuple, codes[:, at].tolist())):
            if min(key) < 0:  # inactive
                continue
            if key not in costs:
                missing = [space.by_name[n].choices[c] for n, c in zip(names, key, strict=True)]
                raise InvalidInput(
                    f"{source} has no cost of {', '.join(map(str, missing))} in {name!r}; add it."
                )
            total[row] += costs[key]
    if not told:
        raise InvalidInput(f"{source} has no costs of decisions of space {space.name!r}.")
    return total


def _decisions(source: str, name: str, space: SearchSpace) -> Sequence[Any]:
    """The decisions that an entry is about: one by its name, or those of a slot."""
    found = [space.by_name[name]] if name in space.by_name else space.in_slot(name)
    if not found:
        raise InvalidInput(
            f"{source} has costs of {name!r:.80}, which is neither a decision nor a slot of space "
            f"{space.name!r}; its decisions are {', '.join(space.by_name)}."
        )
    return found


def _costs(
    source: str, name: str, own: Any, space: SearchSpace, names: Sequence[str]
) -> Iterator[tuple[tuple[int, ...], float]]:
    """The cost of each choice of one entry, by the codes of its decisions."""
    decisions = [space.by_name[one] for one in names]
    if isinstance(own, list) and len(decisions) == 1:
        own = dict(zip(decisions[0].choices, own, strict=False))
    if not isinstance(own, Mapping):
        raise InvalidInput(f"{source} holds {own!r:.40} of {name!r}; give each choice's cost.")
    for key, given in own.items():
        parts = [key] if name in space.by_name else re.findall(r"\d+", str(key))
        if len(parts) != len(decisions):
            raise InvalidInput(
                f"{source} has a cost of {key!r:.40} in {name!r}; name the choices of "
                f"{', '.join(names)} in this order, such as k3_e6."
            )
        if (cost := _cost(given)) is None:
            raise InvalidInput(
                f"{source} has {given!r:.40} as the cost of {key!r:.40} in {name!r}."
            )
        codes = tuple(
            decision.choices.index(check_choice(decision, part, f"{source}: {decision.name!r}"))
            for decision, part in zip(decisions, parts, strict=True)
        )
        yield codes, cost


def _cost(value: Any) -> float | None:
    """A cost as it is told: a number, or an object with the mean of some; None of anything else."""
    value = value.get("mean") if isinstance(value, Mapping) else value
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    # Whole numbers may be larger than any float.
    return float(value) if is_number and abs(value) <= sys.float_info.max else None
