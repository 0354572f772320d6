"""Families of search spaces: each a folder that knows all about one kind of network.

`register_family` adds one from outside; everything here and in other rooms then knows it.
"""

import json
from collections.abc import Mapping
from importlib import resources
from typing import Any

from foxnas_core.documents import parse_json
from foxnas_core.errors import InvalidInput
from foxnas_core.families.darts import DARTS
from foxnas_core.families.family import Family
from foxnas_core.families.fbnet import FBNet
from foxnas_core.families.fbnetv2 import FBNetV2
from foxnas_core.families.listed import Listed
from foxnas_core.families.mbconv import MBConv
from foxnas_core.families.nasbench201 import NASBench201
from foxnas_core.families.volumetric import Volumetric
from foxnas_core.registry import add_named, named
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.search_space import SearchSpace

_families: dict[str, Family] = {}


def register_family(family: Family) -> None:
    """Make a family known by its name.

    Raises `InvalidInput` where another class's has the name, or where one of its forms has
    another's.
    """
    for other in _families.values():
        if other.name != family.name and set(other.forms) & set(family.forms):
            raise InvalidInput(
                f"The families {other.name!r} and {family.name!r} both bring a form "
                f"{sorted(set(other.forms) & set(family.forms))[0]!r}; rename yours."
            )
    add_named(_families, family, "a family")


def families() -> tuple[Family, ...]:
    """All that are known, the first registered first."""
    return tuple(_families.values())


def family_of(space: SearchSpace) -> Family:
    """The family of a space; raises `InvalidInput` where it is not known here."""
    return named(_families, space.family, "a family")


def space_from_dict(document: Mapping[str, Any]) -> SearchSpace:
    """The search space that a JSON document describes.

    Raises `InvalidInput` naming the field that is missing or wrong.
    """
    if not isinstance(document, Mapping):
        raise InvalidInput("A search space must be a JSON object; see docs/schemas.md.")
    if document.get("format") != 1 or document["format"] is True:
        raise InvalidInput(
            f"The search space has format {document.get('format')!r}; this version reads 1."
        )
    family = named(_families, document.get("family"), "a family")
    name = document.get("name")
    if not isinstance(name, str) or not name or len(name) > 100 or not name.isprintable():
        raise InvalidInput("The search space needs a name, of one line and 100 characters at most.")
    settings = {k: v for k, v in document.items() if k not in ("format", "name", "family")}
    return family.space(name, settings)


def architecture_from_text(space: SearchSpace, text: str) -> Architecture:
    """An architecture as people write it: a JSON object of choices, one with that object under
    "architecture", or a line in the notation of the space's family.

    Raises `InvalidInput` where it is none of the space.
    """
    family = family_of(space)
    try:
        document = parse_json(text)
    except ValueError as error:
        if not family.notation or text.lstrip().startswith("{"):
            raise InvalidInput("The architecture is no valid JSON; give one object.") from error
        document = None
    if family.notation and not isinstance(document, dict):
        return family.read(space, text)
    return architecture_from_document(space, document)


def architecture_from_document(space: SearchSpace, document: Any) -> Architecture:
    """The same from parsed JSON; of a search's document its best, of a selection's what is
    selected."""
    for name in ("best", "selected", "architecture"):
        if isinstance(document, dict) and isinstance(document.get(name), dict):
            document = document[name]
    if not isinstance(document, dict):
        raise InvalidInput("An architecture must be one JSON object of choices.")
    return space.architecture(document)


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


for _family in (MBConv(), Listed(), NASBench201(), FBNet(), DARTS(), Volumetric(), FBNetV2()):
    register_family(_family)
