"""What every `Meter` keeps, on any subnets: a row for each in their order, of finite numbers, and
where it says that it finds the same on any machine, the same."""

import json
import math
from collections.abc import Sequence

import numpy as np

from foxnas_core.measurement.meter import Meter, Prepared, on_device
from foxnas_core.table.metrics import STD_ERROR


def check_meter(meter: Meter, subnets: Sequence[Prepared]) -> list[dict[str, float]]:
    """Measure two subnets or more, together and, where numbers are no device's, alone as well;
    returns the rows. Nothing is asserted of how large a measured number is."""
    assert len(subnets) > 1, "a suite of one subnet can't tell their order"
    before = [_weights(prepared) for prepared in subnets]
    rows = meter.measure(subnets)
    assert [_weights(prepared) for prepared in subnets] == before, "it changes what it measures"
    _check_rows(rows, len(subnets))
    assert meter.measure([]) == [], "it finds rows where nothing is to be measured"
    record = json.loads(json.dumps(meter.record(), allow_nan=False))
    assert isinstance(record, dict), f"{record!r} is no record"
    if not on_device(meter):
        apart = [meter.measure([prepared])[0] for prepared in subnets]
        assert apart == rows, "a subnet alone measures otherwise than beside others"
        turned = meter.measure(list(reversed(subnets)))
        assert turned == rows[::-1], "the order of subnets makes a difference"
    return rows


def _check_rows(rows: list[dict[str, float]], count: int) -> None:
    assert len(rows) == count, f"{len(rows)} rows for {count} subnets"
    for row in rows:
        assert row.keys() == rows[0].keys(), "subnets have different columns"
        for column, value in row.items():
            assert isinstance(value, (int, float)) and math.isfinite(value), f"{column}: {value!r}"
            if column.endswith(STD_ERROR):
                assert value >= 0, f"{column} is {value}"
                assert column.removesuffix(STD_ERROR) in row, f"{column} is of no column"


def _weights(prepared: Prepared) -> dict[str, bytes]:
    state = prepared.subnet.state_dict()
    return {name: np.asarray(value).tobytes() for name, value in state.items()}
