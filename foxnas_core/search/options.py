"""The options of a group as arrays: their codes and which are one edit apart.

Built with array operations once for each structure, since a stage of the published space has
22,608 options; equal stages share one copy.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np

from foxnas_core.errors import InvalidInput
from foxnas_core.space.architecture import Value
from foxnas_core.space.decisions import NOTHING_PINNED
from foxnas_core.space.search_space import SearchSpace

LARGEST_GROUP = 2_000_000
# Options of a group whose edits are listed, which takes a hundred times the options' memory.
MOST_NEIGHBOURED = 200_000


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Options one edit away, as compressed rows: those of option `i` are
    `targets[starts[i]:starts[i + 1]]`, in increasing order. Symmetric.
    """

    starts: np.ndarray
    targets: np.ndarray

    def of(self, option: int) -> np.ndarray:
        return self.targets[self.starts[option] : self.starts[option + 1]]

    def among(self, kept: np.ndarray) -> "Neighbours":
        """The relation of the options `kept` (n,) alone, which are numbered in this order."""
        number = np.full(len(self.starts) - 1, -1, np.int64)
        number[kept] = np.arange(len(kept))
        source, target = np.repeat(number, np.diff(self.starts)), number[self.targets]
        own = (source >= 0) & (target >= 0)
        source, target = source[own], target[own]
        order = np.lexsort((target, source))
        return Neighbours(np.searchsorted(source[order], np.arange(len(kept) + 1)), target[order])


def group_codes(
    space: SearchSpace, group: str, allowed: Mapping[str, tuple[Value, ...]] = NOTHING_PINNED
) -> np.ndarray:
    """Codes (options, decisions of the group) in the order of `SearchSpace.group_options`; only of
    what is `allowed` where not all can be listed.

    Raises `InvalidInput` where the group is too large to be listed.
    """
    if _size(space, group) <= LARGEST_GROUP:
        return _all_codes(space, group)
    size = space.group_size(group, allowed)
    if size > LARGEST_GROUP:
        raise InvalidInput(
            f"Group {group!r} of space {space.name!r} has {size} options, more than the "
            f"{LARGEST_GROUP} a search can list; split its decisions over more groups."
        )
    return space.option_codes(space.in_group(group), allowed)[:, group_columns(space, group)]


@lru_cache(maxsize=256)
def _size(space: SearchSpace, group: str) -> int:
    return space.group_size(group)


@lru_cache(maxsize=256)
def _all_codes(space: SearchSpace, group: str) -> np.ndarray:
    codes = space.option_codes(space.in_group(group))[:, group_columns(space, group)]
    codes.flags.writeable = False
    return codes


def full_codes(
    space: SearchSpace, group: str, allowed: Mapping[str, tuple[Value, ...]] = NOTHING_PINNED
) -> np.ndarray:
    """The same with the columns of all decisions, -1 in those of other groups."""
    listed = group_codes(space, group, allowed)
    codes = np.full((len(listed), len(space.decisions)), -1, dtype=np.int16)
    codes[:, group_columns(space, group)] = listed
    return codes


def group_columns(space: SearchSpace, group: str) -> list[int]:
    """The columns of a group's decisions in the codes of `SearchSpace.encode`."""
    return [column for column, d in enumerate(space.decisions) if d.group == group]


def allowed_options(
    space: SearchSpace, group: str, allowed: Mapping[str, tuple[Value, ...]]
) -> np.ndarray:
    """Positions in `group_codes` of the options whose active decisions keep to `allowed`, which
    holds the choices of some decisions by name. At least one, since each decision has a choice."""
    return np.flatnonzero(allowed_rows(space, group, group_codes(space, group, allowed), allowed))


