"""What differs between two architectures, as data and in words."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from foxnas_core.space.architecture import Architecture, Value
from foxnas_core.space.decisions import Decision
from foxnas_core.space.search_space import SearchSpace


@dataclass(frozen=True)
class Change:
    """A decision whose choice changes; None stands for a decision that is not active."""

    decision: Decision
    before: Value | None
    after: Value | None

    @property
    def unit(self) -> str:
        """What it changes: its block, or, where it has none, the decision itself."""
        return self.decision.slot or self.decision.name


def changes_between(
    space: SearchSpace, before: Architecture, after: Architecture
) -> tuple[Change, ...]:
    """Every decision in which two architectures differ, in the space's order."""
    return tuple(
        Change(decision, before.get(decision.name), after.get(decision.name))
        for decision in space.decisions
        if before.get(decision.name) != after.get(decision.name)
    )


def told_units(space: SearchSpace, changes: Sequence[Change]) -> dict[str, list[Change]]:
    """The changes by block or decision, without decisions that only open or close blocks (depth)
    where the blocks that they open are named anyway."""
    moved = {
        condition.decision
        for change in changes
        if (change.before is None) != (change.after is None)
        for condition in change.decision.conditions
    }
    units: dict[str, list[Change]] = {}
    for change in changes:
        if change.decision.name not in moved:
            units.setdefault(change.unit, []).append(change)
    return units


def in_words(space: SearchSpace, changes: Sequence[Change]) -> str:
    """ "s4b3 kernel 3 → 5; s2b3 added (kernel 5, expand 4); resolution 20 → 24"; blocks that one
    change of depth opens or closes are told together: "s2b2 and s2b3 removed"."""
    units = told_units(space, changes)
    told = [
        _told([(unit, units[unit]) for unit in own])
        for _, own in itertools.groupby(units, lambda unit: _turned_by(units[unit]) or unit)
    ]
    return "; ".join(told) or "nothing"


def _turned_by(changes: Sequence[Change]) -> tuple[str, ...]:
    """What opens or closes a whole block, and which of both; nothing for other changes."""
    sides = {(change.before is None, change.after is None) for change in changes}
    if len(sides) > 1 or sides == {(False, False)}:
        return ()
    openers = (condition.decision for condition in changes[0].decision.conditions)
    return ("added" if (True, False) in sides else "removed", *openers)


def _told(units: Sequence[tuple[str, Sequence[Change]]]) -> str:
    (unit, changes), *others = units
    how = _turned_by(changes)
    if not changes[0].decision.slot:
        return "; ".join(
            f"{name.replace('_', ' ')} {_shown(own.before)} → {_shown(own.after)}"
            for name, [own] in units
        )
    if how and how[0] == "added":
        with_ = f" with {', '.join(f'{u} ({_chosen(own)})' for u, own in others)}"
        return f"{unit} added ({_chosen(changes)}){with_ if others else ''}"
    if how:
        *first, last = [name for name, _ in units]
        return f"{', '.join(first)}{' and ' if first else ''}{last} removed"
    return f"{unit} " + ", ".join(
        f"{c.decision.role} {_shown(c.before)} → {_shown(c.after)}" for c in changes
    )


def _chosen(changes: Sequence[Change]) -> str:
    return ", ".join(f"{change.decision.role} {change.after}" for change in changes)


def _shown(value: Value | None) -> str:
    return "off" if value is None else str(value)
