import json

import numpy as np
import pytest
from hand import choice_space, table_of
from hypothesis import given, settings
from hypothesis import strategies as st

from foxnas_core.regression import Predictor, fit, predictor_summary
from foxnas_core.regression.inference import inference
from foxnas_core.regression.leastsquares import clearly_above
from foxnas_core.regression.repeats import Repeats
from foxnas_core.table.measurements import MeasurementTable

EIGHT = choice_space({f"k{i}": (3, 5) for i in range(8)})
RARE = choice_space({"a": (3, 5, 7), "b": (3, 5), "c": (3, 5)})
seeds = st.integers(0, 2**32 - 1)


def subnets(rows: int, seed: int) -> np.ndarray:
    """So many different architectures of `EIGHT`."""
    every = np.random.default_rng(seed).permutation(2**8)[:rows]
    return (every[:, np.newaxis] >> np.arange(8)) & 1


def seeded(rows: int, runs: int, seed: int, *, shared: float, own: float) -> MeasurementTable:
    """Each subnet measured with several seeds; errors of a subnet, and of a row."""
    codes, rng = subnets(rows, seed), np.random.default_rng(seed)
    mean = 70 + codes @ np.linspace(-1, 1, 8) + rng.normal(0, shared, rows)
    values = mean[:, np.newaxis] + rng.normal(0, own, (rows, runs))
    return table_of(EIGHT, np.repeat(codes, runs, axis=0), accuracy=values.ravel())


def widths(predictor: Predictor) -> np.ndarray:
    table = predictor.coefficients()
    return (table["high"] - table["low"]).to_numpy()


def fitted(table: MeasurementTable) -> Predictor:
    return fit(table, "accuracy", "per_layer", "none")


@settings(max_examples=10, deadline=None)
@given(seeds, st.integers(2, 4))
def test_a_file_several_times_tells_what_it_tells_once(seed: int, times: int) -> None:
    once = seeded(40, 1, seed, shared=0.3, own=0.0)
    order = np.random.default_rng(seed).permutation(40 * times)
    codes = np.tile(once.codes, (times, 1))[order]
    values = np.tile(once.values("accuracy"), times)[order]
    often = fitted(table_of(EIGHT, codes, accuracy=values))
    plain = fitted(once)
    np.testing.assert_allclose(widths(often), widths(plain), rtol=1e-9)
    assert often.residual_df == plain.residual_df == 40 - plain.parameters
    assert often.residual_variance == pytest.approx(plain.residual_variance)
    assert often.repeated == 40 * (times - 1) and often.err_together
    for name in ("r2", "rmse", "tau"):
        assert getattr(often.cv, name) == pytest.approx(getattr(plain.cv, name))
    for kind in ("hc3", "simultaneous"):
        np.testing.assert_allclose(
            inference(often, kind, table=table_of(EIGHT, codes, accuracy=values)).covariance,
            inference(plain, kind, table=once).covariance,
            rtol=1e-7, atol=1e-12,
        )  # fmt: skip
    assert any(
        text.startswith(f"{40 * (times - 1)} of {40 * times} rows repeat a subnet")
        for text in often.warnings
    )


@pytest.mark.parametrize(("shared", "own"), [(0.5, 0.05), (0.5, 0.5), (0.0, 0.5)])
def test_intervals_cover_whatever_rows_of_a_subnet_share(shared: float, own: float) -> None:
    """60 simulations of 8 effects: a share of 480 that are nearly independent, known to .01."""
    held, truth = [], np.linspace(-1, 1, 8)
    for seed in range(60):
        found = fitted(seeded(40, 3, seed, shared=shared, own=own)).coefficients()[1:]
        held.append((found["low"] <= truth) & (truth <= found["high"]))
    assert 0.92 <= np.mean(held) <= 0.98


def test_the_same_values_of_different_subnets_are_no_repeats() -> None:
    table = seeded(40, 1, 0, shared=0.3, own=0.0)
    assert fitted(table).repeated == 0 and not fitted(table).err_together
    assert not Repeats.of(table.codes).any and Repeats.none(3).share == 1


