import functools

import numpy as np
import pytest
from hand import choice_space, noisy_table, table_of
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.diagnostic import het_breuschpagan, linear_reset

from foxnas_core.diagnostics.diagnosis import diagnose
from foxnas_core.families import load_shipped
from foxnas_core.regression import fit

MINI = load_shipped("foxnas-mini")


@functools.cache
def mini_table():
    return noisy_table(MINI, 300, seed=1)


@pytest.mark.parametrize("form", ["per_layer", "stage_counts"])
def test_tests_are_those_of_statsmodels(form: str) -> None:
    table = mini_table()
    predictor = fit(table, "latency_ms", form)
    found = diagnose(predictor, table).specification
    y, x = table.values("latency_ms"), predictor.form.matrix(table.codes)
    result = OLS(y, x).fit()
    # Its powers are of the values as they are, so that it loses digits.
    expected = linear_reset(result, power=3, use_f=True)
    assert found.reset.statistic == pytest.approx(float(expected.statistic), rel=1e-5)
    assert found.reset.p == pytest.approx(float(expected.pvalue), rel=1e-5)
    assert found.reset.df == (expected.df_num, expected.df_denom)
    statistic, p, *_ = het_breuschpagan(result.resid, x)
    assert found.breusch_pagan.statistic == pytest.approx(statistic, abs=1e-9)
    assert found.breusch_pagan.p == pytest.approx(p, abs=1e-9)
    squares = np.column_stack([np.ones(300), result.fittedvalues, result.fittedvalues**2])
    statistic, p, *_ = het_breuschpagan(result.resid, squares)
    assert found.white.statistic == pytest.approx(statistic, abs=1e-8)
    assert found.white.p == pytest.approx(p, abs=1e-9)
    assert found.table["p"].tolist() == [test.p for test in found.tests]


def test_effects_that_multiply_are_found() -> None:
    table = mini_table()
    latency = table.values("latency_ms")
    multiplied = np.exp((latency - latency.mean()) / latency.std() / 2)
    curved = table_of(MINI, table.codes, accuracy=multiplied)
    found = diagnose(fit(curved, "accuracy", "per_layer", link="none"), curved).specification
    assert found.reset.rejects and "do not quite add up" in found.reset_sentence
    straight = table_of(MINI, table.codes, accuracy=table.values("accuracy"))
    found = diagnose(fit(straight, "accuracy", "per_layer", link="none"), straight).specification
    assert not found.reset.rejects and "nothing speaks against" in found.reset_sentence


def test_errors_that_grow_with_the_prediction_are_found() -> None:
    table = noisy_table(MINI, 400, seed=2, noise=0.0)
    latency, rng = table.values("latency_ms"), np.random.default_rng(3)
    share = (latency - latency.min()) / np.ptp(latency)
    growing = latency + rng.normal(size=400) * share**2
    for values, rejected in ((growing, True), (latency + rng.normal(size=400), False)):
        noisy = table_of(MINI, table.codes, cross_entropy=values)
        found = diagnose(fit(noisy, "cross_entropy", "per_layer"), noisy).specification
        assert found.white.rejects == rejected
        assert ("HC3" in found.variance_sentence) == rejected


def test_two_values_leave_no_powers_to_add() -> None:
    codes = np.array([[0], [0], [1], [1]])
    table = table_of(choice_space({"op": ("x", "y")}), codes, accuracy=np.array([1.0, 3, 4, 7]))
    found = diagnose(fit(table, "accuracy", link="none"), table).specification
    assert found.reset.df[0] == 0 and np.isnan(found.reset.p) and not found.reset.rejects
