"""What a training keeps to go on from after a kill."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor
from torch.optim import Optimizer

from foxnas_core.errors import InvalidInput
from foxnas_core.supernet.checkpoint import load_tensors, save_tensors
from foxnas_core.training.update import Update


@dataclass(frozen=True)
class Done:
    """Steps that are done, the history of reports on the way, the seconds all took, and what was
    watched at the end of each epoch."""

    step: int = 0
    history: tuple[list[float | None], ...] = ()
    seconds: float = 0.0
    epochs: tuple[dict[str, Any], ...] = ()


def save_state(
    path: Path,
    update: Update,
    optimizers: Sequence[Optimizer],
    identity: Mapping[str, Any],
    done: Done,
) -> None:
    """Write weights, norms' statistics, optimizers and what the update remembers; `identity` says
    whose they are."""
    tensors = {f"model.{name}": tensor for name, tensor in update.model.state_dict().items()}
    tensors |= {f"update.{name}": tensor for name, tensor in update.remembered().items()}
    for prefix, optimizer in _named(optimizers):
        for index, state in optimizer.state_dict()["state"].items():
            tensors |= {f"{prefix}.{index}.{name}": value for name, value in state.items()}
    metadata = {
        "identity": identity,
        "step": done.step,
        "history": list(done.history),
        "seconds": done.seconds,
        "epochs": list(done.epochs),
    }
    save_tensors(path, tensors, metadata)


def restore(
    path: Path, update: Update, optimizers: Sequence[Optimizer], identity: Mapping[str, Any]
) -> Done:
    """Take up what `save_state` wrote.

    Raises `MissingPart` where there is none, `InvalidInput` where it is damaged, of another
    training, or of another make of the same network.
    """
    tensors, metadata = load_tensors(path)
    if metadata.get("identity") != identity:
        raise InvalidInput(
            f"{path} was written by another recipe, space or dataset; resume with the options "
            "that started it, or leave out --resume to begin anew."
        )
    try:
        update.model.load_state_dict(_named_by("model.", tensors))
        update.recall(_named_by("update.", tensors))
        for prefix, optimizer in _named(optimizers):
            states: dict[int, dict[str, Tensor]] = {}
            for name, tensor in _named_by(f"{prefix}.", tensors).items():
                index, key = name.split(".", 1)
                states.setdefault(int(index), {})[key] = tensor
            whole = optimizer.state_dict()
            whole["state"] = states
            optimizer.load_state_dict(whole)
        epochs = tuple(metadata.get("epochs", ()))
        return Done(metadata["step"], tuple(metadata["history"]), metadata["seconds"], epochs)
    except (RuntimeError, KeyError, ValueError) as error:
        raise InvalidInput(
            f"{path} does not fit this training; it was written by another version, so remove it "
            "and begin anew."
        ) from error


def _named_by(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Those whose names begin so, without that."""
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}


def _named(optimizers: Sequence[Optimizer]) -> list[tuple[str, Optimizer]]:
    """With the name that each has in the file."""
    return [(f"optimizer{i or ''}", optimizer) for i, optimizer in enumerate(optimizers)]
