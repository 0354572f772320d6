"""What matters near a budget, where the truth is known."""

import numpy as np
import pytest
from hand import hand_space, noisy_table

from foxnas_core.errors import InvalidInput
from foxnas_core.explanation.near_budget import _share, importance_near
from foxnas_core.regression import fit

SPACE = hand_space(resolutions=(16, 32))
TABLE = noisy_table(SPACE, 150, seed=2)
ACCURACY, LATENCY = (
    fit(TABLE, column, "per_layer", "none") for column in ("accuracy", "latency_ms")
)


def test_a_share_is_what_lies_between_choices() -> None:
    choice = np.repeat([0, 1], 50)
    assert _share(choice, choice.astype(float)) == pytest.approx(1.0)
    assert _share(choice, np.tile([0.0, 1.0], 50)) == 0.0
    assert _share(np.zeros(100), np.arange(100.0)) == 0.0
    # Half of the variance between two choices, half within.
    assert _share(choice, choice + np.tile([0.0, 1.0], 50)) == pytest.approx(0.5, abs=0.01)


def test_the_shares_are_seeded_and_their_repeats_make_the_table() -> None:
    codes = SPACE.random_codes(6000, seed=0, by="balanced")
    budget = float(np.median(LATENCY.predicted(codes)["value"]))
    found = importance_near(ACCURACY, LATENCY, budget=budget, repeats=3)
    assert found.table["share"].is_monotonic_decreasing
    assert set(found.table["decision"]) == set(SPACE.by_name)
    own = found.repeats.groupby("decision")["share"]
    for row in found.table.to_dict("records"):
        shares = own.get_group(row["decision"])
        assert (row["low"], row["high"]) == (shares.min(), shares.max())
        assert 0 <= row["low"] <= row["share"] <= row["high"] <= 1
    again = importance_near(ACCURACY, LATENCY, budget=budget, repeats=3)
    assert again.table.equals(found.table)


def test_where_few_subnets_lie_it_is_said() -> None:
    with pytest.raises(InvalidInput, match="too few to tell"):
        importance_near(ACCURACY, LATENCY, budget=1e6)
