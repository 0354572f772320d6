"""The layers of FBNet (Wu et al., arXiv 1812.03443) as HW-NAS-Bench (arXiv 2103.10584) has them:
22 layers in seven stages, each with one of nine operations, for CIFAR-100 or for ImageNet.

Layer 0 is the slot and the decision `layer00`; a stage is a group. An operation `k5_e6` is an
inverted residual block of kernel 5 that expands sixfold; `_g2` has its pointwise convolutions in
two groups; `skip` hands its input on, by a 1×1 convolution where stride or channels change.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from foxnas_core.errors import InvalidInput
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.decisions import Decision
from foxnas_core.space.search_space import SearchSpace

SKIP = "skip"
OPERATIONS = (
    "k3_e1", "k3_e1_g2", "k3_e3", "k3_e6", "k5_e1", "k5_e1_g2", "k5_e3", "k5_e6", SKIP,
)  # fmt: skip
STAGES = (1, 4, 4, 4, 4, 4, 1)
CHANNELS = (16, 24, 32, 64, 112, 184, 352)
LAYERS = sum(STAGES)
STEM = 16


@dataclass(frozen=True)
class Configuration:
    """The network around the layers: `side` of its image in pixels, `classes`, the stride of the
    stem and of each stage's first layer, and the width of the header."""

    side: int
    classes: int
    stem_stride: int
    strides: tuple[int, ...]
    header: int


CONFIGURATIONS = {
    "cifar100": Configuration(32, 100, 1, (1, 1, 2, 2, 1, 2, 1), 1504),
    "imagenet": Configuration(224, 1000, 2, (1, 2, 2, 2, 1, 2, 1), 1984),
}


# What HW-NAS-Bench calls them.
DATASETS = {"cifar100": "cifar100", "imagenet": "ImageNet"}


@dataclass(frozen=True)
class LayerPlan:
    """One layer: what comes in, `side` pixels each way of `in_channels`, and what goes out."""

    side: int
    in_channels: int
    out_channels: int
    stride: int


def layer_plans(configuration: Configuration) -> tuple[LayerPlan, ...]:
    """The 22 layers, whatever operation each has."""
    side, channels, plans = configuration.side // configuration.stem_stride, STEM, []
    for layers, width, stride in zip(STAGES, CHANNELS, configuration.strides, strict=True):
        for layer in range(layers):
            plan = LayerPlan(side, channels, width, 1 if layer else stride)
            plans.append(plan)
            side, channels = side // plan.stride, width
    return tuple(plans)


def configuration_of(space: SearchSpace) -> Configuration:
    return CONFIGURATIONS[space.settings["dataset"]]


def space_from_settings(name: str, settings: Mapping[str, Any]) -> SearchSpace:
    """The search space of a settings document of one field, `dataset`: "cifar100" or "imagenet".

    Raises `InvalidInput` naming the wrong field.
    """
    known = ", ".join(CONFIGURATIONS)
    for field in settings:
        if field != "dataset":
            raise InvalidInput(f"Space {name!r} has the unknown field {field!r}; known: dataset.")
    dataset = settings.get("dataset")
    if not isinstance(dataset, str) or dataset not in CONFIGURATIONS:
        raise InvalidInput(f"'dataset' of space {name!r} must be one of {known}, not {dataset!r}.")
    layers = iter(range(LAYERS))
    decisions = tuple(
        Decision(slot, f"stage{stage}", "operation", OPERATIONS, slot)
        for stage, count in enumerate(STAGES, 1)
        for slot in (layer_name(next(layers)) for _ in range(count))
    )
    return SearchSpace(name, "fbnet", decisions, settings_json=json.dumps({"dataset": dataset}))


def block_name(operation: str, plan: LayerPlan) -> str:
    """What a layer with an operation is, in words that are the same of equal ones alone."""
    stride = f", stride {plan.stride}" if plan.stride > 1 else ""
    return f"{operation}, {plan.in_channels} to {plan.out_channels} at {plan.side} px{stride}"


def ends(configuration: Configuration) -> dict[str, str]:
    """What stands before the layers, and after them, by its place: what it is, in words."""
    how, last = configuration, layer_plans(configuration)[-1]
    side = last.side // last.stride
    return {
        "stem": f"stem, 3 to {STEM} at {how.side} px, stride {how.stem_stride}",
        "header": f"header, {CHANNELS[-1]} to {how.header} at {side} px",
        "pooling": f"pooling, {how.header} at {side} px",
        "classifier": f"classifier, {how.header} to {how.classes}",
    }


def layer_name(layer: int) -> str:
    return f"layer{layer:02}"


def operations_of(architecture: Architecture) -> tuple[str, ...]:
    """The operation of each layer."""
    return tuple(str(architecture[layer_name(layer)]) for layer in range(LAYERS))


def parse_operation(operation: str) -> tuple[int, int, int]:
    """Kernel, expand ratio and groups of an operation other than `skip`."""
    kernel, expand, *groups = (int(part[1:]) for part in operation.split("_"))
    return kernel, expand, groups[0] if groups else 1


def network_of(space: SearchSpace, operations: Sequence[str]) -> Architecture:
    """The architecture with these operations, layer by layer."""
    return space.architecture({layer_name(n): op for n, op in enumerate(operations)})


def parse_operations(text: str) -> tuple[str, ...]:
    """The 22 operations written by name or by number, with commas or spaces between them, in
    brackets or not.

    Raises `InvalidInput` saying what is wrong.
    """
    written = re.split(r"[\s,]+", text.strip().strip("[]()").strip(" ,"))
    if len(written) != LAYERS:
        raise InvalidInput(
            f"{text!r:.80} are no {LAYERS} operations; write them by name or number with commas "
            f"between them, such as {OPERATIONS[0]} or 0."
        )
    numbers = {str(number): operation for number, operation in enumerate(OPERATIONS)}
    found = tuple(numbers.get(one, one) for one in written)
    for layer, operation in enumerate(found):
        if operation not in OPERATIONS:
            raise InvalidInput(
                f"Layer {layer} is {operation!r:.40}; allowed: {', '.join(OPERATIONS)}, or their "
                f"numbers from 0 to {len(OPERATIONS) - 1}."
            )
    return found
