import pytest
from hypothesis import given
from hypothesis import strategies as st
from published_cells import published_cells

from foxnas_core.errors import InvalidInput
from foxnas_core.families import family_of, load_shipped, space_from_dict
from foxnas_core.families.nasbench201.space import (
    CELLS,
    OPERATIONS,
    cell_number,
    cell_of,
    cell_string,
    numbered_cells,
    operations_of,
    parse_cell,
)

SPACE = load_shipped("nasbench201")
FAMILY = family_of(SPACE)
CELL = st.tuples(*[st.sampled_from(OPERATIONS)] * 6)


def test_the_space_is_the_published_one():
    assert SPACE.size == CELLS == 15_625
    assert SPACE.groups == ("cell",)
    assert list(SPACE.by_name) == [
        "edge_0_1", "edge_0_2", "edge_1_2", "edge_0_3", "edge_1_3", "edge_2_3",
    ]  # fmt: skip


@given(CELL)
def test_a_cell_survives_its_string_its_number_and_its_architecture(cell):
    assert parse_cell(cell_string(cell)) == cell
    assert parse_cell(str(cell_number(cell))) == cell
    assert operations_of(cell_of(SPACE, cell)) == cell


def test_cells_are_numbered_as_published():
    # arch 0 of the benchmark, and its best cell by CIFAR-10 (HW-NAS-Bench's anchors).
    assert cell_string(numbered_cells()[0]) == (
        "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|"
        "+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|"
    )
    assert len(set(numbered_cells())) == CELLS


@pytest.mark.parametrize(
    "text, words",
    [
        ("15625", "from 0 to 15,624"), ("", "is no cell"), ("none", "is no cell"),
        ("|none~0|+|none~0|none~1|", "is no cell"),
        ("|none~1|+|none~0|none~1|+|none~0|none~1|none~2|", "is no cell"),
        ("|none~0|+|none~1|none~0|+|none~0|none~1|none~2|", "is no cell"),
        ("|sep_conv~0|+|none~0|none~1|+|none~0|none~1|none~2|", "Edge 0 to 1 .* 'sep_conv'"),
    ],
)  # fmt: skip
def test_what_is_no_cell_is_refused(text, words):
    with pytest.raises(InvalidInput, match=words):
        FAMILY.read(SPACE, text)


def test_spaces_round_trip_and_know_their_network():
    wide = space_from_dict({**SPACE.to_dict(), "name": "wide", "channels": 32})
    assert space_from_dict(wide.to_dict()) == wide
    assert wide.fingerprint != SPACE.fingerprint
    bare = {"format": 1, "family": "nasbench201", "name": "bare"}
    assert space_from_dict(bare).fingerprint == SPACE.fingerprint


@pytest.mark.parametrize(
    "field, value", [("channels", 0), ("cells", "5"), ("channels", True), ("depth", 3)]
)
def test_wrong_settings_are_named(field, value):
    with pytest.raises(InvalidInput, match=field):
        space_from_dict({**SPACE.to_dict(), field: value})


def test_the_published_table_has_the_cells_in_this_order():
    assert published_cells()["arch"].tolist() == [cell_string(c) for c in numbered_cells()]
