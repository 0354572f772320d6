"""Terms of a regression, and the parts that compute several of them together."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np

FREE = ("free",)


@dataclass(frozen=True)
class Term:
    """One column of a form and one row of its coefficient table.

    `group` is the one additive group it reads, "" for the intercept and the context; `slot` and
    `decision` are "" where it stands for more than one. Terms with an equal, non-empty
    `contrast` code one set of choices and sum to zero over it. `scaled` says that the column is
    multiplied by (resolution / largest resolution)². `alike` are the kinds that it is of, from the
    most common on, which terms of other blocks are of too, or `FREE` where what it is worth is not
    shrunk beside terms that are.
    """

    name: str
    group: str
    slot: str
    decision: str
    label: str
    contrast: str = ""
    scaled: bool = False
    alike: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Part(ABC):
    """Several terms that are computed together."""

    terms: tuple[Term, ...]

    @property
    @abstractmethod
    def positions(self) -> set[int]:
        """The positions, in the space, of the decisions that it reads."""

    @abstractmethod
    def columns(self, codes: np.ndarray) -> np.ndarray:
        """Its columns (rows, terms) for codes (rows, decisions) of `SearchSpace.encode`."""

    def values(self, codes: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """The columns times `weights` (terms,), summed: (rows,). Where the decisions that it reads
        are alike, or are so but for their order, sums are equal to the last digit."""
        return _summed(self.columns(codes), weights)

    @abstractmethod
    def portable(self) -> dict[str, Any]:
        """The part as JSON values, from which a program without this package computes the same
        columns; `kind` names its class, the rest is as in that class."""


@dataclass(frozen=True, eq=False)
class Lookup(Part):
    """Sums, over `reads`, the row of `table` that the codes at those positions pick.

    Row of codes c₁, c₂, … with sizes m₁, m₂, …: ((c₁ + 1)(m₂ + 1) + c₂ + 1)…; row 0 is "all
    inactive".
    """

    reads: tuple[tuple[int, ...], ...]
    sizes: tuple[int, ...]
    table: np.ndarray

    @property
    def positions(self) -> set[int]:
        return {position for read in self.reads for position in read}

    def columns(self, codes: np.ndarray) -> np.ndarray:
        total = np.zeros((len(codes), len(self.terms)))
        for read in self.reads:
            total += self.table[self._rows(codes, read)]
        return total

    def values(self, codes: np.ndarray, weights: np.ndarray) -> np.ndarray:
        if len(self.reads) != 1:  # counts are exact in whatever order, their sums are not
            return super().values(codes, weights)
        return _summed(self.table, weights)[self._rows(codes, self.reads[0])]

    def _rows(self, codes: np.ndarray, read: tuple[int, ...]) -> np.ndarray:
        row = np.zeros(len(codes), dtype=np.intp)
        for position, size in zip(read, self.sizes, strict=True):
            row = row * (size + 1) + codes[:, position] + 1
        return row

    def portable(self) -> dict[str, Any]:
        return {
            "kind": "lookup",
            "reads": [list(read) for read in self.reads],
            "sizes": list(self.sizes),
            "table": plain_numbers(self.table),
        }


@dataclass(frozen=True, eq=False)
class Product(Part):
    """Products of the columns of two parts, of which the columns `kept` of the flattened outer
    product are told apart from all others. `left_center` and `right_center` are taken off first,
    so that the parts' own terms keep their meaning: effects on the average."""

    left: Part
    right: Part
    kept: tuple[int, ...]
    left_center: np.ndarray
    right_center: np.ndarray

    @property
    def positions(self) -> set[int]:
        return self.left.positions | self.right.positions

    def columns(self, codes: np.ndarray) -> np.ndarray:
        left = self.left.columns(codes) - self.left_center
        right = self.right.columns(codes) - self.right_center
        outer = left[:, :, np.newaxis] * right[:, np.newaxis, :]
        flat = outer.reshape(len(codes), left.shape[1] * right.shape[1])
        return flat[:, list(self.kept)]

    def values(self, codes: np.ndarray, weights: np.ndarray) -> np.ndarray:
        if len(self.left_center) > 1:
            return super().values(codes, weights)
        spread = np.zeros(len(self.right_center))
        spread[list(self.kept)] = weights
        left = self.left.columns(codes)[:, 0] - self.left_center[0]
        return left * (self.right.values(codes, spread) - self.right_center @ spread)

    def portable(self) -> dict[str, Any]:
        return {
            "kind": "product",
            "left": self.left.portable(),
            "right": self.right.portable(),
            "kept": list(self.kept),
            "left_center": plain_numbers(self.left_center),
            "right_center": plain_numbers(self.right_center),
        }


def _summed(columns: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return (columns * weights).sum(axis=1)


def plain_numbers(values: np.ndarray) -> list[Any]:
    """Lists in which whole numbers are written without a fraction, since most are 0 or 1."""
    if values.ndim > 1:
        return [plain_numbers(row) for row in values]
    return [int(value) if value.is_integer() else value for value in values.tolist()]


def name_of(part: Part) -> str:
    """What the terms of a part have in common."""
    return part.terms[0].contrast or part.terms[0].name


def constant(name: str, label: str, decision: str = "") -> Lookup:
    return Lookup((Term(name, "", "", decision, label),), ((),), (), np.ones((1, 1)))


AnyPart = TypeVar("AnyPart", bound=Part)


def scaled(part: AnyPart) -> AnyPart:
    return replace(part, terms=tuple(replace(term, scaled=True) for term in part.terms))


def sum_to_zero(rows: int, states: Sequence[int]) -> np.ndarray:
    """A table that is -1 for the first of `states`, one-hot for the others and else 0."""
    table = np.zeros((rows, len(states) - 1))
    table[states[0]] = -1.0
    table[list(states[1:]), range(len(states) - 1)] = 1.0
    return table


def independent_columns(columns: np.ndarray, tolerance: float = 1e-8) -> np.ndarray:
    """Which columns (k,) are no linear combination of those before them.

    Gram-Schmidt, each column orthogonalised twice ("twice is enough", Giraud et al. 2005);
    `tolerance` is relative to a column's length.
    """
    bases = np.empty(columns.shape, order="F")
    kept = np.zeros(columns.shape[1], dtype=bool)
    for i, column in enumerate(columns.T):
        basis = bases[:, : kept.sum()]
        rest = column - basis @ (basis.T @ column)
        rest -= basis @ (basis.T @ rest)
        length = np.linalg.norm(rest)
        kept[i] = length > tolerance * np.linalg.norm(column)
        if kept[i]:
            bases[:, basis.shape[1]] = rest / length
    return kept
