import pandas as pd
import pytest

from foxnas_core.cards.analysis import (
    Analysis,
    analyses,
    analysis_of,
    from_elsewhere,
    register_analysis,
    unregister_analysis,
)
from foxnas_core.cards.card import Card
from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.testing.analyses import check_analysis, check_card

KEYS = list(analyses())
# What a space alone tells.
OF_SPACE = {
    "what-if-diff", "model-graph-totals", "model-graph-graph", "model-graph-operators",
    "model-graph-details", "model-graph-views", "model-graph-account", "select-methods",
}  # fmt: skip
# What a space of blocks has none of, or none that is measured throughout, and what is of domains.
OF_CELLS = {
    "measurements-equals", "devices-whole", "devices-block-sums", "coefficients-domains",
    "coefficients-domain-places",
} | {key for key in KEYS if key.startswith("select-") and key != "select-methods"}  # fmt: skip
# What is told of a table without rows, too.
OF_EMPTY = {"study-holds"}


@pytest.mark.parametrize("key", KEYS)
def test_every_analysis_tells_of_a_full_study(full, key):
    assert bool(check_analysis(analysis_of(key), full)) == (key not in OF_CELLS)


@pytest.mark.parametrize("key", KEYS)
def test_every_analysis_says_what_an_empty_study_lacks(empty, key):
    assert (check_analysis(analysis_of(key), empty) is None) == (key not in OF_SPACE | OF_EMPTY)


@pytest.mark.parametrize("key", KEYS)
def test_every_analysis_says_what_is_damaged(broken, key):
    assert (check_analysis(analysis_of(key), broken) is None) == (key not in OF_SPACE)


def count(given) -> Card:
    return Card(sentence=f"{len(given.table)} rows.", table=given.table.frame[["id"]])


@pytest.fixture
def from_outside():
    own = Analysis("count", "How many rows", "Trust", count)
    register_analysis(own)
    yield own
    unregister_analysis(own.key)


def test_one_from_outside_is_one_of_all(full, from_outside):
    assert analysis_of("trust-count") is analyses()["trust-count"]
    assert from_elsewhere("Trust") == [from_outside] and not from_elsewhere("Quantization")
    card = check_analysis(from_outside, full)
    assert card.title == "How many rows" and card.key == "count"


def test_a_key_is_of_one_analysis(from_outside):
    with pytest.raises(InvalidInput, match="already"):
        register_analysis(from_outside)
    with pytest.raises(InvalidInput, match="no analysis 'nonsense'; known: "):
        analysis_of("nonsense")


def test_what_is_needed_is_said_before_anything_is_computed(empty):
    def lacks(given):
        return "There is nothing; bring something."

    def make(given):
        raise AssertionError

    with pytest.raises(MissingPart, match="bring something"):
        Analysis("x", "X", "Trust", make, lacks).compute(empty)


@pytest.mark.parametrize(
    "changes",
    [
        {"sentence": "No end"},
        {"title": ""},
        {"stress": ("absent",)},
        {"table": pd.DataFrame([[1, 2]], columns=["a", "a"])},
        {"table": None},
    ],
)
def test_what_a_card_lacks_is_found(changes):
    parts = {"key": "k", "title": "T", "sentence": "All is said."}
    assert check_card(Card(**parts), "here")
    with pytest.raises(AssertionError):
        check_card(Card(**{**parts, **changes}), "here")
