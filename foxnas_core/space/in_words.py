"""An architecture in words."""

from foxnas_core.space.architecture import Architecture
from foxnas_core.space.decisions import Decision
from foxnas_core.space.search_space import SearchSpace


def decision_called(decision: Decision) -> str:
    """A decision to be read: what is decided, and of what."""
    of = decision.slot or decision.group
    return decision.role if of in (decision.role, "input") else f"{decision.role} of {of}"


def choice_lines(space: SearchSpace, architecture: Architecture) -> list[str]:
    """An architecture to be read in a few lines: one a group, each role's choices slot by slot."""
    lines = []
    for group in space.groups:
        roles: dict[str, list[str]] = {}
        for decision in space.in_group(group):
            if decision.name in architecture:
                roles.setdefault(decision.role, []).append(str(architecture[decision.name]))
        said = ", ".join(f"{role} {' '.join(values)}" for role, values in roles.items())
        lines.append(said if group in space.context else f"{group}: {said}")
    return lines
