"""The tables of a search problem, one for each choice of the context."""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import overload

import numpy as np

from foxnas_core.search.context_table import ContextTable
from foxnas_core.search.merging import Merged, best_under_one_limit, merge_efficient


class Tables(Sequence[ContextTable], ABC):
    """Tables, and what is found in all of them under a first limit."""

    most_walked: float
    """In how many of the tables that can keep the limits chains of an annealing run go."""

    @property
    @abstractmethod
    def smallest_cost(self) -> float:
        """The least first cost of all, whatever the other limits."""

    @abstractmethod
    def best(self, budget: float) -> tuple[int, np.ndarray]:
        """Position and options (groups,) of the optimum, which must exist: among equal values that
        of least cost, then of the first table and of the first options."""

    @abstractmethod
    def front(self) -> dict[int, Merged]:
        """What of each table may be of the front of all, by its position."""

    @abstractmethod
    def promising(self, budget: float) -> Iterator[int]:
        """The positions of tables in which to look for what keeps a budget, the best ones first
        where that is known."""


class Contexts(Tables):
    """Few tables, which are all looked into."""

    most_walked = math.inf

    def __init__(self, tables: Iterable[ContextTable]) -> None:
        self._tables = tuple(tables)

    def __len__(self) -> int:
        return len(self._tables)

    @overload
    def __getitem__(self, at: int) -> ContextTable: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[ContextTable]: ...
    def __getitem__(self, at: int | slice) -> ContextTable | Sequence[ContextTable]:
        return self._tables[at]

    @property
    def smallest_cost(self) -> float:
        return min(table.smallest_cost for table in self)

    def best(self, budget: float) -> tuple[int, np.ndarray]:
        return best_under_one_limit(self, budget)

    def front(self) -> dict[int, Merged]:
        return {at: merge_efficient(table, math.inf) for at, table in enumerate(self)}

    def promising(self, budget: float) -> Iterator[int]:
        return iter(range(len(self)))
