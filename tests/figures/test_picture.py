import itertools
import json

import pandas as pd
import pytest
from hand import choice_space, hand_space

from foxnas_core.families import family_of, load_shipped, shipped_spaces
from foxnas_core.figures.picture import colour_scale, picture_data, picture_table, role_keys
from foxnas_core.space.editing.cells import cells_of

MINI = load_shipped("foxnas-mini")


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2) of a hexadecimal colour."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_a_cell_shows_its_choices_and_what_differs():
    one = MINI.architecture(
        {d.name: d.choices[0] for d in MINI.decisions} | {"s1_depth": 2, "s1b2_kernel": 7}
    )
    table = picture_table(MINI, one, MINI.extreme("smallest")).set_index("cell")
    assert table.loc["input", ["row", "words", "text"]].tolist() == [
        "Input", "resolution 12", "12 px",
    ]  # fmt: skip
    assert table.loc["s1", "words"] == "depth 2"
    own = table.loc["s1b2"]
    assert (own["row"], own["column"], own["text"]) == ("Stage 1", "block 2", "k7 e1")
    assert own["words"] == "kernel 7, expand 1"
    assert own["kernel"] == 7 and own["colour"] == colour_scale(MINI)[1][1]
    off = table.loc["s1b3"]
    assert (off["on"], off["words"], off["colour"]) == (False, "off", "")
    assert pd.isna(off["kernel"])
    assert table.index[table["differs"]].tolist() == ["s1", "s1b2"]


def test_without_another_nothing_differs():
    assert not picture_table(MINI, MINI.extreme("largest"))["differs"].any()


@pytest.mark.parametrize("name", shipped_spaces())
def test_what_is_drawn_has_every_cell_and_is_plain(name):
    space = load_shipped(name)
    family = family_of(space)
    drawn = tuple(family.extremes(space).values()) or (family.reference(space),)
    data = picture_data(space, *drawn, selected=["s1b1"])
    assert json.loads(json.dumps(data)) == data
    names = [cell["name"] for group in data["groups"] for cell in group["cells"]]
    # A graph has the edges of one architecture.
    seen = [c for c in cells_of(space) if not (data["graphs"] and c.slot) or c.is_on(drawn[0])]
    assert names == [cell.name for cell in seen]
    assert data["selected"] == ["s1b1"]
    roles = [decision.role for decision in space.decisions]
    assert data["colourRole"] == ("expand" if "expand" in roles else roles[0])
    assert [group["isFlat"] for group in data["groups"]] == [
        group in space.context for group in space.groups
    ]


@pytest.mark.parametrize("name", shipped_spaces())
def test_colours_can_be_told_apart_and_words_on_them_be_read(name):
    space = load_shipped(name)
    data = picture_data(space, family_of(space).reference(space))
    levels = [luminance(entry["colour"]) for entry in data["colours"]]
    assert len(set(levels)) == len(levels) > 1
    if space.is_sized:
        assert levels == sorted(levels, reverse=True)
        for one, other in itertools.pairwise(levels):
            assert (one + 0.05) / (other + 0.05) > 1.3
    for entry in data["colours"]:
        pair = sorted((luminance(entry["colour"]), luminance(entry["ink"])))
        assert (pair[1] + 0.05) / (pair[0] + 0.05) >= 4.5


def test_operations_are_told_in_words_and_by_colour():
    space = choice_space({"a": ("none", "skip"), "b": ("none", "conv")})
    table = picture_table(space, space.architecture({"a": "skip", "b": "none"}))
    assert table["text"].tolist() == ["skip", "none"] and table["kernel"].isna().all()
    role, colours = colour_scale(space)
    assert role == "operation" and list(colours) == ["none", "skip", "conv"]
    assert table["colour"].tolist() == [colours["skip"], colours["none"]]
    data = picture_data(space, space.architecture({"a": "skip", "b": "none"}))
    assert data["kernels"] == [] and all(group["isFlat"] for group in data["groups"])


def test_too_many_choices_have_no_colours():
    space = choice_space({"a": tuple(range(40))})
    assert colour_scale(space) == ("", {})
    assert picture_table(space, space.extreme("largest"))["colour"].tolist() == [""]
    assert colour_scale(hand_space()) == ("", {})  # depth and kernel only


def test_each_role_has_a_letter_of_its_own():
    assert role_keys(MINI) == {"r": "resolution", "d": "depth", "k": "kernel", "e": "expand"}
    space = choice_space({"a": (1, 2)})
    assert role_keys(space) == {"o": "operation"}


def told(table) -> list[tuple]:
    return list(table[["row", "column", "text", "differs"]].itertuples(index=False, name=None))


def test_an_architecture_is_a_grid_of_groups_and_slots():
    space = hand_space(resolutions=(16, 32))
    deep = space.architecture(
        {"resolution": 32, "p_depth": 2, "p1_kernel": 3, "p2_kernel": 7, "q1_kernel": 5}
    )
    shallow = space.architecture({"resolution": 32, "p_depth": 1, "p1_kernel": 3, "q1_kernel": 7})
    assert told(picture_table(space, shallow, deep)) == [
        ("Input", "stage", "32 px", False),
        ("p", "stage", "depth 1", True),
        ("p", "block 1", "k3", False),
        ("p", "block 2", "off", True),
        ("q", "block 1", "k7", True),
    ]
    assert not picture_table(space, shallow)["differs"].any()


def test_a_space_without_blocks_has_one_column():
    space = choice_space({"edge0": ("none", "conv", "pool"), "edge1": ("skip",)})
    assert told(picture_table(space, space.architecture({"edge0": "conv", "edge1": "skip"}))) == [
        ("edge0", "choice", "conv", False),
        ("edge1", "choice", "skip", False),
    ]
