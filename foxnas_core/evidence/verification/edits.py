"""Which pairs of subnets to test: random edits of random subnets, which nobody picked."""

import numpy as np

from foxnas_core.errors import InvalidInput
from foxnas_core.space.architecture import Architecture, Value
from foxnas_core.space.search_space import SearchSpace


def random_edits(
    space: SearchSpace, count: int, *, seed: int
) -> list[tuple[Architecture, Architecture]]:
    """`count` pairs of a random subnet and the same with one edit; the first of more are those of
    fewer.

    The subnet is drawn uniform over the choices of each decision; what is edited is drawn among
    its decisions, then the edit among those of it (see `SearchSpace.neighbours`). Raises
    `InvalidInput` where the space leaves no choice.
    """
    return [random_edit(space, np.random.default_rng([seed, number])) for number in range(count)]


def random_edit(space: SearchSpace, rng: np.random.Generator) -> tuple[Architecture, Architecture]:
    """One such pair."""
    before = space.draw(rng, "decisions")
    edits: dict[str, list[Architecture]] = {}
    for after in space.neighbours(before):
        # An edit of what opens blocks changes more decisions, of which it is the first.
        first = next(d.name for d in space.decisions if before.get(d.name) != after.get(d.name))
        edits.setdefault(first, []).append(after)
    if not edits:
        raise InvalidInput(
            f"Space {space.name!r} has one architecture only, so there is no edit to test."
        )
    own = edits[list(edits)[int(rng.integers(len(edits)))]]
    return before, own[int(rng.integers(len(own)))]


def editable(space: SearchSpace, architecture: Architecture) -> dict[str, list[Value]]:
    """The other choices of each active decision that has some."""
    return {
        d.name: others
        for d in space.decisions
        if d.name in architecture
        and (others := [c for c in d.choices if c != architecture[d.name]])
    }
