"""The checks of what users give as rows: each cell, and where new rows go among those held."""

from collections.abc import Collection, Hashable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from foxnas_core.errors import InvalidInput
from foxnas_core.space.decisions import Decision, check_choice
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.table.metrics import ABOVE_ZERO, STD_ERROR, Metric, is_metric, metric_of

_MOST_COLUMNS = 2000
_MOST_LETTERS = 300  # of a column's name


class Where:
    """Names rows and columns as the user sees them."""

    def __init__(
        self, source: str, word: str, numbers: np.ndarray, names: Mapping[str, str]
    ) -> None:
        self._source, self._word, self._numbers = source, word, numbers
        self._names = names

    def __call__(self, row: int) -> str:
        return f"{self._source}, {self._word} {self._numbers[row]},"

    def name(self, column: str) -> str:
        return self._names.get(column, column)

    def quoted(self, column: str) -> str:
        return self._names.get(column, repr(column))

    @property
    def source(self) -> str:
        return self._source


def check_alike(rest: pd.DataFrame) -> None:
    """Raises `InvalidInput` where a column holds what no file keeps side by side."""
    for column in [c for c in rest.columns if rest[c].dtype == object]:
        try:
            pa.array(rest[column], from_pandas=True)
        except pa.ArrowException as error:
            raise InvalidInput(
                f"The new rows hold another kind of values (numbers or text) in {column!r} than "
                "the table does; rename that column, or leave it out."
            ) from error


def checked_codes(
    space: SearchSpace, frame: pd.DataFrame, where: Where, drop_inactive: bool
) -> np.ndarray:
    codes = np.full((len(frame), len(space.decisions)), -1, dtype=np.int16)
    for column, decision in enumerate(space.decisions):
        allowed = ", ".join(map(str, decision.choices))
        active = space.active(codes, decision)
        if decision.name in frame:
            cells = frame[decision.name]
            if drop_inactive and not active.all():
                cells = cells.where(active)
            codes[:, column] = _decision_codes(decision, cells, where)
        elif not decision.conditions:
            raise InvalidInput(
                f"{where.source} lacks the column {decision.name!r} of space {space.name!r}; name "
                f"one so, or map one to it (--map {decision.name}=COLUMN); allowed in it: "
                f"{allowed}."
            )
        wrong = np.flatnonzero(active != (codes[:, column] >= 0))
        if not len(wrong):
            continue
        row = wrong[0]
        name = where.name(decision.name)
        because = ", ".join(
            f"{where.name(c.decision)} is {frame[c.decision].iloc[row]}"
            for c in decision.conditions
        )
        if active[row]:
            reason = f" although {because}" if because else ""
            raise InvalidInput(f"{where(row)} has no {name}{reason}; allowed: {allowed}.")
        raise InvalidInput(
            f"{where(row)} has {name} = {frame[decision.name].iloc[row]} although "
            f"{because}, which leaves it out; leave the cell empty."
        )
    return codes


def _decision_codes(decision: Decision, column: pd.Series, where: Where) -> np.ndarray:
    """Codes (rows,) of one column, -1 where missing; each distinct value is checked once."""
    name = where.quoted(decision.name)
    cells = column
    if column.dtype == object:
        odd = np.array([not isinstance(cell, Hashable) for cell in column])
        if odd.any():  # a list or an object in a cell
            row = int(odd.argmax())
            allowed = ", ".join(map(str, decision.choices))
            raise InvalidInput(f"{where(row)} {name} is {column.iloc[row]!r}; allowed: {allowed}.")
        # True equals 1, so it would hide behind it.
        cells = pd.Series(
            [str(c) if isinstance(c, bool | np.bool_) else c for c in column], dtype=object
        )
    positions, found = pd.factorize(cells)
    known = []
    for position in range(len(found)):
        row = int(np.argmax(positions == position))
        try:
            choice = check_choice(decision, _as_number(decision, column.iloc[row]), name)
        except InvalidInput as error:
            raise InvalidInput(f"{where(row)} {error}") from None
        known.append(decision.choices.index(choice))
    return np.array([*known, -1], dtype=np.int16)[positions]


