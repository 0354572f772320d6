"""The optimum where coupled groups have too many combinations to be listed: branch and bound, unit
by unit, where a unit is a group or, of what has many options, a single decision.

After each unit, of partial architectures that nothing to come can tell apart, those are dropped
that another beats (as in `merging`), and those that can't become better than the best known
(Land and Doig, "An automatic method of solving discrete programming problems", Econometrica 28,
1960). Where more than so many are left, those of the least bounds are given up, and the greatest
bound among them is what the answer is then held against.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from foxnas_core.search.coupling import Couplings, parted
from foxnas_core.search.pareto import efficient_options, undominated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from foxnas_core.search.limits import AdditivePredictor, SummedGroup
    from foxnas_core.search.problem import SearchProblem
    from foxnas_core.space.architecture import Value
    from foxnas_core.space.decisions import Decision

# Options from which on a group is searched decision by decision.
_MANY = 2_000
# Partial architectures that are gone on with, of a first, quick dive and of the search itself.
DIVE, MOST_NODES = 500, 100_000
# Rows that are made at once; combinations that a coupling's greatest value is looked for among.
_TOGETHER, _MOST_READ = 1 << 18, 1 << 20
# Children that are made of one level's nodes at most.
_MOST_MADE = 20_000_000
# Sums in another order.
_BLUR = 1e-9


class Found(NamedTuple):
    """The best architecture's codes (decisions,), None where none was found, its score and costs,
    and what no architecture's score is above."""

    codes: np.ndarray | None
    score: float
    costs: tuple[float, ...]
    bound: float


@dataclass(frozen=True, eq=False)
class _Nodes:
    """Partial architectures: codes (nodes, decisions), and scores first, then costs (nodes, 1 +
    limits) of what is decided."""

    codes: np.ndarray
    sums: np.ndarray

    def at(self, kept: np.ndarray) -> "_Nodes":
        return _Nodes(self.codes[kept], self.sums[kept])

    def __len__(self) -> int:
        return len(self.codes)


class _Coupling(NamedTuple):
    """What one prediction (0 the score, then costs) adds once all that it `reads` is decided; its
    `best` value is the greatest of a score and the least of a cost."""

    of: int
    name: str
    reads: np.ndarray
    best: float


