"""Weights in once-for-all's layout, against a forward pass written from the paper alone."""

import copy
from collections.abc import Iterator

import pytest
import torch
from conftest import tiny_document
from torch import Tensor
from torch.nn import functional as F

from foxnas_core.errors import InvalidInput
from foxnas_core.families import load_shipped, space_from_dict
from foxnas_core.families.mbconv.once_for_all import supernet_from_once_for_all
from foxnas_core.families.mbconv.space import settings_of
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.search_space import SearchSpace

SPACE = load_shipped("ofa-mobilenetv3")
# (width, stride, activation, squeeze-and-excitation) of the published stages.
STAGES = [
    (24, 2, "relu", False),
    (40, 2, "relu", True),
    (80, 2, "swish", False),
    (112, 1, "swish", True),
    (160, 2, "swish", True),
]


def eights(channels: float) -> int:
    """MobileNet's rounding: to the nearest multiple of 8, never more than 10 % down."""
    down = int(channels + 4) // 8 * 8
    return max(8, down if down >= 0.9 * channels else down + 8)


def published(seed: int = 0) -> dict[str, Tensor]:
    """A randomly initialised dict of exactly the published layout, width 1.0."""
    generator = torch.Generator().manual_seed(seed)
    tensors: dict[str, Tensor] = {}

    def normal(*shape: int) -> Tensor:
        fan = max(1, int(torch.tensor(shape[1:]).prod())) if len(shape) > 1 else 1
        return torch.randn(shape, generator=generator) * (2 / fan) ** 0.5

    def norm(name: str, channels: int) -> None:
        tensors[f"{name}.weight"] = 0.5 + torch.rand(channels, generator=generator)
        tensors[f"{name}.bias"] = 0.1 * normal(channels)
        tensors[f"{name}.running_mean"] = 0.1 * normal(channels)
        tensors[f"{name}.running_var"] = 0.5 + torch.rand(channels, generator=generator)
        tensors[f"{name}.num_batches_tracked"] = torch.tensor(7)

    tensors["first_conv.conv.weight"] = normal(16, 3, 3, 3)
    norm("first_conv.bn", 16)
    first = "blocks.0.mobile_inverted_conv"
    tensors[f"{first}.depth_conv.conv.weight"] = normal(16, 1, 3, 3)
    norm(f"{first}.depth_conv.bn", 16)
    tensors[f"{first}.point_linear.conv.weight"] = normal(16, 16, 1, 1)
    norm(f"{first}.point_linear.bn", 16)
    index, in_width = 1, 16
    for width, _, _, excitation in STAGES:
        for _ in range(4):
            block, mid = f"blocks.{index}.mobile_inverted_conv", eights(6 * in_width)
            tensors[f"{block}.inverted_bottleneck.conv.conv.weight"] = normal(mid, in_width, 1, 1)
            norm(f"{block}.inverted_bottleneck.bn.bn", mid)
            tensors[f"{block}.depth_conv.conv.conv.weight"] = normal(mid, 1, 7, 7)
            for name, size in (("7to5", 25), ("5to3", 9)):
                noise = 0.1 * torch.randn((size, size), generator=generator)
                tensors[f"{block}.depth_conv.conv.{name}_matrix"] = torch.eye(size) + noise
            norm(f"{block}.depth_conv.bn.bn", mid)
            if excitation:
                hidden = eights(mid // 4)
                fc = f"{block}.depth_conv.se.fc"
                tensors[f"{fc}.reduce.weight"] = normal(hidden, mid, 1, 1)
                tensors[f"{fc}.reduce.bias"] = normal(hidden)
                tensors[f"{fc}.expand.weight"] = normal(mid, hidden, 1, 1)
                tensors[f"{fc}.expand.bias"] = normal(mid)
            tensors[f"{block}.point_linear.conv.conv.weight"] = normal(width, mid, 1, 1)
            norm(f"{block}.point_linear.bn.bn", width)
            index, in_width = index + 1, width
    tensors["final_expand_layer.conv.weight"] = normal(960, 160, 1, 1)
    norm("final_expand_layer.bn", 960)
    tensors["feature_mix_layer.conv.weight"] = normal(1280, 960, 1, 1)
    tensors["classifier.linear.weight"] = normal(1000, 1280)
    tensors["classifier.linear.bias"] = normal(1000)
    return tensors


def swish(x: Tensor) -> Tensor:
    return x * (x + 3).clamp(0, 6) / 6


def reference(weights: dict[str, Tensor], architecture: Architecture, x: Tensor) -> Tensor:
    """The published network's logits, from the description in the paper."""

    def norm(x: Tensor, name: str) -> Tensor:
        part = {
            k: weights[f"{name}.{k}"][: x.shape[1]].view(1, -1, 1, 1)
            for k in ("weight", "bias", "running_mean", "running_var")
        }
        scaled = (x - part["running_mean"]) / (part["running_var"] + 1e-5).sqrt()
        return scaled * part["weight"] + part["bias"]

    def depthwise(x: Tensor, weight: Tensor, stride: int) -> Tensor:
        weight = weight[: x.shape[1]]
        return F.conv2d(x, weight, None, stride, weight.shape[-1] // 2, 1, x.shape[1])

    def shrunk(weight: Tensor, matrix: Tensor) -> Tensor:
        size = round(len(matrix) ** 0.5)
        centre = weight[..., 1:-1, 1:-1].reshape(len(weight), size * size)
        return torch.einsum("cs,ts->ct", centre, matrix).view(-1, 1, size, size)

    conv = F.conv2d(x, weights["first_conv.conv.weight"], None, 2, 1)
    x = swish(norm(conv, "first_conv.bn"))
    first = "blocks.0.mobile_inverted_conv"
    y = depthwise(x, weights[f"{first}.depth_conv.conv.weight"], 1)
    y = norm(y, f"{first}.depth_conv.bn").relu()
    y = F.conv2d(y, weights[f"{first}.point_linear.conv.weight"])
    x = x + norm(y, f"{first}.point_linear.bn")
    for stage, (width, stage_stride, name, excitation) in enumerate(STAGES, start=1):
        activation = swish if name == "swish" else torch.relu
        for place in range(1, int(architecture[f"s{stage}_depth"]) + 1):
            block = f"blocks.{4 * (stage - 1) + place}.mobile_inverted_conv"
            kernel = architecture[f"s{stage}b{place}_kernel"]
            mid = eights(x.shape[1] * int(architecture[f"s{stage}b{place}_expand"]))
            stride = stage_stride if place == 1 else 1
            y = F.conv2d(x, weights[f"{block}.inverted_bottleneck.conv.conv.weight"][:mid])
            y = activation(norm(y, f"{block}.inverted_bottleneck.bn.bn"))
            weight = weights[f"{block}.depth_conv.conv.conv.weight"][:mid]
            if kernel != 7:
                weight = shrunk(weight, weights[f"{block}.depth_conv.conv.7to5_matrix"])
            if kernel == 3:
                weight = shrunk(weight, weights[f"{block}.depth_conv.conv.5to3_matrix"])
            y = activation(norm(depthwise(y, weight, stride), f"{block}.depth_conv.bn.bn"))
            if excitation:
                hidden, fc = eights(mid // 4), f"{block}.depth_conv.se.fc"
                gate = y.mean((2, 3))
                reduce = weights[f"{fc}.reduce.weight"][:hidden, :mid, 0, 0]
                gate = (gate @ reduce.T + weights[f"{fc}.reduce.bias"][:hidden]).relu()
                expand = weights[f"{fc}.expand.weight"][:mid, :hidden, 0, 0]
                gate = gate @ expand.T + weights[f"{fc}.expand.bias"][:mid]
                y = y * ((gate + 3).clamp(0, 6) / 6)[:, :, None, None]
            y = F.conv2d(y, weights[f"{block}.point_linear.conv.conv.weight"][:, :mid])
            y = norm(y, f"{block}.point_linear.bn.bn")
            x = x + y if stride == 1 and x.shape[1] == width else y
    x = F.conv2d(x, weights["final_expand_layer.conv.weight"])
    x = swish(norm(x, "final_expand_layer.bn")).mean((2, 3))
    x = swish(x @ weights["feature_mix_layer.conv.weight"][:, :, 0, 0].T)
    return x @ weights["classifier.linear.weight"].T + weights["classifier.linear.bias"]


@pytest.fixture(scope="module")
def weights() -> dict[str, Tensor]:
    return published()


@pytest.fixture(scope="module")
def supernet(weights):
    return supernet_from_once_for_all(weights, SPACE)


def architectures() -> list[Architecture]:
    # A first block of stage 2 with expand 3 has 72 channels, where MobileNet's rule shows.
    narrow = {**SPACE.extreme("largest").to_dict(), "s2b1_expand": 3, "resolution": 128}
    return [
        *(SPACE.extreme(which) for which in ("smallest", "largest")),
        SPACE.architecture(narrow),
        *SPACE.sample(4, seed=0, by="decisions"),
    ]


@pytest.fixture
def double() -> Iterator[None]:
    """Double precision, in which a difference is one of meaning: a random network of 20 blocks
    amplifies single precision's rounding to some 1e-4 of its logits."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("architecture", architectures(), ids=lambda a: a.id)
@torch.no_grad()
def test_subnets_give_the_published_networks_logits(weights, supernet, architecture, double):
    side = int(architecture["resolution"])
    x = torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(1))
    expected = reference({n: t.double() for n, t in weights.items()}, architecture, x)
    # Logits of random weights are of any size; differences count against their spread.
    scale = expected.std()
    supernet = copy.deepcopy(supernet).double()
    assert (supernet(x, architecture) - expected).abs().max() <= 1e-9 * scale
    assert (supernet.extract(architecture)(x) - expected).abs().max() <= 1e-9 * scale
    assert expected.std(dim=0).mean() > 1e-6 * scale  # the images do make a difference


@pytest.mark.parametrize(
    ("wrapped", "plain"),
    [
        (".mobile_inverted_conv.", ".conv."),
        (".bn.bn.", ".bn."),
        (".conv.conv.weight", ".conv.weight"),
        ("classifier.linear.", "classifier.linear.linear."),
    ],
)
def test_every_spelling_of_the_names_is_read(weights, supernet, wrapped, plain):
    renamed = {name.replace(wrapped, plain): tensor for name, tensor in weights.items()}
    assert renamed.keys() != weights.keys()
    again = supernet_from_once_for_all(renamed, SPACE).state_dict()
    assert all(tensor.equal(again[name]) for name, tensor in supernet.state_dict().items())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda w: w.pop("first_conv.conv.weight"),
            r"lack 1 of [0-9]+ tensors: 'first_conv.conv.weight' \(16×3×3×3\); name the space",
        ),
        (
            lambda w: w.update({"classifier.linear.bias": torch.zeros(10)}),
            r"1 of .* of another shape: 'classifier.linear.bias' \(10 in place of 1000\)",
        ),
        (
            lambda w: w.update({"blocks.21.conv.bn.weight": torch.zeros(1)}),
            r"1 of .* too many: 'blocks.21.conv.bn.weight' \(1\)",
        ),
        (lambda w: [w.pop(n) for n in list(w) if n.endswith("_matrix")], "have no kernel matrices"),
        (lambda w: w.update({"input_stem.0.conv.weight": w["first_conv.conv.weight"]}), "residual"),
    ],
)
def test_what_does_not_fit_is_named(weights, change, words):
    wrong = dict(weights)
    change(wrong)
    with pytest.raises(InvalidInput, match=words):
        supernet_from_once_for_all(wrong, SPACE)


PROXYLESS = space_from_dict(
    tiny_document(
        input_channels=3, stem_width=8, first_width=4, activation="relu6", feature_width=0,
        norm_epsilon=1e-3,
        stages=[
            {"width": 8, "stride": 2, "depths": [1, 2], "kernels": [3, 5], "expands": [2, 3],
             "squeeze_excitation": False, "activation": "relu6"},
            {"width": 12, "stride": 1, "depths": [1], "kernels": [3, 5], "expands": [2, 3],
             "squeeze_excitation": False, "activation": "relu6"},
        ],
    )
)  # fmt: skip


@torch.no_grad()
def test_the_layout_of_proxylessnas_gives_its_networks_logits(double):
    """Without a layer after the pooling, and with what its norms add to variances, wrapped as
    DataParallel does; against a forward pass that knows the published names alone."""
    generator = torch.Generator().manual_seed(0)
    weights: dict[str, Tensor] = {}

    def convolved(name: str, *shape: int) -> None:
        weights[f"{name}.conv.weight"] = torch.randn(shape, generator=generator)
        for part in ("weight", "bias", "running_mean", "running_var"):
            weights[f"{name}.bn.{part}"] = 0.001 + torch.rand(shape[0], generator=generator) / 50

    convolved("first_conv", 8, 3, 3, 3)
    convolved("blocks.0.conv.depth_conv", 8, 1, 3, 3)
    convolved("blocks.0.conv.point_linear", 4, 8, 1, 1)
    for number, (read, out) in enumerate(((4, 8), (8, 8), (8, 12)), start=1):
        block = f"blocks.{number}.conv"
        convolved(f"{block}.inverted_bottleneck", 3 * read, read, 1, 1)
        convolved(f"{block}.depth_conv", 3 * read, 1, 5, 5)
        matrix = torch.eye(9) + torch.randn((9, 9), generator=generator) / 10
        weights[f"{block}.depth_conv.conv.5to3_matrix"] = matrix
        convolved(f"{block}.point_linear", out, 3 * read, 1, 1)
    settings = settings_of(PROXYLESS)
    convolved("feature_mix_layer", settings.head_width, 12, 1, 1)
    weights["classifier.linear.weight"] = torch.randn(settings.classes, settings.head_width)
    weights["classifier.linear.bias"] = torch.randn(settings.classes)

    def layer(x: Tensor, name: str, made: int, stride: int = 1, kernel: int = 0) -> Tensor:
        weight = weights[f"{name}.conv.weight"][:made]
        groups = made if "depth_conv" in name else 1
        weight = weight if groups > 1 else weight[:, : x.shape[1]]
        if kernel == 3 and weight.shape[-1] == 5:
            inner = weight[..., 1:-1, 1:-1].reshape(made, 9)
            weight = (inner @ weights[f"{name}.conv.5to3_matrix"].T).view(made, 1, 3, 3)
        x = F.conv2d(x, weight, None, stride, weight.shape[-1] // 2, 1, groups)
        scale, shift, mean, variance = (
            weights[f"{name}.bn.{part}"][:made].view(1, -1, 1, 1)
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        return (x - mean) / (variance + 1e-3).sqrt() * scale + shift

    def logits(x: Tensor, architecture: Architecture) -> Tensor:
        x = layer(x, "first_conv", 8, settings.stem_stride).clamp(0, 6)
        x = layer(x, "blocks.0.conv.depth_conv", 8).clamp(0, 6)
        x = layer(x, "blocks.0.conv.point_linear", 4)
        for number, slot in enumerate(("s1b1", "s1b2", "s2b1"), start=1):
            if f"{slot}_kernel" not in architecture:
                continue
            block, kernel = f"blocks.{number}.conv", architecture[f"{slot}_kernel"]
            made = x.shape[1] * architecture[f"{slot}_expand"]
            y = layer(x, f"{block}.inverted_bottleneck", made).clamp(0, 6)
            y = layer(y, f"{block}.depth_conv", made, 2 if slot == "s1b1" else 1, kernel)
            y = layer(y.clamp(0, 6), f"{block}.point_linear", 12 if slot == "s2b1" else 8)
            x = x + y if slot == "s1b2" else y
        x = layer(x, "feature_mix_layer", settings.head_width).clamp(0, 6).mean((2, 3))
        return x @ weights["classifier.linear.weight"].T + weights["classifier.linear.bias"]

    wrapped = {f"module.{name}": tensor for name, tensor in weights.items()}
    supernet = supernet_from_once_for_all(wrapped, PROXYLESS).double()
    # The weights came as they are stored, in single precision.
    weights = {name: tensor.float().double() for name, tensor in weights.items()}
    for architecture in PROXYLESS.sample(5, seed=0):
        x = torch.randn(2, *supernet.input_shape(architecture))
        expected = logits(x, architecture)
        for found in (supernet(x, architecture), supernet.extract(architecture)(x)):
            assert (found - expected).abs().max() <= 1e-9 * expected.abs().max()
    with pytest.raises(InvalidInput, match="lack .*'first_conv.conv.weight'"):
        supernet_from_once_for_all({"fc.weight": torch.zeros(3)} | _matrix(), PROXYLESS)


def _matrix() -> dict[str, Tensor]:
    return {"blocks.1.conv.depth_conv.conv.5to3_matrix": torch.eye(9)}


def test_a_space_of_other_activations_and_rounding_is_the_old_one():
    """The two fields that the layout needs are optional, and change nothing when left out."""
    settings = settings_of(space_from_dict(tiny_document()))
    assert settings.first_activation == settings.activation and not settings.mobilenet_squeeze
    with pytest.raises(InvalidInput, match="'first_activation' is 'gelu'"):
        space_from_dict(tiny_document(first_activation="gelu"))
    with pytest.raises(InvalidInput, match="'mobilenet_squeeze' must be true or false"):
        space_from_dict(tiny_document(mobilenet_squeeze=1))
    with pytest.raises(InvalidInput, match="'norm_epsilon' must be a number above 0"):
        space_from_dict(tiny_document(norm_epsilon=True))


def test_the_shipped_space_is_the_published_one():
    assert isinstance(SPACE, SearchSpace)
    assert SPACE.group_size("s1") == 9**2 + 9**3 + 9**4
