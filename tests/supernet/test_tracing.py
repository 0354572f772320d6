import threading

import pytest
import torch
from torch import Tensor, fx, nn

from foxnas_core.supernet.tracing import traced


class Waiting(nn.Module):
    """Stops halfway in its first call until it is told to go on."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(2, 2), nn.Linear(2, 2)
        self.reached, self.go_on = threading.Event(), threading.Event()

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        self.reached.set()
        assert self.go_on.wait(60)
        return self.second(x)


def layers_of(graph: fx.GraphModule) -> list[str]:
    return [str(node.target) for node in graph.graph.nodes if node.op == "call_module"]


def test_other_threads_run_networks_and_trace_theirs_meanwhile():
    slow, quick, x = Waiting(), nn.Sequential(nn.Linear(2, 3), nn.ReLU()), torch.ones(1, 2)
    wanted, found = quick(x), []
    own = threading.Thread(target=lambda: found.append(traced(slow)))
    own.start()
    assert slow.reached.wait(60)
    try:
        assert torch.equal(quick(x), wanted)
        assert quick[0].weight is dict(quick.named_parameters())["0.weight"]
        other = threading.Thread(target=lambda: found.append(traced(quick)))
        other.start()
    finally:
        slow.go_on.set()
    own.join()
    other.join()
    assert [layers_of(graph) for graph in found] == [["first", "second"], ["0", "1"]]
    assert torch.equal(found[1](x), wanted)


def test_what_depends_on_values_is_told_as_ever():
    class Branching(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x if x.sum() > 0 else -x

    with pytest.raises(fx.proxy.TraceError):
        traced(Branching())
    assert layers_of(traced(nn.Sequential(nn.ReLU()))) == ["0"]
