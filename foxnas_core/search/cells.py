"""Cells: what is no sum over groups becomes one in each of them.

Terms across stages read how deep the others are. Once the context and all depths are settled, each
reads what is free in one stage alone, so that a prediction is a constant plus one number for each
stage's option again, and a knapsack of its own (a `ContextTable`) for each cell, that is, for each
choice of the context and of all depths.

There are hundreds of cells, of which few can hold an optimum. In a stage of some depth all options
that terms across stages read alike, such as all of one mean kernel size, change alike from cell to
cell. So options that another one of their level beats are left out once for all cells, and what a
cell can be worth is bounded, for prices λ of the first limit, by

    constant + λ · budget + Σ over stages of the most of (score - λ · cost),

from the best of each level (Lagrangian relaxation, as in `relaxation`).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import product
from typing import overload

import numpy as np

from foxnas_core.search.best_cells import BoundedTables
from foxnas_core.search.context_table import ContextTable
from foxnas_core.search.limits import AdditivePredictor
from foxnas_core.search.pareto import efficient_within, undominated
from foxnas_core.search.settling import free_leaves
from foxnas_core.space.architecture import Value
from foxnas_core.space.coding.terms import Part
from foxnas_core.space.decisions import Decision
from foxnas_core.space.search_space import SearchSpace

# Prices of the first limit by which cells are bounded, from 0 on; the greatest is so many times
# what the whole range of scores costs, and each is a like multiple of the one before.
_PRICES, _STEEPEST, _FLATTEST = 40, 100.0, 1e-2


@dataclass(frozen=True, eq=False)
class Options:
    """The allowed options of a group at one depth: their positions among all allowed, in the order
    of their `level` (options,), from 0 on; `firsts` (levels,) are the places of each level's
    first."""

    positions: np.ndarray
    level: np.ndarray
    firsts: np.ndarray


@dataclass(frozen=True, eq=False)
class _Values:
    """What one predictor tells: by context and group the values (allowed options,) of the group
    alone; by context and coupling, for the depths of the groups that it reads, a constant and by
    group what each level adds to it (levels,)."""

    constants: list[float]
    own: list[list[np.ndarray]]
    couplings: list[list[tuple[tuple[int, ...], dict[tuple[int, ...], "_Coupled"]]]]


_Coupled = tuple[float, dict[int, np.ndarray]]


class Cells(BoundedTables):
    """The tables of all cells, each made when it is asked for.

    With `pruned`, options that one of their level beats, in scores and all costs, are left out.
    """

    def __init__(
        self,
        space: SearchSpace,
        contexts: Sequence[dict[str, Value]],
        depths: Mapping[str, Decision],
        listings: Sequence[np.ndarray],
        predictors: Sequence[AdditivePredictor],
        signs: Sequence[float],
        *,
        pruned: bool,
    ) -> None:
        """`listings` are the codes (options, all decisions) of each group's allowed options, and
        `signs` what turns predictions into scores and costs."""
        self._space, self._contexts, self._pruned = space, contexts, pruned
        self._signs = signs
        self._depths = [depths.get(group) for group in space.additive_groups]
        self._listings = listings
        self._options = [
            _by_depth(space, listing, depth, free_leaves(predictors, group))
            for group, listing, depth in zip(
                space.additive_groups, listings, self._depths, strict=True
            )
        ]
        combinations = product(*(range(len(own)) for own in self._options))
        self.cells = [(c, d) for d in combinations for c in range(len(contexts))]
        self._values = [self._told(predictor) for predictor in predictors]
        self._made: dict[int, ContextTable] = {}

    def __len__(self) -> int:
        return len(self.cells)

    @overload
    def __getitem__(self, at: int) -> ContextTable: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[ContextTable]: ...
    def __getitem__(self, at: int | slice) -> ContextTable | Sequence[ContextTable]:
        if isinstance(at, slice):
            return [self[i] for i in range(*at.indices(len(self)))]
        if not -len(self) <= at < len(self):
            raise IndexError(at)
        if at not in self._made:
            self._made[at] = self._table(*self.cells[at])
        return self._made[at]

    @property
    def size(self) -> int:
        """How many options all tables have together, with nothing left out."""
        sizes = [[len(own.positions) for own in by_depth] for by_depth in self._options]
        return sum(
            own[depth] for _, depths in self.cells for own, depth in zip(sizes, depths, strict=True)
        )

    def _told(self, predictor: AdditivePredictor) -> _Values:
        space, groups = self._space, self._space.additive_groups
        constants, own, couplings = [], [], []
        for context in self._contexts:
            values = predictor.split(context)
            constants.append(float(values.constant))
            own.append(
                [
                    values.group_values(g, codes)
                    for g, codes in zip(groups, self._listings, strict=True)
                ]
            )
            found = []
            for name, read in predictor.couplings.items():
                members = {space.by_name[decision].group for decision in read}
                at = tuple(i for i, group in enumerate(groups) if group in members)
                found.append((at, self._coupled(partial(values.group_values, name), at)))
            couplings.append(found)
        return _Values(constants, own, couplings)

    def _coupled(
        self, told: Callable[[np.ndarray], np.ndarray], at: tuple[int, ...]
    ) -> dict[tuple[int, ...], _Coupled]:
        """A coupling's numbers by the depths of the groups `at` these positions, from what is
        `told` of codes (rows, decisions)."""
        rows, shapes = [], []
        for depths in product(*(range(len(self._options[g])) for g in at)):
            firsts = [
                self._listings[g][self._options[g][d].positions[0]]
                for g, d in zip(at, depths, strict=True)
            ]
            base = np.max(firsts, axis=0)[np.newaxis]
            rows.append(base)
            for g, d in zip(at, depths, strict=True):
                options = self._options[g][d]
                own = self._listings[g][options.positions[options.firsts]]
                rows.append(np.where(own >= 0, own, np.where(self._columns(g), -1, base)))
            shapes.append((depths, [len(part) for part in rows[-len(at) :]]))
        values = told(np.vstack(rows))
        found: dict[tuple[int, ...], _Coupled] = {}
        place = 0
        for depths, sizes in shapes:
            constant, place = float(values[place]), place + 1
            shifts = {}
            for g, size in zip(at, sizes, strict=True):
                shifts[g], place = values[place : place + size] - constant, place + size
            found[depths] = constant, shifts
        return found

    def _columns(self, group: int) -> np.ndarray:
        """Which decisions (decisions,) are a group's."""
        name = self._space.additive_groups[group]
        return np.array([d.group == name for d in self._space.decisions])

    @cached_property
    def _own(self) -> list[list[list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]]]:
        """By context, group and depth: places kept, their levels, scores (options,) and costs
        (options, limits), of the group alone."""
        found = []
        for context in range(len(self._contexts)):
            by_group = []
            for group, by_depth in enumerate(self._options):
                score, *costs = (
                    sign * values.own[context][group]
                    for sign, values in zip(self._signs, self._values, strict=True)
                )
                cost = np.stack(costs, axis=1) if costs else np.zeros((len(score), 0))
                by_group.append(
                    [
                        self._parted(options, score[options.positions], cost[options.positions])
                        for options in by_depth
                    ]
                )
            found.append(by_group)
        return found

    def _parted(
        self, options: Options, score: np.ndarray, cost: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        kept, limits = np.arange(len(score)), cost.shape[1]
        if self._pruned and limits > 1:
            ends = np.append(options.firsts[1:], len(score))
            levels = [slice(*own) for own in zip(options.firsts, ends, strict=True)]
            best = [own.start + undominated(score[own], cost[own]) for own in levels]
            kept = np.concatenate(best)
        elif self._pruned:
            first = cost[:, 0] if limits else np.zeros(len(score))
            kept = efficient_within(score, first, options.level)
        return kept, options.level[kept], score[kept], cost[kept]

    def _shift(
        self, values: _Values, context: int, group: int, depths: tuple[int, ...]
    ) -> np.ndarray:
        """What each level (levels,) of a group adds in a cell."""
        total = np.zeros(len(self._options[group][depths[group]].firsts))
        for at, by_depths in values.couplings[context]:
            if group in at:
                total = total + by_depths[tuple(depths[g] for g in at)][1][group]
        return total

    def _constant(self, values: _Values, context: int, depths: tuple[int, ...]) -> float:
        return values.constants[context] + sum(
            by_depths[tuple(depths[g] for g in at)][0]
            for at, by_depths in values.couplings[context]
        )

    def _table(self, context: int, depths: tuple[int, ...]) -> ContextTable:
        objective, *limited = self._values
        sign, *signs = self._signs
        scores, costs, kept = [], [], []
        for group, depth in enumerate(depths):
            places, level, score, cost = self._own[context][group][depth]
            scores.append(score + sign * self._shift(objective, context, group, depths)[level])
            shifts = [
                own * self._shift(values, context, group, depths)[level]
                for own, values in zip(signs, limited, strict=True)
            ]
            costs.append(cost + np.stack(shifts, axis=1) if shifts else cost)
            kept.append(self._options[group][depth].positions[places])
        return ContextTable(
            self._contexts[context],
            sign * self._constant(objective, context, depths),
            tuple(
                own * self._constant(values, context, depths)
                for own, values in zip(signs, limited, strict=True)
            ),
            tuple(scores),
            tuple(costs),
            self._settled(depths),
            tuple(kept),
        )

    def _settled(self, depths: tuple[int, ...]) -> dict[str, Value]:
        found: dict[str, Value] = {}
        for group, (decision, depth) in enumerate(zip(self._depths, depths, strict=True)):
            if decision is not None:
                first = self._listings[group][self._options[group][depth].positions[0]]
                code = first[self._space.decisions.index(decision)]
                found[decision.name] = decision.choices[code]
        return found

    def bounds(self, budget: float) -> np.ndarray:
        prices, sums = self._dual
        with np.errstate(invalid="ignore"):
            paid = np.where(prices > 0, prices * budget, 0.0)
        return np.min(sums + paid, axis=1)

    def bounds_of(self, at: int, budgets: np.ndarray) -> np.ndarray:
        prices, sums = self._dual
        with np.errstate(invalid="ignore"):
            paid = np.where(prices > 0, np.outer(budgets, prices), 0.0)
        return (sums[at] + paid).min(axis=1)

    @cached_property
    def greatest_cost(self) -> float:
        return float(self._most(np.zeros(1), -np.ones(1)).max())

    @cached_property
    def least_costs(self) -> np.ndarray:
        if len(self._values) < 2:
            return np.zeros(len(self))
        return -self._most(np.zeros(1), np.ones(1))[:, 0]

    @cached_property
    def _dual(self) -> tuple[np.ndarray, np.ndarray]:
        """Prices (prices,), and for each cell the most of score - price · cost (cells, prices)."""
        prices = np.zeros(1)
        if len(self._values) > 1:
            wide = sum(max(float(np.ptp(part[2])) for part in own) for own in self._own[0])
            dear = sum(max(float(np.ptp(part[3][:, 0])) for part in own) for own in self._own[0])
            scale = wide / dear if wide > 0 and dear > 0 else 1.0
            steps = np.geomspace(_FLATTEST * scale, _STEEPEST * scale, _PRICES)
            prices = np.append(0.0, steps)
        return prices, self._most(np.ones(len(prices)), prices)

    def _most(self, worth: np.ndarray, prices: np.ndarray) -> np.ndarray:
        """For each cell and pair of `worth` and `prices` (pairs,) the most of worth · score - price
        · first cost: (cells, pairs)."""
        factors = [(worth, self._signs[0], self._values[0])]
        if len(self._values) > 1:
            factors.append((-prices, self._signs[1], self._values[1]))
        factors = [factor for factor in factors if factor[0].any()]
        total = np.array(
            [
                sum(f * sign * self._constant(v, context, depths) for f, sign, v in factors)
                for context, depths in self.cells
            ]
        )
        for group, by_depth in enumerate(self._options):
            for depth, context in product(range(len(by_depth)), range(len(self._contexts))):
                _, level, score, cost = self._own[context][group][depth]
                own = np.outer(worth, score)
                if cost.shape[1]:
                    own -= np.outer(prices, cost[:, 0])
                starts = np.flatnonzero(np.diff(level, prepend=-1))
                best = np.maximum.reduceat(own, starts, axis=1)
                numbers = [
                    n for n, (c, d) in enumerate(self.cells) if c == context and d[group] == depth
                ]
                shifted = best[np.newaxis]
                for factor, sign, v in factors:
                    if v.couplings[context]:
                        depths = (self.cells[n][1] for n in numbers)
                        shifts = np.array([self._shift(v, context, group, d) for d in depths])
                        shifted = shifted + factor[:, np.newaxis] * sign * shifts[:, np.newaxis]
                total[numbers] += shifted.max(axis=2)
        return total


def _by_depth(
    space: SearchSpace, listing: np.ndarray, depth: Decision | None, leaves: Iterator[Part]
) -> list[Options]:
    """The options of a group by its depth, those of a level together."""
    codes = listing.astype(np.intp, order="F")
    level = np.zeros(len(codes), dtype=np.intp)
    for column in (column for leaf in leaves for column in leaf.columns(codes).T):
        # Means of equal numbers in another order differ in their last digits.
        _, number = np.unique(np.round(column, 9), return_inverse=True)
        level = np.unique(level * (number.max() + 1) + number, return_inverse=True)[1]
    own = np.zeros(len(codes)) if depth is None else codes[:, space.decisions.index(depth)]
    found = []
    for code in np.unique(own):
        positions = np.flatnonzero(own == code)
        order = np.argsort(level[positions], kind="stable")
        positions = positions[order]
        _, firsts, number = np.unique(level[positions], return_index=True, return_inverse=True)
        found.append(Options(positions, number.reshape(-1), firsts))
    return found
