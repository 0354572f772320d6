"""A file of the user's and the measurement table that it becomes."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any

import pandas as pd

from foxnas_core.errors import InvalidInput
from foxnas_core.families import family_of
from foxnas_core.pickles import read_pickle
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.table.files import MISSING_TEXT, content_of, parquet_options
from foxnas_core.table.importing.hw_nas_bench import benchmark_rows
from foxnas_core.table.importing.mapping import (
    ColumnMapping,
    ColumnsRead,
    check_mapping,
    suggest_mapping,
    unit_option,
)
from foxnas_core.table.importing.published import (
    has_published_columns,
    published_role,
    published_table,
)
from foxnas_core.table.importing.reading import (
    ARCHITECTURE,
    PICKLED,
    SUFFIXES,
    Rows,
    parse_objects,
    read_rows,
)
from foxnas_core.table.importing.written import (
    with_numbered_choices,
    with_written_column,
    without_failed,
)
from foxnas_core.table.measurements import MeasurementTable, table_from_frame
from foxnas_core.table.metrics import STD_ERROR, Metric, is_metric, known_names, metric_of
from foxnas_core.table.whole import Finding, Named, findings, findings_of

_ID = "[0-9a-f]{12}"


@dataclass(frozen=True, eq=False)
class ForeignFile:
    """A file that was read, with its own columns; `source` is what errors call it."""

    source: str
    _rows: Rows = field(repr=False)
    _benchmark: Any = field(repr=False, default=None)

    def of(self, space: SearchSpace | None) -> "ForeignFile":
        """The file as it is for a space: a published benchmark holds rows of several.

        Raises `InvalidInput` where it holds none of the space.
        """
        if self._benchmark is None:
            return self
        if space is None:
            raise InvalidInput(
                f"{self.source} holds costs of several spaces; name one of them (--space "
                "nasbench201, or fbnet-imagenet)."
            )
        return ForeignFile(self.source, benchmark_rows(self.source, self._benchmark, space))

    def __len__(self) -> int:
        return len(self._rows.frame)

    def suggested(self, space: SearchSpace) -> ColumnMapping:
        """What its columns may mean, by their names or what they hold, to fill in a form with."""
        return with_written_column(suggest_mapping(self.columns, space), self._rows.frame, space)

    @property
    def columns(self) -> list[str]:
        return list(self._rows.frame.columns)

    @property
    def published(self) -> bool:
        """Whether it has FOX-NAS's published columns, which bring their own space and units."""
        return has_published_columns(self.columns)

    def table(
        self, space: SearchSpace | None, mapping: ColumnMapping | None = None
    ) -> MeasurementTable:
        """The checked measurement table.

        A file with FOX-NAS's published columns brings its own space, which `space`, where given,
        must equal; any other has one column a decision of `space`, or a column of architectures, as
        JSON or in the notation of their family, and at least one target column, each found under
        its own name or by `mapping`. Raises `InvalidInput` naming file, row, column, value and what
        is allowed.
        """
        mapping = mapping or ColumnMapping()
        if self.published:
            return self._published(space, mapping)
        if space is None:
            raise InvalidInput(
                f"{self.source} lacks FOX-NAS's published columns, so its search space must be "
                "named: import it into a study, or say which space it belongs to."
            )
        mapping = with_written_column(mapping, self._rows.frame, space)
        check_mapping(mapping, self.source, self.columns, space)
        options = parquet_options(self.source, self._rows.metadata, space)
        if mapping:
            options["record"] = {
                "imported_from": PurePath(self.source).name,
                "columns": dict(mapping.columns),
                "units": dict(mapping.units),
                **(options["record"] or {}),
            }
        frame, names = _renamed(self._rows.frame, mapping)
        frame, _ = without_failed(with_numbered_choices(_without_other_ids(frame), space))
        if not any(map(is_metric, frame.columns)):
            raise InvalidInput(
                f"{self.source} has no target column; name at least one column after a known "
                f"metric ({known_names()}), or map one (--map accuracy=COLUMN)."
            )
        as_json = ARCHITECTURE in frame and ARCHITECTURE not in space.by_name
        if as_json:
            column = mapping.columns.get(ARCHITECTURE, ARCHITECTURE)
            own = [name for name in space.by_name if name not in frame]
            frame = self._expanded(frame, column, own, space)
            names |= {name: f"{name} in the column {column!r}" for name in own}
        table = table_from_frame(
            space,
            _with_plain_rest(frame, space),
            source=self.source,
            row_word=self._rows.row_word,
            names=names,
            units=mapping.units,
            # As wherever the product reads an architecture in JSON.
            drop_inactive=self._rows.json or as_json,
            **options,
        )
        self._check_shares(table, mapping)
        self._check_units(table, table.targets, mapping)
        return table

    def findings(self, table: MeasurementTable) -> list[Finding]:
        """What the `table` that was made of the file says as a whole, by the file's own rows."""
        return findings(table, self._named)

    @property
    def _named(self) -> Named:
        return Named(self._rows.row_word, self._rows.frame.index.to_numpy())

    def columns_read(
        self,
        table: MeasurementTable,
        mapping: ColumnMapping | None = None,
        joined: Sequence[str] | None = None,
    ) -> ColumnsRead:
        """What became of the file's columns in the `table` that was made of it or, where they were
        `joined` to it, that took these latencies."""
        mapping = with_written_column(mapping or ColumnMapping(), self._rows.frame, table.space)
        moved = {own: name for name, own in mapping.columns.items()}
        known, unknown, left_out = {}, [], []
        for own in self.columns:
            name = published_role(own) if self.published else moved.get(own, own)
            shadowed = own not in moved and name in mapping.columns
            if (
                shadowed
                or not (name in table.frame or name == ARCHITECTURE)
                or (joined is not None and not _goes_along(name, joined))
            ):
                left_out.append(own)
            elif name in table.unknown:
                unknown.append(own)
            else:
                known[own] = name
        _, failed = without_failed(_renamed(self._rows.frame, mapping)[0])
        return ColumnsRead(known, tuple(unknown), tuple(left_out), failed)

    def joined(
        self, table: MeasurementTable, mapping: ColumnMapping | None = None
    ) -> MeasurementTable:
        """The study's table with this file's latencies, joined by `id`, where it had none.

        What else the file holds is left out, and so are latencies that the study has in all rows.
        `mapping` may say which column holds "id". Raises `InvalidInput` naming file, row and
        column.
        """
        mapping = mapping or ColumnMapping()
        others = {name: own for name, own in mapping.columns.items() if name != "id"}
        check_mapping(ColumnMapping(others, mapping.units), self.source, self.columns, table.space)
        frame, names = _renamed(self._rows.frame, mapping)
        frame, _ = without_failed(frame)
        if "id" not in frame:
            raise InvalidInput(
                f"{self.source} has no column 'id' to join by; add one with the study's ids, or "
                "map one to it (--map id=COLUMN)."
            )
        latencies = [
            name
            for name in frame.columns
            if is_metric(name) and metric_of(name).timed and table.known(name) < len(table)
        ]
        if not latencies:
            raise InvalidInput(
                f"{self.source} has no latency that the study lacks; name a column "
                "latency_ms:DEVICE, or map one (--map latency_ms:DEVICE=COLUMN)."
            )
        along = [name for name in frame.columns if _goes_along(name, latencies)]
        own = _with_plain_rest(frame[along], table.space)
        given = own[latencies].apply(lambda cells: [not _is_missing(c) for c in cells])
        # Named, so that no latency is taken for one of the row's own campaign.
        name = PurePath(self.source).name
        own = own.assign(**{f"campaign_{column}": f"joined-{name}" for column in latencies})
        campaigns = {**table.record.get("campaigns", {}), f"joined-{name}": {"imported_from": name}}
        joined = table.with_cells(
            own[given.any(axis=1)],
            record={**table.record, "campaigns": campaigns},
            source=self.source,
            row_word=self._rows.row_word,
            names=names,
            units=mapping.units,
        )
        fresh = [target for target in joined.targets if target.column in latencies]
        self._check_units(joined, fresh, mapping, Named("row"))
        return joined

    def _published(self, space: SearchSpace | None, mapping: ColumnMapping) -> MeasurementTable:
        if mapping:
            raise InvalidInput(
                f"{self.source} has FOX-NAS's published columns, whose meaning and units are known "
                "(accuracy in percent, latency in ms); leave the mapping and the units out."
            )
        table = published_table(self.source, self._rows.frame, self._rows.row_word)
        self._check_shares(table, ColumnMapping({"accuracy": "acc"}))
        if space is not None and space.fingerprint != table.space.fingerprint:
            raise InvalidInput(
                f"{self.source} has FOX-NAS's published columns, which describe the space "
                f"{table.space.name!r}, not {space.name!r}; import it into a new study."
            )
        return table

    def _check_units(
        self,
        table: MeasurementTable,
        targets: Sequence[Metric],
        mapping: ColumnMapping,
        named: Named | None = None,
    ) -> None:
        """Raises `InvalidInput` where a column's numbers seem to be in two units, and nobody told
        which one it is in."""
        for target in targets:
            if target.column in mapping.units:
                continue
            for finding in findings_of(table, target, named or self._named):
                if finding.grave and target.units:
                    told = unit_option(target.column, target.units[0][0])
                    raise InvalidInput(
                        f"{self.source}: {finding.sentence.removesuffix('.')} or, where they are "
                        f"right as they are, tell the unit of all ({told})."
                    )

    def _check_shares(self, table: MeasurementTable, mapping: ColumnMapping) -> None:
        """Raises `InvalidInput` where what should be percentages, and wasn't told to be fractions,
        looks like them."""
        for target in table.targets:
            column, greatest = target.column, table.frame[target.column].max()
            in_percent = [unit for unit, _ in target.units][:1] == ["percent"]
            if not in_percent or mapping.units.get(column) == "fraction" or not greatest <= 1:
                continue
            mend = f"say that its unit is fraction ({unit_option(column, 'fraction')}), or give it"
            mend = "FOX-NAS's is" if self.published else mend
            raise InvalidInput(
                f"{self.source} has no {column} above {greatest:g} in the column "
                f"{mapping.columns.get(column, column)!r}, which looks like fractions; "
                f"{mend} in percent{', so multiply it by 100' if self.published else ''}."
            )

    def _expanded(
        self, frame: pd.DataFrame, column: str, own: Sequence[str], space: SearchSpace
    ) -> pd.DataFrame:
        """The frame with a column for each decision of `own`, those it has no column for, in place
        of its written architectures, which the file has in `column`."""
        parsed = self._architectures(frame, column, space)
        choices = pd.DataFrame(parsed, index=frame.index, dtype=object)
        for name in choices.columns:
            if name in space.by_name and name in frame:
                raise InvalidInput(
                    f"{self.source} gives {name!r} both in a column of its own and in the column "
                    f"{column!r}; keep one."
                )
            if name not in space.by_name and choices[name].notna().any():
                raise InvalidInput(
                    f"{self._cell(choices[name].first_valid_index(), column)} gives {name!r}, "
                    f"which is no decision of space {space.name!r}; its decisions are "
                    f"{', '.join(space.by_name)}."
                )
        # A decision that no row has is missing in each of them.
        return pd.concat(
            [frame.drop(columns=ARCHITECTURE), choices.reindex(columns=list(own))], axis=1
        )

    def _architectures(
        self, frame: pd.DataFrame, column: str, space: SearchSpace
    ) -> list[dict[str, Any]]:
        """The choices that each cell of a column of architectures holds: an object, or JSON of one,
        or what its family writes instead."""
        cells = frame[ARCHITECTURE].tolist()
        if all(isinstance(cell, dict) for cell in cells):
            return cells
        # A number or an empty cell is no object, and is refused as such.
        texts = [cell if isinstance(cell, str) else json.dumps(cell, default=str) for cell in cells]
        family = family_of(space)
        if not family.notation or texts[0].lstrip().startswith("{"):
            return parse_objects(texts, lambda row: self._cell(frame.index[row], column))
        found = []
        for number, text in zip(frame.index, texts, strict=True):
            try:
                found.append(family.read(space, text).to_dict())
            except InvalidInput as error:
                raise InvalidInput(
                    f"{self._cell(number, column)} can't be read. {error}"
                ) from error
        return found

    def _cell(self, number: object, column: str) -> str:
        return f"{self.source}, {self._rows.row_word} {number}, column {column!r},"


