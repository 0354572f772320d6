"""A column of architectures, as whoever measured them wrote them, as a column for each decision."""

import ast
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import pandas as pd

from foxnas_core.errors import InvalidInput
from foxnas_core.families import family_of
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.table.importing.reading import ARCHITECTURE, parse_object, parse_objects

_MOST_TEXT = 10_000
_BRACKETS = ("{", "[", "(")


def with_choices(
    frame: pd.DataFrame, column: str, own: Sequence[str], space: SearchSpace, source: str, row: str
) -> pd.DataFrame:
    """The frame with a column for each decision of `own`, those that it has no column for, in place
    of its written architectures.

    The file `source`, whose rows are counted by the word `row`, has them in `column`: objects or
    lists of choices, as JSON, as Python writes them or as they are, or what the family writes.
    Raises `InvalidInput` naming row and column.
    """

    def where(number: object) -> str:
        return f"{source}, {row} {number}, column {column!r},"

    written = _parsed(frame, space, where)
    choices = pd.DataFrame(written, index=frame.index, dtype=object)
    for name in choices.columns:
        if name in space.by_name and name in frame:
            raise InvalidInput(
                f"{source} gives {name!r} both in a column of its own and in the column "
                f"{column!r}; keep one."
            )
        if name not in space.by_name and choices[name].notna().any():
            raise InvalidInput(
                f"{where(choices[name].first_valid_index())} gives {name!r:.80}, which is no "
                f"decision of space {space.name!r}; its decisions are {', '.join(space.by_name)}."
            )
    # A decision that no row has is missing in each of them.
    return pd.concat([frame.drop(columns=ARCHITECTURE), choices.reindex(columns=list(own))], axis=1)


def with_lists(frame: pd.DataFrame, space: SearchSpace) -> pd.DataFrame:
    """The frame with the lists of choices that tools write for the space's family, a column each,
    in one column of architectures, where nothing else tells them."""
    lists = family_of(space).lists
    told = {ARCHITECTURE, *space.by_name} & set(frame.columns)
    if not lists or told or not {name for name, needed in lists.items() if needed} <= set(frame):
        return frame
    names = [name for name in lists if name in frame]
    rows = [
        dict(zip(names, row, strict=True)) for row in zip(*(frame[n] for n in names), strict=True)
    ]
    cells = pd.Series(rows, index=frame.index, dtype=object)
    return frame.drop(columns=names).assign(**{ARCHITECTURE: cells})


def _parsed(frame: pd.DataFrame, space: SearchSpace, where: Any) -> list[dict[str, Any]]:
    cells = frame[ARCHITECTURE].tolist()
    if all(isinstance(cell, str) and cell.lstrip().startswith("{") for cell in cells):
        # At once is thrice as quick; one by one finds out which is wrong.
        with suppress(InvalidInput):
            return [_choices(space, one) for one in parse_objects(cells, str)]
    found = []
    for number, cell in zip(frame.index, cells, strict=True):
        # A number may be the family's; an empty cell is no object, and is refused as such.
        plain = isinstance(cell, str | dict | list | tuple)
        text, place = cell if plain else json.dumps(cell, default=str), where(number)
        try:
            found.append(_choices(space, _value(space, text, place)))
        except InvalidInput as error:
            if str(error).startswith(place):
                raise
            raise InvalidInput(f"{place} can't be read. {error}") from error
    return found


def _value(space: SearchSpace, cell: Any, where: str) -> Any:
    """What a cell holds: an object, a list, or a text in the family's own notation."""
    if not isinstance(cell, str):
        return cell
    text = cell.strip()
    if not text.startswith(_BRACKETS):
        if family_of(space).notation:
            return family_of(space).read(space, text).to_dict()
        return parse_object(text, where)
    with suppress(ValueError, RecursionError):
        return json.loads(text)
    if len(text) <= _MOST_TEXT:
        # As Python prints dictionaries and tuples.
        with suppress(ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
            return ast.literal_eval(text)
    return parse_object(text, where)


def _listed(space: SearchSpace, cell: Any, name: str) -> Any:
    """One of the family's lists, or a single value, which may be text in a text file."""
    is_text = isinstance(cell, str) and cell.strip().startswith(_BRACKETS)
    return _value(space, cell, repr(name)) if is_text else cell


def _choices(space: SearchSpace, value: Any) -> dict[str, Any]:
    """The choices of an object or a list."""
    family = family_of(space)
    if isinstance(value, Mapping):
        needed = {name for name, is_needed in family.lists.items() if is_needed}
        if needed and needed <= set(value):
            own = {n: _listed(space, value[n], n) for n in family.lists if n in value}
            return family.from_lists(space, own)
        return dict(value)
    if isinstance(value, list | tuple):
        return family.from_list(space, value)
    raise InvalidInput(f"{value!r:.80} is neither an object of choices nor a list of them.")
