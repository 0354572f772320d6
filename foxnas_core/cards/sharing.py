"""Results that are computed once, and what they follow from."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

_Method = TypeVar("_Method", bound=Callable[..., Any])


def once(method: _Method) -> _Method:
    """A function of a `Given`, or a method, computed once for equal arguments, all hashable."""
    signature = inspect.signature(method)

    @functools.wraps(method)
    def asked(self: Any, *args: Any, **named: Any) -> Any:
        bound = signature.bind(self, *args, **named)
        bound.apply_defaults()
        return self.kept(method, *bound.args[1:])

    return cast(_Method, asked)


@dataclass(frozen=True)
class Shared:
    """What a result follows from, besides its arguments: the study's `table`, the form and link by
    which `fits` of that are made, and the `files` of its folder. At most so many `entries` are
    worth keeping; `spinner` says what one waits for. What runs `alone` measures, so that nothing
    else may run beside it."""

    files: tuple[str, ...]
    table: bool
    fits: bool
    entries: int
    spinner: bool | str
    alone: bool


def shared(
    *files: str,
    table: bool = True,
    fits: bool = True,
    entries: int = 16,
    spinner: bool | str = False,
    alone: bool = False,
) -> Callable[[_Method], _Method]:
    """Compute a function `once`, and say that it tells of the study alone, however that is looked
    at but for what is fitted to its table, so that whoever keeps results may share it among all who
    look."""

    def known(method: _Method) -> _Method:
        method.shared = Shared(files, table, fits and table, entries, spinner, alone)  # type: ignore[attr-defined]
        return once(method)

    return known
