import warnings
from dataclasses import replace

import numpy as np
import pytest
from conftest import tiny_document
from hand import hand_space, noisy_table, rows, same, table_of
from hypothesis import given
from hypothesis import strategies as st

from foxnas_core.errors import InvalidInput
from foxnas_core.families import space_from_dict
from foxnas_core.table.measurements import empty_table, table_from_frame

SPACE = hand_space()
TINY = space_from_dict(tiny_document())


# What a table is


@pytest.mark.parametrize("device", ["a\nb", "a\0", "x" * 100_000])
def test_what_no_list_could_show_names_no_column(device: str) -> None:
    with pytest.raises(InvalidInput, match="The table names a column .*(leave|take a name of)"):
        table_from_frame(SPACE, rows(**{f"latency_ms:{device}": [1.0, 2.0]}))


def test_a_subnet_is_found_by_its_id() -> None:
    table = noisy_table(SPACE, 30)
    for architecture in table.architectures():
        assert table.measured(architecture.id) == architecture


def test_rows_become_codes_ids_and_targets() -> None:
    table = table_from_frame(SPACE, rows(note=["a", "b"], accuracy_std_error=[0.1, 0.2]))
    assert table.codes.tolist() == [[0, 0, -1, 2], [1, 1, 2, 0]]
    expected = [
        SPACE.architecture({"p_depth": 1, "p1_kernel": 3, "q1_kernel": 7}),
        SPACE.architecture({"p_depth": 2, "p1_kernel": 5, "p2_kernel": 7, "q1_kernel": 3}),
    ]
    assert table.architectures() == expected
    assert table.frame["id"].tolist() == [architecture.id for architecture in expected]
    assert [target.column for target in table.targets] == ["accuracy", "latency_ms"]
    assert [*table.frame.columns] == [
        "id", "p_depth", "p1_kernel", "p2_kernel", "q1_kernel",
        "accuracy", "accuracy_std_error", "latency_ms", "note",
    ]  # fmt: skip
    assert table.values("latency_ms").tolist() == [1.5, 2.5]
    assert table.frame["p2_kernel"].isna().tolist() == [True, False]
    assert len(table) == 2


@given(st.integers(0, 2**32 - 1), st.integers(1, 20))
def test_any_architectures_come_back_from_their_columns(seed: int, count: int) -> None:
    codes = TINY.random_codes(count, seed=seed)
    table = table_of(TINY, codes, accuracy=np.full(count, 70.0))
    np.testing.assert_array_equal(table.codes, codes)
    assert table.architectures() == TINY.decode(codes)


def test_an_unknown_target_is_refused_with_those_there_are() -> None:
    table = table_from_frame(SPACE, rows())
    with pytest.raises(InvalidInput, match="no target 'macs'; it has accuracy, latency_ms"):
        table.values("macs")
    with pytest.raises(InvalidInput, match="it has none yet"):
        empty_table(SPACE).values("accuracy")


def test_the_fingerprint_is_of_what_a_fit_reads() -> None:
    table = table_from_frame(SPACE, rows())
    assert table.fingerprint == table_from_frame(SPACE, rows(note="x")).fingerprint
    others = [
        table_from_frame(SPACE, rows(accuracy=[70.5, 71.1])),
        table_from_frame(SPACE, rows(p1_kernel=[3, 3])),
        table_from_frame(SPACE, rows(), ordered=False),
        table_from_frame(SPACE, rows().rename(columns={"latency_ms": "latency_ms:phone"})),
        table_from_frame(hand_space(resolutions=(8, 16)), rows(resolution=8)),
    ]
    assert len({other.fingerprint for other in others} - {table.fingerprint}) == len(others)


# Round trips


# Appending


def test_appended_rows_follow_the_old_ones() -> None:
    table = table_from_frame(SPACE, rows(note="old"), record={"one": 1})
    longer = table.with_rows(rows(macs=[5.0, 6.0], accuracy=[60.0, 61.0]), record={"two": 2})
    assert longer.values("accuracy").tolist() == [70.5, 71.0, 60.0, 61.0]
    assert longer.values("macs")[2:].tolist() == [5.0, 6.0]
    assert np.isnan(longer.values("macs")[:2]).all()
    assert longer.frame["note"].isna().tolist() == [False, False, True, True]
    assert longer.architectures() == table.architectures() * 2
    assert (dict(longer.record), dict(table.record)) == ({"two": 2}, {"one": 1})
    assert len(table) == 2
    assert dict(table.with_rows(rows()).record) == {"one": 1}


