"""The search problem: the best predicted architecture within limits on other predictions.

A prediction is, for each choice of the context (the input resolution), a constant plus one
number for each option of each additive group (a stage). So the problem is a multiple-choice
knapsack (Kellerer, Pferschy, Pisinger, "Knapsack Problems", 2004, ch. 11): one option of each
group, the sum of values as good as can be, the sums of costs within their limits. Where a predictor
has a link, the sum is on its scale; a link increases, so the best sum is the best prediction.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, Protocol

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from foxnas_core import documents
from foxnas_core.errors import InfeasibleBudget, InvalidInput
from foxnas_core.regression.link import Link
from foxnas_core.search.options import (
    Neighbours,
    allowed_options,
    full_codes,
    group_codes,
    group_columns,
    group_neighbours,
)
from foxnas_core.search.pareto import PairFronts, concave_corners, efficient_options, undominated
from foxnas_core.space.architecture import Architecture, Value
from foxnas_core.space.search_space import SearchSpace, check_choice
from foxnas_core.table.metrics import Metric


class SummedGroup(Protocol):
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
    def target(self) -> Metric: ...
    @property
    def link(self) -> Link: ...
    @property
    def table_fingerprint(self) -> str: ...
    def split(self, context: Mapping[str, Value]) -> SummedGroup: ...
    def predict(self, architectures: Sequence[Architecture]) -> pd.DataFrame: ...


Side = Literal["at_most", "at_least"]


@dataclass(frozen=True, eq=False)
class Limit:
    """The prediction of `predictor` must be `at_most` or `at_least` this, in its target's unit.

    A limit is held as a cost, the prediction on the scale of its link, negated for a floor, that
    must be within a budget. Raises `InvalidInput` unless exactly one finite number is given.
    """

    predictor: AdditivePredictor
    at_most: float | None = None
    at_least: float | None = None

    def __post_init__(self) -> None:
        noun = noun_of(self.predictor.target)
        if (self.at_most is None) == (self.at_least is None):
            raise InvalidInput(
                f"The limit on {noun} must say either what it is at most or what it is at least."
            )
        if not math.isfinite(self.bound):
            raise InvalidInput(f"The limit on {noun} is {self.bound}; give a finite number.")

    @property
    def bound(self) -> float:
        return self.at_most if self.at_most is not None else self.at_least  # type: ignore[return-value]

    @property
    def side(self) -> Side:
        return "at_least" if self.at_most is None else "at_most"

    @property
    def column(self) -> str:
        return self.predictor.target.column

    @property
    def sign(self) -> float:
        """What turns a prediction into a cost and back: -1 for a floor."""
        return -1.0 if self.at_most is None else 1.0

    @cached_property
    def budget(self) -> float:
        """The greatest cost whose prediction keeps the limit: infinity where every prediction
        does, minus infinity where none does, by the link's ceiling."""
        return self.sign * _edge(self.predictor.link, self.bound, self.side)

    def cost_of(self, prediction: np.ndarray) -> np.ndarray:
        """Costs of predictions on the scale of the link, any shape."""
        return prediction if self.at_least is None else -prediction

    def value_of(self, cost: ArrayLike) -> np.ndarray:
        """Predictions, in the target's unit, of costs of any shape."""
        if self.at_least is None:
            return self.predictor.link.inverse(cost)
        return self.predictor.link.inverse(-np.asarray(cost)) + 0.0  # no negative zero

    @property
    def text(self) -> str:
        """What the limit asks, within a sentence: "latency of at most 0.25 ms"."""
        target, side = self.predictor.target, self.side.replace("_", " ")
        unit = f" {target.unit}" if target.unit else ""
        return f"{noun_of(target)} of {side} {self.bound:.12g}{unit}"

    def at(self, bound: float) -> "Limit":
        """The same limit at another number."""
        if self.at_least is None:
            return Limit(self.predictor, bound)
        return Limit(self.predictor, at_least=bound)

    def nearest(self, cost: float) -> str:
        """The prediction of a cost as a number that it keeps, of three significant digits where
        the limit is a ceiling and five where it is a floor, and its unit."""
        value, unit = float(self.value_of(cost)), self.predictor.target.unit
        number = rounded_up(value) if self.at_least is None else rounded_down(value)
        return f"{number} {unit}" if unit else number


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
            Architecture.from_mapping(documents.choices(document["choices"])),
            documents.number(document["value"]),
            tuple(documents.number(cost) for cost in document["costs"]),
        )


