"""What the forms are made of: presence of blocks, contrasts of choices, states of slots."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from foxnas_core.space.coding.terms import (
    Lookup,
    Part,
    Term,
    independent_columns,
    sum_to_zero,
)
from foxnas_core.space.decisions import Decision
from foxnas_core.space.search_space import SearchSpace


def contrasts(space: SearchSpace, group: str, decision: Decision) -> Lookup:
    """Sum-to-zero contrasts of one decision, 0 while it is inactive."""
    first, *others = decision.choices
    own = decision.name.replace("_", " ")
    where = f"{decision.slot}: {decision.role}" if decision.slot else own
    terms = tuple(
        Term(
            f"{decision.name}={choice}",
            group,
            decision.slot,
            decision.name,
            f"{where} {choice} instead of {first}",
            contrast=decision.name,
        )
        for choice in others
    )
    size = len(decision.choices)
    table = sum_to_zero(size + 1, range(1, size + 1))
    return Lookup(terms, ((space.decisions.index(decision),),), (size,), table)


def presence(space: SearchSpace, group: str) -> list[Lookup]:
    """What the decisions that open and close slots decide: one `on` a slot that can be off.

    Slots that are always on or off together share the first one's term. What such a decision
    sets beyond its slots' activity gets indicators of its own.
    """
    parts = [
        count_of(
            space,
            group,
            [slot],
            Term(f"{slot}_on", group, slot, "", f"{slot}: present", alike=("on",)),
        )
        for slot in optional_slots(space, group)
    ]
    governing = {c.decision for d in space.in_group(group) for c in d.conditions}
    for decision in space.in_group(group):
        if not decision.slot and decision.name in governing:
            others = range(1, len(decision.choices))
            parts += [_indicator(space, group, decision, code) for code in others]
    return independent_parts(space, parts)


def count_of(space: SearchSpace, group: str, slots: Sequence[str], term: Term) -> Lookup:
    """How many of `slots` are active."""
    firsts = [space.in_slot(slot)[0] for slot in slots]
    size = max(len(decision.choices) for decision in firsts)
    table = np.ones((size + 1, 1))
    table[0] = 0.0
    reads = tuple((space.decisions.index(decision),) for decision in firsts)
    return Lookup((term,), reads, (size,), table)


def _indicator(space: SearchSpace, group: str, decision: Decision, code: int) -> Lookup:
    size = len(decision.choices)
    table = np.zeros((size + 1, 1))
    table[code + 1] = 1.0
    choice = decision.choices[code]
    term = Term(f"{decision.name}={choice}", group, "", decision.name, f"{decision.name} {choice}")
    return Lookup((term,), ((space.decisions.index(decision),),), (size,), table)


def independent_parts(space: SearchSpace, parts: Sequence[Lookup]) -> list[Lookup]:
    """The parts, of one term each, that are no combination of the intercept and earlier ones."""
    codes = sample_codes(space)
    columns = np.hstack([np.ones((len(codes), 1)), *(part.columns(codes) for part in parts)])
    kept = independent_columns(columns)[1:]
    return [part for part, keep in zip(parts, kept, strict=True) if keep]


def fixed_presence(space: SearchSpace, group: str, *, by_slot: bool) -> list[Part]:
    """What a group's optional blocks cost whatever the resolution, by slot or for each block."""
    if by_slot:
        return [
            replace(part, terms=tuple(_fixed(term) for term in part.terms))
            for part in presence(space, group)
        ]
    optional = optional_slots(space, group)
    term = Term(f"{group}_depth_fixed", group, "", "", f"{group}: each further block, fixed part")
    return [*independent_parts(space, [count_of(space, group, optional, term)])] if optional else []


def _fixed(term: Term) -> Term:
    return replace(
        term,
        name=f"{term.name}_fixed",
        label=f"{term.label}, fixed part",
        alike=tuple(f"{kind}, fixed" for kind in term.alike),
    )


def slots_of(space: SearchSpace, group: str) -> list[str]:
    return list(dict.fromkeys(d.slot for d in space.in_group(group) if d.slot))


def optional_slots(space: SearchSpace, group: str) -> list[str]:
    return [slot for slot in slots_of(space, group) if space.in_slot(slot)[0].conditions]