@dataclass(frozen=True, eq=False)
class _Levels:
    """The search in one context."""

    problem: "SearchProblem"
    context: "Mapping[str, Value]"

    @cached_property
    def parts(self) -> "list[tuple[float, SummedGroup]]":
        """What turns each prediction into a score or a cost, and the prediction."""
        problem = self.problem
        signs = [problem.sign, *(limit.sign for limit in problem.limits)]
        return [
            (sign, predictor.split(self.context))
            for sign, (predictor, _) in zip(signs, self.readers, strict=True)
        ]

    @cached_property
    def many(self) -> tuple[str, ...]:
        """Groups of too many options to be decided at once."""
        space = self.problem.space
        return tuple(g for g in space.additive_groups if space.group_size(g) > _MANY)

    @cached_property
    def readers(self) -> "list[tuple[AdditivePredictor, Couplings]]":
        """The predictors as they tell the parts of those groups, and what they read together."""
        return [parted(predictor, self.many) for predictor in self.problem.predictors]

    @cached_property
    def units(self) -> "list[tuple[Decision, ...]]":
        space = self.problem.space
        found: list[tuple[Decision, ...]] = []
        for group in space.additive_groups:
            own = space.in_group(group)
            found += [(decision,) for decision in own] if group in self.many else [own]
        return found

    @cached_property
    def options(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Codes of each unit's allowed options, and what they add (options, 1 + limits)."""
        problem, found = self.problem, []
        space = problem.space
        for unit in self.units:
            group = unit[0].group
            if group in self.many:
                [decision] = unit
                kept = problem.allowed.get(decision.name, decision.choices)
                column = space.decisions.index(decision)
                codes = np.full((len(kept), len(space.decisions)), -1, dtype=np.int16)
                codes[:, column] = [decision.choices.index(choice) for choice in kept]
                values = np.zeros((len(kept), len(self.parts)))
            else:
                codes = space.option_codes(unit, problem.allowed)
                own = [sign * part.group_values(group, codes) for sign, part in self.parts]
                values = np.stack(own, axis=1)
            found.append((codes, values))
        return found

    @cached_property
    def couplings(self) -> list[_Coupling]:
        space, found = self.problem.space, []
        for of, (_, couplings) in enumerate(self.readers):
            for name, read in couplings.items():
                decisions = [space.by_name[own] for own in read]
                best = math.inf if of == 0 else -math.inf
                if math.prod(len(d.choices) + 1 for d in decisions) <= _MOST_READ:
                    values = self.value(of, name, space.option_codes(decisions))
                    best = float(values.max() if of == 0 else values.min())
                reads = np.array([space.decisions.index(d) for d in decisions], dtype=int)
                found.append(_Coupling(of, name, reads, best))
        return found

    def value(self, of: int, name: str, codes: np.ndarray) -> np.ndarray:
        sign, part = self.parts[of]
        return sign * part.group_values(name, codes)

    @cached_property
    def prices(self) -> np.ndarray:
        """Prices of the limits (prices, limits) that nodes are bounded at: none, and some of one
        limit each, about what its groups' scores rise by for a unit of it."""
        limits = len(self.problem.limits)
        widths = sum(np.ptp(own, axis=0) for _, own in self.options)
        prices = [np.zeros(limits)]
        for k in range(limits):
            if widths[0] > 0 and widths[1 + k] > 0:
                scale = widths[0] / widths[1 + k]
                prices += [scale * 2.0**power * np.eye(limits)[k] for power in range(-4, 4)]
        return np.array(prices)

    def bounds(self, nodes: _Nodes, level: int) -> np.ndarray:
        """What no completion of each node scores above, -inf where none is within the limits."""
        left = [own for _, own in self.options[level:]]
        best = np.zeros(nodes.sums.shape[1])
        for coupling in self.couplings:
            if not self.decided(coupling, level):
                best[coupling.of] += coupling.best
        least = sum((own[:, 1:].min(axis=0) for own in left), best[1:])
        budgets = self.problem.budgets
        bound = np.full(len(nodes), math.inf)
        for price in self.prices:
            rest = sum(float((own[:, 0] - own[:, 1:] @ price).max()) for own in left)
            slack = np.where(price > 0, price * (budgets - best[1:]), 0.0).sum()
            own = nodes.sums[:, 0] - nodes.sums[:, 1:] @ price
            bound = np.fmin(bound, own + rest + best[0] + slack)
        out = (nodes.sums[:, 1:] + least > budgets + _BLUR * (1 + np.abs(budgets))).any(axis=1)
        return np.where(out, -math.inf, bound + _BLUR * (1 + np.abs(bound)))

    @cached_property
    def decided_at(self) -> np.ndarray:
        """For each decision of the space the level after which it is decided; 0 of the context."""
        levels = {d.name: level for level, unit in enumerate(self.units, 1) for d in unit}
        return np.array([levels.get(d.name, 0) for d in self.problem.space.decisions])

    def decided(self, coupling: _Coupling, level: int) -> bool:
        return bool((self.decided_at[coupling.reads] <= level).all())

    def alike(self, nodes: _Nodes, level: int) -> np.ndarray:
        """Labels (nodes,) that are equal where nothing to come can tell nodes apart."""
        space = self.problem.space
        read = np.zeros(len(space.decisions), dtype=bool)
        for coupling in self.couplings:
            if not self.decided(coupling, level):
                read[coupling.reads] = True
        for unit in self.units[level:]:
            for condition in (condition for d in unit for condition in d.conditions):
                read[space.decisions.index(space.by_name[condition.decision])] = True
        told = np.ascontiguousarray(nodes.codes[:, read & (self.decided_at <= level)])
        if not told.shape[1]:
            return np.zeros(len(nodes), dtype=int)
        return np.unique(told, axis=0, return_inverse=True)[1].ravel()

    def grown(self, nodes: _Nodes, level: int) -> _Nodes:
        """All children of nodes, with the unit of this level decided."""
        codes, own = self.options[level]
        parents, chosen = np.divmod(np.arange(len(nodes) * len(codes)), len(codes))
        made = _Nodes(
            np.where(codes[chosen] >= 0, codes[chosen], nodes.codes[parents]),
            nodes.sums[parents] + own[chosen],
        )
        [first, *_] = self.units[level]
        if first.group in self.many and first.conditions:
            # Off it has one option alone.
            space = self.problem.space
            active = space.active(made.codes, first)
            made.codes[~active, space.decisions.index(first)] = -1
            made = made.at(np.flatnonzero(active | (chosen == 0)))
        for coupling in self.couplings:
            if self.decided(coupling, level + 1) and not self.decided(coupling, level):
                made.sums[:, coupling.of] += self.value(coupling.of, coupling.name, made.codes)
        return made

    def undominated(self, nodes: _Nodes, level: int) -> np.ndarray:
        labels, kept = self.alike(nodes, level), []
        order = np.argsort(labels, kind="stable")
        for part in np.split(order, np.flatnonzero(np.diff(labels[order])) + 1):
            scores, costs = nodes.sums[part, 0], nodes.sums[part, 1:]
            if costs.shape[1] == 1:
                kept.append(part[efficient_options(scores, costs[:, 0])])
            else:
                kept.append(part[undominated(scores, costs)])
        return np.concatenate(kept)

    def run(self, most: int, known: float) -> Found:
        """The best that scores above `known`, with at most so many nodes after each group."""
        space = self.problem.space
        start = np.full((1, len(space.decisions)), -1, dtype=np.int16)
        for name, value in self.context.items():
            decision = space.by_name[name]
            start[0, space.decisions.index(decision)] = decision.choices.index(value)
        sums = np.array([[sign * float(part.constant) for sign, part in self.parts]])
        nodes, given_up = _Nodes(start, sums), -math.inf
        for level in range(len(self.options)):
            step = max(1, _TOGETHER // len(self.options[level][0]))
            parts = []
            for first in range(0, len(nodes), step):
                made = self.grown(nodes.at(np.arange(first, min(first + step, len(nodes)))), level)
                bounds = self.bounds(made, level + 1)
                made = made.at(np.flatnonzero(bounds > known))
                parts.append(made.at(self.undominated(made, level + 1)) if len(made) else made)
            nodes = _Nodes(*(np.concatenate(own) for own in zip(
                *((part.codes, part.sums) for part in parts), strict=True)))  # fmt: skip
            if not len(nodes):
                break
            nodes = nodes.at(self.undominated(nodes, level + 1))
            sizes = [len(codes) for codes, _ in self.options[level + 1 :]]
            held = min(most, max(1, _MOST_MADE // max(sizes, default=1)))
            if sizes and len(nodes) > held:
                bounds = self.bounds(nodes, level + 1)
                order = np.argsort(-bounds, kind="stable")
                given_up = max(given_up, float(bounds[order[held]]))
                # What costs least goes on too, so that limits are met where they can be.
                cheapest = nodes.sums[:, 1:].argmin(axis=0)
                nodes = nodes.at(np.union1d(order[:held], cheapest))
        within = nodes.at(np.flatnonzero((nodes.sums[:, 1:] <= self.problem.budgets).all(axis=1)))
        if not len(within):
            return Found(None, -math.inf, (), given_up)
        best = int(np.lexsort((*within.sums[:, :0:-1].T, -within.sums[:, 0]))[0])
        score, *costs = within.sums[best].tolist()
        return Found(within.codes[best], score, tuple(costs), max(score, given_up))


def best_by_levels(problem: "SearchProblem", most: int = MOST_NODES) -> Found:
    """The best of all contexts and a bound, which is its own score where it is proven."""
    contexts = [
        _Levels(problem, context)
        for context in problem.space.context_options()
        if all(value in problem.allowed.get(name, (value,)) for name, value in context.items())
    ]
    best = Found(None, -math.inf, (), -math.inf)
    given_up = -math.inf
    for limit in (DIVE, most):
        given_up = -math.inf
        for levels in contexts:
            # What is as good and cheaper may still be found.
            found = levels.run(min(limit, most), np.nextafter(best.score, -math.inf))
            given_up = max(given_up, found.bound)
            if found.codes is not None and _better(found, best):
                best = found
    return best._replace(bound=max(best.score, given_up))


def _better(one: Found, other: Found) -> bool:
    return other.codes is None or (one.score, *(-c for c in one.costs)) > (
        other.score, *(-c for c in other.costs)
    )  # fmt: skip
