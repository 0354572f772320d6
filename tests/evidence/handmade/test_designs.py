import hypothesis.strategies as st
import pytest
from hypothesis import given

from foxnas_core.errors import InvalidInput
from foxnas_core.evidence.handmade.designs import (
    DESIGNS,
    LEAST_MAP,
    design_named,
    kept_strides,
    plan_of,
)

BLOCKS = {"mobilenet-v2": 17, "mobilenet-v3-small": 11, "efficientnet-lite0": 16}


def small(name: str, width: float, **changes):
    kind = {
        "resolution": 28,
        "stem_stride": 1,
        "input_channels": 1,
        "classes": 10,
        "divisor": 4,
    } | changes
    return plan_of(design_named(name), width, **kind)


def last_map(resolution: int, strides) -> int:
    for stride in strides:
        resolution = -(-resolution // stride)
    return resolution


@given(
    st.lists(st.sampled_from([1, 2]), max_size=12),
    st.integers(LEAST_MAP, 400),
)
def test_strides_are_kept_while_the_map_is_large_enough(strides, resolution):
    kept = kept_strides(strides, resolution)
    assert len(kept) == len(strides)
    assert last_map(resolution, kept) >= LEAST_MAP
    # None is added, and one is dropped only where it would make the map too small.
    for place, (own, former) in enumerate(zip(kept, strides, strict=True)):
        assert own in (1, former)
        before = last_map(resolution, kept[:place])
        assert (own == former) == (former == 1 or -(-before // former) >= LEAST_MAP)


@pytest.mark.parametrize("design", DESIGNS, ids=lambda d: d.name)
def test_all_five_halvings_of_the_papers_are_kept_at_their_size(design):
    plan = plan_of(
        design, 1, resolution=224, stem_stride=2, input_channels=3, classes=1000, divisor=8
    )
    strides = [plan.stem_stride, *(block.stride for block in plan.blocks)]
    assert strides.count(2) == 5 and last_map(224, strides) == 7


@pytest.mark.parametrize("name", BLOCKS)
def test_three_halvings_are_left_for_28_pixels(name):
    plan = small(name, 0.25)
    strides = [plan.stem_stride, *(block.stride for block in plan.blocks)]
    assert plan.stem_stride == 1 and strides.count(2) == 3 and last_map(28, strides) == 4
    assert len(plan.blocks) == BLOCKS[name]


@given(st.sampled_from(list(BLOCKS)), st.floats(0.01, 1.5))
def test_every_width_is_a_multiple_and_blocks_fit_together(name, width):
    plan = small(name, width)
    assert plan.blocks[0].in_width == plan.stem_width
    for block, after in zip(plan.blocks, plan.blocks[1:], strict=False):
        assert block.out_width == after.in_width
    widths = [plan.stem_width, plan.head_width, plan.hidden_width]
    widths += [w for b in plan.blocks for w in (b.in_width, b.mid_width, b.out_width)]
    assert all(w % 4 == 0 for w in widths)
    assert all(w > 0 for w in widths if w is not plan.hidden_width)


def test_mobilenet_v2_at_a_quarter():
    plan = small("mobilenet-v2", 0.25)
    outs = [block.out_width for block in plan.blocks]
    assert outs == [4, *[8] * 5, *[16] * 4, *[24] * 3, *[40] * 3, 80]
    assert (plan.stem_width, plan.head_width, plan.hidden_width) == (8, 320, 0)
    # No expansion in the first block, six times the input in all others.
    assert [b.mid_width // b.in_width for b in plan.blocks] == [1, *[6] * 16]
    assert {b.activation for b in plan.blocks} == {"relu6"}


def test_mobilenet_v3_small_has_its_excitations_and_activations_where_the_table_has_them():
    plan = small("mobilenet-v3-small", 1, divisor=8)
    assert [b.squeeze_excitation for b in plan.blocks] == [True, False, False, *[True] * 8]
    assert [b.activation for b in plan.blocks] == ["relu"] * 3 + ["h_swish"] * 8
    assert [b.mid_width for b in plan.blocks] == [
        16, 72, 88, 96, 240, 240, 120, 144, 288, 576, 576,
    ]  # fmt: skip


def test_what_cannot_be_built_is_one_sentence():
    with pytest.raises(InvalidInput, match="known: mobilenet-v2"):
        design_named("resnet")
    with pytest.raises(InvalidInput, match="above 0, not -1"):
        small("mobilenet-v2", -1)
    with pytest.raises(InvalidInput, match="above 0, not nan"):
        small("mobilenet-v2", float("nan"))
    with pytest.raises(InvalidInput, match="at least 4 pixels"):
        small("mobilenet-v2", 1, resolution=3)
