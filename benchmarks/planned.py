"""What it is worth which rows are measured: regret of the searched subnet against rows.

    python -m benchmarks.planned [--seeds 3] [--rows 100 150 300] [--plans NAME …]

Of hard truths of `benchmarks.truths` on the demo's space as many rows are measured in four ways:
drawn at random; all of one D-optimal plan, as `measure --next` makes it from nothing; and half of
them, but no fewer than a fit needs, drawn at random, the rest in rounds of finds at budgets over
the front, each after a fit anew, as `search --rounds` measures them by either of its ways. Told is
the regret, in points, of the searched subnet and of the best measured row, beside the best that
takes no longer, over the budgets of `benchmarks.budgets`: the mean, and its standard error over
truths and budgets.
"""

import argparse
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd

from benchmarks.budgets import best_row, budgets_of, paid
from benchmarks.common import DEMO
from benchmarks.truths import Truth
from foxnas_core.planning.coordinate_exchange import next_batch
from foxnas_core.regression import fit
from foxnas_core.regression.features import build_form
from foxnas_core.search.exact import Front, front
from foxnas_core.search.limits import Limit
from foxnas_core.search.problem import SearchProblem
from foxnas_core.search.rounds.improvement import plan_improvements
from foxnas_core.search.rounds.planning import plan_finds, spread_budgets
from foxnas_core.search.rounds.record import IMPROVEMENT, OPTIMUM
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.study import open_study
from foxnas_core.table.measurements import MeasurementTable

FORM = "across_stages"
FEWEST = 80
FINDS = 10  # a round


def fitted(table: MeasurementTable) -> Front:
    latency = fit(table, "latency_ms")
    return front(SearchProblem(fit(table, "accuracy", FORM), (Limit(latency, 0.0),)))


def at_random(truth: Truth, rows: int, seed: int) -> np.ndarray:
    return truth.space.random_codes(rows, seed=seed)


def d_optimal(truth: Truth, rows: int, seed: int) -> np.ndarray:
    form = build_form("per_layer", truth.space, "accuracy")
    none = truth.space.random_codes(1, seed=seed)[:0]
    return next_batch(form, none, rows, seed=seed, starts=1).codes


def in_rounds(truth: Truth, rows: int, seed: int, by: str = OPTIMUM) -> np.ndarray:
    codes = at_random(truth, max(rows // 2, FEWEST), seed)
    while len(codes) < rows:
        table = truth.measure(codes, seed)
        whole = fitted(table)
        predictors = whole.problem.objective, whole.problem.limits[0].predictor
        budgets = spread_budgets(whole, min(FINDS, rows - len(codes)))
        taken = truth.space.ids(codes)
        if by == OPTIMUM:
            finds = plan_finds(whole, predictors, budgets, taken)
        else:
            finds = plan_improvements(whole, table, predictors, budgets, set(taken))
        codes = np.vstack([codes, truth.space.encode([find.architecture for find in finds])])
    return codes


PLANS: Mapping[str, Callable[[Truth, int, int], np.ndarray]] = {
    "random": at_random,
    "D-optimal": d_optimal,
    "random, then rounds": in_rounds,
    "random, then rounds by improvement": partial(in_rounds, by=IMPROVEMENT),
}


def regrets(truth: Truth, table: MeasurementTable) -> tuple[list[float], list[float]]:
    """Of the searched subnet of each budget, and of the best measured row."""
    whole = fitted(table)
    searched = [
        paid(truth, truth.space.encode([whole.within(budget).architecture]), budget)["regret"]
        for budget in budgets_of(truth)
        if budget >= whole.costs[0]
    ]
    return searched, [own["regret"] for own in best_row(truth, table)]


def compare(
    space: SearchSpace, seeds: int, rows: Sequence[int], plans: Sequence[str]
) -> pd.DataFrame:
    found = []
    for count in rows:
        for name in plans:
            told: tuple[list[float], list[float]] = [], []
            for seed in range(seeds):
                truth = Truth.of(space, seed)
                own = regrets(truth, truth.measure(PLANS[name](truth, count, seed), seed))
                for every, more in zip(told, own, strict=True):
                    every += more
            row: dict[str, object] = {"rows": count, "plan": name}
            for what, own in zip(("searched", "best measured row"), told, strict=True):
                row |= {what: np.mean(own), f"± of {what}": np.std(own, ddof=1) / len(own) ** 0.5}
            found.append(row)
    return pd.DataFrame(found).set_index(["rows", "plan"]).round(2)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3, help="simulated truths")
    parser.add_argument("--rows", type=int, nargs="+", default=[100, 150, 300])
    parser.add_argument("--plans", nargs="+", choices=PLANS, default=list(PLANS))
    options = parser.parse_args(arguments)
    space = open_study(DEMO).space
    print(compare(space, options.seeds, options.rows, options.plans).to_string())


if __name__ == "__main__":
    main()
