"""How the sessions of this process share its interpreter, of which one at a time has hold."""

import gc
import sys
import time

from pages.shared import choices

# Seconds after which a thread that computes lets others go on. With Python's own 5 ms, each of the
# dozens of messages that a page is sent in waits as long wherever another page computes.
SWITCH = 0.0005
# Modules since the last look from which on another is worth while.
_MANY = 50
_MOST = 10.0

_seen = 0


def begin() -> None:
    """Begin a page."""
    sys.setswitchinterval(SWITCH)
    choices.remember("begun", (time.monotonic(), time.thread_time()))


def end() -> None:
    """End a page: what was imported for it stays, so no later collection looks through it, which
    would hold up every session for some tenths of a second."""
    global _seen
    if len(sys.modules) - _seen >= _MANY:
        _seen = len(sys.modules)
        gc.collect()
        gc.freeze()


def slowdown() -> float:
    """How many times as long as alone this page has taken so far, from 1 to 10."""
    wall, own = choices.remembered("begun")
    worked = time.thread_time() - own
    return min(max(1.0, (time.monotonic() - wall) / worked), _MOST) if worked > 0 else 1.0
