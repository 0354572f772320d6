import copy

import numpy as np
import pytest
import torch
from torch import nn

from foxnas_core.families.mbconv.subnet import Network
from foxnas_core.supernet.onnx import INPUT, onnx_model, session_of
from foxnas_core.supernet.recalibration import recalibrate
from foxnas_core.supernet.sharing import (
    Branch,
    SharedSessions,
    branches,
    recalibrate_together,
)


def test_the_tree_has_a_branch_for_each_common_beginning():
    tree = branches(["abxh", "abyh", "abxk", "c", "c"])
    assert tree == (
        Branch(0, 2, (0, 1, 2), (
            Branch(2, 3, (0, 2), (Branch(3, 4, (0,), ()), Branch(3, 4, (2,), ()))),
            Branch(2, 4, (1,), ()),
        )),
        Branch(0, 1, (3, 4), ()),
    )  # fmt: skip


@pytest.fixture
def alike(tiny_supernet):
    """Subnets of 12 px, of which some begin alike and two are the same."""
    architectures = [
        a for a in tiny_supernet.space.sample(40, seed=1) if a.to_dict()["resolution"] == 12
    ]
    return [tiny_supernet.extract(a) for a in [*architectures[:12], architectures[0]]]


def batches(count: int):
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(30, 1, 12, 12, generator=generator) for _ in range(count)]


def test_statistics_are_those_of_each_alone(alike):
    plain, alone = copy.deepcopy(alike), copy.deepcopy(alike)
    for subnet, other in zip(plain, alone, strict=True):
        recalibrate(subnet, batches(3))
        recalibrate_together([other], batches(3))
    recalibrate_together(alike, batches(3))
    for one, other, together in zip(plain, alone, alike, strict=True):
        assert not together.training
        state = together.state_dict()
        for name, tensor in other.state_dict().items():
            assert torch.equal(tensor, state[name]), name
        # With the channels last, sums round otherwise.
        for name, tensor in one.state_dict().items():
            assert torch.allclose(tensor, state[name], rtol=1e-4, atol=1e-6), name


def test_somebodys_own_module_shares_nothing_and_keeps_its_layout():
    class Own(Network):
        input_shape = 1, 12, 12

        def __init__(self):
            super().__init__()
            self.norm, self.last = nn.BatchNorm2d(1), nn.Linear(144, 3)

        def forward(self, x):
            return self.last(self.norm(x).view(-1, 144))

    torch.manual_seed(0)
    both = [Own().eval(), Own().eval()]
    recalibrate_together(both, batches(2))
    [x] = batches(1)
    with torch.no_grad():
        for subnet, logits in zip(both, SharedSessions(both).logits(x.numpy()), strict=True):
            assert np.abs(logits - subnet(x).numpy()).max() < 1e-5
    assert all(subnet.norm.running_mean.abs() > 0 for subnet in both)


def test_logits_are_those_of_each_alone(alike):
    recalibrate_together(alike, batches(2))
    [x] = batches(1)
    together = SharedSessions(alike).logits(x.numpy())
    assert len(together) == len(alike)
    for subnet, logits in zip(alike, together, strict=True):
        expected = session_of(onnx_model(subnet)).run(None, {INPUT: x.numpy()})[0]
        # A sum with a residual may round otherwise where a session ends.
        assert np.abs(logits - expected).max() < 1e-6


def test_no_batch_is_an_error(alike):
    with pytest.raises(ValueError, match="at least one batch"):
        recalibrate_together(alike, [])
