"""A study on disk: the only room that knows paths and formats.

study.json               name and description, and what it is about (see `goals`)
space.json               the search space
supernet.safetensors     the checkpoint (optional)
images.npz               calibration and held-out images (optional)
measurements.parquet     the measurement table (optional)
optima.parquet           measured optima, which no fit reads (optional)
rounds.json              rounds of search and measurement (optional)
trust.json               subnets trained alone beside what they inherit (optional)
claims.json              claims made before measuring, and what was measured (optional)
variants.json            architectures kept under names (optional)
trust/                   what trainings under way go on from after a kill
handmade.json            networks designed by hand beside searched ones (optional)
handmade/                what their trainings go on from after a kill
searches/ID.json         finished searches
.lock, .in-use/          see `writing`
"""

import hashlib
import json
import os
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import pandas as pd

from foxnas_core.documents import parse_json
from foxnas_core.errors import FoxnasError, InvalidInput, MissingPart, NotWritable
from foxnas_core.evidence.handmade.record import HandmadeRecord
from foxnas_core.evidence.trust.pairs import TrustPair, TrustRecord, check_continues
from foxnas_core.evidence.verification.claims import Trial
from foxnas_core.families import architecture_from_document, space_from_dict
from foxnas_core.files import write_atomically
from foxnas_core.search.result import SearchResult
from foxnas_core.search.rounds.record import RoundsRecord
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.editing.variants import (
    Variant,
    variants_from_dict,
    variants_to_dict,
    with_variant,
    without_variant,
)
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.study.goals import NAMES, NO_GOALS, Goals
from foxnas_core.study.locks import MARK, claim, holding, in_use, writing
from foxnas_core.table.files import check_bounds, columns_of, from_parquet, to_parquet_bytes
from foxnas_core.table.measurements import MeasurementTable, empty_table
from foxnas_core.table.metrics import KNOWN, Metric, is_metric, main_cost, main_objective, metric_of
from foxnas_core.tasks.dataset import ImageSet, check_packed, pack_images, unpack_images

if TYPE_CHECKING:
    from foxnas_core.supernet.adapter import Factory
    from foxnas_core.supernet.checkpoint import Checkpoint

_SEARCH_ID = re.compile(r"[0-9a-f]{12}")
_STUDY_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
# Names that Windows keeps for devices, lest a study can't be copied there.
_RESERVED = re.compile(r"con|prn|aux|nul|(com|lpt)[0-9]", re.IGNORECASE)
_MOST_TITLE, _MOST_DESCRIPTION = 100, 2000

# Every file that a study may have and that is taken along where it is copied, with its most bytes
# where it comes from elsewhere. What trainings go on from is not, nor what locks.
_KB, _MB = 1 << 10, 1 << 20
PARTS = {
    "study.json": 64 * _KB,
    "space.json": 4 * _MB,
    "supernet.safetensors": 1024 * _MB,
    "images.npz": 1024 * _MB,
    "measurements.parquet": 256 * _MB,
    "optima.parquet": 64 * _MB,
    "rounds.json": 8 * _MB,
    "trust.json": 8 * _MB,
    "claims.json": 8 * _MB,
    "variants.json": 8 * _MB,
    "handmade.json": 8 * _MB,
}
MOST_SEARCH, MOST_SEARCHES = 2 * _MB, 1000
_SEARCH_FILE = re.compile(r"searches/[0-9a-f]{12}\.json")
_TEMPORARY = re.compile(r"\.(?P<name>.+)\.[^.]+\.tmp")


