import multiprocessing
import time

import numpy as np
import pytest
from fixed import FixedDevice

from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.measurement import device_meters
from foxnas_core.progress import Stopped
from foxnas_core.steps.fit import fit_all
from foxnas_core.steps.make_device import columns_here, make_device, planned_subnets, standing
from foxnas_core.steps.verify import verify
from foxnas_core.table import latency_verdicts
from foxnas_core.table.latency_verdicts import usable

COUNT = 8


def of_before(study, before) -> bool:
    """Whether all that a table held is as it was."""
    return study.table().frame[list(before.frame.columns)].equals(before.frame)


def test_another_machine_becomes_a_device_whose_predictor_is_calibrated(elsewhere):
    before, reports = elsewhere.table(), []
    seat = standing(before, "latency_ms:int8")
    assert not seat.is_here and seat.own is None
    assert "this is Another processor" in seat.sentence()

    made = make_device(elsewhere, count=COUNT, seed=1, report=reports.append)
    table = elsewhere.table()
    fp32, int8 = made.rows
    assert fp32.startswith("latency_ms:another-processor") and int8 == f"{fp32}-int8"
    assert set(made.rows.values()) == {COUNT} == {table.known(fp32), table.known(int8)}
    assert of_before(elsewhere, before) and len(table) == len(before)
    assert standing(table, "latency_ms:int8").own == int8 and standing(table, fp32).is_here
    assert [p.done for p in reports] == sorted(p.done for p in reports)
    assert {p.total for p in reports} == {COUNT} and reports[-1].done == COUNT
    # The numbers that stand for measured ones are twice the other machine's.
    fitted = fit_all(table, targets=[fp32, "latency_ms"])
    assert fitted[fp32].df == COUNT - 2 and made.errors[fp32] < 0.05
    np.testing.assert_allclose(
        fitted[fp32].predict_codes(table.codes)["value"],
        2 * fitted["latency_ms"].predict_codes(table.codes)["value"],
        rtol=0.1,
    )


def test_what_is_done_is_not_measured_again_and_more_adds_to_it(elsewhere):
    make_device(elsewhere, count=COUNT)
    before = elsewhere.table()
    make_device(elsewhere, count=COUNT)
    assert elsewhere.table().frame.equals(before.frame)
    [fp32, _] = make_device(elsewhere, count=2 * COUNT).rows
    table = elsewhere.table()
    known = before.frame[fp32].notna()
    assert table.frame[fp32][known].equals(before.frame[fp32][known])
    # Two of the first may share a share of the smaller ones.
    assert 2 * COUNT <= table.known(fp32) <= 3 * COUNT


@pytest.mark.parametrize("end", [Stopped, KeyboardInterrupt])
def test_ended_it_goes_on_where_it_was_with_the_subnets_of_the_seed(elsewhere, end):
    columns = columns_here(elsewhere.table())
    planned, _ = planned_subnets(elsewhere, elsewhere.table(), columns, count=COUNT, seed=3)

    def stop(progress):
        if progress.done:
            raise end

    with pytest.raises(end):
        make_device(elsewhere, count=COUNT, seed=3, report=stop)
    kept = elsewhere.table().known(columns[0])
    assert 0 < kept < COUNT
    reports = []
    make_device(elsewhere, count=COUNT, seed=3, report=reports.append)
    frame = elsewhere.table().frame
    assert set(frame.loc[frame[columns[0]].notna(), "id"]) == {a.id for a in planned}
    assert reports[0].done == kept and reports[-1].done == reports[-1].total == COUNT


class Sleepy(FixedDevice):
    """Falls asleep over its third batch."""

    batches = 0

    def measure(self, subnets):
        Sleepy.batches += 1
        if Sleepy.batches == 3:
            time.sleep(600)
        return super().measure(subnets)