def test_appending_in_parts_equals_building_at_once() -> None:
    whole = noisy_table(TINY, 20)
    frame = whole.frame.drop(columns="id")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        parts = empty_table(TINY).with_rows(frame[:7]).with_rows(frame[7:])
        assert same(parts.with_rows(frame[:0]), whole)


def test_appending_another_kind_of_values_is_refused() -> None:
    table = table_from_frame(SPACE, rows(note=["a", "b"]))
    with pytest.raises(InvalidInput, match="another kind of values .* in 'note' than the table"):
        table.with_rows(rows(note=[1, 2]))


def test_appending_to_a_table_of_unknown_order_keeps_it_so() -> None:
    table = table_from_frame(SPACE, rows(), ordered=False)
    assert not table.with_rows(rows()).ordered


def test_a_wrong_row_is_named_and_nothing_is_appended() -> None:
    table = table_from_frame(SPACE, rows())
    with pytest.raises(InvalidInput, match="The new rows, row 2, 'p1_kernel' is 4; allowed: 3, 5"):
        table.with_rows(rows(p1_kernel=[3, 4]))
    assert len(table) == 2


# What does not fit


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"p1_kernel": [3, 4]}, "row 1, 'p1_kernel' is 4; allowed: 3, 5, 7."),
        ({"p1_kernel": [3, None]}, "row 1, has no p1_kernel; allowed: 3, 5, 7."),
        (
            {"p2_kernel": [5, 7]},
            "row 0, has p2_kernel = 5 although p_depth is 1, which leaves it out; leave the cell "
            "empty.",
        ),
        (
            {"p2_kernel": [np.nan, np.nan]},
            "row 1, has no p2_kernel although p_depth is 2; allowed: 3, 5, 7.",
        ),
        (
            {"accuracy": [70.5, 101]},
            "row 1, has accuracy = 101.0; it must be a percentage from 0 to 100.",
        ),
        (
            {"latency_ms": [0.0, 1]},
            "row 0, has latency_ms = 0.0; it must be a finite number above 0.",
        ),
        (
            {"latency_ms": [1, np.inf]},
            "row 1, has latency_ms = inf; it must be a finite number above 0.",
        ),
        (
            {"latency_ms": [1, np.nan]},
            "row 1, has no latency_ms; measure it again or leave the row out.",
        ),
        (
            {"accuracy:int8": [0.1, -0.1]},
            "row 1, has accuracy:int8 = -0.1; it must be a percentage from 0 to 100.",
        ),
        (
            {"accuracy_drop:int8": [-0.1, 100.5]},
            "row 1, has accuracy_drop:int8 = 100.5; it must be a number from -100 to 100.",
        ),
        (
            {"accuracy_std_error": [0.1, -0.1]},
            "row 1, has accuracy_std_error = -0.1; it must be a finite number of at least 0.",
        ),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(changes: dict, sentence: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        table_from_frame(SPACE, rows(**changes))
    assert str(caught.value) == f"The table, {sentence}"


def test_a_missing_decision_is_named() -> None:
    with pytest.raises(InvalidInput, match="lacks the column 'q1_kernel' of space 'hand'"):
        table_from_frame(SPACE, rows().drop(columns="q1_kernel"))
    # A column that is nowhere active may be left out.
    shallow = rows()[:1].drop(columns="p2_kernel")
    assert table_from_frame(SPACE, shallow).codes.tolist() == [[0, 0, -1, 2]]


def test_an_id_of_other_choices_is_refused() -> None:
    ids = table_from_frame(SPACE, rows()).frame["id"]
    assert len(table_from_frame(SPACE, rows(id=[ids[0], None]))) == 2
    with pytest.raises(InvalidInput, match=f"row 1, has the id '{ids[0]}', but its choices have"):
        table_from_frame(SPACE, rows(id=[ids[0], ids[0]]))


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({}, [False, False, False]),
        ({"campaigns": ["search-1"]}, [False, False, False]),
        ({"campaigns": {"b": "search"}}, [False, False, False]),
        (
            {"campaigns": {"a": {"origin": "design"}, "b": {"origin": "search"}}},
            [False, True, False],
        ),
    ],
)
def test_rows_of_an_origin_are_those_whose_campaign_names_it(record, expected):
    table = noisy_table(hand_space(), 3)
    marked = replace(table, frame=table.frame.assign(campaign=["a", "b", None]), record=record)
    assert marked.of_origin("search").tolist() == expected
    assert replace(table, record=record).of_origin("search").tolist() == [False] * 3
