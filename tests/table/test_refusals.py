"""Why cells are missing goes with the table, until they have a value."""

import pandas as pd
import pytest

from foxnas_core.table.measurements import table_from_frame
from foxnas_core.table.refusals import refused_ids, told_refusals, with_refusals


@pytest.fixture
def table(tiny_space):
    space = tiny_space
    rows = [a.to_dict() for a in space.sample(3, seed=0)]
    frame = pd.DataFrame(rows).assign(**{"latency_ms:int8": [1.0, None, None]})
    return table_from_frame(space, frame)


def test_only_what_is_missing_is_told(table):
    first, second, third = table.frame["id"]
    column = "latency_ms:int8"
    told = with_refusals(table, {column: {first: "no", second: "too wide", third: "too wide"}})
    assert set(refused_ids(told, column)) == {second, third}
    [sentence] = told_refusals(told, "blocks")
    assert "2 of 3 blocks" in sentence and sentence.endswith("load them: too wide (2).")
    again = with_refusals(told, {column: {third: "crash"}})
    assert refused_ids(again, column) == {second: "too wide", third: "crash"}
    assert not told_refusals(table) and not refused_ids(table, column)