def test_killed_while_it_measures_it_goes_on_where_it_was(elsewhere, monkeypatch):
    before, count = elsewhere.table(), 12
    columns = columns_here(before)
    planned, _ = planned_subnets(elsewhere, before, columns, count=count, seed=3)
    with monkeypatch.context() as patched:
        patched.setattr(device_meters, "meter_of", Sleepy)
        # Forked, so that it need not import everything once more.
        running = multiprocessing.get_context("fork").Process(
            target=make_device, args=(elsewhere,), kwargs={"count": count, "seed": 3}
        )
        running.start()
        deadline = time.monotonic() + 300
        try:
            while elsewhere.table().known(columns[0]) < 8:
                assert running.is_alive() and time.monotonic() < deadline
                time.sleep(0.3)
        finally:
            running.kill()
            running.join()
    kept = elsewhere.table().frame
    done = kept[columns[0]].notna()
    assert done.sum() == 8 and of_before(elsewhere, before)
    make_device(elsewhere, count=count, seed=3)
    frame = elsewhere.table().frame
    assert set(frame.loc[frame[columns[0]].notna(), "id"]) == {a.id for a in planned}
    assert frame.loc[done, [*kept.columns]].equals(kept[done])
    assert of_before(elsewhere, before) and len(frame) == len(kept)


def test_a_subnet_that_failed_a_check_has_another_one_in_its_place(elsewhere, monkeypatch):
    monkeypatch.setattr(latency_verdicts, "MOST_SPREAD", 0.2)
    [fp32, int8] = make_device(elsewhere, count=COUNT).rows
    frame = elsewhere.table().frame
    failed = frame[fp32].first_valid_index()

    def spoil(table):
        table.frame.loc[failed, f"high_{int8}"] = 9.9
        return table

    elsewhere.amend(spoil)
    table = elsewhere.table()
    assert usable(table, int8).sum() == COUNT - 1
    make_device(elsewhere, count=COUNT)
    table = elsewhere.table()
    assert usable(table, int8).sum() >= COUNT and table.known(int8) == usable(table, int8).sum() + 1


def test_the_machine_of_the_latencies_is_a_device_already(measured_study):
    seat = standing(measured_study.table(), "latency_ms")
    assert seat.is_here and seat.own == "latency_ms" and "is this machine" in seat.sentence()
    with pytest.raises(InvalidInput, match="a device of the study already"):
        make_device(measured_study)


def test_fewer_than_a_calibration_reads_are_refused_before_anything_is_measured(elsewhere):
    before = elsewhere.table()
    with pytest.raises(InvalidInput, match="at least 5 subnets, not 4"):
        make_device(elsewhere, count=4)
    assert elsewhere.table().frame.equals(before.frame)


def test_without_latencies_there_is_nothing_to_calibrate_from(tiny_study):
    [architecture] = tiny_study.space.sample(1, seed=0)
    tiny_study.append([architecture], [{"accuracy": 50.0}])
    with pytest.raises(MissingPart, match="no latency yet"):
        make_device(tiny_study)


def test_claims_are_tested_on_the_latencies_of_a_machine_that_is_a_device(elsewhere):
    columns = tuple(make_device(elsewhere, count=COUNT).rows)
    before = elsewhere.table()
    known = {*before.frame["id"]}
    subnet = next(a for a in elsewhere.space.sample(99, seed=4) if a.id not in known)
    trial = verify(elsewhere, [subnet])
    timed = [(c.target, v) for c, v in trial.judged if c.target.startswith("latency")]
    assert [target for target, _ in timed] == [*columns]
    assert not any(v.reason for _, v in timed) and trial.circumstances.rows == 1
    table = elsewhere.table()
    row = table.frame.iloc[-1]
    assert row["id"] == subnet.id and row[[*columns]].notna().all()
    assert row[["latency_ms", "latency_ms:int8"]].isna().all()
    assert table.frame[columns[0]].iloc[:-1].equals(before.frame[columns[0]])
    assert standing(table, columns[1]).is_here
