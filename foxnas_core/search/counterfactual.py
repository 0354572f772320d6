"""The best architectures near a given one: what so many edits can reach at the most.

An edit gives one decision another choice; what that opens or closes, as another depth does blocks,
is of the same edit. So the edits from one architecture to another are the decisions that both have,
with another choice each.

That number is a sum over groups and context, just as predictions are. So the best value for every
number of edits, with a limit held, is a front as any other: options are merged group by group, and
a sum is dropped only where another has no more edits, costs no more and scores no less (Nemhauser
and Ullmann, "Discrete dynamic programming and capital allocation", Management Science 15, 1969).
Its first point has the fewest edits that keep the limit, its last the value of the optimum. For
counterfactual explanations of this kind, "what is the least that would have to change", see
Wachter, Mittelstadt and Russell, Harvard Journal of Law & Technology 31, 2018.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pandas as pd

from foxnas_core.regression.link import Link
from foxnas_core.search.context_table import ContextTable
from foxnas_core.search.coupling import block_values
from foxnas_core.search.exact import Front, front, front_of
from foxnas_core.search.feasibility import check_feasible
from foxnas_core.search.limits import Limit, rounded_down, rounded_up
from foxnas_core.search.merging import Merged, best_under_one_limit, merge
from foxnas_core.search.pareto import undominated_by_level
from foxnas_core.search.problem import SearchProblem
from foxnas_core.search.tables import Contexts
from foxnas_core.space.architecture import Architecture, Value
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.table.metrics import Metric

# Digits to which a relative goal's bound is rounded, in its own favour.
_DIGITS = 9


@dataclass(frozen=True, eq=False)
class EditCount:
    """The number of edits from `base`, in the shape of a predictor, so that it can be limited."""

    space: SearchSpace
    base: Architecture
    apart: tuple[str, ...] = ()
    target: ClassVar[Metric] = Metric("edits", "Edits", "", "min")
    link: ClassVar[Link] = Link()
    table_fingerprint: ClassVar[str] = ""

    def split(self, context: Mapping[str, Value]) -> "_EditsApart":
        return _EditsApart(self, float(sum(self.base[n] != v for n, v in context.items())))

    def by_part(self, groups: tuple[str, ...]) -> "EditCount":
        return replace(self, apart=groups)

    @property
    def couplings(self) -> dict[str, tuple[str, ...]]:
        """The decisions of groups that fell apart, each by itself."""
        own = (d.name for group in self.apart for d in self.space.in_group(group))
        return {f"{name} edited": (name,) for name in own}

    def predict(self, architectures: Sequence[Architecture]) -> pd.DataFrame:
        changed = self.changed(self.space.encode(architectures))
        return pd.DataFrame({"value": changed.sum(axis=1).astype(float)})

    def changed(self, codes: np.ndarray) -> np.ndarray:
        """Which decisions (rows, decisions) of architectures with `codes` take an edit."""
        [own] = self.space.encode([self.base])
        return (codes >= 0) & (own >= 0) & (codes != own)


@dataclass(frozen=True, eq=False)
class _EditsApart:
    count: EditCount
    constant: float

    def group_values(self, group: str, option_codes: np.ndarray) -> np.ndarray:
        space = self.count.space
        names = self.count.couplings.get(group, [d.name for d in space.in_group(group)])
        columns = (
            []
            if group in self.count.apart
            else [space.decisions.index(space.by_name[name]) for name in names]
        )
        return self.count.changed(option_codes)[:, columns].sum(axis=1).astype(float)


def edits_between(space: SearchSpace, before: Architecture, after: Architecture) -> int:
    """How many edits lead from one architecture to another."""
    return int(EditCount(space, before).predict([after])["value"].iloc[0])


def better_by(problem: SearchProblem, base: Architecture, amount: float) -> SearchProblem:
    """The problem whose first limit asks of its target to be better than `base`'s by `amount`, in
    the target's unit, or, where that is below 0, allows it to be so much worse.

    Where the limit is a ceiling, better is less. `base` must be allowed in `problem`. The bound is
    rounded to nine digits in its own favour, so that `base` keeps an amount of 0.
    """
    limit = problem.limits[0]
    value = problem.whole.candidate(*problem.whole.position(base)).costs[0]
    if limit.side == "at_most":
        return problem.within(float(rounded_up(value - amount, _DIGITS)))
    return problem.within(float(rounded_down(value + amount, _DIGITS)))


def counterfactuals(problem: SearchProblem, base: Architecture) -> Front:
    """The best value for every number of edits from `base`, with all limits of `problem` held.

    The first limit of the front's own problem is that of `EditCount`, so its `costs` are edits and
    `within(k)` is the best of at most k. `base` need not keep the limits nor be among the allowed
    choices. Raises `InfeasibleBudget` as `check_feasible`, and, with more limits than
    one in a large space, `InvalidInput` as `front`.
    """
    check_feasible(problem)
    problem = problem.whole
    counted = _counted(problem, base)
    if len(problem.limits) != 1:
        return front(counted)
    budget = problem.budget
    # The context of the base first: it is the nearest, so others need fewer looks.
    order = sorted(range(len(counted.tables)), key=lambda i: counted.tables[i].cost_constants[0])
    parts: dict[int, Merged] = {}
    for context in order:
        table = counted.tables[context]
        if problem.tables[context].smallest_cost > budget:
            continue
        _, optimum = best_under_one_limit([problem.tables[context]], budget)
        best, (most, _) = table.totals(optimum)
        # No use in as many edits as bring another context as far as this one ever gets.
        for part in parts.values():
            as_good = part.costs[0][part.scores >= best]
            most = min(most, as_good[0] - 1) if len(as_good) else most
        parts[context] = _nearest(table, budget, most)
    return front_of(counted, parts)


def _counted(problem: SearchProblem, base: Architecture) -> SearchProblem:
    """The same problem with the number of edits as its first limit, which holds for every
    architecture; shares what has been compiled."""
    space = problem.space
    count = EditCount(space, base)
    limit = Limit(count, float(len(space.decisions)))
    counted = SearchProblem(problem.objective, (limit, *problem.limits), problem.allowed)
    own = []
    for group, kept in zip(problem.groups, problem.options, strict=True):
        codes, [_, count_of, *_] = problem.listing(group)[kept], counted.readers
        own.append(block_values(count_of, count_of.split({}), problem.block(group), codes))
    counted.__dict__["tables"] = Contexts(
        replace(
            table,
            cost_constants=(count.split(table.context).constant, *table.cost_constants),
            limit_costs=tuple(
                np.column_stack([edits if at is None else edits[at], costs])
                for edits, at, costs in zip(
                    own, table.kept or [None] * len(own), table.limit_costs, strict=True
                )
            ),
        )
        for table in problem.tables
    )
    return counted


def _nearest(table: ContextTable, budget: float, most: float) -> Merged:
    """One context's front over edits, of at most so many of them and within the budget; edits are
    the table's first cost, and what has the budget its second."""
    listed = [
        undominated_by_level(own, limited[:, 1], limited[:, 0])
        for own, limited in zip(table.scores, table.limit_costs, strict=True)
    ]
    return merge(
        table,
        listed,
        [most, budget],
        lambda scores, costs: undominated_by_level(scores, costs[1], costs[0]),
    )
