"""What a study keeps beside its tables: values, each a frozen dataclass, as files of JSON.

A kind of record stands beside the class that it holds,

    ROUNDS = RecordKind[RoundsRecord | None]("rounds.json", RoundsRecord, "rounds of search")

and a study reads and changes it by that (`Study.record`, `Study.change`). How a class is written is
told by its fields alone: each by its name and type, or as `Stored` says.
"""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from functools import cache, partial
from types import UnionType
from typing import Any, Generic, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from foxnas_core import documents
from foxnas_core.errors import FoxnasError
from foxnas_core.space.architecture import Architecture

T = TypeVar("T")
_FORMAT = 1
_MB = 1 << 20
_MOST_SAID = 200


@dataclass(frozen=True)
class RecordKind(Generic[T]):
    """A record of `type` in the file `file`, of which at most `most` bytes are taken from
    elsewhere.

    `about` says what it is, `empty` what a study without the file has. `read` and `write` are for
    a class that is not written field by field.
    """

    file: str
    type: type[Any]
    about: str
    empty: T = None  # type: ignore[assignment]  # T is optional where it is left out
    most: int = 8 * _MB
    read: Callable[[Any], T] | None = None
    write: Callable[[T], dict[str, Any]] | None = None

    def document(self, value: T) -> dict[str, Any]:
        """The JSON document of a record."""
        return {"format": _FORMAT} | (self.write or document_of)(value)

    def text(self, value: T) -> str:
        return json.dumps(self.document(value), indent=1, allow_nan=False) + "\n"

    def value(self, document: Any) -> T:
        """The inverse of `document`; raises `ValueError`, which says what is wrong and where."""
        try:
            if (found := _a(dict, document).get("format")) != _FORMAT:
                raise ValueError(f"format {found!r:.40} is not {_FORMAT}")
            return _placed("", self.read or partial(value_of, self.type), document)
        except ValueError as error:
            said = "".join(sign if sign.isprintable() else "?" for sign in str(error))
            raise ValueError(said[:_MOST_SAID]) from error


@dataclass(frozen=True)
class CollectionKind(RecordKind[T]):
    """Records of one type in the folder `file`, each called by a hash of its content; `one` is
    what errors call it. At most `many` of `most` bytes each and `total` together are taken from
    elsewhere."""

    one: str = "record"
    many: int = 1000
    total: int = 64 * _MB

    def text(self, value: T) -> str:
        return json.dumps(self.document(value), sort_keys=True)


# Values and their documents


@dataclass(frozen=True)
class Stored:
    """In an `Annotated` field's type: how it is written where not by its name and type alone.

    It stands as `key`, within the object `under`, an architecture with its id before it where
    `with_id`, and is left out where `omitted` and the field's default. `names` are how the keys of
    a mapping are written, and `read` and `write` how its value is.
    """

    key: str | None = None
    under: str = ""
    with_id: bool = False
    omitted: bool = False
    names: Mapping[str, str] | None = None
    read: Callable[[Any], Any] | None = None
    write: Callable[[Any], Any] | None = None


