"""HW-NAS-Bench's published file (arXiv 2103.10584), read as plain data: of NAS-Bench-201's cells a
number a cell, of FBNet's layers a number a block, by data set and device."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from foxnas_core.errors import InvalidInput
from foxnas_core.families import family_of
from foxnas_core.families.fbnet.published import published_keys
from foxnas_core.families.fbnet.space import configuration_of
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.table.additive import AdditiveTable
from foxnas_core.table.importing.reading import ARCHITECTURE, Rows
from foxnas_core.table.importing.written import FAILED
from foxnas_core.table.sums import SUMS, costs_of_blocks

# How the file's names end, and what the table calls them.
_HEADS = {"_latency": "latency_ms", "_energy": "energy_mj"}
CONFIG = "config"
# Networks of FBNet that become rows, beside those that differ in one layer from the first.
_DRAWN = 300


def column_of(metric: str) -> str:
    """What the table calls one of the file's metrics: "raspi4_latency" is latency_ms:raspi4."""
    for end, head in _HEADS.items():
        if metric.endswith(end):
            return f"{head}:{metric.removesuffix(end)}"
    return metric


def metric_name(column: str) -> str:
    """The inverse of `column_of`."""
    ends = {head: end for end, head in _HEADS.items()}
    head, _, device = column.partition(":")
    return f"{device}{ends[head]}".lstrip("_") if head in ends else column


def benchmark_rows(source: str, document: Any, space: SearchSpace) -> Rows:
    """The rows of what a file holds for a space; of the networks of FBNet, of which there are too
    many, some, with the costs of blocks in the table's record, which tell all.

    Raises `InvalidInput` where the file holds nothing for the space, or something else.
    """
    dataset = family_of(space).dataset(space)
    if not dataset:
        raise InvalidInput(
            f"{source} has costs of NAS-Bench-201's cells and of FBNet's layers, on their data "
            f"sets; {space.name!r} is no such space: name a shipped one (--space nasbench201)."
        )
    held = _object(document, source, "the file")
    own = _object(held.get(space.family), source, space.family)
    if space.family == "fbnet":
        return _fbnet(source, own, space)
    if dataset not in own:
        known = ", ".join(map(repr, own))
        raise InvalidInput(f"{source} has no {dataset!r} for {space.family}; it has {known:.200}.")
    return _cells(source, _object(own[dataset], source, dataset), space)


def _cells(source: str, own: Mapping[str, Any], space: SearchSpace) -> Rows:
    columns = {
        column_of(n): [_number(one, source, n) for one in _listed(v, source, n)]
        for n, v in own.items()
        if n != CONFIG
    }
    lengths = {len(values) for values in columns.values()}
    if len(lengths) != 1 or not (count := lengths.pop()):
        raise InvalidInput(f"{source} has lists of several lengths, or none; it is damaged.")
    config = own.get(CONFIG)
    named = [str(number) for number in range(count)]
    if config is not None:
        configs = (
            config if isinstance(config, list) else [*_object(config, source, CONFIG).values()]
        )
        if len(configs) != count:
            raise InvalidInput(f"{source} has {len(configs)} configurations of {count} cells.")
        named = [str(_object(one, source, CONFIG).get("arch_str")) for one in configs]
    frame = pd.DataFrame({ARCHITECTURE: named, "index": np.arange(count), **columns})
    return Rows(frame.set_axis(range(1, count + 1), axis="index"), "row")


def _fbnet(source: str, own: Mapping[str, Any], space: SearchSpace) -> Rows:
    places, keys = family_of(space).places(space), published_keys(configuration_of(space))
    codes = _sampled(space)
    columns: dict[str, np.ndarray] = {}
    kept = {}
    for metric, costs in own.items():
        column, told = column_of(metric), _object(costs, source, metric)
        given = {b: _number(told[k], source, metric) for b, k in keys.items() if k in told}
        known = {block: cost for block, cost in given.items() if cost != FAILED}
        blocks = AdditiveTable(space, places, {column: known})
        columns[column] = blocks.sums(codes, column)
        if len(known) == len(keys) and np.isfinite([*known.values()]).all():
            kept[column] = costs_of_blocks(blocks, column).to_dict()
        else:  # a network with a block that failed fails
            marks = {block: float(cost == FAILED) for block, cost in given.items()}
            failed = AdditiveTable(space, places, {column: dict.fromkeys(keys, 0.0) | marks})
            columns[column][failed.sums(codes, column) > 0] = FAILED
    if not any(np.isfinite(values).any() for values in columns.values()):
        raise InvalidInput(f"{source} has no costs of the blocks of space {space.name!r}.")
    choices = pd.DataFrame([a.to_dict() for a in space.decode(codes)])
    frame = choices.assign(**columns).set_axis(range(1, len(codes) + 1), axis="index")
    record = {"imported_from": source, SUMS: kept}
    return Rows(frame, "row", metadata={
        "format": 1, "space": space.fingerprint, "space_name": space.name, "record": record,
        "ordered": True,
    })  # fmt: skip


def _sampled(space: SearchSpace) -> np.ndarray:
    """Codes (rows, decisions) of the first network, of those that differ from it in one layer, and
    of some drawn."""
    first = np.zeros((1, len(space.decisions)), dtype=np.int16)
    alone = [first]
    for at, decision in enumerate(space.decisions):
        for code in range(1, len(decision.choices)):
            alone.append(first.copy())
            alone[-1][0, at] = code
    return np.vstack([*alone, space.random_codes(_DRAWN, seed=0)])


def _object(value: Any, source: str, name: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise InvalidInput(
            f"{source} is no file of HW-NAS-Bench: {name!r:.80} is no dictionary; import a table "
            "with one row a network instead."
        )
    return value


def _listed(values: Any, source: str, name: str) -> list[Any]:
    values = [*values.values()] if isinstance(values, dict) else values
    if not isinstance(values, list):
        raise InvalidInput(f"{source} is damaged: {name!r:.80} is no list.")
    return values


def _number(value: Any, source: str, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidInput(f"{source} is damaged: {name!r:.80} holds {value!r:.40}, no number.")
    return float(value)
