import numpy as np
import pandas as pd
import pytest

from foxnas_core.errors import InvalidInput
from foxnas_core.explanation.agreement import rank_agreement

BLOCKS = ["a", "b", "c", "d"]


def lens(*values: float) -> pd.Series:
    return pd.Series(values, index=BLOCKS, dtype=float)


def test_correlations_by_hand() -> None:
    """One exchange of neighbours of four: 5 of 6 pairs agree, tau 4/6; rho 1 - 6·2 / (4·15)."""
    found = rank_agreement({"one": lens(4, 3, 2, 1), "two": lens(40, 30, 10, 20)})
    [pair] = found.pairs.to_dict("records")
    assert (pair["first"], pair["second"]) == ("one", "two")
    assert (pair["kendall"], pair["spearman"]) == pytest.approx((4 / 6, 0.8))
    assert found.ranks["two"].tolist() == [1, 2, 4, 3]
    assert found.matrix().to_numpy() == pytest.approx(np.array([[1, 4 / 6], [4 / 6, 1]]))
    assert found.matrix("spearman").loc["two", "one"] == pytest.approx(0.8)


def test_the_sentence_names_the_range_and_the_disputed_block() -> None:
    found = rank_agreement(
        {"one": lens(4, 3, 2, 1), "two": lens(4, 3, 2, 1), "three": lens(1, 4, 3, 2)}
    )
    assert found.disputed == "a"
    assert found.sentence() == (
        "The lenses disagree on the ranking of the blocks: Kendall's tau 0.00 to 1.00. They differ "
        "most about a, rank 1 by one and 4 by three."
    )
    same = rank_agreement({"one": lens(4, 3, 2, 1), "two": lens(8, 6, 4, 2)})
    assert same.disputed == ""
    assert same.sentence() == ("The lenses agree on the ranking of the blocks: Kendall's tau 1.00.")


def test_rounding_breaks_no_tie() -> None:
    found = rank_agreement({"one": lens(1, 1 + 1e-14, 2, 3), "two": lens(1 + 1e-14, 1, 2, 3)})
    assert found.pairs["kendall"].iloc[0] == pytest.approx(1)


def test_a_lens_that_sees_nothing_has_no_correlation() -> None:
    found = rank_agreement({"one": lens(1, 2, 3, 4), "flat": lens(0, 0, 0, 0)})
    assert found.pairs[["kendall", "spearman"]].isna().all(axis=None)
    assert "no ranking" in found.sentence()


@pytest.mark.parametrize(
    ("lenses", "sentence"),
    [
        ({"one": lens(1, 2, 3, 4)}, "two lenses"),
        ({"one": lens(1, 2, 3, 4), "two": lens(1, 2, 3, 4).iloc[1:]}, "different blocks"),
        ({"one": lens(1, 2, 3, 4).iloc[:1], "two": lens(1, 2, 3, 4).iloc[:1]}, "at least two"),
    ],
)
def test_what_can_not_be_compared_is_refused(lenses, sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        rank_agreement(lenses)
