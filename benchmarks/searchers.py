"""Our annealer and those it is held against, each a method from a problem to what it found."""

import itertools
import math
import random as python_random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from foxnas_core.search.annealing import Annealer, search
from foxnas_core.search.compiling import compiled
from foxnas_core.search.context_table import ContextTable
from foxnas_core.search.problem import SearchProblem
from foxnas_core.search.schedule import AnnealingSettings, temperatures
from foxnas_core.search.strategies.driver import StrategyRun
from foxnas_core.search.strategies.encoding import Encoding
from foxnas_core.search.strategies.goal import SearchGoal
from foxnas_core.search.strategies.strategy import strategy_of
from foxnas_core.search.suggestion import suggest_temperatures
from foxnas_core.space.architecture import Architecture

STEPS = AnnealingSettings().steps * AnnealingSettings().chains * (1 + AnnealingSettings().restarts)


@dataclass(frozen=True)
class Sizes:
    """How much is run: generations of the evolutions, iterations of dual_annealing, budgets and
    seeds of each rival, seeds of our time to within 0.01 %, runs of the annealer (over all
    budgets), repeats of the front."""

    generations: int = 500
    iterations: int = 1000
    quantiles: tuple[float, ...] = (0.3, 0.7)
    seeds: int = 2
    near: int = 20
    runs: int = 504
    repeats: int = 5


QUICK = Sizes(generations=2, iterations=3, quantiles=(0.5,), seeds=1, near=1, runs=6, repeats=1)