def read_content(source: str, content: bytes) -> ForeignFile:
    """A file by its name, whose ending says what it is, and its bytes.

    Raises `InvalidInput` where it can't be read as what its name says.
    """
    if PurePath(source).suffix.lower() in PICKLED:
        return ForeignFile(source, Rows(pd.DataFrame(), "row"), read_pickle(source, content))
    return ForeignFile(source, read_rows(source, content))


def read_file(path: Path) -> ForeignFile:
    """A file of the user's; raises as `read_content`, and where it can't be read."""
    # A name of another kind is told before a missing file is.
    content = content_of(path) if path.suffix.lower() in SUFFIXES else b""
    return read_content(str(path), content)


def _renamed(frame: pd.DataFrame, mapping: ColumnMapping) -> tuple[pd.DataFrame, dict[str, str]]:
    """The frame with the product's names for mapped columns, and what errors call them.

    A column that bears the name of something mapped elsewhere is left out.
    """
    moved = {column: name for name, column in mapping.columns.items()}
    shadowed = [name for name in mapping.columns if name in frame and name not in moved]
    names = {name: f"{own} ({name})" for name, own in mapping.columns.items() if own != name}
    return frame.drop(columns=shadowed).rename(columns=moved), names


def _goes_along(name: str, latencies: Sequence[str]) -> bool:
    return name == "id" or any(metric_of(column).has_along(name) for column in latencies)


