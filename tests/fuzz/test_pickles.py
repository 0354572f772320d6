"""Hostile and broken pickles, imported as a published benchmark: each is refused in one sentence,
nothing that it names is run, and nothing is written."""

import copy
import gzip
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from foxnas_core.errors import FoxnasError
from foxnas_core.families import load_shipped
from foxnas_core.table.importing import read_content
from tests.fuzz.trying import is_one_sentence
from tests.published_file import document, pickled

SPACE = load_shipped("nasbench201")
CANARY = Path("/tmp/foxnas-canary")  # what a pickle that ran would have made
_MADE = f"touch {CANARY}"


def short(text: str) -> bytes:
    """SHORT_BINUNICODE."""
    return b"\x8c" + bytes([len(text)]) + text.encode()


def called(module: str, name: str, *given: bytes) -> bytes:
    """A pickle that calls a global by STACK_GLOBAL and REDUCE."""
    return b"\x80\x04" + short(module) + short(name) + b"\x93(" + b"".join(given) + b"tR."


def array(kind: str, shape: tuple[int, ...], content: bytes) -> bytes:
    """An array of NumPy's with whatever state."""

    class Sham:
        def __reduce__(self) -> Any:
            made = np.empty(0).__reduce__()
            return (*made[:2], (1, shape, np.dtype(kind), False, content))

    return pickle.dumps({"nasbench201": Sham()}, protocol=4)


def layout(path: tuple[Any, ...], value: Any) -> bytes:
    """The published layout with one thing replaced."""
    found: Any = {"nasbench201": copy.deepcopy(document()["nasbench201"])}
    place = found
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return pickle.dumps(found)


def laughing(levels: int = 40) -> Any:
    found: list[Any] = [1.0]
    for _ in range(levels):
        found = [found, found]
    return {"nasbench201": {"cifar10": {"raspi4_latency": found}}}


def own() -> Any:
    found: list[Any] = []
    found.append(found)
    return found


