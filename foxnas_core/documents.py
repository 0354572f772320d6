"""JSON that somebody else may have written: what is no plain value of the kind that belongs there
is a `ValueError`, which readers turn into a sentence that names the file."""

import json
import math
from typing import Any

_MOST_TEXT = 10_000
_MOST_WHOLE = 1 << 62
_MOST_LEVELS = 50


def parse_json(content: bytes | str) -> Any:
    """A JSON document; raises `ValueError` for what is none, nests too deeply, holds a number that
    is not finite, or half of a character, which passes for text until something is to be shown."""
    try:
        document = json.loads(content, parse_constant=_refused, parse_float=_finite)
        escaped = b"\\u" in content if isinstance(content, bytes) else "\\u" in content
        if escaped or isinstance(content, str):
            json.dumps(document, ensure_ascii=False).encode()
    except RecursionError as error:
        raise ValueError("it nests too deeply") from error
    except UnicodeError as error:
        raise ValueError("it is no valid UTF-8 text") from error
    return document


def number(value: Any) -> float:
    """A finite number; raises `ValueError` for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{value!r:.40} is no number")
    try:
        found = float(value)
    except OverflowError:
        found = math.inf
    if not math.isfinite(found):
        raise ValueError(f"{value!r:.40} is not finite")
    return value if found == value else found


def whole(value: Any) -> int:
    """A whole number that any column keeps; raises `ValueError` for anything else."""
    if type(value) is not int or abs(value) > _MOST_WHOLE:
        raise ValueError(f"{value!r:.40} is no whole number")
    return value


def truth(value: Any) -> bool:
    """True or false; raises `ValueError` for anything else."""
    if not isinstance(value, bool):
        raise ValueError(f"{value!r:.80} is neither true nor false")
    return value


def text(value: Any) -> str:
    """A text of at most some thousand characters; raises `ValueError` for anything else."""
    if not isinstance(value, str):
        raise ValueError(f"{value!r:.40} is no text")
    if len(value) > _MOST_TEXT:
        raise ValueError(f"{value[:40]!r}… is a text of more than {_MOST_TEXT:,} characters")
    return value


def anything(value: Any, levels: int = _MOST_LEVELS) -> Any:
    """Whatever JSON holds, unless it nests so deeply that nobody could write it again, which is a
    `ValueError`."""
    if isinstance(value, dict | list):
        if not levels:
            raise ValueError("it nests too deeply")
        for each in value.values() if isinstance(value, dict) else value:
            anything(each, levels - 1)
    return value


def choices(pairs: Any) -> dict[str, int | float | str]:
    """An architecture's choices, from pairs of a decision and its choice; raises `ValueError` for
    anything else."""
    return {text(name): choice(value) for name, value in pairs}


def choice(value: Any) -> int | float | str:
    """One of a decision's choices: a text, or a number, whole where it is; true and false are those
    words. Raises `ValueError` for anything else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return text(value)
    if isinstance(value, float) and not number(value).is_integer():
        return value
    return whole(int(value) if isinstance(value, float) else value)


def _finite(digits: str) -> float:
    return number(float(digits))


def _refused(constant: str) -> float:
    raise ValueError(f"{constant} is no number")
