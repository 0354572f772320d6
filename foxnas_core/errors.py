"""Errors whose message is one sentence a user can act on."""

import errno
import unicodedata

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""What a system says where nothing more can be written."""

# Of a longer message the middle is left out: what is wrong stands first, how to mend it last.
_MOST, _END = 380, 120


class FoxnasError(Exception):
    """Base of every error whose message is meant for a user.

    The message says in one sentence what is wrong, where, and how to mend it. The command line
    prints it and exits with status 2; a page shows it as a card. Whatever the message quotes, it
    is one line of some hundred characters that can be shown anywhere.
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(_one_line(message))


class InvalidInput(FoxnasError):
    """A file, table, architecture or option of the user's can't be used as it is."""


class NotWritable(InvalidInput):
    """A study can't be changed: by this process, now, or where it lies."""


class MissingPart(FoxnasError):
    """A study lacks the part (weights, images, rows) that was asked for."""


class Collapsed(FoxnasError):
    """A run ended where nothing can be told from it, and can't be gone on with."""


class InfeasibleBudget(FoxnasError):
    """No architecture of the space meets the limits.

    ``column`` is the target whose limit must give way, and ``smallest`` the nearest value that can
    be reached with the other limits held, in that target's unit: the least, or for a floor the
    greatest.
    """

    def __init__(self, message: str, *, smallest: float, column: str = "") -> None:
        super().__init__(message)
        self.smallest, self.column = smallest, column


def sentence_of(error: BaseException) -> str:
    """What a user can act on: an error's own sentence, or that of a full disk, wherever it is met;
    "" for what should not happen."""
    if isinstance(error, FoxnasError):
        return str(error)
    if isinstance(error, OSError) and error.errno in FULL:
        return str(
            NotWritable(
                f"{error.filename or 'A temporary file'} can't be written ({error.strerror}); free "
                "some space there and do it again, or set TMPDIR to a folder that has some."
            )
        )
    return ""


def _one_line(message: str) -> str:
    message = _short(message)
    if message.isprintable():
        return message
    return _short("".join(map(_shown, message.replace("\n", " "))))


def _shown(sign: str) -> str:
    """Blanks of any width as one; control characters, halves of characters, and what turns the
    direction of writing, by their numbers."""
    match unicodedata.category(sign)[0]:
        case "Z":
            return " "
        case "C":
            return sign.encode("unicode_escape").decode()
    return sign


def _short(message: str) -> str:
    if len(message) <= _MOST:
        return message
    return f"{message[: _MOST - _END]} … {message[-_END:]}"
