"""Classes that are known by a name, ours as "package.module:class" until one is asked for."""

from pkgutil import resolve_name
from typing import Any

from foxnas_core.errors import InvalidInput


def add_class(known: dict[str, Any], own: Any, kind: str) -> None:
    """Make a class known by its `name`; raises `InvalidInput`, which calls it `kind` ("a task"),
    where another one has the name."""
    if known.setdefault(own.name, own) is not own:
        raise InvalidInput(f"There is {kind} {own.name!r} already; give yours another name.")


def class_named(known: dict[str, Any], name: str, kind: str) -> Any:
    """The class of that name; raises `InvalidInput` where it is not known here."""
    if name not in known:
        noun = kind.split()[-1]
        raise InvalidInput(f"There is no {noun} {name!r}; known: {', '.join(known)}.")
    found = known[name]
    return resolve_name(found) if isinstance(found, str) else found
