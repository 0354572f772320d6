"""What a training asks of its optimizer, whichever training it is, and how to end one early."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def learning_rates() -> Iterator[list[float]]:
    """The rates of all optimizer steps that are taken within, one a step."""
    from torch.optim.optimizer import register_optimizer_step_pre_hook

    rates: list[float] = []

    def note(optimizer, args, kwargs) -> None:
        [rate] = {group["lr"] for group in optimizer.param_groups}
        rates.append(rate)

    handle = register_optimizer_step_pre_hook(note)
    try:
        yield rates
    finally:
        handle.remove()


def reached(step: int) -> Callable[[int], bool]:
    """To stop at a step."""
    return lambda done: done >= step


def shrunk_alone(one, two) -> set[str]:
    """Names of the parameters that differ between two networks of the same training but for weight
    decay, after its first step: decay is told apart from the gradient's step, which it follows."""
    import torch

    other = dict(two.named_parameters())
    return {n for n, p in one.named_parameters() if not torch.equal(p, other[n])}


def kernels(network) -> set[str]:
    """Names of the weights of convolutions and linear layers of any make, which weight decay is
    for: not norms, biases and a supernet's kernel transforms."""
    return {
        name
        for name, _ in network.named_parameters()
        if name.endswith("weight") and "norm" not in name and "transforms" not in name
    } - {
        f"{name}.weight"
        for name, module in network.named_modules()
        if "norm" in type(module).__name__.lower()
    }
