"""Decisions pinned or forbidden by name, as they are typed."""

from collections.abc import Sequence
from fnmatch import fnmatchcase

from foxnas_core.architecture import Value
from foxnas_core.errors import InvalidInput
from foxnas_core.search_space import Decision, SearchSpace, check_choice


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
            for decision in _named(space, pattern):
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


def _named(space: SearchSpace, pattern: str) -> list[Decision]:
    found = [d for d in space.decisions if fnmatchcase(d.name, pattern)]
    if not found:
        raise InvalidInput(
            f"No decision of space {space.name!r} is named {pattern!r}; its decisions are "
            f"{', '.join(space.by_name)}."
        )
    return found


def _choice(decision: Decision, text: str) -> Value:
    text = text.strip()
    for choice in decision.choices:
        if str(choice) == text:
            return choice
    return check_choice(decision, text)
