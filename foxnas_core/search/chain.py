"""The inner loop of annealing, compiled. Imported only where a search runs."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` compiled by numba, kept on disk where the package's folder can be written."""
    try:
        return njit(cache=True, nogil=True)(function)
    except RuntimeError:
        return njit(nogil=True)(function)


@compiled
def _draw(state):
    """The next state and 64 random bits of splitmix64 (Steele et al., OOPSLA 2014)."""
    state += np.uint64(0x9E3779B97F4A7C15)
    bits = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state, bits ^ (bits >> np.uint64(31))


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
    groups, limits = len(options), len(budgets)
    levels = len(temperatures)
    anywhere = len(neighbour_starts) == 0
    # The first limit by itself, since most searches have no other.
    constant, budget, penalty = cost_constants[0], budgets[0], penalties[0]
    score, cost = totals[0, 0], totals[0, 1]
    further = totals[0, 2:].copy()
    energy = score - penalty * max(0.0, cost - budget)
    for k in range(1, limits):
        energy -= penalties[k] * max(0.0, further[k - 1] - budgets[k])
    state = random[0]
    while proposals > 0:
        # All proposals of one level of temperature, as many as are wanted of them.
        level = counts[0] * levels // steps
        temperature = temperatures[level]
        part = min(proposals, -(-(level + 1) * steps // levels) - counts[0])
        proposals -= part
        counts[0] += part
        for _ in range(part):
            state, bits = _draw(state)
            # Two 32-bit numbers, scaled to a group and to one of its option's neighbours.
            high = np.int64(bits >> np.uint64(32))
            low = np.int64(bits & np.uint64(0xFFFFFFFF))
            group = (high * groups) >> 32
            before = options[group]
            here = starts[group] + before
            if anywhere:
                others = sizes[group] - 1
                if others == 0:
                    continue
                option = (low * others) >> 32
                option += option >= before
            else:
                listed = neighbour_groups[group] + before
                first = neighbour_starts[listed]
                degree = neighbour_starts[listed + 1] - first
                if degree == 0:
                    continue
                option = neighbours[first + ((low * degree) >> 32)]
            there = starts[group] + option

            new_cost = cost + (costs[there, 0] - costs[here, 0])
            new_score = score + (scores[there] - scores[here])
            new_energy = new_score - penalty * max(0.0, new_cost - budget)
            for k in range(1, limits):
                moved = further[k - 1] + (costs[there, k] - costs[here, k])
                new_energy -= penalties[k] * max(0.0, moved - budgets[k])
            if new_energy < energy:
                fall = (new_energy - energy) / temperature
                # Less likely than the least number drawn above 0.
                if fall < -37.0:
                    continue
                state, bits = _draw(state)
                uniform = np.float64(bits >> np.uint64(11)) * 2.0**-53
                if uniform >= np.exp(fall):
                    continue

            counts[1] += 1
            options[group] = option
            # Summed anew, in the order of `ContextTable.totals`, so that rounding never adds up.
            score, cost = score_constant, constant
            for g in range(groups):
                score += scores[starts[g] + options[g]]
                cost += costs[starts[g] + options[g], 0]
            energy = score - penalty * max(0.0, cost - budget)
            within = cost <= budget
            for k in range(1, limits):
                paid = cost_constants[k]
                for g in range(groups):
                    paid += costs[starts[g] + options[g], k]
                energy -= penalties[k] * max(0.0, paid - budgets[k])
                within &= paid <= budgets[k]
                further[k - 1] = paid
            if within and score > totals[1, 0]:
                totals[1, 0], totals[1, 1] = score, cost
                totals[1, 2:] = further
                best[:] = options
    totals[0, 0], totals[0, 1] = score, cost
    totals[0, 2:] = further
    random[0] = state
