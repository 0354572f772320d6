"""Architectures kept under names of their own."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.records import CHOICES, RecordKind
from foxnas_core.space.architecture import Architecture

# They are read as a whole, at every edit.
MOST = 100
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._+-]{0,39}")


@dataclass(frozen=True)
class Variant:
    """An architecture with the name that somebody gave it."""

    name: str
    architecture: Annotated[Architecture, CHOICES]


@dataclass(frozen=True)
class Variants:
    """All variants of a study, the oldest first.

    Raises `InvalidInput` where a name is no plain one or taken (large and small letters count as
    the same), or where there are more than may be kept.
    """

    variants: tuple[Variant, ...] = ()

    def __post_init__(self) -> None:
        taken: set[str] = set()
        for name in (variant.name for variant in self.variants):
            if not _NAME.fullmatch(name):
                raise InvalidInput(
                    f"{name!r} can't name a variant; take 1 to 40 letters, digits, spaces and "
                    ". _ + -, a letter or digit first."
                )
            if name.casefold() in taken:
                raise InvalidInput(
                    f"There is a variant {name!r} already; take another name, or delete that one "
                    "first."
                )
            taken.add(name.casefold())
        if len(self.variants) > MOST:
            raise InvalidInput(f"There are {MOST} variants already; delete one first.")

    def __iter__(self) -> Iterator[Variant]:
        return iter(self.variants)

    def having(self, name: str, architecture: Architecture) -> "Variants":
        """With a new one; raises as the class."""
        return Variants((*self.variants, Variant(name.strip(), architecture)))

    def without(self, name: str) -> "Variants":
        """Without one; raises `MissingPart` where none has the name."""
        if all(variant.name != name for variant in self.variants):
            raise MissingPart(f"There is no variant {name!r}; it may have been deleted already.")
        return Variants(tuple(variant for variant in self.variants if variant.name != name))


VARIANTS = RecordKind[Variants](
    "variants.json", Variants, "architectures kept under names", Variants()
)