def test_members_are_numbered_as_they_come() -> None:
    codes = np.array([[1, 0], [0, 0], [1, 0], [0, 1], [0, 0], [1, 0]])
    found = Repeats.of(codes)
    assert found.member.tolist() == [0, 1, 0, 2, 1, 0]
    assert (found.first.tolist(), found.counts.tolist()) == ([0, 1, 3], [3, 2, 1])
    assert found.summed(np.arange(6.0)).tolist() == [7, 5, 3]
    # About the means 7/3 and 5/2: 12⅔ and 4½.
    assert found.own_square(np.arange(6.0)) == pytest.approx(38 / 3 + 4.5)


def test_errors_of_one_subnet_are_clearly_above_only_as_one() -> None:
    excess = np.array([3.0, -2, 2, 3, -2, 2, 1.5])
    errors, least = np.repeat(excess, 20), np.zeros(140)
    assert clearly_above(errors, least)
    assert not clearly_above(errors, least, np.repeat(np.arange(7), 20))


# What no other row tells


def rare() -> MeasurementTable:
    """39 rows of every choice but a = 7, which the first row alone has."""
    rng = np.random.default_rng(1)
    codes = np.column_stack([rng.integers(0, 2, (39, 3))])
    codes = np.vstack([[2, 0, 1], codes])
    accuracy = 70 + codes @ [1.0, 0.5, 0.25] + rng.normal(0, 0.1, 40)
    return table_of(RARE, codes, accuracy=accuracy, latency_ms=accuracy / 20)


@pytest.mark.parametrize("link", ["none", "auto"])
def test_a_choice_of_one_row_is_left_out_of_the_cross_validation_and_named(link: str) -> None:
    predictor = fit(rare(), "accuracy", "auto", link)
    assert predictor.cv.left_out == 1 and np.isnan(predictor.held_out[0])
    assert predictor.cv.r2 > 0.9 and predictor.cv.rmse < 0.2
    [warning] = [text for text in predictor.warnings if "left out of the cross" in text]
    assert warning.startswith("1 of 40 rows is left out of the cross-validation (row 1): no other ")
    assert "row has a = 7, so" in warning
    assert json.loads(json.dumps(predictor_summary(predictor)))["cv"]["left_out"] == 1


def test_following_the_advice_on_a_rare_choice_works() -> None:
    table = rare()
    more = np.array([[2, 1, 0], [2, 1, 1]])
    values = 70 + more @ [1.0, 0.5, 0.25]
    predictor = fit(
        table_of(
            RARE,
            np.vstack([table.codes, more]),
            accuracy=np.append(table.values("accuracy"), values),
        ),
        "accuracy",
    )
    assert predictor.cv.left_out == 0
    assert not any("cross-validation" in text for text in predictor.warnings)


def test_choices_that_one_row_alone_tells_apart_are_named() -> None:
    space = choice_space({"kernel": (3, 5), "width": (3, 5), "z": (3, 5)})
    pairs = np.repeat([[0, 0, 0], [0, 0, 1], [1, 1, 0], [1, 1, 1]], 6, axis=0)
    codes = np.vstack([[0, 1, 0], pairs])
    accuracy = 70 + codes @ [0.5, 0.4, 0.3] + np.random.default_rng(0).normal(0, 0.05, 25)
    predictor = fit(table_of(space, codes, accuracy=accuracy), "accuracy", "per_layer")
    assert predictor.cv.left_out == 1 and predictor.cv.r2 > 0.9
    assert any("no other row tells kernel and width apart" in w for w in predictor.warnings)


def test_where_no_row_can_be_predicted_unseen_nothing_is_told_of_it() -> None:
    space = choice_space({"op": ("x", "y")})
    codes = np.array([[0], [0], [1], [1]])
    predictor = fit(table_of(space, codes, accuracy=np.array([1.0, 3, 4, 6])), "accuracy")
    assert predictor.cv.left_out == 4 and np.isnan(predictor.cv.r2)
    assert predictor_summary(predictor)["cv"] == {
        "r2": None, "rmse": None, "tau": 0.0, "left_out": 4,
    }  # fmt: skip
