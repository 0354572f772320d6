"""The files that a study is made of, which are taken along where it is copied, packed or checked.

What trainings go on from is none of them, nor what locks.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.records import CollectionKind, RecordKind
from foxnas_core.study.locks import MARK
from foxnas_core.study.siblings import IMAGES, shared_images
from foxnas_core.study.variants import VARIANTS
from foxnas_core.table.measurements import MeasurementTable

_KB, _MB = 1 << 10, 1 << 20
MIXTURE = "mixture.safetensors"
_ID = re.compile(r"[0-9a-f]{12}")
FILES: dict[str, tuple[str, int]] = {
    "study.json": ("name and description, and what it is about (see `goals`)", 64 * _KB),
    "space.json": ("the search space", 4 * _MB),
    "supernet.safetensors": ("the checkpoint (optional)", 1024 * _MB),
    MIXTURE: ("the checkpoint of a mixture to select by, beside another supernet", 1024 * _MB),
    IMAGES: ("calibration and held-out images (optional)", 1024 * _MB),
    "measurements.parquet": ("the measurement table (optional)", 256 * _MB),
    "optima.parquet": ("measured optima, which no fit reads (optional)", 64 * _MB),
    "blocks.parquet": ("measured blocks, of which networks are chains (optional)", 64 * _MB),
}
"""What each file beside the records is, and its most bytes where it comes from elsewhere."""
STATE = {
    "trust/, handmade/, judged/": "what trainings under way go on from after a kill",
    "select/": "what selections by the supernet under way go on from after a kill",
    ".fits/": "fits kept between runs, see `steps.kept_fits`; no export packs them",
    ".models/": "models that runtimes converted, until a benchmark has measured them",
    ".lock, .in-use/": "who writes, see `study.locks`",
}
"""What else a study's folder holds, which is not taken along where it is copied or packed."""


def kinds() -> tuple[RecordKind[Any], ...]:
    """The records that a study may have one of."""
    from foxnas_core.evidence.handmade.record import HANDMADE
    from foxnas_core.evidence.judged import JUDGED
    from foxnas_core.evidence.trust.alone_networks import ALONE
    from foxnas_core.evidence.trust.pairs import TRUST
    from foxnas_core.evidence.verification.claims import CLAIMS
    from foxnas_core.search.rounds.record import ROUNDS
    from foxnas_core.tasks.domain_split import DOMAINS

    return (ROUNDS, TRUST, ALONE, CLAIMS, VARIANTS, HANDMADE, JUDGED, DOMAINS)


def collections() -> tuple[CollectionKind[Any], ...]:
    """The records that a study may have many of."""
    from foxnas_core.search.result import SEARCHES
    from foxnas_core.search.selections import SELECTIONS

    return (SEARCHES, SELECTIONS)


def file_limits() -> dict[str, int]:
    """The files that there may be one of, with their most bytes."""
    return {name: most for name, (_, most) in FILES.items()} | {k.file: k.most for k in kinds()}


def collection_of(name: str) -> CollectionKind[Any] | None:
    """The collection that a file of this name in a study belongs to."""
    folder, _, file = name.partition("/")
    is_one = file.endswith(".json") and is_id(file.removesuffix(".json"))
    return next((kind for kind in collections() if is_one and kind.file == folder), None)


def part_limit(name: str) -> int | None:
    """The most bytes of the file that a study calls so; None where it has no such file."""
    kind = collection_of(name)
    return kind.most if kind else file_limits().get(name)


def is_id(text: str) -> bool:
    """Whether a record of a collection may be called so."""
    return _ID.fullmatch(text) is not None


def ids_in(folder: Path) -> list[str]:
    """The ids of a collection's records, the newest first."""
    newest = sorted(folder.glob("*.json"), key=changed, reverse=True)
    return [file.stem for file in newest if is_id(file.stem)]


def changed(path: Path) -> int:
    """When the file was last changed (ns); 0 where somebody else removed it."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def parts_of(folder: Path) -> dict[str, Path]:
    """The files there are, by the names they have in any study, shared images included; of
    collections the oldest first."""
    found = {name: folder / name for name in file_limits() if (folder / name).exists()}
    if IMAGES not in found and (shared := shared_images(folder)):
        found[IMAGES] = shared
    for kind in collections():
        names = [f"{kind.file}/{i}.json" for i in reversed(ids_in(folder / kind.file))]
        found |= {name: folder / name for name in names}
    return found


def check_regular(paths: Iterable[Path]) -> None:
    """Raises `InvalidInput` for a part that is a link, which may lead anywhere, or no file."""
    for path in paths:
        if path.is_symlink() or (path.exists() and not path.is_file()):
            raise InvalidInput(
                f"{path} is a link or no regular file, which no study reads; put the file itself "
                "in its place."
            )


@contextmanager
def opened_parts(folder: Path) -> Iterator[Mapping[str, BinaryIO]]:
    """The files of `parts_of`, open, as they were all at one moment, whoever writes meanwhile.

    Raises `MissingPart` where the study is gone, `InvalidInput` where one is a link.
    """
    for _ in range(100):
        with ExitStack() as stack:
            try:
                paths = parts_of(folder)
                check_regular(paths.values())
                files = {n: stack.enter_context(p.open("rb")) for n, p in paths.items()}
                # A file is never changed, but another put in its place.
                whole = parts_of(folder) == paths and all(
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
    raise MissingPart(f"There is no study at {folder} that holds still; try again.")


def checked_optima(path: Path, table: MeasurementTable) -> MeasurementTable:
    """A table of optima; raises `InvalidInput` where its rows are others."""
    if len(table) and "budget" not in table.frame:
        raise InvalidInput(
            f"{path} has no column 'budget', so its rows are no measured optima; move it away, and "
            "measure some with 'calibrate'."
        )
    return table
