"""A subnet computed in fp32 as if it were int8, so that it can be trained (fake quantization).

The scheme is that of the int8 models: weights symmetric in 8 bits per output channel, after their
batch norm is folded in, activations unsigned in 8 bits per tensor over a range that holds 0.
Rounding passes gradients through as they are, the range's ends cut them off (straight-through
estimator; Jacob et al., arXiv 1712.05877, section 3).
"""

from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, fx, nn
from torch.nn import functional as F
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd

from foxnas_core.networks import Network
from foxnas_core.supernet.tracing import traced

At = Callable[[str, Tensor], Tensor]
# What a runtime computes in one step with the layer before it, so that nothing is rounded between.
_FUSED = (_BatchNorm, nn.ReLU, nn.ReLU6)
_CONVOLUTIONS = (nn.Conv2d, nn.Conv3d)


class FakeQuantized(nn.Module):
    """The subnet's own layers, with weights and activations rounded as in int8.

    Batch norms keep their running statistics. Call `observe` before the first use, and again when
    weights have moved: ranges are the least and greatest values in fp32.
    """

    def __init__(self, subnet: Network) -> None:
        super().__init__()
        self.subnet = subnet
        self._traced = traced(subnet)
        self._layers = dict(self._traced.named_modules())
        self.ranges: dict[str, tuple[Tensor, Tensor]] = {}

    @torch.no_grad()
    def observe(self, images: Tensor) -> None:
        """Take the ranges of all activations from normalised training cases (N, *input_shape)."""

        def at(name: str, value: Tensor) -> Tensor:
            self.ranges[name] = value.min().clamp(max=0), value.max().clamp(min=0)
            return value

        self._compute(images, at, lambda weight: weight)

    def forward(self, x: Tensor) -> Tensor:
        """(N, *input_shape) to logits (N, classes, …)."""
        return self._compute(x, lambda name, v: rounded(v, *self.ranges[name]), rounded_weight)

    def plain(self, x: Tensor) -> Tensor:
        """The same without rounding."""
        return self._compute(x, lambda name, value: value, lambda weight: weight)

    def _compute(self, x: Tensor, at: At, of_weight: Callable[[Tensor], Tensor]) -> Tensor:
        values: dict[fx.Node, Tensor] = {}
        for node in self._traced.graph.nodes:
            if node.op == "output":
                break
            if node.op == "placeholder":
                values[node] = at(node.name, x)
                continue
            arguments = fx.node.map_arg(node.args, lambda n: values[n])
            kwargs = fx.node.map_arg(node.kwargs, lambda n: values[n])
            layer = self._layers[node.target] if node.op == "call_module" else None
            if node.op == "call_function":
                value = node.target(*arguments, **kwargs)
            elif node.op == "call_method":
                value = getattr(arguments[0], node.target)(*arguments[1:], **kwargs)
            else:
                value = self._layer(node, arguments[0], at, of_weight)
            exact = isinstance(layer, nn.Identity) or self._follower(node, _FUSED) is not None
            values[node] = value if exact else at(node.name, value)
        return values[node.args[0]]

    def _layer(
        self, node: fx.Node, x: Tensor, at: At, of_weight: Callable[[Tensor], Tensor]
    ) -> Tensor:
        layer = self._layers[cast(str, node.target)]
        if isinstance(layer, _CONVOLUTIONS):
            norm = cast("_BatchNorm | None", self._follower(node, _BatchNorm))
            weight, bias = folded(layer, norm)
            return layer._conv_forward(x, of_weight(weight), bias)
        if isinstance(layer, _BatchNorm):
            return x  # in the convolution's weights
        if isinstance(layer, nn.Linear):
            return F.linear(x, of_weight(layer.weight), layer.bias)
        if isinstance(layer, nn.Hardswish):
            # Runtimes take it apart into a gate and a product.
            return x * at(f"{node.name}.gate", F.hardsigmoid(x))
        return layer(x)

    def _follower(
        self, node: fx.Node, kinds: type[nn.Module] | tuple[type[nn.Module], ...]
    ) -> nn.Module | None:
        """The one layer that reads a layer's output, where it is of these kinds."""
        users = list(node.users)
        if node.op != "call_module" or len(users) != 1 or users[0].op != "call_module":
            return None
        layer = self._layers[cast(str, users[0].target)]
        return layer if isinstance(layer, kinds) else None


def folded(layer: _ConvNd, norm: _BatchNorm | None) -> tuple[Tensor, Tensor | None]:
    """Weight and bias of a convolution and the batch norm after it, as one convolution."""
    if norm is None:
        return layer.weight, layer.bias
    assert norm.running_mean is not None and norm.running_var is not None and layer.bias is None
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()
    return layer.weight * scale.reshape(
        -1, *[1] * (layer.weight.ndim - 1)
    ), norm.bias - norm.running_mean * scale


def rounded(x: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """`x` on the 256 levels of an unsigned activation from `low` (at most 0) to `high` (at least
    0)."""
    scale = ((high - low) / 255).clamp(min=torch.finfo(x.dtype).tiny)
    zero = (-low / scale).round()
    # The ends move with the zero point, which is a level of its own.
    cut = torch.maximum(torch.minimum(x, (255 - zero) * scale), -zero * scale)
    return cut + ((cut / scale).round() * scale - cut).detach()


def rounded_weight(weight: Tensor) -> Tensor:
    """A weight (out, …) on 255 levels that are symmetric round 0, for each output channel."""
    greatest = weight.detach().flatten(1).abs().amax(1)
    scale = (greatest / 127).clamp(min=torch.finfo(weight.dtype).tiny)
    scale = scale.reshape(-1, *[1] * (weight.ndim - 1))
    return weight + ((weight / scale).round() * scale - weight).detach()
