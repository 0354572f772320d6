"""Pickles of plain data that somebody else made, as some benchmarks are published.

A pickle is a program. This one is read by a process of its own (`reader`), which can build
containers, text, numbers and NumPy arrays of numbers, is held to some memory and time, and refuses
whatever else a pickle asks for.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from foxnas_core.errors import InvalidInput

MEMORY = 2 << 30  # bytes
SECONDS = 120
_MOST_BYTES = 512 << 20
_MOST_NAME = 80
_MEND = "give the table as CSV or parquet instead"


def read_pickle(
    source: str, content: bytes, *, memory: int = MEMORY, seconds: int = SECONDS
) -> Any:
    """What a pickle holds: dicts with names as text, lists (arrays and tuples too), text, numbers,
    None.

    Raises `InvalidInput`, calling the file `source`, for anything else; nothing of it was run.
    """
    if len(content) > _MOST_BYTES:
        raise InvalidInput(
            f"{source} has {len(content) >> 20} MB, more than the {_MOST_BYTES >> 20} MB of a "
            f"pickle that is read; {_MEND}."
        )
    reader = str(Path(__file__).with_name("reader.py"))
    command = [sys.executable, "-I", "-S", reader, str(memory), str(seconds)]
    try:
        done = subprocess.run(
            command, input=content, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            timeout=2 * seconds,
        )  # fmt: skip
        told = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError) as error:
        raise InvalidInput(
            f"{source} could not be read as a pickle within {seconds} s and {memory >> 20} MB; it "
            f"is no table of numbers, or damaged: {_MEND}."
        ) from error
    if "refused" in told:
        raise InvalidInput(
            f"{source} is a pickle that asks for {_plain(told['refused'])}, which is no container, "
            f"text, number or array of numbers; none of it was run. If you trust it, {_MEND}."
        )
    if "broken" in told:
        raise InvalidInput(
            f"{source} can't be read as a pickle of plain data ({_plain(told['broken'])}); {_MEND}."
        )
    return told["found"]


def _plain(said: str) -> str:
    """What the file says, as it may stand in a sentence."""
    shown = "".join(sign if sign.isprintable() else "?" for sign in said)
    return shown if len(shown) <= _MOST_NAME else f"{shown[:_MOST_NAME]}…"
