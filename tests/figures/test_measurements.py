import numpy as np
import pytest
from conftest import DEMO

from foxnas_core.figures.measurements import (
    check_figure,
    check_table,
    drift_figure,
    drift_table,
    spread_figure,
    spread_table,
)
from foxnas_core.study import open_study
from foxnas_core.table.latency_verdicts import CHECKS, FAILED, badge_table, judge


@pytest.fixture(scope="module")
def table():
    return open_study(DEMO).table()


def test_every_check_counts_every_row(table):
    badges = judge(table, "latency_ms")
    counts = check_table(badges)
    assert counts["check"].tolist() == ["badge", *(check.name for check in CHECKS)]
    assert (counts[["passed", "failed", "unknown"]].sum(axis=1) == len(table)).all()
    assert counts["failed"].iloc[0] == badges.count(FAILED) and counts["fails"].notna().all()
    assert len(check_figure(counts).data) == 3


def test_the_histogram_holds_every_spread(table):
    counts = spread_table(badge_table(table, "latency_ms"))
    assert counts["rows"].sum() == len(table)
    assert (counts["to (%)"] > counts["from (%)"]).all()
    assert spread_figure(counts).data
    nothing = badge_table(table, "latency_ms").assign(spread=np.nan)
    assert not len(spread_table(nothing))


def test_drift_is_drawn_where_it_was_recorded(table):
    rows = badge_table(table, "latency_ms")
    assert len(drift_table(rows)) == len(rows)
    rows[["drift", "drift_range"]] = np.nan
    assert not len(drift_table(rows))
    rows.loc[:9, ["drift", "drift_range"]] = [1.1, 4.0]
    known = drift_table(rows)
    assert len(known) == 10
    [points] = drift_figure(known).data
    assert list(points.y) == [1.1] * 10 and points.error_y.array[0] == pytest.approx(0.022)
