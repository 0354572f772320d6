"""Checkpoints: safetensors files that carry their space and training record. No pickle."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.families import space_from_dict
from foxnas_core.files import write_atomically
from foxnas_core.search_space import SearchSpace
from foxnas_core.supernet.network import Supernet


@dataclass(frozen=True)
class Checkpoint:
    """A supernet with its training record, which holds pixel mean and standard deviation,
    dataset, recipe, seed and history."""

    supernet: Supernet
    record: dict[str, Any]


def save_tensors(path: Path, tensors: dict[str, torch.Tensor], metadata: dict[str, Any]) -> None:
    """Write tensors and JSON metadata as one safetensors file, atomically."""
    contiguous = {name: tensor.detach().contiguous() for name, tensor in tensors.items()}
    write_atomically(path, save(contiguous, {"foxnas": json.dumps(metadata, sort_keys=True)}))


def load_tensors(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """The tensors and metadata that `save_tensors` wrote.

    Raises `MissingPart` where the file is absent, `InvalidInput` where it is damaged.
    """
    if not path.exists():
        raise MissingPart(f"There is no checkpoint at {path}; train one or copy it there.")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = json.loads((file.metadata() or {})["foxnas"])
            return {name: file.get_tensor(name) for name in file.keys()}, metadata  # noqa: SIM118
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise InvalidInput(
            f"{path} is damaged or no FOX-NAS Studio checkpoint; restore it or train again."
        ) from error


def save_checkpoint(path: Path, supernet: Supernet, record: dict[str, Any]) -> None:
    metadata = {"space": supernet.space.to_dict(), "record": record}
    save_tensors(path, dict(supernet.state_dict()), metadata)


def load_checkpoint(path: Path, *, space: SearchSpace | None = None) -> Checkpoint:
    """The supernet at `path`, in evaluation mode.

    Raises as `load_tensors`, and `InvalidInput` where it was trained on another space than
    `space`.
    """
    tensors, metadata = load_tensors(path)
    own = space_from_dict(metadata["space"])
    if space is not None and own.fingerprint != space.fingerprint:
        raise InvalidInput(
            f"{path} was trained on space {own.name!r} ({own.fingerprint}), but the study's is "
            f"{space.name!r} ({space.fingerprint}); use the checkpoint of this study."
        )
    supernet = Supernet(own)
    try:
        supernet.load_state_dict(tensors)
    except RuntimeError as error:
        raise InvalidInput(
            f"{path} does not hold the tensors its space {own.name!r} needs; train again."
        ) from error
    return Checkpoint(supernet.eval(), metadata["record"])