def part_limit(name: str) -> int | None:
    """The most bytes of the file that a study calls so; None where it has no such file."""
    return MOST_SEARCH if _SEARCH_FILE.fullmatch(name) else PARTS.get(name)


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
        """What a network shall be best in: as named, else `main_objective` of the table, and the
        accuracy before anything was measured."""
        own = self.goals.objective or main_objective(self._measured_metrics())
        return metric_of(own) if own else KNOWN["accuracy"]

    @property
    def cost(self) -> Metric:
        """What the objective is traded against: as named, else `main_cost` of the table, and the
        latency before anything was measured."""
        own = self.goals.cost or main_cost(self._measured_metrics())
        return metric_of(own) if own else KNOWN["latency_ms"]

    def _measured_metrics(self) -> list[Metric]:
        return [metric_of(column) for column in columns_of(self.table_file) if is_metric(column)]

    @property
    def checkpoint_file(self) -> Path:
        return self.folder / "supernet.safetensors"

    @property
    def images_file(self) -> Path:
        return self.folder / "images.npz"

    @property
    def table_file(self) -> Path:
        return self.folder / "measurements.parquet"

    @property
    def optima_file(self) -> Path:
        return self.folder / "optima.parquet"

    @property
    def rounds_file(self) -> Path:
        return self.folder / "rounds.json"

    @property
    def trust_file(self) -> Path:
        return self.folder / "trust.json"

    @property
    def claims_file(self) -> Path:
        return self.folder / "claims.json"

    @property
    def handmade_file(self) -> Path:
        return self.folder / "handmade.json"

    @property
    def variants_file(self) -> Path:
        return self.folder / "variants.json"

    @property
    def training_state_file(self) -> Path:
        return self.folder / "training-state.safetensors"

    # Measurements

    def table(self) -> MeasurementTable:
        """The measurement table; an empty one where nothing was measured yet."""
        return self._read(self.table_file)

    def optima(self) -> MeasurementTable:
        """Optima of random budgets and what they measured; an empty table without any.

        Beside the targets, `budget` (ms) and `searched_latency`, the column it was held against.
        """
        return self._read(self.optima_file)

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
        path = self.optima_file if optima else self.table_file
        choices = pd.DataFrame([a.to_dict() for a in architectures])
        rows = pd.concat([choices, pd.DataFrame(list(values))], axis=1)
        with self.writing():
            table = self._read(path)
            campaigns = {**table.record.get("campaigns", {}), **(record or {})}
            table = table.with_rows(rows, record={**table.record, "campaigns": campaigns})
            write_atomically(path, to_parquet_bytes(table))
        return table

    def amend(self, change: Callable[[MeasurementTable], MeasurementTable]) -> MeasurementTable:
        """Replace the measurement table by what `change` makes of it; returns the new one.

        Meant for adding to cells that were missing. Safe against other processes that append;
        raises as `change` and `writing`.
        """
        with self.writing():
            table = change(self.table())
            write_atomically(self.table_file, to_parquet_bytes(table))
        return table

    def _read(self, path: Path) -> MeasurementTable:
        return from_parquet(path, self.space) if path.exists() else empty_table(self.space)

    def add_table(self, table: MeasurementTable) -> MeasurementTable:
        """Append a whole table of the same space; raises `InvalidInput` for another space, or
        where one knows the order of blocks and the other does not, and as `writing`."""
        if table.space.fingerprint != self.space.fingerprint:
            raise InvalidInput(
                f"The table is of space {table.space.name!r} ({table.space.fingerprint}), but "
                f"{self.folder} is of {self.space.name!r} ({self.space.fingerprint}); import it "
                "into a new study."
            )
        with self.writing():
            existing = self.table()
            if len(existing.frame):
                if existing.ordered != table.ordered:
                    raise InvalidInput(
                        f"{self.folder} and the table differ in whether the order of blocks in a "
                        "stage is known; import it into a new study."
                    )
                table = existing.with_rows(
                    table.frame.drop(columns="id"), record={**existing.record, **table.record}
                )
            write_atomically(self.table_file, to_parquet_bytes(table))
        return table

    # Weights and images

    def load_checkpoint(self) -> "Checkpoint":
        """The supernet; raises `MissingPart` without one, `InvalidInput` for one of another
        space."""
        from foxnas_core.supernet.checkpoint import load_checkpoint

        if not self.checkpoint_file.exists():
            raise MissingPart(
                f"Study {self.name!r} has no supernet weights ({self.checkpoint_file}), which "
                "measuring and exporting need; train one with 'python -m foxnas_core train', or "
                "bring yours with 'measure --supernet' or 'import-weights'."
            )
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
        content = pack_images({"calibration": calibration, "held_out": held_out})
        with self.writing():
            write_atomically(self.images_file, content)

    def images(self) -> tuple[ImageSet, ImageSet]:
        """Calibration (training) and held-out images; raises `MissingPart` without them."""
        if not self.images_file.exists():
            raise MissingPart(
                f"Study {self.name!r} has no images ({self.images_file}), which measuring and "
                "exporting need; train with 'python -m foxnas_core train', which stores them."
            )
        parts = unpack_images(self.images_file)
        if set(parts) != {"calibration", "held_out"}:
            raise InvalidInput(f"{self.images_file} lacks calibration or held-out images.")
        return parts["calibration"], parts["held_out"]

    # Searches

    def save_search(self, result: SearchResult) -> str:
        """Keep a finished search; returns its id, which equal searches share. Raises as
        `writing`."""
        text = json.dumps(result.to_dict(), sort_keys=True)
        search_id = hashlib.sha256(text.encode()).hexdigest()[:12]
        path = self.folder / "searches" / f"{search_id}.json"
        with self.writing():
            newest = max(map(_changed, path.parent.glob("*.json")), default=0)
            write_atomically(path, text)
            if _changed(path) <= newest:  # the clock was set back
                os.utime(path, ns=(newest + 1000, newest + 1000))
        return search_id

    def search_ids(self) -> list[str]:
        """Ids of the kept searches, the newest first."""
        files = (self.folder / "searches").glob("*.json")
        newest = sorted(files, key=_changed, reverse=True)
        return [f.stem for f in newest if _SEARCH_ID.fullmatch(f.stem)]

    def load_search(self, search_id: str) -> SearchResult:
        """A kept search; raises `MissingPart` for an unknown id, `InvalidInput` for a damaged
        file."""
        path = self._search_file(search_id)
        try:
            return SearchResult.from_dict(_read_json(path))
        except (ValueError, LookupError, TypeError, AttributeError, InvalidInput) as error:
            raise InvalidInput(f"{path} is damaged; delete it and search again.") from error

    def delete_search(self, search_id: str) -> None:
        """Remove a kept search, damaged or not; raises `MissingPart` for an unknown id, and as
        `writing`."""
        path = self._search_file(search_id)
        with self.writing():
            path.unlink(missing_ok=True)  # somebody else was quicker

    def _search_file(self, search_id: str) -> Path:
        # The id may come from an address, so it must never reach the path unchecked.
        if not _SEARCH_ID.fullmatch(search_id):
            raise MissingPart(f"{search_id!r} is no search of study {self.name!r}.")
        path = self.folder / "searches" / f"{search_id}.json"
        if not path.exists():
            raise MissingPart(f"Study {self.name!r} holds no search {search_id!r}.")
        return path

    # Rounds

    def save_rounds(self, record: RoundsRecord) -> None:
        with self.writing():
            write_atomically(self.rounds_file, json.dumps(record.to_dict(), indent=1) + "\n")

    def rounds(self) -> RoundsRecord | None:
        """The rounds of search and measurement; None before the first is planned.

        Raises `InvalidInput` for a damaged file, or one of another space.
        """
        if not self.rounds_file.exists():
            return None
        try:
            record = RoundsRecord.from_dict(_read_json(self.rounds_file))
        except (ValueError, LookupError, TypeError, AttributeError, InvalidInput) as error:
            raise InvalidInput(
                f"{self.rounds_file} is damaged; restore it, or move it away to begin anew."
            ) from error
        finds = [find for done in record.rounds for find in done.finds]
        if not all(self.space.is_member(find.architecture) for find in finds):
            raise InvalidInput(
                f"{self.rounds_file} holds subnets of another space than {self.space.name!r}; "
                "use it with the study it belongs to."
            )
        return record

    # Trust

    def trust(self) -> TrustRecord | None:
        """The subnets that were trained alone; None before the first.

        Raises `InvalidInput` for a damaged file, or one of another space.
        """
        if not self.trust_file.exists():
            return None
        try:
            record = TrustRecord.from_dict(_read_json(self.trust_file))
        except (ValueError, LookupError, TypeError, AttributeError, InvalidInput) as error:
            raise InvalidInput(
                f"{self.trust_file} is damaged; restore it, or move it away to begin anew."
            ) from error
        if not all(self.space.is_member(pair.architecture) for pair in record.pairs):
            raise InvalidInput(
                f"{self.trust_file} holds subnets of another space than {self.space.name!r}; "
                "use it with the study it belongs to."
            )
        return record

    def add_trust_pair(self, begun: TrustRecord, pair: TrustPair) -> TrustRecord:
        """Keep a pair beside those there are; returns them all. Safe against other processes.

        Raises `InvalidInput` where those there are differ from `begun` in more than pairs.
        """
        with self.writing():
            record = self.trust() or begun
            check_continues(record, begun)
            if pair.architecture.id not in record.ids:
                record = replace(record, pairs=(*record.pairs, pair))
            write_atomically(self.trust_file, json.dumps(record.to_dict(), indent=1) + "\n")
        return record

    @contextmanager
    def claim_trust(self, architecture_id: str) -> Iterator[Path | None]:
        """Where the training of one subnet keeps its state, for as long as this process has it;
        None where another one does. A process that ends, however it ends, gives it back."""
        folder = self.folder / "trust"
        with writing(folder):
            folder.mkdir(exist_ok=True)
        marker = folder / f"{architecture_id}.lock"
        with claim(marker) as ours:
            if not ours:
                yield None
                return
            yield folder / architecture_id
            record = self.trust()
            if record and architecture_id in record.ids:
                # Removed while it is held: who waited for it finds the pair done.
                marker.unlink(missing_ok=True)

    # Claims

    def trials(self) -> tuple[Trial, ...]:
        """What was claimed and, where it was measured, how that came out, the oldest first.

        Raises `InvalidInput` for a damaged file, or one of another space.
        """
        if not self.claims_file.exists():
            return ()
        try:
            document = _read_json(self.claims_file)
            if document["format"] != 1:
                raise ValueError(f"format {document['format']}")
            found = tuple(Trial.from_dict(trial) for trial in document["trials"])
        except (ValueError, LookupError, TypeError, AttributeError, InvalidInput) as error:
            raise InvalidInput(
                f"{self.claims_file} is damaged; restore it, or move it away to begin anew."
            ) from error
        if not all(self.space.is_member(a) for trial in found for a in trial.subnets):
            raise InvalidInput(
                f"{self.claims_file} holds subnets of another space than {self.space.name!r}; "
                "use it with the study it belongs to."
            )
        return found

    def current_trials(self) -> list[Trial]:
        """Those of the weights that the study has now, or all where it has none; raises as
        `trials`."""
        found = list(self.trials())
        if found and self.checkpoint_file.exists():
            weights = file_hash(self.checkpoint_file)
            return [trial for trial in found if trial.parents["checkpoint"] == weights]
        return found

    def add_trials(self, stated: Sequence[Trial]) -> None:
        """Keep claims before they are measured; one whose id is there already stays as it is.

        Safe against other processes; raises as `trials` and `writing`.
        """
        with self.writing():
            known = self.trials()
            ids = {trial.id for trial in known}
            self._write_trials([*known, *(trial for trial in stated if trial.id not in ids)])

    def settle_trial(self, settled: Trial) -> Trial:
        """Keep a measured trial in the place of its claims; returns the one that is kept.

        The first verdict on a claim stands. Safe against other processes; raises as `add_trials`.
        """
        with self.writing():
            known = {trial.id: trial for trial in self.trials()}
            earlier = known.get(settled.id)
            if earlier is not None and earlier.done:
                return earlier
            known[settled.id] = settled
            self._write_trials(list(known.values()))
        return settled

    def _write_trials(self, trials: Sequence[Trial]) -> None:
        document = {"format": 1, "trials": [trial.to_dict() for trial in trials]}
        write_atomically(self.claims_file, json.dumps(document, indent=1, allow_nan=False) + "\n")

    # Networks designed by hand

    def handmade(self) -> HandmadeRecord | None:
        """The networks designed by hand beside searched ones; None before the first run.

        Raises `InvalidInput` for a damaged file, or one of another space.
        """
        if not self.handmade_file.exists():
            return None
        try:
            record = HandmadeRecord.from_dict(_read_json(self.handmade_file))
        except (ValueError, LookupError, TypeError, AttributeError, InvalidInput) as error:
            raise InvalidInput(
                f"{self.handmade_file} is damaged; restore it, or move it away to begin anew."
            ) from error
        searched = [c.architecture for c in record.contenders if c.architecture is not None]
        if not all(self.space.is_member(architecture) for architecture in searched):
            raise InvalidInput(
                f"{self.handmade_file} holds subnets of another space than {self.space.name!r}; "
                "use it with the study it belongs to."
            )
        return record

    def save_handmade(self, record: HandmadeRecord) -> None:
        with self.writing():
            write_atomically(self.handmade_file, json.dumps(record.to_dict(), indent=1) + "\n")

    @contextmanager
    def claim_handmade(self) -> Iterator[Path]:
        """The folder that trainings keep their state in, for as long as this process has it;
        raises `InvalidInput` where another one does."""
        folder = self.folder / "handmade"
        with writing(folder):
            folder.mkdir(exist_ok=True)
        with claim(folder / ".lock") as ours:
            if not ours:
                raise InvalidInput(
                    f"Another process trains the networks of {self.folder} already; wait until it "
                    "ends."
                )
            yield folder

    # Variants

    def variants(self) -> tuple[Variant, ...]:
        """Architectures that were given names, the oldest first.

        Raises `InvalidInput` for a damaged file, or one of another space.
        """
        if not self.variants_file.exists():
            return ()
        try:
            return variants_from_dict(_read_json(self.variants_file), self.space)
        except (ValueError, LookupError, TypeError, AttributeError, InvalidInput) as error:
            raise InvalidInput(
                f"{self.variants_file} is damaged or of another space; restore it, or move it "
                "away to begin anew."
            ) from error

    def save_variant(self, name: str, architecture: Architecture) -> None:
        """Keep an architecture under a name. Safe against other processes.

        Raises as `with_variant` and `writing`.
        """
        self._change_variants(lambda variants: with_variant(variants, name, architecture))

    def delete_variant(self, name: str) -> None:
        """Forget a variant; raises `MissingPart` where none has the name, and as `writing`."""
        self._change_variants(lambda variants: without_variant(variants, name))

    def _change_variants(
        self, change: Callable[[tuple[Variant, ...]], tuple[Variant, ...]]
    ) -> None:
        with self.writing():
            document = variants_to_dict(change(self.variants()))
            write_atomically(self.variants_file, json.dumps(document, indent=1) + "\n")

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
                if match and match["name"] in PARTS:
                    path.unlink(missing_ok=True)
        with in_use(self.folder):
            yield

    def parts(self) -> dict[str, Path]:
        """The files there are, by the names they have in any study; searches oldest first."""
        found = {name: self.folder / name for name in PARTS if (self.folder / name).exists()}
        ids = reversed(self.search_ids())
        return found | {f"searches/{i}.json": self.folder / "searches" / f"{i}.json" for i in ids}

    @contextmanager
    def opened_parts(self) -> Iterator[Mapping[str, BinaryIO]]:
        """The files of `parts`, open, as they were all at one moment, whoever writes meanwhile.

        Raises `MissingPart` where the study is gone.
        """
        for _ in range(100):
            with ExitStack() as stack:
                try:
                    paths = self.parts()
                    files = {n: stack.enter_context(p.open("rb")) for n, p in paths.items()}
                    # A file is never changed, but another put in its place.
                    whole = self.parts() == paths and all(
                        os.path.samestat(os.fstat(files[n].fileno()), p.stat())
                        for n, p in paths.items()
                    )
                except FileNotFoundError:
                    continue
                if MARK not in files:
                    break
                if whole:
                    yield files
                    return
        raise MissingPart(f"There is no study at {self.folder} that holds still; try again.")

    def describe(self, *, name: str, description: str, goals: Goals | None = None) -> None:
        """Change the name that is shown, the description and, where given, the goals.

        Raises `InvalidInput` where one is too long or no plain text, and as `writing`.
        """
        check_description(name, description)
        path = self.folder / "study.json"
        with self.writing():
            about = _about(self.folder) | {"format": 1, "name": name, "description": description}
            if goals is not None:
                about = {k: v for k, v in about.items() if k not in NAMES} | goals.to_dict()
            write_atomically(path, json.dumps(about, indent=2) + "\n")


