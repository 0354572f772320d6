"""What the table keeps of a model's rounds, by hand."""

import pytest

from foxnas_core.measurement.latency import begun, columns_of


def row(model, number, tenth, least, marks, clock=None, temperature=None):
    low, middle, high = marks
    return {
        "model": model, "round": number, "tenth_ms": tenth, "minimum_ms": least, "count": 9,
        "clock_mhz": clock, "temperature_c": temperature,
        "reference_ms": middle, "reference_low_ms": low, "reference_high_ms": high,
    }  # fmt: skip


def test_columns_by_hand():
    """The machine is as at the beginning, twice as slow, then as at the beginning again."""
    rows = [
        row("a", 0, 3.0, 2.0, (1.0, 1.0, 1.1)),
        row("b", 0, 9.0, 8.0, (1.0, 1.0, 1.1)),
        row("a", 1, 8.0, 6.0, (1.8, 2.0, 2.2)),
        row("a", 2, 5.0, 4.0, (1.0, 1.0, 1.0)),
    ]
    assert columns_of("latency_ms", "a", rows, 1.0) == pytest.approx(
        {
            "latency_ms": 4.0, "minimum_latency_ms": 2.0, "low_latency_ms": 3.0,
            "high_latency_ms": 5.0, "drift_latency_ms": 1.0, "drift_range_latency_ms": 0.1,
        }
    )  # fmt: skip


def test_the_clock_is_held_against_all_models_of_a_round():
    rows = [
        row("a", 0, 1, 1, (1, 1, 1), clock=1000, temperature=40.0),
        row("b", 0, 1, 1, (1, 1, 1), clock=1500, temperature=80.0),
        row("a", 1, 1, 1, (1, 1, 1), clock=1000, temperature=45.0),
        row("b", 1, 1, 1, (1, 1, 1), clock=1000, temperature=45.0),
    ]
    found = columns_of("latency_ms:x", "a", rows, 1.0)
    assert found["clock_mhz_latency_ms:x"] == pytest.approx((1250 + 1000) / 2)
    # The median over rounds of the share in each.
    assert found["clock_range_latency_ms:x"] == pytest.approx(500 / 1250 / 2)
    assert found["temperature_latency_ms:x"] == 45.0


def test_references_are_held_to_when_the_study_was_begun():
    now = {"latency_ms": 0.9, "latency_ms:int8": 3.0}
    assert begun({}, now) == now
    known = {"latency_ms": 1.0, "latency_ms:int8": 4.0}
    assert begun(known, now) == begun(known, {}) == known
    # A study that timed the reference in fp32 alone goes on at its level: int8 has drifted alike.
    assert begun({"latency_ms": 1.0}, now) == pytest.approx(
        {"latency_ms": 1.0, "latency_ms:int8": 3.0 / 0.9}
    )
