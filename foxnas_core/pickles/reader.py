"""Runs in a process of its own, without site packages: a pickle from stdin becomes JSON on stdout.

What a pickle asks for by name is looked up in one table of stand-ins, which make numbers, bytes
and containers of what they are given, and all else is refused; so nothing of the pickle's runs.
Nothing of NumPy is called either: an array's bytes are read here.
"""

import _codecs
import json
import pickle
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, BinaryIO

_MOST_DEPTH = 12
_MOST_ITEMS = 8_000_000
_MOST_TEXT = 64 << 20
# NumPy's letter and size of a number, and how `struct` calls it.
_NUMBERS = {
    "b1": "?", "i1": "b", "i2": "h", "i4": "i", "i8": "q", "u1": "B", "u2": "H", "u4": "I",
    "u8": "Q", "f2": "e", "f4": "f", "f8": "d",
}  # fmt: skip


class Refused(Exception):
    """What is asked for is none of the stand-ins."""


class Broken(Exception):
    """The pickle holds something else than containers, text, numbers and arrays of numbers."""


class Known:
    """A stand-in: it can be called, and nothing of it can be changed."""

    __slots__ = ("_make",)

    def __init__(self, make: Callable[..., Any]) -> None:
        self._make = make

    def __call__(self, *given: Any) -> Any:
        return self._make(*given)

    def __setstate__(self, state: Any) -> None:
        raise Broken("it gives a state to what has none")


class Kind:
    """The kind of an array's numbers."""

    __slots__ = ("name", "order")

    def __init__(self, name: Any, *_: Any) -> None:
        self.name, self.order = str(name).lstrip("<>|="), "<"
        if self.name not in _NUMBERS:
            raise Broken(f"it has an array of {str(name)[:20]!r}, which are no numbers")
        if str(name)[:1] == ">":
            self.order = ">"

    def __setstate__(self, state: Any) -> None:
        if not isinstance(state, tuple) or len(state) < 2 or state[1] not in ("<", ">", "|", "="):
            raise Broken("the kind of an array's numbers is damaged")
        self.order = ">" if state[1] == ">" else "<"

    def numbers(self, content: Any) -> tuple[Any, ...]:
        letter = _NUMBERS[self.name]
        if not isinstance(content, (bytes, bytearray)) or len(content) % struct.calcsize(letter):
            raise Broken("an array has other bytes than its numbers take")
        count = len(content) // struct.calcsize(letter)
        if count > _MOST_ITEMS:
            raise Broken(f"it has an array of {count:,} numbers, more than {_MOST_ITEMS:,}")
        return struct.unpack(f"{self.order}{count}{letter}", content)


class Array:
    """An array, once its state has come."""

    __slots__ = ("values",)

    def __init__(self, *_: Any) -> None:
        self.values: Any = []

    def __setstate__(self, state: Any) -> None:
        if not isinstance(state, tuple) or len(state) != 5:
            raise Broken("an array is damaged")
        _, shape, kind, by_column, content = state
        self.values = shaped(kind, content, shape, bool(by_column))


def shaped(kind: Any, content: Any, shape: Any, by_column: bool) -> Any:
    """Numbers as lists within lists."""
    if not isinstance(kind, Kind) or not isinstance(shape, tuple) or len(shape) > 4:
        raise Broken("an array is damaged")
    values, total = list(kind.numbers(content)), 1
    for side in shape:
        if type(side) is not int or not 0 <= side <= _MOST_ITEMS:
            raise Broken("an array has no such shape")
        total *= side
    if total != len(values) or (by_column and len(shape) > 1):
        raise Broken("an array has other bytes than its shape needs")
    for side in reversed(shape[1:]):
        values = [values[at : at + side] for at in range(0, len(values), side)] if side else []
    return values if shape else values[0]


def scalar(kind: Any, content: Any) -> Any:
    if not isinstance(kind, Kind) or len(found := kind.numbers(content)) != 1:
        raise Broken("a number of NumPy's is damaged")
    return found[0]


def from_buffer(content: Any, kind: Any, shape: Any, order: Any = "C") -> Any:
    return shaped(kind, content, shape, order == "F")


