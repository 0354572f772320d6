import itertools

import numpy as np
import pytest
import torch
from conftest import tiny_document
from weights import randomised

from foxnas_core.errors import InvalidInput
from foxnas_core.families import load_shipped, space_from_dict
from foxnas_core.space.architecture import Architecture


def difference(supernet, architecture) -> float:
    """Greatest difference of the logits, relative to how much they differ between images."""
    subnet = supernet.extract(architecture)
    x = torch.randn(2, *subnet.input_shape)
    with torch.no_grad():
        expected = supernet(x, architecture)
        return float((subnet(x) - expected).abs().max() / expected.std(dim=0).mean())


def test_every_option_of_a_stage_equals_the_masked_supernet(tiny_supernet):
    """Every depth, kernel and expand, in each stage, the other stages at their largest."""
    space = tiny_supernet.space
    largest = space.extreme("largest").to_dict()
    for group in space.groups:
        for option in space.group_options(group):
            others = {k: v for k, v in largest.items() if space.by_name[k].group != group}
            assert difference(tiny_supernet, space.architecture(others | option)) < 1e-3


@pytest.mark.parametrize("name", ["foxnas-cpu", "foxnas-tpu", "foxnas-mini"])
def test_shipped_spaces_extract_exactly(name):
    document = load_shipped(name).to_dict()
    document["resolutions"] = [32]
    space = space_from_dict(document)
    supernet = randomised(space)
    for architecture in space.sample(3, seed=0, by="decisions"):
        assert difference(supernet, architecture) < 1e-3


@pytest.mark.parametrize(
    ("excitation", "first_width", "feature_width"),
    list(itertools.product([False, True], [0, 4], [0, 6])),
)
def test_optional_parts_extract_exactly(excitation, first_width, feature_width):
    document = tiny_document(first_width=first_width, feature_width=feature_width)
    for stage in document["stages"]:
        stage |= {"squeeze_excitation": excitation, "activation": "h_swish"}
    space = space_from_dict(document)
    supernet = randomised(space)
    for architecture in space.sample(4, seed=1):
        assert difference(supernet, architecture) < 1e-3


def test_a_subnet_owns_its_weights(tiny_supernet):
    architecture = tiny_supernet.space.extreme("largest")
    before = {k: v.clone() for k, v in tiny_supernet.state_dict().items()}
    subnet = tiny_supernet.extract(architecture)
    with torch.no_grad():
        for tensor in subnet.state_dict().values():
            tensor.zero_()
    assert all(torch.equal(v, before[k]) for k, v in tiny_supernet.state_dict().items())


def test_a_smaller_subnet_has_fewer_parameters(tiny_supernet):
    counts = [
        sum(p.numel() for p in tiny_supernet.extract(tiny_supernet.space.extreme(w)).parameters())
        for w in ("smallest", "largest")
    ]
    assert counts[0] < counts[1]


def test_an_architecture_of_another_space_is_refused(tiny_supernet):
    with pytest.raises(InvalidInput, match="resolution"):
        tiny_supernet.extract(Architecture((("resolution", np.int64(9)),)))
