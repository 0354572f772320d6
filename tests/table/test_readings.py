"""What was measured of architectures, and the best within limits, against a listing of the rows."""

import numpy as np
import pytest
from hand import choice_space, table_of
from hypothesis import given, settings
from hypothesis import strategies as st

from foxnas_core.table.readings import incumbent, readings_of

SPACE = choice_space({name: (0, 1, 2) for name in ("a", "b", "c")})
CELLS = st.one_of(st.just(np.nan), st.integers(-3, 3).map(float))


@st.composite
def tables(draw):
    rows = draw(st.integers(1, 25))
    codes = np.array(
        draw(st.lists(st.tuples(*[st.integers(0, 2)] * 3), min_size=rows, max_size=rows))
    )
    columns = {
        name: np.array(draw(st.lists(CELLS, min_size=rows, max_size=rows)))
        for name in ("accuracy", "latency_ms:board", "parameters")
    }
    columns["accuracy"] += 60
    columns["latency_ms:board"] += 5
    columns["parameters"] += 10
    return table_of(SPACE, codes, **columns)


@settings(deadline=None)
@given(tables(), st.floats(1, 9), st.floats(56, 64), st.booleans())
def test_the_incumbent_is_that_of_a_listing(table, budget, floor, pinned):
    allowed = {"b": (0, 2)} if pinned else {}
    means = table.frame.groupby("id")[["a", "b", "c", "accuracy", "latency_ms:board"]].mean()
    kept = means[(means["latency_ms:board"] <= budget) & means["accuracy"].notna()]
    kept = kept[kept["b"].isin(allowed.get("b", (0, 1, 2)))]
    best = incumbent(table, "accuracy", {"latency_ms:board": budget}, allowed)
    if kept.empty:
        assert best is None
    else:
        assert best.rivals == len(kept)
        assert best.readings["accuracy"].value == pytest.approx(kept["accuracy"].max())
        equal = kept[kept["accuracy"] == kept["accuracy"].max()]
        own = equal.loc[best.architecture.id]
        assert own["latency_ms:board"] == equal["latency_ms:board"].min()
        assert best.architecture["b"] in allowed.get("b", (0, 1, 2))
    # The other way round: the least latency of all that reach a floor.
    least = incumbent(table, "latency_ms:board", {"accuracy": floor})
    reached = means[(means["accuracy"] >= floor) & means["latency_ms:board"].notna()]
    assert (least is None) == reached.empty
    if least is not None:
        assert least.readings["latency_ms:board"].value == pytest.approx(
            reached["latency_ms:board"].min()
        )


def test_readings_are_means_with_the_intervals_that_are_known():
    codes = np.array([[0, 0, 0], [0, 0, 0], [1, 0, 0]])
    table = table_of(
        SPACE, codes,
        accuracy=np.array([60.0, 62.0, 65.0]), accuracy_std_error=np.array([0.3, 0.4, 0.5]),
        latency_ms=np.array([1.0, 1.2, 2.0]), low_latency_ms=np.array([0.98, 1.15, 1.9]),
        high_latency_ms=np.array([1.01, 1.25, 2.1]), macs=np.array([10.0, 12.0, 7.0]),
    )  # fmt: skip
    first, other = table.architectures()[0], table.architectures()[2]
    found = readings_of([table], first)
    assert found["accuracy"].value == 61 and found["latency_ms"].value == pytest.approx(1.1)
    noise = np.sqrt((0.3**2 + 0.4**2) / 2)
    assert found["accuracy"].noise == pytest.approx(noise)
    assert found["accuracy"].high - 61 == pytest.approx(1.96 * noise / np.sqrt(2))
    # Of a latency the range of its rounds; without errors the spread of repeated rows.
    assert (found["latency_ms"].low, found["latency_ms"].high) == (0.98, 1.25)
    assert found["macs"].noise == pytest.approx(np.sqrt(2.0))
    assert readings_of([table], other)["macs"].error == pytest.approx(np.sqrt(2.0))
    assert readings_of([table], SPACE.sample(1, seed=3)[0]) == {}


def test_a_column_is_read_where_it_stands_first():
    codes = np.array([[0, 0, 0]])
    one = table_of(SPACE, codes, accuracy=np.array([60.0]))
    two = table_of(SPACE, codes, accuracy=np.array([70.0]), latency_ms=np.array([2.0]))
    found = readings_of([one, two], one.architectures()[0])
    assert {column: own.value for column, own in found.items()} == {
        "accuracy": 60.0, "latency_ms": 2.0,
    }  # fmt: skip
    assert found["accuracy"].low is None and np.isnan(found["accuracy"].error)


def test_latencies_that_failed_a_check_are_no_readings():
    codes = np.array([[0, 0, 0], [1, 0, 0]])
    table = table_of(
        SPACE, codes,
        accuracy=np.array([70.0, 60.0]), latency_ms=np.array([1.0, 1.0]),
        low_latency_ms=np.array([0.5, 0.99]), high_latency_ms=np.array([1.5, 1.01]),
    )  # fmt: skip
    best = incumbent(table, "accuracy", {"latency_ms": 2.0})
    assert best is not None and best.architecture == table.architectures()[1]
    assert "latency_ms" not in readings_of([table], table.architectures()[0])
