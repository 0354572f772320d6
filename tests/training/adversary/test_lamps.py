"""What each lamp says, and which sentence a collapsed game ends with."""

import pytest

from foxnas_core.training.adversary.lamps import RULES, collapse, lamps_of, said_of

SANE = {"change": [0.2], "meaning": [0.95], "transport": [3.0], "diversity": [1.0], "harder": [0.3]}


def test_a_sane_game_has_all_lamps_on():
    lamps = lamps_of(SANE)
    assert [lamp.name for lamp in lamps] == list(RULES)
    assert said_of(lamps).startswith("all 5 lamps are on: ")
    assert collapse(lamps) is None and all(lamp.to_dict()["on"] for lamp in lamps)


@pytest.mark.parametrize("name", RULES)
def test_the_one_that_is_out_is_named_with_what_to_change(name):
    out = SANE | {name: [RULES[name].least - 0.01]}
    said = collapse(lamps_of(out))
    assert f"lamp '{name}'" in said and said.endswith(f"{RULES[name].advice}.")
    assert [lamp.is_on for lamp in lamps_of(out)].count(False) == 1


def test_what_is_no_number_is_out_and_not_told():
    lamps = lamps_of(SANE | {"transport": []})
    assert not lamps[2].is_on and lamps[2].to_dict()["value"] is None
    said = said_of(lamps)
    assert said.startswith("transport of 5 lamps is out: change 0.20 (at least 0.1)")
    assert "transport not told" in said and "nan" not in said
