"""Temperatures hit their ends and fall; settings out of range are named."""

import math
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foxnas_core.errors import InvalidInput
from foxnas_core.search.schedule import (
    AnnealingSettings,
    Schedule,
    steered,
    target_acceptance,
    temperatures,
)

FIXED = [schedule for schedule in get_args(Schedule) if schedule != "adaptive"]


@given(
    schedule=st.sampled_from(FIXED),
    start=st.floats(1e-3, 1e3),
    ratio=st.floats(1e-6, 1.0),
    levels=st.integers(2, 300),
)
def test_temperatures_hit_start_and_end_and_never_rise(
    schedule: Schedule, start: float, ratio: float, levels: int
) -> None:
    fallen = temperatures(schedule, start, start * ratio, levels)
    assert fallen.shape == (levels,)
    assert (fallen[0], fallen[-1]) == (start, start * ratio)
    assert (np.diff(fallen) <= 1e-12 * start).all()


def test_midway_by_hand() -> None:
    assert temperatures("geometric", 4.0, 1.0, 3)[1] == pytest.approx(2.0)
    assert temperatures("linear", 4.0, 1.0, 3)[1] == pytest.approx(2.5)
    # a = (4/1 - 1) / ln 3, so 4 / (1 + 3 ln 2 / ln 3)
    expected = 4 / (1 + 3 * math.log(2) / math.log(3))
    assert temperatures("logarithmic", 4.0, 1.0, 3)[1] == pytest.approx(expected)


def test_one_level_is_the_start() -> None:
    assert temperatures("linear", 4.0, 1.0, 1).tolist() == [4.0]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"steps": 0}, "steps"),
        ({"steps": 2.5}, "steps"),
        ({"chains": 0}, "chains"),
        ({"seed": -1}, "seed"),
        ({"restarts": -1}, "restarts"),
        ({"schedule": "cubic"}, "geometric, linear, logarithmic, adaptive"),
        ({"mode": "greedy"}, "full, teaching"),
        ({"mode": "teaching", "penalty": 1.0}, "refuses"),
        ({"start_temperature": 0.0}, "start temperature"),
        ({"end_temperature": math.nan}, "end temperature"),
        ({"start_temperature": 1.0, "end_temperature": 2.0}, "swap"),
        ({"penalty": -1.0}, "penalty"),
    ],
)
def test_settings_out_of_range_are_named(change: dict, word: str) -> None:
    with pytest.raises(InvalidInput, match=word):
        AnnealingSettings(**change)


def test_settings_round_trip() -> None:
    settings = AnnealingSettings(steps=7, penalty=0.5, schedule="adaptive", seed=3, restarts=2)
    assert AnnealingSettings.from_dict(settings.to_dict()) == settings


def test_documents_from_before_restarts_and_modes_still_load() -> None:
    document = {
        "steps": 9, "chains": 2, "start_temperature": 1.0, "end_temperature": 0.1,
        "schedule": "linear", "penalty": None, "seed": 4,
    }  # fmt: skip
    settings = AnnealingSettings.from_dict(document)
    assert (settings.restarts, settings.mode) == (0, "full")
    assert {k: settings.to_dict()[k] for k in document} == document


# The adaptive schedule


def test_wanted_acceptance_by_hand() -> None:
    assert target_acceptance(0.0) == pytest.approx(1.0)
    assert target_acceptance(0.3) == 0.44
    assert target_acceptance(1.0) == pytest.approx(0.001)


@given(first=st.floats(0, 1), second=st.floats(0, 1))
def test_wanted_acceptance_is_a_share_that_falls(first: float, second: float) -> None:
    early, late = sorted((first, second))
    assert 1 >= target_acceptance(early) >= target_acceptance(late) > 0


@given(temperature=st.floats(0.1, 10), accepted=st.floats(0, 1), progress=st.floats(0, 1))
def test_steering_cools_what_accepts_too_much_and_stays_between_the_ends(
    temperature: float, accepted: float, progress: float
) -> None:
    moved = steered(temperature, accepted, progress, 10.0, 0.1)
    assert 0.1 <= moved <= 10.0
    if accepted > target_acceptance(progress):
        assert moved <= temperature
    else:
        assert moved >= temperature


def test_levels_of_an_adaptive_schedule_are_long_enough_to_measure() -> None:
    def levels(steps: int) -> int:
        return AnnealingSettings(steps=steps, schedule="adaptive").levels

    assert [levels(steps) for steps in (1, 49, 500, 10**6)] == [1, 1, 10, 200]
