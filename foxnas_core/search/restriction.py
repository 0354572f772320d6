"""Decisions pinned or forbidden: by name as they are typed, and by an architecture."""

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

from foxnas_core.errors import InvalidInput
from foxnas_core.space.architecture import Architecture, Value
from foxnas_core.space.decisions import Decision, check_choice
from foxnas_core.space.search_space import SearchSpace


def allowed_choices(
    space: SearchSpace, allow: Sequence[tuple[str, str]], forbid: Sequence[tuple[str, str]]
) -> dict[str, tuple[Value, ...]]:
    """What is left to the decisions that some pair names, as `SearchProblem.allowed`.

    A pair is a decision's name, or a pattern of names such as `s2*_kernel`, and one choice or
    several between commas. A decision keeps what every pair of `allow` that names it lists and no
    pair of `forbid` does.

    Raises `InvalidInput` naming the decision and its choices where a pair names what the space
    lacks, or nothing is left.
    """
    left: dict[str, list[Value]] = {}
    for pairs, wanted in ((allow, True), (forbid, False)):
        for pattern, text in pairs:
            for decision in (space.by_name[name] for name in named_decisions(space, pattern)):
                listed = {_choice(decision, part) for part in text.split(",")}
                before = left.get(decision.name, list(decision.choices))
                after = [choice for choice in before if (choice in listed) is wanted]
                if not after:
                    raise InvalidInput(
                        f"Nothing is left to choose for {decision.name!r}, whose choices are "
                        f"{', '.join(map(str, decision.choices))}; allow more or forbid less."
                    )
                left[decision.name] = after
    return {name: tuple(choices) for name, choices in left.items()}


def restricted(
    space: SearchSpace, allowed: Mapping[str, Sequence[Value]]
) -> dict[str, tuple[Value, ...]]:
    """`allowed` in the space's order of decisions and choices, without those that lack no choice.

    Raises `InvalidInput` naming the decision and its choices.
    """
    unknown = [name for name in allowed if name not in space.by_name]
    if unknown:
        raise InvalidInput(
            f"{unknown[0]!r} is no decision of space {space.name!r}; its decisions are "
            f"{', '.join(space.by_name)}."
        )
    kept = {}
    for decision in space.decisions:
        if decision.name not in allowed:
            continue
        chosen = {check_choice(decision, value) for value in allowed[decision.name]}
        if not chosen:
            raise InvalidInput(
                f"No choice of {decision.name!r} is allowed; allow at least one of "
                f"{', '.join(map(str, decision.choices))}."
            )
        if len(chosen) < len(decision.choices):
            kept[decision.name] = tuple(c for c in decision.choices if c in chosen)
    return kept


def narrowed(
    first: Mapping[str, tuple[Value, ...]], second: Mapping[str, tuple[Value, ...]]
) -> dict[str, tuple[Value, ...]]:
    """The choices that both leave to each decision that either names; none where they clash."""
    return dict(first) | {
        name: tuple(choice for choice in first.get(name, choices) if choice in choices)
        for name, choices in second.items()
    }


def choices_that_keep(
    space: SearchSpace, architecture: Architecture, names: Iterable[str]
) -> dict[str, tuple[Value, ...]]:
    """What keeps the decisions of `names` as they are in an architecture, as
    `SearchProblem.allowed`: those that are active stay so and keep their choice, others stay off.

    Raises `InvalidInput` for a name that the space lacks.
    """
    left: dict[str, tuple[Value, ...]] = {}
    for name in names:
        if name not in space.by_name:
            named_decisions(space, name)
        decision, value = space.by_name[name], architecture.get(name)
        pins = _off(space, architecture, decision)
        if value is not None:
            pins = choices_that_take(space, decision, value)
        left = narrowed(left, pins)
    return left


def choices_that_take(
    space: SearchSpace, decision: Decision, value: Value
) -> dict[str, tuple[Value, ...]]:
    """What makes a decision active at a choice, as `SearchProblem.allowed`: that choice alone, and
    of the decisions that it depends on those that activate it.

    Raises `InvalidInput` where it has no such choice.
    """
    left: dict[str, tuple[Value, ...]] = {decision.name: (check_choice(decision, value),)}
    waiting = [decision]
    while waiting:
        for condition in waiting.pop().conditions:
            left = narrowed(left, {condition.decision: condition.values})
            waiting.append(space.by_name[condition.decision])
    return left


def _off(
    space: SearchSpace, architecture: Architecture, decision: Decision
) -> dict[str, tuple[Value, ...]]:
    """What keeps off a decision that is off in an architecture, by a condition it does not meet."""
    for condition in decision.conditions:
        parent = space.by_name[condition.decision]
        if architecture.get(parent.name) in condition.values:
            continue
        others = tuple(choice for choice in parent.choices if choice not in condition.values)
        # Where each of its choices would do, it has to be off itself.
        return {parent.name: others} if others else _off(space, architecture, parent)
    return {}


def named_decisions(space: SearchSpace, pattern: str) -> list[str]:
    """The names of the decisions of this name or pattern; raises `InvalidInput` where none is."""
    found = [name for name in space.by_name if fnmatchcase(name, pattern)]
    if not found:
        raise InvalidInput(
            f"No decision of space {space.name!r} is named {pattern!r}; its decisions are "
            f"{', '.join(space.by_name)}."
        )
    return found


def chosen_value(space: SearchSpace, name: str, text: str) -> Value:
    """A decision's choice as it is typed; raises `InvalidInput` where there is none."""
    named_decisions(space, name)
    return _choice(space.by_name[name], text)


def _choice(decision: Decision, text: str) -> Value:
    text = text.strip()
    for choice in decision.choices:
        if str(choice) == text:
            return choice
    return check_choice(decision, text)
