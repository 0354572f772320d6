"""Intervals on simulated truths of the shipped study; the benchmark does this at full size."""

import pytest
from conftest import DEMO
from hand import saturating_table

from benchmarks.coverage import Truth, coverage
from foxnas_core.families import load_shipped
from foxnas_core.regression import fit
from foxnas_core.storage import open_study

# Each run has some 50 effects and 300 predictions; with so many runs the sampling error of a
# share near 95 % is about half a point.
RUNS = 60


@pytest.mark.parametrize(("target", "seed"), [("accuracy", 0), ("latency_ms", 1)])
def test_nominal_95_percent_hold_on_the_studys_own_subnets(target: str, seed: int) -> None:
    table = open_study(DEMO).table()
    truth = Truth(fit(table, target, "per_layer", "none"), table)
    found = coverage(truth, ["ordinary"], runs=RUNS, seed=seed).set_index("interval")["coverage"]
    assert len(found) == 3  # effects, predictions, single measurements
    assert found.between(0.93, 0.97).all(), found


def test_nominal_95_percent_hold_through_a_ceiling_that_is_estimated() -> None:
    table = saturating_table(load_shipped("foxnas-mini"), 300, seed=2)
    truth = Truth(fit(table, "accuracy", "per_layer", "saturating"), table)
    assert not truth.predictor.link.is_identity
    found = coverage(truth, ["ordinary"], runs=40, seed=3).set_index("interval")["coverage"]
    assert found.between(0.93, 0.97).all(), found
