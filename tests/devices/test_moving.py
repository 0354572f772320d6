import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foxnas_core.devices.moving import Measured

# Network 1 is dear on one device, network 2 on the other.
BY_HAND = Measured.of(
    ["n0", "n1", "n2", "n3", "n4"],
    np.array([70.0, 80, 80.5, 90, 99]),
    np.array([[1.0, 10], [2, 40], [4, 20], [8, 80], [np.nan, 1]]),
    ["a", "b"],
)


def test_losses_by_hand():
    found = BY_HAND.moved(0.5).set_index(["home", "device"])
    # Within the medians, 3 on a and 30 on b, the best are n1 and n2.
    assert found["id"].tolist() == ["n1", "n1", "n2", "n2"]
    there = found.loc["a", "b"]
    assert (there["cost"], there["own"], there["extra"]) == (40, 20, 100)
    assert (there["better"], there["lost"]) == (80.5, 0.5)
    back = found.loc["b", "a"]
    assert (back["cost"], back["own"], back["extra"], back["lost"]) == (4, 4, 0, 0)


def test_fronts_by_hand():
    found = BY_HAND.fronts()
    assert found[found["device"] == "b"]["id"].tolist() == ["n0", "n2", "n3"]
    assert found["relative"].tolist() == pytest.approx(
        [1 / 3, 2 / 3, 4 / 3, 8 / 3, 1 / 3, 2 / 3, 8 / 3]
    )


values = st.lists(st.tuples(*[st.integers(1, 9)] * 4), min_size=1, max_size=20)


@given(values, st.sampled_from([0.05, 0.5, 0.95]))
@settings(max_examples=25, deadline=None)
def test_losses_are_those_of_a_listing(rows, share):
    gain, *costs = np.array(rows, dtype=float).T
    names = [f"n{i}" for i in range(len(rows))]
    found = Measured.of(names, gain, np.column_stack(costs), ["a", "b", "c"])
    for row in found.moved(share).to_dict("records"):
        home, there = (costs["abc".index(row[end])] for end in ("home", "device"))
        best = names.index(row["id"])
        within = home <= max(np.quantile(home, share), home.min())
        assert within[best] and gain[best] == gain[within].max()
        assert row["own"] == there[gain >= gain[best]].min()
        assert row["better"] == gain[there <= there[best]].max()
        assert row["extra"] == pytest.approx(100 * (there[best] / row["own"] - 1))
        if row["home"] == row["device"]:
            assert row["extra"] == row["lost"] == 0
