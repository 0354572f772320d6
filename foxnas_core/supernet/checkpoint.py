"""Checkpoints: safetensors files that carry their space and training record. No pickle."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from foxnas_core.documents import parse_json
from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.families import space_from_dict
from foxnas_core.files import write_atomically
from foxnas_core.networks import Network, SupernetAdapter
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.supernet.adapter import Factory, build_supernet, supernet_of
from foxnas_core.tasks import task_of
from foxnas_core.tasks.task import Task


@dataclass(frozen=True)
class Checkpoint:
    """A supernet with its training record, which holds pixel mean and standard deviation,
    dataset, recipe, seed and history; of imported weights, where they came from."""

    supernet: SupernetAdapter
    record: dict[str, Any]

    @property
    def task(self) -> Task:
        """What it was trained for; raises `InvalidInput` where that isn't known here."""
        return task_of(self.record)

    def extract(self, architecture: Architecture) -> Network:
        """The subnet of `architecture`, in evaluation mode; its norms are to be recalibrated."""
        return self.supernet.extract(architecture)


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
            metadata = parse_json((file.metadata() or {})["foxnas"])
            return {name: file.get_tensor(name) for name in file.keys()}, metadata  # noqa: SIM118
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise InvalidInput(
            f"{path} is damaged or no FOX-NAS Studio checkpoint; restore it or train again."
        ) from error


def save_checkpoint(path: Path, supernet: SupernetAdapter, record: dict[str, Any]) -> None:
    metadata = {"space": supernet.space.to_dict(), "record": record}
    save_tensors(path, dict(supernet.state_dict()), metadata)


def save_adapted(
    path: Path,
    tensors: dict[str, torch.Tensor],
    space: SearchSpace,
    record: dict[str, Any],
    *,
    factory: str,
) -> None:
    """The weights of somebody's own supernet, which `factory` (its name alone is kept) builds.

    `record` holds `pixel_mean`, `pixel_std`, `resolution`, `input_channels`, `classes`, `dataset`,
    `licence` and `weights`, a phrase that says where they came from.
    """
    save_tensors(path, tensors, {"space": space.to_dict(), "record": record, "factory": factory})


def load_checkpoint(
    path: Path, *, space: SearchSpace | None = None, build: Factory | None = None
) -> Checkpoint:
    """The supernet at `path`, in evaluation mode.

    One of somebody's own is built by `build`: a file never says which code is run. Raises as
    `load_tensors` and `build_supernet`, and `InvalidInput` where it was trained on another space
    than `space`, or where `build` is missing or not wanted.
    """
    tensors, metadata = load_tensors(path)
    own = space_from_dict(metadata["space"])
    if space is not None and own.fingerprint != space.fingerprint:
        raise InvalidInput(
            f"{path} was trained on space {own.name!r} ({own.fingerprint}), but the study's is "
            f"{space.name!r} ({space.fingerprint}); use the checkpoint of this study."
        )
    if "factory" in metadata:
        if build is None:
            raise InvalidInput(
                f"{path} holds the weights of a supernet of somebody's own code, which is run only "
                "where you name it: measure, profile and export on the command line with "
                f"--supernet MODULE:FUNCTION (it was {str(metadata['factory'])!r}); everything "
                "that reads the measured table works without."
            )
        adapted = build_supernet(build, tensors, own, metadata["record"])
        return Checkpoint(adapted, metadata["record"])
    if build is not None:
        raise InvalidInput(f"{path} holds a supernet of the studio's own; leave --supernet out.")
    supernet = supernet_of(own)
    try:
        supernet.load_state_dict(tensors)
    except RuntimeError as error:
        raise InvalidInput(
            f"{path} does not hold the tensors its space {own.name!r} needs; train again."
        ) from error
    return Checkpoint(supernet.eval(), metadata["record"])
