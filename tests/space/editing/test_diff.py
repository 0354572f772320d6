from hypothesis import given, settings
from hypothesis import strategies as st

from foxnas_core.families import load_shipped
from foxnas_core.space.editing.diff import diff_table

MINI = load_shipped("foxnas-mini")


def test_it_lists_what_differs_and_what_one_lacks():
    first = MINI.extreme("smallest")
    second = MINI.architecture(
        {d.name: d.choices[0] for d in MINI.decisions} | {"s1_depth": 2, "s3b1_expand": 4}
    )
    table = diff_table(MINI, first, second, names=("this", "other"))
    assert table.to_dict("list") == {
        "block": ["s1", "s1b2", "s1b2", "s3b1"],
        "decision": ["s1_depth", "s1b2_kernel", "s1b2_expand", "s3b1_expand"],
        "this": ["1", "off", "off", "1"],
        "other": ["2", "3", "1", "4"],
    }


@settings(deadline=None)
@given(st.integers(0, 10_000))
def test_swapped_sides_swap_the_columns(seed):
    first, second = MINI.sample(2, seed=seed)
    there, back = diff_table(MINI, first, second), diff_table(MINI, second, first)
    assert there.rename(columns={"a": "b", "b": "a"})[back.columns].equals(back)
    assert len(there) > 0 and (there["a"] != there["b"]).all()


def test_an_architecture_does_not_differ_from_itself():
    table = diff_table(MINI, MINI.extreme("largest"), MINI.extreme("largest"))
    assert len(table) == 0 and list(table) == ["block", "decision", "a", "b"]
