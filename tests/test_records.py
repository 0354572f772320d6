"""What a record's class tells of its file, and back."""

import json
import math
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal

import pytest
from conftest import REPOSITORY
from hypothesis import given, settings
from hypothesis import strategies as st

from foxnas_core.records import (
    CHOICE_PAIRS,
    CHOICES,
    RecordKind,
    Stored,
    architectures_in,
    or_nan,
)
from foxnas_core.space.architecture import Architecture
from foxnas_core.study import open_study
from foxnas_core.study.parts import collections, kinds

FOLDERS = sorted({path.parent for path in (REPOSITORY / "data").glob("*/space.json")})
SHARED = REPOSITORY.parent / "shared" / "data"
FOLDERS += sorted({path.parent for path in SHARED.glob("*/space.json")})

numbers = st.floats(allow_nan=False, allow_infinity=False)
texts = st.text(max_size=5)
architectures = st.dictionaries(st.text(min_size=1, max_size=3), st.integers(0, 9), min_size=1).map(
    Architecture.from_mapping
)


@dataclass(frozen=True)
class Part:
    one: Annotated[float, Stored("einz", read=or_nan)]
    two: Annotated[int, Stored(under="inner")]
    three: Annotated[tuple[str, ...], Stored(under="inner")]
    kind: Literal["a", "b"] = "a"
    coded: Annotated[dict[str, int] | None, Stored(names={"": "none", ":x": "ex"})] = None


@dataclass(frozen=True)
class Whole:
    name: str
    shown: Annotated[Architecture, CHOICE_PAIRS]
    also: Annotated[Architecture | None, replace(CHOICES, key="also")]
    plain: Architecture
    parts: tuple[Part, ...] = ()
    by_name: dict[str, Part] = field(default_factory=dict)
    pairs: tuple[tuple[str, float], ...] = ()
    perhaps: float | None = None

    def __post_init__(self) -> None:
        if self.name == "wrong":
            raise ValueError("it is wrong")


WHOLE = RecordKind[Whole | None]("whole.json", Whole, "a whole")
parts = st.builds(
    Part,
    one=numbers,
    two=st.integers(-5, 5),
    three=st.lists(texts, max_size=2).map(tuple),
    coded=st.none() | st.fixed_dictionaries({"": st.integers(0, 9), ":x": st.integers(0, 9)}),
)
wholes = st.builds(
    Whole,
    name=texts,
    shown=architectures,
    also=st.none() | architectures,
    plain=architectures,
    parts=st.lists(parts, max_size=3).map(tuple),
    by_name=st.dictionaries(texts, parts, max_size=2),
    pairs=st.lists(st.tuples(texts, numbers), max_size=2).map(tuple),
    perhaps=st.none() | numbers,
)


@given(wholes)
@settings(deadline=None)  # the first example reads the class
def test_a_record_comes_back_as_it_was(whole):
    text = WHOLE.text(whole)
    again = WHOLE.value(json.loads(text))
    assert again == whole and WHOLE.text(again) == text
    held = {whole.shown, whole.plain, *([whole.also] if whole.also else [])}
    assert set(architectures_in(whole)) == held


def test_a_class_tells_how_its_file_reads():
    choices = Architecture((("b", 1), ("a", "x")))
    part = Part(math.nan, 2, ("x",), coded={"": 1, ":x": 2})
    whole = Whole("n", choices, None, choices, (part,), {"p": part}, (("x", 1.0),))
    written = {
        "einz": None,
        "inner": {"two": 2, "three": ["x"]},
        "kind": "a",
        "coded": {"none": 1, "ex": 2},
    }
    assert WHOLE.document(whole) == {
        "format": 1, "name": "n", "id": choices.id, "choices": [["b", 1], ["a", "x"]], "also": None,
        "plain": {"id": choices.id, "choices": {"b": 1, "a": "x"}},
        "parts": [written], "by_name": {"p": written}, "pairs": [["x", 1.0]], "perhaps": None,
    }  # fmt: skip


PART = {"einz": 1, "inner": {"two": 2, "three": []}, "kind": "a", "coded": None}
GOOD = {
    "format": 1, "name": "n", "id": "0" * 12, "choices": [["a", 1]], "also": None,
    "plain": {"id": "x", "choices": {"a": 1}},
    "parts": [PART],
    "by_name": {}, "pairs": [], "perhaps": None,
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": 2}, "^format 2 is not 1$"),
        ({"format": None}, "^format None is not 1$"),
        ({"name": 3}, "^name: 3 is no text$"),
        ({"name": "wrong"}, "^it is wrong$"),
        ({"choices": "x"}, "^choices: "),
        ({"choices": [["a", None]]}, "^choices: None is no "),
        ({"plain": {}}, "^plain: choices is missing$"),
        ({"parts": 3}, "^parts: "),
        ({"parts": [3]}, r"^parts\[0\]: "),
        ({"parts": [{"einz": 1, "kind": "a"}]}, r"^parts\[0\].inner: None is no object$"),
        ({"parts": [PART | {"kind": "c"}]}, r"^parts\[0\]\.kind: 'c' is none of a, b$"),
        ({"parts": [PART | {"einz": True}]}, r"^parts\[0\]\.einz: True is no number$"),
        ({"parts": [PART | {"einz": 10**400}]}, r"^parts\[0\]\.einz: .* not finite$"),
        ({"pairs": [["x"]]}, r"^pairs\[0\]"),
        ({"by_name": {"\x1b[31m": 3}}, r"^by_name\.\?\[31m: 3 is no object$"),
        (
            {"parts": [PART | {"coded": {"none": 1}}]},
            r"^parts\[0\].coded.ex is missing$",
        ),
        ({"perhaps": "x" * 9999}, "^perhaps: "),
    ],
)
def test_what_is_no_record_is_refused_in_a_short_sentence(change, said):
    with pytest.raises(ValueError, match=said) as refused:
        WHOLE.value(GOOD | change)
    assert str(refused.value).isprintable() and len(str(refused.value)) <= 200


@pytest.mark.parametrize("document", [None, [], "x", 3, {}, {"format": 1}])
def test_what_is_no_record_at_all_is_refused(document):
    with pytest.raises(ValueError, match="no object|is not 1|is missing"):
        WHOLE.value(document)


def test_every_kind_has_a_file_of_its_own():
    files = [kind.file for kind in (*kinds(), *collections())]
    assert len(set(files)) == len(files) and all(kind.about for kind in kinds())


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_records_of_shipped_studies_are_written_as_they_are(folder):
    study = open_study(folder)
    for kind in kinds():
        if study.file(kind).exists():
            assert kind.text(study.record(kind)) == study.file(kind).read_text(), kind.file
    for kind in collections():
        for record_id in study.ids(kind):
            path = study.file(kind) / f"{record_id}.json"
            assert kind.text(study.kept(kind, record_id)) == path.read_text(), path
