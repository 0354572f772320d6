"""Edits of many choices at once: a new architecture, and a sentence for what can't be set."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from foxnas_core.errors import InvalidInput
from foxnas_core.space.architecture import Architecture, Value
from foxnas_core.space.decisions import Decision, check_choice, is_active
from foxnas_core.space.search_space import SearchSpace


@dataclass(frozen=True)
class Edited:
    """The architecture after an edit, and a sentence for each thing that could not be set."""

    architecture: Architecture
    refused: tuple[str, ...] = ()


def set_choices(
    space: SearchSpace, architecture: Architecture, decisions: Sequence[Decision], value: Value
) -> Edited:
    """Give each of the decisions one choice.

    What the edit opens (blocks of a greater depth) takes its first choices, or `value` where it is
    among `decisions`. Decisions that are off, and those without the choice, stay as they are and
    have a sentence.
    """

    def choose(decision: Decision, old: Value) -> Value:
        try:
            return check_choice(decision, value)
        except InvalidInput as error:
            taken = ", ".join(map(str, decision.choices))
            raise InvalidInput(
                f"{decision.name} stays at {old}: it takes {taken}, not {value}."
            ) from error

    return _changed(space, architecture, decisions, choose)


def step_choices(
    space: SearchSpace, architecture: Architecture, decisions: Sequence[Decision], by: int
) -> Edited:
    """Move each of the decisions `by` places on in its list of choices, from the last to the
    first."""

    def choose(decision: Decision, old: Value) -> Value:
        return decision.choices[(decision.choices.index(old) + by) % len(decision.choices)]

    return _changed(space, architecture, decisions, choose)


def _changed(
    space: SearchSpace,
    architecture: Architecture,
    decisions: Sequence[Decision],
    choose: Callable[[Decision, Value], Value],
) -> Edited:
    names = {decision.name for decision in decisions}
    kept: dict[str, Value] = {}
    off: dict[str, None] = {}
    refused: list[str] = []
    for decision in space.decisions:
        if not is_active(decision, kept):
            if decision.name in names and decision.name not in architecture:
                off[decision.slot or decision.name] = None
            continue
        value = architecture.get(decision.name, decision.choices[0])
        assert value is not None
        kept[decision.name] = value
        if decision.name in names:
            try:
                kept[decision.name] = choose(decision, value)
            except InvalidInput as error:
                refused.append(str(error))
    if off:
        is_are, verb = ("is", "stays") if len(off) == 1 else ("are", "stay")
        refused.append(f"{', '.join(off)} {is_are} off and {verb} so.")
    return Edited(Architecture.from_mapping(kept), tuple(refused))


def turned(space: SearchSpace, architecture: Architecture, slot: str, *, on: bool) -> Architecture:
    """The architecture with a slot opened or closed, by the least change of what governs it.

    Blocks that a greater depth opens take their first choices; closing a block closes those that
    need a greater depth too. Raises `InvalidInput` where nothing opens or closes the slot.
    """
    members = space.in_slot(slot)
    if not members:
        raise InvalidInput(f"Space {space.name!r} has no block {slot!r}.")
    wanted = {d.name: d.choices[0] for d in space.decisions} | architecture.to_dict()
    if on:
        _open(space, members[0], wanted)
        candidates = [space.architecture(wanted)]
    else:
        candidates = [
            space.architecture(wanted | {parent.name: value})
            for parent, value in _closing(space, members, wanted)
        ]
    for found in candidates:
        if any(d.name in found for d in members) == on:
            return found
    if on:
        raise InvalidInput(f"{slot} can't be turned on by what governs it; set that by hand.")
    raise InvalidInput(f"{slot} can't be turned off: it is part of every architecture.")


def _open(space: SearchSpace, decision: Decision, wanted: dict[str, Value]) -> None:
    for condition in decision.conditions:
        parent = space.by_name[condition.decision]
        _open(space, parent, wanted)
        if wanted[parent.name] not in condition.values:
            here = parent.choices.index(wanted[parent.name])
            wanted[parent.name] = min(
                condition.values, key=lambda value: abs(parent.choices.index(value) - here)
            )


def _closing(
    space: SearchSpace, members: Sequence[Decision], wanted: dict[str, Value]
) -> list[tuple[Decision, Value]]:
    """Single changes that may close the slot, the smallest first."""
    found = []
    for condition in members[0].conditions:
        parent = space.by_name[condition.decision]
        here = parent.choices.index(wanted[parent.name])
        for there, value in enumerate(parent.choices):
            if value not in condition.values:
                found.append((abs(there - here), parent, value))
    return [(parent, value) for _, parent, value in sorted(found, key=lambda entry: entry[0])]
