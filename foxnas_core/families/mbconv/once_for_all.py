"""Weights in the layouts in which once-for-all publishes its supernets: MobileNetV3's, with a layer
after the pooling, and ProxylessNAS's, without.

The elastic rules are ours (Cai et al., arXiv 1908.09791): the first channels of an expansion, which
published weights have sorted by importance; a smaller kernel as the centre of the next larger one
times a matrix that all channels share; the first blocks of a stage. Names alone differ.
"""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from foxnas_core.errors import InvalidInput
from foxnas_core.families.mbconv.space import MBConvSettings
from foxnas_core.families.mbconv.supernet import Supernet
from foxnas_core.networks import check_tensors, unwrapped
from foxnas_core.space.search_space import SearchSpace

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Pixel mean and standard deviation of red, green and blue, with which they were trained."""

# Published files spell a wrapper's layer out or leave it; see `_plain`.
_WRAPPED = (
    (".mobile_inverted_conv.", ".conv."),
    (".bn.bn.", ".bn."),
    (".conv.conv.weight", ".conv.weight"),
    (".linear.linear.", ".linear."),
)
_HIDDEN = "feature_mix_layer.conv.weight"  # of MobileNetV3's layout
_NORM = ("weight", "bias", "running_mean", "running_var")


def supernet_from_once_for_all(tensors: Mapping[str, Tensor], space: SearchSpace) -> Supernet:
    """The supernet of `space` with the weights of a published state dict, in evaluation mode.

    A space with a hidden layer takes the MobileNetV3 layout, in which that has no bias and gets one
    of zeros; one without takes that of ProxylessNAS. Raises `InvalidInput` naming tensors that are
    missing, of another shape than the space needs, or left over.
    """
    supernet = Supernet(space)
    state = dict(supernet.state_dict())
    names = dict(_names(supernet.settings))
    wanted = {theirs: state[ours] for ours, theirs in names.items()}
    plain = unwrapped({_plain(name): tensor for name, tensor in tensors.items()}, wanted)
    found = {n: t for n, t in plain.items() if not n.endswith("num_batches_tracked")}
    mixing = found.get(_HIDDEN)
    if mixing is not None and supernet.settings.feature_width:
        found[_HIDDEN] = mixing.flatten(1)
    _check_layout(found, supernet.settings)
    check_tensors(
        f"For space {space.name!r} the weights", found, wanted,
        "name the space that they were trained on (--space FILE)",
    )  # fmt: skip
    state |= {ours: found[theirs].to(torch.float32) for ours, theirs in names.items()}
    if supernet.settings.feature_width:
        state["head.hidden.0.bias"] = torch.zeros(supernet.settings.feature_width)
    supernet.load_state_dict(state)
    return supernet.eval()


def _check_layout(found: Mapping[str, Tensor], settings: MBConvSettings) -> None:
    """Raises `InvalidInput` where the weights are of another kind of network, which it tells."""
    if any(name.startswith(("input_stem.", "max_pooling.")) for name in found):
        raise InvalidInput(
            "The weights are of a residual network, whose blocks have no depthwise convolution; "
            "measure it as a supernet of your own (docs/own-supernet.md)."
        )
    elastic = any(len(stage.kernels) > 1 for stage in settings.stages)
    if elastic and found and not any(name.endswith("_matrix") for name in found):
        raise InvalidInput(
            "The weights have no kernel matrices, from which smaller kernels are made, as those of "
            "one network have none; name those of a supernet, or a space with one kernel a stage."
        )


def _plain(name: str) -> str:
    """A published name without the wrappers that some of the files spell out."""
    for wrapped, plain in _WRAPPED:
        name = name.replace(wrapped, plain)
    return name


def _names(settings: MBConvSettings) -> Iterator[tuple[str, str]]:
    """Pairs of our name and the plain published one, of every tensor but the zero bias."""
    yield from _convolution("stem.0.0", "stem.0.1", "first_conv")
    if settings.first_width:
        block = "blocks.0.conv"
        yield from _convolution("stem.1.depthwise.0", "stem.1.depthwise.1", f"{block}.depth_conv")
        yield from _convolution("stem.1.project.0", "stem.1.project.1", f"{block}.point_linear")
    index = 1 if settings.first_width else 0
    for number, stage in enumerate(settings.stages, start=1):
        for place in range(1, stage.depths[-1] + 1):
            ours, theirs = f"blocks.s{number}b{place}", f"blocks.{index}.conv"
            for layer, name in (
                ("expand", "inverted_bottleneck"),
                ("depthwise", "depth_conv"),
                ("project", "point_linear"),
            ):
                yield from _convolution(
                    f"{ours}.{layer}", f"{ours}.{layer}_norm", f"{theirs}.{name}"
                )
            for small, large in zip(stage.kernels, stage.kernels[1:], strict=False):
                matrix = f"{theirs}.depth_conv.conv.{large}to{small}_matrix"
                yield f"{ours}.depthwise.transforms.to_{small}", matrix
            if stage.squeeze_excitation:
                for layer in ("reduce", "expand"):
                    for part in ("weight", "bias"):
                        yield (
                            f"{ours}.excitation.{layer}.{part}",
                            f"{theirs}.depth_conv.se.fc.{layer}.{part}",
                        )
            index += 1
    hidden = settings.feature_width
    last = "final_expand_layer" if hidden else "feature_mix_layer"
    yield from _convolution("head.convolution.0", "head.convolution.1", last)
    if hidden:
        yield "head.hidden.0.weight", _HIDDEN
    for part in ("weight", "bias"):
        yield f"head.classifier.{part}", f"classifier.linear.{part}"


def _convolution(weight: str, norm: str, theirs: str) -> Iterator[tuple[str, str]]:
    yield f"{weight}.weight", f"{theirs}.conv.weight"
    for part in _NORM:
        yield f"{norm}.{part}", f"{theirs}.bn.{part}"
