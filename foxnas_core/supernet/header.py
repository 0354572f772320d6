"""What a checkpoint says of itself, read without its tensors and without torch."""

from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

from foxnas_core.documents import parse_json
from foxnas_core.errors import InvalidInput
from foxnas_core.families import space_from_dict
from foxnas_core.space.search_space import SearchSpace

_MOST_HEADER = 16 << 20


def checkpoint_space(path: Path) -> SearchSpace:
    """The space that a checkpoint was trained on; raises as `checkpoint_metadata`."""
    return space_from_dict(checkpoint_metadata(path)["space"])


def checkpoint_tensors(path: Path, prefix: str) -> dict[str, np.ndarray]:
    """The tensors whose names begin so; raises `InvalidInput` for a damaged file."""
    try:
        with safe_open(path, framework="numpy") as tensors:
            return {n: tensors.get_tensor(n) for n in tensors.keys() if n.startswith(prefix)}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise InvalidInput(f"{path} is damaged; restore it or train again.") from error


def checkpoint_metadata(path: Path) -> dict[str, Any]:
    """What stands beside the tensors: "space" and the training's "record", both objects.

    Raises `InvalidInput` where the file is damaged, cut short or no checkpoint of the studio's.
    """
    try:
        with path.open("rb") as file:
            if int.from_bytes(file.read(8), "little") > _MOST_HEADER:
                raise ValueError("no header is so long")
        with safe_open(path, framework="numpy") as tensors:
            metadata = parse_json((tensors.metadata() or {})["foxnas"])
        if not all(isinstance(metadata[name], dict) for name in ("space", "record")):
            raise ValueError("no objects")
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise InvalidInput(
            f"{path} is damaged or no FOX-NAS Studio checkpoint; restore it or train again."
        ) from error
    return dict(metadata)
