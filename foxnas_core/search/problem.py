"""The search problem: the best predicted architecture within limits on other predictions.

A prediction is, for each choice of the context (the input resolution), a constant plus one
number for each option of each additive group (a stage). So the problem is a multiple-choice
knapsack (Kellerer, Pferschy, Pisinger, "Knapsack Problems", 2004, ch. 11): one option of each
group, the sum of values as good as can be, the sum of costs within the limit. Where a predictor
has a link, the sum is on its scale; a link increases, so the best sum is the best prediction.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from foxnas_core.architecture import Architecture, Value
from foxnas_core.errors import InfeasibleBudget, InvalidInput
from foxnas_core.link import Link
from foxnas_core.search.options import (
    Neighbours,
    full_codes,
    group_codes,
    group_columns,
    group_neighbours,
)
from foxnas_core.search_space import SearchSpace
from foxnas_core.target import Target


class GroupValues(Protocol):
    """A prediction for a fixed context, on the scale of its predictor's link: `constant` plus a
    value for each group's option."""

    @property
    def constant(self) -> float: ...
    def group_values(self, group: str, option_codes: np.ndarray) -> np.ndarray: ...


class AdditivePredictor(Protocol):
    """What a search needs of a predictor."""

    @property
    def space(self) -> SearchSpace: ...
    @property
    def target(self) -> Target: ...
    @property
    def link(self) -> Link: ...
    @property
    def table_fingerprint(self) -> str: ...
    def split(self, context: Mapping[str, Value]) -> GroupValues: ...
    def predict(self, architectures: Sequence[Architecture]) -> pd.DataFrame: ...


@dataclass(frozen=True, eq=False)
class Limit:
    """The prediction of `predictor` must be `at_most` this, in its target's unit.

    Raises `InvalidInput` where that is no finite number.
    """

    predictor: AdditivePredictor
    at_most: float

    def __post_init__(self) -> None:
        if not math.isfinite(self.at_most):
            raise InvalidInput(
                f"The limit on {_noun(self.predictor.target)} is {self.at_most}; give a finite "
                "number."
            )


