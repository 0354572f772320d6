"""Batch-norm recalibration: giving an extracted subnet statistics of its own.

Without it a subnet of a shared supernet can lose most of its accuracy (Yu & Huang,
arXiv 1903.05134, section 3.3, "post-statistics of batch normalization").
"""

import inspect
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

_SIGNATURE = inspect.signature(F.batch_norm)


@torch.no_grad()
def recalibrate(network: nn.Module, batches: Iterable[Tensor]) -> None:
    """Set every batch norm's running mean and variance to the average over `batches`.

    `batches` are training cases as the network takes them, (N, *input_shape). Any call of torch's
    `batch_norm` with running statistics counts, whatever module makes it and over however many
    channels; all else (dropout) runs in evaluation mode, in which the network is left. Raises
    `ValueError` where there is no batch.
    """
    network.eval()
    with Averaging() as averaging:
        for batch in batches:
            network(batch)
            averaging.batches += 1
    if not averaging.batches:
        raise ValueError("Recalibration needs at least one batch of images.")


class Averaging(TorchFunctionMode):
    """Batch norms use each batch's own statistics and keep the plain average of them."""

    def __init__(self) -> None:
        super().__init__()
        self.batches = 0
        self._seen: dict[tuple[int, torch.Size], tuple[Tensor, int]] = {}

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if func is not F.batch_norm:
            return func(*args, **kwargs)
        call = _SIGNATURE.bind(*args, **kwargs)
        call.apply_defaults()
        mean, var = call.arguments["running_mean"], call.arguments["running_var"]
        if mean is None or var is None:
            return func(*args, **kwargs)
        # A slice of a buffer is a new tensor in every call, but its memory stays.
        key = (mean.data_ptr(), mean.shape)
        _, calls = self._seen.get(key, (mean, 0))
        if not calls:
            mean.zero_()
            var.fill_(1)
        self._seen[key] = (mean, calls + 1)
        call.arguments |= {"training": True, "momentum": 1 / (calls + 1)}
        return func(*call.args, **call.kwargs)
