"""Terms of a regression, and the parts that compute several of them together."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Term:
    """One column of a form and one row of its coefficient table.

    `group` is the one additive group it reads, "" for the intercept and the context; `slot` and
    `decision` are "" where it stands for more than one. Terms with an equal, non-empty
    `contrast` code one set of choices and sum to zero over it. `scaled` says that the column is
    multiplied by (resolution / largest resolution)².
    """

    name: str
    group: str
    slot: str
    decision: str
    label: str
    contrast: str = ""
    scaled: bool = False


@dataclass(frozen=True, eq=False)
class Lookup:
    """Sums, over `reads`, the row of `table` that the codes at those positions pick.

    Row of codes c₁, c₂, … with sizes m₁, m₂, …: ((c₁ + 1)(m₂ + 1) + c₂ + 1)…; row 0 is "all
    inactive".
    """

    terms: tuple[Term, ...]
    reads: tuple[tuple[int, ...], ...]
    sizes: tuple[int, ...]
    table: np.ndarray

    @property
    def positions(self) -> set[int]:
        return {position for read in self.reads for position in read}

    def columns(self, codes: np.ndarray) -> np.ndarray:
        total = np.zeros((len(codes), len(self.terms)))
        for read in self.reads:
            row = np.zeros(len(codes), dtype=np.intp)
            for position, size in zip(read, self.sizes, strict=True):
                row = row * (size + 1) + codes[:, position] + 1
            total += self.table[row]
        return total


@dataclass(frozen=True, eq=False)
class Aggregates:
    """The aggregates of one stage in FOX-NAS's published formulae (arXiv 2108.08189)."""

    terms: tuple[Term, ...]
    names: tuple[str, ...]
    slots: tuple[tuple[int, int], ...]  # positions of each slot's kernel and expand
    kernels: np.ndarray  # (slots, choices + 1), 0 in the last column, which -1 picks
    expands: np.ndarray

    @property
    def positions(self) -> set[int]:
        return {position for pair in self.slots for position in pair}

    def columns(self, codes: np.ndarray) -> np.ndarray:
        on = np.stack([codes[:, k] >= 0 for k, _ in self.slots], axis=1)
        kernel = np.stack(
            [self.kernels[i, codes[:, k]] for i, (k, _) in enumerate(self.slots)], axis=1
        )
        expand = np.stack(
            [self.expands[i, codes[:, e]] for i, (_, e) in enumerate(self.slots)], axis=1
        )
        depth = on.sum(axis=1).astype(float)
        rest = np.maximum(on[:, 1:].sum(axis=1), 1)
        total_expand = expand[:, 1:].sum(axis=1)
        mean_expand = total_expand / rest
        mean_kernel = kernel[:, 1:].sum(axis=1) / rest
        values = {
            "depth": depth,
            "mean_expand": mean_expand,
            "mean_kernel": mean_kernel,
            "transition_expand": expand[:, 0],
            "transition_kernel": kernel[:, 0],
            "total_expand": total_expand,
            "depth*mean_expand": depth * mean_expand,
            "depth*mean_kernel": depth * mean_kernel,
            "depth*total_expand": depth * total_expand,
        }
        return np.stack([values[name] for name in self.names], axis=1)


@dataclass(frozen=True, eq=False)
class Product:
    """Products of the columns of two parts, of which the columns `kept` of the flattened outer
    product are told apart from all others. `left_center` and `right_center` are taken off first,
    so that the parts' own terms keep their meaning: effects on the average."""

    terms: tuple[Term, ...]
    left: "Part"
    right: "Part"
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


Part = Lookup | Aggregates | Product


def name_of(part: Part) -> str:
    """What the terms of a part have in common."""
    return part.terms[0].contrast or part.terms[0].name


def constant(name: str, label: str, decision: str = "") -> Lookup:
    return Lookup((Term(name, "", "", decision, label),), ((),), (), np.ones((1, 1)))


def scaled(part: Part) -> Part:
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
    basis = np.empty((len(columns), 0))
    kept = np.zeros(columns.shape[1], dtype=bool)
    for i, column in enumerate(columns.T):
        rest = column - basis @ (basis.T @ column)
        rest -= basis @ (basis.T @ rest)
        length = np.linalg.norm(rest)
        kept[i] = length > tolerance * np.linalg.norm(column)
        if kept[i]:
            basis = np.column_stack([basis, rest / length])
    return kept
