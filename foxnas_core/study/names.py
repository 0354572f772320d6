"""What the folder of a study may be called."""

import re

from foxnas_core.errors import InvalidInput

_STUDY_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
# Names that Windows keeps for devices, lest a study can't be copied there.
_RESERVED = re.compile(r"con|prn|aux|nul|(com|lpt)[0-9]", re.IGNORECASE)


def check_name(name: str) -> None:
    """Raises `InvalidInput` where a name is not a plain one, and so might be a path."""
    if not _STUDY_NAME.fullmatch(name):
        raise InvalidInput(
            f"{name!r} can't name a study; take 1 to 64 letters, digits, hyphens and underscores, "
            "a letter or digit first."
        )
    if _RESERVED.fullmatch(name):
        raise InvalidInput(f"{name!r} is a device's name on Windows; take another name.")
