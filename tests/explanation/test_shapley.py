import functools

import numpy as np
import pytest
from hand import hand_space, noisy_table, table_of

from foxnas_core.errors import InvalidInput
from foxnas_core.explanation.shapley import block_shapley
from foxnas_core.families import load_shipped
from foxnas_core.features import FORMS
from foxnas_core.regression import Predictor, fit

MINI = load_shipped("foxnas-mini")
BACKGROUND = MINI.decode(MINI.random_codes(350, seed=2))
EXPLAINED = MINI.decode(MINI.random_codes(5, seed=3))


@functools.cache
def predictor_of(form: str, target: str) -> Predictor:
    return fit(noisy_table(MINI, 500, seed=1), target, form)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("target", ["accuracy", "latency_ms"])
def test_values_add_up_to_the_prediction_less_the_background(form: str, target: str) -> None:
    predictor = predictor_of(form, target)
    found = block_shapley(predictor, architectures=EXPLAINED, background=BACKGROUND)
    base = predictor.predict(BACKGROUND)["value"].mean()
    assert found.base == pytest.approx(base, abs=1e-9)
    difference = predictor.predict(EXPLAINED)["value"].to_numpy() - base
    np.testing.assert_allclose(found.values.sum(axis=1), difference, atol=1e-9)
    assert found.values.index.tolist() == [architecture.id for architecture in EXPLAINED]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("target", ["accuracy", "latency_ms"])
def test_a_block_is_worth_its_columns_distance_from_their_mean(form: str, target: str) -> None:
    """b·(x - x̄) over all of the background, more rows than shap keeps by itself."""
    predictor = predictor_of(form, target)
    found = block_shapley(predictor, architectures=EXPLAINED, background=BACKGROUND).values
    x, rows = (predictor.form.matrix(MINI.encode(a)) for a in (EXPLAINED, BACKGROUND))
    single = predictor.estimates * (x - rows.mean(axis=0))
    for block in found.columns:
        own = [(t.slot or t.group or t.decision) == block for t in predictor.form.terms]
        np.testing.assert_allclose(found[block], single[:, own].sum(axis=1), atol=1e-9)
    assert "resolution" in found.columns
    slots = set(MINI.slots) if form in ("per_layer", "block_state") else set()
    assert set(found.columns) >= slots


def test_blocks_by_hand() -> None:
    """Kernel 3, 5, 7 is worth 0, 1, 3 in p1 and 2, 2.5, 3 in p2; nothing in q1."""
    space = hand_space()
    codes = space.random_codes(80, seed=4)
    p1, p2 = np.array([0, 1, 3.0])[codes[:, 1]], np.array([2, 2.5, 3, 0])[codes[:, 2]]
    table = table_of(space, codes, accuracy=70 + p1 + p2)
    one = space.architecture({"p_depth": 2, "p1_kernel": 7, "p2_kernel": 5, "q1_kernel": 3})
    for form in ("per_layer", "block_state"):
        found = block_shapley(
            fit(table, "accuracy", form), architectures=[one], background=table.architectures()
        )
        assert found.values.columns.tolist() == ["p1", "p2", "q1"]
        assert found.values.loc[one.id].tolist() == pytest.approx(
            [3 - p1.mean(), 2.5 - p2.mean(), 0], abs=1e-9
        )
        assert found.base == pytest.approx(70 + p1.mean() + p2.mean(), abs=1e-9)


def test_an_empty_background_is_refused() -> None:
    with pytest.raises(InvalidInput, match="at least one background architecture"):
        block_shapley(predictor_of("per_layer", "accuracy"), architectures=EXPLAINED, background=[])