def free_decisions(space: SearchSpace, group: str) -> list[Decision]:
    """The decisions of a group that belong to no slot and open none."""
    governing = {c.decision for d in space.in_group(group) for c in d.conditions}
    return [d for d in space.in_group(group) if not d.slot and d.name not in governing]


@dataclass(frozen=True)
class SlotStates:
    """The combinations of choices that an active slot can have, and how to look them up."""

    positions: tuple[int, ...]
    sizes: tuple[int, ...]
    rows: tuple[int, ...]  # of a look-up table, the first state first
    labels: tuple[str, ...]

    def contrasts(
        self, group: str, slot: str, name: str, reads: tuple[tuple[int, ...], ...]
    ) -> Lookup:
        """Sum-to-zero contrasts of the states, summed over `reads`."""
        table = sum_to_zero(self._height, self.rows)
        terms = tuple(
            Term(
                f"{name}[{label}]",
                group,
                slot,
                "",
                f"{name.replace('_', ' ')}: {label} instead of {self.labels[0]}",
                contrast=name,
            )
            for label in self.labels[1:]
        )
        return Lookup(terms, reads, self.sizes, table)

    def counts(self, group: str, name: str, reads: tuple[tuple[int, ...], ...]) -> Lookup:
        """How many of the slots of `reads` are in each state."""
        table = np.zeros((self._height, len(self.rows)))
        table[list(self.rows), range(len(self.rows))] = 1.0
        terms = tuple(
            Term(f"{name}[{label}]", group, "", "", f"{group}: each further block of {label}")
            for label in self.labels
        )
        return Lookup(terms, reads, self.sizes, table)

    @property
    def _height(self) -> int:
        return math.prod(size + 1 for size in self.sizes)


@lru_cache(maxsize=1024)
def slot_states(space: SearchSpace, slot: str) -> SlotStates:
    members = space.in_slot(slot)
    codes = space.option_codes(members)
    positions = tuple(space.decisions.index(decision) for decision in members)
    sizes = tuple(len(decision.choices) for decision in members)
    found = np.unique(codes[:, positions], axis=0)
    found = found[(found >= 0).any(axis=1)].tolist()
    rows, labels = [], []
    for state in found:
        row = 0
        for code, size in zip(state, sizes, strict=True):
            row = row * (size + 1) + code + 1
        rows.append(row)
        chosen = [(d, code) for d, code in zip(members, state, strict=True) if code >= 0]
        labels.append(",".join(f"{d.role}={d.choices[code]}" for d, code in chosen))
    return SlotStates(positions, sizes, tuple(rows), tuple(labels))


def canonical(space: SearchSpace, codes: np.ndarray) -> np.ndarray:
    """Codes (rows, decisions) of which each says a choice, with those that others turn off -1."""
    found = np.full(codes.shape, -1, dtype=np.int16)
    for column, decision in enumerate(space.decisions):
        found[:, column] = np.where(space.active(found, decision), codes[:, column], -1)
    return found


@lru_cache(maxsize=8)
def sample_codes(space: SearchSpace) -> np.ndarray:
    """Codes (1000, decisions) by which columns are told apart whatever the data."""
    return space.random_codes(1000, seed=0).astype(np.intp)


def presence_names(space: SearchSpace, group: str) -> set[str]:
    """The names of the terms that say how many blocks, or which, a group has."""
    return {f"{slot}_on" for slot in optional_slots(space, group)} | {f"{group}_count"}


def read_groups(space: SearchSpace, part: Part) -> tuple[str, ...]:
    """The groups, context aside, whose decisions a part reads, in the space's order."""
    read = {space.decisions[position].group for position in part.positions}
    return tuple(group for group in space.additive_groups if group in read)


def by_what_they_read(space: SearchSpace, parts: Sequence[Part]) -> list[Part]:
    """The parts, those across groups (of which no sum over groups could tell) under all of the
    groups that they read."""
    named = []
    for part in parts:
        groups = read_groups(space, part)
        if not set(groups) <= {part.terms[0].group}:
            joint = " + ".join(groups)
            part = replace(part, terms=tuple(replace(t, group=joint) for t in part.terms))
        named.append(part)
    return named
