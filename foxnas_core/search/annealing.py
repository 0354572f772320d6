"""Simulated annealing over a search problem: seeded, run in steps, traced.

Each choice of the context (each resolution) has chains of its own, so that no chain has to cross
from one to another. A limit is soft inside a chain, whose energy falls by a penalty for every
unit above it, and hard for the best, which is always within all. A chain goes from an option of a
group to any other that none beats, since any that is beaten can be replaced at no loss. What a
chain found is polished as each of its starts ends. In the teaching mode a chain goes by single
edits through all options, the limits are hard inside it too, and nothing is polished.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from foxnas_core.search.chain import PlainChains, compiled_chains
from foxnas_core.search.chain_state import Chain, ChainArrays
from foxnas_core.search.compiling import compiling_pays
from foxnas_core.search.context_table import ContextTable
from foxnas_core.search.feasibility import check_feasible, feasible_options
from foxnas_core.search.polish import polish, polish_within
from foxnas_core.search.problem import Candidate, SearchProblem
from foxnas_core.search.result import TRACE_COLUMNS, SearchResult
from foxnas_core.search.schedule import AnnealingSettings, steered, temperatures
from foxnas_core.search.solving import Solution, solve
from foxnas_core.search.suggestion import limit_penalties, resolved

RECORDS = 100
# As a penalty so great that the least overshoot is never accepted; infinity times 0 is undefined.
_REFUSED = 1e300


class Annealer:
    """A run of annealing that advances as it is asked to.

    Equal problems and settings give equal runs, to the last bit, however the proposals are
    divided over calls of `advance`. While one thread advances, others may read.

    Raises `InfeasibleBudget` where no architecture fits.
    """

    def __init__(self, problem: SearchProblem, settings: AnnealingSettings) -> None:
        check_feasible(problem)
        self.problem = problem
        self.settings = resolved(settings, problem)
        start, end = self.settings.start_temperature, self.settings.end_temperature
        assert start is not None and end is not None
        self._ends = start, end
        self._levels = self.settings.levels
        self._fall = temperatures(self.settings.schedule, *self._ends, self._levels)
        self._rounds = 1 + self.settings.restarts
        self._neighbours: tuple[np.ndarray, ...] = (np.empty(0, np.int64),) * 3
        if self.settings.mode == "teaching":
            edges = np.cumsum([0, *(len(n.targets) for n in problem.neighbours)])
            lengths = [len(n.starts) - 1 for n in problem.neighbours]
            self._neighbours = (
                np.cumsum([0, *lengths])[:-1],
                np.concatenate(
                    [
                        n.starts[:-1] + edge
                        for n, edge in zip(problem.neighbours, edges, strict=False)
                    ]
                    + [edges[-1:]]
                ),
                np.concatenate([n.targets for n in problem.neighbours]),
            )
        # Where there is no limit, one that everything is within.
        self._budgets = problem.budgets if problem.limits else np.array([math.inf])
        self._accepted_ended = 0  # before the chains' last starts
        self._arrays, self._chains = self._start_chains()
        self.total = self.settings.steps * self._rounds * len(self._chains)
        self._compiled = compiling_pays(self.total, len(self._arrays.scores))
        self._run_chains = self._loop()
        self._every = max(1, math.ceil(self.total / RECORDS))
        self._proposals = 0
        self._accepted_before = 0
        self._numbers = np.arange(len(self._chains))
        self._shares = np.zeros(len(self._chains), np.int64)
        self._records: list[tuple[float, ...]] = []
        self._publish()

    def _start_chains(self) -> tuple[ChainArrays, list[Chain]]:
        """A chain or more for each context in which the limits can be met."""
        problem, settings = self.problem, self.settings
        walked: list[
            tuple[int, ContextTable, Sequence[np.ndarray] | None, np.ndarray, np.ndarray]
        ] = []
        for context, found in enumerate(feasible_options(problem)):
            if found is None:
                continue
            table = problem.tables[context]
            penalties = limit_penalties(table, problem.budgets)
            if settings.penalty is not None:
                penalties[0] = settings.penalty
            if settings.mode == "teaching":
                penalties[:] = _REFUSED
                walked.append((context, table, None, found, penalties))
            else:
                found = table.undominated_as_good(found)
                walked.append((context, table.reduced, table.undominated, found, penalties))
        tables = [table for _, table, *_ in walked]
        arrays = ChainArrays(
            tables, settings.chains, self._levels, len(self._budgets), self._neighbours
        )
        chains: list[Chain] = []
        for context, table, kept, found, penalties in walked:
            for number in range(settings.chains):
                row = len(chains)
                arrays.penalties[row] = penalties
                chain = Chain(
                    context, number, table, kept, found, arrays.penalties[row],
                    arrays.temperatures[row], arrays.options[row], arrays.best[row],
                    arrays.now[row], arrays.met[row], arrays.counts[row],
                    arrays.random[row : row + 1], arrays.champions[row],
                    arrays.champion_totals[row],
                )  # fmt: skip
                self._begin(chain)
                chains.append(chain)
        return arrays, chains

    def _loop(self) -> Callable[..., None]:
        """The inner loop, compiled or not: both make the same run."""
        return compiled_chains() if self._compiled else PlainChains(self._arrays)

    def _begin(self, chain: Chain) -> None:
        """Put a chain at its next start: a random architecture, or the cheapest where the limit is
        hard."""
        seeds = np.random.SeedSequence(
            [self.settings.seed, chain.context, chain.number, chain.starts]
        ).generate_state(1 + len(chain.options), np.uint64)
        chain.random[:] = seeds[:1]
        if self.settings.mode == "teaching" and self.problem.limits:
            chain.options[:] = chain.feasible
        else:
            # The upper 32 bits, scaled to each group's options.
            sizes = np.array([len(scores) for scores in chain.table.scores], np.uint64)
            chain.options[:] = (seeds[1:] >> np.uint64(32)) * sizes >> np.uint64(32)
        chain.temperatures[:] = self._fall
        self._accepted_ended += int(chain.counts[1])
        chain.counts[:] = 0
        chain.starts += 1
        chain.now[:] = self._sums(chain.table, chain.options)
        chain.met[0] = -math.inf
        if (chain.now[1:] <= self._budgets).all():
            chain.met[:] = chain.now
            chain.best[:] = chain.options

    def _end(self, chain: Chain) -> None:
        """Polish what a chain found since its last start, and keep it if nothing better was."""
        best, totals = chain.best, chain.met
        if self.settings.mode == "full":
            # A chain too short to have met the limit starts from what certainly does.
            found = best if totals[0] > -math.inf else chain.feasible
            if len(self.problem.limits) > 1:
                best = polish_within(chain.table, found, self.problem.budgets)
            else:
                best = polish(chain.table, found, self.problem.budget, compiled=self._compiled)
            totals = self._sums(chain.table, best)
        if totals[0] > chain.champion_totals[0]:
            chain.champion[:], chain.champion_totals[:] = best, totals

    def prepare(self) -> None:
        """Compile the inner loop, which takes some seconds the first time on a machine; else
        a long run's first call of `advance` does."""
        self._compiled = True
        self._run_chains = self._loop()
        chain = self._chains[0]
        self._propose(np.zeros(len(self._chains), np.int64))
        if self.settings.mode == "full" and len(self.problem.limits) < 2:
            polish(chain.table, chain.feasible, self.problem.budget)

    def advance(self, proposals: int) -> None:
        """Make so many proposals over all chains, or as many as are left."""
        goal = min(self._proposals + proposals, self.total)
        count = len(self._chains)
        while self._proposals < goal:
            record = min((self._proposals // self._every + 1) * self._every, self.total)
            stop = min(goal, record)
            # Proposals are dealt out in turn: chain k has every `count`-th from the k-th.
            shares = (stop + count - 1 - self._numbers) // count
            left, self._shares = shares - self._shares, shares
            if self._undisturbed(stop):
                self._propose(left)
            else:
                while left.any():
                    left = left - self._turn(left)
            self._publish()
            if stop == record:
                self._record(stop)
            # Last, so that whoever sees the run done sees all of it.
            self._proposals = stop

    def _undisturbed(self, stop: int) -> bool:
        """Whether on the way to so many proposals no chain begins or ends, nor its level where the
        schedule adapts."""
        count, steps = len(self._chains), self.settings.steps
        least, most = self._proposals // count, -(-stop // count)
        return (
            self.settings.schedule != "adaptive"
            and least % steps > 0
            and (least // steps == most // steps)
        )

    def _turn(self, left: np.ndarray) -> np.ndarray:
        """Let each chain make what is left for it, but no more than until its start or, where the
        schedule adapts, its level ends; how many each made. Decided by counts alone, so that it
        does not depend on how the proposals are divided over calls."""
        steps, levels = self.settings.steps, self._levels
        adaptive = self.settings.schedule == "adaptive"
        counts = self._arrays.counts
        for row in np.flatnonzero((left > 0) & (counts[:, 0] == steps)):
            self._begin(self._chains[row])
        made, accepted = counts.T.copy()
        level = np.minimum(made, steps - 1) * levels // steps
        ends = -(-(level + 1) * steps // levels) if adaptive else np.full_like(made, steps)
        parts = np.minimum(left, ends - made)
        self._propose(parts)
        if adaptive:
            for row in np.flatnonzero(parts):
                chain, k = self._chains[row], int(level[row])
                chain.level_accepted += int(counts[row, 1] - accepted[row])
                if counts[row, 0] == ends[row]:
                    begin = -(-k * steps // levels)
                    share = chain.level_accepted / int(ends[row] - begin)
                    chain.level_accepted = 0
                    if k + 1 < levels:
                        chain.temperatures[k + 1 :] = steered(
                            float(chain.temperatures[k]), share, int(ends[row]) / steps, *self._ends
                        )
        for row in np.flatnonzero((parts > 0) & (counts[:, 0] == steps)):
            self._end(self._chains[row])
        return parts

    def _propose(self, shares: np.ndarray) -> None:
        self._run_chains(shares, self.settings.steps, self._budgets, *self._arrays.all)

    @staticmethod
    def _sums(table: ContextTable, options: np.ndarray) -> np.ndarray:
        """Score and costs, one of 0 where there is no limit."""
        score, paid = table.totals(options)
        return np.array([score, *(paid or (0.0,))])

    def _publish(self) -> None:
        """Copy what others read, so that they never see half of a step."""
        arrays = self._arrays
        scores = np.maximum(arrays.met[:, 0], arrays.champion_totals[:, 0])
        row = int(np.argmax(scores))
        leader = self._chains[row]
        options, totals = leader.found
        found = options.copy() if totals[0] > -math.inf else None
        self._published = leader, leader.options.copy(), found

    def _record(self, proposals: int) -> None:
        leader, *_ = self._published
        accepted = self._accepted_ended + int(self._arrays.counts[:, 1].sum())
        made = proposals - (int(self._records[-1][0]) if self._records else 0)
        last = (proposals - 1) // len(self._chains) % self.settings.steps
        level = last * self._levels // self.settings.steps
        self._records.append(
            (
                proposals, float(leader.temperatures[level]), *leader.now[:2].tolist(),
                *leader.found[1][:2].tolist(), (accepted - self._accepted_before) / made,
            )
        )  # fmt: skip
        self._accepted_before = accepted

    @property
    def proposals(self) -> int:
        """Proposals made so far, of `total`."""
        return self._proposals

    @property
    def evaluations(self) -> int:
        """The same: each is evaluated."""
        return self._proposals

    @property
    def done(self) -> bool:
        return self._proposals == self.total

    @property
    def best(self) -> Candidate | None:
        """The best architecture within the limit so far, or None."""
        leader, _, found = self._published
        if found is None:
            return None
        return self.problem.candidate(leader.context, leader.listed(found))

    @property
    def current(self) -> Candidate:
        """Where the leading chain, the one that found the best so far, is now."""
        leader, options, _ = self._published
        return self.problem.candidate(leader.context, leader.listed(options))

    @property
    def trace(self) -> pd.DataFrame:
        """One row every so many proposals (about 100 a run, and one at the end).

        Temperature of the last proposal, value and first cost of the leading chain's current
        architecture and of the best (NaN before one is found), and the share of the proposals
        since the row before that were accepted, over all chains.
        """
        # Arrays until the end: this is read with every frame of a run that is watched.
        records = np.array(list(self._records), dtype=float).reshape(-1, len(TRACE_COLUMNS))
        # Before anything within the limits is found, its score is minus infinity.
        best = [TRACE_COLUMNS.index(f"best_{what}") for what in ("value", "cost")]
        records[np.ix_(records[:, best[0]] == -math.inf, best)] = math.nan
        columns = dict(zip(TRACE_COLUMNS, records.T, strict=True))
        for which in ("current", "best"):
            columns[f"{which}_value"] = self.problem.value_of(columns[f"{which}_value"])
            columns[f"{which}_cost"] = self.problem.cost_of(columns[f"{which}_cost"])
        return pd.DataFrame(columns | {"proposals": columns["proposals"].astype("int64")})

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
    """What `Annealer.result` takes of a solution: the optimum, or else a bound if there is any."""
    if solution.exact:
        return solution.candidate, None
    return None, solution.bound if math.isfinite(solution.bound) else None
