"""All lookups of a regression as one table: of few rows, each call of a part takes longer than what
it computes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from foxnas_core.space.coding.terms import Lookup, Part

FEW = 32
"""So many rows are computed from one table: enough for an edit's."""


@dataclass(frozen=True, eq=False)
class OneTable:
    """The columns of parts, of which an architecture's row is the sum of `table`'s rows (rows,
    terms) that codes @ `weights` (decisions, reads) + `first` (reads,) pick; and the `others`, no
    lookups, each with its columns."""

    table: np.ndarray
    weights: np.ndarray
    first: np.ndarray
    others: tuple[tuple[Part, slice], ...]

    @classmethod
    def of(cls, parts: Sequence[Part], decisions: int) -> "OneTable":
        """That of the parts of a space of so many decisions."""
        terms = sum(len(part.terms) for part in parts)
        blocks, weights, first, others = [np.empty((0, terms))], [], [], []
        column = height = 0
        for part in parts:
            columns = slice(column, column + len(part.terms))
            column = columns.stop
            if not isinstance(part, Lookup):
                others.append((part, columns))
                continue
            block = np.zeros((len(part.table), terms))
            block[:, columns] = part.table
            blocks.append(block)
            for read in part.reads:
                weight = np.zeros(decisions, dtype=np.intp)
                step = 1
                for position, size in zip(reversed(read), reversed(part.sizes), strict=True):
                    weight[position] += step
                    step *= size + 1
                weights.append(weight)
                # Codes begin at -1.
                first.append(height + int(weight.sum()))
            height += len(part.table)
        by_decision = np.reshape(weights, (len(weights), decisions)).T.astype(np.intp)
        return cls(np.vstack(blocks), by_decision, np.array(first, np.intp), tuple(others))

    def rows(self, codes: np.ndarray) -> np.ndarray:
        """The rows (architectures, terms) of codes (architectures, decisions), nothing scaled."""
        rows = self.table[codes @ self.weights + self.first].sum(axis=1)
        for part, columns in self.others:
            rows[:, columns] = part.columns(codes)
        return rows
