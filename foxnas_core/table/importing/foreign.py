"""A file of the user's and the measurement table that it becomes."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath
from typing import Any

import pandas as pd

from foxnas_core.errors import InvalidInput
from foxnas_core.families import family_of
from foxnas_core.pickles import read_pickle
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.table.files import content_of, parquet_options
from foxnas_core.table.importing.architectures import with_choices, with_lists
from foxnas_core.table.importing.cells import with_numbers
from foxnas_core.table.importing.hw_nas_bench import benchmark_rows
from foxnas_core.table.importing.joining import KEYS, goes_along, joined_table, with_ids
from foxnas_core.table.importing.lookups import is_lookup, lookup_rows, parse_yaml, sums_by
from foxnas_core.table.importing.mapping import (
    ColumnMapping,
    ColumnsRead,
    check_mapping,
    check_units,
    suggest_mapping,
    unit_option,
)
from foxnas_core.table.importing.plain import with_plain_rest, without_other_ids
from foxnas_core.table.importing.published import (
    has_published_columns,
    published_role,
    published_table,
)
from foxnas_core.table.importing.reading import (
    ARCHITECTURE,
    PICKLED,
    SUFFIXES,
    YAML,
    Rows,
    parse_document,
    read_rows,
)
from foxnas_core.table.importing.written import (
    with_numbered_choices,
    with_written_column,
    without_failed,
)
from foxnas_core.table.measurements import MeasurementTable, table_from_frame
from foxnas_core.table.metrics import COUNTABLE, Metric, is_metric, known_names
from foxnas_core.table.sums import SUMS
from foxnas_core.table.whole import Finding, Named, findings, findings_of

READ_AS = "read_as"  # where a table's record keeps what its file was taken for, in sentences


@dataclass(frozen=True, eq=False)
class _Read:
    """Rows by this product's names, what errors call its columns, the mapping with what the cells
    told, and what the file was taken for."""

    frame: pd.DataFrame
    names: dict[str, str]
    mapping: ColumnMapping
    told: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class ForeignFile:
    """A file that was read, with its own columns; `source` is what errors call it."""

    source: str
    _rows: Rows = field(repr=False)
    _benchmark: Any = field(repr=False, default=None)
    _lookup: Any = field(repr=False, default=None)

    def of(self, space: SearchSpace | None) -> "ForeignFile":
        """The file as it is for a space: a published benchmark holds rows of several, and a look-up
        table has none before its costs are summed.

        Raises `InvalidInput` where it holds none of the space.
        """
        if self._lookup is not None:
            if space is None:
                raise InvalidInput(
                    f"{self.source} is a look-up table of costs; name the space whose choices have "
                    "them (--space)."
                )
            return ForeignFile(self.source, lookup_rows(self.source, self._lookup, space))
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
    def has_commas(self) -> bool:
        """Whether some cell is a number with a comma in it."""
        frame = self._rows.frame
        texts = (frame[c].dropna() for c in frame if pd.api.types.is_string_dtype(frame[c]))
        return any(cells.str.fullmatch(r"[-+]?[\d.,]*,\d+").any() for cells in texts)

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
        read = self._read(space, mapping)
        options = parquet_options(self.source, self._rows.metadata, space)
        record = options["record"] or {}
        if isinstance(kept := record.get(SUMS), dict):
            options["record"] = record = {**record, SUMS: sums_by(kept, self.source, read.mapping)}
        if mapping or read.told:
            options["record"] = {
                "imported_from": PurePath(self.source).name,
                "columns": dict(mapping.columns),
                "units": dict(read.mapping.units),
                READ_AS: list(read.told),
                **record,
            }
        if not any(map(is_metric, read.frame.columns)):
            raise InvalidInput(
                f"{self.source} has no target column; name at least one column after a known "
                f"metric ({known_names()}), or map one (--map accuracy=COLUMN)."
            )
        frame = with_plain_rest(without_other_ids(read.frame), space)
        # Choices of what is inactive are dropped, as wherever the product reads an architecture.
        table = table_from_frame(
            space,
            frame,
            source=self.source,
            row_word=self._rows.row_word,
            names=read.names,
            units=read.mapping.units,
            drop_inactive=True,
            **{**options, "holes": True},
        )
        self._check_shares(table, read.mapping)
        self._check_counts(table, read.mapping)
        self._check_units(table, table.targets, read.mapping)
        return table

    def _read(
        self, space: SearchSpace, mapping: ColumnMapping, keys: Sequence[str] = ()
    ) -> "_Read":
        """The rows by the product's names, with a column for each decision that is told. Besides
        what a table takes, `keys` may be mapped."""
        others = {name: own for name, own in mapping.columns.items() if name not in keys}
        check_mapping(replace(mapping, columns=others), self.source, self.columns, space)
        frame, names = _renamed(self._rows.frame, mapping)
        numbers = with_numbers(frame, space, mapping, self.source, self._rows.row_word)
        mapping = replace(mapping, units={**mapping.units, **numbers.units})
        check_units(mapping, self.source, self.columns)
        frame = with_lists(with_numbered_choices(numbers.frame, space), space)
        if ARCHITECTURE in frame and ARCHITECTURE not in space.by_name:
            column = mapping.columns.get(ARCHITECTURE, ARCHITECTURE)
            own = [name for name in space.by_name if name not in frame]
            frame = with_choices(frame, column, own, space, self.source, self._rows.row_word)
            names |= {name: f"{name} in the column {column!r}" for name in own}
        frame, _ = without_failed(frame)
        return _Read(frame, names, mapping, (*self._rows.told, *numbers.told))

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
        lists = family_of(table.space).lists
        for own in self.columns:
            name = published_role(own) if self.published else moved.get(own, own)
            if name in lists and name not in table.frame:
                name = ARCHITECTURE
            shadowed = own not in moved and name in mapping.columns
            if (
                shadowed
                or not (name in table.frame or name == ARCHITECTURE)
                or (joined is not None and not goes_along(name, joined))
            ):
                left_out.append(own)
            elif name in table.unknown:
                unknown.append(own)
            else:
                known[own] = name
        _, failed = without_failed(_renamed(self._rows.frame, mapping)[0])
        told = self._rows.told if joined is not None else table.record.get(READ_AS, ())
        return ColumnsRead(known, tuple(unknown), tuple(left_out), failed, tuple(told))

    def joined(
        self, table: MeasurementTable, mapping: ColumnMapping | None = None
    ) -> MeasurementTable:
        """The study's table with this file's latencies, where it had none, joined by the study's
        ids, by the choices, or by a key of the user's own that both have.

        What else the file holds is left out, and so are latencies that the study has in all rows.
        `mapping` may say which column holds "id", or "original_id". Raises `InvalidInput` naming
        file, row and column.
        """
        mapping = mapping or ColumnMapping()
        read = self._read(table.space, mapping, keys=KEYS)
        frame = with_ids(self.source, self._rows.row_word, read.frame, table)
        joined, latencies = joined_table(
            self.source,
            self._rows.row_word,
            frame,
            table,
            names=read.names,
            units=read.mapping.units,
        )
        fresh = [target for target in joined.targets if target.column in latencies]
        self._check_units(joined, fresh, read.mapping, Named("row"))
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

    def _check_counts(self, table: MeasurementTable, mapping: ColumnMapping) -> None:
        """Raises `InvalidInput` where what should be counts are no whole numbers, and nobody told
        of what."""
        for column in COUNTABLE:
            values = table.frame[column].dropna() if column in table.frame else pd.Series([])
            if len(values) and column not in mapping.units and values.mod(1).any():
                raise InvalidInput(
                    f"{self.source} has {column} such as {values[values.mod(1) > 0].iloc[0]:g} in "
                    f"the column {mapping.columns.get(column, column)!r}, which is no count; say "
                    f"whether it is in k, M or G ({unit_option(column, 'M')}), or in 1."
                )


def read_content(source: str, content: bytes) -> ForeignFile:
    """A file by its name, whose ending says what it is, and its bytes.

    Raises `InvalidInput` where it can't be read as what its name says.
    """
    suffix, none = PurePath(source).suffix.lower(), Rows(pd.DataFrame(), "row")
    if suffix in PICKLED:
        return ForeignFile(source, none, read_pickle(source, content))
    if suffix in YAML:
        return ForeignFile(source, none, _lookup=parse_yaml(source, content))
    if suffix == ".json" and is_lookup(document := parse_document(source, content)):
        return ForeignFile(source, none, _lookup=document)
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
