"""How benchmarks write things down: architectures as text or as numbers of operations, and what
could not be measured as -1."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from foxnas_core.errors import InvalidInput
from foxnas_core.families import family_of
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.table.importing.mapping import ColumnMapping
from foxnas_core.table.importing.reading import ARCHITECTURE
from foxnas_core.table.measurements import FAILED_BESIDE
from foxnas_core.table.metrics import is_metric, metric_of

REQUIRED = "latency_ms"  # which no row may lack
_ASKED = 20  # cells that are read to recognise a column by
FAILED = -1.0
_WHY = "did not run there: -1 in the file that was imported"


def with_written_column(
    mapping: ColumnMapping, frame: pd.DataFrame, space: SearchSpace
) -> ColumnMapping:
    """The mapping with the one column of texts that the space's family reads as architectures,
    whatever it is called, where nothing else tells them."""
    family = family_of(space)
    told = {ARCHITECTURE, *space.by_name}
    if not family.notation or told & set(mapping.columns) or told & set(frame.columns):
        return mapping

    def reads(cell: object) -> bool:
        # Plain numbers may count rows as well.
        if not isinstance(cell, str) or cell.strip().isdigit():
            return False
        try:
            return bool(family.read(space, cell))
        except InvalidInput:
            return False

    found = [
        column
        for column in frame.columns
        if column not in mapping.columns.values()
        and len(frame)
        and all(map(reads, frame[column].head(_ASKED)))
    ]
    if len(found) != 1:
        return mapping
    return replace(mapping, columns={**mapping.columns, ARCHITECTURE: found[0]})


def with_numbered_choices(frame: pd.DataFrame, space: SearchSpace) -> pd.DataFrame:
    """The frame with operations by name where a column of numbers alone gives them by their place
    in the benchmark, as families that are `numbered` have. Other numbers stay, to be refused."""
    if not family_of(space).numbered:
        return frame
    named = {}
    for name, decision in space.by_name.items():
        if name not in frame:
            continue
        cells = pd.to_numeric(frame[name], errors="coerce")
        if cells.notna().all():
            names = dict(enumerate(decision.choices))
            pairs = zip(cells, frame[name], strict=True)
            named[name] = [names.get(number, own) for number, own in pairs]
    return frame.assign(**named)


def without_failed(frame: pd.DataFrame) -> tuple[pd.DataFrame, Mapping[str, int]]:
    """The frame with what could not be measured missing, and why in a column beside, and by column
    how many cells that are: benchmarks write -1 where a network did not compile for a device."""
    counts: dict[str, int] = {}
    kept: dict[str, Any] = {}
    for column in filter(is_metric, frame.columns):
        metric = metric_of(column)
        if column == REQUIRED or metric.quality or metric.bounds[0] < 0:
            continue
        cells = pd.to_numeric(frame[column], errors="coerce")
        if (failed := (cells == FAILED).to_numpy()).any():
            counts[column] = int(failed.sum())
            kept[column] = cells.mask(failed)
            kept[f"{FAILED_BESIDE}{column}"] = [_WHY if one else None for one in failed]
    return frame.assign(**kept), counts
