"""Scores and costs of all options of a search problem, for one choice of the context."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from foxnas_core.search.pareto import PairFronts, concave_corners, efficient_options, undominated
from foxnas_core.space.architecture import Value


@dataclass(frozen=True, eq=False)
class ContextTable:
    """Scores and costs of every allowed option for one choice of the context.

    A score is the objective's value, negated where less is better, so that more is always
    better; costs are those of `Limit`; both on the scale of the link. `scores[g]` is of shape
    (options of group g,), `limit_costs[g]` of (options of group g, limits), `cost_constants` of
    (limits,).

    Of a cell, `settled` are the depths that all of its options have, and `kept` says which of the
    problem's options those of each group are (see `cells`); all of them without.
    """

    context: dict[str, Value]
    score_constant: float
    cost_constants: tuple[float, ...]
    scores: tuple[np.ndarray, ...]
    limit_costs: tuple[np.ndarray, ...]
    settled: Mapping[str, Value] = field(default_factory=dict)
    kept: tuple[np.ndarray, ...] | None = None

    def listed(self, options: Sequence[int] | np.ndarray) -> np.ndarray:
        """The positions (groups,), among the problem's options, of one of the table's of each
        group."""
        if self.kept is None:
            return np.asarray(options)
        return np.array([own[option] for own, option in zip(self.kept, options, strict=True)])

    @property
    def fixed(self) -> dict[str, Value]:
        """What all architectures of the table have in common."""
        return {**self.context, **self.settled}

    @cached_property
    def costs(self) -> tuple[np.ndarray, ...]:
        """The first limit's costs of every option, 0 without one; those of group g (options,)."""
        if not self.cost_constants:
            return tuple(np.zeros(len(scores)) for scores in self.scores)
        return tuple(np.ascontiguousarray(costs[:, 0]) for costs in self.limit_costs)

    @property
    def cost_constant(self) -> float:
        return self.cost_constants[0] if self.cost_constants else 0.0

    def total(self, options: Sequence[int] | np.ndarray) -> tuple[float, float]:
        """Score and first cost of one option of each group; see `totals`."""
        score, cost = self.score_constant, self.cost_constant
        for group, option in enumerate(options):
            score += float(self.scores[group][option])
            cost += float(self.costs[group][option])
        return score, cost

    def totals(self, options: Sequence[int] | np.ndarray) -> tuple[float, tuple[float, ...]]:
        """Score and the cost under each limit of one option of each group.

        Summed from the constant on, group by group: every search room sums in this order, so
        that equal choices are equal to the last digit.
        """
        score, costs = self.score_constant, np.array(self.cost_constants)
        for group, option in enumerate(options):
            score += float(self.scores[group][option])
            costs += self.limit_costs[group][option]
        return score, tuple(costs.tolist())

    def under(self, k: int) -> "ContextTable":
        """The same table with the limit of position `k` alone."""
        return replace(
            self,
            cost_constants=self.cost_constants[k : k + 1],
            limit_costs=tuple(costs[:, k : k + 1] for costs in self.limit_costs),
        )

    @cached_property
    def cheapest(self) -> np.ndarray:
        """The option of least cost in each group; among equals the best, then the first."""
        return np.array(
            [
                np.lexsort((-scores, costs))[0]
                for scores, costs in zip(self.scores, self.costs, strict=True)
            ]
        )

    @cached_property
    def smallest_cost(self) -> float:
        return self.total(self.cheapest)[1]

    @cached_property
    def undominated(self) -> tuple[np.ndarray, ...]:
        """For each group the options that no other beats under any of the limits."""
        return tuple(
            undominated(scores, costs)
            for scores, costs in zip(self.scores, self.limit_costs, strict=True)
        )

    def undominated_as_good(self, options: np.ndarray) -> np.ndarray:
        """For each group the position, among the undominated, of an option no worse in anything
        than the given one."""
        found = []
        for scores, costs, kept, option in zip(
            self.scores, self.limit_costs, self.undominated, options, strict=True
        ):
            no_worse = (scores[kept] >= scores[option]) & (costs[kept] <= costs[option]).all(axis=1)
            found.append(int(np.argmax(no_worse)))
        return np.array(found)

    @cached_property
    def reduced(self) -> "ContextTable":
        """The same table with the undominated options alone."""
        return self.of_options(self.undominated)

    def of_options(self, kept: Sequence[np.ndarray]) -> "ContextTable":
        """The same table with the options alone that stand at these positions in each group."""
        return replace(
            self,
            scores=tuple(part[at] for part, at in zip(self.scores, kept, strict=True)),
            limit_costs=tuple(part[at] for part, at in zip(self.limit_costs, kept, strict=True)),
            kept=self.kept and tuple(own[at] for own, at in zip(self.kept, kept, strict=True)),
        )

    @cached_property
    def relaxation(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The linear relaxation under the first limit: the steps of the groups' concave hulls,
        steepest first. Score gained and cost added by each, and what is spent after it, (steps,).

        The relaxed optimum fills the budget with them from the cheapest options on (Sinha and
        Zoltners, "The multiple-choice knapsack problem", Operations Research 27, 1979).
        """
        hulls = []
        for scores, costs, kept in zip(self.scores, self.costs, self.efficient, strict=True):
            corners = kept[concave_corners(costs[kept], scores[kept])]
            hulls.append(np.diff(np.stack([scores[corners], costs[corners]]), axis=1))
        gain, paid = np.concatenate(hulls, axis=1)
        order = np.argsort(-gain / paid, kind="stable")
        return gain[order], paid[order], self.smallest_cost + np.cumsum(paid[order])

    @cached_property
    def pair_fronts(self) -> PairFronts:
        """The efficient options and those of all pairs of groups, under the first limit."""
        kept = self.efficient
        return PairFronts.of(
            [scores[at] for scores, at in zip(self.scores, kept, strict=True)],
            [costs[at] for costs, at in zip(self.costs, kept, strict=True)],
        )

    @cached_property
    def efficient(self) -> tuple[np.ndarray, ...]:
        """For each group the options that no other beats, by increasing cost and score.

        Any other option can be replaced by one of these at no loss. Among options of equal
        score and cost the first of the listing stands.
        """
        return tuple(
            efficient_options(scores, costs)
            for scores, costs in zip(self.scores, self.costs, strict=True)
        )
