"""Temperatures hit their ends and fall; settings out of range are named."""

import math
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foxnas_core.errors import InvalidInput
from foxnas_core.search.schedule import AnnealingSettings, Schedule, temperatures


@given(
    schedule=st.sampled_from(get_args(Schedule)),
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
        ({"schedule": "cubic"}, "geometric, linear, logarithmic"),
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
    settings = AnnealingSettings(steps=7, penalty=0.5, schedule="linear", seed=3)
    assert AnnealingSettings.from_dict(settings.to_dict()) == settings
