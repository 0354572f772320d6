from conftest import tiny_document

from foxnas_core.families import space_from_dict
from foxnas_core.space.in_words import choice_lines

SPACE = space_from_dict(tiny_document())


def test_an_architecture_is_told_group_by_group():
    assert choice_lines(SPACE, SPACE.extreme("smallest")) == [
        "resolution 8",
        "s1: depth 1, kernel 3, expand 1",
        "s2: depth 1, kernel 3, expand 1",
    ]
    both = choice_lines(SPACE, SPACE.extreme("largest"))
    assert "s2: depth 2, kernel 5 5, expand 2 2" in both
