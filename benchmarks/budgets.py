"""Whether answers hold at given budgets, on simulated truths: ours beside rivals on the same rows.

    python -m benchmarks.budgets [--seeds 3] [--rows 150 300 600] [--rivals] [--keep FILE]

Truths are those of `benchmarks.truths` on the demo's space, mild and hard, with a ceiling and
without. At four budgets, quantiles of random subnets' latencies, each way names a subnet. Told are,
in percent, the median and the 90 % quantile of how far its true latency exceeds the lowest budget;
how often the 95 % prediction interval holds what it measures there; how often a guard of .9,
calibrated on 20 measured optima, keeps its budget, over all budgets; and the regret in points
beside the best that an evolution of the truth itself finds within the latency that was paid. What
is kept in a CSV file is not done again.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.common import DEMO
from benchmarks.regressors import Regressor, boosting, numeric, two_layers
from benchmarks.truths import Truth
from foxnas_core.regression import fit
from foxnas_core.search.calibration import ADVISED, calibrate, random_optima
from foxnas_core.search.exact import front
from foxnas_core.search.limits import Limit
from foxnas_core.search.problem import SearchProblem
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.study import open_study
from foxnas_core.table.measurements import MeasurementTable

QUANTILES = (0.02, 0.1, 0.3, 0.6)
GUARD = 0.9
_POPULATION, _CHILDREN, _ROUNDS = 200, 40, 4
Score = Callable[[np.ndarray], np.ndarray]


def ours(
    truth: Truth, table: MeasurementTable, seed: int, estimator: str
) -> Iterator[dict[str, float]]:
    """One row a budget of what the regression answers."""
    space, budgets = truth.space, budgets_of(truth)
    accuracy = fit(table, "accuracy")
    latency = fit(table, "latency_ms", estimator=estimator)
    whole = front(SearchProblem(accuracy, (Limit(latency, 0.0),)))
    optima = random_optima(whole, ADVISED, seed=seed + 2)
    codes = space.encode([c.architecture for c in optima])
    known = calibrate(latency, truth.measure(codes, seed + 3, clean=True), table)
    for number, budget in enumerate(budgets):
        if budget < whole.costs[0]:
            continue  # refused: nothing is predicted within
        code = space.encode([whole.within(budget).architecture])
        measured = truth.measure(code, seed + 7 + number, clean=True).values("latency_ms")[0]
        told = latency.predict_codes(code).iloc[0]
        bound = max(known.guarded(budget, GUARD), float(whole.costs[0]))
        careful = truth.values(space.encode([whole.within(bound).architecture]))[1][0]
        yield {
            "budget": number,
            **paid(truth, code, budget),
            "covered": told["prediction_low"] <= measured <= told["prediction_high"],
            "guard": careful <= budget,
        }


def rival(
    truth: Truth, table: MeasurementTable, seed: int, regressor: Regressor
) -> Iterator[dict[str, float]]:
    """One row a budget of what an evolution finds by a regressor of raw choices."""
    x = numeric(truth.space, table.codes)

    def score(column: str) -> Score:
        y = table.values(column)
        return lambda codes: regressor(x, y, numeric(truth.space, codes), seed)

    # A regressor trains anew at each call, so all budgets' children are scored by one.
    rng = np.random.default_rng(seed)
    pool = truth.space.random_codes(20_000, seed=seed + 5)
    value, cost = score("accuracy")(pool), score("latency_ms")(pool)
    tried, numbers, budgets = [], [], budgets_of(truth)
    for number, budget in enumerate(budgets):
        within = np.flatnonzero(cost <= budget)
        if len(within):
            best = pool[within[np.argsort(-value[within], kind="stable")[:_POPULATION]]]
            tried.append(np.vstack([best, crossed(truth.space, best, rng)]))
            numbers += [number] * len(tried[-1])
    codes, place = np.vstack(tried), np.array(numbers)
    value, cost = score("accuracy")(codes), score("latency_ms")(codes)
    for number in np.unique(place).tolist():
        allowed = (place == number) & (cost <= budgets[number])
        chosen = int(np.argmax(np.where(allowed, value, -np.inf)))
        yield {"budget": number, **paid(truth, codes[[chosen]], budgets[number])}


def crossed(space: SearchSpace, codes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Children of the codes: each group from either of two parents."""
    parents = codes[rng.integers(len(codes), size=(2, _CHILDREN * len(codes)))]
    groups = [d.group for d in space.decisions]
    children = parents[0].copy()
    for group in dict.fromkeys(groups):
        columns = np.flatnonzero([g == group for g in groups])
        other = rng.random(len(children)) < 0.5
        children[np.ix_(other, columns)] = parents[1][np.ix_(other, columns)]
    return children


