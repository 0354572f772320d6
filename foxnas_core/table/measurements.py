"""The measurement table: one row a measured subnet, checked against its search space.

Columns: `id`, one for each decision (missing where inactive), one for each target with its
`<target>_std_error` where known, and any others, which are kept as they are.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, wraps
from typing import Any, TypeVar, cast

import numpy as np
import pandas as pd

from foxnas_core.errors import InvalidInput
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.decisions import Decision
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.table.checks import (
    Where,
    check_alike,
    check_columns,
    checked_cells,
    checked_codes,
    places_of,
)
from foxnas_core.table.metrics import (
    STD_ERROR,
    Metric,
    is_metric,
    metric_of,
    unknown_sentence,
)

_Function = TypeVar("_Function", bound=Callable[..., Any])

# The column of the seconds that measuring a row took, where it is known.
SECONDS = "measuring_seconds"
# What measuring, importing and calibrating write beside the targets: columns of their own, such as
# are called PREFIX_TARGET, and scores on half of the cases.
_OWN = ("id", "original_id", "index", "campaign", "seed", SECONDS, "budget", "searched_latency")
# What a column begins with that says why another one's cell is missing.
FAILED_BESIDE = "failed_"
_BESIDE = re.compile(
    "(failed|campaign|minimum|low|high|drift(_range)?|clock_mhz|clock_range|temperature)_"
)
_HALF = re.compile(r"_(even|odd)(?=:|$)")


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
        if target in self.unknown:
            raise InvalidInput(unknown_sentence([target]))
        if target not in [known.column for known in self.targets]:
            columns = [known.column for known in self.targets]
            ask = ""
            wanted = is_metric(target) and metric_of(target).quality
            if wanted and len(columns) > 1 and not any(known.quality for known in self.targets):
                ask = f", or ask of these alone (--objective {columns[0]} --cost {columns[1]})"
            raise InvalidInput(
                f"The table has no target {target!r}; it has {', '.join(columns) or 'none yet'}: "
                f"import or measure rows that have it{ask}."
            )
        return self.frame[target].to_numpy(dtype=float)

    @cached_property
    def unknown(self) -> tuple[str, ...]:
        """The columns that are no choice, of no known metric, and not what measuring writes beside
        one: they are kept, and no fit reads them."""
        return tuple(
            str(column)
            for column in self.frame.columns
            if column not in self.space.by_name and not is_known_column(str(column))
        )

    @cached_property
    def fingerprint(self) -> str:
        """Twelve hexadecimal digits of all that a fit reads: space, choices, targets."""
        digest = hashlib.sha256(self.space.fingerprint.encode())
        digest.update(json.dumps([self.ordered, [t.column for t in self.targets]]).encode())
        digest.update(np.ascontiguousarray(self.codes).tobytes())
        for target in self.targets:
            digest.update(self.values(target.column).tobytes())
        return digest.hexdigest()[:12]

    @cached_property
    def _known(self) -> dict[tuple[Any, ...], Any]:
        """What functions made of this table (see `once_a_table`)."""
        return {}

    def of_origin(self, origin: str) -> np.ndarray:
        """Which rows (rows,) are of campaigns whose circumstances name this origin: "search" for
        finds of search rounds, "design" for batches chosen by their information, "verify" for
        subnets measured to test claims, "named" for those that a user named."""
        names = [
            name
            for name, circumstances in campaigns_of(self).items()
            if isinstance(circumstances, Mapping) and circumstances.get("origin") == origin
        ]
        own = self.frame.get("campaign", pd.Series(index=self.frame.index, dtype=object))
        return own.isin(names).to_numpy()

    def rows(self, chosen: np.ndarray) -> "MeasurementTable":
        """Some of the rows, by a mask (rows,)."""
        frame = self.frame[chosen].reset_index(drop=True)
        return replace(self, frame=frame, codes=self.codes[chosen])

    def with_rows(
        self,
        rows: pd.DataFrame,
        *,
        record: Mapping[str, Any] | None = None,
        holes: bool = False,
    ) -> "MeasurementTable":
        """A new table with `rows` appended, and `record` in place of its own where given.

        `rows` needs a column for each decision and target; ids are computed; `holes` as in
        `table_from_frame`. Raises `InvalidInput` where a row does not belong to the space.
        """
        rows = rows.set_axis(range(1, len(rows) + 1), axis="index")
        added = table_from_frame(self.space, rows, source="The new rows", holes=holes)
        columns = dict.fromkeys([*_rest(self).columns, *_rest(added).columns])
        parts = [_rest(table) for table in (self, added) if len(table)] or [_rest(self)]
        rest = pd.concat(parts, ignore_index=True).reindex(columns=list(columns))
        check_alike(rest)
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
        where = Where(source, row_word, rows.index.to_numpy(), names or {})
        values = rows.drop(columns="id").reset_index(drop=True)
        for column in values.columns:
            values[column] = checked_cells(values[column], column, where, units)
        targets = [column for column in values.columns if is_metric(column)]
        frame = self.frame.copy()
        for column in values.columns:
            if column not in frame:
                frame[column] = pd.Series(None, index=frame.index, dtype=values[column].dtype)
        places = places_of(frame, rows["id"].to_numpy(), values[targets], where)
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


def campaigns_of(table: MeasurementTable) -> Mapping[str, Any]:
    """What was recorded of each campaign, by its name; empty where that was told in no such way."""
    campaigns = table.record.get("campaigns")
    return campaigns if isinstance(campaigns, Mapping) else {}


def campaign_names(table: MeasurementTable, column: str) -> np.ndarray:
    """The campaign (rows,) that measured a column of each row: one of its own where it was added
    to a row that was there, else the row's; missing where it is of none."""
    empty = pd.Series(None, index=table.frame.index, dtype=object)
    rows, own = (table.frame.get(n, empty) for n in ("campaign", f"campaign_{column}"))
    return own.astype(object).where(own.notna(), rows.astype(object)).to_numpy()


def is_known_column(column: str) -> bool:
    """Whether a column is a metric's, or what this product writes beside one."""
    beside = [_HALF.sub("", column), column.removesuffix(STD_ERROR)]
    beside += [column[match.end() :] for match in (_BESIDE.match(column),) if match]
    return column.rstrip("_") in _OWN or any(map(is_metric, beside))


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
    check_columns(source, frame.columns)
    where = Where(source, row_word, frame.index.to_numpy(), names or {})
    codes = checked_codes(space, frame, where, drop_inactive)
    rest = frame.drop(columns=["id", *space.by_name], errors="ignore").reset_index(drop=True)
    for column in rest.columns:
        rest[column] = checked_cells(rest[column], column, where, units)
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


def _rest(table: MeasurementTable) -> pd.DataFrame:
    return table.frame.drop(columns=["id", *table.space.by_name])


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
    if not any(isinstance(choice, str) for choice in decision.choices):
        numbers = np.array([*decision.choices, 0], dtype=np.float64)[codes]
        return pd.Series(pd.arrays.FloatingArray(numbers, codes < 0))
    texts = np.array([*map(str, decision.choices), None], dtype=object)[codes]
    return pd.Series(texts, dtype="str")


def once_a_table(function: _Function) -> _Function:
    """A function of a table and of what is hashable, computed once for each table, which never
    changes: what it returns is shared."""

    @wraps(function)
    def known(table: MeasurementTable, *arguments: Any) -> Any:
        results, key = table._known, (function.__qualname__, *arguments)
        if key not in results:
            results[key] = function(table, *arguments)
        return results[key]

    return cast(_Function, known)
