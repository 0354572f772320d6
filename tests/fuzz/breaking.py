"""Broken inputs, made from good ones: each function takes the chance that it is broken by."""

import json
import struct
from collections.abc import Callable
from random import Random
from typing import Any

# Of what is repeated in one input: one that takes all memory to make tells nothing of who reads it.
_MOST_SIGNS = 2_000_000

SCRIPT = "<script>document.title='owned'</script>"
IMAGE = "<img src=x onerror=\"document.title='owned'\">"
LINK = "<a href='https://owned.example'>owned</a>"
# What somebody puts where a name, a number or a list belongs.
ODD_TEXTS = (
    "", " ", "x" * 20_000, SCRIPT, IMAGE, "[a](javascript:alert(1))", "=HYPERLINK(1)", "+1", "-1",
    "@SUM(1)", "a\nb", "a\r\nb", "\0", "\ud800", "\u202egpj", "\ufeff", "../../etc/passwd", "/etc",
    "C:\\con", "nan", "inf", "-inf", "1e400", "0x10", "1_000", "١", "None", "true", "{}", "%s%n",
    "${x}", "`rm`", "é" * 50, "👩‍💻", "e\u0301", "'; DROP TABLE x; --", "__class__", "a,b", '"',
)  # fmt: skip
ODD_NUMBERS = (
    0, -1, 1, 2, 0.5, -0.0, 10**9, 10**18, 2**31, 2**63, 10**30, -(10**30), 1e-320, 1e308, -1e308,
    float("nan"), float("inf"), float("-inf"),
)  # fmt: skip


def odd(chance: Random) -> Any:
    """A value of any kind that JSON has."""
    return chance.choice(
        [
            lambda: chance.choice(ODD_TEXTS),
            lambda: chance.choice(ODD_NUMBERS),
            lambda: chance.choice([None, True, False]),
            lambda: chance.choice([[], {}, [[]], [None], {"a": 1}, [1, "a"], {"": []}]),
            lambda: nested(chance.choice([3, 50, 900])),
            lambda: list(range(chance.choice([100, 5000]))),
        ]
    )()


def nested(depth: int) -> Any:
    value: Any = 0
    for level in range(depth):
        value = [value] if level % 2 else {"a": value}
    return value


def broken_bytes(chance: Random, content: bytes) -> bytes:
    """Cut, flipped, torn, doubled, encoded otherwise."""
    data = bytearray(content)

    def place() -> int:
        return chance.randrange(len(data) + 1)

    def flip() -> None:
        for _ in range(chance.choice([1, 1, 2, 8, 64])):
            if data:
                data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)

    def cut() -> None:
        del data[place() :]

    def remove() -> None:
        at = place()
        del data[at : at + chance.choice([1, 4, 100, 5000])]

    def insert() -> None:
        at = place()
        data[at:at] = chance.choice(
            [
                chance.randbytes(chance.randint(1, 300)), b"\0", b"\0" * 10_000, b"\xef\xbb\xbf",
                b"\xff\xfe", b"\xed\xa0\x80", b"\xc3", b"\r", b"\n" * 50, b'"', b"'" * 3, b",",
                b"{" * 2000, b"[" * 2000, SCRIPT.encode(), b"=1+1",
            ]
        )  # fmt: skip

    def overwrite() -> None:
        at = place()
        piece = chance.choice(
            [chance.randbytes(8), b"\xff" * 8, b"\0" * 8, struct.pack("<Q", chance.getrandbits(40))]
        )
        data[at : at + len(piece)] = piece

    def swap() -> None:
        one, other = sorted((place(), place()))
        data[one:other] = data[one:other][::-1]

    def double() -> None:
        data.extend(bytes(data))

    def encode() -> None:
        text = bytes(data).decode("utf-8", "replace")
        how = chance.choice(["utf-16", "utf-32", "utf-7", "latin-1", "utf-8-sig", "cp037"])
        data[:] = text.encode(how, "replace")

    def replace() -> None:
        data[:] = chance.choice([b"", b"\0", b"PK\x05\x06" + b"\0" * 18, b"PAR1", b"null", b"[]"])

    ways: list[Callable[[], None]] = [
        flip, flip, cut, cut, remove, insert, insert, overwrite, overwrite, swap, double, encode,
        replace,
    ]  # fmt: skip
    for _ in range(chance.choice([1, 1, 1, 2, 3])):
        chance.choice(ways)()
    return bytes(data)


def broken_document(chance: Random, document: Any) -> Any:
    """The JSON document with some of its parts left out, replaced, doubled or called otherwise."""
    document = json.loads(json.dumps(document))
    for _ in range(chance.choice([1, 1, 1, 2, 4])):
        places = list(_places(document))
        if not places:
            return odd(chance)
        holder, key = chance.choice(places)
        match chance.randrange(8):
            case 0:
                del holder[key]
            case 1 if isinstance(holder, dict):
                holder[str(odd(chance))[:300]] = holder.pop(key)
            case 2 if isinstance(holder, list):
                holder.insert(key, holder[key])
            case 3:
                holder[key] = str(holder[key])[:300]
            case 4:
                holder[key] = chance.choice([[holder[key]], {"a": holder[key]}])
            case 5 if isinstance(holder[key], int | float):
                holder[key] = chance.choice(ODD_NUMBERS)
            case _:
                holder[key] = odd(chance)
    return document