def allowed_rows(
    space: SearchSpace, group: str, codes: np.ndarray, allowed: Mapping[str, tuple[Value, ...]]
) -> np.ndarray:
    """Which rows (rows,) of `codes` (rows, decisions of the group) keep to `allowed`."""
    kept = np.ones(len(codes), dtype=bool)
    for column, decision in enumerate(space.in_group(group)):
        if decision.name in allowed:
            choices = [decision.choices.index(choice) for choice in allowed[decision.name]]
            kept &= np.isin(codes[:, column], [-1, *choices])
    return kept


def put_choices(codes: np.ndarray, space: SearchSpace, choices: Mapping[str, Value]) -> None:
    """Have codes (..., decisions) of architectures make these choices, by decision."""
    for name, value in choices.items():
        decision = space.by_name[name]
        codes[..., space.decisions.index(decision)] = decision.choices.index(value)


def group_neighbours(
    space: SearchSpace, group: str, allowed: Mapping[str, tuple[Value, ...]] | None = None
) -> Neighbours:
    """The relation of `SearchSpace.group_neighbours` over the options of `group_codes`, or, where
    choices are restricted, over those of `allowed_options`.

    A decision then steps through its allowed choices as if it had no others, so whatever is left
    out, from each option every other can be reached.
    """
    decisions = space.in_group(group)
    codes = group_codes(space, group, allowed or NOTHING_PINNED)
    if len(codes) > MOST_NEIGHBOURED:
        raise InvalidInput(
            f"Group {group!r} of space {space.name!r} has {len(codes):,} options, too many for a "
            "chain to step from one to its neighbours; search in the full mode."
        )
    if allowed:
        codes = codes[allowed_options(space, group, allowed)]
        for column, decision in enumerate(decisions):
            if decision.name in allowed:
                rank = np.full(len(decision.choices) + 1, -1, dtype=codes.dtype)
                for place, choice in enumerate(allowed[decision.name]):
                    rank[decision.choices.index(choice)] = place
                codes[:, column] = rank[codes[:, column]]  # -1, the last of them, stays -1
    governing = {c.decision for d in decisions for c in d.conditions}
    governs = tuple(d.name in governing for d in decisions)
    return _neighbours(codes.tobytes(), governs)


@lru_cache(maxsize=64)
def _neighbours(code_bytes: bytes, governs: tuple[bool, ...]) -> Neighbours:
    # Keyed by content, so that equal stages share one copy.
    codes = np.frombuffer(code_bytes, dtype=np.int16).reshape(-1, len(governs))
    patterns, pattern_of = np.unique(codes >= 0, axis=0, return_inverse=True)
    rows_of = [np.flatnonzero(pattern_of == p) for p in range(len(patterns))]
    sources, targets = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for p, q in product(range(len(patterns)), repeat=2):
        shared = np.flatnonzero(patterns[p] & patterns[q]).tolist()
        for decision in shared:
            others = [d for d in shared if d != decision]
            here, there = _equal_rows(codes[:, others], rows_of[p], rows_of[q])
            step = np.abs(codes[there, decision] - codes[here, decision])
            kept = (step == 1) if governs[decision] else (step > 0)
            sources.append(here[kept])
            targets.append(there[kept])
    source, target = np.concatenate(sources), np.concatenate(targets)
    order = np.lexsort((target, source))
    starts = np.searchsorted(source[order], np.arange(len(codes) + 1))
    return Neighbours(starts.astype(np.int64), target[order].astype(np.int64))


def _equal_rows(
    codes: np.ndarray, left: np.ndarray, right: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """All pairs of a row of `left` and a row of `right` whose codes are equal."""
    key = np.zeros(len(codes), dtype=np.int64)
    for column in codes.T.astype(np.int64):
        key = key * (column.max() + 2) + column + 1
    order = right[np.argsort(key[right], kind="stable")]
    first = np.searchsorted(key[order], key[left], side="left")
    counts = np.searchsorted(key[order], key[left], side="right") - first
    offsets = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.repeat(left, counts), order[np.repeat(first, counts) + offsets]
