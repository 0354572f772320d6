"""The measurement table: one row a measured subnet, checked against its search space.

Columns: `id`, one for each decision (missing where inactive), one for each target with its
`<target>_std_error` where known, and any others, which are kept as they are.
"""

import hashlib
import json
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from foxnas_core.errors import InvalidInput
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.search_space import Decision, SearchSpace, check_choice
from foxnas_core.table.metrics import ABOVE_ZERO, STD_ERROR, Metric, is_metric, metric_of

# The column of the seconds that measuring a row took, where it is known.
SECONDS = "measuring_seconds"


@dataclass(frozen=True, eq=False)
class MeasurementTable:
    """Measured architectures of one space; build one with `table_from_frame` or by reading.

    `codes` (rows, decisions) are the architectures as in `SearchSpace.encode`. `ordered` is False
    where the order of the blocks within a stage is unknown and stands in a canonical order.
    `record` says how the rows came about.
    """

    space: SearchSpace
    frame: pd.DataFrame
    codes: np.ndarray
    targets: tuple[Metric, ...]
    record: Mapping[str, Any] = field(default_factory=dict)
    ordered: bool = True

    def __len__(self) -> int:
        return len(self.frame)

    def architectures(self) -> list[Architecture]:
        return self.space.decode(self.codes)

    def measured(self, subnet: str) -> Architecture:
        """The subnet of an id, which the table must hold."""
        row = int((self.frame["id"] == subnet).to_numpy().argmax())
        return self.space.decode(self.codes[row : row + 1])[0]

    def values(self, target: str) -> np.ndarray:
        """The column (rows,) of a target, NaN where not measured.

        Raises `InvalidInput` naming the targets there are.
        """
        if target not in [known.column for known in self.targets]:
            known = ", ".join(known.column for known in self.targets) or "none yet"
            raise InvalidInput(f"The table has no target {target!r}; it has {known}.")
        return self.frame[target].to_numpy(dtype=float)

    @cached_property
    def fingerprint(self) -> str:
        """Twelve hexadecimal digits of all that a fit reads: space, choices, targets."""
        digest = hashlib.sha256(self.space.fingerprint.encode())
        digest.update(json.dumps([self.ordered, [t.column for t in self.targets]]).encode())
        digest.update(np.ascontiguousarray(self.codes).tobytes())
        for target in self.targets:
            digest.update(self.values(target.column).tobytes())
        return digest.hexdigest()[:12]

    def of_origin(self, origin: str) -> np.ndarray:
        """Which rows (rows,) are of campaigns whose circumstances name this origin: "search" for
        finds of search rounds, "design" for batches chosen by their information, "verify" for
        subnets measured to test claims."""
        campaigns = self.record.get("campaigns")
        if not isinstance(campaigns, Mapping) or "campaign" not in self.frame:
            return np.zeros(len(self), dtype=bool)
        names = [
            name
            for name, circumstances in campaigns.items()
            if isinstance(circumstances, Mapping) and circumstances.get("origin") == origin
        ]
        return self.frame["campaign"].isin(names).to_numpy()

    def rows(self, chosen: np.ndarray) -> "MeasurementTable":
        """Some of the rows, by a mask (rows,)."""
        frame = self.frame[chosen].reset_index(drop=True)
        return replace(self, frame=frame, codes=self.codes[chosen])

    def with_rows(
        self, rows: pd.DataFrame, *, record: Mapping[str, Any] | None = None
    ) -> "MeasurementTable":
        """A new table with `rows` appended, and `record` in place of its own where given.

        `rows` needs a column for each decision and target; ids are computed. Raises
        `InvalidInput` where a row does not belong to the space.
        """
        rows = rows.set_axis(range(1, len(rows) + 1), axis="index")
        added = table_from_frame(self.space, rows, source="The new rows")
        columns = dict.fromkeys([*_rest(self).columns, *_rest(added).columns])
        parts = [_rest(table) for table in (self, added) if len(table)] or [_rest(self)]
        rest = pd.concat(parts, ignore_index=True).reindex(columns=list(columns))
        _check_alike(rest)
        return _assembled(
            self.space,
            np.vstack([self.codes, added.codes]),
            rest,
            self.record if record is None else record,
            self.ordered,
        )

    def known(self, column: str) -> int:
        """How many rows have a value in `column`."""
        return int(self.frame[column].notna().sum()) if column in self.frame else 0

    def lacking(self, column: str) -> list[Architecture]:
        """The architectures, each once, none of whose rows has a value in `column`."""
        first = ~self.frame["id"].duplicated().to_numpy()
        if column in self.frame:
            known = self.frame.loc[self.frame[column].notna(), "id"]
            first &= ~self.frame["id"].isin(known).to_numpy()
        return self.space.decode(self.codes[first])

    def with_cells(
        self,
        rows: pd.DataFrame,
        *,
        record: Mapping[str, Any] | None = None,
        source: str = "The new values",
        row_word: str = "row",
        names: Mapping[str, str] | None = None,
        units: Mapping[str, str] | None = None,
    ) -> "MeasurementTable":
        """A new table with the values of `rows`, joined by `id`, in cells that were missing.

        A row goes to the first row of its id that has none of its targets, so that repeated
        measurements stay apart. The index of `rows` and the other arguments are as in
        `table_from_frame`; `record` is put in place of the table's own where given. Raises
        `InvalidInput` for an id that the table lacks, and where a value is there already.
        """
        where = _Where(source, row_word, rows.index.to_numpy(), names or {})
        values = rows.drop(columns="id").reset_index(drop=True)
        for column in values.columns:
            values[column] = _checked_cells(values[column], column, where, units)
        targets = [column for column in values.columns if is_metric(column)]
        frame = self.frame.copy()
        for column in values.columns:
            if column not in frame:
                frame[column] = pd.Series(None, index=frame.index, dtype=values[column].dtype)
        places = _places(frame, rows["id"].to_numpy(), values[targets], where)
        for column in values.columns:
            given = values[column].notna().to_numpy()
            frame.loc[places[given], column] = values.loc[given, column].to_numpy()
        return _assembled(
            self.space,
            self.codes,
            frame.drop(columns=["id", *self.space.by_name]),
            self.record if record is None else record,
            self.ordered,
        )


