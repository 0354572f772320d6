"""The family of spaces whose decisions are simply listed: lookup tables without a supernet."""

from collections.abc import Mapping
from typing import Any

from foxnas_core.errors import InvalidInput
from foxnas_core.search_space import Condition, Decision, SearchSpace


def space_from_settings(name: str, settings: Mapping[str, Any]) -> SearchSpace:
    """Read `decisions` (and `context`) as written.

    Each decision has `name`, `group`, `role`, `choices`, and optionally `slot` and `conditions`.
    Raises `InvalidInput` where a field is missing.
    """
    try:
        decisions = tuple(
            Decision(
                name=str(d["name"]),
                group=str(d["group"]),
                role=str(d["role"]),
                choices=tuple(d["choices"]),
                slot=str(d.get("slot", "")),
                conditions=tuple(
                    Condition(str(c["decision"]), tuple(c["values"]))
                    for c in d.get("conditions", [])
                ),
            )
            for d in settings["decisions"]
        )
    except (KeyError, TypeError) as error:
        raise InvalidInput(
            f"Space {name!r} lists its decisions wrongly ({error}); each needs name, group, role "
            "and choices."
        ) from error
    return SearchSpace(name, "listed", decisions, tuple(settings.get("context", ())))
