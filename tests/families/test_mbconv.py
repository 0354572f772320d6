import copy

import pytest
from conftest import tiny_document
from hypothesis import given
from hypothesis import strategies as st

from foxnas_core.errors import InvalidInput
from foxnas_core.families import load_shipped, space_from_dict
from foxnas_core.families.mbconv.space import block_plans, divisible, resolution_of, settings_of

CPU = load_shipped("foxnas-cpu")


def test_published_cpu_space():
    settings = settings_of(CPU)
    assert [s.width for s in settings.stages] == [24, 40, 80, 112, 160]
    assert all(s.depths == (2, 3, 4) for s in settings.stages)
    assert all(s.kernels == (3, 5, 7) and s.expands == (2, 3, 4, 6) for s in settings.stages)
    assert [s.width for s in settings.stages if s.squeeze_excitation] == [40, 112, 160]
    assert settings.stem_width == settings.first_width == 16


def test_published_tpu_space_has_only_quantization_friendly_operators():
    settings = settings_of(load_shipped("foxnas-tpu"))
    assert not any(s.squeeze_excitation for s in settings.stages)
    assert {s.activation for s in settings.stages} == {settings.activation} == {"relu6"}


def test_plans_by_hand():
    choices = {d.name: d.choices[0] for d in CPU.decisions}
    choices |= {"s1_depth": 3, "s1b1_kernel": 5, "s1b1_expand": 6, "s1b3_expand": 4}
    plans = block_plans(settings_of(CPU), CPU.architecture(choices))
    assert [p.slot for p in plans[:4]] == ["s1b1", "s1b2", "s1b3", "s2b1"]
    first, second, third, transition = plans[:4]
    assert (first.in_width, first.mid_width, first.out_width) == (16, 96, 24)
    assert (first.kernel, first.stride, first.residual) == (5, 2, False)
    assert (second.in_width, second.mid_width, second.stride, second.residual) == (24, 48, 1, True)
    assert third.mid_width == 96
    assert (transition.in_width, transition.out_width) == (24, 40)
    assert transition.squeeze_excitation and not first.squeeze_excitation


def test_resolution_is_a_choice_or_the_only_one():
    assert resolution_of(settings_of(CPU), CPU.extreme("smallest")) == 128
    document = CPU.to_dict() | {"resolutions": [256]}
    single = space_from_dict(document)
    assert "resolution" not in single.by_name and single.context == ()
    assert resolution_of(settings_of(single), single.extreme("smallest")) == 256


@given(st.integers(1, 2000), st.integers(1, 16))
def test_divisible_is_a_multiple_not_far_below(channels, divisor):
    rounded = divisible(channels, divisor)
    assert rounded % divisor == 0
    assert rounded >= 0.9 * channels
    assert rounded <= max(divisor, 1.1 * channels + divisor)


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("classes",), 1, "'classes' must be a whole number of at least 2"),
        (("classes",), "ten", "'classes'"),
        (("resolutions",), [32, 16], "'resolutions' must increase"),
        (("resolutions",), [], "'resolutions' must be a list"),
        (("activation",), "gelu", "'activation' is 'gelu'"),
        (("stages",), [], "at least one stage"),
        (("stages", 1, "kernels"), [3, 4], "Stage 2: 'kernels' must be odd"),
        (("stages", 0, "depths"), [0, 1], "'depths' must increase from at least 1"),
        (("stages", 0, "squeeze_excitation"), 1, "true or false"),
        (("stages", 2, "width"), None, "Stage 3 lacks the field 'width'"),
        (("stages", 0, "colour"), 1, "Stage 1 has the unknown field 'colour'"),
        (("stages", 0), 5, "Stage 1 of the space must be a JSON object"),
    ],
)
def test_wrong_settings_are_named(path, value, words):
    document = copy.deepcopy(CPU.to_dict())
    target = document
    for step in path[:-1]:
        target = target[step]
    if value is None:
        del target[path[-1]]
    else:
        target[path[-1]] = value
    with pytest.raises(InvalidInput, match=words):
        space_from_dict(document)


def test_a_space_of_another_family_has_no_settings_of_this_one():
    listed = space_from_dict(
        {
            "format": 1,
            "name": "x",
            "family": "listed",
            "decisions": [{"name": "a", "group": "g", "role": "operation", "choices": [1, 2]}],
        }
    )
    with pytest.raises(InvalidInput, match="'listed'"):
        settings_of(listed)


def test_a_space_that_unfolds_to_more_than_is_built_is_refused():
    """A few bytes that would ask for millions of blocks."""
    document = tiny_document()
    document["stages"][0]["depths"] = [1, 10**9]
    with pytest.raises(InvalidInput, match="'depths' must be at most 100 numbers of at most 90"):
        space_from_dict(document)
    with pytest.raises(InvalidInput, match="at most 100,000, not 1000000000"):
        space_from_dict(tiny_document(stem_width=10**9))
    stages = tiny_document()["stages"]
    with pytest.raises(InvalidInput, match="at least one stage, and at most 100"):
        space_from_dict(tiny_document(stages=stages * 51))
