"""Studies that come into a folder whole or not at all."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from foxnas_core.errors import InvalidInput
from foxnas_core.study import new_study_folder
from foxnas_core.study.locks import claim, writing

_NEW = ".new-"
CHUNK = 1 << 20


@contextmanager
def new_folder(studies: Path, name: str) -> Iterator[Path]:
    """A hidden folder to fill, which then becomes the study `name`, or leaves no trace.

    Raises as `new_study_folder` and `writing`.
    """
    target = new_study_folder(studies, name)
    with writing(studies):
        studies.mkdir(parents=True, exist_ok=True)
        _sweep(studies)
        with tempfile.NamedTemporaryFile(dir=studies, prefix=_NEW, suffix=".lock") as marker:
            folder = Path(marker.name).with_suffix("")
            # Held before the folder is made, so that nobody sweeps what is being filled.
            with claim(Path(marker.name)):
                try:
                    folder.mkdir()
                    yield folder
                    place(folder, new_study_folder(studies, target.name))
                except BaseException:
                    shutil.rmtree(folder, ignore_errors=True)
                    raise


def place(folder: Path, target: Path) -> None:
    """Move a study to where nothing is; raises `InvalidInput` where something came meanwhile."""
    try:
        target.mkdir()
    except FileExistsError as error:
        raise InvalidInput(
            f"There is a {target.name!r} in {target.parent} already; take another name."
        ) from error
    try:
        folder.replace(target)  # an empty folder gives way
    except BaseException:
        with suppress(OSError):
            target.rmdir()
        raise


def fill(path: Path, read: Callable[[int], bytes]) -> None:
    """Write what `read` gives, piece by piece, to a new file."""
    path.parent.mkdir(exist_ok=True)
    with path.open("xb") as file:
        while piece := read(CHUNK):
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())


def _sweep(studies: Path) -> None:
    """Remove what killed processes left half filled."""
    for folder in studies.glob(f"{_NEW}*"):
        if folder.suffix == ".lock":
            continue
        marker = folder.with_suffix(".lock")
        with claim(marker) as ours:
            if ours:
                shutil.rmtree(folder, ignore_errors=True)
                marker.unlink(missing_ok=True)
