"""The options of a group as arrays: their codes and which are one edit apart.

Built with array operations once for each structure, since a stage of the published space has
22,608 options; equal stages share one copy.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np

from foxnas_core.errors import InvalidInput
from foxnas_core.search_space import SearchSpace

LARGEST_GROUP = 2_000_000

# A group without its names: for each decision its number of choices, and for each of its
# conditions the position of the governing decision and the codes that satisfy it.
_Structure = tuple[tuple[int, tuple[tuple[int, tuple[int, ...]], ...]], ...]


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Options one edit away, as compressed rows: those of option `i` are
    `targets[starts[i]:starts[i + 1]]`, in increasing order. Symmetric.
    """

    starts: np.ndarray
    targets: np.ndarray

    def of(self, option: int) -> np.ndarray:
        return self.targets[self.starts[option] : self.starts[option + 1]]


def group_codes(space: SearchSpace, group: str) -> np.ndarray:
    """Codes (options, decisions of the group) in the order of `SearchSpace.group_options`.

    Raises `InvalidInput` where the group is too large to be listed.
    """
    size = space.group_size(group)
    if size > LARGEST_GROUP:
        raise InvalidInput(
            f"Group {group!r} of space {space.name!r} has {size} options, more than the "
            f"{LARGEST_GROUP} a search can list; split its decisions over more groups."
        )
    return _codes(_structure(space, group))


def group_neighbours(space: SearchSpace, group: str) -> Neighbours:
    """The relation of `SearchSpace.group_neighbours` over the options of `group_codes`."""
    group_codes(space, group)
    return _neighbours(_structure(space, group))


def full_codes(space: SearchSpace, group: str) -> np.ndarray:
    """Codes (options, all decisions of the space) with every other group's decisions at -1."""
    own = group_codes(space, group)
    codes = np.full((len(own), len(space.decisions)), -1, dtype=np.int16)
    codes[:, group_columns(space, group)] = own
    return codes


def group_columns(space: SearchSpace, group: str) -> list[int]:
    """The columns of a group's decisions in the codes of `SearchSpace.encode`."""
    return [column for column, d in enumerate(space.decisions) if d.group == group]


def _structure(space: SearchSpace, group: str) -> _Structure:
    decisions = space.in_group(group)
    position = {decision.name: i for i, decision in enumerate(decisions)}
    return tuple(
        (
            len(decision.choices),
            tuple(
                (
                    position[c.decision],
                    tuple(
                        code
                        for code, choice in enumerate(space.by_name[c.decision].choices)
                        if choice in c.values
                    ),
                )
                for c in decision.conditions
            ),
        )
        for decision in decisions
    )


@lru_cache(maxsize=64)
def _codes(structure: _Structure) -> np.ndarray:
    codes = np.zeros((1, 0), dtype=np.int16)
    for choices, conditions in structure:
        active = np.ones(len(codes), dtype=bool)
        for parent, allowed in conditions:
            active &= np.isin(codes[:, parent], allowed)
        repeats = np.where(active, choices, 1)
        starts = np.cumsum(repeats) - repeats
        column = np.arange(repeats.sum()) - np.repeat(starts, repeats)
        column[np.repeat(~active, repeats)] = -1
        codes = np.column_stack([np.repeat(codes, repeats, axis=0), column.astype(np.int16)])
    codes.flags.writeable = False
    return codes


@lru_cache(maxsize=64)
def _neighbours(structure: _Structure) -> Neighbours:
    codes = _codes(structure)
    governing = {parent for _, conditions in structure for parent, _ in conditions}
    patterns, pattern_of = np.unique(codes >= 0, axis=0, return_inverse=True)
    rows_of = [np.flatnonzero(pattern_of == p) for p in range(len(patterns))]
    sources, targets = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for p, q in product(range(len(patterns)), repeat=2):
        shared = patterns[p] & patterns[q]
        for decision in np.flatnonzero(shared):
            others = [d for d in np.flatnonzero(shared).tolist() if d != decision]
            here, there = _equal_rows(codes[:, others], rows_of[p], rows_of[q], structure, others)
            step = np.abs(codes[there, decision] - codes[here, decision])
            kept = (step == 1) if decision in governing else (step > 0)
            sources.append(here[kept])
            targets.append(there[kept])
    source, target = np.concatenate(sources), np.concatenate(targets)
    order = np.lexsort((target, source))
    starts = np.searchsorted(source[order], np.arange(len(codes) + 1))
    return Neighbours(starts.astype(np.int64), target[order].astype(np.int64))


def _equal_rows(
    codes: np.ndarray,
    left: np.ndarray,
    right: np.ndarray,
    structure: _Structure,
    columns: list[int],
) -> tuple[np.ndarray, np.ndarray]:
    """All pairs of a row of `left` and a row of `right` whose codes are equal."""
    key = np.zeros(len(codes), dtype=np.int64)
    for column, decision in enumerate(columns):
        key = key * (structure[decision][0] + 1) + codes[:, column] + 1
    order = right[np.argsort(key[right], kind="stable")]
    first = np.searchsorted(key[order], key[left], side="left")
    counts = np.searchsorted(key[order], key[left], side="right") - first
    offsets = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.repeat(left, counts), order[np.repeat(first, counts) + offsets]