def empty_table(
    space: SearchSpace,
    targets: Sequence[str] = (),
    record: Mapping[str, Any] | None = None,
) -> MeasurementTable:
    """A table of no rows; raises `InvalidInput` for a column that is no target."""
    rest = pd.DataFrame({metric_of(t).column: np.empty(0) for t in targets})
    codes = np.empty((0, len(space.decisions)), dtype=np.int16)
    return _assembled(space, codes, rest, record or {}, True)


def table_from_frame(
    space: SearchSpace,
    frame: pd.DataFrame,
    *,
    record: Mapping[str, Any] | None = None,
    ordered: bool = True,
    source: str = "The table",
    row_word: str = "row",
    holes: bool = False,
    names: Mapping[str, str] | None = None,
    units: Mapping[str, str] | None = None,
    drop_inactive: bool = False,
) -> MeasurementTable:
    """The checked table of a frame whose index holds the row numbers that the user sees.

    A target's cell may be missing where it was not measured; `latency_ms`, where the frame has
    it, must be complete unless `holes`, since a hole in it is a measurement that failed. `names`
    says what the user calls a column, `units` what unit (of `foxnas_core.table.metrics.units_of`) a
    target and its standard error stand in, else the table's own. With `drop_inactive`, a choice
    for an inactive decision is dropped instead of refused. Raises `InvalidInput` naming source,
    row, column, value and what is allowed.
    """
    where = _Where(source, row_word, frame.index.to_numpy(), names or {})
    codes = _checked_codes(space, frame, where, drop_inactive)
    rest = frame.drop(columns=["id", *space.by_name], errors="ignore").reset_index(drop=True)
    for column in rest.columns:
        rest[column] = _checked_cells(rest[column], column, where, units)
    if not holes and "latency_ms" in rest:
        gaps = np.flatnonzero(rest["latency_ms"].isna())
        if len(gaps):
            raise InvalidInput(
                f"{where(gaps[0])} has no {where.name('latency_ms')}; measure it again or leave "
                "the row out."
            )
    table = _assembled(space, codes, rest, record or {}, ordered)
    if "id" in frame:
        given = frame["id"].to_numpy(dtype=object)
        wrong = np.flatnonzero((given != table.frame["id"].to_numpy()) & ~pd.isna(given))
        if len(wrong):
            raise InvalidInput(
                f"{where(wrong[0])} has the id {given[wrong[0]]!r}, but its choices have "
                f"{table.frame['id'].iloc[wrong[0]]!r}; correct the choices, or leave out the "
                "column 'id' to have it computed."
            )
    return table


class _Where:
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


