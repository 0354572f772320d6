"""A study on disk: its tables, weights, images and records."""

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pandas as pd

from foxnas_core.documents import parse_json
from foxnas_core.errors import InvalidInput, MissingPart, NotWritable
from foxnas_core.families import family_of
from foxnas_core.files import write_atomically
from foxnas_core.records import CollectionKind, RecordKind, architectures_in
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.study.files import about, check_description, content_of, read_space
from foxnas_core.study.goals import NAMES, NO_GOALS, Goals
from foxnas_core.study.locks import MARK, holding, in_use
from foxnas_core.study.parts import changed, checked_optima, ids_in, is_id, part_limit
from foxnas_core.study.siblings import IMAGES, how_to_get_images, shared_images
from foxnas_core.table.additive import block_space
from foxnas_core.table.files import columns_of, from_parquet, to_parquet_bytes
from foxnas_core.table.measurements import MeasurementTable, campaigns_of, empty_table
from foxnas_core.table.metrics import (
    KNOWN,
    SIZES,
    Metric,
    is_metric,
    main_cost,
    main_objective,
    metric_of,
)
from foxnas_core.tasks.dataset import ImageSet, pack_images, unpack_images

if TYPE_CHECKING:
    from foxnas_core.supernet.adapter import Factory
    from foxnas_core.supernet.checkpoint import Checkpoint

T = TypeVar("T")
_TEMPORARY = re.compile(r"\.(?P<name>.+)\.[^.]+\.tmp")


def _metrics_in(path: Path) -> tuple[Metric, ...]:
    # Asked at each drawing of a page some ten times. Files are replaced, so another has another
    # inode or time; metrics are added and never taken away.
    try:
        stat = path.stat()
    except OSError:
        return ()
    return _metrics_of(path, (stat.st_ino, stat.st_mtime_ns, stat.st_size), len(KNOWN))


@lru_cache(maxsize=64)
def _metrics_of(path: Path, _stamp: tuple[int, int, int], _known: int) -> tuple[Metric, ...]:
    return tuple(metric_of(column) for column in columns_of(path) if is_metric(column))


