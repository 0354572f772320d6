"""Simulated annealing over a search problem: seeded, run in steps, traced.

Each choice of the context (each resolution) has chains of its own, so that no chain has to cross
from one to another. A limit is soft inside a chain, whose energy falls by a penalty for every
unit above it, and hard for the best, which is always within all. A chain goes from an option of a
group to any other that none beats, since any that is beaten can be replaced at no loss. At the end
the best of each chain is polished. In the teaching mode a chain goes by single edits through all
options, the limits are hard inside it too, and nothing is polished.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from foxnas_core.search.milp import (
    Solution,
    feasible_options,
    limit_prices,
    solve,
)
from foxnas_core.search.polish import polish, polish_within
from foxnas_core.search.problem import Candidate, ContextTable, SearchProblem
from foxnas_core.search.result import TRACE_COLUMNS, SearchResult
from foxnas_core.search.schedule import AnnealingSettings, Schedule, steered, temperatures

RECORDS = 100

# Relative to the price of the limit: below 1 chains stay above the limit, far above 1 they
# cannot pass through it.
_PENALTY = 1.3
# The same under several limits: at their prices the relaxed optimum splits as many groups' options
# as there are limits, so a chain that pays no more stays further above them.
_PENALTY_OF_MANY = 1.5
# The least penalty, relative to the price that a limit would have without the others: beside
# limits that bind, one that does not has no price, yet must not be passed for nothing.
_ALONE = 0.1
# Random architectures of each context that the temperatures are suggested by.
_SAMPLED = 500
# As a penalty so great that the least overshoot is never accepted; infinity times 0 is undefined.
_REFUSED = 1e300
# Relative to the temperature at which 80 % of single edits are accepted. An adaptive schedule
# starts far above it, since it follows the acceptance down.
_START, _ADAPTIVE_START, _END = 0.2, 5.0, 0.003


@dataclass(eq=False)
class _Chain:
    """The state of one chain; see `chain.run_chain` for the arrays.

    It walks the options of `table`, which for each group are those at `kept` in the problem's own.
    `counts` are those since the last start, `accepted` those accepted before it.
    """

    context: int
    number: int
    table: ContextTable
    kept: Sequence[np.ndarray] | None
    penalties: np.ndarray
    feasible: np.ndarray
    temperatures: np.ndarray
    scores: np.ndarray
    costs: np.ndarray
    options: np.ndarray
    best: np.ndarray
    totals: np.ndarray
    counts: np.ndarray
    random: np.ndarray
    starts: int = 0
    accepted: int = 0
    level_accepted: int = 0

    def __post_init__(self) -> None:
        self.sizes = np.array([len(scores) for scores in self.table.scores])
        self.group_starts = np.cumsum(self.sizes) - self.sizes
        self.cost_constants = np.array(self.table.cost_constants or (0.0,))

    def listed(self, options: np.ndarray) -> np.ndarray:
        """The positions of the chain's options among the problem's."""
        if self.kept is None:
            return options.copy()
        return np.array([kept[option] for kept, option in zip(self.kept, options, strict=True)])


class Annealer:
    """A run of annealing that advances as it is asked to.

    Equal problems and settings give equal runs, to the last bit, however the proposals are
    divided over calls of `advance`. While one thread advances, others may read.

    Raises `InfeasibleBudget` where no architecture fits.
    """

    def __init__(self, problem: SearchProblem, settings: AnnealingSettings) -> None:
        from foxnas_core.search.chain import run_chain

        self._run_chain = run_chain
        problem.check_feasible()
        self.problem = problem
        self.settings = resolved(settings, problem)
        start, end = self.settings.start_temperature, self.settings.end_temperature
        assert start is not None and end is not None
        self._ends = start, end
        self._levels = self.settings.levels
        self._rounds = 1 + self.settings.restarts
        self._neighbour_starts = self._neighbours = np.empty(0, np.int64)
        if self.settings.mode == "teaching":
            edges = np.cumsum([0, *(len(n.targets) for n in problem.neighbours)])
            self._neighbour_starts = np.concatenate(
                [n.starts[:-1] + edge for n, edge in zip(problem.neighbours, edges, strict=False)]
                + [edges[-1:]]
            )
            self._neighbours = np.concatenate([n.targets for n in problem.neighbours])
        # Where there is no limit, one that everything is within.
        self._budgets = problem.budgets if problem.limits else np.array([math.inf])
        self._chains = self._start_chains()
        self.total = self.settings.steps * self._rounds * len(self._chains)
        self._every = max(1, math.ceil(self.total / RECORDS))
        self._proposals = 0
        self._accepted_before = 0
        self._records: list[tuple[float, ...]] = []
        self._publish()

    def _start_chains(self) -> list[_Chain]:
        """A chain or more for each context in which the limit can be met."""
        chains = []
        problem, settings = self.problem, self.settings
        for context, found in enumerate(feasible_options(problem)):
            if found is None:
                continue
            table = problem.tables[context]
            penalties = limit_penalties(table, problem.budgets)
            if settings.penalty is not None:
                penalties[0] = settings.penalty
            if settings.mode == "teaching":
                penalties[:] = _REFUSED
            kept = None
            if settings.mode == "full":
                kept, found = table.undominated, table.undominated_as_good(found)
                table = table.reduced
            scores, costs = np.concatenate(table.scores), np.concatenate(table.limit_costs)
            if not problem.limits:
                costs = np.zeros((len(scores), 1))
            groups = len(table.scores)
            for number in range(settings.chains):
                totals = np.full((2, 1 + costs.shape[1]), math.nan)
                totals[1, 0] = -math.inf
                chain = _Chain(
                    context, number, table, kept, penalties, found, np.empty(self._levels),
                    scores, costs, np.empty(groups, np.int64), np.empty(groups, np.int64), totals,
                    np.zeros(2, np.int64), np.empty(1, np.uint64),
                )  # fmt: skip
                self._begin(chain)
                chains.append(chain)
        return chains

    def _begin(self, chain: _Chain) -> None:
        """Put a chain at its next start: a random architecture, or the cheapest where the limit is
        hard."""
        key = [self.settings.seed, chain.context, chain.number]
        seeds = np.random.SeedSequence([*key, chain.starts] if chain.starts else key)
        table = chain.table
        if self.settings.mode == "teaching" and self.problem.limits:
            chain.options[:] = chain.feasible
        else:
            rng = np.random.default_rng(seeds)
            chain.options[:] = [rng.integers(len(s)) for s in table.scores]
        chain.random[:] = seeds.generate_state(1, np.uint64)
        chain.temperatures[:] = temperatures(self.settings.schedule, *self._ends, self._levels)
        chain.accepted += int(chain.counts[1])
        chain.counts[:] = 0
        chain.starts += 1
        here = chain.totals[0] = self._sums(table, chain.options)
        if (here[1:] <= self._budgets).all() and here[0] > chain.totals[1, 0]:
            chain.totals[1] = here
            chain.best[:] = chain.options

    def prepare(self) -> None:
        """Compile the inner loop, which takes some seconds the first time on a machine; else
        the first call of `advance` does."""
        self._propose(self._chains[0], 0)

    def advance(self, proposals: int) -> None:
        """Make so many proposals over all chains, or as many as are left."""
        goal = min(self._proposals + proposals, self.total)
        while self._proposals < goal:
            record = min((self._proposals // self._every + 1) * self._every, self.total)
            stop = min(goal, record)
            for number, chain in enumerate(self._chains):
                # Proposals are dealt out in turn: chain k has every len(chains)-th from the k-th.
                share = (stop - number + len(self._chains) - 1) // len(self._chains)
                made = (chain.starts - 1) * self.settings.steps + int(chain.counts[0])
                self._run(chain, share - made)
            if stop == self.total and self.settings.mode == "full":
                for chain in self._chains:
                    self._polish(chain)
            self._publish()
            if stop == record:
                self._record(stop)
            # Last, so that whoever sees the run done sees all of it.
            self._proposals = stop

    def _run(self, chain: _Chain, proposals: int) -> None:
        """Make so many proposals, stopping where the chain starts anew or its level ends."""
        steps, levels = self.settings.steps, self._levels
        adaptive = self.settings.schedule == "adaptive"
        while proposals > 0:
            if chain.counts[0] == steps:
                self._begin(chain)
            made, accepted = chain.counts.tolist()
            level = made * levels // steps
            # The first proposal of the next level; decided by counts alone, so that it does not
            # depend on how the proposals are divided over calls.
            end = -(-(level + 1) * steps // levels) if adaptive else steps
            part = min(proposals, end - made)
            self._propose(chain, part)
            proposals -= part
            chain.level_accepted += int(chain.counts[1]) - accepted
            if adaptive and made + part == end:
                begin = -(-level * steps // levels)
                share = chain.level_accepted / (end - begin)
                chain.level_accepted = 0
                if level + 1 < levels:
                    chain.temperatures[level + 1 :] = steered(
                        float(chain.temperatures[level]), share, end / steps, *self._ends
                    )

    def _propose(self, chain: _Chain, proposals: int) -> None:
        self._run_chain(
            chain.options, chain.best, chain.totals, chain.counts, chain.random,
            proposals, chain.temperatures, self.settings.steps,
            chain.scores, chain.costs, chain.group_starts,
            chain.table.score_constant, chain.cost_constants,
            chain.sizes, self._neighbour_starts, self._neighbours,
            self._budgets, chain.penalties,
        )  # fmt: skip

    def _polish(self, chain: _Chain) -> None:
        table = chain.table
        # A chain too short to have met the limit starts from what certainly does.
        found = chain.best if chain.totals[1, 0] > -math.inf else chain.feasible
        if len(self.problem.limits) > 1:
            chain.best = polish_within(table, found, self.problem.budgets)
        else:
            chain.best = polish(table, found, self.problem.budget)
        chain.totals[1] = self._sums(table, chain.best)

    @staticmethod
    def _sums(table: ContextTable, options: np.ndarray) -> np.ndarray:
        """Score and costs, one of 0 where there is no limit."""
        score, paid = table.totals(options)
        return np.array([score, *(paid or (0.0,))])

    def _publish(self) -> None:
        """Copy what others read, so that they never see half of a step."""
        leader = max(self._chains, key=lambda chain: chain.totals[1, 0])
        found = leader.totals[1, 0] > -math.inf
        self._current = (leader.context, leader.listed(leader.options))
        self._best = (leader.context, leader.listed(leader.best)) if found else None
        self._leader = leader

    def _record(self, proposals: int) -> None:
        (score, cost), (best_score, best_cost) = self._leader.totals[:, :2].tolist()
        value, cost_of = self.problem.value_of, self.problem.cost_of
        accepted = sum(chain.accepted + int(chain.counts[1]) for chain in self._chains)
        made = proposals - (int(self._records[-1][0]) if self._records else 0)
        last = (proposals - 1) // len(self._chains) % self.settings.steps
        level = last * self._levels // self.settings.steps
        temperature = float(self._leader.temperatures[level])
        self._records.append(
            (
                proposals, temperature, float(value(score)), float(cost_of(cost)),
                float(value(best_score)) if self._best else math.nan, float(cost_of(best_cost)),
                (accepted - self._accepted_before) / made,
            )
        )  # fmt: skip
        self._accepted_before = accepted

    @property
    def proposals(self) -> int:
        """Proposals made so far, of `total`."""
        return self._proposals

    @property
    def done(self) -> bool:
        return self._proposals == self.total

    @property
    def best(self) -> Candidate | None:
        """The best architecture within the limit so far, or None."""
        best = self._best
        return None if best is None else self.problem.candidate(*best)

    @property
    def current(self) -> Candidate:
        """Where the leading chain, the one that found the best so far, is now."""
        return self.problem.candidate(*self._current)

    @property
    def trace(self) -> pd.DataFrame:
        """One row every so many proposals (about 100 a run, and one at the end).

        Temperature of the last proposal, value and first cost of the leading chain's current
        architecture and of the best (NaN before one is found), and the share of the proposals
        since the row before that were accepted, over all chains.
        """
        frame = pd.DataFrame(list(self._records), columns=list(TRACE_COLUMNS), dtype=float)
        return frame.astype({"proposals": "int64"})

    @property
    def penalties(self) -> dict[int, tuple[float, ...]]:
        """Each limit's penalty in each context that the limits can be met in, by its position;
        infinite where the limits are hard."""
        return {
            chain.context: tuple(
                math.inf if penalty == _REFUSED else penalty for penalty in chain.penalties.tolist()
            )
            for chain in self._chains
        }

    def result(self, exact: Candidate | None = None, bound: float | None = None) -> SearchResult:
        """The finished run, beside the exact optimum or, where that is out of reach, a bound on
        it, where they are given."""
        best = self.best
        if not self.done or best is None:
            raise RuntimeError("The run is not done; call advance first.")
        return SearchResult.of(
            self.problem, self.settings, best, exact, self._proposals, self.trace, bound
        )


def search(
    problem: SearchProblem,
    settings: AnnealingSettings | None = None,
    *,
    with_exact: bool = True,
) -> SearchResult:
    """Anneal to the end, and find the exact optimum to compare with.

    Raises `InfeasibleBudget` where no architecture fits.
    """
    annealer = Annealer(problem, settings or AnnealingSettings())
    annealer.advance(annealer.total)
    if not with_exact:
        return annealer.result()
    return annealer.result(*certificate(solve(problem)))


def certificate(solution: Solution) -> tuple[Candidate | None, float | None]:
    """What `Annealer.result` takes of a solution: the optimum, or else the bound."""
    return (solution.candidate, None) if solution.exact else (None, solution.bound)


def resolved(settings: AnnealingSettings, problem: SearchProblem) -> AnnealingSettings:
    """The settings with every temperature that was left open filled in."""
    start, end = settings.start_temperature, settings.end_temperature
    if start is None or end is None:
        suggested_start, suggested_end = suggest_temperatures(problem, settings.schedule)
        if start is None:
            start = suggested_start if end is None else max(suggested_start, end)
        if end is None:
            end = min(suggested_end, start)
    return replace(settings, start_temperature=start, end_temperature=end)


def suggest_temperatures(
    problem: SearchProblem, schedule: Schedule = "geometric"
) -> tuple[float, float]:
    """Start and end temperature, in units of the score.

    Fixed fractions of the temperature at which 80 % of random single edits of random
    architectures would be accepted, counting the rise and the fall alike. An adaptive schedule
    starts at a multiple of it.
    """
    rng = np.random.default_rng(0)
    falls = []
    budgets = problem.budgets

    def penalty(spent: Sequence[Any]) -> np.ndarray:
        over = np.zeros(_SAMPLED)
        for price, cost, budget in zip(penalties, spent, budgets, strict=False):
            over += price * np.maximum(0.0, cost - budget)
        return over

    for found, table in zip(feasible_options(problem), problem.tables, strict=True):
        if found is None:
            continue
        penalties = limit_penalties(table, budgets)
        by_limit = [[part[:, k] for part in table.limit_costs] for k in range(len(budgets))]
        options = [rng.integers(len(scores), size=_SAMPLED) for scores in table.scores]
        score = table.score_constant + sum(s[o] for s, o in zip(table.scores, options, strict=True))
        spent = [
            constant + sum(c[o] for c, o in zip(costs, options, strict=True))
            for constant, costs in zip(table.cost_constants, by_limit, strict=True)
        ]
        energy = score - penalty(spent)
        for group, neighbours in enumerate(problem.neighbours):
            here = options[group]
            first, last = neighbours.starts[here], neighbours.starts[here + 1]
            moved = last > first
            there = here.copy()
            step = first + (rng.random(len(here)) * (last - first)).astype(np.int64)
            there[moved] = neighbours.targets[step[moved]]
            new_score = score + table.scores[group][there] - table.scores[group][here]
            new_spent = [
                cost + costs[group][there] - costs[group][here]
                for cost, costs in zip(spent, by_limit, strict=True)
            ]
            new_energy = new_score - penalty(new_spent)
            falls.append(np.maximum(0.0, energy - new_energy)[moved])
    fall = np.concatenate(falls) if falls else np.zeros(0)
    if not (fall > 0).any():
        return 1.0, 1.0  # nothing to climb down from: any temperature does
    low, high = float(fall.max()) * 1e-6, float(fall.max()) * 1e3
    for _ in range(60):
        middle = math.sqrt(low * high)
        if np.exp(-fall / middle).mean() < 0.8:
            low = middle
        else:
            high = middle
    start = _ADAPTIVE_START if schedule == "adaptive" else _START
    return start * high, _END * high


def limit_penalties(table: ContextTable, budgets: np.ndarray) -> np.ndarray:
    """What a chain pays for a unit above each limit, shape (limits,): a little above its price.
    One of 0 where there is no limit."""
    if not len(budgets):
        return np.zeros(1)
    if len(budgets) == 1:
        return np.array([_PENALTY * limit_price(table, float(budget)) for budget in budgets])
    alone = [limit_price(table.under(k), float(budget)) for k, budget in enumerate(budgets)]
    return np.maximum(_PENALTY_OF_MANY * limit_prices(table, budgets), _ALONE * np.array(alone))


def limit_price(table: ContextTable, budget: float) -> float:
    """What one more unit of budget is worth, in units of the score: the Lagrangian dual price.

    The slope at the budget of the linear relaxation's optimum, which fills the budget with the
    steepest steps of the groups' concave hulls (Sinha and Zoltners, "The multiple-choice
    knapsack problem", Operations Research 27, 1979). 0 where the limit does not bind.
    """
    steps = np.concatenate(
        [
            _hull_steps(scores[kept], costs[kept])
            for scores, costs, kept in zip(table.scores, table.costs, table.efficient, strict=True)
        ]
    )
    gain, price_paid = steps.T
    order = np.argsort(-gain / price_paid, kind="stable")
    spent = table.smallest_cost + np.cumsum(price_paid[order])
    beyond = np.flatnonzero(spent > budget)
    return float(gain[order[beyond[0]]] / price_paid[order[beyond[0]]]) if len(beyond) else 0.0


def _hull_steps(scores: np.ndarray, costs: np.ndarray) -> np.ndarray:
    """Score gained and cost added by each step of the concave hull of a front, (steps, 2)."""
    hull: list[tuple[float, float]] = []
    for cost, score in zip(costs.tolist(), scores.tolist(), strict=True):
        while len(hull) > 1:
            (c0, s0), (c1, s1) = hull[-2], hull[-1]
            if (s1 - s0) * (cost - c1) > (score - s1) * (c1 - c0):
                break
            hull.pop()
        hull.append((cost, score))
    points = np.array(hull)
    return np.diff(points, axis=0)[:, ::-1]
