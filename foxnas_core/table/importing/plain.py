"""Columns that no fit reads, as numbers or text; ids of others."""

import json
from typing import Any

import pandas as pd

from foxnas_core.space.search_space import SearchSpace
from foxnas_core.table.files import MISSING_TEXT
from foxnas_core.table.metrics import STD_ERROR, is_metric

OTHER_ID = "original_id"
_ID = "[0-9a-f]{12}"


def without_other_ids(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with ids that are not this product's in `original_id`, lest they be checked."""
    if "id" in frame and not has_own_ids(frame["id"]):
        name = OTHER_ID
        while name in frame:
            name += "_"
        return frame.rename(columns={"id": name})
    return frame


def has_own_ids(ids: pd.Series) -> bool:
    """Whether any of them may be an id of this product's."""
    return bool(ids.astype(str).str.fullmatch(_ID).any())


def with_plain_rest(frame: pd.DataFrame, space: SearchSpace) -> pd.DataFrame:
    """The frame with its further columns as numbers or text, whatever they came as."""
    rest = [
        name
        for name in frame.columns
        if not (name == "id" or name in space.by_name or is_metric(name.removesuffix(STD_ERROR)))
        and (frame[name].dtype == object or pd.api.types.is_string_dtype(frame[name]))
    ]
    return frame.assign(**{name: plain_cells(frame[name]) for name in rest})


def plain_cells(column: pd.Series) -> pd.Series:
    """Numbers where all cells are, else text; missing where the cell says so."""
    cells = [None if is_missing(cell) else cell for cell in column.tolist()]
    try:
        return pd.to_numeric(pd.Series(cells, index=column.index, dtype=object))
    except (ValueError, TypeError, OverflowError):
        texts = [
            cell if cell is None or isinstance(cell, str) else json.dumps(cell, default=str)
            for cell in cells
        ]
        return pd.Series(texts, index=column.index, dtype="str")


def is_missing(cell: Any) -> bool:
    """Whether a cell holds nothing."""
    if isinstance(cell, str):
        return cell in MISSING_TEXT
    return bool(pd.api.types.is_scalar(cell) and pd.isna(cell))
