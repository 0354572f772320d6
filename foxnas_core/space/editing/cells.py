"""What an editor lets one point at: a block slot, or what is decided for a whole group."""

from collections.abc import Iterable
from dataclasses import dataclass

from foxnas_core.space.architecture import Architecture
from foxnas_core.space.decisions import Decision
from foxnas_core.space.search_space import SearchSpace


@dataclass(frozen=True)
class Cell:
    """The decisions of one slot, or with slot "" those of its group that have none.

    `name` is that of the slot or group, and no other cell's.
    """

    name: str
    group: str
    slot: str
    decisions: tuple[Decision, ...]

    def is_on(self, architecture: Architecture) -> bool:
        """Whether any of its decisions is active."""
        return any(decision.name in architecture for decision in self.decisions)


def cells_of(space: SearchSpace) -> tuple[Cell, ...]:
    """Every cell, group by group, what concerns the whole group first."""
    found = []
    for group in space.groups:
        members: dict[str, list[Decision]] = {}
        for decision in space.in_group(group):
            members.setdefault(decision.slot, []).append(decision)
        for slot in sorted(members, key=bool):
            name = slot or (f"{group} as a whole" if group in space.slots else group)
            found.append(Cell(name, group, slot, tuple(members[slot])))
    return tuple(found)


def roles_of(cells: Iterable[Cell]) -> dict[str, tuple[Decision, ...]]:
    """The decisions of some cells by role, in the cells' order."""
    found: dict[str, tuple[Decision, ...]] = {}
    for cell in cells:
        for decision in cell.decisions:
            found[decision.role] = (*found.get(decision.role, ()), decision)
    return found