def _as_number(decision: Decision, value: Any) -> Any:
    """Text of a CSV cell as a number where the decision's choices are numbers."""
    if isinstance(value, str) and not isinstance(decision.choices[0], str):
        try:
            number = float(value)
        except ValueError:
            return value
        return int(number) if number.is_integer() else number
    return value


def _checked_numbers(
    column: pd.Series, name: str, metric: Metric, where: Where, unit: str
) -> np.ndarray:
    """A metric's numbers (rows,), NaN where missing, given in `unit`, else in its own."""
    factor = dict(metric.units).get(unit, 1.0)
    cells = column
    if column.dtype == object:
        cells = pd.Series([_number_or_text(cell) for cell in column], dtype=object)
    numbers = pd.to_numeric(cells, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    low, high = metric.bounds
    above = numbers > 0 if low == ABOVE_ZERO else numbers >= low / factor
    valid = np.isfinite(numbers) & above & (numbers <= high / factor)
    wrong = np.flatnonzero(~valid & column.notna().to_numpy())
    if len(wrong):
        value = column.iloc[wrong[0]]
        raise InvalidInput(
            f"{where(wrong[0])} has {where.name(name)} = {value}; it must be "
            f"{metric.allowed(unit)}."
        )
    # Dividing by 1000 rounds better than multiplying by 0.001 does.
    return numbers * factor if factor >= 1 else numbers / round(1 / factor)


def checked_cells(
    cells: pd.Series, column: str, where: Where, units: Mapping[str, str] | None
) -> Any:
    """The cells of a target or its standard error as checked numbers; of others as they are."""
    name = column.removesuffix(STD_ERROR)
    if not is_metric(name):
        return cells
    metric, unit = metric_of(name), (units or {}).get(name, "")
    if column.endswith(STD_ERROR):
        metric = replace(metric, bounds=(0.0, np.inf), saturates=False)
    return _checked_numbers(cells, column, metric, where, unit)


def places_of(
    frame: pd.DataFrame, ids: np.ndarray, values: pd.DataFrame, where: Where
) -> np.ndarray:
    """For each new row, the position (rows,) of the row of its id that takes its targets."""
    rows_of = frame.groupby("id").indices
    held = frame[list(values.columns)].notna().to_numpy(copy=True)
    given = values.notna().to_numpy()
    places = np.empty(len(ids), dtype=np.int64)
    for row, name in enumerate(ids):
        if name not in rows_of:
            raise InvalidInput(
                f"{where(row)} has the id {name!r}, which the study has no row of; leave the row "
                "out, or import it with its choices and without --join."
            )
        free = [place for place in rows_of[name] if not (held[place] & given[row]).any()]
        if not free:
            column = values.columns[int(np.argmax(given[row] & held[rows_of[name]].all(0)))]
            raise InvalidInput(
                f"{where(row)} has {where.name(column)} for the id {name!r}, which the study "
                "holds already; leave the row out."
            )
        places[row] = free[0]
        held[free[0]] |= given[row]
    return places


def _number_or_text(cell: Any) -> float | str:
    """What pandas turns into a number; NaN for a truth value, a list or a number beyond all."""
    if isinstance(cell, str):
        return cell
    try:
        return np.nan if isinstance(cell, (bool, np.bool_)) else float(cell)
    except (TypeError, ValueError, OverflowError):
        return np.nan


def check_columns(source: str, names: Collection[str]) -> None:
    """Raises `InvalidInput` for more columns than are read, as what reads them takes long for each,
    and for a name that is no line of text, or a long one, which figures and lists show whole."""
    if len(names) > _MOST_COLUMNS:
        raise InvalidInput(
            f"{source} has {len(names):,} columns, more than the {_MOST_COLUMNS:,} that are read; "
            "leave some out."
        )
    for name in names:
        if not name.isprintable():
            raise InvalidInput(
                f"{source} names a column {name!r:.60}; leave line breaks and control characters "
                "out of names."
            )
        if len(name) > _MOST_LETTERS:
            raise InvalidInput(
                f"{source} names a column {name[:40]!r}…, {len(name):,} characters long; take a "
                f"name of at most {_MOST_LETTERS}."
            )
