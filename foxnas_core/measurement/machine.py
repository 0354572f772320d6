"""What the system tells of, and lets one set on, the processor that timings run on."""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PROCESSORS = Path("/sys/devices/system/cpu")


@contextmanager
def one_core() -> Iterator[bool | None]:
    """Hold the calling thread to the core it is on, and let it go where it was allowed before.

    Gives whether that worked, or None on a system that knows no such thing. The scheduler has put
    a running thread where there was room, so its choice is kept rather than one of ours.
    """
    if not hasattr(os, "sched_setaffinity"):
        yield None
        return
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {_current_core()})
    except OSError:
        yield False
        return
    try:
        yield True
    finally:
        os.sched_setaffinity(0, allowed)


def governor(processors: Path = _PROCESSORS) -> str | None:
    """What governs the clock of the current core; None where the system does not tell."""
    return _told(processors, "scaling_governor")


def clock_mhz(processors: Path = _PROCESSORS) -> float | None:
    """The current core's clock in MHz; None where the system does not tell."""
    told = _told(processors, "scaling_cur_freq")
    return float(told) / 1000 if told is not None and told.isdigit() else None


def _told(processors: Path, name: str) -> str | None:
    with suppress(OSError):
        return (processors / f"cpu{_current_core()}" / "cpufreq" / name).read_text().strip()
    return None


def _current_core() -> int:
    with suppress(AttributeError, OSError):
        return int(ctypes.CDLL(None).sched_getcpu())
    return 0
