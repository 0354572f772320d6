"""The architecture: one choice for each active decision of a search space."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

Value = int | float | str


@dataclass(frozen=True)
class Architecture:
    """A frozen, hashable set of choices, holding active decisions only.

    Build one with `SearchSpace.architecture`, which drops inactive decisions and checks the rest,
    so that equal subnets are equal objects with equal ids.
    """

    choices: tuple[tuple[str, Value], ...]

    @cached_property
    def _values(self) -> dict[str, Value]:
        return dict(self.choices)

    @cached_property
    def id(self) -> str:
        """Twelve hexadecimal digits of the SHA-256 of the canonical JSON."""
        canonical = json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"))
        return id_of_json(canonical)

    def __getitem__(self, decision: str) -> Value:
        return self._values[decision]

    def __contains__(self, decision: object) -> bool:
        return decision in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def get(self, decision: str, default: Value | None = None) -> Value | None:
        return self._values.get(decision, default)

    def to_dict(self) -> dict[str, Value]:
        return dict(self.choices)

    @classmethod
    def from_mapping(cls, choices: Mapping[str, Value]) -> "Architecture":
        """An architecture of exactly these choices, unchecked; see `SearchSpace.architecture`."""
        return cls(tuple(choices.items()))


def id_of_json(canonical: str) -> str:
    """The id of the architecture whose canonical JSON (sorted keys, no spaces) this is."""
    return hashlib.sha256(canonical.encode()).hexdigest()[:12]