def open_study(folder: Path) -> Study:
    """The study in `folder`; raises `MissingPart` or `InvalidInput` naming the file at fault."""
    if not (folder / MARK).exists():
        raise MissingPart(
            f"There is no study at {folder} (no space.json); create one with 'python -m "
            "foxnas_core train' or 'import', or name another folder."
        )
    space = read_space(folder / MARK)
    about = _about(folder)
    name = str(about.get("name", folder.name))
    try:
        goals = Goals.from_dict(about)
    except InvalidInput as error:
        raise InvalidInput(f"{folder / 'study.json'}: {error}") from error
    return Study(folder, name, str(about.get("description", "")), space, goals=goals)


def create_study(
    folder: Path,
    space: SearchSpace,
    *,
    name: str,
    description: str = "",
    table: MeasurementTable | None = None,
    goals: Goals = NO_GOALS,
) -> Study:
    """A new study, with the rows of `table` where given.

    Raises `InvalidInput` where `folder` holds a study already, or where it can't be written, in
    which case nothing is left behind.
    """
    study = Study(folder, name, description, space, goals=goals)
    taken = f"{folder} holds a study already; name a new folder."
    if (folder / MARK).exists():
        raise InvalidInput(taken)
    about = {"format": 1, "name": name, "description": description} | goals.to_dict()
    written: list[Path] = []

    def write(path: Path, content: bytes | str) -> None:
        write_atomically(path, content)
        written.append(path)

    with writing(folder):
        is_new = not folder.exists()
        if is_new:
            try:
                folder.mkdir(parents=True)
            except FileExistsError as error:  # somebody else was quicker
                raise InvalidInput(taken) from error
        try:
            if table is not None:
                write(study.table_file, to_parquet_bytes(table))
            write(folder / "study.json", json.dumps(about, indent=2) + "\n")
            # The last: it is what makes a folder a study.
            write(folder / MARK, json.dumps(space.to_dict(), indent=2) + "\n")
        except BaseException:
            for path in written:
                path.unlink(missing_ok=True)
            if is_new:
                folder.rmdir()
            raise
    return study


