from hypothesis import given
from hypothesis import strategies as st

from foxnas_core.space import called
from foxnas_core.space.called import name_of


def test_words_are_each_there_once():
    for words in (called._FIRST, called._SECOND):
        assert len(words) == len(set(words)) == 64


def test_a_name_is_the_same_at_all_times():
    assert name_of("1bec546b42d1") == name_of("1bec546b42d1") == "sleek swan"


@given(st.text())
def test_any_id_has_a_name_of_two_words_and_stays_beside_it(subnet):
    first, second = name_of(subnet).split(" ")
    assert first in called._FIRST and second in called._SECOND
    assert called.called(subnet) == f"{first} {second} · {subnet}"


def test_names_are_spread_over_all_pairs():
    names = {name_of(f"{number:012x}") for number in range(20_000)}
    assert len(names) > 0.98 * 64 * 64
