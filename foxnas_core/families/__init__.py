"""Families of search spaces, each a module that turns its settings into decisions.

A new family is a new module with `space_from_settings` and one line in `_FAMILIES`.
"""

import json
from collections.abc import Mapping
from importlib import resources
from typing import Any

from foxnas_core.errors import InvalidInput
from foxnas_core.families import listed
from foxnas_core.families.mbconv import space as mbconv
from foxnas_core.space.search_space import SearchSpace

_FAMILIES = {"mbconv": mbconv.space_from_settings, "listed": listed.space_from_settings}


def space_from_dict(document: Mapping[str, Any]) -> SearchSpace:
    """The search space that a JSON document describes.

    Raises `InvalidInput` naming the field that is missing or wrong.
    """
    if not isinstance(document, Mapping):
        raise InvalidInput("A search space must be a JSON object; see docs/schemas.md.")
    if document.get("format") != 1:
        raise InvalidInput(
            f"The search space has format {document.get('format')!r}; this version reads 1."
        )
    family = document.get("family")
    if not isinstance(family, str) or family not in _FAMILIES:
        raise InvalidInput(
            f"The search space is of family {family!r}; known: {', '.join(_FAMILIES)}."
        )
    name = document.get("name")
    if not isinstance(name, str) or not name or len(name) > 100 or not name.isprintable():
        raise InvalidInput("The search space needs a name, of one line and 100 characters at most.")
    settings = {k: v for k, v in document.items() if k not in ("format", "name", "family")}
    return _FAMILIES[family](name, settings)


def shipped_spaces() -> list[str]:
    """Names of the spaces that come with the package."""
    folder = resources.files(__package__) / "spaces"
    return sorted(
        f.name.removesuffix(".json") for f in folder.iterdir() if f.name.endswith(".json")
    )


def load_shipped(name: str) -> SearchSpace:
    """One of the spaces that come with the package; raises `InvalidInput` for another name."""
    if name not in shipped_spaces():
        raise InvalidInput(f"No space {name!r} is shipped; choose {', '.join(shipped_spaces())}.")
    text = (resources.files(__package__) / "spaces" / f"{name}.json").read_text()
    return space_from_dict(json.loads(text))
