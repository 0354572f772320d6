"""What differs between two architectures, as data and in words."""

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
    """ "s4b3 kernel 3 → 5; s2b3 added (kernel 5, expand 4); resolution 20 → 24"."""
    return (
        "; ".join(_told(unit, own) for unit, own in told_units(space, changes).items()) or "nothing"
    )


def _told(unit: str, changes: Sequence[Change]) -> str:
    if not changes[0].decision.slot:
        [change] = changes
        return f"{unit.replace('_', ' ')} {_shown(change.before)} → {_shown(change.after)}"
    if all(change.before is None for change in changes):
        return f"{unit} added ({', '.join(f'{c.decision.role} {c.after}' for c in changes)})"
    if all(change.after is None for change in changes):
        return f"{unit} removed"
    return f"{unit} " + ", ".join(
        f"{c.decision.role} {_shown(c.before)} → {_shown(c.after)}" for c in changes
    )


def _shown(value: Value | None) -> str:
    return "off" if value is None else str(value)
