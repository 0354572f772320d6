import json

import numpy as np
import pytest
from conftest import DEMO
from hand import hand_space, table_of
from hypothesis import given
from hypothesis import strategies as st

from foxnas_core.errors import InvalidInput
from foxnas_core.regression import fit, predictor_summary
from foxnas_core.study import open_study
from foxnas_core.table import latency_verdicts
from foxnas_core.table.latency_verdicts import (
    FAILED,
    PASSED,
    UNKNOWN,
    badge_table,
    judge,
    usable,
    without_failed,
)
from foxnas_core.table.measurements import MeasurementTable, table_from_frame

COLUMN = "latency_ms"
FIGURES = {"low": 0.98, "high": 1.03, "minimum": 0.97, "drift": 1.1, "drift_range": 0.02}
CLOCK = {"clock_mhz": 3000.0, "clock_range": 0.01}
CIRCUMSTANCES = {"runs": 400, "rounds": 5, "warm_up_runs": 40, "pinned": True}


def told(figures=None, **circumstances) -> MeasurementTable:
    """Six rows of 1 ms with good figures of every kind, but for those named."""
    space = hand_space()
    table = table_of(space, space.encode(space.sample(6, seed=0)), latency_ms=np.ones(6))
    own = {f"{k}_{COLUMN}": v for k, v in (FIGURES | CLOCK | (figures or {})).items()}
    frame = table.frame.assign(**own, campaign="one")
    record = {"campaigns": {"one": CIRCUMSTANCES | circumstances}}
    return table_from_frame(space, frame, record=record)


def verdict(table: MeasurementTable, check: str) -> str:
    [only] = set(judge(table, COLUMN).verdicts[check])
    return only


def test_a_row_of_which_all_is_known_and_good_passes():
    assert set(judge(told(), COLUMN).verdicts.to_numpy().ravel()) == {PASSED}
    assert usable(told(), COLUMN).all()
    assert not judge(told(), COLUMN).sentences()
    assert set(badge_table(told(), COLUMN)["not_checked"]) == {""}


@pytest.mark.parametrize(
    ("check", "figures", "circumstances"),
    [
        ("warm-up", {}, {"warm_up_runs": latency_verdicts.LEAST_WARM_UP - 1}),
        ("pinning", {}, {"pinned": False}),
        (
            "clock",
            {"clock_range": latency_verdicts.MOST_CLOCK_RANGE + 0.01},
            {"governor": "performance"},
        ),
        ("drift", {"drift_range": latency_verdicts.MOST_DRIFT_RANGE + 0.01}, {}),
        ("drift", {"drift": latency_verdicts.MOST_DRIFT + 0.01}, {}),
        ("drift", {"drift": 1 / latency_verdicts.MOST_DRIFT - 0.01}, {}),
        ("spread", {"low": 0.9, "high": 0.91 + latency_verdicts.MOST_SPREAD}, {}),
        ("one state", {"minimum": 0.99 - latency_verdicts.MOST_ABOVE_MINIMUM}, {}),
        ("repeats", {}, {"runs": latency_verdicts.LEAST_RUNS - 1}),
        ("repeats", {}, {"rounds": latency_verdicts.LEAST_ROUNDS - 1}),
    ],
)
def test_each_check_alone_fails_the_badge(check, figures, circumstances):
    table = told(figures, **circumstances)
    verdicts = judge(table, COLUMN).verdicts
    assert (verdicts[[check, "badge"]] == FAILED).all(axis=None)
    assert (verdicts.drop(columns=[check, "badge"]) == PASSED).all(axis=None)
    assert not usable(table, COLUMN).any() and latency_verdicts.failed_rows(table, COLUMN) == 6


@pytest.mark.parametrize(
    ("check", "figures", "circumstances"),
    [
        ("warm-up", {}, {"warm_up_runs": None}),
        ("pinning", {}, {"pinned": None}),
        ("clock", {"clock_range": np.nan}, {"governor": "powersave"}),
        ("drift", {"drift": np.nan}, {}),
        ("spread", {"low": np.nan}, {}),
        ("one state", {"minimum": np.nan}, {}),
        ("repeats", {}, {"runs": "many"}),
    ],
)
def test_what_is_not_known_is_told_and_the_other_checks_decide(check, figures, circumstances):
    table = told(figures, **circumstances)
    assert (verdict(table, check), verdict(table, "badge")) == (UNKNOWN, PASSED)
    assert usable(table, COLUMN).all()
    [sentence] = judge(table, COLUMN).sentences()
    assert sentence.startswith(f"{check.capitalize()} could not be checked for 6 of 6 rows: ")
    assert set(badge_table(table, COLUMN)["not_checked"]) == {check}
    worse = told({**figures, "high": 1.6} if check != "spread" else {"drift": 3, **figures})
    assert verdict(worse, "badge") == FAILED


