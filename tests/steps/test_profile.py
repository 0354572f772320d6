import pytest

from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.profiling import profile as profiling
from foxnas_core.steps.profile import (
    NOT_CALIBRATED,
    RANDOM,
    TRAINED,
    profile_subnet,
    subnet_graph,
    subnet_layers,
)
from foxnas_core.study import create_study


def test_layers_need_no_weights_where_the_space_says_what_it_builds(tiny_study, tmp_path):
    space = tiny_study.space
    bare = create_study(tmp_path / "bare", space, name="Bare")
    for which in ("smallest", "largest"):
        one = space.extreme(which)
        assert subnet_layers(bare, one) == subnet_layers(tiny_study, one)
    assert subnet_graph(bare, one).weights == RANDOM
    assert subnet_graph(tiny_study, one).weights == TRAINED
    tiny_study.images_file.unlink()
    assert subnet_graph(tiny_study, one).weights == NOT_CALIBRATED
    with pytest.raises(MissingPart, match="images"):
        profile_subnet(tiny_study, one)


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_time_needs_no_weights_where_the_space_says_what_it_builds(
    tiny_study, tmp_path, monkeypatch, precision
):
    for constant in ("_RUNS", "_PROFILED_RUNS"):
        monkeypatch.setattr(profiling, constant, 12)
    bare = create_study(tmp_path / "bare", tiny_study.space, name="Bare")
    one = bare.space.extreme("largest")
    layers, profile = profile_subnet(bare, one, precision)
    assert {name for row in profile.rows for name in row.layers} == {own.name for own in layers}


def test_layers_of_listed_decisions_are_not_guessed(cells):
    with pytest.raises(MissingPart, match="without saying what network they make"):
        subnet_layers(cells, cells.space.sample(1, seed=0)[0])


def test_a_profile_is_of_one_of_the_precisions(tiny_study):
    with pytest.raises(InvalidInput, match="'int4' is no precision; choose fp32 or int8"):
        profile_subnet(tiny_study, tiny_study.space.extreme("smallest"), "int4")
