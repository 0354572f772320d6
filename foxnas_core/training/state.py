"""What a training keeps to go on from after a kill."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn
from torch.optim import Optimizer

from foxnas_core.errors import InvalidInput
from foxnas_core.supernet.checkpoint import load_tensors, save_tensors


@dataclass(frozen=True)
class Done:
    """Steps that are done, the history of reports on the way, and the seconds all took."""

    step: int = 0
    history: tuple[list[float | None], ...] = ()
    seconds: float = 0.0


def save_state(
    path: Path,
    model: nn.Module,
    optimizers: Sequence[Optimizer],
    identity: Mapping[str, Any],
    done: Done,
) -> None:
    """Write weights, norms' statistics and optimizers; `identity` says whose they are."""
    tensors = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
    for prefix, optimizer in _named(optimizers):
        for index, state in optimizer.state_dict()["state"].items():
            tensors |= {f"{prefix}.{index}.{name}": value for name, value in state.items()}
    metadata = {
        "identity": identity,
        "step": done.step,
        "history": list(done.history),
        "seconds": done.seconds,
    }
    save_tensors(path, tensors, metadata)


def restore(
    path: Path, model: nn.Module, optimizers: Sequence[Optimizer], identity: Mapping[str, Any]
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
        model.load_state_dict(
            {n.removeprefix("model."): t for n, t in tensors.items() if n.startswith("model.")}
        )
        for prefix, optimizer in _named(optimizers):
            states: dict[int, dict[str, Tensor]] = {}
            for name, tensor in tensors.items():
                if name.startswith(f"{prefix}."):
                    index, key = name.removeprefix(f"{prefix}.").split(".", 1)
                    states.setdefault(int(index), {})[key] = tensor
            whole = optimizer.state_dict()
            whole["state"] = states
            optimizer.load_state_dict(whole)
        return Done(metadata["step"], tuple(metadata["history"]), metadata["seconds"])
    except (RuntimeError, KeyError, ValueError) as error:
        raise InvalidInput(
            f"{path} does not fit this training; it was written by another version, so remove it "
            "and begin anew."
        ) from error


def _named(optimizers: Sequence[Optimizer]) -> list[tuple[str, Optimizer]]:
    """With the name that each has in the file."""
    return [(f"optimizer{i or ''}", optimizer) for i, optimizer in enumerate(optimizers)]
