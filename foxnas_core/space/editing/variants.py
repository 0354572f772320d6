"""Architectures kept under names of their own."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.search_space import SearchSpace

# They are read as a whole, at every edit.
MOST = 100
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._+-]{0,39}")


@dataclass(frozen=True)
class Variant:
    """An architecture with the name that somebody gave it."""

    name: str
    architecture: Architecture


def with_variant(
    variants: Sequence[Variant], name: str, architecture: Architecture
) -> tuple[Variant, ...]:
    """The variants and a new one.

    Raises `InvalidInput` where the name is no plain one or taken (large and small letters count as
    the same), or where there are as many as may be kept.
    """
    name = name.strip()
    if not _NAME.fullmatch(name):
        raise InvalidInput(
            f"{name!r} can't name a variant; take 1 to 40 letters, digits, spaces and . _ + -, a "
            "letter or digit first."
        )
    if any(variant.name.casefold() == name.casefold() for variant in variants):
        raise InvalidInput(
            f"There is a variant {name!r} already; take another name, or delete that one first."
        )
    if len(variants) >= MOST:
        raise InvalidInput(f"There are {MOST} variants already; delete one first.")
    return (*variants, Variant(name, architecture))


def without_variant(variants: Sequence[Variant], name: str) -> tuple[Variant, ...]:
    """The variants but one; raises `MissingPart` where none has the name."""
    if all(variant.name != name for variant in variants):
        raise MissingPart(f"There is no variant {name!r}; it may have been deleted already.")
    return tuple(variant for variant in variants if variant.name != name)


def variants_to_dict(variants: Sequence[Variant]) -> dict[str, Any]:
    """The JSON document that `variants_from_dict` reads."""
    return {
        "format": 1,
        "variants": [{"name": v.name, "choices": v.architecture.to_dict()} for v in variants],
    }


def variants_from_dict(document: Mapping[str, Any], space: SearchSpace) -> tuple[Variant, ...]:
    """Raises `InvalidInput`, `KeyError`, `TypeError` or `AttributeError` where the document is
    damaged or of another space."""
    if document["format"] != 1:
        raise InvalidInput(f"Variants of format {document['format']!r}; this version reads 1.")
    found: tuple[Variant, ...] = ()
    for entry in document["variants"]:
        found = with_variant(found, entry["name"], space.architecture(entry["choices"]))
    return found
