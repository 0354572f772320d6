import functools
from dataclasses import replace

import numpy as np
import pytest
from hand import choice_space, hand_space, noisy_table, table_of

from foxnas_core.diagnostics.diagnosis import diagnose
from foxnas_core.diagnostics.warnings import (
    CHECKS,
    Caution,
    beyond_measured,
    cautions,
    interaction_gain,
)
from foxnas_core.families import load_shipped
from foxnas_core.regression import CrossValidation, Predictor, fit

MINI = load_shipped("foxnas-mini")


@functools.cache
def mini_table(rows: int = 400):
    """A target that effects add up to, with normal errors."""
    table = noisy_table(MINI, rows, seed=1, noise=0.5)
    return table_of(MINI, table.codes, cross_entropy=table.values("accuracy"))


def mini_fit(table) -> Predictor:
    return fit(table, "cross_entropy", "per_layer")


def warnings_of(predictor: Predictor, table, architectures=()) -> list[Caution]:
    """What the page says of a fit and of its predictions."""
    diagnosis = diagnose(predictor, table)
    return [*cautions(diagnosis), *beyond_measured(diagnosis, architectures)]


def codes_of(predictor, table) -> set[str]:
    return {caution.code for caution in warnings_of(predictor, table)}


def test_a_sound_fit_has_none() -> None:
    assert warnings_of(mini_fit(mini_table()), mini_table()) == []


def test_few_rows() -> None:
    table = mini_table(100)
    predictor = mini_fit(table)
    [caution] = [c for c in warnings_of(predictor, table) if c.code == "rows"]
    wanted = 3 * predictor.parameters
    assert (caution.threshold, caution.value) == (wanted, 100)
    assert f"measure {wanted - 100} more" in caution.sentence


def test_overlapping_terms() -> None:
    table = noisy_table(MINI, 500, seed=1)
    found = {c.code: c for c in warnings_of(fit(table, "latency_ms", "foxnas"), table)}
    for code, threshold in (("condition", 30), ("vif", 10)):
        assert found[code].threshold == threshold < found[code].value
        assert f"above {threshold}" in found[code].sentence


def test_a_wrong_measurement() -> None:
    table = mini_table()
    values = table.values("cross_entropy").copy()
    values[7] += 5
    wrong = table_of(MINI, table.codes, cross_entropy=values)
    [caution] = [c for c in warnings_of(mini_fit(wrong), wrong) if c.code == "outliers"]
    assert caution.value > caution.threshold > 3
    assert caution.sentence.startswith("1 row lies beyond") and "row 8," in caution.sentence


def test_effects_that_do_not_add_up() -> None:
    table = mini_table()
    values = table.values("cross_entropy")
    curved = table_of(MINI, table.codes, cross_entropy=np.exp((values - 60) / 10))
    assert "reset" in codes_of(mini_fit(curved), curved)


def test_errors_of_unequal_size() -> None:
    table = noisy_table(MINI, 400, seed=1, noise=0.0)
    values, rng = table.values("accuracy"), np.random.default_rng(2)
    uneven = values + rng.normal(size=400) * ((values - values.min()) / np.ptp(values)) ** 2
    table = table_of(MINI, table.codes, cross_entropy=uneven)
    found = {c.code: c for c in warnings_of(mini_fit(table), table)}
    assert found["variance"].value < found["variance"].threshold == 0.01
    assert "use HC3" in found["variance"].sentence


def test_predictions_beyond_the_measured_range() -> None:
    table = mini_table()
    predictor = mini_fit(table)
    largest, smallest = (MINI.extreme(which) for which in ("largest", "smallest"))
    middle = table.architectures()[int(np.argsort(table.values("cross_entropy"))[200])]
    found = warnings_of(predictor, table, [largest, smallest, middle])
    ranges = [c for c in found if c.code == "range"]
    assert len(ranges) == 2
    assert ranges[0].threshold == table.values("cross_entropy").max() < ranges[0].value
    assert ranges[1].threshold == table.values("cross_entropy").min() > ranges[1].value
    assert largest.id in ranges[0].sentence and "above the largest" in ranges[0].sentence
    assert smallest.id in ranges[1].sentence and "below the smallest" in ranges[1].sentence


def test_subnets_farther_than_any_measured_one() -> None:
    """Two operations of which only one at a time was y: both at once is farther out."""
    space = choice_space({"a": ("x", "y"), "b": ("x", "y")})
    codes = np.repeat([[0, 0], [1, 0], [0, 1]], 4, axis=0)
    values = 50 + codes.sum(axis=1) + np.tile([-0.1, 0.1], 6)
    table = table_of(space, codes, accuracy=values)
    diagnosis = diagnose(fit(table, "accuracy", link="none"), table)
    # With means of 4 rows each, y + y - x has the variance 3 / 4, each mean itself 1 / 4.
    assert diagnosis.leverage_at(np.array([[1, 1], [0, 0]])) == pytest.approx([3 / 4, 1 / 4])
    both = space.architecture({"a": "y", "b": "y"})
    found = {c.code: c for c in beyond_measured(diagnosis, [both])}
    assert found["leverage"].value == pytest.approx(0.75)
    assert found["leverage"].threshold == pytest.approx(0.25)
    assert beyond_measured(diagnosis, table.architectures()) == []


def test_measured_leverage_is_that_of_the_rows() -> None:
    table = noisy_table(hand_space(), 50, seed=3)
    diagnosis = diagnose(fit(table, "accuracy", "per_layer", link="none"), table)
    np.testing.assert_allclose(
        diagnosis.leverage_at(table.codes), diagnosis.residuals["leverage"], atol=1e-9
    )


@pytest.mark.parametrize(("rmse", "applies"), [(0.94, True), (0.951, False), (1.2, False)])
def test_interactions_that_gain(rmse: float, applies: bool) -> None:
    plain = replace(mini_fit(mini_table()), cv=CrossValidation(0.9, 1.0, 0.9))
    caution = interaction_gain(plain, replace(plain, cv=CrossValidation(0.9, rmse, 0.9)))
    assert (caution is not None) == applies
    if caution is not None:
        assert (caution.code, caution.threshold) == ("interactions", 0.05)
        assert caution.value == pytest.approx(0.06) and "by 6 %" in caution.sentence


def test_each_code_is_one_of_the_checks() -> None:
    table = noisy_table(MINI, 150, seed=1)
    for target, form in (("latency_ms", "foxnas"), ("latency_ms", "per_layer")):
        found = warnings_of(fit(table, target, form), table, [MINI.extreme("largest")])
        assert found and {c.code for c in found} <= set(CHECKS)
