"""How near searches come to the exact optimum, on the predictors of a study, and how fast.

    python -m benchmarks.search [STUDY]    (data/demo where none is named)

Every method makes as many proposals, for several budgets and seeds; gaps are in percent of the
exact optimum. The methods beside ours:

- FOX-NAS's rule (arXiv 2108.08189, and its published code): a proposal edits eight decisions at
  once, later five; the budget is hard; a worse proposal is taken only among the first 10,000,
  after 500 refusals in a row, and if it loses less than 0.1;
- random: options drawn uniformly, the best within the budget.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from foxnas_core.regression import fit
from foxnas_core.search.annealing import Annealer, search
from foxnas_core.search.chain import compiled
from foxnas_core.search.exact import front, solve_exact
from foxnas_core.search.problem import ContextTable, Limit, SearchProblem
from foxnas_core.search.schedule import AnnealingSettings
from foxnas_core.storage import open_study

SEEDS = range(20)
QUANTILES = (0.1, 0.3, 0.5, 0.7, 0.9)
STEPS = AnnealingSettings().steps


def annealed(problem: SearchProblem, seed: int) -> float:
    return search(problem, AnnealingSettings(steps=STEPS, seed=seed), with_exact=False).best.value


def annealed_without_polish(problem: SearchProblem, seed: int) -> float:
    annealer = Annealer(problem, AnnealingSettings(steps=STEPS, seed=seed))
    annealer.advance(annealer.total - 1)
    return annealer.best.value if annealer.best else np.nan


def random(problem: SearchProblem, seed: int) -> float:
    rng = np.random.default_rng(seed)
    best = -np.inf
    for table in feasible(problem):
        scores, costs = table.score_constant, table.cost_constant
        for group_scores, group_costs in zip(table.scores, table.costs, strict=True):
            chosen = rng.integers(len(group_scores), size=STEPS)
            scores, costs = scores + group_scores[chosen], costs + group_costs[chosen]
        best = max(best, np.max(scores, where=costs <= problem.budget, initial=best))
    return problem.sign * best


def foxnas(problem: SearchProblem, seed: int) -> float:
    best = -np.inf
    for number, table in enumerate(feasible(problem)):
        # From the cheapest architecture, since a random one rarely is within a tight budget.
        options = table.cheapest.copy()
        score = foxnas_chain(options, STEPS, np.uint64(1000 * seed + number), *flat(problem, table))
        best = max(best, score)
    return problem.sign * best


@compiled
def foxnas_chain(
    options, proposals, seed, scores, costs, starts, neighbour_starts, neighbours, slack
):
    np.random.seed(seed)
    score, refused = 0.0, 0
    for group in range(len(options)):
        score += scores[starts[group] + options[group]]
        slack -= costs[starts[group] + options[group]]
    best = score
    proposed = options.copy()
    for proposal in range(proposals):
        proposed[:] = options
        for _ in range(max(5, 8 - proposal // 1000)):
            # As published, an edit goes up, down, or nowhere.
            if np.random.randint(3) == 0:
                continue
            group = np.random.randint(len(options))
            here = starts[group] + proposed[group]
            first, last = neighbour_starts[here], neighbour_starts[here + 1]
            proposed[group] = neighbours[first + np.random.randint(last - first)]
        gain, cost = 0.0, 0.0
        for group in range(len(options)):
            gain += scores[starts[group] + proposed[group]] - scores[starts[group] + options[group]]
            cost += costs[starts[group] + proposed[group]] - costs[starts[group] + options[group]]
        if cost > slack:
            continue
        if gain > 0 or (refused > 500 and proposal < 10_000 and gain > -0.1):
            options[:] = proposed
            score, slack, refused = score + gain, slack - cost, 0
            best = max(best, score)
        else:
            refused += 1
    return best


def flat(problem: SearchProblem, table: ContextTable) -> tuple[np.ndarray | float, ...]:
    """One context's arrays of all groups end to end; scores without the constant in the first."""
    starts = np.cumsum([0, *(len(scores) for scores in table.scores)])[:-1]
    edges = np.cumsum([0, *(len(n.targets) for n in problem.neighbours)])
    rows = [n.starts[:-1] + e for n, e in zip(problem.neighbours, edges[:-1], strict=True)]
    scores = np.concatenate(table.scores)
    scores[: len(table.scores[0])] += table.score_constant
    return (
        scores,
        np.concatenate(table.costs),
        starts,
        np.concatenate([*rows, edges[-1:]]),
        np.concatenate([n.targets for n in problem.neighbours]),
        problem.budget - table.cost_constant,
    )


def feasible(problem: SearchProblem) -> list[ContextTable]:
    return [table for table in problem.tables if table.smallest_cost <= problem.budget]


METHODS: dict[str, Callable[[SearchProblem, int], float]] = {
    "annealing": annealed,
    "annealing, no polish": annealed_without_polish,
    "FOX-NAS's rule": foxnas,
    "random": random,
}


def main() -> None:
    study = open_study(Path(sys.argv[1] if len(sys.argv) > 1 else "data/demo"))
    table = study.table()
    accuracy, latency = fit(table, "accuracy"), fit(table, "latency_ms")
    started = time.perf_counter()
    whole = SearchProblem(accuracy, (Limit(latency, 0.0),))
    costs = front(whole).costs
    compiled_ms = 1000 * (time.perf_counter() - started)
    print(f"{study.name}: {study.space.size:.2e} architectures, {len(costs)} of them on the front")
    print(f"compiled, and the whole front merged: {compiled_ms:.0f} ms")
    problems = [whole.within(float(np.quantile(costs, q))) for q in QUANTILES]
    started = time.perf_counter()
    exact = [solve_exact(problem).value for problem in problems]
    print(f"one budget exactly: {1000 * (time.perf_counter() - started) / len(exact):.1f} ms")
    rows = {}
    for name, method in METHODS.items():
        method(problems[0], 0)  # compiles
        gaps, seconds, proposals = [], 0.0, 0
        for problem, optimum in zip(problems, exact, strict=True):
            for seed in SEEDS:
                started = time.perf_counter()
                found = method(problem, seed)
                seconds += time.perf_counter() - started
                proposals += STEPS * len(feasible(problem))
                gaps.append(problem.sign * (optimum - found) / abs(optimum))
        gap = np.array(gaps)
        met = np.isfinite(gap)
        rows[name] = {
            "budget met": f"{met.mean():.0%}",
            "mean gap %": 100 * gap[met].mean(),
            "largest gap %": 100 * gap[met].max(),
            "within .01 %": f"{(gap < 1e-4).mean():.0%}",
            "exact": f"{(gap < 1e-12).mean():.0%}",
            "ms a run": 1000 * seconds / len(gap),
            "M proposals/s": proposals / seconds / 1e6,
        }
    print(pd.DataFrame(rows).T.to_string(float_format="{:.4f}".format))
    print(f"{len(SEEDS)} seeds; budgets at quantiles {QUANTILES} of the front's costs;")
    print("times include setting up a run.")


if __name__ == "__main__":
    main()
