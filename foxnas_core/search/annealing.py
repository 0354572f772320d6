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
from dataclasses import replace

import numpy as np
import pandas as pd

from foxnas_core.errors import InvalidInput
from foxnas_core.search.beginnings import REFUSED, begin, chains_of, sums_of
from foxnas_core.search.chain import PlainChains, compiled_chains
from foxnas_core.search.chain_state import Chain, ChainArrays
from foxnas_core.search.compiling import compiling_pays
from foxnas_core.search.events import Event
from foxnas_core.search.feasibility import check_feasible
from foxnas_core.search.polish import polish, polish_within
from foxnas_core.search.problem import Candidate, SearchProblem
from foxnas_core.search.result import SearchResult, trace_of
from foxnas_core.search.schedule import AnnealingSettings, cooled_anew, steered, temperatures
from foxnas_core.search.solving import solve
from foxnas_core.search.suggestion import resolved

RECORDS = 100


class Annealer:
    """A run of annealing that advances as it is asked to.

    Equal problems and settings give equal runs, to the last bit, however the proposals are
    divided over calls of `advance`. While one thread advances, others may read.

    Raises `InfeasibleBudget` where no architecture fits.
    """

    def __init__(
        self,
        problem: SearchProblem,
        settings: AnnealingSettings,
        events: Sequence[Event] = (),
    ) -> None:
        """`events` are those that a run to be repeated had, and act where they did then."""
        check_feasible(problem)
        self.problem = problem = problem.whole if settings.mode == "teaching" else problem
        self.settings = self.in_force = resolved(settings, problem)
        self._planned, self._acted = list(events), list[Event]()
        self._accepted_ended = 0  # before the chains' last starts
        self._proposals = self._accepted_before = 0
        self._records: list[tuple[float, ...]] = []
        self._deal(*chains_of(problem, self.settings), turns=0)
        for chain in self._chains:
            self._begin(chain)
        self._compiled = compiling_pays(self.total, len(self._arrays.scores))
        self._run_chains = self._loop()
        self._every = max(1, math.ceil(self.total / RECORDS))
        self._publish()

    def _deal(self, arrays: ChainArrays, chains: list[Chain], turns: int) -> None:
        """Deal the proposals from here on out to these chains, each of which has made so many."""
        self._arrays, self._chains = arrays, chains
        self._dealt_from, self._turns = self._proposals, turns
        self._numbers = np.arange(len(chains))
        self._shares = np.zeros(len(chains), np.int64)
        left = self.settings.steps * (1 + self.settings.restarts) - turns
        self.total = self._proposals + left * len(chains)

    @property
    def _budgets(self) -> np.ndarray:
        """Where there is no limit, one that everything is within."""
        return self.problem.budgets if self.problem.limits else np.array([math.inf])

    @property
    def _ends(self) -> tuple[float, float]:
        start, end = self.in_force.start_temperature, self.in_force.end_temperature
        assert start is not None and end is not None
        return start, end

    @property
    def _fall(self) -> np.ndarray:
        return temperatures(self.in_force.schedule, *self._ends, self.in_force.levels)

    def _loop(self) -> Callable[..., None]:
        """The inner loop, compiled or not: both make the same run."""
        return compiled_chains() if self._compiled else PlainChains(self._arrays)

    def _begin(self, chain: Chain) -> None:
        """Put a chain at its next start."""
        hard = self.settings.mode == "teaching" and len(self.problem.limits) > 0
        begin(chain, self.settings.seed, self._budgets if hard else None)
        chain.temperatures[:] = self._fall
        self._accepted_ended += int(chain.counts[1])
        chain.counts[:] = chain.level_begun = chain.level_accepted = 0
        chain.starts += 1
        chain.met[0] = -math.inf
        chain.meet(self._budgets)

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
            totals = sums_of(chain.table, best)
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
        goal = self._proposals + proposals
        while self._proposals < min(goal, self.total):
            while self._planned and self._planned[0].at == self._proposals:
                self._act(self._planned.pop(0))
            count = len(self._chains)
            record = min((self._proposals // self._every + 1) * self._every, self.total)
            stop = min(goal, record, *(event.at for event in self._planned[:1]))
            if stop <= self._proposals:
                raise InvalidInput("The events of this search are not in their order.")
            # Proposals are dealt out in turn: chain k has every `count`-th from the k-th.
            shares = (stop - self._dealt_from + count - 1 - self._numbers) // count
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

    def intervene(self, event: Event) -> Event | None:
        """Let an event act on the run now: as soon as all chains have made as many proposals, few
        further ones. Returns it with the proposals `at` which it acted, None where the run is done.

        Raises, before anything is changed, `InfeasibleBudget` for a bound that nothing keeps, and
        `InvalidInput` as `AnnealingSettings`, and for a bound where there is no limit.
        """
        self.advance(-(self._proposals - self._dealt_from) % len(self._chains))
        return None if self.done else self._act(replace(event, at=self._proposals))

    def _act(self, event: Event) -> Event:
        problem, settings = self.problem, replace(self.in_force, **event.cooling)
        if event.bound is not None:
            problem = problem.within(event.bound)
            check_feasible(problem)
            event = replace(event, was=float(self.problem.limits[0].bound))
        turns, uneven = divmod(self._proposals - self._dealt_from, len(self._chains))
        if uneven:
            raise InvalidInput("An event of this search lies where none can have acted.")
        moves = event.bound is not None or event.cooling
        if moves and self._proposals > (self._records[-1][0] if self._records else 0):
            self._record(self._proposals)  # so that the trace jumps where the run does
        if event.bound is not None:
            self._move_to(problem, self._turns + turns)
        if event.cooling:
            self._cool_anew(settings, event.start_temperature)
        self._acted.append(event)
        self._publish()
        return event

    def _move_to(self, problem: SearchProblem, turns: int) -> None:
        """Go on under another budget: chains that can't meet it end, those that stay forget what
        breaks it, and contexts that can meet it only now get chains, which begin midway."""
        before = {(chain.context, chain.number): chain for chain in self._chains}
        any_one = self._chains[0]
        self.problem = problem
        arrays, chains = chains_of(problem, self.in_force)
        for chain in chains:
            known = before.pop((chain.context, chain.number), None)
            if known is None:
                chain.starts = any_one.starts - 1
                self._begin(chain)
                chain.temperatures[:] = any_one.temperatures
                chain.counts[0] = chain.level_begun = any_one.counts[0]
                continue
            chain.take_over(known)
            if self.settings.mode == "teaching" and not (chain.now[1:] <= self._budgets).all():
                chain.options[:] = chain.feasible
                chain.now[:] = sums_of(chain.table, chain.options)
            chain.meet(self._budgets)
        self._accepted_ended += sum(int(gone.counts[1]) for gone in before.values())
        self._deal(arrays, chains, turns)
        self._run_chains = self._loop()

    def _cool_anew(self, settings: AnnealingSettings, start: float | None) -> None:
        """Let every chain fall by other settings in the steps that are left, from `start` or from
        where it is."""
        self.in_force = settings
        self._arrays.temperatures = np.empty((len(self._chains), settings.levels))
        for row, chain in zip(self._arrays.temperatures, self._chains, strict=True):
            row[:] = cooled_anew(chain.temperatures, int(chain.counts[0]), settings, start)
            chain.temperatures = row
            chain.level_accepted, chain.level_begun = 0, int(chain.counts[0])

    def _undisturbed(self, stop: int) -> bool:
        """Whether on the way to so many proposals no chain begins or ends, nor its level where the
        schedule adapts."""
        count, steps = len(self._chains), self.settings.steps
        least = self._turns + (self._proposals - self._dealt_from) // count
        most = self._turns - (self._dealt_from - stop) // count
        return (
            self.in_force.schedule != "adaptive"
            and least % steps > 0
            and (least // steps == most // steps)
        )

    def _turn(self, left: np.ndarray) -> np.ndarray:
        """Let each chain make what is left for it, but no more than until its start or, where the
        schedule adapts, its level ends; how many each made. Decided by counts alone, so that it
        does not depend on how the proposals are divided over calls."""
        steps, levels = self.settings.steps, self.in_force.levels
        adaptive = self.in_force.schedule == "adaptive"
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
                    share = chain.level_accepted / int(ends[row] - chain.level_begun)
                    chain.level_accepted, chain.level_begun = 0, int(ends[row])
                    if k + 1 < levels:
                        chain.temperatures[k + 1 :] = steered(
                            float(chain.temperatures[k]), share, int(ends[row]) / steps, *self._ends
                        )
        for row in np.flatnonzero((parts > 0) & (counts[:, 0] == steps)):
            self._end(self._chains[row])
        return parts

    def _propose(self, shares: np.ndarray) -> None:
        self._run_chains(shares, self.settings.steps, self._budgets, *self._arrays.all)

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
        made = proposals - (int(self._records[-1][0]) if self._records else 0)
        accepted = self.accepted
        share = (accepted - self._accepted_before) / made
        self._records.append((*self._row(proposals), share))
        self._accepted_before = accepted

    def _row(self, proposals: int) -> tuple[float, ...]:
        """What the trace says of the leading chain after so many proposals."""
        leader, *_ = self._published
        last = self._turns + max(0, proposals - 1 - self._dealt_from) // len(self._chains)
        level = last % self.settings.steps * self.in_force.levels // self.settings.steps
        found = leader.found[1][:2].tolist()
        return (proposals, float(leader.temperatures[level]), *leader.now[:2].tolist(), *found)

    @property
    def proposals(self) -> int:
        """Proposals made so far, of `total`."""
        return self._proposals

    @property
    def chains(self) -> int:
        """How many run side by side, over all contexts."""
        return len(self._chains)

    @property
    def whereabouts(self) -> tuple[float, ...]:
        """What a row of the trace would say now, but for the acceptance, as `result.trace_of` takes
        it; for whoever advances the run."""
        return self._row(self._proposals)

    @property
    def accepted(self) -> int:
        """How many of the proposals were accepted, over all chains."""
        return self._accepted_ended + int(self._arrays.counts[:, 1].sum())

    @property
    def events(self) -> tuple[Event, ...]:
        """What was done to the run so far, in order."""
        return tuple(self._acted)

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
        return trace_of(self.problem, list(self._records))

    @property
    def penalties(self) -> dict[int, tuple[float, ...]]:
        """Each limit's penalty in each context that the limits can be met in, by its position;
        infinite where the limits are hard."""
        return {
            chain.context: tuple(
                math.inf if penalty == REFUSED else penalty for penalty in chain.penalties.tolist()
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
            self.problem, self.settings, best, exact, self._proposals, self.trace, bound,
            self.events,
        )  # fmt: skip


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
    return annealer.result(*solve(problem).proven)
