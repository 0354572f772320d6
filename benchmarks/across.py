"""What terms across stages cost a search and how their intervals hold.

    python -m benchmarks.across [demo] [large] [optima] [coverage] [chosen] [--runs 504]

On the predictors of the demo (beside the best form within stages), and on FOX-NAS's CPU
space at four input resolutions with predictors fitted to 600 simulated rows (beside the per-layer
form): processor milliseconds of making the tables, of the bounds of cells, of the exact optimum of
one budget after that, of the whole front, and of our annealer to within 0.01 % of the optimum; and
how often the annealer gets there. Then how both err on the measured optima of the demo, which the
form within stages has found and no fit reads. Then how often 95 % intervals of single terms hold,
over simulated tables whose true effects are drawn as the pooling supposes them: each kind of term
about 0 with a spread of its own. At last the same of products within stages that the form
within stages chooses, where 6 of all candidates are strong or 40 weak: whether the interval holds
what least squares on the chosen terms would find in endless rows.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.optimum import Truth
from benchmarks.search import QUANTILES, at_quantiles, near_seconds, reliability
from foxnas_core.families import load_shipped, space_from_dict
from foxnas_core.regression import fit
from foxnas_core.regression.features import Form, build_form, candidate_pairs
from foxnas_core.search.cells import Cells
from foxnas_core.search.exact import front
from foxnas_core.search.limits import Limit
from foxnas_core.search.problem import SearchProblem
from foxnas_core.search.solving import solve
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.study import open_study
from foxnas_core.table.measurements import MeasurementTable, table_from_frame

DEMO = Path("data/demo")
FORM = "across_stages"
WITHIN = "interactions"
PARTS = ("demo", "large", "optima", "coverage", "chosen")
# How many products within stages there are, and their spread.
CHOSEN = {"6 strong": (6, 0.15), "40 weak": (40, 0.05)}
# The spreads of effects, in points: of choices, of their change with the resolution, of products.
SPREADS = {"": 0.3, "by resolution": 0.1, "across": 0.05}


def searched(table: MeasurementTable, beside: str, cost: str, runs: int) -> pd.DataFrame:
    """One column a form of accuracy, latency having that of `cost`: milliseconds, and how often the
    annealer comes to within 0.01 %."""
    latency, rows = fit(table, "latency_ms", cost), {}
    for form in (beside, FORM):
        whole = SearchProblem(fit(table, "accuracy", form), (Limit(latency, 0.0),))
        made = took(lambda whole=whole: whole.tables)
        first = took(lambda whole=whole: front(whole))
        problems = at_quantiles(whole, QUANTILES)
        again = fresh(whole)
        bounded = took(lambda cells=again: cells.bounds(0.0)) if again is not None else 0.0
        each = [took(lambda problem=problem: solve(problem)) for problem in problems]
        optima = [solve(problem).candidate.value for problem in problems]
        near = [
            near_seconds(problem, seed, optimum)[0]
            for problem, optimum in zip(problems, optima, strict=True)
            for seed in range(4)
        ]
        kept = reliability(whole, runs).loc["all budgets"]
        rows[form] = {
            "tables": len(whole.tables),
            "made, ms": 1000 * made,
            "bounds, ms": 1000 * bounded,
            "one budget, ms": 1000 * float(np.median(each)),
            "slowest, ms": 1000 * max(each),
            "front, ms": 1000 * first,
            "annealer to .01 %, ms": 1000 * float(np.median(near)),
            "within .01 %": kept["within .01 %"],
            "largest gap %": kept["largest gap %"],
        }
    return pd.DataFrame(rows)


def fresh(problem: SearchProblem) -> Cells | None:
    return problem.cells() if problem.settled else None


def took(what: Callable[[], object]) -> float:
    started = time.process_time()
    what()
    return time.process_time() - started


def optima_errors() -> pd.DataFrame:
    """A row a form: how many optima were measured, the mean of measured less predicted accuracy,
    and its RMSE, in points."""
    study = open_study(DEMO)
    optima = study.optima()
    measured = optima.values("accuracy")
    rows = {}
    for form in (WITHIN, FORM):
        predictor = fit(study.table(), "accuracy", form)
        error = measured - predictor.predict(optima.architectures())["value"].to_numpy()
        rows[form] = {
            "optima": len(error),
            "mean": error.mean(),
            "RMSE": float(np.sqrt(np.mean(error**2))),
        }
    return pd.DataFrame(rows).T


def coverage(rows: int, tables: int) -> dict[str, float]:
    """The share of the terms of each kind whose 95 % interval holds the true one."""
    space = load_shipped("foxnas-mini")
    form = build_form(FORM, space, "accuracy")
    held: dict[str, list[float]] = {kind: [] for kind in SPREADS}
    for seed in range(tables):
        rng = np.random.default_rng(seed)
        kinds = np.array(["|".join(term.alike).partition("|")[2] for term in form.terms])
        true = rng.normal(0, [SPREADS[kind] for kind in kinds])
        true /= sizes(form)
        true[0] = 75.0
        codes = space.random_codes(rows, seed=seed)
        values = form.matrix(codes) @ true + rng.normal(0, 0.3, rows)
        predictor = fit(table_of(space, codes, values), "accuracy", form, "none")
        told = predictor.coefficients()
        right = (told["low"] <= form.shown @ true) & (form.shown @ true <= told["high"])
        for kind, own in held.items():
            own += right.to_numpy()[(kinds == kind) & [bool(t.group) for t in form.terms]].tolist()
    return {kind or "choices": float(np.mean(own)) for kind, own in held.items()}


def table_of(space: SearchSpace, codes: np.ndarray, accuracy: np.ndarray) -> MeasurementTable:
    frame = pd.DataFrame([a.to_dict() for a in space.decode(codes)], columns=list(space.by_name))
    return table_from_frame(space, frame.assign(accuracy=accuracy))


def chosen_coverage(rows: int, tables: int, products: int, spread: float) -> float:
    """The share of the chosen products whose 95 % interval holds."""
    space = load_shipped("foxnas-mini")
    candidates, held = list(candidate_pairs(WITHIN, space, "accuracy")), []
    many = space.random_codes(20_000, seed=tables)
    for seed in range(tables):
        rng = np.random.default_rng(seed)
        drawn = rng.choice(len(candidates), products, replace=False)
        form = build_form(WITHIN, space, "accuracy", tuple(candidates[i] for i in drawn))
        true = rng.normal(0, [spread if "*" in t.name else SPREADS[""] for t in form.terms])
        true /= sizes(form)
        true[0] = 75.0
        codes = space.random_codes(rows, seed=seed)
        values = form.matrix(codes) @ true + rng.normal(0, 0.3, rows)
        found = fit(table_of(space, codes, values), "accuracy", WITHIN, "none")
        whole, *_ = np.linalg.lstsq(found.form.matrix(many), form.matrix(many) @ true, rcond=None)
        told, sought = found.coefficients(), found.form.shown @ whole
        right = (told["low"] <= sought) & (sought <= told["high"])
        held += right[["*" in term.name for term in found.form.terms]].tolist()
    return float(np.mean(held))


def sizes(form: Form) -> np.ndarray:
    """The spread (terms,) of each column, so that effects are of one size; 1 of the intercept."""
    x = form.matrix(form.space.random_codes(1000, seed=0))
    spread = x.std(axis=0)
    return np.where(spread > 0, spread, 1.0)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", default=PARTS, help=", ".join(PARTS))
    parser.add_argument("--runs", type=int, default=504, help="runs of the annealer")
    parser.add_argument("--tables", type=int, default=20, help="simulated tables")
    parser.add_argument("--rows", type=int, nargs="+", default=[150, 300, 600])
    options = parser.parse_args(arguments)
    if "demo" in options.parts:
        demo = searched(open_study(DEMO).table(), WITHIN, "auto", options.runs)
        print("data/demo", demo.to_string(), sep="\n", flush=True)
    if "large" in options.parts:
        document = load_shipped("foxnas-cpu").to_dict()
        space = space_from_dict(document | {"resolutions": [160, 192, 224, 256]})
        table = Truth.of(space, 0).measure(space.random_codes(600, seed=0), 1)
        found = searched(table, "per_layer", "per_layer", options.runs)
        print("foxnas-cpu, simulated", found.to_string(), sep="\n", flush=True)
    if "optima" in options.parts:
        print("measured optima of data/demo", optima_errors().to_string(), sep="\n", flush=True)
    for rows in options.rows if "coverage" in options.parts else []:
        shares = coverage(rows, options.tables)
        print(f"{rows} rows:", ", ".join(f"{kind} {share:.3f}" for kind, share in shares.items()))
    for rows in options.rows if "chosen" in options.parts else []:
        for name, (products, spread) in CHOSEN.items():
            share = chosen_coverage(rows, options.tables, products, spread)
            print(f"{rows} rows, {name}: {share:.3f}", flush=True)


if __name__ == "__main__":
    main()