class Lookup:
    """Predictions of genes (see `Encoding`) from the tables of a problem: the quickest that
    vectorised evaluations can be."""

    def __init__(self, problem: SearchProblem) -> None:
        self.problem = problem
        space, encoding = problem.space, Encoding(SearchGoal.of(problem))
        self.encoding = encoding
        self._contexts = [i for i, d in enumerate(space.decisions) if d.group in space.context]
        context_sizes = encoding.sizes[self._contexts].tolist()
        self._context_of = {
            genes: problem.space.context_options().index(
                {
                    space.decisions[c].name: space.decisions[c].choices[g]
                    for c, g in zip(self._contexts, genes, strict=True)
                }
            )
            for genes in itertools.product(*map(range, context_sizes))
        }
        self._groups = []
        for number, group in enumerate(problem.groups):
            columns = [i for i, d in enumerate(space.decisions) if d.group == group]
            sizes = encoding.sizes[columns]
            raw = np.zeros((math.prod(sizes.tolist()), len(space.decisions)), dtype=int)
            raw[:, columns] = np.stack(np.unravel_index(np.arange(len(raw)), sizes), axis=1)
            codes = encoding.codes(raw)[:, columns]
            listed = space.option_codes(space.in_group(group))[:, columns]
            place = {tuple(row): i for i, row in enumerate(listed.tolist())}
            options = np.array([place[tuple(row)] for row in codes.tolist()])
            weights = np.cumprod([1, *sizes[:0:-1]])[::-1]
            scores = np.stack([t.scores[number][options] for t in problem.tables])
            costs = np.stack([t.costs[number][options] for t in problem.tables])
            self._groups.append((columns, weights, scores, costs))
        self._score = np.array([t.score_constant for t in problem.tables])
        self._cost = np.array([t.cost_constant for t in problem.tables])

    def __call__(self, genes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Scores and costs (rows,) of genes (rows, decisions)."""
        context = np.array([self._context_of[tuple(r)] for r in genes[:, self._contexts].tolist()])
        score, cost = self._score[context], self._cost[context]
        for columns, weights, scores, costs in self._groups:
            option = genes[:, columns] @ weights
            score = score + scores[context, option]
            cost = cost + costs[context, option]
        return score, cost

    def evaluate(self, architectures: Sequence[Architecture]) -> tuple[np.ndarray, np.ndarray]:
        """As `strategies.evaluation_of`, on the scale of the links."""
        codes = self.problem.space.encode(architectures)
        score, cost = self(np.maximum(codes, 0).astype(int))
        return self.problem.value_of(score), self.problem.cost_of(cost)[:, None]


@dataclass(frozen=True)
class Found:
    """The best value of a run, and its evaluations or proposals."""

    value: float
    evaluations: int


Method = Callable[[SearchProblem, int, Sizes], Found]


def annealed(problem: SearchProblem, seed: int, sizes: Sizes) -> Found:
    result = search(problem, AnnealingSettings(seed=seed), with_exact=False)
    return Found(result.best.value, result.proposals)


def annealed_without_polish(problem: SearchProblem, seed: int, sizes: Sizes) -> Found:
    annealer = Annealer(problem, AnnealingSettings(seed=seed))
    annealer.advance(annealer.total - 1)
    return Found(annealer.best.value if annealer.best else np.nan, annealer.proposals)


def milp(problem: SearchProblem, seed: int = 0, sizes: Sizes | None = None) -> Found:
    """One integer programme of all contexts: one of them, and one efficient option of each group
    there."""
    from scipy.optimize import Bounds, LinearConstraint
    from scipy.optimize import milp as solve
    from scipy.sparse import coo_array

    scores, costs, rows, columns, entries = [], [], [], [], []
    row = column = 0
    tables = feasible(problem)
    for table in tables:
        scores.append([table.score_constant])
        costs.append([table.cost_constant])
        for group, kept in enumerate(table.efficient):
            scores.append(table.scores[group][kept])
            costs.append(table.costs[group][kept])
    lengths = [len(part) for part in scores]
    starts = np.cumsum([0, *lengths])
    parts = iter(range(len(lengths)))
    chooser = []
    for table in tables:
        choice = int(starts[next(parts)])
        chooser.append(choice)
        for _ in table.efficient:
            part = next(parts)
            options = range(starts[part], starts[part + 1])
            columns += [*options, choice]
            entries += [1.0] * len(options) + [-1.0]
            rows += [row] * (len(options) + 1)
            row += 1
    columns += chooser
    entries += [1.0] * len(chooser)
    rows += [row] * len(chooser)
    column = int(starts[-1])
    one_each = coo_array((entries, (rows, columns)), shape=(row + 1, column)).tocsr()
    right = np.r_[np.zeros(row), 1.0]
    answer = solve(
        -np.concatenate(scores),
        constraints=[
            LinearConstraint(one_each, right, right),
            LinearConstraint(np.concatenate(costs)[None], -np.inf, problem.budget),
        ],
        integrality=np.ones(column),
        bounds=Bounds(0, 1),
        options={"mip_rel_gap": 1e-9},
    )
    return Found(float(problem.value_of(-answer.fun)), 1)


def nsga2(problem: SearchProblem, seed: int, sizes: Sizes) -> Found:
    """As `strategies.nsga2`, run by pymoo itself."""
    from pymoo.algorithms.moo.nsga2 import NSGA2
    from pymoo.core.mutation import Mutation
    from pymoo.core.problem import Problem
    from pymoo.operators.crossover.ux import UX
    from pymoo.operators.sampling.rnd import IntegerRandomSampling
    from pymoo.optimize import minimize

    lookup = lookup_of(problem)
    choices = lookup.encoding.sizes
    best = [-math.inf]

    class Redraw(Mutation):
        def _do(self, problem, X, *args, random_state, **kwargs):  # noqa: N803
            chosen = random_state.random(X.shape) < 1 / X.shape[1]
            return np.where(chosen, random_state.integers(choices, size=X.shape), X)

    class Budgeted(Problem):
        def _evaluate(self, x, out, *args, **kwargs):
            score, cost = lookup(x.astype(int))
            out["F"], out["G"] = np.column_stack([-score, cost]), cost - problem.budget
            best[0] = max(best[0], np.max(score, where=cost <= problem.budget, initial=best[0]))

    count = len(choices)
    minimize(
        Budgeted(n_var=count, n_obj=2, n_ieq_constr=1, xl=0, xu=choices - 1, vtype=int),
        NSGA2(pop_size=100, sampling=IntegerRandomSampling(), crossover=UX(), mutation=Redraw()),
        ("n_gen", sizes.generations),
        seed=seed,
    )
    return Found(float(problem.value_of(best[0])), 100 * sizes.generations)


def once_for_all(problem: SearchProblem, seed: int, sizes: Sizes) -> Found:
    goal = SearchGoal.of(problem)
    total = 100 * sizes.generations
    strategy = strategy_of("OFA's evolution", goal, seed)
    course = StrategyRun(strategy, lookup_of(problem).evaluate, goal, total)
    course.advance(total)
    return Found(course.best.value if course.best else math.nan, total)


def dual_annealing(problem: SearchProblem, seed: int, sizes: Sizes) -> Found:
    """Over real numbers whose whole parts are genes."""
    from scipy.optimize import dual_annealing as anneal

    lookup = lookup_of(problem)
    choices = lookup.encoding.sizes
    penalties = Annealer(problem, AnnealingSettings(steps=1)).penalties
    penalty = float(np.max(list(penalties.values())))
    best = [-math.inf]

    def energy(x: np.ndarray) -> float:
        genes = np.minimum(x.astype(int), choices - 1)
        (score,), (cost,) = lookup(genes[None])
        if cost <= problem.budget:
            best[0] = max(best[0], score)
        return -(score - penalty * max(0.0, cost - problem.budget))

    answer = anneal(
        energy, [(0.0, float(n)) for n in choices], maxiter=sizes.iterations, rng=seed,
        no_local_search=True,
    )  # fmt: skip
    return Found(float(problem.value_of(best[0])), int(answer.nfev))


def plain_python(problem: SearchProblem, seed: int, sizes: Sizes) -> Found:
    """Our chains, moves, temperatures and penalty, without the compiler and the polish."""
    steps = STEPS * sizes.generations // Sizes.generations
    annealer = Annealer(problem, AnnealingSettings(steps=steps, chains=1))
    start, end = suggest_temperatures(problem)
    levels = temperatures("geometric", start, end, annealer.settings.levels).tolist()
    neighbours = [[n.of(i).tolist() for i in range(len(n.starts) - 1)] for n in problem.neighbours]
    rng, best, budget = python_random.Random(seed), -math.inf, problem.budget
    for context, prices in annealer.penalties.items():
        table, penalty = problem.tables[context], float(np.max(prices))
        all_scores, all_costs = ([p.tolist() for p in x] for x in (table.scores, table.costs))
        options = [rng.randrange(len(part)) for part in all_scores]
        score, cost = table.total(options)
        energy = score - penalty * max(0.0, cost - budget)
        for step in range(steps):
            group = rng.randrange(len(options))
            here = options[group]
            if not neighbours[group][here]:
                continue
            there = rng.choice(neighbours[group][here])
            new_score = score + all_scores[group][there] - all_scores[group][here]
            new_cost = cost + all_costs[group][there] - all_costs[group][here]
            new = new_score - penalty * max(0.0, new_cost - budget)
            temperature = levels[step * len(levels) // steps]
            if new >= energy or rng.random() < math.exp((new - energy) / temperature):
                options[group], score, cost, energy = there, new_score, new_cost, new
                if cost <= budget and score > best:
                    best = score
    return Found(float(problem.value_of(best)), steps * len(annealer.penalties))


def random(problem: SearchProblem, seed: int, sizes: Sizes) -> Found:
    rng = np.random.default_rng(seed)
    best = -np.inf
    for table in feasible(problem):
        scores, costs = table.score_constant, table.cost_constant
        for group_scores, group_costs in zip(table.scores, table.costs, strict=True):
            chosen = rng.integers(len(group_scores), size=STEPS)
            scores, costs = scores + group_scores[chosen], costs + group_costs[chosen]
        best = max(best, np.max(scores, where=costs <= problem.budget, initial=best))
    return Found(float(problem.value_of(best)), STEPS * len(feasible(problem)))


def foxnas(problem: SearchProblem, seed: int, sizes: Sizes) -> Found:
    best = -np.inf
    for number, table in enumerate(feasible(problem)):
        # From the cheapest architecture, since a random one rarely is within a tight budget.
        options = table.cheapest.copy()
        score = foxnas_chain(options, STEPS, np.uint64(1000 * seed + number), *flat(problem, table))
        best = max(best, score)
    return Found(float(problem.value_of(best)), STEPS * len(feasible(problem)))


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


_LOOKUPS: dict[int, Lookup] = {}


def lookup_of(problem: SearchProblem) -> Lookup:
    """Tables of predictions, made once for all budgets of a problem."""
    key = id(problem.tables)
    if key not in _LOOKUPS:
        _LOOKUPS[key] = Lookup(problem)
    found = _LOOKUPS[key]
    found.problem = problem
    return found


METHODS: dict[str, Method] = {
    "annealing": annealed,
    "annealing, no polish": annealed_without_polish,
    "milp, one call": milp,
    "NSGA-II (pymoo)": nsga2,
    "OFA's evolution": once_for_all,
    "dual_annealing (scipy)": dual_annealing,
    "Metropolis in Python": plain_python,
    "FOX-NAS's rule": foxnas,
    "random": random,
}