def encoded(text: Any, encoding: Any = "latin1") -> bytes:
    """How protocols before 3 write bytes."""
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise Broken("it has bytes in an encoding of its own")
    return _codecs.latin_1_encode(text)[0]


def container(make: Callable[..., Any]) -> Known:
    def made(items: Any = ()) -> Any:
        if not isinstance(items, (list, tuple, dict)):
            raise Broken("a container is made of what is none")
        return make(items)

    return Known(made)


def _numpy(core: str) -> dict[tuple[str, str], Known]:
    return {
        (f"numpy.{core}.multiarray", "_reconstruct"): Known(Array),
        (f"numpy.{core}.multiarray", "scalar"): Known(scalar),
        (f"numpy.{core}.numeric", "_frombuffer"): Known(from_buffer),
    }


STAND_INS = {
    **_numpy("core"),
    **_numpy("_core"),
    ("numpy", "ndarray"): Known(Array),
    ("numpy", "dtype"): Known(Kind),
    ("_codecs", "encode"): Known(encoded),
    ("collections", "OrderedDict"): container(dict),
    **{(m, n): container(t) for m in ("builtins", "__builtin__")
       for n, t in (("list", list), ("dict", dict), ("tuple", tuple), ("bytes", bytes))},
}  # fmt: skip


class Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        found = STAND_INS.get((module, name))
        if found is None:
            raise Refused(f"{module}.{name}")
        return found

    def persistent_load(self, named: Any) -> Any:
        raise Broken("it refers to something outside")


class Plain:
    """What was read, as JSON holds it, of bounded size and depth whatever it shares or repeats."""

    def __init__(self) -> None:
        self._items = self._text = 0

    def __call__(self, value: Any, depth: int = 0) -> Any:
        self._items += 1
        if depth > _MOST_DEPTH or self._items > _MOST_ITEMS:
            raise Broken("it nests too deeply" if depth > _MOST_DEPTH else "it holds too much")
        if isinstance(value, Array):
            return self(value.values, depth)
        if type(value) is dict:
            return {self._key(key): self(one, depth + 1) for key, one in value.items()}
        if type(value) in (list, tuple):
            return [self(one, depth + 1) for one in value]
        if isinstance(value, (str, bytes)):
            return self._said(value)
        if value is None or type(value) in (bool, int, float):
            if type(value) is int and abs(value) >= 1 << 64:
                raise Broken("it has a number of more than 64 bits")
            return value
        raise Broken(f"it holds a {type(value).__name__.lower()}, which is no number, text or list")

    def _key(self, key: Any) -> str:
        if type(key) not in (str, bytes, int):
            raise Broken("it calls something by what is neither text nor a whole number")
        return self._said(str(key) if isinstance(key, int) else key)

    def _said(self, text: "str | bytes") -> str:
        self._text += len(text)
        if self._text > _MOST_TEXT:
            raise Broken("it holds too much text")
        if isinstance(text, bytes):
            return text.decode("latin-1")
        text.encode()  # half of a character passes for text until something is to be written
        return text


def bound(memory: int, seconds: int) -> None:
    """Hold this process to so many bytes and seconds of computing, where the system can."""
    with suppress(ImportError):
        import resource

        for kind, most in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_CPU, seconds)):
            hard = resource.getrlimit(kind)[1]
            most = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(kind, (most, most))


def answer(stream: BinaryIO) -> dict[str, Any]:
    """What a pickle holds, or why it is not read."""
    try:
        found = Plain()(Reader(stream, encoding="latin1").load())
        if stream.read(1):
            raise Broken("more follows after its end")
        return {"found": found}
    except Refused as asked:
        return {"refused": str(asked)}
    except Broken as error:
        return {"broken": str(error)}
    except MemoryError:
        return {"broken": "it takes more memory than it may"}
    except Exception as error:  # any at all: what a pickle's bytes can do to its reader
        return {"broken": f"{type(error).__name__}: {error}"[:200]}


if __name__ == "__main__":
    bound(int(sys.argv[1]), int(sys.argv[2]))
    sys.setrecursionlimit(200)
    json.dump(answer(sys.stdin.buffer), sys.stdout)