@dataclass(frozen=True, eq=False)
class ContextTable:
    """Scores and costs of every allowed option for one choice of the context.

    A score is the objective's value, negated where less is better, so that more is always
    better; costs are those of `Limit`; both on the scale of the link. `scores[g]` is of shape
    (options of group g,), `limit_costs[g]` of (options of group g, limits), `cost_constants` of
    (limits,).
    """

    context: dict[str, Value]
    score_constant: float
    cost_constants: tuple[float, ...]
    scores: tuple[np.ndarray, ...]
    limit_costs: tuple[np.ndarray, ...]

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


@dataclass(frozen=True, eq=False)
class SearchProblem:
    """The best value of `objective` (most or least, by its target's direction) within `limits`.

    `allowed` holds, by a decision's name, the choices that it may take where it is active: one to
    pin it, all but one to forbid that one.

    Raises `InvalidInput` where the predictors are of different spaces, a target is limited twice
    on one side, `allowed` names what the space lacks, or the space has no group to choose in.
    """

    objective: AdditivePredictor
    limits: tuple[Limit, ...] = ()
    allowed: Mapping[str, tuple[Value, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.groups:
            raise InvalidInput(f"Space {self.space.name!r} has no group of decisions to search.")
        seen = set()
        for limit in self.limits:
            if (limit.column, limit.side) in seen:
                raise InvalidInput(
                    f"{limit.column} is limited twice to be {limit.side.replace('_', ' ')} a "
                    "number; keep the tighter limit."
                )
            seen.add((limit.column, limit.side))
            other = limit.predictor.space
            if other.fingerprint != self.space.fingerprint:
                raise InvalidInput(
                    f"The predictor of {limit.predictor.target.column} is of another space "
                    f"({other.name!r}, {other.fingerprint}) than that of "
                    f"{self.objective.target.column} ({self.space.name!r}, "
                    f"{self.space.fingerprint}); fit both on one table."
                )
        object.__setattr__(self, "allowed", restricted(self.space, self.allowed))

    @property
    def space(self) -> SearchSpace:
        return self.objective.space

    @property
    def groups(self) -> tuple[str, ...]:
        return self.space.additive_groups

    @property
    def budget(self) -> float:
        """The first limit on the scale of costs, or infinity without one."""
        return self.limits[0].budget if self.limits else math.inf

    @property
    def budgets(self) -> np.ndarray:
        """Every limit on the scale of costs, shape (limits,)."""
        return np.array([limit.budget for limit in self.limits])

    @property
    def sign(self) -> float:
        """What turns a value into a score and back: -1 where less is better."""
        return -1.0 if self.objective.target.direction == "min" else 1.0

    def value_of(self, score: ArrayLike) -> np.ndarray:
        """Predictions of the objective, in its target's unit, of scores of any shape."""
        return self.objective.link.inverse(self.sign * np.asarray(score)) + 0.0  # no negative zero

    def cost_of(self, cost: ArrayLike) -> np.ndarray:
        """Predictions under the first limit, in its target's unit, of costs of any shape."""
        return self.limits[0].value_of(cost) if self.limits else np.asarray(cost, dtype=float)

    def within(self, bound: float) -> "SearchProblem":
        """The same problem with another number for its first limit; shares what has been
        compiled."""
        if not self.limits:
            raise InvalidInput("This search has no limit whose budget could be changed.")
        first, *others = self.limits
        other = SearchProblem(self.objective, (first.at(bound), *others), self.allowed)
        other.__dict__["tables"] = self.tables
        return other

    def restricted_to(self, allowed: Mapping[str, Sequence[Value]]) -> "SearchProblem":
        """The same problem with fewer choices, those in both its own `allowed` and this; shares
        what has been compiled.

        Raises `InvalidInput` where a decision is left without a choice, or is none of the space.
        """
        both = {name: tuple(choices) for name, choices in allowed.items()}
        for name, choices in self.allowed.items():
            both[name] = tuple(c for c in choices if c in both.get(name, choices))
        other = SearchProblem(self.objective, self.limits, both)
        kept = [
            np.searchsorted(mine, theirs)
            for mine, theirs in zip(self.options, other.options, strict=True)
        ]
        other.__dict__["tables"] = tuple(
            table.of_options(kept)
            for table in self.tables
            if all(value in other.allowed.get(n, (value,)) for n, value in table.context.items())
        )
        return other

    @cached_property
    def tables(self) -> tuple[ContextTable, ...]:
        """One table for each allowed choice of the context."""
        codes = {group: full_codes(self.space, group) for group in self.groups}

        def compiled(values: SummedGroup) -> list[np.ndarray]:
            # Of all options, and those allowed taken then, so that a pin changes no last digit.
            return [
                values.group_values(group, codes[group])[kept]
                for group, kept in zip(self.groups, self.options, strict=True)
            ]

        tables = []
        for context in self.space.context_options():
            if any(context[name] not in choices for name, choices in self.allowed.items()
                   if name in context):  # fmt: skip
                continue
            value = self.objective.split(context)
            costs = [limit.predictor.split(context) for limit in self.limits]
            by_limit = [
                [limit.cost_of(part) for part in compiled(cost)]
                for limit, cost in zip(self.limits, costs, strict=True)
            ]
            tables.append(
                ContextTable(
                    context,
                    self.sign * float(value.constant),
                    tuple(limit.sign * float(cost.constant)
                          for limit, cost in zip(self.limits, costs, strict=True)),
                    tuple(self.sign * part for part in compiled(value)),
                    tuple(
                        np.stack([parts[g] for parts in by_limit], axis=1)
                        if by_limit else np.zeros((len(kept), 0))
                        for g, kept in enumerate(self.options)
                    ),
                )
            )  # fmt: skip
        return tuple(tables)

    @cached_property
    def options(self) -> tuple[np.ndarray, ...]:
        """For each group the positions, in the listing of its options, of those allowed."""
        return tuple(allowed_options(self.space, group, self.allowed) for group in self.groups)

    @cached_property
    def neighbours(self) -> tuple[Neighbours, ...]:
        """For each group, which allowed options are one edit apart."""
        return tuple(group_neighbours(self.space, group, self.allowed) for group in self.groups)

    @property
    def smallest_cost(self) -> float:
        """The least first cost that any architecture has, whatever the other limits."""
        return min(table.smallest_cost for table in self.tables)

    def check_feasible(self) -> None:
        """Raise `InfeasibleBudget` where no architecture fits, naming the limit that must give
        way and the nearest number for it."""
        if len(self.limits) > 1:
            from foxnas_core.search.milp import check_feasible

            check_feasible(self)
        elif self.limits and self.smallest_cost > self.budget:
            raise self.infeasible(self.limits[0], self.smallest_cost)

    def infeasible(self, limit: Limit, cost: float, others: str = "") -> InfeasibleBudget:
        """The error that names `cost` as the nearest that can be reached under `limit`, and
        `others` as what else would do."""
        ceiling = limit.side == "at_most"
        others_held = [x.text for x in self.limits if x is not limit]
        also = f" beside {' and '.join(others_held)}" if others_held else ""
        within = " with the allowed choices" if self.allowed else ""
        extreme, mend = ("smallest", "raise the budget to at least") if ceiling else (
            "greatest", "lower the floor to at most"
        )  # fmt: skip
        return InfeasibleBudget(
            f"No architecture of space {self.space.name!r}{within} has a predicted {limit.text}"
            f"{also}; the {extreme} that can be reached is {limit.nearest(cost)}, so {mend} that"
            f"{others}.",
            smallest=float(limit.value_of(cost)),
            column=limit.column,
        )

    def architecture(self, context: int, options: Sequence[int] | np.ndarray) -> Architecture:
        """The architecture of the context's position in `tables` and one option of each group."""
        codes = np.full((1, len(self.space.decisions)), -1, dtype=np.int16)
        for group, option in zip(self.groups, options, strict=True):
            listed = group_codes(self.space, group)[self.options[self.groups.index(group)]]
            codes[0, group_columns(self.space, group)] = listed[option]
        for name, value in self.tables[context].context.items():
            column = self.space.decisions.index(self.space.by_name[name])
            codes[0, column] = self.space.by_name[name].choices.index(value)
        return self.space.decode(codes)[0]

    def position(self, architecture: Architecture) -> tuple[int, np.ndarray]:
        """The context and the option of each group (groups,) of an architecture of the space: the
        inverse of `architecture`. Raises `InvalidInput` where its choices are not allowed."""
        for name, choices in self.allowed.items():
            if architecture.get(name, choices[0]) not in choices:
                raise InvalidInput(
                    f"Architecture {architecture.id} has {name} {architecture[name]}, which is not "
                    f"allowed here; allowed: {', '.join(map(str, choices))}."
                )
        [context] = [
            position
            for position, table in enumerate(self.tables)
            if all(architecture[name] == value for name, value in table.context.items())
        ]
        [codes] = self.space.encode([architecture])
        found = []
        for group, kept in zip(self.groups, self.options, strict=True):
            own = codes[group_columns(self.space, group)]
            same = (group_codes(self.space, group)[kept] == own).all(axis=1)
            found.append(int(np.argmax(same)))
        return context, np.array(found)

    def candidate(self, context: int, options: Sequence[int] | np.ndarray) -> Candidate:
        """The architecture as in `architecture`, with its predicted value and costs."""
        score, costs = self.tables[context].totals(options)
        return Candidate(
            self.architecture(context, options),
            float(self.value_of(score)),
            tuple(float(x.value_of(cost)) for x, cost in zip(self.limits, costs, strict=True)),
        )


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


def rounded_down(number: float, digits: int = 5) -> str:
    """The greatest decimal of so many significant digits that is not above `number`."""
    text = rounded_up(-number, digits)
    return text if number == 0 else text[1:] if text.startswith("-") else f"-{text}"


def restricted(
    space: SearchSpace, allowed: Mapping[str, Sequence[Value]]
) -> dict[str, tuple[Value, ...]]:
    """`allowed` in the space's order of decisions and choices, without those that lack no choice.

    Raises `InvalidInput` naming the decision and its choices.
    """
    unknown = [name for name in allowed if name not in space.by_name]
    if unknown:
        raise InvalidInput(
            f"{unknown[0]!r} is no decision of space {space.name!r}; its decisions are "
            f"{', '.join(space.by_name)}."
        )
    kept = {}
    for decision in space.decisions:
        if decision.name not in allowed:
            continue
        chosen = {check_choice(decision, value) for value in allowed[decision.name]}
        if not chosen:
            raise InvalidInput(
                f"No choice of {decision.name!r} is allowed; allow at least one of "
                f"{', '.join(map(str, decision.choices))}."
            )
        if len(chosen) < len(decision.choices):
            kept[decision.name] = tuple(c for c in decision.choices if c in chosen)
    return kept


def _edge(link: Link, bound: float, side: Side) -> float:
    """The last number on the scale of the link that keeps the limit.

    Found by halving, since the link there and back may miss the bound by rounding.
    """
    edge = float(link.forward(bound))
    if math.isnan(edge):
        return math.inf  # at the ceiling and above: all predictions are below
    if link.is_identity:
        return edge

    def below(eta: float) -> bool:
        value = float(link.inverse(eta))
        return value <= bound if side == "at_most" else value < bound

    step = 1e-12 * max(1.0, abs(edge))
    low, high = edge - step, edge + step
    while not below(low):
        step *= 2
        low -= step
    while below(high):
        step *= 2
        high += step
    while low < (middle := (low + high) / 2) < high:
        low, high = (middle, high) if below(middle) else (low, middle)
    return low if side == "at_most" else high


def noun_of(target: Metric) -> str:
    """The target's label within a sentence: "latency", but "MACs"."""
    label = target.label
    return label if label[:2].isupper() else label[:1].lower() + label[1:]
