"""The inner loop of annealing, compiled. Imported only where a search runs."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit


def compiled(function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
    """`function` compiled by numba, kept on disk where the package's folder can be written."""
    try:
        return njit(cache=True, nogil=True, **options)(function)
    except RuntimeError:
        return njit(nogil=True, **options)(function)


def inlined(function: Callable[..., Any]) -> Callable[..., Any]:
    """As `compiled`, for parts of an inner loop: written into whoever calls them."""
    return compiled(function, inline="always")


@compiled
def _draw(state):
    """The next state and 64 random bits of splitmix64 (Steele et al., OOPSLA 2014)."""
    state += np.uint64(0x9E3779B97F4A7C15)
    bits = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state, bits ^ (bits >> np.uint64(31))


@inlined
def _neighbour(low, option, size, neighbour_groups, group, neighbour_starts, neighbours):
    """The neighbour of a group's option that 32 random bits choose; -1 where it has none."""
    if len(neighbour_starts) == 0:
        other = (low * (size - 1)) >> 32
        return other + (other >= option) if size > 1 else -1
    listed = neighbour_groups[group] + option
    first = neighbour_starts[listed]
    degree = neighbour_starts[listed + 1] - first
    return neighbours[first + ((low * degree) >> 32)] if degree > 0 else -1


@inlined
def _energy(score, cost, further, budgets, penalties):
    energy = score - penalties[0] * max(0.0, cost - budgets[0])
    for k in range(1, len(budgets)):
        energy -= penalties[k] * max(0.0, further[k - 1] - budgets[k])
    return energy


@inlined
def _spend(further, options, starts, costs, constants):
    """Put what the options cost under each limit but the first into `further`."""
    for k in range(1, len(constants)):
        paid = constants[k]
        for g in range(len(options)):
            paid += costs[starts[g] + options[g], k]
        further[k - 1] = paid


@inlined
def _within(cost, further, budgets):
    within = cost <= budgets[0]
    for k in range(1, len(budgets)):
        within &= further[k - 1] <= budgets[k]
    return within


@compiled
def run_chains(
    shares, options, best, totals, counts, random, temperatures,
    steps, scores, costs, starts, score_constants, cost_constants,
    sizes, neighbour_groups, neighbour_starts, neighbours, budgets, penalties,
):  # fmt: skip
    """Let each chain make its share of proposals, shape (chains,); arrays as in `run_chain`, of
    all chains along the first axis but for `scores`, `costs`, the neighbours and `budgets`, which
    they share."""
    for c in range(len(shares)):
        if shares[c] > 0:
            run_chain(
                options[c], best[c], totals[c], counts[c], random[c : c + 1],
                shares[c], temperatures[c], steps,
                scores, costs, starts[c], score_constants[c], cost_constants[c],
                sizes[c], neighbour_groups, neighbour_starts, neighbours,
                budgets, penalties[c],
            )  # fmt: skip


@compiled
def run_chain(
    options, best, totals, counts, random,
    proposals, temperatures, steps,
    scores, costs, starts, score_constant, cost_constants,
    sizes, neighbour_groups, neighbour_starts, neighbours,
    budgets, penalties,
):  # fmt: skip
    """Run one chain for a number of proposals; the first five arrays are its state, changed in
    place.

    - `options`, `best` (groups,): current and best feasible option of each group.
    - `totals` (2, 1 + limits): score and costs of both, score -inf while nothing feasible was
      seen. At least one limit.
    - `counts` (2,): proposals made, and accepted.
    - `random` (1,): state of the random generator.

    `scores` (options,), `costs` (options, limits) hold options of groups one after the other, the
    `sizes[g]` of group `g` from `starts[g]`. Its option `i` has the neighbours (within its group)
    `neighbours[neighbour_starts[j]:neighbour_starts[j + 1]]`, j = neighbour_groups[g] + i, or,
    where `neighbour_starts` is empty, all others of its group.

    A proposal gives a random group a random neighbour of its option. It is accepted with
    probability min(1, exp(dE / T)) (Metropolis et al., 1953), where
    E = score - sum over limits of penalty * max(0, cost - budget).
    """
    levels = len(temperatures)
    # The first limit by itself, since most searches have no other.
    score, cost = totals[0, 0], totals[0, 1]
    further = totals[0, 2:].copy()
    energy = _energy(score, cost, further, budgets, penalties)
    state = random[0]
    while proposals > 0:
        # All proposals of one level of temperature, as many as are wanted of them.
        level = counts[0] * levels // steps
        part = min(proposals, -(-(level + 1) * steps // levels) - counts[0])
        proposals -= part
        counts[0] += part
        for _ in range(part):
            state, bits = _draw(state)
            # Two 32-bit numbers, scaled to a group and to one of its option's neighbours.
            group = (np.int64(bits >> np.uint64(32)) * len(options)) >> 32
            before = options[group]
            option = _neighbour(
                np.int64(bits & np.uint64(0xFFFFFFFF)), before, sizes[group],
                neighbour_groups, group, neighbour_starts, neighbours,
            )  # fmt: skip
            if option < 0:
                continue
            here, there = starts[group] + before, starts[group] + option
            moved = cost + (costs[there, 0] - costs[here, 0])
            new_energy = score + (scores[there] - scores[here])
            new_energy -= penalties[0] * max(0.0, moved - budgets[0])
            for k in range(1, len(budgets)):
                moved = further[k - 1] + (costs[there, k] - costs[here, k])
                new_energy -= penalties[k] * max(0.0, moved - budgets[k])
            if new_energy < energy:
                fall = (new_energy - energy) / temperatures[level]
                # Less likely than the least number drawn above 0.
                if fall < -37.0:
                    continue
                state, bits = _draw(state)
                if np.float64(bits >> np.uint64(11)) * 2.0**-53 >= np.exp(fall):
                    continue

            counts[1] += 1
            options[group] = option
            # Summed anew, in the order of `ContextTable.totals`, so that rounding never adds up.
            score, cost = score_constant, cost_constants[0]
            for g in range(len(options)):
                score += scores[starts[g] + options[g]]
                cost += costs[starts[g] + options[g], 0]
            _spend(further, options, starts, costs, cost_constants)
            energy = _energy(score, cost, further, budgets, penalties)
            if score > totals[1, 0] and _within(cost, further, budgets):
                totals[1, 0], totals[1, 1] = score, cost
                totals[1, 2:] = further
                best[:] = options
    totals[0, 0], totals[0, 1] = score, cost
    totals[0, 2:] = further
    random[0] = state
