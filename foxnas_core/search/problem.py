"""The search problem: the best predicted architecture within limits on other predictions.

A prediction is, for each choice of the context (the input resolution), a constant plus one
number for each option of each additive group (a stage). So the problem is a multiple-choice
knapsack (Kellerer, Pferschy, Pisinger, "Knapsack Problems", 2004, ch. 11): one option of each
group, the sum of values as good as can be, the sums of costs within their limits. Where a predictor
has a link, the sum is on its scale; a link increases, so the best sum is the best prediction.

Groups that some prediction reads together are searched as one block, whose options are all
combinations of theirs: where they can be listed, a problem that is no sum over groups is one over
blocks, and all else holds for it as it stands. A group that can't be listed falls apart first, into
what no prediction reads together. Counted is what is allowed. Where predictions are sums over
groups once the depths of stages are settled, too, each choice of depths is a problem of its own
instead (`cells`).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike

from foxnas_core.errors import InfeasibleBudget, InvalidInput
from foxnas_core.records import CHOICE_PAIRS
from foxnas_core.search.cells import Cells
from foxnas_core.search.context_table import ContextTable
from foxnas_core.search.coupling import apart, block_values, blocks_of, parted
from foxnas_core.search.limits import AdditivePredictor, Limit, SummedGroup
from foxnas_core.search.options import (
    LARGEST_GROUP,
    Neighbours,
    allowed_options,
    allowed_rows,
    full_codes,
    group_codes,
    group_columns,
    group_neighbours,
    put_choices,
)
from foxnas_core.search.restriction import restricted
from foxnas_core.search.settling import settling
from foxnas_core.search.tables import Contexts, Tables
from foxnas_core.space.architecture import Architecture, Value
from foxnas_core.space.decisions import Decision
from foxnas_core.space.search_space import SearchSpace


@dataclass(frozen=True)
class Candidate:
    """An architecture with its predicted value and its cost under each limit, in their units."""

    architecture: Annotated[Architecture, CHOICE_PAIRS]
    value: float
    costs: tuple[float, ...]


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
        if not self.space.additive_groups:
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
        """The groups that the search chooses in, those of `grouped`."""
        return self.grouped.additive_groups

    @property
    def grouped(self) -> SearchSpace:
        """The space with groups that are coupled in some prediction as one, and those that can't be
        listed in parts that no prediction reads together; the order of decisions, and so codes,
        are those of `space`."""
        return self._read[0]

    @property
    def readers(self) -> tuple[AdditivePredictor, ...]:
        """The `predictors`, as they tell the parts of groups that fell apart."""
        return self._read[1]

    @cached_property
    def _read(self) -> tuple[SearchSpace, tuple[AdditivePredictor, ...]]:
        space, readers = self.space, self.predictors
        if self.settled:
            return space, readers
        blocks = blocks_of(space, *(p.couplings for p in readers))
        large = tuple(g for g in space.additive_groups if not self._fits(space, g))
        if all(self._fits(blocks, group) for group in blocks.additive_groups) or not large:
            return blocks, readers
        read = [parted(predictor, large) for predictor in readers]
        grouped = blocks_of(apart(space, large), *(couplings for _, couplings in read))
        return grouped, tuple(predictor for predictor, _ in read)

    def _fits(self, space: SearchSpace, group: str) -> bool:
        try:
            return space.group_size(group, self.allowed) <= LARGEST_GROUP
        except InvalidInput:  # too many combinations even to be counted
            return False

    @cached_property
    def settled(self) -> dict[str, Decision]:
        """By group the depths, of which each choice is a problem of its own; empty where
        predictions are sums over groups or blocks as they stand."""
        found = settling(self.space, self.predictors)
        listed = all(self._fits(self.space, group) for group in self.space.additive_groups)
        return found if listed else {}

    @cached_property
    def is_listed(self) -> bool:
        """Whether all groups that the search chooses in are small enough to be listed."""
        return all(self._fits(self.grouped, group) for group in self.groups)

    def block(self, group: str) -> tuple[str, ...]:
        """The names of the decisions of a group that the search chooses in."""
        return tuple(decision.name for decision in self.grouped.in_group(group))

    def listing(self, group: str) -> np.ndarray:
        """Codes (options, all decisions) of the group, in which `options` are positions."""
        return full_codes(self.grouped, group, self.allowed)

    @property
    def predictors(self) -> tuple[AdditivePredictor, ...]:
        """That of the objective, then of each limit."""
        return (self.objective, *(limit.predictor for limit in self.limits))

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
        values = self.objective.link.inverse(self.sign * np.asarray(score))
        return self.objective.target.within(values) + 0.0  # no negative zero

    def cost_of(self, cost: ArrayLike) -> np.ndarray:
        """Predictions under the first limit, in its target's unit, of costs of any shape."""
        return self.limits[0].value_of(cost) if self.limits else np.asarray(cost, dtype=float)

    def within(self, bound: float) -> "SearchProblem":
        """The same problem with another number for its first limit; shares what has been
        compiled."""
        if not self.limits:
            raise InvalidInput("This search has no limit whose budget could be changed.")
        return self.under((bound, *(limit.bound for limit in self.limits[1:])))

    def under(self, bounds: Sequence[float]) -> "SearchProblem":
        """The same problem with other numbers for its limits, in their order; shares what has been
        compiled."""
        limits = tuple(limit.at(b) for limit, b in zip(self.limits, bounds, strict=True))
        other = SearchProblem(self.objective, limits, self.allowed)
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
        if self.settled or not self.is_listed or other.grouped != self.grouped:
            return other
        kept = [
            np.flatnonzero(
                allowed_rows(
                    self.grouped, g, group_codes(self.grouped, g, self.allowed)[own], other.allowed
                )
            )
            for g, own in zip(self.groups, self.options, strict=True)
        ]
        other.__dict__["tables"] = Contexts(
            table.of_options(kept)
            for table in self.tables
            if all(value in other.allowed.get(n, (value,)) for n, value in table.context.items())
        )
        return other

    @cached_property
    def tables(self) -> Tables:
        """One table for each allowed choice of the context, and of the depths that are `settled`;
        of those `cells.Cells`, without options that others beat in every cell.

        Raises `InvalidInput` where coupled groups have too many combinations to be listed.
        """
        if not self.is_listed:
            raise InvalidInput(
                f"What is predicted in space {self.space.name!r} reads more combinations of "
                f"choices together than the {LARGEST_GROUP:,} that can be listed: no front, no "
                "annealing. 'python -m foxnas_core select' still finds the best within limits, or "
                "a bound on it."
            )
        if self.settled:
            return self.cells()
        codes = {group: self.listing(group) for group in self.groups}
        objective, *limited = self.readers

        def compiled(predictor: AdditivePredictor, values: SummedGroup) -> list[np.ndarray]:
            # Of all options, and those allowed taken then, so that a pin changes no last digit.
            return [
                block_values(predictor, values, self.block(group), codes[group])[kept]
                for group, kept in zip(self.groups, self.options, strict=True)
            ]

        tables = []
        for context in self._contexts:
            value = objective.split(context)
            costs = [predictor.split(context) for predictor in limited]
            by_limit = [
                [limit.cost_of(part) for part in compiled(predictor, cost)]
                for limit, predictor, cost in zip(self.limits, limited, costs, strict=True)
            ]
            tables.append(
                ContextTable(
                    context,
                    self.sign * float(value.constant),
                    tuple(limit.sign * float(cost.constant)
                          for limit, cost in zip(self.limits, costs, strict=True)),
                    tuple(self.sign * part for part in compiled(objective, value)),
                    tuple(
                        np.stack([parts[g] for parts in by_limit], axis=1)
                        if by_limit else np.zeros((len(kept), 0))
                        for g, kept in enumerate(self.options)
                    ),
                )
            )  # fmt: skip
        return Contexts(tables)

    @property
    def _contexts(self) -> list[dict[str, Value]]:
        """The allowed choices of the context."""
        return [
            context
            for context in self.space.context_options()
            if all(value in self.allowed.get(name, (value,)) for name, value in context.items())
        ]

    def cells(self, *, pruned: bool = True) -> Cells:
        """The tables of all choices of the context and of the depths that are `settled`."""
        allowed = zip(self.groups, self.options, strict=True)
        listings = [self.listing(group)[kept] for group, kept in allowed]
        signs = [self.sign, *(limit.sign for limit in self.limits)]
        return Cells(
            self.space, self._contexts, self.settled, listings, self.readers, signs, pruned=pruned
        )

    @cached_property
    def whole(self) -> "SearchProblem":
        """The same problem, whose tables leave no option out; raises `InvalidInput` where these
        are too many."""
        if not self.settled:
            return self
        cells = self.cells(pruned=False)
        if cells.size > LARGEST_GROUP:
            raise InvalidInput(
                f"In space {self.space.name!r} all options of {len(cells):,} choices of depths and "
                "resolution are too many to be listed; take a form that stays within stages."
            )
        other = SearchProblem(self.objective, self.limits, self.allowed)
        other.__dict__["tables"] = cells
        return other

    @cached_property
    def options(self) -> tuple[np.ndarray, ...]:
        """For each group the positions, in the listing of its options, of those allowed."""
        return tuple(allowed_options(self.grouped, group, self.allowed) for group in self.groups)

    @cached_property
    def neighbours(self) -> tuple[Neighbours, ...]:
        """For each group, which allowed options are one edit apart."""
        return tuple(self.neighbours_of(position) for position in range(len(self.groups)))

    def neighbours_of(self, position: int) -> Neighbours:
        """Those of one group, which may be listed where another group is too large for it."""
        if position not in self._listed:
            group = self.groups[position]
            self._listed[position] = group_neighbours(self.grouped, group, self.allowed)
        return self._listed[position]

    @cached_property
    def _listed(self) -> dict[int, Neighbours]:
        return {}

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
        return self.space.decode(self.codes([context], np.array([options])))[0]

    def codes(self, contexts: Sequence[int], options: np.ndarray) -> np.ndarray:
        """The codes (points, decisions) of architectures by the positions of their contexts in
        `tables` and their options (points, groups)."""
        tables = [self.tables[context] for context in contexts]
        listed = np.array([t.listed(own) for t, own in zip(tables, options, strict=True)])
        codes = np.full((len(listed), len(self.space.decisions)), -1, dtype=np.int16)
        for group, kept, own in zip(self.groups, self.options, listed.T, strict=True):
            rows = group_codes(self.grouped, group, self.allowed)[kept[own]]
            codes[:, group_columns(self.grouped, group)] = rows
        for row, table in zip(codes, tables, strict=True):
            put_choices(row, self.space, table.context)
        return codes

    def position(self, architecture: Architecture) -> tuple[int, np.ndarray]:
        """The context and the option of each group (groups,) of an architecture of the space: the
        inverse of `architecture`. Raises `InvalidInput` where its choices are not allowed. Of a
        problem with `settled` depths ask its `whole`."""
        for name, choices in self.allowed.items():
            if architecture.get(name, choices[0]) not in choices:
                raise InvalidInput(
                    f"Architecture {architecture.id} has {name} {architecture[name]}, which is not "
                    f"allowed here; allowed: {', '.join(map(str, choices))}."
                )
        [context] = [
            position
            for position, table in enumerate(self.tables)
            if all(architecture[name] == value for name, value in table.fixed.items())
        ]
        [codes] = self.space.encode([architecture])
        found = []
        for group, kept in zip(self.groups, self.options, strict=True):
            own = codes[group_columns(self.grouped, group)]
            same = (group_codes(self.grouped, group, self.allowed)[kept] == own).all(axis=1)
            found.append(int(np.argmax(same)))
        if (listed := self.tables[context].kept) is not None:
            found = [int(np.argmax(own == at)) for own, at in zip(listed, found, strict=True)]
        return context, np.array(found)

    def candidate(self, context: int, options: Sequence[int] | np.ndarray) -> Candidate:
        """The architecture as in `architecture`, with its predicted value and costs."""
        score, costs = self.tables[context].totals(options)
        return Candidate(
            self.architecture(context, options),
            float(self.value_of(score)),
            tuple(float(x.value_of(cost)) for x, cost in zip(self.limits, costs, strict=True)),
        )
