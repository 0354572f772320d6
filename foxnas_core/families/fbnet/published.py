"""How HW-NAS-Bench's published files call the blocks of FBNet's networks."""

from foxnas_core.families.fbnet.space import (
    CHANNELS,
    OPERATIONS,
    SKIP,
    STEM,
    Configuration,
    LayerPlan,
    block_name,
    ends,
    layer_plans,
    parse_operation,
)


def published_keys(how: Configuration) -> dict[str, str]:
    """The published key of each block, by its name."""
    plans = layer_plans(how)
    last = plans[-1].side // plans[-1].stride
    first = _key("ConvNorm", how.side, 3, STEM, kernel=3, stride=how.stem_stride, group=1)
    after = (
        _key("ConvNorm", last, CHANNELS[-1], how.header, kernel=1, stride=1, group=1),
        _key("AvgP", last, how.header, how.header, kernel=last, stride=1),
        f"FC_Cin{how.header}_Cout{how.classes}",
    )
    layers = {block_name(op, plan): _layer(op, plan) for plan in plans for op in OPERATIONS}
    return dict(zip(ends(how).values(), (first, *after), strict=True)) | layers


def _layer(operation: str, plan: LayerPlan) -> str:
    around = plan.side, plan.in_channels, plan.out_channels
    if operation == SKIP:
        return _key("Skip", *around, stride=plan.stride)
    kernel, expand, groups = parse_operation(operation)
    return _key("ConvBlock", *around, exp=expand, kernel=kernel, stride=plan.stride, group=groups)


def _key(kind: str, side: int, in_channels: int, out_channels: int, **more: int) -> str:
    told = {"H": side, "W": side, "Cin": in_channels, "Cout": out_channels, **more}
    return "_".join([kind, *(f"{name}{value}" for name, value in told.items())])