def test_a_governor_that_holds_the_clock_stands_for_its_readings():
    assert verdict(told({"clock_range": np.nan}, governor="performance"), "clock") == PASSED


@pytest.mark.parametrize("record", [{}, {"campaigns": []}, {"campaigns": {"one": 3}}])
def test_a_record_of_another_shape_is_unknown(record):
    table = told()
    strange = table_from_frame(table.space, table.frame, record=record)
    assert verdict(strange, "repeats") == UNKNOWN and verdict(strange, "spread") == PASSED
    bare = table_from_frame(table.space, table.frame[[*table.space.by_name, COLUMN]])
    assert set(judge(bare, COLUMN).verdicts.to_numpy().ravel()) == {UNKNOWN}
    assert not judge(bare, COLUMN).sentences()
    assert usable(bare, COLUMN).all()


@given(st.lists(st.booleans(), min_size=6, max_size=6))
def test_rows_are_judged_one_at_a_time(chosen):
    table = told({"high": 1.0})
    table.frame[f"high_{COLUMN}"] = np.linspace(1.0, 1.5, 6)
    mask = np.array(chosen)
    assert usable(table.rows(mask), COLUMN).tolist() == usable(table, COLUMN)[mask].tolist()


def test_only_latencies_have_badges():
    with pytest.raises(InvalidInput, match="no latency"):
        judge(told(), "accuracy")


def demo() -> MeasurementTable:
    return open_study(DEMO).table()


def test_rows_of_a_machine_that_tells_no_clock_pass():
    badges = judge(demo(), COLUMN)
    assert set(badges.verdicts["clock"]) == {UNKNOWN}
    assert badges.count(PASSED) == len(badges.rows) - badges.count(FAILED) > 700
    assert [sentence.partition(" ")[0] for sentence in badges.sentences()] == ["Clock"]


def test_no_fit_of_a_latency_reads_a_failed_row_and_accuracy_reads_all():
    table = demo()
    sound = usable(table, COLUMN)
    left_out = int((~sound).sum())
    assert 0 < left_out < len(table) / 20
    whole, alone = (fit(t, COLUMN, "stage_counts") for t in (table, table.rows(sound)))
    assert (whole.rows, whole.left_out, alone.left_out) == (len(table) - left_out, left_out, 0)
    np.testing.assert_array_equal(whole.estimates, alone.estimates)
    assert not whole.warnings
    assert json.loads(json.dumps(predictor_summary(whole)))["left_out"] == left_out
    accuracy = fit(table, "accuracy", "stage_counts")
    assert (accuracy.rows, accuracy.left_out) == (len(table), 0)


def test_a_table_whose_latencies_all_failed_says_so():
    with pytest.raises(InvalidInput, match="All 6 rows with latency_ms failed a check"):
        fit(told(pinned=False), COLUMN)


def test_failed_latencies_are_taken_out_with_what_belongs_to_them():
    table = demo()
    sound = without_failed(table)
    for column in (COLUMN, "latency_ms:int8"):
        failed = ~usable(table, column)
        assert failed.any()
        own = [column, *(f"{end}_{column}" for end in ("low", "high", "minimum"))]
        assert sound.frame.loc[failed, own].isna().all(axis=None)
        assert sound.frame.loc[~failed, own].equals(table.frame.loc[~failed, own])
        assert latency_verdicts.failed_rows(sound, column) == 0
    assert sound.frame["accuracy"].equals(table.frame["accuracy"])
    assert without_failed(sound) is sound


def test_the_table_of_badges_has_every_figure_and_verdict():
    table = badge_table(told(), COLUMN)
    first = table.iloc[0]
    assert first["row"] == 1 and first["campaign"] == "one"
    assert first["spread"] == pytest.approx(5) and first["above_minimum"] == pytest.approx(3)
    assert first["drift"] == 1.1 and first["drift_range"] == pytest.approx(2)
    assert table[[f"{c.name}?" for c in latency_verdicts.CHECKS]].eq(PASSED).all(axis=None)
