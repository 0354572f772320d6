import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from conftest import tiny_document
from hand import choice_space
from trust_pairs import begun, pairs_of

from foxnas_core.errors import InvalidInput
from foxnas_core.evidence.trust.pairs import (
    TRUST,
    TrustSettings,
    check_continues,
    spread_sample,
)
from foxnas_core.families import load_shipped, space_from_dict


def test_a_record_comes_back_from_its_document(tiny_space):
    record = replace(begun(tiny_space), pairs=tuple(pairs_of(tiny_space, [1, 2], [3, 4])))
    assert TRUST.value(json.loads(TRUST.text(record))) == record


@pytest.mark.parametrize(
    "broken", [{"format": 2}, {"pairs": [{}]}, {"parents": {}}, {"settings": 0}]
)
def test_what_is_no_record_is_refused(tiny_space, broken):
    with pytest.raises((ValueError, KeyError, TypeError)):
        TRUST.value(TRUST.document(begun(tiny_space)) | broken)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"parents": {"space": "s", "checkpoint": "other"}}, "of checkpoint c, but its checkpoint"),
        ({"settings": TrustSettings(7, 3)}, "for 12 epochs from scratch and 3 of fine-tuning"),
        ({"settings": TrustSettings(12, 4)}, "at 0.1 times the learning rate"),
        ({"dataset": "others"}, "trained on 400 images of stripes, not on 400 of others"),
    ],
)
def test_pairs_of_another_kind_do_not_go_on(tiny_space, change, said):
    record = begun(tiny_space)
    check_continues(record, record)
    with pytest.raises(InvalidInput, match=said):
        check_continues(record, replace(record, **change))


def test_a_sample_takes_each_resolution_in_turn_and_depths_uniformly():
    space = load_shipped("foxnas-mini")
    sample = spread_sample(space, 600, seed=3)
    assert len({a.id for a in sample}) == 600
    assert all(space.is_member(a) for a in sample)
    assert set(Counter(a["resolution"] for a in sample).values()) == {200}
    shares = np.array(list(Counter(a["s2_depth"] for a in sample).values())) / 600
    assert np.abs(shares - 1 / 3).max() < 0.08
    assert spread_sample(space, 10, seed=3) == sample[:10]
    assert spread_sample(space, 10, seed=4) != sample[:10]


def test_a_whole_space_can_be_sampled_and_no_more():
    small = space_from_dict(
        tiny_document(
            stages=[
                {
                    "stride": 2, "depths": [1], "kernels": [3, 5], "expands": [1, 2], "width": 4,
                    "squeeze_excitation": False, "activation": "relu6",
                }
            ]
        )
    )  # fmt: skip
    assert len({a.id for a in spread_sample(small, small.size, seed=0)}) == small.size == 8
    with pytest.raises(InvalidInput, match="has 8 architectures"):
        spread_sample(small, 9, seed=0)


def test_a_space_without_context_is_sampled_too():
    space = choice_space({"a": ("x", "y"), "b": ("x", "y", "z")})
    assert len({a.id for a in spread_sample(space, 6, seed=0)}) == 6
