import numpy as np
import pytest
from hand import choice_space, hand_space, noisy_table, table_of
from statsmodels.stats.outliers_influence import variance_inflation_factor

from foxnas_core.diagnostics.diagnosis import diagnose
from foxnas_core.families import load_shipped
from foxnas_core.regression import fit

MINI = load_shipped("foxnas-mini")


def test_two_correlated_choices_by_hand() -> None:
    """Codes ±1 of two operations that agree in 3 rows of 4: correlation ½, VIF 1 / (1 - ¼)."""
    space = choice_space({"a": ("x", "y"), "b": ("x", "y")})
    codes = np.array([[0, 0]] * 3 + [[1, 1]] * 3 + [[0, 1], [1, 0]])
    rng = np.random.default_rng(0)
    table = table_of(space, codes, accuracy=rng.normal(50, 1, 8))
    found = diagnose(fit(table, "accuracy", link="none"), table).collinearity
    assert found.table["vif"].tolist() == pytest.approx([4 / 3, 4 / 3], abs=1e-9)
    # Eigenvalues of the correlation matrix: 1 ± ½.
    assert found.condition == pytest.approx(np.sqrt(3), abs=1e-9)
    assert set(found.behind) == {"a=y", "b=y"}


@pytest.mark.parametrize("form", ["per_layer", "foxnas"])
def test_factors_are_those_of_statsmodels(form: str) -> None:
    table = noisy_table(MINI, 300, seed=1)
    predictor = fit(table, "latency_ms", form)
    x = predictor.form.matrix(table.codes)
    found = diagnose(predictor, table).collinearity.table.set_index("term")["vif"]
    names = [term.name for term in predictor.form.terms]
    for column in range(1, len(names), 7):
        expected = variance_inflation_factor(x, column)
        assert found[names[column]] == pytest.approx(expected, rel=1e-9)
    assert found.is_monotonic_decreasing and len(found) == len(names) - 1


def test_products_overlap_and_single_choices_do_not() -> None:
    table = noisy_table(MINI, 600, seed=1)
    plain = diagnose(fit(table, "accuracy", "per_layer"), table).collinearity
    published = diagnose(fit(table, "latency_ms", "foxnas"), table).collinearity
    assert plain.inflated.empty and plain.condition < 5
    assert len(published.inflated) and published.condition > 30
    assert all("s" in name for name in published.behind) and len(published.behind) >= 2
    assert published.behind[0] in published.sentence


def test_terms_that_nearly_agree_are_the_ones_behind() -> None:
    """p1 and q1 have the same kernel in all rows but a few."""
    space = hand_space()
    codes = space.random_codes(200, seed=2)
    codes[8:, 3] = codes[8:, 1]
    table = table_of(space, codes, latency_ms=np.random.default_rng(3).normal(10, 1, 200))
    found = diagnose(fit(table, "latency_ms", "per_layer"), table).collinearity
    assert {name.partition("_")[0] for name in found.behind} == {"p1", "q1"}
