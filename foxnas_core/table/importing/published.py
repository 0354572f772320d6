"""FOX-NAS's published columns.

FOX-NAS published, for its CPU space at 256 px, the accuracy (`acc`, percent) and latency
(`latency`, ms) of measured subnets with aggregates and block counts of each stage, named after
its width: `mbcv_e4_k5_24` (`se_…` with squeeze-and-excitation) is 1 where the transition block
has expand ratio 4 and kernel size 5, `mbcv_e4_k5_24_I` counts such blocks after it. The order of
the latter is not recorded. They are put in increasing order of kernel size, then expand ratio,
as a search puts them, and the table is marked `ordered=False`.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePath

import numpy as np
import pandas as pd

from foxnas_core.errors import InvalidInput
from foxnas_core.families import load_shipped, space_from_dict
from foxnas_core.families.mbconv.space import Stage, settings_of
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.table.checks import Where
from foxnas_core.table.importing.reading import ARCHITECTURE
from foxnas_core.table.measurements import MeasurementTable, table_from_frame

_BLOCK_COUNT = re.compile(r"(mbcv|se)_e\d+_k\d+_\d+(_I)?")
_AGGREGATE = re.compile(r"(tot|avg)(_[ek])?(_\d+){1,2}")
_TARGETS = {"acc": "accuracy", "latency": "latency_ms"}


def published_space() -> SearchSpace:
    """The space of FOX-NAS's published table: its CPU space at 256 px alone."""
    document = load_shipped("foxnas-cpu").to_dict()
    return space_from_dict({**document, "name": "foxnas-cpu-256", "resolutions": [256]})


def has_published_columns(columns: Sequence[str]) -> bool:
    return any(_BLOCK_COUNT.fullmatch(name) for name in columns)


def published_role(column: str) -> str:
    """What a column of such a file is read as; empty where it is none of FOX-NAS's."""
    is_choice = _BLOCK_COUNT.fullmatch(column) or _AGGREGATE.fullmatch(column)
    return _TARGETS.get(column, ARCHITECTURE if is_choice else "")


def published_table(source: str, frame: pd.DataFrame, row_word: str) -> MeasurementTable:
    """The table of `published_space` in rows with FOX-NAS's columns, which errors call `source`.

    Raises `InvalidInput` naming row, column, value and what is allowed, or which columns disagree.
    """
    where = Where(source, row_word, frame.index.to_numpy(), {})
    space = published_space()
    settings = settings_of(space)
    columns: dict[str, object] = {}
    before = settings.first_width
    for number, stage in enumerate(settings.stages, start=1):
        types = [(e, k) for k in stage.kernels for e in stage.expands]
        kind = "se" if stage.squeeze_excitation else "mbcv"
        names = [f"{kind}_e{expand}_k{kernel}_{stage.width}" for expand, kernel in types]
        first = _counts(frame, names, where)
        rest = _counts(frame, [f"{name}_I" for name in names], where)
        _check_sums(stage, first, rest, where)
        expands, kernels = np.array(types).T
        blocks = rest.sum(axis=1)
        aggregates = {
            f"tot_{stage.width}": blocks + 1,
            f"tot_e_{before}_{stage.width}": first @ expands,
            f"tot_k_{before}_{stage.width}": first @ kernels,
            f"tot_e_{stage.width}": rest @ expands,
            f"tot_k_{stage.width}": rest @ kernels,
            f"avg_e_{stage.width}": rest @ expands / blocks,
            f"avg_k_{stage.width}": rest @ kernels / blocks,
        }
        _check_aggregates(frame, aggregates, where)
        before = stage.width
        columns[f"s{number}_depth"] = blocks + 1
        # Each row's blocks in order: the transition block, then the others by type.
        reached = first.sum(axis=1, keepdims=True) + np.cumsum(rest, axis=1)
        for block in range(1, max(stage.depths) + 1):
            position = first.argmax(axis=1) if block == 1 else (reached < block).sum(axis=1)
            inactive = block > blocks + 1
            position[inactive] = 0
            for role, values in (("kernel", kernels), ("expand", expands)):
                columns[f"s{number}b{block}_{role}"] = pd.arrays.IntegerArray(
                    values[position].astype(np.int64), inactive.copy()
                )
    for column, target in _TARGETS.items():
        columns[target] = _column(frame, column, where).to_numpy()
    return table_from_frame(
        space,
        pd.DataFrame(columns, index=frame.index),
        record={"imported_from": PurePath(source).name, "layout": "FOX-NAS's published columns"},
        ordered=False,
        source=source,
        row_word=row_word,
        names={target: f"{column} ({target})" for column, target in _TARGETS.items()},
    )


def _column(frame: pd.DataFrame, name: str, where: Where) -> pd.Series:
    if name not in frame:
        raise InvalidInput(f"{where.source} lacks FOX-NAS's column {name!r}; add it.")
    return frame[name]


def _counts(frame: pd.DataFrame, names: list[str], where: Where) -> np.ndarray:
    """Whole numbers (rows, columns) of the columns `names`."""
    counts = []
    for name in names:
        cells = _column(frame, name, where)
        numbers = pd.to_numeric(cells, errors="coerce").to_numpy(dtype=float)
        wrong = np.flatnonzero(~np.isin(numbers, range(10)))
        if len(wrong):
            raise InvalidInput(
                f"{where(wrong[0])} has {name} = {cells.iloc[wrong[0]]}; it must be how many "
                "blocks of this type the stage has."
            )
        counts.append(numbers.astype(np.int64))
    return np.stack(counts, axis=1)


def _check_sums(stage: Stage, first: np.ndarray, rest: np.ndarray, where: Where) -> None:
    wrong = np.flatnonzero(first.sum(axis=1) != 1)
    if len(wrong):
        raise InvalidInput(
            f"{where(wrong[0])} counts {first[wrong[0]].sum()} transition "
            f"blocks in the stage of width {stage.width}; every stage has exactly 1."
        )
    depth = 1 + rest.sum(axis=1)
    wrong = np.flatnonzero(~np.isin(depth, stage.depths))
    if len(wrong):
        raise InvalidInput(
            f"{where(wrong[0])} counts {depth[wrong[0]]} blocks in the stage "
            f"of width {stage.width}; allowed: {', '.join(map(str, stage.depths))}."
        )


def _check_aggregates(
    frame: pd.DataFrame, aggregates: Mapping[str, np.ndarray], where: Where
) -> None:
    """FOX-NAS's aggregates, where the file has them, must agree with its block counts."""
    for name, expected in aggregates.items():
        if name not in frame:
            continue
        given = pd.to_numeric(frame[name], errors="coerce").to_numpy(dtype=float)
        wrong = np.flatnonzero(~np.isclose(given, expected, rtol=0, atol=1e-6))
        if len(wrong):
            raise InvalidInput(
                f"{where(wrong[0])} has {name} = {frame[name].iloc[wrong[0]]}, but its block "
                f"counts give {expected[wrong[0]]:g}; correct whichever is wrong."
            )