def best_row(truth: Truth, table: MeasurementTable) -> Iterator[dict[str, float]]:
    """One row a budget of the best measured row within it."""
    accuracy, latency = table.values("accuracy"), table.values("latency_ms")
    for number, budget in enumerate(budgets_of(truth)):
        if (latency <= budget).any():
            chosen = int(np.argmax(np.where(latency <= budget, accuracy, -np.inf)))
            yield {"budget": number, **paid(truth, table.codes[[chosen]], budget)}


def budgets_of(truth: Truth) -> np.ndarray:
    return np.quantile(truth.values(truth.space.random_codes(4000, seed=9))[1], QUANTILES)


def paid(truth: Truth, code: np.ndarray, budget: float) -> dict[str, float]:
    """By how many percent an answer exceeds its budget, and its regret at what it really takes."""
    accuracy, latency = (float(v[0]) for v in truth.values(code))
    rng = np.random.default_rng(0)
    codes = np.vstack([code, truth.space.random_codes(20_000, seed=11)])
    for _ in range(_ROUNDS):
        values, costs = truth.values(codes)
        order = np.argsort(-np.where(costs <= latency, values, -np.inf), kind="stable")
        best = codes[order[:_POPULATION]]
        codes = np.vstack([best, crossed(truth.space, best, rng)])
    return {"over": 100 * (latency / budget - 1), "regret": float(values[order[0]]) - accuracy}


def ways(
    truth: Truth, table: MeasurementTable, seed: int, *, rivals: bool
) -> dict[str, Iterator[dict[str, float]]]:
    """The answers of each way, not yet sought."""
    found = {
        "this regression": ours(truth, table, seed, "auto"),
        "least squares": ours(truth, table, seed, "least_squares"),
        "best measured row": best_row(truth, table),
    }
    if rivals:
        found["boosting, evolution"] = rival(truth, table, seed, boosting)
        found["network, evolution"] = rival(truth, table, seed, two_layers)
    return found


def answers(
    space: SearchSpace,
    rows: int,
    seeds: Sequence[int],
    *,
    rivals: bool = False,
    kept: Path | None = None,
) -> pd.DataFrame:
    """One row a way, truth and budget: rows, seed, truth, way, budget, over, regret, covered,
    guard. Those of the CSV file `kept` are taken from it, others added."""
    done = pd.read_csv(kept) if kept and kept.exists() else pd.DataFrame()
    for seed in seeds:
        for name, truth in Truth.kinds(space, seed).items():
            table = truth.measure(space.random_codes(rows, seed=seed + 100), seed + 1)
            for way, told in ways(truth, table, seed, rivals=rivals).items():
                about = {"rows": rows, "seed": seed, "truth": name, "way": way}
                if len(done) and (done[list(about)] == about).all(axis=1).any():
                    continue
                done = pd.concat([done, pd.DataFrame([{**about, **row} for row in told])])
                if kept:
                    done.to_csv(kept, index=False)
    return done[(done["rows"] == rows) & done["seed"].isin(seeds)].reset_index(drop=True)


def summary(found: pd.DataFrame) -> pd.DataFrame:
    """One row a way: the medians and shares that the module's text names."""
    lowest = found[found["budget"] == 0].groupby("way")
    return pd.DataFrame(
        {
            "over %": lowest["over"].median(),
            "over %, 90 % quantile": lowest["over"].quantile(0.9),
            "covered": lowest["covered"].mean(),
            "guard kept": found.groupby("way")["guard"].mean(),
            "regret": found.groupby("way")["regret"].mean(),
        }
    )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rows", type=int, nargs="+", default=[150, 300, 600])
    parser.add_argument("--rivals", action="store_true")
    parser.add_argument("--keep", type=Path, help="a CSV file of what was done, and is not again")
    options = parser.parse_args(arguments)
    space = open_study(DEMO).space
    for rows in options.rows:
        found = answers(space, rows, range(options.seeds), rivals=options.rivals, kept=options.keep)
        print(f"{rows} rows, {options.seeds} seeds of {len(Truth.kinds(space, 0))} truths")
        print(summary(found.astype({"covered": float, "guard": float})).round(2), flush=True)


if __name__ == "__main__":
    main()
