"""Pins and forbidden choices as they are typed."""

import pytest

from foxnas_core.errors import InvalidInput
from foxnas_core.families import load_shipped
from foxnas_core.search.restriction import allowed_choices

SPACE = load_shipped("foxnas-mini")


def test_pairs_add_up_over_patterns() -> None:
    found = allowed_choices(
        SPACE, [("s2*_kernel", "3, 5"), ("s2b1_kernel", "5,7")], [("resolution", "12")]
    )
    assert found["s2b1_kernel"] == (5,)
    kernels = {n: c for n, c in found.items() if n.endswith("kernel") and n != "s2b1_kernel"}
    assert set(kernels) == {
        d.name for d in SPACE.in_group("s2") if d.role == "kernel" and d.name != "s2b1_kernel"
    }
    assert set(kernels.values()) == {(3, 5)}
    others = tuple(c for c in SPACE.by_name["resolution"].choices if c != 12)
    assert found["resolution"] == others and 12 in SPACE.by_name["resolution"].choices
    assert allowed_choices(SPACE, [], []) == {}


@pytest.mark.parametrize(
    ("allow", "forbid", "words"),
    [
        ([("s9*", "3")], [], "'s9*'"),
        ([("s2b1_kernel", "4")], [], "allowed: 3, 5, 7"),
        ([("s2b1_kernel", "3")], [("*kernel", "3")], "Nothing is left"),
        ([], [("s2b1_kernel", "3,x")], "'x'"),
    ],
)
def test_what_cannot_be_is_refused_by_name(allow, forbid, words) -> None:
    with pytest.raises(InvalidInput) as caught:
        allowed_choices(SPACE, allow, forbid)
    assert words in str(caught.value)