def _rest(table: MeasurementTable) -> pd.DataFrame:
    return table.frame.drop(columns=["id", *table.space.by_name])


def _check_alike(rest: pd.DataFrame) -> None:
    """Raises `InvalidInput` where a column holds what no file keeps side by side."""
    for column in [c for c in rest.columns if rest[c].dtype == object]:
        try:
            pa.array(rest[column], from_pandas=True)
        except pa.ArrowException as error:
            raise InvalidInput(
                f"The new rows hold another kind of values (numbers or text) in {column!r} than "
                "the table does; rename that column, or leave it out."
            ) from error


def _assembled(
    space: SearchSpace,
    codes: np.ndarray,
    rest: pd.DataFrame,
    record: Mapping[str, Any],
    ordered: bool,
) -> MeasurementTable:
    """A table of checked parts: id, decisions, targets with their errors, the rest."""
    targets = [metric_of(column) for column in rest.columns if is_metric(column)]
    measured = [c for t in targets for c in (t.column, t.std_error_column) if c in rest]
    others = [column for column in rest.columns if column not in measured]
    columns = {"id": pd.Series(space.ids(codes), dtype="str")}
    for decision, own in zip(space.decisions, codes.T, strict=True):
        columns[decision.name] = _choices(decision, own)
    frame = pd.concat([pd.DataFrame(columns), rest[measured + others]], axis=1)
    return MeasurementTable(space, frame, codes, tuple(targets), record, ordered)


def _choices(decision: Decision, codes: np.ndarray) -> pd.Series:
    """One decision's column: nullable integers or strings, missing where inactive."""
    if all(isinstance(choice, int) for choice in decision.choices):
        values = np.array([*decision.choices, 0], dtype=np.int64)[codes]
        return pd.Series(pd.arrays.IntegerArray(values, codes < 0))
    texts = np.array([*map(str, decision.choices), None], dtype=object)[codes]
    return pd.Series(texts, dtype="str")


def _checked_codes(
    space: SearchSpace, frame: pd.DataFrame, where: _Where, drop_inactive: bool
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
                f"{where.source} lacks the column {decision.name!r} of space {space.name!r}; "
                f"allowed in it: {allowed}."
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


def _decision_codes(decision: Decision, column: pd.Series, where: _Where) -> np.ndarray:
    """Codes (rows,) of one column, -1 where missing; each distinct value is checked once."""
    name = where.quoted(decision.name)
    odd = None
    try:
        positions, found = pd.factorize(column)
        # True equals 1, so it may hide behind it.
        if column.dtype == object and any(value in (0, 1) for value in found):
            odd = np.array([isinstance(cell, bool) for cell in column])
    except TypeError:  # a list or an object in a cell
        odd = np.array([not isinstance(cell, Hashable) for cell in column])
    if odd is not None and odd.any():
        row = int(odd.argmax())
        allowed = ", ".join(map(str, decision.choices))
        raise InvalidInput(f"{where(row)} {name} is {column.iloc[row]!r}; allowed: {allowed}.")
    known = []
    for position, value in enumerate(found):
        try:
            choice = check_choice(decision, _as_number(decision, value), name)
        except InvalidInput as error:
            row = int(np.argmax(positions == position))
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
    column: pd.Series, name: str, metric: Metric, where: _Where, unit: str
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


def _checked_cells(
    cells: pd.Series, column: str, where: _Where, units: Mapping[str, str] | None
) -> Any:
    """The cells of a target or its standard error as checked numbers; of others as they are."""
    name = column.removesuffix(STD_ERROR)
    if not is_metric(name):
        return cells
    metric, unit = metric_of(name), (units or {}).get(name, "")
    if column.endswith(STD_ERROR):
        metric = replace(metric, bounds=(0.0, np.inf), saturates=False)
    return _checked_numbers(cells, column, metric, where, unit)


def _places(
    frame: pd.DataFrame, ids: np.ndarray, values: pd.DataFrame, where: _Where
) -> np.ndarray:
    """For each new row, the position (rows,) of the row of its id that takes its targets."""
    rows_of = frame.groupby("id").indices
    held = frame[list(values.columns)].notna().to_numpy(copy=True)
    given = values.notna().to_numpy()
    places = np.empty(len(ids), dtype=np.int64)
    for row, name in enumerate(ids):
        if name not in rows_of:
            raise InvalidInput(
                f"{where(row)} has the id {name!r}, which the study has no row of; measure that "
                "subnet first, or import the row with its choices."
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
