"""Measurements of one machine never join those of another."""

import shlex

import pandas as pd
import pytest
from conftest import DEMO

from foxnas_core.__main__ import main
from foxnas_core.measurement.here import machine_here
from foxnas_core.search.rounds.record import ROUNDS
from foxnas_core.steps.calibrate import measure_optima
from foxnas_core.steps.columns import AUTO, OtherMachine, columns_of, opening, timed_here
from foxnas_core.steps.measure import measure_on_device, measure_subnets
from foxnas_core.steps.rounds import search_rounds
from foxnas_core.study import open_study
from foxnas_core.table.machine import Machine, device_columns, free_name, machine_of
from foxnas_core.table.measurements import campaigns_of

pytestmark = pytest.mark.usefixtures("fixed_latencies")


def silent(progress):
    pass


def same_columns(before, after):
    """All that was there, to the byte: the first rows of the columns that there were."""
    own = after.frame.loc[: len(before) - 1, list(before.frame.columns)]
    pd.testing.assert_frame_equal(own, before.frame, check_exact=True)
    for name in before.frame.columns:
        was, now = before.frame[name], own[name]
        if was.dtype.kind in "fi":
            assert was.to_numpy().tobytes() == now.to_numpy().tobytes(), name


def new_rows(study, count=2):
    known = set(study.table().frame["id"])
    return [a for a in study.space.sample(60, seed=7) if a.id not in known][:count]


def test_another_machines_columns_are_refused_in_a_sentence_that_names_both(elsewhere):
    before = elsewhere.table_file.read_bytes()
    with pytest.raises(OtherMachine) as refused:
        measure_subnets(elsewhere, new_rows(elsewhere), seed=0, report=silent)
    other, here = machine_of(elsewhere.table(), "latency_ms"), machine_here()
    told = str(refused.value)
    assert told.startswith(f"latency_ms is of {other.name}, and this is {here.name}; ")
    assert other.name != here.name and "…" not in told
    assert opening(elsewhere, here) in told and told.count(". ") == 0
    assert elsewhere.table_file.read_bytes() == before


def test_following_the_advice_works_and_changes_nothing_of_the_other(elsewhere, capsys):
    before, here = elsewhere.table(), machine_here()
    other = machine_of(before, "latency_ms")
    columns = device_columns(free_name(before, here))
    program, *words = shlex.split(opening(elsewhere, here))[2:]
    assert program == "foxnas_core" and words[-2:] == ["--count", "24"]
    assert main([*words[:-1], "6"]) == 0
    table = elsewhere.table()
    assert len(table) == len(before) and table.known(columns[0]) == 6
    same_columns(before, table)
    assert machine_of(table, columns[0]) == here
    # What was refused goes to the columns of this machine from now on: of new subnets the accuracy
    # too, and no latency where another machine's are.
    measure_subnets(elsewhere, new_rows(elsewhere), seed=0, report=silent)
    table = elsewhere.table()
    assert len(table) == len(before) + 2
    same_columns(before, table)
    added = table.frame.iloc[len(before) :]
    assert added["latency_ms"].isna().all() and added["low_latency_ms"].isna().all()
    for name in (*columns, "accuracy", "macs", f"low_{columns[0]}"):
        assert added[name].notna().all(), name
    assert machine_of(table, columns[0]) == here
    assert machine_of(table, "latency_ms") == other != here


def test_auto_names_columns_after_the_machine(elsewhere, capsys):
    before, here = elsewhere.table(), machine_here()
    rows = new_rows(elsewhere)
    measure_subnets(elsewhere, rows[:1], seed=0, report=silent, device=AUTO)
    columns = device_columns(free_name(before, here))
    measure_subnets(elsewhere, rows[1:], seed=0, report=silent, device=AUTO)
    table = elsewhere.table()
    assert table.known(columns[0]) == table.known(columns[1]) == 2
    same_columns(before, table)
    # A name that another machine has is refused.
    taken = Machine("Another one", "ONNX Runtime", "1.0")
    with pytest.raises(OtherMachine, match=f"whose latencies are in|{columns[0]} is of"):
        columns_of(elsewhere, taken, device=columns[0].partition(":")[2])


