import dataclasses

import pytest

from foxnas_core.space.architecture import Architecture


def test_equal_choices_are_equal_hash_equal_and_share_an_id():
    one = Architecture((("a", 1), ("b", "x")))
    two = Architecture.from_mapping({"a": 1, "b": "x"})
    assert one == two and hash(one) == hash(two) and one.id == two.id


def test_id_does_not_depend_on_the_order_of_choices():
    assert Architecture((("a", 1), ("b", 2))).id == Architecture((("b", 2), ("a", 1))).id


def test_id_tells_choices_apart():
    ids = {Architecture((("a", value),)).id for value in (1, 2, "1", "2")}
    assert len(ids) == 4


def test_round_trip_through_a_dictionary():
    architecture = Architecture((("a", 1), ("b", "x")))
    assert Architecture.from_mapping(architecture.to_dict()) == architecture


def test_reads_like_a_mapping_and_is_frozen():
    architecture = Architecture((("a", 1),))
    assert architecture["a"] == 1
    assert "a" in architecture and "b" not in architecture
    assert architecture.get("b") is None and architecture.get("b", 7) == 7
    assert list(architecture) == ["a"]
    with pytest.raises(dataclasses.FrozenInstanceError):
        architecture.choices = ()  # type: ignore[misc]
