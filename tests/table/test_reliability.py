import numpy as np
import pandas as pd
import pytest

from foxnas_core.table.measurements import empty_table
from foxnas_core.table.metrics import KNOWN
from foxnas_core.table.reliability import reliability_of


def table(space, truth, noise, seed=0):
    rng = np.random.default_rng(seed)
    architectures = space.sample(len(truth), seed=0)
    even, odd = (truth + rng.normal(0, noise, len(truth)) for _ in range(2))
    frame = pd.DataFrame([a.to_dict() for a in architectures]).assign(
        accuracy=(even + odd) / 2,
        accuracy_std_error=noise / np.sqrt(2),
        accuracy_even=even,
        accuracy_odd=odd,
    )
    return empty_table(space).with_rows(frame)


def test_against_the_known_variances(tiny_space):
    truth = np.random.default_rng(1).normal(70, 2.0, 600)
    found = reliability_of(table(tiny_space, truth, noise=1.0), KNOWN["accuracy"])
    # Share of true variance in the mean of both halves: 4 / (4 + 1/2).
    assert found.halves == pytest.approx(4 / 4.5, abs=0.04)
    assert found.spread == pytest.approx(np.sqrt(4.5), abs=0.2)
    assert found.standard_error == pytest.approx(np.sqrt(0.5))
    assert found.rows == 600 and "600 subnets" in found.sentence


def test_by_hand(tiny_space):
    found = reliability_of(
        table(tiny_space, np.array([60.0, 70, 80]), noise=0.0), KNOWN["accuracy"]
    )
    assert found.halves == pytest.approx(1)
    assert found.spread == pytest.approx(10)


def test_noise_alone_is_not_reliable(tiny_space):
    assert (
        abs(
            reliability_of(
                table(tiny_space, np.full(200, 70.0), noise=1.0), KNOWN["accuracy"]
            ).halves
        )
        < 0.35
    )


def test_without_halves_there_is_none(tiny_space):
    assert reliability_of(empty_table(tiny_space), KNOWN["accuracy"]) is None
    short = table(tiny_space, np.array([60.0, 70]), noise=1.0)
    assert reliability_of(short, KNOWN["accuracy"]) is None