def document_of(value: Any) -> Any:
    """A value as JSON holds it; NaN becomes null."""
    if isinstance(value, Architecture):
        return {"id": value.id, "choices": value.to_dict()}
    if isinstance(value, Mapping):
        return {key: document_of(each) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return [document_of(each) for each in value]
    if not is_dataclass(value):
        return None if isinstance(value, float) and math.isnan(value) else value
    document: dict[str, Any] = {}
    for each in fields(value):
        stored, own = _stored(each), getattr(value, each.name)
        if stored.omitted and own == _default(each):
            continue
        if stored.with_id:
            document["id"] = own.id
        place = document.setdefault(stored.under, {}) if stored.under else document
        if own is not None and stored.names:
            own = {name: own[key] for key, name in stored.names.items()}
        elif own is not None and stored.write:
            own = stored.write(own)
        place[stored.key or each.name] = document_of(own)
    return document


def value_of(kind: Any, document: Any, place: str = "") -> Any:
    """The inverse of `document_of`; raises `ValueError`, which says what is wrong and where."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        known = next(one for one in inner if one is not type(None))
        return None if document is None else value_of(known, document, place)
    if origin is tuple:
        items = _placed(place, _a, list, document)
        kinds = inner[:1] * len(items) if Ellipsis in inner else inner
        if len(kinds) != len(items):
            raise ValueError(f"{place}: it has {len(items)} values, not {len(kinds)}")
        return tuple(
            value_of(one, item, f"{place}[{n}]")
            for n, (one, item) in enumerate(zip(kinds, items, strict=True))
        )
    if origin in (dict, Mapping):
        items = _placed(place, _a, dict, document)
        return {key: value_of(inner[1], each, _within(place, key)) for key, each in items.items()}
    if origin is Literal:
        return _placed(place, _one_of, document, inner)
    if kind in _PLAIN:
        return _placed(place, _PLAIN[kind], document)
    items = _placed(place, _a, dict, document)
    given = {
        name: _field(name, stored, hint, items, place)
        for name, stored, hint in _told(kind)
        if not stored.omitted or (stored.key or name) in _part(items, stored.under)
    }
    return _placed(place, partial(kind, **given))


def or_nan(value: Any) -> float:
    """A number, or NaN for null."""
    return math.nan if value is None else documents.number(value)


def architectures_in(value: Any) -> Iterator[Architecture]:
    """Every architecture that a value holds."""
    if isinstance(value, Architecture):
        yield value
    elif is_dataclass(value):
        for each in fields(value):
            yield from architectures_in(getattr(value, each.name))
    elif isinstance(value, tuple):
        for each in value:
            yield from architectures_in(each)


@cache
def _told(kind: Any) -> list[tuple[str, Stored, Any]]:
    """The fields of a class, how each is stored, and its type."""
    hints = get_type_hints(kind)
    return [(each.name, _stored(each), hints[each.name]) for each in fields(kind)]


def _field(name: str, stored: Stored, kind: Any, document: dict[str, Any], place: str) -> Any:
    if stored.under:
        place = _within(place, stored.under)
        document = _placed(place, _a, dict, document.get(stored.under))
    key = stored.key or name
    place = _within(place, key)
    if key not in document:
        raise ValueError(f"{place} is missing")
    if document[key] is None and type(None) in get_args(kind):
        return None
    if stored.read:
        return _placed(place, stored.read, document[key])
    found = value_of(kind, document[key], place)
    if stored.names:
        if missing := set(stored.names.values()) - set(found):
            raise ValueError(f"{_within(place, min(missing))} is missing")
        found = {key: found[name] for key, name in stored.names.items()}
    return found


def _part(items: dict[str, Any], under: str) -> Any:
    """What stands under a key, or all of it for no key; empty where it holds nothing by name."""
    found = items.get(under) if under else items
    return found if isinstance(found, dict) else {}


def _default(each: Field[Any]) -> Any:
    return each.default if each.default_factory is MISSING else each.default_factory()


def _stored(each: Field[Any]) -> Stored:
    metadata = getattr(each.type, "__metadata__", ())
    return next((told for told in metadata if isinstance(told, Stored)), Stored())


def _said(error: Exception) -> str:
    return f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)


def _placed(place: str, read: Callable[..., Any], *given: Any) -> Any:
    """What `read` makes of what is given; what it raises is a `ValueError` that tells the place."""
    try:
        return read(*given)
    except (ValueError, LookupError, TypeError, AttributeError, FoxnasError) as error:
        raise ValueError(f"{place}: {_said(error)}" if place else _said(error)) from error


def _within(place: str, key: str) -> str:
    return f"{place}.{key}" if place else key


def _a(kind: type[T], document: Any) -> T:
    if not isinstance(document, kind):
        raise ValueError(f"{document!r:.40} is no {'object' if kind is dict else 'list'}")
    return document


def _one_of(value: Any, known: tuple[Any, ...]) -> Any:
    if value not in known:
        raise ValueError(f"{value!r:.40} is none of {', '.join(map(str, known))}")
    return value


def _read_choices(document: Any) -> Architecture:
    pairs = document.items() if isinstance(document, dict) else document
    return Architecture.from_mapping(documents.choices(pairs))


_PLAIN: dict[Any, Callable[[Any], Any]] = {
    Any: documents.anything,
    float: documents.number,
    int: documents.whole,
    bool: documents.truth,
    str: documents.text,
    Architecture: lambda document: _read_choices(document["choices"]),
}
CHOICES = Stored("choices", read=_read_choices, write=Architecture.to_dict)
"""An architecture as the object of its choices."""
CHOICE_PAIRS = Stored(
    "choices",
    with_id=True,
    read=_read_choices,
    write=lambda architecture: [list(choice) for choice in architecture.choices],
)
"""An architecture as pairs, whose order survives the sorting of keys, after its id."""
