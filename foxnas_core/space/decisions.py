"""Decisions: what is chosen from, and when; their options, and what a space may have of them."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from foxnas_core.errors import InvalidInput
from foxnas_core.space.architecture import Value

# What a space may have, so that listing the options of a group, and drawing them, ends.
MOST_DECISIONS, _MOST_IN_GROUP, MOST_CHOICES, _MOST_GOVERNED = 1000, 200, 10_000, 100_000
# Each combination of the context's choices has tables of its own wherever something is searched.
_MOST_CONTEXTS = 10_000
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")


@dataclass(frozen=True)
class Condition:
    """A decision is active only while `decision` is active with one of `values`."""

    decision: str
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Decision:
    """One categorical decision.

    `group` is the unit that predictions add up over (a stage); `slot` is the block within it, or
    "" where the decision concerns the whole group. `role` says what is decided: "depth",
    "kernel", "expand", "resolution", "operation".
    """

    name: str
    group: str
    role: str
    choices: tuple[Value, ...]
    slot: str = ""
    conditions: tuple[Condition, ...] = ()


def check_decisions(space: str, decisions: Sequence[Decision], context: Sequence[str] = ()) -> None:
    """Raises `InvalidInput` naming the space and the decision that is wrong, or where the groups of
    its `context` have too many combinations of choices."""
    seen: dict[str, Decision] = {}
    _check_size(space, decisions)
    for decision in decisions:
        if decision.name in seen:
            raise InvalidInput(
                f"Space {space!r} names the decision {decision.name!r} twice; rename one."
            )
        if not decision.choices or len(set(decision.choices)) < len(decision.choices):
            raise InvalidInput(
                f"Decision {decision.name!r} of space {space!r} needs at least one choice "
                "and no choice twice."
            )
        for condition in decision.conditions:
            parent = seen.get(condition.decision)
            if parent is None or parent.group != decision.group:
                raise InvalidInput(
                    f"Decision {decision.name!r} of space {space!r} depends on "
                    f"{condition.decision!r}, which must come before it in the same group."
                )
            if not set(condition.values) <= set(parent.choices):
                raise InvalidInput(
                    f"Decision {decision.name!r} of space {space!r} depends on choices "
                    f"that {parent.name!r} does not have; name some of its own."
                )
        seen[decision.name] = decision
    contexts = math.prod(
        count_options([d for d in decisions if d.group == group], NOTHING_PINNED)
        for group in context
    )
    if contexts > _MOST_CONTEXTS:
        raise InvalidInput(
            f"The context of space {space!r} has {contexts:,} combinations of choices, more than "
            f"the {_MOST_CONTEXTS:,} that are listed; leave groups out of 'context', or choices "
            "out of them."
        )


def _check_size(space: str, decisions: Sequence[Decision]) -> None:
    groups: dict[str, list[Decision]] = {}
    for decision in decisions:
        groups.setdefault(decision.group, []).append(decision)
    governing = {c.decision for d in decisions for c in d.conditions}
    ways = [
        math.prod(len(d.choices) for d in members if d.name in governing)
        for members in groups.values()
    ]
    if (
        len(decisions) > MOST_DECISIONS
        or max(map(len, groups.values()), default=0) > _MOST_IN_GROUP
        or max((len(d.choices) for d in decisions), default=0) > MOST_CHOICES
        or max(ways, default=0) > _MOST_GOVERNED
    ):
        raise InvalidInput(
            f"Space {space!r} is too large: at most {MOST_DECISIONS:,} decisions, "
            f"{_MOST_IN_GROUP} in a group, {MOST_CHOICES:,} choices of each, and "
            f"{_MOST_GOVERNED:,} combinations of those in a group that others depend on; "
            "divide its groups or leave choices out."
        )


def is_active(decision: Decision, choices: Mapping[str, Value]) -> bool:
    """Whether `choices`, which hold the active decisions before it, activate `decision`."""
    return all(choices.get(c.decision) in c.values for c in decision.conditions)


def check_choice(decision: Decision, value: Any, name: str = "") -> Value:
    """`value` as one of the decision's choices; raises `InvalidInput` where it is none, calling
    the decision `name` where given.

    3, 3.0 and "3" are one choice, where one of them is listed, and so are true and "True".
    """
    shown = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, bool | np.bool_):
        value = "true" if value else "false"
    elif not isinstance(value, str):
        for choice in decision.choices:
            if not isinstance(choice, str) and value == choice:
                return choice
    elif value in decision.choices:
        return str(value)
    alike = [choice for choice in decision.choices if _alike(choice, value)]
    if len(alike) == 1:
        return alike[0]
    raise InvalidInput(
        f"{name or repr(decision.name)} is {shown!r}; allowed: {listed(decision.choices)}."
    )


def _alike(choice: Value, value: Any) -> bool:
    """Whether both are the same number, or the same truth, however they are written."""
    number, other = _number(choice), _number(value)
    if number is not None and other is not None:
        return number == other
    told = str(choice).lower()
    return told in ("true", "false") and told == str(value).strip().lower()


def _number(value: Any) -> float | None:
    """The number that a value is or that is written in a text; None of other texts."""
    if isinstance(value, str) and not _NUMBER.fullmatch(value.strip()):
        return None
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None


Allowed = Mapping[str, tuple[Value, ...]]
NOTHING_PINNED: Allowed = MappingProxyType({})


def allowed_codes(decision: Decision, allowed: Allowed) -> list[int]:
    """The positions of the choices that a decision may take."""
    kept = allowed.get(decision.name, decision.choices)
    return [code for code, choice in enumerate(decision.choices) if choice in kept]


def count_options(decisions: Sequence[Decision], allowed: Allowed) -> int:
    """Number of options of a group, with only these choices allowed to some decisions."""
    governing = {c.decision for d in decisions for c in d.conditions}

    def count(position: int, chosen: dict[str, Value]) -> int:
        if position == len(decisions):
            return 1
        decision = decisions[position]
        if not is_active(decision, chosen):
            return count(position + 1, chosen)
        choices = allowed.get(decision.name, decision.choices)
        if decision.name in governing:
            return sum(count(position + 1, {**chosen, decision.name: c}) for c in choices)
        return len(choices) * count(position + 1, chosen)

    return count(0, {})


def options(
    decisions: Sequence[Decision], fixed: Mapping[str, Value]
) -> Iterator[dict[str, Value]]:
    """Canonical options of a group in which each decision of `fixed` that is active keeps it."""

    def extend(position: int, chosen: dict[str, Value]) -> Iterator[dict[str, Value]]:
        if position == len(decisions):
            yield chosen
            return
        decision = decisions[position]
        if not is_active(decision, chosen):
            yield from extend(position + 1, chosen)
            return
        choices = (fixed[decision.name],) if decision.name in fixed else decision.choices
        for choice in choices:
            yield from extend(position + 1, {**chosen, decision.name: choice})

    return extend(0, {})


def merged(parts: Sequence[Mapping[str, Value]]) -> dict[str, Value]:
    return {name: value for part in parts for name, value in part.items()}


def listed(choices: Sequence[Value]) -> str:
    return ", ".join(str(choice) for choice in choices)


def decision_dict(decision: Decision) -> dict[str, Any]:
    return {
        "name": decision.name,
        "group": decision.group,
        "role": decision.role,
        "choices": list(decision.choices),
        "slot": decision.slot,
        "conditions": [
            {"decision": c.decision, "values": list(c.values)} for c in decision.conditions
        ],
    }