def broken_json(chance: Random, document: Any) -> bytes:
    """The same as the bytes of a file, which now and then are broken, too."""
    try:
        text = json.dumps(broken_document(chance, document))
    except RecursionError:  # one deep value within another
        text = '{"a": ' * 1000
    match chance.randrange(12):
        case 0:
            return broken_bytes(chance, text.encode())
        case 1:  # one key twice
            return text.replace("{", '{"format": 1, "name": "twice", ', 1).encode()
        case 2:
            return b"\xef\xbb\xbf" + text.encode()
        case 3:
            return json.dumps(json.loads(text), ensure_ascii=False).encode("utf-8", "surrogatepass")
    return text.encode()


def _places(value: Any, limit: int = 400) -> Any:
    """What can be changed in a document: its holders with their keys, some hundred at most."""
    pending, found = [value], 0
    while pending and found < limit:
        holder = pending.pop()
        keys = (
            list(holder)
            if isinstance(holder, dict)
            else range(min(len(holder), 60))
            if isinstance(holder, list)
            else ()
        )
        for key in keys:
            found += 1
            yield holder, key
            pending.append(holder[key])


def broken_csv(chance: Random, text: str) -> bytes:
    """A table in which cells, columns, the header, ends of lines or the encoding are wrong."""
    rows = [line.split(",") for line in text.strip().split("\n")]

    def cell() -> None:
        row = chance.choice(rows)
        row[chance.randrange(len(row))] = _cell(chance)

    def column() -> None:
        at = chance.randrange(len(rows[0]))
        value = _cell(chance)
        for row in rows[1:]:
            if at < len(row):
                row[at] = value

    def less() -> None:
        at = chance.randrange(len(rows[0]))
        for row in rows if chance.random() < 0.7 else rows[1:]:
            del row[at : at + 1]

    def more() -> None:
        name = chance.choice([rows[0][0], _cell(chance), "id", "latency_ms:x", "accuracy"])
        for number, row in enumerate(rows if chance.random() < 0.7 else rows[1:]):
            row.append(name if not number else _cell(chance))

    def ragged() -> None:
        row = chance.choice(rows)
        added = _cell(chance)
        row.extend([added] * min(chance.choice([1, 3, 1000]), 1 + _MOST_SIGNS // (len(added) + 1)))

    def wide() -> None:
        chance.choice(rows).extend(["1"] * 100_000)

    def long() -> None:
        row = chance.choice(rows)
        most = _MOST_SIGNS // len(",".join(row))
        rows.extend(list(row) for _ in range(min(chance.choice([10, 3000]), most)))

    def none() -> None:
        del rows[chance.randrange(len(rows)) :]

    def quote() -> None:
        row = chance.choice(rows)
        row[0] = chance.choice(['"', f'"{row[0]}', f'{row[0]}"x', f'"a\n{row[0]}"'])

    ways = [cell] * 6 + [column] * 3 + [less, less, more, more, ragged, wide, long, none, quote]
    for _ in range(chance.choice([1, 1, 1, 2])):
        if rows and rows[0]:
            chance.choice(ways)()
    end = chance.choice(["\n"] * 6 + ["\r\n", "\r", "\n\n", "\x85", "\u2028", ";\n"])
    joined = end.join(chance.choice([","] * 20 + [";", "\t", "|"]).join(row) for row in rows)
    content = joined.encode("utf-8", "surrogatepass")
    return content if chance.random() < 0.75 else broken_bytes(chance, content)


def _cell(chance: Random) -> str:
    return str(chance.choice([*ODD_TEXTS, *ODD_NUMBERS])).replace(",", ";")


def with_header(header: bytes, rest: bytes, length: int | None = None) -> bytes:
    """A safetensors file whose header says that it is so long."""
    said = len(header) if length is None else length
    return struct.pack("<Q", said % 2**64) + header + rest


def broken_tensors(chance: Random, content: bytes) -> bytes:
    """A safetensors file whose header is another, or not as long as it says."""
    size = struct.unpack("<Q", content[:8])[0]
    header, rest = content[8 : 8 + size], content[8 + size :]
    match chance.randrange(4):
        case 0:
            length = chance.choice([0, 1, size - 1, size + 1, 2**31, 2**62, 2**64 - 1])
            return with_header(header, rest, length)
        case 1:
            return broken_bytes(chance, content)
        case 2:
            return with_header(broken_json(chance, json.loads(header)), rest)
    document = json.loads(header)
    own = json.loads(document["__metadata__"]["foxnas"])
    document["__metadata__"]["foxnas"] = broken_json(chance, own).decode("utf-8", "replace")
    return with_header(json.dumps(document).encode(), rest)