@dataclass(frozen=True)
class Study:
    """A study's folder, with its name, description and space read. Parts are read on demand.

    `build` builds its supernet, where that is of somebody's own code. `goals` are those that
    `study.json` names.
    """

    folder: Path
    name: str
    description: str
    space: SearchSpace
    build: "Factory | None" = None
    goals: Goals = NO_GOALS

    @property
    def objective(self) -> Metric:
        """What a network shall be best in: as named, else `main_objective` of the table, a size
        that is counted where only costs were measured, and the accuracy before anything was."""
        measured = self._measured_metrics()
        if own := self.goals.objective or main_objective(measured):
            return metric_of(own)
        can = measured and (size for size, of in SIZES.items() if self._counts(of))
        return metric_of(next(iter(can or ()), "accuracy"))

    def _counts(self, column: str) -> bool:
        return bool(family_of(self.space).counts(self.space, column))

    @property
    def cost(self) -> Metric:
        """What the objective is traded against: as named, else `main_cost` of the table, and the
        latency before anything was measured."""
        own = self.goals.cost or main_cost(self._measured_metrics())
        return metric_of(own) if own else KNOWN["latency_ms"]

    def _measured_metrics(self) -> tuple[Metric, ...]:
        with suppress(InvalidInput):  # whoever reads a damaged table says so
            return _metrics_in(self.table_file)
        return ()

    @property
    def checkpoint_file(self) -> Path:
        return self.folder / "supernet.safetensors"

    @property
    def images_file(self) -> Path:
        """Its own images, or else those that it shares, see `study.siblings`."""
        own = self.folder / IMAGES
        return own if own.exists() else shared_images(self.folder) or own

    @property
    def table_file(self) -> Path:
        return self.folder / "measurements.parquet"

    @property
    def optima_file(self) -> Path:
        return self.folder / "optima.parquet"

    @property
    def blocks_file(self) -> Path:
        return self.folder / "blocks.parquet"

    @property
    def training_state_file(self) -> Path:
        return self.folder / "training-state.safetensors"

    # Measurements

    def table(self) -> MeasurementTable:
        """The measurement table; an empty one where nothing was measured yet."""
        return self._read(self.table_file)

    def optima(self) -> MeasurementTable:
        """Optima of random budgets and what they measured; an empty table without any.

        Beside the targets, `budget`, `searched_objective` and `searched_latency`: what they are
        the best in, and the column that the budget is of. Raises `InvalidInput` for other rows.
        """
        return checked_optima(self.optima_file, self._read(self.optima_file))

    def blocks(self) -> MeasurementTable:
        """What was measured of the blocks that networks of the space are chains of, a table of
        `block_space`."""
        return self._read(self.blocks_file)

    def append(
        self,
        architectures: Sequence[Architecture],
        values: Sequence[Mapping[str, Any]],
        record: Mapping[str, Any] | None = None,
        *,
        optima: bool = False,
    ) -> MeasurementTable:
        """Add measured rows, and `record` under the record's "campaigns"; returns the table.

        With `optima` they go to the table of optima. Nothing that was there is changed. Safe
        against other processes that append. Raises as `writing`.
        """
        choices = pd.DataFrame([a.to_dict() for a in architectures])
        rows = pd.concat([choices, pd.DataFrame(list(values))], axis=1)

        def appended(table: MeasurementTable) -> MeasurementTable:
            campaigns = {**table.record.get("campaigns", {}), **(record or {})}
            return table.with_rows(rows, record={**table.record, "campaigns": campaigns})

        return self.amend(appended, self.optima_file if optima else self.table_file)

    def amend(
        self, change: Callable[[MeasurementTable], MeasurementTable], path: Path | None = None
    ) -> MeasurementTable:
        """Replace the measurement table, or that at `path`, by what `change` makes of it; returns
        the new one. Safe against other processes that append; raises as `change` and `writing`."""
        path = path or self.table_file
        with self.writing():
            table = change(self._read(path))
            write_atomically(path, to_parquet_bytes(table))
        return table

    def _read(self, path: Path) -> MeasurementTable:
        own = block_space(self.space) if path == self.blocks_file else None
        space = own or self.space
        return from_parquet(path, space) if path.exists() else empty_table(space)

    def add_table(
        self,
        table: MeasurementTable,
        new: Callable[[MeasurementTable], MeasurementTable] | None = None,
    ) -> MeasurementTable:
        """Append a whole table of the same space, or what `new` makes of it beside the one there
        is; raises `InvalidInput` for another space, or where one knows the order of blocks and the
        other does not, and as `new` and `writing`."""
        if table.space.fingerprint != self.space.fingerprint:
            raise InvalidInput(
                f"The table is of space {table.space.name!r} ({table.space.fingerprint}), but "
                f"{self.folder} is of {self.space.name!r} ({self.space.fingerprint}); import it "
                "into a new study."
            )

        def added(existing: MeasurementTable) -> MeasurementTable:
            if not len(existing):
                return table
            if existing.ordered != table.ordered:
                raise InvalidInput(
                    f"{self.folder} and the table differ in whether the order of blocks in a stage "
                    "is known; import it into a new study."
                )
            campaigns = {**campaigns_of(existing), **campaigns_of(table)}
            record = {**existing.record, **table.record}
            if campaigns:
                record["campaigns"] = campaigns
            rows = table if new is None else new(existing)
            return existing.with_rows(rows.frame.drop(columns="id"), record=record, holes=True)

        return self.amend(added)

    # Weights and images

    def load_checkpoint(self) -> "Checkpoint":
        """The supernet; raises `MissingPart` without one, `InvalidInput` for one of another
        space."""
        if not self.checkpoint_file.exists():
            raise MissingPart(
                f"Study {self.name!r} has no supernet weights ({self.checkpoint_file}), which "
                "measuring and exporting need; train one with 'python -m foxnas_core train', or "
                "bring yours with 'measure --supernet' or 'import-weights', or export the network "
                "with 'export --random-weights' for what it costs."
            )
        from foxnas_core.supernet.checkpoint import load_checkpoint

        return load_checkpoint(self.checkpoint_file, space=self.space, build=self.build)

    def training_record(self) -> dict[str, Any]:
        """What the checkpoint says of its training, from the head of its file alone; empty without
        a checkpoint. Raises `InvalidInput` for a damaged one."""
        from foxnas_core.supernet.header import checkpoint_metadata

        if not self.checkpoint_file.exists():
            return {}
        return dict(checkpoint_metadata(self.checkpoint_file)["record"])

    def trained_on(self) -> str | None:
        """Name of the images that the weights were trained on; None where there are none, or where
        it can't be told."""
        with suppress(InvalidInput, KeyError):
            return str(self.training_record()["dataset"])
        return None

    def save_images(self, calibration: ImageSet, held_out: ImageSet) -> None:
        """Keep images with the study, unless they are those that it shares."""
        content = pack_images({"calibration": calibration, "held_out": held_out})
        shared = shared_images(self.folder)
        if shared and shared.read_bytes() == content:
            return
        with self.writing():
            write_atomically(self.folder / IMAGES, content)

    def images(self) -> tuple[ImageSet, ImageSet]:
        """Calibration (training) and held-out images; raises `MissingPart` without them."""
        if not self.images_file.exists():
            raise MissingPart(self.no_images("which measuring and exporting need"))
        parts = unpack_images(self.images_file)
        if set(parts) != {"calibration", "held_out"}:
            raise InvalidInput(f"{self.images_file} lacks calibration or held-out images.")
        return parts["calibration"], parts["held_out"]

    def no_images(self, need: str) -> str:
        """That the images are missing, which something needs (a clause), and how to get them."""
        how = how_to_get_images(self.folder, self.trained_on())
        return f"Study {self.name!r} has no images ({self.images_file}), {need}. {how}"

    # Records

    def file(self, kind: RecordKind[Any]) -> Path:
        return self.folder / kind.file

    def record(self, kind: RecordKind[T]) -> T:
        """The record of a kind, or what that says where there is none yet.

        Raises `InvalidInput` for a damaged file, or one of another space.
        """
        path = self.file(kind)
        if not path.exists():
            return kind.empty
        value = _read_record(kind, path, "restore it, or move it away to begin anew")
        if not all(map(self.space.is_member, architectures_in(value))):
            raise InvalidInput(
                f"{path} holds subnets of another space than {self.space.name!r}; use it with the "
                "study it belongs to."
            )
        return value

    def save(self, kind: RecordKind[T], value: T) -> None:
        """Put a record in the place of the one there is; raises as `writing`."""
        with self.writing():
            write_atomically(self.file(kind), kind.text(value))

    def change(self, kind: RecordKind[T], change: Callable[[T], T]) -> T:
        """Put what `change` makes of a record in its place, and return it.

        Safe against other processes; raises as `record`, `change` and `writing`.
        """
        with self.writing():
            changed = change(self.record(kind))
            write_atomically(self.file(kind), kind.text(changed))
        return changed

    def ids(self, kind: CollectionKind[Any]) -> list[str]:
        """Ids of the records of a collection, the newest first."""
        return ids_in(self.file(kind))

    def keep(self, kind: CollectionKind[T], value: T) -> str:
        """Add a record to a collection; returns its id, which equal ones share. Raises as
        `writing`."""
        text = kind.text(value)
        record_id = hashlib.sha256(text.encode()).hexdigest()[:12]
        path = self.file(kind) / f"{record_id}.json"
        with self.writing():
            newest = max(map(changed, path.parent.glob("*.json")), default=0)
            write_atomically(path, text)
            if changed(path) <= newest:  # the clock was set back
                os.utime(path, ns=(newest + 1000, newest + 1000))
        return record_id

    def kept(self, kind: CollectionKind[T], record_id: str) -> T:
        """A record of a collection, whatever space it is of; raises `MissingPart` for an unknown
        id, `InvalidInput` for a damaged file."""
        path = self._kept_file(kind, record_id)
        return _read_record(kind, path, f"delete it and {kind.one} again")

    def forget(self, kind: CollectionKind[Any], record_id: str) -> None:
        """Remove a record, damaged or not, from a collection; raises `MissingPart` for an unknown
        id, and as `writing`."""
        path = self._kept_file(kind, record_id)
        with self.writing():
            path.unlink(missing_ok=True)  # somebody else was quicker

    def _kept_file(self, kind: CollectionKind[Any], record_id: str) -> Path:
        # The id may come from an address, so it must never reach the path unchecked.
        if not is_id(record_id):
            raise MissingPart(f"{record_id!r} is no {kind.one} of study {self.name!r}.")
        path = self.file(kind) / f"{record_id}.json"
        if not path.exists():
            raise MissingPart(f"Study {self.name!r} holds no {kind.one} {record_id!r}.")
        return path

    # As a whole

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Whatever writes in the study's folder does so in here, one at a time.

        Raises `NotWritable` in read-only mode, where the folder can't be written, and where the
        study is not there any more.
        """
        with holding(self.folder):
            if read_space(self.folder / MARK).fingerprint != self.space.fingerprint:
                raise NotWritable(
                    f"{self.folder} holds another study by now, of another space; open it anew."
                )
            yield

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Keep the study from being renamed or deleted meanwhile; for campaigns and trainings.

        Raises as `writing`.
        """
        with self.writing():
            for path in self.folder.glob(".*.tmp"):  # of processes that were killed
                match = _TEMPORARY.fullmatch(path.name)
                if match and part_limit(match["name"]) is not None:
                    path.unlink(missing_ok=True)
        with in_use(self.folder):
            yield

    def describe(self, *, name: str, description: str, goals: Goals | None = None) -> None:
        """Change the name that is shown, the description and, where given, the goals.

        Raises `InvalidInput` where one is too long or no plain text, and as `writing`.
        """
        check_description(name, description)
        path = self.folder / "study.json"
        with self.writing():
            told = about(self.folder) | {"format": 1, "name": name, "description": description}
            if goals is not None:
                told = {k: v for k, v in told.items() if k not in NAMES} | goals.to_dict()
            write_atomically(path, json.dumps(told, indent=2) + "\n")


def _read_record(kind: RecordKind[T], path: Path, mend: str) -> T:
    try:
        return kind.value(parse_json(content_of(path)))
    except ValueError as error:
        raise InvalidInput(f"{path} is damaged ({error}); {mend}.") from error
