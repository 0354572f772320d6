"""Searches of all cells of NAS-Bench-201, against brute force over what was measured."""

import numpy as np
import pytest
from hand import table_of
from published_cells import coded, published_cells

from foxnas_core.families import load_shipped
from foxnas_core.regression import fit
from foxnas_core.search.annealing import search
from foxnas_core.search.limits import limit_of
from foxnas_core.search.lookup import whole_table
from foxnas_core.search.problem import SearchProblem
from foxnas_core.search.schedule import AnnealingSettings
from foxnas_core.search.solving import solve

SPACE = load_shipped("nasbench201")
DEVICES = {
    "raspi4": "lat_raspi4", "pixel3": "lat_pixel3", "fpga": "lat_fpga", "1080ti": "lat_1080ti_1",
    "gold": "lat_gold_6226",
}  # fmt: skip
ACCURACIES = {"accuracy": "test_acc_cifar10", "accuracy:cifar100": "test_acc_cifar100"}
BUDGETS = 40


@pytest.fixture(scope="module")
def measured() -> dict[str, np.ndarray]:
    cells = published_cells()
    names = {f"latency_ms:{device}": column for device, column in DEVICES.items()} | ACCURACIES
    return {name: cells[column].to_numpy() for name, column in names.items()}


@pytest.fixture(scope="module")
def table(measured):
    return table_of(SPACE, coded(np.arange(15_625)), **measured)


@pytest.mark.parametrize("accuracy", ACCURACIES)
def test_the_answer_is_the_best_measured_cell_at_every_budget(table, measured, accuracy):
    for cost in (name for name in measured if name.startswith("latency")):
        found = whole_table(table, (accuracy, cost)).predictors()
        problem = SearchProblem(found[accuracy], (limit_of(found[cost], 1.0),))
        for budget in np.quantile(measured[cost], np.linspace(0.001, 1, BUDGETS)):
            within = measured[cost] <= budget
            best = measured[accuracy][within].max()
            answer = solve(problem.within(float(budget)))
            assert answer.exact and answer.candidate.value == best
            cheapest = measured[cost][within & (measured[accuracy] == best)].min()
            assert answer.candidate.costs == (cheapest,)


def test_annealer_exact_solver_and_brute_force_agree_on_a_regression(table):
    few = table.rows(np.random.default_rng(0).permutation(15_625) < 400)
    accuracy = fit(few, "accuracy", "live", "saturating")
    latency = fit(few, "latency_ms:raspi4", "reaching")
    values, costs = (p.predict_codes(table.codes)["value"].to_numpy() for p in (accuracy, latency))
    problem = SearchProblem(accuracy, (limit_of(latency, 10.0),))
    for budget in np.quantile(costs, (0.1, 0.5)):
        own = problem.within(float(budget))
        best = values[costs <= budget].max()
        exact = solve(own).candidate.value
        found = search(own, AnnealingSettings(steps=1000, chains=2, seed=0))
        assert exact == pytest.approx(best, abs=1e-9)
        assert found.best.value == pytest.approx(best, abs=1e-9) and found.gap == 0