COMMAND = short(_MADE)
CODE = short(f"open({str(CANARY)!r}, 'w')")
CIFAR = ("nasbench201", "cifar10")
STATE = b"}" + short("__call__") + short("x") + b"s"
RUNS = {
    "system": called("os", "system", COMMAND),
    "system by its own module": b"\x80\x02cposix\nsystem\n(X" + struct.pack("<I", len(_MADE))
    + _MADE.encode() + b"tR.",
    "INST": b"(" + b"S'" + _MADE.encode() + b"'\niposix\nsystem\n.",
    "OBJ": b"(cos\nsystem\n" + b"S'" + _MADE.encode() + b"'\no.",
    "NEWOBJ": b"\x80\x04" + short("subprocess") + short("Popen") + b"\x93" + COMMAND + b"\x85\x81.",
    "eval": called("builtins", "eval", CODE),
    "exec": called("builtins", "exec", CODE),
    "eval of Python 2": called("__builtin__", "eval", CODE),
    "getattr": called("builtins", "getattr", short("x"), short("join")),
    "import": called("builtins", "__import__", short("os")),
    "a dotted name": called("builtins", "list.__class__", short("x")),
    "importlib": called("importlib", "import_module", short("os")),
    "runpy": called("runpy", "run_path", short("/etc/passwd")),
    "a pickle within": called("pickle", "loads", b"C" + bytes([4]) + b"cos\n"),
    "partial": called("functools", "partial", short("x")),
    "attrgetter": called("operator", "attrgetter", short("x")),
    "copyreg": called("copyreg", "_reconstructor", short("x")),
    "a file of NumPy's": called("numpy", "load", short("/etc/passwd")),
    "numpy.f2py": called("numpy.f2py.diagnose", "run_command", COMMAND),
    "a table of pandas": pickle.dumps(pd.DataFrame({"a": [1]})),
    "torch": called("torch._utils", "_rebuild_tensor_v2", short("x")),
    "a set": pickle.dumps({"nasbench201": {1, 2}}),
    "a class": called("builtins", "object"),
    "an encoding that unpacks": called("_codecs", "encode", short("x"), short("zip")),
    "a persistent id": b"\x80\x04" + short("x") + b"Q.",
    "an extension": b"\x80\x02\x82\x01.",
    "a buffer from outside": b"\x80\x05\x97.",
    "a state for a stand-in": b"\x80\x04" + short("_codecs") + short("encode") + b"\x93" + STATE
    + b"b.",
    "a state for a class": b"\x80\x04" + short("collections") + short("OrderedDict") + b"\x93"
    + b"N" + STATE + b"\x86b.",
    "a state for a dictionary": b"\x80\x04}" + STATE + b"b.",
}  # fmt: skip
BREAKS = {
    "nothing": b"",
    "text": b"index,arch,latency\n0,x,1.5\n",
    "cut short": pickled()[:5000],
    "a byte changed": pickled()[:100] + b"\xff" + pickled()[101:],
    "more after its end": pickle.dumps(document()) + b"x",
    "gzip": gzip.compress(pickled()),
    "a protocol to come": b"\x80\x63}.",
    "a frame of exabytes": b"\x80\x04\x95" + b"\xff" * 7 + b"\x0f}.",
    "a text of gigabytes": b"\x80\x04X\xff\xff\xff\x7fab.",
    "a memo of gigabytes": b"\x80\x02]r\xff\xff\xff\x7f.",
    "an endless number": b"I" + b"9" * 5000 + b"\n.",
    "a number of kilobytes": pickle.dumps({"nasbench201": 1 << 9000}),
    "lists that share": pickle.dumps(laughing()),
    "a list within itself": pickle.dumps({"nasbench201": own()}),
    "a deep list": b"\x80\x04" + b"(" * 90_000 + b"l" * 90_000 + b".",
    "half a character": b"\x80\x02X\x03\x00\x00\x00\xed\xa0\x80.",
    "a list as a name": b"\x80\x04}](s.",
    "an array of objects": pickle.dumps({"nasbench201": np.array([{}], dtype=object)}),
    "an array of texts": pickle.dumps({"nasbench201": np.array(["a"])}),
    "an array of records": pickle.dumps({"nasbench201": np.zeros(2, dtype="f4,i4")}),
    "an array of times": pickle.dumps({"nasbench201": np.zeros(2, dtype="M8[s]")}),
    "too few bytes": array("f8", (9,), b"12345678"),
    "half a number": array("f8", (1,), b"1234"),
    "sides below zero": array("f8", (-1, -1), b"12345678"),
    "sides of exabytes": array("f8", (1 << 62, 4), b"12345678"),
    "no dictionary": pickle.dumps([1, 2]),
    "no such space": pickle.dumps({"fbnet": {}}),
    "no such data set": pickle.dumps({"nasbench201": {"svhn": {}}}),
    "no metric": pickle.dumps({"nasbench201": {"cifar10": {}}}),
    "a metric of texts": layout((*CIFAR, "raspi4_latency"), ["a"] * 40),
    "a metric of truths": layout((*CIFAR, "raspi4_latency"), [True] * 40),
    "a metric of rows": layout((*CIFAR, "raspi4_latency"), [[1.0]] * 40),
    "a metric that is too short": layout((*CIFAR, "raspi4_latency"), [1.0]),
    "a latency of minus five": layout((*CIFAR, "raspi4_latency", 3), -5.0),
    "an infinite latency": layout((*CIFAR, "raspi4_latency", 3), float("inf")),
    "no configurations": layout((*CIFAR, "config"), []),
    "configurations of numbers": layout((*CIFAR, "config"), [1] * 40),
    "a cell that is none": layout((*CIFAR, "config", 3, "arch_str"), "|conv~0|"),
    "an odd column": layout((*CIFAR, "accuracy\n"), ["\x00"] * 40),
}  # fmt: skip


def refused(content: bytes) -> str:
    with pytest.raises(FoxnasError) as error:
        read_content("their.pickle", content).of(SPACE).table(SPACE)
    assert is_one_sentence(str(error.value)), str(error.value)[:500]
    assert not CANARY.exists()
    return str(error.value)


@pytest.mark.parametrize("name", RUNS)
def test_nothing_that_a_pickle_asks_for_is_run(name):
    said = refused(RUNS[name])
    assert "asks for" in said or "can't be read as a pickle of plain data" in said


@pytest.mark.parametrize("name", BREAKS)
def test_what_is_broken_is_refused_in_one_sentence(name):
    refused(BREAKS[name])


def test_the_whole_layout_comes_in():
    """Else what is broken of it would be refused for another reason."""
    assert len(read_content("their.pickle", pickled()).of(SPACE).table(SPACE)) == 40
    assert len(RUNS) >= 30
