"""Columns that are sums over the choices: recovered from rows, kept with a table, summed."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foxnas_core.errors import InvalidInput
from foxnas_core.families import family_of, load_shipped
from foxnas_core.regression.summed import summed_predictor
from foxnas_core.steps.fit import fit_all
from foxnas_core.table.additive import AdditiveTable, blocks_of
from foxnas_core.table.files import parquet_frame, parquet_options, to_parquet_bytes
from foxnas_core.table.measurements import MeasurementTable, empty_table, table_from_frame
from foxnas_core.table.sums import (
    BlockCosts,
    ChoiceCosts,
    all_choice_costs,
    choice_costs,
    costs_of_blocks,
    kept_sums,
    recovered,
    with_sums,
)

SPACE = load_shipped("nasbench201")
COLUMN = "latency_ms:phone"


FBNETV2 = load_shipped("fbnetv2-mini")


def random_blocks(space) -> AdditiveTable:
    """A cost drawn for each block of the space's networks."""
    places, rng = family_of(space).places(space), np.random.default_rng(0)
    own = {block: float(rng.uniform(0.1, 1)) for block in blocks_of(places)}
    return AdditiveTable(space, places, {COLUMN: own})


def costs(seed: int, space=SPACE) -> ChoiceCosts:
    rng = np.random.default_rng(seed)
    own = {d.name: tuple(rng.uniform(0, 2, len(d.choices))) for d in space.decisions}
    return ChoiceCosts(COLUMN, space, float(rng.uniform(1, 5)), own)


def rows_of(truth: ChoiceCosts, count: int = 120, noise: float = 0.0) -> MeasurementTable:
    space = truth.space
    codes = space.random_codes(count, seed=1)
    values = truth.sums(codes) + np.random.default_rng(2).normal(0, noise or 1e-300, count)
    frame = table_from_frame(space, _choices(space, codes).assign(**{COLUMN: values}))
    return frame


def _choices(space, codes):
    return pd.DataFrame([a.to_dict() for a in space.decode(codes)], index=range(1, len(codes) + 1))


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000))
def test_rows_of_sums_tell_every_other_network(seed):
    truth = costs(seed)
    found = recovered(rows_of(truth), COLUMN)
    assert (found.rank, found.rows) == (25, 120)
    others = SPACE.random_codes(300, seed=seed + 7)
    np.testing.assert_allclose(found.sums(others), truth.sums(others), rtol=1e-10)
    assert found.sum(SPACE.decode(others[:1])[0]) == found.sums(others)[0]
    assert all(min(own) == 0 for own in found.costs.values())
    # Differences within a decision are the truth's.
    for name, own in found.costs.items():
        np.testing.assert_allclose(np.diff(own), np.diff(truth.costs[name]), atol=1e-9)


@pytest.mark.parametrize(("count", "noise"), [(120, 1e-4), (34, 0.0)])
def test_measured_networks_and_too_few_are_no_sums(count, noise):
    assert recovered(rows_of(costs(3), count, noise), COLUMN) is None


def test_a_choice_that_no_row_has_leaves_the_table_unknown():
    table = rows_of(costs(3), 200)
    assert recovered(table.rows(table.codes[:, 2] != 4), COLUMN) is None


def test_spaces_with_inactive_decisions_have_none():
    space = load_shipped("foxnas-mini")
    with pytest.raises(InvalidInput, match="always active"):
        ChoiceCosts(COLUMN, space, 1.0, {d.name: (0.0,) * len(d.choices) for d in space.decisions})


def test_costs_kept_with_a_table_survive_its_file_and_come_before_its_rows():
    truth = costs(5)
    table = with_sums(rows_of(truth, 60, noise=0.05), truth)
    frame, metadata = parquet_frame("t.parquet", to_parquet_bytes(table))
    again = table_from_frame(SPACE, frame, **parquet_options("t.parquet", metadata, SPACE))
    for one in (table, again):
        assert kept_sums(one)[COLUMN].to_dict() == truth.to_dict()
        assert all_choice_costs(one).keys() == {COLUMN}
        assert "measured one by one" in choice_costs(one, COLUMN).sentence
    [predictor] = fit_all(again).values()
    codes = SPACE.random_codes(50, seed=9)
    np.testing.assert_allclose(predictor.predict_codes(codes)["value"], truth.sums(codes))
    assert predictor.is_counted and predictor.form.name == "summed"


def test_a_recovered_table_is_kept_whole():
    found = recovered(rows_of(costs(6)), COLUMN)
    [kept] = kept_sums(with_sums(rows_of(costs(6)), found)).values()
    assert kept.to_dict() == found.to_dict() and "rank 25" in kept.sentence
    assert set(found.frame()) == {"decision", "choice", "cost"} and len(found.frame()) == 30
    name, choice = "edge_0_1", SPACE.by_name["edge_0_1"].choices[3]
    assert found.cost(name, choice) == found.costs[name][3]


@pytest.mark.parametrize(
    "sums",
    [
        {COLUMN: {}},
        {COLUMN: {"fixed": "x", "costs": {}}},
        {COLUMN: {"fixed": 1.0, "costs": {"edge_0_1": [1.0]}}},
        {"no metric": costs(1).to_dict()},
        [1],
    ],
)
def test_damaged_costs_are_refused_in_a_sentence(sums):
    table = replace(rows_of(costs(1), 20), record={"sums": sums})
    with pytest.raises(InvalidInput, match=r"\.$"):
        kept_sums(table)


def test_costs_of_blocks_become_those_of_choices():
    space = load_shipped("fbnet-cifar100")
    blocks = random_blocks(space)
    own, places = blocks.costs[COLUMN], blocks.places
    found = costs_of_blocks(blocks, COLUMN)
    assert isinstance(found, ChoiceCosts)
    codes = space.random_codes(30, seed=3)
    np.testing.assert_allclose(found.sums(codes), blocks.sums(codes, COLUMN))
    lacking = AdditiveTable(space, places, {COLUMN: {b: own[b] for b in list(own)[:-1]}})
    with pytest.raises(InvalidInput, match="1 of .* have no cost, such as 'classifier, 1504 to"):
        costs_of_blocks(lacking, COLUMN)


def test_where_networks_are_no_blocks_there_are_no_costs_of_them():
    with pytest.raises(InvalidInput, match="'nasbench201' are no chains of blocks"):
        BlockCosts(COLUMN, load_shipped("nasbench201"), {"x": 1.0})


def test_blocks_of_several_decisions_are_summed_as_they_are():
    blocks = random_blocks(FBNETV2)
    found = costs_of_blocks(blocks, COLUMN)
    assert isinstance(found, BlockCosts) and len(found.frame()) == len(blocks.blocks)
    codes = FBNETV2.random_codes(20, seed=2)
    by_hand = [
        sum(blocks.costs[COLUMN][b] for p in blocks.places if (b := p.block(a)) is not None)
        for a in FBNETV2.decode(codes)
    ]
    np.testing.assert_allclose(found.sums(codes), by_hand)
    table = with_sums(empty_table(FBNETV2), found)
    assert kept_sums(table)[COLUMN].to_dict() == found.to_dict()
    # What explains and searches reads the same sums, as terms.
    predictor = summed_predictor(found, table)
    np.testing.assert_allclose(predictor.predicted(codes)["value"], by_hand, rtol=1e-9)
    lacking = dict(list(blocks.costs[COLUMN].items())[:-2])
    with pytest.raises(InvalidInput, match=r"2 of 1,318 have no cost, such as 'head, .* bench"):
        BlockCosts(COLUMN, FBNETV2, lacking)