def _without_other_ids(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with ids that are not this product's in `original_id`, lest they be checked."""
    if "id" in frame and not frame["id"].astype(str).str.fullmatch(_ID).any():
        name = "original_id"
        while name in frame:
            name += "_"
        return frame.rename(columns={"id": name})
    return frame


def _with_plain_rest(frame: pd.DataFrame, space: SearchSpace) -> pd.DataFrame:
    """The frame with its further columns as numbers or text, whatever they came as."""
    rest = [
        name
        for name in frame.columns
        if not (name == "id" or name in space.by_name or is_metric(name.removesuffix(STD_ERROR)))
        and (frame[name].dtype == object or pd.api.types.is_string_dtype(frame[name]))
    ]
    return frame.assign(**{name: _plain(frame[name]) for name in rest})


def _plain(column: pd.Series) -> pd.Series:
    """Numbers where all cells are, else text; missing where the cell says so."""
    cells = [None if _is_missing(cell) else cell for cell in column.tolist()]
    try:
        return pd.to_numeric(pd.Series(cells, index=column.index, dtype=object))
    except (ValueError, TypeError, OverflowError):
        texts = [
            cell if cell is None or isinstance(cell, str) else json.dumps(cell, default=str)
            for cell in cells
        ]
        return pd.Series(texts, index=column.index, dtype="str")


def _is_missing(cell: object) -> bool:
    if isinstance(cell, str):
        return cell in MISSING_TEXT
    return cell is None or cell is pd.NA or cell is pd.NaT or cell != cell
