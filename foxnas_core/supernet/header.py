"""What a checkpoint says of itself, read without its tensors and without torch."""

import json
from pathlib import Path

from safetensors import SafetensorError, safe_open

from foxnas_core.errors import InvalidInput
from foxnas_core.families import space_from_dict
from foxnas_core.search_space import SearchSpace

_MOST_HEADER = 16 << 20


def checkpoint_space(path: Path) -> SearchSpace:
    """The space that a checkpoint was trained on.

    Raises `InvalidInput` where the file is damaged, cut short or no checkpoint of the studio's.
    """
    damaged = f"{path} is damaged or no FOX-NAS Studio checkpoint; restore it or train again."
    try:
        with path.open("rb") as file:
            if int.from_bytes(file.read(8), "little") > _MOST_HEADER:
                raise InvalidInput(damaged)
        with safe_open(path, framework="np") as tensors:
            metadata = json.loads((tensors.metadata() or {})["foxnas"])
        if not isinstance(metadata.get("record"), dict):
            raise InvalidInput(damaged)
        return space_from_dict(metadata["space"])
    except (
        SafetensorError, OSError, KeyError, ValueError, AttributeError, RecursionError
    ) as error:  # fmt: skip
        raise InvalidInput(damaged) from error
