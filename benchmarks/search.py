"""How near searches come to the exact optimum, and how fast, side by side in one process.

    python -m benchmarks.search [STUDY] [--runs 504] [--seeds 2] [--quick]

Twice: on the predictors of a study (data/demo where none is named), and on FOX-NAS's CPU space at
four input resolutions, with predictors fitted to 600 simulated rows. Times are of the processor,
so that other load matters little; gaps are in percent of the exact optimum. Beside our annealer
run:

- one call of scipy.optimize.milp (HiGHS), given the efficient options of each group only;
- NSGA-II of pymoo and the evolution of Once-for-All, as in `foxnas_core.search.strategies`, with
  predictions looked up in tables;
- scipy.optimize.dual_annealing, with our penalty for what exceeds the limit;
- our chain in plain Python;
- FOX-NAS's rule (arXiv 2108.08189, and its published code): a proposal edits eight decisions at
  once, later five; the budget is hard; a worse proposal is taken only among the first 10,000,
  after 500 refusals in a row, and if it loses less than 0.1;
- random: options drawn uniformly, the best within the budget.
"""

import argparse
import math
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.optimum import Truth
from benchmarks.searchers import METHODS, QUICK, Method, Sizes, annealed, foxnas, lookup_of, milp
from foxnas_core.families import load_shipped, space_from_dict
from foxnas_core.regression import fit
from foxnas_core.search.annealing import RECORDS, Annealer
from foxnas_core.search.exact import front
from foxnas_core.search.limits import Limit
from foxnas_core.search.problem import SearchProblem
from foxnas_core.search.schedule import AnnealingSettings
from foxnas_core.search.solving import solve
from foxnas_core.search.tables import Contexts
from foxnas_core.study import open_study

WITHIN = 1e-4  # of the optimum
QUANTILES = (0.05, 0.2, 0.4, 0.6, 0.8, 0.95)


def near_seconds(problem: SearchProblem, seed: int, optimum: float) -> tuple[float, bool]:
    """Processor seconds until our annealer is within `WITHIN` of the optimum, set-up included,
    or of the whole run where it never is; and whether it is."""
    started = time.process_time()
    annealer = Annealer(problem, AnnealingSettings(seed=seed))
    seconds = time.process_time() - started
    while not annealer.done:
        started = time.process_time()
        annealer.advance(math.ceil(annealer.total / RECORDS))
        seconds += time.process_time() - started
        best = annealer.best
        if best is not None and problem.sign * (optimum - best.value) / abs(optimum) < WITHIN:
            return seconds, True
    return seconds, False


def race(whole: SearchProblem, sizes: Sizes, methods: dict[str, Method] = METHODS) -> pd.DataFrame:
    """One row a method: gaps, time, and its ratio to our time to within 0.01 %."""
    problems = at_quantiles(whole, sizes.quantiles)
    exact = [solve(problem).candidate.value for problem in problems]
    cases = [(p, e, s) for p, e in zip(problems, exact, strict=True) for s in range(sizes.seeds)]
    annealed(problems[0], 0, sizes)  # compiles
    foxnas(problems[0], 0, sizes)
    lookup_of(whole)
    near = [near_seconds(p, s, e)[0] for p, e, _ in cases for s in range(sizes.near)]
    ours = float(np.median(near))
    rows = {"annealing, to within 0.01 %": {"ms a run": 1000 * ours, "time / ours": 1.0}}
    for name, method in methods.items():
        gaps, seconds, evaluations = [], [], 0
        for problem, optimum, seed in cases:
            started = time.process_time()
            found = method(problem, seed, sizes)
            seconds.append(time.process_time() - started)
            evaluations += found.evaluations
            gaps.append(problem.sign * (optimum - found.value) / abs(optimum))
        gap = np.array(gaps)
        met = np.isfinite(gap)
        rows[name] = {
            "budget met": f"{met.mean():.0%}",
            "mean gap %": 100 * gap[met].mean() if met.any() else math.nan,
            "largest gap %": 100 * gap[met].max() if met.any() else math.nan,
            "within .01 %": f"{(gap < WITHIN).mean():.0%}",
            "evaluations": evaluations // len(cases),
            "ms a run": 1000 * float(np.median(seconds)),
            "time / ours": float(np.median(seconds)) / ours,
        }
    return pd.DataFrame(rows).T


