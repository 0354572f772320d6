"""Layers, their notation, and the settings of a space."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foxnas_core.errors import InvalidInput
from foxnas_core.families import architecture_from_text, family_of, load_shipped, space_from_dict
from foxnas_core.families.fbnet.space import (
    CONFIGURATIONS,
    LAYERS,
    OPERATIONS,
    layer_plans,
    operations_of,
)

SPACE = load_shipped("fbnet-imagenet")


def test_every_layer_chooses_of_nine_in_seven_stages():
    assert SPACE.size == 9**22
    assert [len(SPACE.in_group(group)) for group in SPACE.additive_groups] == [1, 4, 4, 4, 4, 4, 1]
    assert SPACE.slots == tuple(f"layer{n:02}" for n in range(22))


@given(st.lists(st.sampled_from(range(9)), min_size=LAYERS, max_size=LAYERS))
@settings(max_examples=20, deadline=None)
def test_numbers_and_names_are_the_same_network(numbers):
    names = [OPERATIONS[n] for n in numbers]
    found = architecture_from_text(SPACE, str(numbers))
    assert operations_of(found) == tuple(names)
    for text in (
        ", ".join(names),
        " ".join(map(str, numbers)),
        str(tuple(names)).strip("()").replace("'", ""),
    ):
        assert architecture_from_text(SPACE, text) == found
    assert architecture_from_text(SPACE, family_of(SPACE).write(SPACE, found)) == found


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[0, 1]", "are no 22 operations"),
        (str([0] * 23), "are no 22 operations"),
        (str([0] * 21 + [9]), "Layer 21 is '9'"),
        (",".join(["skip"] * 21 + ["k7_e6"]), "Layer 21 is 'k7_e6'; allowed: k3_e1, "),
    ],
)
def test_what_is_no_network_is_refused_in_a_sentence(text, why):
    with pytest.raises(InvalidInput, match=".") as refused:
        architecture_from_text(SPACE, text)
    assert why in str(refused.value)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({}, "must be one of cifar100, imagenet, not None"),
        ({"dataset": "svhn"}, "must be one of cifar100, imagenet, not 'svhn'"),
        ({"dataset": ["imagenet"]}, "must be one of"),
        ({"dataset": "imagenet", "layers": 3}, "unknown field 'layers'; known: dataset"),
    ],
)
def test_settings_that_are_wrong_are_named(more, why):
    with pytest.raises(InvalidInput) as refused:
        space_from_dict({"format": 1, "family": "fbnet", "name": "x"} | more)
    assert why in str(refused.value)


def test_sides_and_widths_are_those_of_the_configurations():
    # HW-NAS-Bench, fbnet_models: the last layer is 4 × 4 of 32 pixels, 7 × 7 of 224.
    for name, side in (("cifar100", 4), ("imagenet", 7)):
        plans = layer_plans(CONFIGURATIONS[name])
        assert len(plans) == LAYERS
        assert (plans[0].in_channels, plans[0].out_channels) == (16, 16)
        last = plans[-1]
        assert (last.side, last.in_channels, last.out_channels, last.stride) == (side, 184, 352, 1)
        for one, following in itertools.pairwise(plans):
            assert following.in_channels == one.out_channels
            assert following.side == one.side // one.stride
