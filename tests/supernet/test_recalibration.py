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