def reliability(
    whole: SearchProblem, runs: int, settings: AnnealingSettings | None = None
) -> pd.DataFrame:
    """One row a budget, and one of all: how often our annealer is within 0.01 % and exact, its
    largest gap, and its proposals a second (without setting up)."""
    problems = at_quantiles(whole, QUANTILES)
    annealed(problems[0], 0, QUICK)  # compiles
    rows, everything = {}, []
    for quantile, problem in zip(QUANTILES, problems, strict=True):
        optimum = solve(problem).candidate.value
        kept = []
        for seed in range(max(1, runs // len(QUANTILES))):
            run = Annealer(problem, replace(settings or AnnealingSettings(), seed=seed))
            started = time.process_time()
            run.advance(run.total)
            seconds = time.process_time() - started
            gap = problem.sign * (optimum - run.best.value) / abs(optimum)
            kept.append((gap, run.proposals, seconds))
        everything += kept
        rows[f"budget at {quantile:.0%}"] = _shares(kept)
    rows["all budgets"] = _shares(everything)
    return pd.DataFrame(rows).T


def _shares(kept: list[tuple[float, int, float]]) -> dict[str, object]:
    gaps, proposals, seconds = (np.array(column) for column in zip(*kept, strict=True))
    return {
        "runs": len(gaps),
        "within .01 %": f"{(gaps < WITHIN).mean():.2%}",
        "exact": f"{(gaps < 1e-12).mean():.2%}",
        "largest gap %": 100 * gaps.max(),
        "M proposals/s": proposals.sum() / seconds.sum() / 1e6,
    }


def front_ratio(whole: SearchProblem, repeats: int) -> pd.Series:
    """Processor milliseconds of the whole front and of one-budget calls of milp."""
    fronts, calls = [], []
    for _ in range(repeats):
        fresh = SearchProblem(whole.objective, whole.limits)
        # New tables, whose efficient options are yet to be found.
        fresh.__dict__["tables"] = Contexts(replace(table) for table in whole.tables)
        started = time.process_time()
        front(fresh)
        fronts.append(time.process_time() - started)
        for problem in at_quantiles(whole, QUANTILES):
            started = time.process_time()
            milp(problem)
            calls.append(time.process_time() - started)
    whole_ms, call_ms = 1000 * float(np.median(fronts)), 1000 * float(np.median(calls))
    return pd.Series(
        {"whole front, ms": whole_ms, "one milp, ms": call_ms, "front / milp": whole_ms / call_ms}
    )


def at_quantiles(whole: SearchProblem, quantiles: Sequence[float]) -> list[SearchProblem]:
    """The problem under budgets at these quantiles of its front's costs."""
    costs = front(whole).costs
    return [whole.within(float(np.quantile(costs, q))) for q in quantiles]


def problem_of_study(folder: Path) -> SearchProblem:
    table = open_study(folder).table()
    return SearchProblem(fit(table, "accuracy"), (Limit(fit(table, "latency_ms"), 0.0),))


def full_size_problem(rows: int = 600, seed: int = 0) -> SearchProblem:
    """FOX-NAS's CPU space at four resolutions, fitted to simulated rows (`optimum.Truth`)."""
    document = load_shipped("foxnas-cpu").to_dict()
    space = space_from_dict(document | {"resolutions": [160, 192, 224, 256]})
    table = Truth.of(space, seed).measure(space.random_codes(rows, seed=seed), seed + 1)
    return SearchProblem(fit(table, "accuracy"), (Limit(fit(table, "latency_ms"), 0.0),))


def report(name: str, whole: SearchProblem, sizes: Sizes) -> None:
    """Print all tables of one problem."""
    print(f"\n{name}: {whole.space.size:.2e} architectures, {len(whole.tables)} resolutions")
    text = {"float_format": "{:.4g}".format, "na_rep": ""}
    print(race(whole, sizes).to_string(**text))
    print(reliability(whole, sizes.runs).to_string(**text))
    print(front_ratio(whole, sizes.repeats).to_string(float_format="{:.2f}".format))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("study", nargs="?", type=Path, default=Path("data/demo"))
    parser.add_argument("--runs", type=int, default=Sizes.runs, help="runs of our annealer")
    parser.add_argument("--seeds", type=int, default=Sizes.seeds, help="runs of each rival")
    parser.add_argument("--quick", action="store_true", help="so little that it takes seconds")
    options = parser.parse_args(arguments)
    sizes = QUICK if options.quick else Sizes(runs=options.runs, seeds=options.seeds)
    report(str(options.study), problem_of_study(options.study), sizes)
    report("foxnas-cpu, simulated", full_size_problem(), sizes)


if __name__ == "__main__":
    main()
