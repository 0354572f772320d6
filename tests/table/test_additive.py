"""Sums of blocks are sums over the places that they fill."""

import numpy as np
import pytest

from foxnas_core.families import family_of, load_shipped
from foxnas_core.table.additive import AdditiveTable


@pytest.fixture(scope="module")
def table():
    space = load_shipped("fbnet-imagenet")
    places = family_of(space).places(space)
    rng = np.random.default_rng(0)
    costs = {block: rng.uniform(0.1, 2) for place in places for block in place.blocks.values()}
    costs["k3_e1, 16 to 16 at 112 px"] = np.nan
    return AdditiveTable(space, places, {"latency_ms": costs})


def test_sums_are_of_what_fills_the_places(table):
    for architecture in table.space.sample(20, seed=1):
        if architecture["layer00"] == "k3_e1":
            continue
        filled = [place.block(architecture) for place in table.places]
        expected = sum(table.costs["latency_ms"][block] for block in filled)
        assert table.of(architecture)["latency_ms"] == pytest.approx(expected, rel=1e-12)


def test_what_has_a_block_of_unknown_cost_is_unknown(table):
    drawn = table.space.sample(60, seed=2)
    sums = table.sums(table.space.encode(drawn), "latency_ms")
    unknown = [architecture["layer00"] == "k3_e1" for architecture in drawn]
    assert any(unknown) and np.array_equal(np.isnan(sums), unknown)


def test_equal_blocks_are_one(table):
    # Layers after a stage's first are alike: 12 kinds of layer, nine operations, four fixed.
    assert len(table.blocks) == 12 * 9 + 4