@dataclass(frozen=True)
class Candidate:
    """An architecture with its predicted value and its cost under each limit, in their units."""

    architecture: Architecture
    value: float
    costs: tuple[float, ...]

    def to_dict(self) -> dict[str, Any]:
        """A JSON document. Choices stand as pairs, whose order survives the sorting of keys."""
        return {
            "id": self.architecture.id,
            "choices": [list(choice) for choice in self.architecture.choices],
            "value": self.value,
            "costs": list(self.costs),
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> "Candidate":
        return cls(
            Architecture.from_mapping(dict(document["choices"])),
            float(document["value"]),
            tuple(float(cost) for cost in document["costs"]),
        )


@dataclass(frozen=True, eq=False)
class ContextTable:
    """Scores and costs of every option for one choice of the context.

    A score is the objective's value, negated where less is better, so that more is always
    better; costs are those under the limit, 0 without one; both on the scale of the link.
    `scores[g]` and `costs[g]` are of shape (options of group g,).
    """

    context: dict[str, Value]
    score_constant: float
    cost_constant: float
    scores: tuple[np.ndarray, ...]
    costs: tuple[np.ndarray, ...]

    def total(self, options: Sequence[int] | np.ndarray) -> tuple[float, float]:
        """Score and cost of one option of each group.

        Summed from the constant on, group by group: every search room sums in this order, so
        that equal choices are equal to the last digit.
        """
        score, cost = self.score_constant, self.cost_constant
        for group, option in enumerate(options):
            score += float(self.scores[group][option])
            cost += float(self.costs[group][option])
        return score, cost

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
    def efficient(self) -> tuple[np.ndarray, ...]:
        """For each group the options that no other beats, by increasing cost and score.

        Any other option can be replaced by one of these at no loss. Among options of equal
        score and cost the first of the listing stands.
        """
        return tuple(
            efficient_options(scores, costs)
            for scores, costs in zip(self.scores, self.costs, strict=True)
        )


@dataclass(frozen=True, eq=False)
class SearchProblem:
    """The best value of `objective` (most or least, by its target's direction) within `limits`.

    Raises `InvalidInput` where the predictors are of different spaces, or for more limits than
    one, which no search here handles yet, or for a space without a group to choose in.
    """

    objective: AdditivePredictor
    limits: tuple[Limit, ...] = ()

    def __post_init__(self) -> None:
        if not self.groups:
            raise InvalidInput(f"Space {self.space.name!r} has no group of decisions to search.")
        if len(self.limits) > 1:
            names = ", ".join(limit.predictor.target.column for limit in self.limits)
            raise InvalidInput(f"A search takes one limit, not {len(self.limits)} ({names}).")
        for limit in self.limits:
            other = limit.predictor.space
            if other.fingerprint != self.space.fingerprint:
                raise InvalidInput(
                    f"The predictor of {limit.predictor.target.column} is of another space "
                    f"({other.name!r}, {other.fingerprint}) than that of "
                    f"{self.objective.target.column} ({self.space.name!r}, "
                    f"{self.space.fingerprint}); fit both on one table."
                )

    @property
    def space(self) -> SearchSpace:
        return self.objective.space

    @property
    def groups(self) -> tuple[str, ...]:
        return self.space.additive_groups

    @property
    def budget(self) -> float:
        """The limit on the scale of costs, or infinity without one or above a ceiling."""
        if not self.limits:
            return math.inf
        budget = float(self.limits[0].predictor.link.forward(self.limits[0].at_most))
        return math.inf if math.isnan(budget) else budget

    @property
    def sign(self) -> float:
        """What turns a value into a score and back: -1 where less is better."""
        return -1.0 if self.objective.target.direction == "min" else 1.0

    def value_of(self, score: ArrayLike) -> np.ndarray:
        """Predictions of the objective, in its target's unit, of scores of any shape."""
        return self.objective.link.inverse(self.sign * np.asarray(score)) + 0.0  # no negative zero

    def cost_of(self, cost: ArrayLike) -> np.ndarray:
        """Predictions under the limit, in its target's unit, of costs of any shape."""
        link = self.limits[0].predictor.link if self.limits else Link()
        return link.inverse(cost)

    def within(self, at_most: float) -> "SearchProblem":
        """The same problem under another budget; shares what has been compiled."""
        if not self.limits:
            raise InvalidInput("This search has no limit whose budget could be changed.")
        other = SearchProblem(self.objective, (Limit(self.limits[0].predictor, at_most),))
        other.__dict__["tables"] = self.tables
        return other

    @cached_property
    def tables(self) -> tuple[ContextTable, ...]:
        """One table for each choice of the context."""
        space = self.space
        codes = {group: full_codes(space, group) for group in self.groups}
        tables = []
        for context in space.context_options():
            value = self.objective.split(context)
            scores = [self.sign * value.group_values(g, codes[g]) for g in self.groups]
            cost_constant = 0.0
            costs = [np.zeros(len(codes[g])) for g in self.groups]
            for limit in self.limits:
                cost = limit.predictor.split(context)
                cost_constant = float(cost.constant)
                costs = [cost.group_values(g, codes[g]) for g in self.groups]
            score_constant = self.sign * float(value.constant)
            tables.append(
                ContextTable(context, score_constant, cost_constant, tuple(scores), tuple(costs))
            )
        return tuple(tables)

    @cached_property
    def neighbours(self) -> tuple[Neighbours, ...]:
        """For each group, which options are one edit apart."""
        return tuple(group_neighbours(self.space, group) for group in self.groups)

    @property
    def smallest_cost(self) -> float:
        """The least cost that any architecture has."""
        return min(table.smallest_cost for table in self.tables)

    def check_feasible(self) -> None:
        """Raise `InfeasibleBudget`, naming the smallest that can be reached, where none fits."""
        if self.smallest_cost > self.budget:
            smallest = float(self.cost_of(self.smallest_cost))
            target = self.limits[0].predictor.target
            unit = f" {target.unit}" if target.unit else ""
            raise InfeasibleBudget(
                f"No architecture of space {self.space.name!r} has a predicted {_noun(target)} of "
                f"at most {self.limits[0].at_most}{unit}; the smallest that can be reached is "
                f"{rounded_up(smallest)}{unit}, so raise the budget to at least that.",
                smallest=smallest,
            )

    def architecture(self, context: int, options: Sequence[int] | np.ndarray) -> Architecture:
        """The architecture of the context's position in `tables` and one option of each group."""
        codes = np.full((1, len(self.space.decisions)), -1, dtype=np.int16)
        for group, option in zip(self.groups, options, strict=True):
            codes[0, group_columns(self.space, group)] = group_codes(self.space, group)[option]
        for name, value in self.tables[context].context.items():
            column = self.space.decisions.index(self.space.by_name[name])
            codes[0, column] = self.space.by_name[name].choices.index(value)
        return self.space.decode(codes)[0]

    def candidate(self, context: int, options: Sequence[int] | np.ndarray) -> Candidate:
        """The architecture as in `architecture`, with its predicted value and costs."""
        score, cost = self.tables[context].total(options)
        return Candidate(
            self.architecture(context, options),
            float(self.value_of(score)),
            (float(self.cost_of(cost)),) if self.limits else (),
        )


def efficient_options(scores: np.ndarray, costs: np.ndarray) -> np.ndarray:
    """Positions of the Pareto front (more score, less cost), by increasing cost.

    Of equal points the first is taken.
    """
    # One stable sort of nearly sorted sums is several times faster than a sort by two keys.
    order = np.argsort(costs, kind="stable")
    ranked = scores[order]
    best_before = np.concatenate([[-np.inf], np.maximum.accumulate(ranked)[:-1]])
    rising = order[ranked > best_before]
    # Among equal costs the last of those that rise is the best.
    return rising[np.append(np.diff(costs[rising]) > 0, True)[: len(rising)]]


def rounded_up(number: float, digits: int = 3) -> str:
    """The least decimal of so many significant digits that is not below `number`."""
    if number == 0:
        return "0"
    places = digits - 1 - math.floor(math.log10(abs(number)))
    scaled = math.ceil(number * 10.0**places)
    # The product above may round down past a whole number, so the decimal itself is compared.
    for whole in (scaled - 1, scaled, scaled + 1):
        text = f"{whole}e{-places}"
        if float(text) >= number:
            return f"{float(text):.{max(places, 0)}f}"
    return repr(number)


def _noun(target: Target) -> str:
    """The target's label within a sentence: "latency", but "MACs"."""
    label = target.label
    return label if label[:2].isupper() else label[:1].lower() + label[1:]
