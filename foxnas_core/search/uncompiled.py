"""What `chain` and `exchange` compile, in plain Python: equal to the last bit, and there at once.

Importing the compiler takes longer than the proposals of one common search, and compiling, which
the first search on a machine would wait for, far longer.
"""

import itertools
import math
import sys

import numpy as np

_GAMMA, _FIRST, _SECOND = map(
    np.uint64, (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
)
_LOW, _HALF = np.uint64(0xFFFFFFFF), np.uint64(32)
# Proposals whose random numbers are made together.
_TOGETHER = 10_000
# About as many take as long here as loading what was compiled before, at a sixtieth of the speed.
_FEW = 1_000_000
_made = 0


def compiling_pays(proposals: int, options: int) -> bool:
    """Whether this process, about to make so many further proposals among so many options, is
    better off compiling."""
    global _made
    _made += proposals
    return max(_made, 10 * options) > _FEW or "foxnas_core.search.chain" in sys.modules


def draws(state: np.ndarray, count: int) -> np.ndarray:
    """The next `count` numbers of `chain._draw` after `state` (1,), 64 random bits each."""
    bits = state + _GAMMA * np.arange(1, count + 1, dtype=np.uint64)
    bits = (bits ^ (bits >> np.uint64(30))) * _FIRST
    bits = (bits ^ (bits >> np.uint64(27))) * _SECOND
    return bits ^ (bits >> np.uint64(31))


def _proposed(random, count, sizes):
    """Four lists of what each of the next `count` draws means as a proposal: its group, its lower
    half, an option of the group but for one (-1 where it has one alone), and, as a draw that
    decides, a number from 0 to 1."""
    drawn = draws(random, count)
    low = drawn & _LOW
    groups = ((drawn >> _HALF) * np.uint64(len(sizes)) >> _HALF).astype(np.int64)
    others = (sizes - 1)[groups]
    option = np.where(others > 0, (low * others.astype(np.uint64) >> _HALF).astype(np.int64), -1)
    uniforms = (drawn >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return groups.tolist(), low.tolist(), option.tolist(), uniforms.tolist()


class Chains:
    """`chain.run_chains` over the `scores` (options,) and `costs` (options, limits) of a run, and
    its neighbours."""

    def __init__(
        self,
        scores: np.ndarray,
        costs: np.ndarray,
        neighbour_groups: np.ndarray,
        neighbour_starts: np.ndarray,
        neighbours: np.ndarray,
    ) -> None:
        self._scores = scores.tolist()
        self._costs = costs.T.tolist()
        self._neighbour_groups = neighbour_groups.tolist()
        self._neighbour_starts = neighbour_starts.tolist()
        self._neighbours = neighbours.tolist()

    def __call__(
        self, shares, options, best, totals, counts, random, temperatures,
        steps, scores, costs, starts, score_constants, cost_constants,
        sizes, neighbour_groups, neighbour_starts, neighbours, budgets, penalties,
    ):  # fmt: skip
        """As `chain.run_chains`."""
        for c in np.flatnonzero(shares):
            of_limits = cost_constants[c].tolist(), self._costs, budgets.tolist()
            limits = list(zip(*of_limits, penalties[c].tolist(), strict=True))
            left = int(shares[c])
            while left:
                part = min(left, _TOGETHER)
                left -= part
                self._run(
                    options[c], best[c], totals[c], counts[c], random[c : c + 1],
                    part, temperatures[c], steps, starts[c].tolist(),
                    float(score_constants[c]), sizes[c], limits,
                )  # fmt: skip

    def _run(
        self, options, best, totals, counts, random,
        proposals, temperatures, steps, starts, score_constant, sizes, limits,
    ):  # fmt: skip
        """As `chain.run_chain`, in the same order of additions; `limits` are constant, costs,
        budget and penalty of each."""
        groups, lows, among_others, uniforms = _proposed(random, 2 * proposals, sizes)
        groups_at, edges, targets = self._neighbour_groups, self._neighbour_starts, self._neighbours
        anywhere = not edges

        scores = self._scores
        (constant, first_costs, budget, penalty), *further_limits = limits
        falling, levels, exp = temperatures.tolist(), len(temperatures), math.exp
        # The place of each group's option among all.
        here_of = [start + option for start, option in zip(starts, options.tolist(), strict=True)]
        score, cost, *further = totals[0].tolist()
        best_score = float(totals[1, 0])
        energy = score - penalty * max(0.0, cost - budget)
        for moved, (_, _, bound, price) in zip(further, further_limits, strict=True):
            energy -= price * max(0.0, moved - bound)
        made, accepted = counts.tolist()
        at = 0
        while proposals > 0:
            level = made * levels // steps
            part = min(proposals, -(-(level + 1) * steps // levels) - made)
            proposals, made = proposals - part, made + part
            for _ in range(part):
                group, option, low = groups[at], among_others[at], lows[at]
                there, here = starts[group], here_of[group]
                at += 1
                if anywhere:
                    if option < 0:
                        continue
                    there += option
                    there += there >= here
                else:
                    listed = groups_at[group] + here - there
                    first = edges[listed]
                    degree = edges[listed + 1] - first
                    if degree == 0:
                        continue
                    there += targets[first + (low * degree >> 32)]

                over = cost + (first_costs[there] - first_costs[here]) - budget
                new_energy = score + (scores[there] - scores[here])
                if over > 0.0:  # the quicker half of a max
                    new_energy -= penalty * over
                for paid, (_, costs, bound, price) in zip(further, further_limits, strict=True):
                    new_energy -= price * max(0.0, paid + (costs[there] - costs[here]) - bound)
                if new_energy < energy:
                    fall = (new_energy - energy) / falling[level]
                    if fall < -37.0:
                        continue
                    at += 1
                    if uniforms[at - 1] >= exp(fall):
                        continue

                accepted += 1
                here_of[group] = there
                score, cost = score_constant, constant
                for place in here_of:
                    score += scores[place]
                    cost += first_costs[place]
                energy = score - penalty * max(0.0, cost - budget)
                within = cost <= budget
                further = []
                for paid, costs, bound, price in further_limits:
                    for place in here_of:
                        paid += costs[place]
                    energy -= price * max(0.0, paid - bound)
                    within = within and paid <= bound
                    further.append(paid)
                if within and score > best_score:
                    best_score = score
                    totals[1] = score, cost, *further
                    best[:] = [place - start for place, start in zip(here_of, starts, strict=True)]
        options[:] = [place - start for place, start in zip(here_of, starts, strict=True)]
        totals[0] = score, cost, *further
        counts[:] = made, accepted
        random[0] = (int(random[0]) + at * int(_GAMMA)) & (1 << 64) - 1


def exchange(
    at, budget, score_constant, cost_constant,
    scores, costs, starts, pair_scores, pair_costs, places, pair_starts,
):  # fmt: skip
    """As `exchange.exchange`: the same exchanges in the same order, each found by binary search."""
    own_scores = [scores[a:b] for a, b in itertools.pairwise(starts)]
    own_costs = [costs[a:b] for a, b in itertools.pairwise(starts)]
    groups = range(len(at))

    def total():
        score, cost = score_constant, cost_constant
        for group in groups:
            score += own_scores[group][at[group]]
            cost += own_costs[group][at[group]]
        return score, cost

    score, cost = total()

    def stands(changed):
        """Whether the positions of some groups were changed for better ones, else they are not."""
        nonlocal score, cost
        before = at.copy()
        for group, position in changed.items():
            at[group] = position
        new_score, new_cost = total()
        if new_score > score and new_cost <= budget:
            score, cost = new_score, new_cost
            return True
        at[:] = before
        return False

    def partners(left, mine, other_costs):
        """For each of the costs `mine` the last of `other_costs` within what it leaves; -1 where
        none is."""
        return np.searchsorted(other_costs, left - mine, side="right") - 1

    def best(mine, others, found):
        """The first position whose sum with its partner is greatest, where any has a partner."""
        sums = np.where(found >= 0, mine + others[found], -math.inf)
        first = int(np.argmax(sums))
        return first if sums[first] > -math.inf else None

    improved = True
    while improved:
        improved = False
        score, cost = total()
        if len(at) == 1:
            left = budget - cost + own_costs[0][at[0]]
            stands({0: max(int(np.searchsorted(own_costs[0], left, side="right")) - 1, 0)})
        for g, h in itertools.combinations(groups, 2):
            left = budget - cost + own_costs[g][at[g]] + own_costs[h][at[h]]
            found = partners(left, own_costs[g], own_costs[h])
            i = best(own_scores[g], own_scores[h], found)
            if i is not None:
                improved |= stands({g: i, h: int(found[i])})
        if improved:
            continue
        for pair, (g, h) in enumerate(itertools.combinations(groups, 2)):
            part = slice(pair_starts[pair], pair_starts[pair + 1])
            for j in range(h + 1, len(at)):
                left = budget - cost + own_costs[g][at[g]] + own_costs[h][at[h]]
                left += own_costs[j][at[j]]
                found = partners(left, own_costs[j], pair_costs[part])
                i = best(own_scores[j], pair_scores[part], found)
                if i is not None:
                    place = int(places[part][found[i]])
                    width = len(own_scores[h])
                    improved |= stands({g: place // width, h: place % width, j: i})
