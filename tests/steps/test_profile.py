import pytest

from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.steps.profile import profile_subnet, subnet_layers
from foxnas_core.study import create_study


def test_layers_need_no_weights_where_the_space_says_what_it_builds(tiny_study, tmp_path):
    space = tiny_study.space
    bare = create_study(tmp_path / "bare", space, name="Bare")
    for which in ("smallest", "largest"):
        one = space.extreme(which)
        assert subnet_layers(bare, one) == subnet_layers(tiny_study, one)
    with pytest.raises(MissingPart, match="no supernet weights"):
        profile_subnet(bare, space.extreme("smallest"))


def test_layers_of_listed_decisions_are_not_guessed(cells):
    with pytest.raises(MissingPart, match="without saying what network they make"):
        subnet_layers(cells, cells.space.sample(1, seed=0)[0])


def test_a_profile_is_of_one_of_the_precisions(tiny_study):
    with pytest.raises(InvalidInput, match="'int4' is no precision; choose fp32 or int8"):
        profile_subnet(tiny_study, tiny_study.space.extreme("smallest"), "int4")