def new_study_folder(parent: Path, name: str) -> Path:
    """The folder of a study that is to be created in `parent` under a name that somebody typed.

    Raises `InvalidInput` where the name is not a plain one, or taken.
    """
    if not _STUDY_NAME.fullmatch(name):
        raise InvalidInput(
            f"{name!r} can't name a study; take 1 to 64 letters, digits, hyphens and underscores, "
            "a letter or digit first."
        )
    if _RESERVED.fullmatch(name):
        raise InvalidInput(f"{name!r} is a device's name on Windows; take another name.")
    # Where capitals do not count, two folders can't differ in them alone.
    if name.lower() in (path.name.lower() for path in parent.glob("*")):
        raise InvalidInput(f"There is a {name!r} in {parent} already; take another name.")
    return parent / name


def list_studies(folder: Path) -> list[Path]:
    """Folders directly below `folder` that hold a study, by name; hidden ones do not count."""
    found = (path.parent for path in folder.glob(f"*/{MARK}"))
    return sorted(path for path in found if not path.name.startswith("."))


def check_description(name: Any, description: Any) -> None:
    """Raises `InvalidInput` where they can't be a study's shown name and description."""
    for text, what, most in (
        (name, "name", _MOST_TITLE), (description, "description", _MOST_DESCRIPTION)
    ):  # fmt: skip
        if not isinstance(text, str) or len(text) > most or not _is_plain(text):
            raise InvalidInput(
                f"A study's {what} must be text of at most {most:,} characters, without control "
                "characters."
            )
    if not name.strip() or "\n" in name:
        raise InvalidInput("A study's name must be one line of text; give it a name.")


