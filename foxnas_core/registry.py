"""What is known by a name: classes, ours as "package.module:class" until one is asked for, or
values, one of each class."""

from pkgutil import resolve_name
from typing import Any

from foxnas_core.errors import InvalidInput


def add_named(known: dict[str, Any], own: Any, kind: str) -> None:
    """Make a class or a value known by its `name`, in place of another value of its class; raises
    `InvalidInput`, which calls it `kind` ("a task"), where another one has the name."""
    other = known.get(own.name, own)
    if other is not own and (isinstance(own, type) or type(other) is not type(own)):
        raise InvalidInput(f"There is {kind} {own.name!r} already; give yours another name.")
    known[own.name] = own


def named(known: dict[str, Any], name: Any, kind: str) -> Any:
    """What has that name; raises `InvalidInput` where it is not known here."""
    if not isinstance(name, str) or name not in known:
        noun = kind.split()[-1]
        raise InvalidInput(f"There is no {noun} {name!r}; known: {', '.join(known)}.")
    found = known[name]
    return resolve_name(found) if isinstance(found, str) else found