def test_the_same_machine_appends(measured_study):
    before = measured_study.table()
    assert timed_here(measured_study) == device_columns(None)
    measure_subnets(measured_study, new_rows(measured_study), seed=0, report=silent)
    table = measured_study.table()
    assert table.known("latency_ms") == len(before) + 2
    assert [t.column for t in table.targets] == [t.column for t in before.targets]
    same_columns(before, table)
    told = list(campaigns_of(table).values())
    # Of int8 the reference's time is known from now on.
    assert set(told[-1]["reference_baselines_ms"]) == {*device_columns(None)}


@pytest.mark.parametrize("what", ["calibrate", "rounds"])
def test_searches_measure_no_cost_of_another_machine(elsewhere, what):
    before = elsewhere.table_file.read_bytes()
    with pytest.raises(OtherMachine, match="open columns of its own"):
        if what == "calibrate":
            measure_optima(elsewhere, "latency_ms", 3, seed=1, report=silent)
        else:
            search_rounds(elsewhere, "latency_ms", 1, per_round=2, report=silent)
    assert elsewhere.table_file.read_bytes() == before
    assert elsewhere.record(ROUNDS) is None and not elsewhere.optima_file.exists()


def test_costs_that_are_the_same_anywhere_are_searched_on_any_machine(elsewhere):
    measure_optima(elsewhere, "macs", 3, seed=1, report=silent)
    optima = elsewhere.optima()
    assert len(optima) == 3 and "latency_ms" not in optima.frame
    assert optima.frame["accuracy"].notna().all()


def test_searches_of_this_machines_own_column_measure_it(elsewhere):
    before = elsewhere.table()
    measure_subnets(
        elsewhere, before.architectures()[:12], seed=0, report=silent, device="own"
    )  # measured again, with latencies of this machine
    table = elsewhere.table()
    same_columns(before, table)
    measure_optima(elsewhere, "latency_ms:own-int8", 3, seed=1, report=silent)
    optima = elsewhere.optima()
    assert optima.known("latency_ms:own") == optima.known("latency_ms:own-int8") == 3
    assert "latency_ms" not in optima.frame
    search_rounds(elsewhere, "latency_ms:own", 1, per_round=2, report=silent)
    found = elsewhere.table()
    same_columns(table, found)
    assert found.known("latency_ms:own") == table.known("latency_ms:own") + 2
    # The other's is refused by naming this one.
    with pytest.raises(OtherMachine, match="are in latency_ms:own and latency_ms:own-int8"):
        measure_optima(elsewhere, "latency_ms", 3, seed=1, report=silent)


def test_a_device_of_this_machine_is_compared_before_anything_is_measured(elsewhere):
    with pytest.raises(OtherMachine, match="make-device --study"):
        measure_on_device(elsewhere, "onnxruntime", seed=0, report=silent)


def test_imported_values_are_of_no_known_machine(elsewhere):
    """Nobody can say that they are this one's, but who names their column for this one."""
    columns = device_columns("board")
    frame = pd.DataFrame({"id": elsewhere.table().frame["id"], columns[0]: 1.0})
    elsewhere.amend(lambda table: table.with_cells(frame.iloc[:1]))
    with pytest.raises(OtherMachine, match="board is of a machine that the table does not name"):
        timed_here(elsewhere, targets=["accuracy", columns[0]])
    measure_subnets(elsewhere, new_rows(elsewhere), seed=0, report=silent, device="board")
    assert timed_here(elsewhere, targets=["accuracy", columns[1]]) == columns
    assert timed_here(elsewhere) == columns


def test_the_shipped_study_takes_rows_of_its_own_processor_alone():
    demo, here = open_study(DEMO), Machine("AMD EPYC", "ONNX Runtime", "1.32.0", 1)
    with pytest.raises(OtherMachine, match="latency_ms is of Intel Xeon Processor, .*AMD EPYC"):
        columns_of(demo, here)
    own = machine_of(demo.table(), "latency_ms")
    assert columns_of(demo, own) == device_columns(None)
    assert columns_of(demo, own, targets=["accuracy", "latency_ms:int8"]) == device_columns(None)
    with pytest.raises(OtherMachine, match="OpenVINO .*are in latency_ms and latency_ms:int8"):
        columns_of(demo, own, targets=["accuracy", "latency_ms:openvino"])
    name = "amd-epyc-onnx-runtime"
    assert columns_of(demo, here, device=AUTO) == device_columns(name)
    assert columns_of(demo, here, device="mine") == device_columns("mine")
    assert columns_of(demo, here, targets=["accuracy", "macs"]) is None
