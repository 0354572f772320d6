"""Seen and unseen domains, where subnets larger than the rest gain in the ones and lose in the
others, by a law."""

import pytest

from foxnas_core.cards import domains, measurements
from foxnas_core.cards.given import Given
from foxnas_core.study import open_study
from foxnas_core.testing.analyses import check_analysis


@pytest.fixture(scope="module")
def given(made) -> Given:
    return Given(open_study(made / "domains"))


@pytest.mark.parametrize(
    "one",
    [domains.seen_unseen, domains.each_domain, domains.order, domains.effects, domains.places],
    ids=lambda one: one.name,
)
def test_every_card_keeps_the_contract(given, one):
    check_analysis(one, given)


def test_a_study_without_domains_says_what_to_do(made):
    for one in (domains.seen_unseen, domains.effects):
        said = one.needs(Given(open_study(made / "energy")))
        assert "import columns accuracy:iid and accuracy:ood" in said


def test_both_fronts_and_the_pairs_that_swap_are_told(given):
    table = domains.seen_unseen.compute(given).table
    seen, unseen = (table["front"].isin([end, "both"]) for end in ("seen", "unseen"))
    # Larger subnets are better in seen domains without end; in unseen ones they lose again.
    assert table.loc[table["cost"].idxmax(), "seen"] >= table["seen"].quantile(0.9)
    assert table.loc[seen, "cost"].max() > table.loc[unseen, "cost"].max() or unseen.all()
    pairs = domains.order.compute(given).table
    assert (pairs["seen, of the first"] > pairs["seen, of the second"]).all()
    assert (pairs["unseen, of the first"] < pairs["unseen, of the second"]).all()


def test_columns_say_which_domains_they_are_of(given):
    labels = {target.column: target.label for target in given.table.targets}
    assert labels["accuracy:iid"] == "Top-1 accuracy (seen domains)"
    assert labels["accuracy:ood"] == "Top-1 accuracy (unseen domains)"
    said = measurements.targets.compute(given).points
    assert any("without a domain" in point for point in said) == ("accuracy" in labels)
