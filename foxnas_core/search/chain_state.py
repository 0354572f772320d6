"""The chains of an annealing run, as objects and as the arrays of the loop."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from foxnas_core.search.context_table import ContextTable


@dataclass(eq=False)
class Chain:
    """One chain; its arrays are its rows of those in `ChainArrays`.

    It walks the options of `table`, which for each group are those at `kept` in the problem's own.
    `now` and `met` are the totals of `options` and `best`, `counts` those since
    the last start. `champion` and `champion_totals` are the best of the starts that have ended,
    polished. A start begins at the options `first`, at random ones where that is None. The
    acceptance that an adaptive schedule looks at is counted since `level_begun` proposals.
    """

    context: int
    number: int
    table: ContextTable
    kept: Sequence[np.ndarray] | None
    feasible: np.ndarray
    first: np.ndarray | None
    penalties: np.ndarray
    temperatures: np.ndarray
    options: np.ndarray
    best: np.ndarray
    now: np.ndarray
    met: np.ndarray
    counts: np.ndarray
    random: np.ndarray
    champion: np.ndarray
    champion_totals: np.ndarray
    starts: int = 0
    level_accepted: int = 0
    level_begun: int = 0

    def listed(self, options: np.ndarray) -> np.ndarray:
        """The positions of the chain's options among the problem's."""
        if self.kept is None:
            return options.copy()
        return np.array([kept[option] for kept, option in zip(self.kept, options, strict=True)])

    def take_over(self, other: "Chain") -> None:
        """Be where a chain of the same table is; the limits stay one's own."""
        for name in ("temperatures", "options", "best", "now", "met", "counts", "random",
                     "champion", "champion_totals"):  # fmt: skip
            getattr(self, name)[:] = getattr(other, name)
        self.starts = other.starts
        self.level_accepted, self.level_begun = other.level_accepted, other.level_begun

    def meet(self, budgets: np.ndarray) -> None:
        """Forget what breaks the budgets (limits,), and count what it is at if that keeps them."""
        for totals in (self.met, self.champion_totals):
            if not (totals[1:] <= budgets).all():
                totals[0] = -math.inf
        if (self.now[1:] <= budgets).all() and self.now[0] > self.met[0]:
            self.met[:], self.best[:] = self.now, self.options

    @property
    def found(self) -> tuple[np.ndarray, np.ndarray]:
        """Options and totals of the best of all starts; a score of -inf where none met the
        limits."""
        if self.champion_totals[0] >= self.met[0]:
            return self.champion, self.champion_totals
        return self.best, self.met


class ChainArrays:
    """What the loop takes, of all chains; see `chain.run_chains`."""

    def __init__(
        self,
        tables: Sequence[ContextTable],
        chains: int,
        levels: int,
        limits: int,
        neighbours: tuple[np.ndarray, ...],
    ):
        """Of so many chains for each of `tables`; the first of `neighbours` has a row a table."""
        first, *edges = neighbours
        self.neighbours = (np.repeat(first, chains, 0), *edges)
        count, groups = len(tables) * chains, len(tables[0].scores)
        self.options = np.empty((count, groups), np.int64)
        self.best = np.empty((count, groups), np.int64)
        self.now, self.met = np.full((2, count, 1 + limits), math.nan)
        self.counts = np.zeros((count, 2), np.int64)
        self.random = np.empty(count, np.uint64)
        self.temperatures = np.empty((count, levels))
        self.penalties = np.empty((count, limits))
        self.champions = np.empty((count, groups), np.int64)
        self.champion_totals = np.full((count, 1 + limits), math.nan)
        self.champion_totals[:, 0] = -math.inf
        lengths = np.array([[len(part) for part in table.scores] for table in tables])
        starts = (np.cumsum(lengths) - lengths.ravel()).reshape(lengths.shape)
        self.scores = np.concatenate([part for table in tables for part in table.scores])
        # Where there is no limit, one that costs nothing.
        self.costs = (
            np.concatenate([part.T for table in tables for part in table.limit_costs], axis=1)
            if tables[0].cost_constants
            else np.zeros((1, len(self.scores)))
        )
        self.starts, self.sizes = np.repeat(starts, chains, 0), np.repeat(lengths, chains, 0)
        constants = [table.cost_constants or (0.0,) for table in tables]
        self.cost_constants = np.repeat(np.array(constants), chains, 0)
        self.score_constants = np.repeat([table.score_constant for table in tables], chains)

    @property
    def all(self) -> tuple[np.ndarray, ...]:
        """As `chain.run_chains` takes them."""
        return (
            self.options, self.best, self.now, self.met, self.counts, self.random,
            self.temperatures, self.scores, self.costs, self.starts, self.score_constants,
            self.cost_constants, self.sizes, self.penalties, *self.neighbours,
        )  # fmt: skip
