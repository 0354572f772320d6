"""Elastic layers: torch layers that run with a part of their weights.

Each has `forward` for shared training and `extract`, which fills an ordinary torch layer with
the part in use. The sizes in use are arguments, never state, so that a supernet can be read by
many users at once.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from foxnas_core.families.mbconv.space import squeezed


class ElasticPointwise(nn.Module):
    """A 1×1 convolution without bias over the first input and output channels."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels, 1, 1))
        nn.init.kaiming_normal_(self.weight, mode="fan_out")

    def part(self, in_channels: int, out_channels: int) -> Tensor:
        return self.weight[:out_channels, :in_channels]

    def forward(self, x: Tensor, out_channels: int) -> Tensor:
        """(N, C, H, W) to (N, out_channels, H, W)."""
        return F.conv2d(x, self.part(x.shape[1], out_channels))


class ElasticDepthwise(nn.Module):
    """A depthwise convolution with elastic kernel size over the first channels.

    A smaller kernel is the centre of the next larger one, times a learnt square matrix that all
    channels share (Cai et al., arXiv 1908.09791, section 3.2, "elastic kernel size"). The
    matrices start as the identity.
    """

    def __init__(self, channels: int, kernels: tuple[int, ...], stride: int) -> None:
        super().__init__()
        self.kernels = kernels
        self.stride = stride
        largest = kernels[-1]
        self.weight = nn.Parameter(torch.empty(channels, 1, largest, largest))
        nn.init.kaiming_normal_(self.weight, mode="fan_out")
        self.transforms = nn.ParameterDict(
            {f"to_{k}": nn.Parameter(torch.eye(k * k)) for k in kernels[:-1]}
        )

    def part(self, channels: int, kernel: int) -> Tensor:
        """The weights (channels, 1, kernel, kernel) that `kernel` uses."""
        weight = self.weight[:channels]
        for size in reversed([k for k in self.kernels[:-1] if k >= kernel]):
            margin = (weight.shape[-1] - size) // 2
            end = margin + size
            centre = weight[:, :, margin:end, margin:end]
            flat = centre.reshape(channels, size * size)
            weight = F.linear(flat, self.transforms[f"to_{size}"]).view(channels, 1, size, size)
        return weight

    def forward(self, x: Tensor, kernel: int) -> Tensor:
        channels = x.shape[1]
        weight = self.part(channels, kernel)
        return F.conv2d(x, weight, stride=self.stride, padding=kernel // 2, groups=channels)


class ElasticNorm(nn.BatchNorm2d):
    """Batch normalisation over the first channels.

    Training uses the batch's own statistics; the running ones are those that the last subnets
    left, so an extracted subnet must have its own recalibrated.
    """

    def forward(self, x: Tensor) -> Tensor:
        c = x.shape[1]
        assert self.running_mean is not None and self.running_var is not None
        return F.batch_norm(
            x,
            self.running_mean[:c],
            self.running_var[:c],
            self.weight[:c],
            self.bias[:c],
            training=self.training,
            momentum=self.momentum or 0.0,
            eps=self.eps,
        )

    @torch.no_grad()
    def extract(self, norm: nn.BatchNorm2d) -> None:
        c = norm.num_features
        for name in ("weight", "bias", "running_mean", "running_var"):
            getattr(norm, name).copy_(getattr(self, name)[:c])


class ElasticSqueezeExcitation(nn.Module):
    """Squeeze-and-excitation over the first channels; the hidden width is a quarter of them."""

    def __init__(self, channels: int, divisor: int, mobilenet: bool = False) -> None:
        super().__init__()
        self.divisor, self.mobilenet = divisor, mobilenet
        hidden = squeezed(channels, divisor, mobilenet)
        self.reduce = nn.Conv2d(channels, hidden, 1)
        self.expand = nn.Conv2d(hidden, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        c = x.shape[1]
        h = squeezed(c, self.divisor, self.mobilenet)
        assert self.reduce.bias is not None and self.expand.bias is not None
        gate = x.mean((2, 3), keepdim=True)
        gate = F.relu(F.conv2d(gate, self.reduce.weight[:h, :c], self.reduce.bias[:h]))
        gate = F.conv2d(gate, self.expand.weight[:c, :h], self.expand.bias[:c])
        return x * F.hardsigmoid(gate)


def activation_of(name: str) -> nn.Module:
    """The activation layer of that name; all three have quantized kernels in the runtimes."""
    return {"relu": nn.ReLU, "relu6": nn.ReLU6, "h_swish": nn.Hardswish}[name]()
