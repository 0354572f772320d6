import numpy as np
import pandas as pd
import pytest
from conftest import DEMO
from hand import hand_space, noisy_table, table_of

from foxnas_core.devices.common import (
    architectures_of,
    by_subnet,
    device_of,
    fit_pair,
    latency_columns,
    measured_on_both,
    titled,
)
from foxnas_core.errors import InvalidInput
from foxnas_core.study import open_study
from foxnas_core.table.measurements import MeasurementTable, table_from_frame
from foxnas_core.table.metrics import metric_of


def two_devices(rows: int = 60, **more) -> MeasurementTable:
    table = noisy_table(hand_space(), rows)
    latency = table.values("latency_ms")
    return table_of(table.space, table.codes, latency_ms=latency, **{"latency_ms:pi": 2 * latency})


def test_devices_are_the_latency_columns_by_name():
    table = two_devices()
    assert latency_columns(table) == ["latency_ms", "latency_ms:pi"]
    assert [device_of(metric_of(c)) for c in latency_columns(table)] == ["fp32", "pi"]


def test_a_column_is_called_by_its_words_and_its_machine():
    table = two_devices()
    assert titled(table, "latency_ms:pi") == "pi" and titled(table, "macs") == "MACs"
    demo = open_study(DEMO).table()
    assert titled(demo, "latency_ms:int8") == "int8, Intel Xeon Processor, ONNX Runtime"
    # The words say the runtime already.
    assert titled(demo, "latency_ms:openvino-int8") == "OpenVINO-int8, Intel Xeon Processor"


def test_rows_of_one_subnet_are_averaged():
    space = hand_space()
    codes = space.encode(space.sample(3, seed=0))[[0, 1, 0, 2]]
    values = {
        "latency_ms:a": np.array([1.0, 2, 3, np.nan]),
        "latency_ms:b": np.array([np.nan, 5, 7, np.nan]),
    }
    table = by_subnet(table_of(space, codes, **values))
    assert len(table) == 3
    np.testing.assert_array_equal(table.values("latency_ms:a"), [2, 2, np.nan])
    np.testing.assert_array_equal(table.values("latency_ms:b"), [7, 5, np.nan])
    np.testing.assert_array_equal(table.codes, codes[[0, 1, 3]])


def test_rows_apart_are_joined_and_repeats_are_kept():
    space = hand_space()
    codes = space.encode(space.sample(2, seed=0))[[0, 1, 0, 1]]
    apart = {
        "latency_ms:a": np.array([1.0, 2, np.nan, np.nan]),
        "latency_ms:b": np.array([np.nan, np.nan, 3, 4.0]),
    }
    joined = measured_on_both(table_of(space, codes, **apart), "latency_ms:a", "latency_ms:b")
    assert joined.values("latency_ms:b").tolist() == [3, 4]
    repeats = {name: np.arange(1.0, 5) for name in apart}
    table = table_of(space, codes, **repeats)
    assert measured_on_both(table, *apart) is table


def test_a_table_of_distinct_subnets_stays_as_it_is():
    space = hand_space()
    table = table_of(space, space.encode(space.sample(5, seed=0)), latency_ms=np.arange(1.0, 6))
    assert by_subnet(table) is table


def test_ids_lead_back_to_their_architectures():
    table = two_devices()
    wanted = [table.architectures()[k] for k in (4, 0)]
    assert architectures_of(table, [a.id for a in wanted]) == wanted


def test_both_fits_have_the_form_and_rows_of_what_was_measured_on_both():
    table = two_devices(80)
    frame = table.frame.copy()
    frame.loc[:9, "latency_ms:pi"] = np.nan
    holes = table_from_frame(table.space, frame.set_axis(range(len(frame))), holes=True)
    first, second = fit_pair(holes, "latency_ms", "latency_ms:pi")
    both = measured_on_both(holes, "latency_ms", "latency_ms:pi")
    assert first.rows == second.rows == len(both)
    assert first.form.terms == second.form.terms
    np.testing.assert_allclose(second.estimates, 2 * first.estimates, atol=1e-9)


def test_what_can_not_be_paired_is_one_sentence():
    table = two_devices()
    with pytest.raises(InvalidInput, match="two different"):
        fit_pair(table, "latency_ms", "latency_ms")
    apart = table.frame.drop(columns="latency_ms:pi").head(3)
    other = table.frame.drop(columns="latency_ms").drop_duplicates("id").tail(2)
    other = other[~other["id"].isin(apart["id"])]
    rows = pd.concat([apart, other], ignore_index=True)
    with pytest.raises(InvalidInput, match="No subnet has both"):
        fit_pair(table_from_frame(table.space, rows, holes=True), "latency_ms", "latency_ms:pi")
