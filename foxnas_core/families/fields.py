"""Reading the fields of a settings document, with sentences for what is wrong."""

from collections.abc import Mapping, Set
from typing import Any

from foxnas_core.errors import InvalidInput

_MOST, _MOST_LISTED = 100_000, 100


def check_fields(
    where: str, document: Mapping[str, Any], fields: Set[str], optional: Set[str] = frozenset()
) -> None:
    """Raises `InvalidInput` naming a field that is missing or unknown."""
    for name in sorted(fields - set(document)):
        raise InvalidInput(f"{where} lacks the field {name!r}.")
    known = fields | optional
    for name in sorted(set(document) - known):
        raise InvalidInput(f"{where} has the unknown field {name!r}; known: {sorted(known)}.")


def stages_of(document: Mapping[str, Any]) -> list[Any]:
    """The field `stages`, a list that has some; raises `InvalidInput` where it is none."""
    stages = document["stages"]
    if not isinstance(stages, list) or not 1 <= len(stages) <= _MOST_LISTED:
        raise InvalidInput(
            "The space's 'stages' must be a list of at least one stage, and at most "
            f"{_MOST_LISTED}."
        )
    return stages


def check_stage(where: str, stage: Any, fields: Set[str]) -> None:
    """Raises `InvalidInput` where a stage is no object of these fields."""
    if not isinstance(stage, Mapping):
        raise InvalidInput(f"{where} of the space must be a JSON object.")
    check_fields(where, stage, fields)


def whole(document: Mapping[str, Any], name: str, least: int) -> int:
    """A whole number of at least `least`."""
    value = document[name]
    if type(value) is not int or not least <= value <= _MOST:
        raise InvalidInput(
            f"{name!r} must be a whole number of at least {least}, and at most {_MOST:,}, not "
            f"{value!r}."
        )
    return value


def increasing(
    document: Mapping[str, Any], name: str, least: int, most: int = _MOST
) -> tuple[int, ...]:
    """Whole numbers that increase, of at least `least` and at most `most`."""
    values = document[name]
    if not isinstance(values, list) or not values or any(type(v) is not int for v in values):
        raise InvalidInput(f"{name!r} must be a list of whole numbers, not {values!r}.")
    if values != sorted(set(values)) or values[0] < least:
        raise InvalidInput(f"{name!r} must increase from at least {least}, not {values!r}.")
    if values[-1] > most or len(values) > _MOST_LISTED:
        raise InvalidInput(
            f"{name!r} must be at most {_MOST_LISTED} numbers of at most {most:,}, not {values!r}."
        )
    return tuple(values)


def kernels_of(where: str, stage: Mapping[str, Any]) -> tuple[int, ...]:
    """The field `kernels`: odd numbers that increase."""
    kernels = increasing(stage, "kernels", 1)
    if any(kernel % 2 == 0 for kernel in kernels):
        raise InvalidInput(f"{where}: 'kernels' must be odd, not {kernels}.")
    return kernels


def one_of(document: Mapping[str, Any], name: str, known: tuple[str, ...]) -> str:
    """One of the names that are known."""
    if not isinstance(document[name], str) or document[name] not in known:
        raise InvalidInput(f"{name!r} is {document[name]!r}; known: {', '.join(known)}.")
    return document[name]


def some_of(document: Mapping[str, Any], name: str, known: tuple[str, ...]) -> tuple[str, ...]:
    """Some of the names that are known, in their order."""
    values = document[name]
    if not isinstance(values, list) or not values or values != [v for v in known if v in values]:
        raise InvalidInput(
            f"{name!r} must be a list of some of {', '.join(known)}, in this order, not {values!r}."
        )
    return tuple(values)
