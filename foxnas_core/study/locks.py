"""Who may write a study, and when: read-only mode, locks, and what the system has against it.

The locks are the operating system's, so that one of a killed process is free at once.
"""

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from foxnas_core.errors import FULL, NotWritable

# The file that makes a folder a study.
MARK = "space.json"
_LOCK = ".lock"
_USERS = ".in-use"
_PATIENCE = 120.0  # seconds to wait for another process's write
_SHORT = 2.0  # the same, where somebody waits for the answer


def is_read_only() -> bool:
    """Whether FOXNAS_READ_ONLY says that no study may be changed."""
    return os.environ.get("FOXNAS_READ_ONLY", "").strip().lower() not in ("", "0", "false", "no")


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Whatever writes in `folder`, or makes it, does so in here.

    Raises `NotWritable` in read-only mode, and instead of what the system raises.
    """
    if is_read_only():
        raise NotWritable(
            "This studio is read-only (FOXNAS_READ_ONLY), so nothing is changed here; run one of "
            "your own to do that."
        )
    try:
        yield
    except OSError as error:
        raise _not_writable(folder, error) from error


@contextmanager
def holding(folder: Path, patience: float = _PATIENCE) -> Iterator[None]:
    """Nobody else writes the study in `folder` meanwhile, and it is there.

    Raises `NotWritable` where it was renamed or deleted, or is held by another process for
    `patience` seconds, and as `writing`.
    """
    with writing(folder):
        lock = _acquired(folder, patience)
        try:
            yield
        finally:
            lock.release()


@contextmanager
def in_use(folder: Path) -> Iterator[None]:
    """Keep the study where it is for as long as this lasts; others may write to it as well.

    For what writes again and again, such as a campaign. Raises as `holding`.
    """
    with holding(folder):
        (folder / _USERS).mkdir(exist_ok=True)
        _sweep(folder)
        own = FileLock(folder / _USERS / f"{secrets.token_hex(8)}.lock")
        own.acquire()
    try:
        yield
    except OSError as error:
        if error.errno in FULL:  # met where a training keeps its state
            raise _not_writable(folder, error) from error
        raise
    finally:
        # Removed while it is held, so that nobody takes it for one that is left over.
        with suppress(OSError):
            Path(own.lock_file).unlink()
        own.release()


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Nobody else uses the study meanwhile, so that it may be moved.

    Raises `NotWritable` where somebody does, and as `holding`.
    """
    with holding(folder, _SHORT):
        if not _sweep(folder):
            raise NotWritable(
                f"{folder} is being written to by a campaign or a training; wait until it has "
                "ended, or stop it, and do this again."
            )
        yield


def _sweep(folder: Path) -> bool:
    """Remove the markers that killed users left in a study that is held; whether no others are."""
    nobody = True
    for marker in _markers(folder):
        with claim(marker) as left_over:
            if left_over:
                marker.unlink(missing_ok=True)
            nobody &= left_over
    return nobody


def is_in_use(folder: Path) -> bool:
    """Whether a campaign or a training is under way in the study."""
    for marker in _markers(folder):
        # Of a marker of somebody else's nothing can be told.
        with suppress(OSError), claim(marker) as left_over:
            if not left_over:
                return True
    return False


@contextmanager
def claim(marker: Path) -> Iterator[bool]:
    """Whether `marker` is this process's own for as long as this lasts, or another's."""
    lock = FileLock(marker, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def _not_writable(folder: Path, error: OSError) -> NotWritable:
    mend = "allow this user to write there, or take another folder"
    if error.errno in FULL:
        mend = "free some space there and do it again; what was there is unchanged"
    return NotWritable(f"{folder} can't be written ({error.strerror or error}); {mend}.")


def _markers(folder: Path) -> list[Path]:
    return sorted((folder / _USERS).glob("*.lock"))


def _acquired(folder: Path, patience: float) -> FileLock:
    """The held lock of the study that is at `folder` now."""
    last = time.monotonic() + patience
    gone = NotWritable(
        f"There is no study at {folder} any more: it was renamed or deleted meanwhile; open it "
        "where it is now, or restore it."
    )
    while True:
        if not (folder / MARK).exists():  # else the lock would make the folder anew
            raise gone
        held: list[os.stat_result] = []
        lock = FileLock(
            folder / _LOCK,
            timeout=max(0.0, last - time.monotonic()),
            on_acquired=lambda handle, held=held: held.append(os.fstat(handle)),  # type: ignore[misc]
        )
        try:
            lock.acquire()
        except Timeout as error:
            raise NotWritable(
                f"{folder} is being written by another process; try again in a moment."
            ) from error
        except FileNotFoundError:  # it moved while this waited
            continue
        # The study may have moved while this waited, and another one taken its place.
        with suppress(OSError):
            if os.path.samestat(held[-1], (folder / _LOCK).stat()) and (folder / MARK).exists():
                return lock
        lock.release()
