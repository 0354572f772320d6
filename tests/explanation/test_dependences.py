"""What a choice is worth beside another one."""

import functools

import numpy as np
import pytest
from hand import table_of

from foxnas_core.explanation.dependences import clear, dependences
from foxnas_core.families import load_shipped
from foxnas_core.regression import Predictor, fit
from foxnas_core.regression.features import build_form

MINI = load_shipped("foxnas-mini")


@functools.cache
def predicted() -> Predictor:
    """Kernel 7 in s3 is worth the more the larger the input, and nothing at 12 px."""
    codes = MINI.random_codes(300, seed=1)
    names = [d.name for d in MINI.decisions]
    kernels = sum(
        (codes[:, i] == 2) * 1.0 - (codes[:, i] == 0)
        for i, name in enumerate(names)
        if name.startswith("s3") and name.endswith("kernel")
    )
    noise = np.random.default_rng(0).normal(0, 0.1, len(codes))
    resolution = np.array(MINI.by_name["resolution"].choices, dtype=float)
    worth = np.log(resolution / resolution[0])[codes[:, names.index("resolution")]]
    values = 60 + kernels * worth + noise
    return fit(table_of(MINI, codes, accuracy=values), "accuracy", "across_stages", "none")


def test_what_pays_at_the_largest_resolution_only_is_said_so() -> None:
    found = dependences(predicted())
    first = found.iloc[0]
    assert (first["choice"], first["where"]) == ("kernel 7 instead of 3 in s3", "at 28 px")
    assert first["in words"].startswith("kernel 7 instead of 3 in s3 pays only at 28 px: +")
    assert "at 12 px" in first["in words"] and "not told from 0" in first["in words"]
    assert first["difference"] == pytest.approx(first["effect_last"] - first["effect_first"])
    assert (first["low"] <= first["difference"]) & (first["difference"] <= first["high"])
    assert 0 < len(clear(found)) < len(found)


def test_effects_are_means_of_predicted_differences() -> None:
    predictor, names = predicted(), [d.name for d in MINI.decisions]
    codes = MINI.random_codes(4000, seed=5, by="balanced")
    codes[:, names.index("resolution")] = 2
    ends = []
    for choice in (0, 2):
        own = codes.copy()
        for i, name in enumerate(names):
            if name.startswith("s3") and name.endswith("kernel"):
                own[:, i] = np.where(own[:, i] >= 0, choice, -1)
        ends.append(predictor.predict_codes(own)["value"].mean())
    found = dependences(predictor).iloc[0]
    assert found["effect_last"] == pytest.approx(ends[1] - ends[0], rel=0.05)


def test_a_sum_over_choices_has_no_dependences() -> None:
    built = build_form("per_layer", MINI, "accuracy")
    table = table_of(MINI, MINI.random_codes(3, seed=0), accuracy=np.arange(1.0, 4.0))
    exact = Predictor.exact(built, np.ones(built.parameters), table, np.empty(0))
    assert dependences(exact).empty
