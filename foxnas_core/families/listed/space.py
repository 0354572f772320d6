"""The family of spaces whose decisions are simply listed: lookup tables without a supernet."""

from collections.abc import Mapping
from typing import Any

from foxnas_core.documents import choice, text
from foxnas_core.errors import InvalidInput
from foxnas_core.space.architecture import Value
from foxnas_core.space.decisions import Condition, Decision
from foxnas_core.space.search_space import SearchSpace

_MOST_NAME = 200


def space_from_settings(name: str, settings: Mapping[str, Any]) -> SearchSpace:
    """Read `decisions` (and `context`) as written.

    Each decision has `name`, `group`, `role`, `choices`, and optionally `slot` and `conditions`.
    Raises `InvalidInput` where a field is missing.
    """
    try:
        decisions = tuple(
            Decision(
                name=_named(d["name"]),
                group=_named(d["group"]),
                role=_named(d["role"]),
                choices=_choices(d["choices"]),
                slot=_named(d["slot"]) if d.get("slot") else "",
                conditions=tuple(
                    Condition(_named(c["decision"]), _choices(c["values"]))
                    for c in d.get("conditions", [])
                ),
            )
            for d in settings["decisions"]
        )
        context = tuple(map(_named, settings.get("context", ())))
        if not decisions or not set(context) <= {decision.group for decision in decisions}:
            raise ValueError("no decisions, or a context that is none of their groups")
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise InvalidInput(
            f"Space {name!r} lists its decisions wrongly ({error}); each needs name, group, role "
            "and choices."
        ) from error
    return SearchSpace(name, "listed", decisions, context)


def _named(value: Any) -> str:
    """The name of a decision, a group, a role or a slot."""
    if not text(value).strip() or len(value) > _MOST_NAME or not value.isprintable():
        raise ValueError(f"{value!r:.40} is no name")
    return value


def _choices(values: Any) -> tuple[Value, ...]:
    """A decision's choices, all of them numbers or all of them texts, lest 3 and "3" can't be told
    apart in a file; true and false are texts."""
    if not isinstance(values, list):
        raise ValueError(f"{values!r:.40} are no choices")
    found = tuple(map(choice, values))
    if len({isinstance(value, str) for value in found}) > 1:
        raise ValueError(f"{values!r:.40} are numbers and texts; make all of them one kind")
    return tuple(_named(value) if isinstance(value, str) else value for value in found)
