import pytest
import torch
from torch import nn

from foxnas_core.supernet.recalibration import recalibrate


def test_statistics_become_the_plain_average_over_batches():
    norm = nn.BatchNorm2d(3)
    norm.running_mean.fill_(9)
    momentum = norm.momentum
    batches = [torch.randn(8, 3, 4, 4) * (i + 1) + i for i in range(3)]
    recalibrate(norm, batches)
    means = torch.stack([b.mean((0, 2, 3)) for b in batches]).mean(0)
    variances = torch.stack([b.var((0, 2, 3)) for b in batches]).mean(0)
    assert torch.allclose(norm.running_mean, means, atol=1e-5)
    assert torch.allclose(norm.running_var, variances, atol=1e-4)
    assert norm.momentum == momentum and not norm.training


def test_no_batch_is_an_error():
    with pytest.raises(ValueError, match="at least one batch"):
        recalibrate(nn.BatchNorm2d(3), [])


class Functional(nn.Module):
    """Statistics of its own, of which a slice is passed on, and dropout."""

    def __init__(self):
        super().__init__()
        self.mean, self.var = torch.full((5,), float("nan")), torch.full((5,), 7.0)
        self.dropout = nn.Dropout(0.9)
        self.without = nn.BatchNorm1d(3, track_running_stats=False)

    def forward(self, x):
        y = nn.functional.batch_norm(self.dropout(x), self.mean[:3], self.var[:3])
        return self.without(y)


@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_norms_of_every_kind_are_recalibrated(dimensions):
    batches = [torch.randn(9, 3, *[2] * (dimensions - 1)) * 3 + i for i in range(3)]
    axes = [0, *range(2, dimensions + 1)]
    mean = torch.stack([b.mean(axes) for b in batches]).mean(0)
    var = torch.stack([b.var(axes) for b in batches]).mean(0)
    norm = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)[dimensions - 1](3)
    if dimensions > 1:
        batches = [b if dimensions > 2 else b[..., None] for b in batches]
        batches = [b[..., None] if b.ndim < dimensions + 2 else b for b in batches]
    recalibrate(norm, batches)
    assert torch.allclose(norm.running_mean, mean, atol=1e-5)
    assert torch.allclose(norm.running_var, var, atol=1e-4)


def test_a_slice_of_the_statistics_is_recalibrated_and_the_rest_left():
    network = Functional()
    batches = [torch.randn(20, 3) + i for i in range(2)]
    recalibrate(network, batches)
    mean = torch.stack([b.mean(0) for b in batches]).mean(0)
    assert torch.allclose(network.mean[:3], mean, atol=1e-5)
    assert network.mean[3:].isnan().all() and (network.var[3:] == 7).all()


def test_no_norm_is_no_error():
    linear = nn.Linear(2, 2)
    before = linear.weight.clone()
    recalibrate(linear, [torch.randn(3, 2)])
    assert linear.weight.equal(before)