def check_parts(study: Study) -> None:
    """Read whatever the study has, as the pages will, without its weights and pictures themselves.

    Raises `InvalidInput` naming the file that is damaged, of another space or too large.
    """
    from foxnas_core.supernet.header import checkpoint_space

    try:
        about = _about(study.folder)
        check_description(about.get("name", study.name), about.get("description", ""))
        for path in (study.table_file, study.optima_file):
            if path.exists():
                check_bounds(path)
                from_parquet(path, study.space)
        study.rounds()
        study.trust()
        study.trials()
        study.variants()
        study.handmade()
        for search_id in study.search_ids():
            study.load_search(search_id)
        if study.images_file.exists():
            check_packed(study.images_file, {"calibration", "held_out"})
        if study.checkpoint_file.exists():
            own = checkpoint_space(study.checkpoint_file)
            if own.fingerprint != study.space.fingerprint:
                raise InvalidInput(
                    f"{study.checkpoint_file} was trained on space {own.name!r} "
                    f"({own.fingerprint}), not on {study.space.name!r} "
                    f"({study.space.fingerprint}); use the checkpoint of this study."
                )
    except FoxnasError:
        raise
    except Exception as error:  # what somebody wrote to break a reader
        raise InvalidInput(f"{study.folder} is damaged; make the file again.") from error


