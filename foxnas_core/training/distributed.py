"""Several processes of a torchrun group that share every batch."""

import os

import torch
from torch import Tensor, nn
from torch import distributed as dist


def is_first() -> bool:
    """Whether this process is the one that writes and reports."""
    return int(os.environ.get("RANK", "0")) == 0


def join_group() -> tuple[int, int]:
    """Rank and number of processes; joins torchrun's group where there is one."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return 0, 1
    if not dist.is_initialized():
        dist.init_process_group("gloo")
    return dist.get_rank(), dist.get_world_size()


def average_gradients(model: nn.Module, world: int) -> None:
    """Give every process the mean over processes of each gradient."""
    if world == 1:
        return
    # One message for all: an all-reduce of each small tensor would cost more than the step.
    owned = [p for p in model.parameters() if p.grad is not None]
    flat = torch.cat([p.grad.flatten() for p in owned if p.grad is not None]) / world
    dist.all_reduce(flat)
    for parameter, part in zip(owned, flat.split([p.numel() for p in owned]), strict=True):
        parameter.grad = part.view_as(parameter)


def averaged(values: Tensor) -> Tensor:
    """The mean over processes."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world > 1:
        values = values / world
        dist.all_reduce(values)
    return values
