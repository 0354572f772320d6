"""The inner loop of annealing: as plain Python, and the same source compiled."""

import math
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np

from foxnas_core.search.chain_state import ChainArrays
from foxnas_core.search.compiling import compiled, compiled_together

_GAMMA, _FIRST, _SECOND = map(
    np.uint64, (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
)
_LOW, _HALF = np.uint64(0xFFFFFFFF), np.uint64(32)
# Proposals of the plain loop whose random numbers are made together.
_TOGETHER = 10_000


def _neighbour(group, option, low, sizes, neighbour_groups, neighbour_starts, neighbours):
    """A neighbour of a group's option, by a 32-bit number, which is scaled to how many there are;
    -1 where there is none."""
    if len(neighbour_starts) == 0:
        if sizes[group] == 1:
            return -1
        other = (low * (sizes[group] - 1)) >> 32
        return other + 1 if other >= option else other
    edge = neighbour_starts[neighbour_groups[group] + option]
    degree = neighbour_starts[neighbour_groups[group] + option + 1] - edge
    return neighbours[edge + ((low * degree) >> 32)] if degree > 0 else -1


def _arrived(
    options, best, further, found,
    scores, costs, starts, score_constant, cost_constants, budgets, penalties,
):  # fmt: skip
    """Score, first cost and energy of the current options, which are the best found so far where
    they are within all limits and better; arrays as in `run_chain`, `further` (limits - 1,) the
    costs but for the first."""
    # Summed anew, in the order of `ContextTable.totals`, so that rounding never adds up.
    first, budget = costs[0], budgets[0]
    score, cost = score_constant, cost_constants[0]
    for g in range(len(options)):
        there = starts[g] + options[g]
        score += scores[there]
        cost += first[there]
    energy = score - penalties[0] * max(0.0, cost - budget)
    within = cost <= budget
    for k in range(1, len(budgets)):
        paid = cost_constants[k]
        for g in range(len(options)):
            paid += costs[k][starts[g] + options[g]]
        further[k - 1] = paid
        energy -= penalties[k] * max(0.0, paid - budgets[k])
        within = within and paid <= budgets[k]
    if within and score > found[0]:
        found[0], found[1] = score, cost
        found[2:] = further
        best[:] = options
    return score, cost, energy


def run_chain(
    options, best, now, found, counts, source,
    proposals, temperatures, steps,
    scores, costs, starts, score_constant, cost_constants,
    sizes, neighbour_groups, neighbour_starts, neighbours,
    budgets, penalties,
):  # fmt: skip
    """Run one chain for a number of proposals; the first five are its state, changed in place, and
    `source` is that of its random numbers, which is returned as it is afterwards.

    - `options`, `best` (groups,): current and best feasible option of each group.
    - `now`, `found` (1 + limits,): score and costs of both, score -inf while nothing feasible was
      seen. At least one limit.
    - `counts` (2,): proposals made, and accepted.

    `scores` (options,), `costs` (limits, options) hold options of groups one after the other, the
    `sizes[g]` of group `g` from `starts[g]`. Its option `i` has the neighbours (within its group)
    `neighbours[neighbour_starts[j]:neighbour_starts[j + 1]]`, j = neighbour_groups[g] + i, or,
    where `neighbour_starts` is empty, all others of its group.

    A proposal gives a random group a random neighbour of its option. It is accepted with
    probability min(1, exp(dE / T)) (Metropolis et al., 1953), where
    E = score - sum over limits of penalty * max(0, cost - budget).
    """
    levels, groups, limits = len(temperatures), len(options), len(budgets)
    # The first limit by itself, since most searches have no other.
    first, budget, penalty = costs[0], budgets[0], penalties[0]
    score, cost = now[0], now[1]
    further = now[2:].copy()
    energy = score - penalty * max(0.0, cost - budget)
    for k in range(1, limits):
        energy -= penalties[k] * max(0.0, further[k - 1] - budgets[k])
    while proposals > 0:
        # All proposals of one level of temperature, as many as are wanted of them.
        level = counts[0] * levels // steps
        part = min(proposals, -(-(level + 1) * steps // levels) - counts[0])
        proposals -= part
        counts[0] += part
        temperature = temperatures[level]
        for _ in range(part):
            source, (high, low, uniform) = _drawn(source)
            # Of two 32-bit numbers one is scaled to a group.
            group = (high * groups) >> 32
            before = options[group]
            option = _neighbour(
                group, before, low, sizes, neighbour_groups, neighbour_starts, neighbours
            )
            if option < 0:
                continue
            here, there = starts[group] + before, starts[group] + option
            over = cost + (first[there] - first[here]) - budget
            new_energy = score + (scores[there] - scores[here])
            if over > 0.0:
                new_energy -= penalty * over
            if limits > 1:
                for k in range(1, limits):
                    moved = further[k - 1] + (costs[k][there] - costs[k][here])
                    new_energy -= penalties[k] * max(0.0, moved - budgets[k])
            if new_energy < energy:
                fall = (new_energy - energy) / temperature
                # Less likely than the least number drawn above 0.
                if fall < -37.0:
                    continue
                source, (high, low, uniform) = _drawn(source)
                if uniform >= math.exp(fall):
                    continue

            counts[1] += 1
            options[group] = option
            score, cost, energy = _arrived(
                options, best, further, found,
                scores, costs, starts, score_constant, cost_constants, budgets, penalties,
            )  # fmt: skip
    now[0], now[1] = score, cost
    now[2:] = further
    return source


def run_chains(
    shares, steps, budgets, options, best, now, found, counts, random, temperatures,
    scores, costs, starts, score_constants, cost_constants,
    sizes, penalties, neighbour_groups, neighbour_starts, neighbours,
):  # fmt: skip
    """Let each chain make its share of proposals, shape (chains,); arrays as in `run_chain`, of
    all chains along the first axis but for `scores`, `costs`, `budgets` and the neighbours but
    their groups, which they share. Only compiled: `PlainChains` does the same."""
    for c in range(len(shares)):
        if shares[c] > 0:
            random[c] = run_chain(
                options[c], best[c], now[c], found[c], counts[c], random[c],
                shares[c], temperatures[c], steps,
                scores, costs, starts[c], score_constants[c], cost_constants[c],
                sizes[c], neighbour_groups[c], neighbour_starts, neighbours,
                budgets, penalties[c],
            )  # fmt: skip


def _drawn(source: Iterator[tuple[int, int, float]]) -> tuple[Any, tuple[int, int, float]]:
    """The source, and its next 64 random bits: as two halves, and as a number from 0 to 1."""
    return source, next(source)


def _splitmix(source):
    """The same of a state of splitmix64 (Steele et al., OOPSLA 2014), compiled."""
    source += _GAMMA
    bits = (source ^ (source >> np.uint64(30))) * _FIRST
    bits = (bits ^ (bits >> np.uint64(27))) * _SECOND
    bits ^= bits >> np.uint64(31)
    uniform = np.float64(bits >> np.uint64(11)) * 2.0**-53
    return source, (np.int64(bits >> _HALF), np.int64(bits & _LOW), uniform)


def draws(state: np.ndarray, count: int) -> np.ndarray:
    """The next `count` numbers of splitmix64 after `state` (1,), 64 random bits each."""
    bits = state + _GAMMA * np.arange(1, count + 1, dtype=np.uint64)
    bits = (bits ^ (bits >> np.uint64(30))) * _FIRST
    bits = (bits ^ (bits >> np.uint64(27))) * _SECOND
    return bits ^ (bits >> np.uint64(31))


@cache
def compiled_chains() -> Callable[..., None]:
    """`run_chains`, compiled."""
    return compiled_together(
        (_neighbour, _arrived, run_chain, run_chains), {"_drawn": compiled(_splitmix)}
    )


class PlainChains:
    """`run_chains` in plain Python over the arrays of a run, whose tables are lists here: these are
    quicker to read one by one."""

    def __init__(self, arrays: ChainArrays) -> None:
        self._arrays = arrays
        self._scores, self._costs = arrays.scores.tolist(), arrays.costs.tolist()
        _, *edges = arrays.neighbours
        self._edges = [own.tolist() for own in edges]

    def __call__(self, shares: np.ndarray, steps: int, budgets: np.ndarray, *_: np.ndarray) -> None:
        """As `run_chains`."""
        of = self._arrays
        loop: Callable[..., Iterator[Any]] = run_chain
        for c in np.flatnonzero(shares):
            arrays = of.options[c], of.best[c], of.now[c], of.met[c], of.counts[c]
            state = [array.tolist() for array in arrays]
            for part in _parts(int(shares[c])):
                drawn = draws(of.random[c : c + 1], 2 * part)
                halves = ((drawn >> _HALF).tolist(), (drawn & _LOW).tolist())
                uniforms = ((drawn >> np.uint64(11)).astype(np.float64) * 2.0**-53).tolist()
                left = loop(
                    *state, zip(*halves, uniforms, strict=True),
                    part, of.temperatures[c].tolist(), steps,
                    self._scores, self._costs, of.starts[c].tolist(), float(of.score_constants[c]),
                    of.cost_constants[c].tolist(), of.sizes[c].tolist(),
                    of.neighbours[0][c].tolist(), *self._edges,
                    budgets.tolist(), of.penalties[c].tolist(),
                )  # fmt: skip
                used = 2 * part - sum(1 for _ in left)
                of.random[c] = (int(of.random[c]) + used * int(_GAMMA)) & (1 << 64) - 1
            for array, own in zip(arrays, state, strict=True):
                array[:] = own


def _parts(proposals: int) -> Iterator[int]:
    for first in range(0, proposals, _TOGETHER):
        yield min(_TOGETHER, proposals - first)