def read_space(path: Path) -> SearchSpace:
    """A search space file; raises `InvalidInput` naming the file and the field."""
    return parse_space(str(path), _content(path))


# Spaces are values that nothing changes, and whoever opens a study again shares the one there is.
@lru_cache(maxsize=64)
def parse_space(source: str, content: bytes) -> SearchSpace:
    """A search space from the bytes of its file, which errors call `source`."""
    document = _parsed_json(source, content)
    try:
        return space_from_dict(document)
    except InvalidInput as error:
        raise InvalidInput(f"{source}: {error}") from error


def read_architecture(path: Path, space: SearchSpace) -> Architecture:
    """An architecture file: one JSON object of choices, or one with them under "architecture".

    Raises `InvalidInput` naming the file and the decision.
    """
    document = _read_json(path)
    try:
        return architecture_from_document(space, document)
    except InvalidInput as error:
        raise InvalidInput(f"{path}: {error}") from error


def file_hash(path: Path) -> str:
    """Twelve hexadecimal digits of the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def _about(folder: Path) -> dict[str, Any]:
    path = folder / "study.json"
    about = _read_json(path) if path.exists() else {}
    if not isinstance(about, dict):
        raise InvalidInput(f"{path} must be a JSON object.")
    return about


def _is_plain(text: str) -> bool:
    return all(sign == "\n" or unicodedata.category(sign)[0] != "C" for sign in text)


def _changed(path: Path) -> int:
    """When the file was last changed (ns); 0 where somebody else removed it."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _read_json(path: Path) -> Any:
    return _parsed_json(str(path), _content(path))


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise MissingPart(f"{path} can't be read; check that it exists.") from error


def _parsed_json(source: str, content: bytes) -> Any:
    try:
        return parse_json(content)
    except ValueError as error:
        raise InvalidInput(f"{source} is no valid JSON ({error}); restore or mend it.") from error
