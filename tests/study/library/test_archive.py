"""Studies as one file: what comes back is what went in, and nothing else comes in."""

import errno
import io
import json
import random
import shutil
import stat
import struct
import zipfile

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import DEMO, tiny_document
from hand import hand_document, hand_space, noisy_table
from zips import zipped

from foxnas_core.errors import FoxnasError, InvalidInput, NotWritable
from foxnas_core.families import space_from_dict
from foxnas_core.search.result import SEARCHES, SearchResult
from foxnas_core.search.schedule import AnnealingSettings
from foxnas_core.study import create_study, list_studies, open_study
from foxnas_core.study.library import (
    archive,
    bring_in,
    content_of,
    duplicate,
    pack,
    placing,
    write_archive,
)
from foxnas_core.study.parts import FILES, parts_of
from foxnas_core.table.files import to_parquet_bytes
from tests.search.additive import mini_problem

HAND = hand_space()


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A study of a table and of two kept searches."""
    study = create_study(
        tmp_path_factory.mktemp("own") / "hand", HAND, name="<b>Hand</b>",
        table=noisy_table(HAND, 40),
    )  # fmt: skip
    problem = mini_problem()
    best = problem.candidate(0, [0, 0, 0])
    for seed in (0, 1):
        settings = AnnealingSettings(seed=seed)
        study.keep(SEARCHES, SearchResult.of(problem, settings, best, best, 1, pd.DataFrame()))
    return study


@pytest.fixture
def at_once(monkeypatch):
    """Hundreds of imports need not wait for the disk each time."""
    monkeypatch.setattr(placing.os, "fsync", lambda handle: None)


@pytest.fixture
def studies(tmp_path):
    """A folder with a study in it, which no import may touch."""
    folder = tmp_path / "studies"
    create_study(folder / "other", HAND, name="Other")
    return folder


def state(folder) -> dict:
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


def files_of(study) -> dict[str, bytes]:
    return {name: path.read_bytes() for name, path in parts_of(study.folder).items()}


def refused(studies, content: bytes) -> str:
    """The sentence; the folder is as it was."""
    before = state(studies)
    with pytest.raises(FoxnasError) as caught:
        bring_in(studies, io.BytesIO(content), label="their.zip")
    assert state(studies) == before
    said = str(caught.value)
    assert said.startswith("their.zip can't be imported") and str(studies) not in said
    assert "\n" not in said and len(said) < 500
    return said


def test_a_study_comes_back_as_it_went(study, studies):
    content = pack(study)
    assert content_of(io.BytesIO(content), "x").study == "hand"
    found = bring_in(studies, io.BytesIO(content), label="hand.zip")
    assert files_of(found) == files_of(study)
    assert (found.name, found.ids(SEARCHES)) == (study.name, study.ids(SEARCHES))
    assert pack(found) == content
    assert [path.name for path in list_studies(studies)] == ["hand", "other"]
    assert not list(studies.glob(".new-*"))


def test_equal_studies_give_equal_bytes(study, studies, tmp_path):
    shutil.copytree(study.folder, tmp_path / "hand", copy_function=shutil.copy2)
    (tmp_path / "hand" / "training-state.safetensors").write_bytes(b"not taken along")
    assert pack(open_study(tmp_path / "hand")) == pack(study)
    with (tmp_path / "hand.zip").open("w+b") as file:
        write_archive(study, file)
    assert (tmp_path / "hand.zip").read_bytes() == pack(study)
    with zipfile.ZipFile(tmp_path / "hand.zip") as whole:
        assert whole.testzip() is None and set(whole.namelist()) == {
            "study.json", "space.json", "measurements.parquet", "manifest.json",
            *(f"searches/{i}.json" for i in study.ids(SEARCHES)),
        }  # fmt: skip


def test_the_shipped_study_goes_round_with_weights_and_images(studies):
    demo = open_study(DEMO)
    found = bring_in(studies, io.BytesIO(pack(demo)), label="demo.zip", name="mine")
    assert files_of(found) == files_of(demo) and found.folder.name == "mine"


def repaired(content: bytes, name: str, part: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as whole:
        files = {n: whole.read(n) for n in whole.namelist() if n != "manifest.json"}
    return zipped({**files, name: part})


@pytest.mark.parametrize("wrong", ["no study's", "cut", "a part"])
def test_what_a_refusal_advises_helps(study, studies, wrong):
    content, optima = pack(study), to_parquet_bytes(noisy_table(HAND, 3))
    broken, advice = {
        "no study's": (zipped({"x.txt": b"x"}), "name a file as 'study export' writes it."),
        "cut": (content[:-30], "export the study once more."),
        # Another export of it would be refused as well.
        "a part": (
            repaired(content, "optima.parquet", optima),
            "mend that in the study that it was exported from, and export it again.",
        ),
    }[wrong]
    assert refused(studies, broken).endswith(advice)
    assert files_of(bring_in(studies, io.BytesIO(pack(study)), label="x")) == files_of(study)


def test_a_clash_asks_for_another_name(study, studies):
    content = pack(duplicate(study.folder.parent, "hand", "other"))
    before = state(studies)
    with pytest.raises(InvalidInput, match="There is a 'other' in .* take another name"):
        bring_in(studies, io.BytesIO(content), label="other.zip")
    assert state(studies) == before
    assert bring_in(studies, io.BytesIO(content), label="x", name="new").folder.name == "new"


def test_a_zip_that_was_packed_anew_is_read(study, studies):
    content = zipped(files_of(study), compress=zipfile.ZIP_DEFLATED)
    assert files_of(bring_in(studies, io.BytesIO(content), label="x")) == files_of(study)


@pytest.mark.parametrize("name", ["../evil", "/etc", "a/b", "", "con", ".trash", "a" * 65, "<b>"])
def test_a_name_in_the_archive_never_is_a_path(study, studies, name):
    before = state(studies)
    with pytest.raises(InvalidInput, match="can't name a study|device's name"):
        bring_in(studies, io.BytesIO(zipped(files_of(study), name=name)), label="x")
    assert state(studies) == before


@pytest.mark.parametrize(
    "name",
    ["../evil", "/etc/passwd", "a/../../evil", "..\\evil", "C:\\evil", "searches/../../evil",
     "searches/", "searches/x.json", "./space.json", "SPACE.JSON", "inner.zip", ".lock",
     "trust/state", "training-state.safetensors", "trust.json\x00.txt", "<script>x</script>"],
)  # fmt: skip
def test_files_that_no_study_has_are_refused(study, studies, name):
    written = name.replace("\0", "\1")  # at which Python's own writer would cut the name off
    content = zipped({**files_of(study), written: b"x"})
    said = refused(studies, content.replace(written.encode(), name.encode()))
    assert "which no study has" in said
    assert not (studies.parent / "evil").exists()


def entry_with(study, *, mode=0, flags=0, method=None) -> bytes:
    """An archive one entry of which says something of itself, in both of its headers."""
    content = bytearray(zipped(files_of(study)))
    central = content.index(b"PK\x01\x02")
    if flags:
        content[6] |= flags
        content[central + 8] |= flags
    if method is not None:
        content[8] = content[central + 10] = method
    if mode:
        content[central + 5] = 3
        content[central + 38 : central + 42] = struct.pack("<L", mode << 16)
    return bytes(content)


@pytest.mark.parametrize(
    ("how", "words"),
    [({"mode": stat.S_IFLNK | 0o777}, "is a link"), ({"mode": stat.S_IFIFO | 0o600}, "is a link"),
     ({"flags": 0x1}, "is encrypted"), ({"flags": 0x20}, "packed in a way"),
     ({"flags": 0x40}, "packed in a way"), ({"method": zipfile.ZIP_LZMA}, "packed in a way"),
     ({"method": 97}, "packed in a way")],
)  # fmt: skip
def test_links_and_odd_packings_are_refused(study, studies, how, words):
    assert words in refused(studies, entry_with(study, **how))


def test_a_name_that_comes_twice_is_refused(study, studies):
    buffer = io.BytesIO()
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(buffer, "w") as target:
        for content in (b"{}", b"[]"):
            target.writestr("space.json", content)
    assert "'space.json' twice" in refused(studies, buffer.getvalue())


def test_bombs_are_refused(study, studies):
    zeros = bytes(8 << 20)
    deflated = zipped({**files_of(study), "rounds.json": zeros}, compress=zipfile.ZIP_DEFLATED)
    assert len(deflated) < 100_000 and "more than 200 times its size" in refused(studies, deflated)
    large = zipped({**files_of(study), "rounds.json": bytes(9 << 20)})
    assert "a rounds.json of more than 8,192 kB" in refused(studies, large)
    searches = {f"searches/{i:012x}.json": b"{}" for i in range(1001)}
    many = zipped({**files_of(study), **searches})
    assert "more than 1,000 kept searches" in refused(studies, many)
    assert "files" in refused(studies, zipped({f"{i}" * 9: b"" for i in range(20_000)}))


def test_files_that_overlap_are_refused(study, studies):
    """Entries that share their bytes unfold to more than the archive holds."""
    content = bytearray(zipped(files_of(study)))
    places = []
    at = content.index(b"PK\x01\x02")
    while content[at : at + 4] == b"PK\x01\x02":
        name, extra, comment = struct.unpack("<HHH", content[at + 28 : at + 34])
        places.append(at)
        at += 46 + name + extra + comment
    for place in places:
        content[place + 20 : place + 24] = struct.pack("<L", len(content) - 1000)
    assert "overlap" in refused(studies, bytes(content))


@pytest.mark.parametrize("what", ["in front", "comment", "cut", "empty", "no zip", "a directory"])
def test_what_is_no_plain_zip_is_refused(study, studies, what):
    content = pack(study)
    refused(
        studies,
        {
            "in front": b"#!/bin/sh\n" * 10 + content[:-1],
            "comment": content[:-2] + b"\x05\x00hello",
            "cut": content[: len(content) // 2],
            "empty": b"",
            "no zip": b"\x89PNG\r\n" * 100,
            "a directory": zipped({}),
        }[what],
    )


def test_archives_above_4_gb_are_not_read(study, studies):
    content = pack(study)
    locator = b"PK\x06\x07" + bytes(16)
    assert "more than 4 GB" in refused(studies, content[:-22] + locator + content[-22:])


def test_what_differs_from_the_list_is_refused(study, studies):
    files = files_of(study)
    swapped = {**files, "study.json": files["study.json"][:-1] + b" "}
    assert "is not what manifest.json says" in refused(studies, zipped(swapped, listed=files))
    fewer = {name: content for name, content in files.items() if name != "study.json"}
    assert "are not those that manifest.json lists" in refused(studies, zipped(fewer, listed=files))
    assert "are not those" in refused(studies, zipped(files, listed=fewer))


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", "null", '{"kind": "other"}', '{"kind": "foxnas-study"}', "[" * 100_000,
     '{"kind": "foxnas-study", "format": 1, "study": 3, "files": []}',
     '{"kind": "foxnas-study", "format": 1, "study": "a", "files": [3]}',
     '{"kind": "foxnas-study", "format": 1, "study": "a", "files": {"name": 1}}'],
)  # fmt: skip
def test_a_wrong_manifest_is_refused(study, studies, text):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        target.writestr("space.json", files_of(study)["space.json"])
        target.writestr("manifest.json", text)
    assert "manifest.json is no list of a study's files" in refused(studies, buffer.getvalue())


def test_a_later_format_is_told(study, studies):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        target.writestr("manifest.json", '{"kind": "foxnas-study", "format": 2}')
    assert "format 2, of which this version reads 1" in refused(studies, buffer.getvalue())


def test_a_zip_of_something_else_says_so(studies):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        target.writestr("space.json", "{}")
    assert "has no manifest.json, so it is no study's" in refused(studies, buffer.getvalue())


def parquet(frame: pa.Table, **options) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(frame, buffer, **options)
    return buffer.getvalue()


def wide_texts() -> bytes:
    """A few kilobytes of parquet that unfold to 10 GB."""
    texts = pa.DictionaryArray.from_arrays(
        pa.array([0] * 10_000, pa.int32()), pa.array(["x" * 1_000_000])
    )
    return parquet(pa.table({"id": texts}), compression="zstd", store_schema=False)


def broken_parts(study) -> list[tuple[str, bytes | None, str]]:
    files = files_of(study)
    other = space_from_dict(tiny_document())
    table = study.table()
    rows = table.frame.assign(accuracy=170.0)
    [search, _] = [name for name in files if name.startswith("searches/")]
    tensors = (DEMO / "supernet.safetensors").read_bytes()
    images = (DEMO / "images.npz").read_bytes()
    many = io.BytesIO()
    with zipfile.ZipFile(many, "w", zipfile.ZIP_DEFLATED) as target:
        for name in ("calibration_images", "held_out_images"):
            header = b"{'descr': '|u1', 'fortran_order': False, 'shape': (1000000, 99, 99), }"
            header += b" " * (117 - len(header)) + b"\n"
            content = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header
            target.writestr(f"{name}.npy", content)
            target.writestr(f"{name[:-6]}labels.npy", content)
    return [
        ("space.json", None, "has no space.json"),
        ("space.json", b"{", "space.json is no valid JSON"),
        ("space.json", b"{}", "space.json: The search space has format None"),
        ("space.json", json.dumps(hand_document() | {"decisions": 3}).encode(), "space.json"),
        ("space.json", json.dumps(tiny_document()).encode(), "holds subnets of space 'hand'"),
        ("study.json", b"[]", "study.json must be a JSON object"),
        ("study.json", b'{"name": 3}', "A study's name must be text"),
        ("study.json", json.dumps({"name": "\u202egpj"}).encode(), "without control characters"),
        ("study.json", json.dumps({"name": "x" * 101}).encode(), "at most 100 characters"),
        ("measurements.parquet", b"PAR1", "measurements.parquet can't be read as parquet"),
        ("measurements.parquet", files["measurements.parquet"][:-9] + b"\xff" * 9, "parquet"),
        ("measurements.parquet", to_parquet_bytes(noisy_table(other, 5)), "of space 'tiny'"),
        ("measurements.parquet", parquet(pa.Table.from_pandas(rows)), "has accuracy = 170.0"),
        ("measurements.parquet", wide_texts(), "unfolds to more than"),
        ("measurements.parquet", parquet(pa.table({"id": [[1]]})), "has lists in its cells"),
        ("optima.parquet", b"x", "optima.parquet can't be read"),
        ("rounds.json", b"{}", "rounds.json is damaged"),
        ("rounds.json", b"[" * 100_000, "rounds.json is damaged"),
        ("trust.json", b"null", "trust.json is damaged"),
        ("claims.json", b"null", "claims.json is damaged"),
        ("claims.json", b"[" * 100_000, "claims.json is damaged"),
        ("variants.json", b"[]", "variants.json is damaged"),
        ("handmade.json", b"{}", "handmade.json is damaged"),
        (search, b"{}", f"{search} is damaged"),
        (search, b"[" * 100_000, f"{search} is damaged"),
        (search, files[search].replace(b'"', b"'", 3), f"{search} is damaged"),
        ("supernet.safetensors", b"x" * 100, "supernet.safetensors is damaged"),
        ("supernet.safetensors", tensors[:-1], "supernet.safetensors is damaged"),
        ("supernet.safetensors", b"\xff" * 7 + b"\0" + tensors, "supernet.safetensors is damaged"),
        ("supernet.safetensors", tensors, "was trained on space 'foxnas-mini'"),
        ("images.npz", b"PK", "images.npz is no complete archive"),
        ("images.npz", images[:-30], "images.npz is no complete archive"),
        ("images.npz", many.getvalue(), "images.npz is no complete archive"),
    ]  # fmt: skip


def test_what_can_not_be_read_as_a_study_is_refused(study, studies):
    for name, content, words in broken_parts(study):
        files = files_of(study)
        files.pop(name, None)
        if content is not None:
            files[name] = content
        said = refused(studies, zipped(files))
        assert words in said, (name, words, said)


def test_broken_archives_are_refused_and_leave_no_trace(study, studies, at_once):
    """600 archives, each broken at random; those that differ in what nobody reads come in whole."""
    chance = random.Random(0)
    content = pack(study)
    directory = content.rindex(b"PK\x05\x06")
    directory = struct.unpack("<L", content[directory + 16 : directory + 20])[0]
    own, before, refusals = files_of(study), state(studies), 0

    def cut(data: bytearray) -> None:
        del data[chance.randrange(len(data)) :]

    def flip(data: bytearray) -> None:
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)

    def flip_directory(data: bytearray) -> None:
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(directory, len(data))] = chance.randrange(256)

    def remove(data: bytearray) -> None:
        at = chance.randrange(len(data))
        del data[at : at + chance.randint(1, 500)]

    def insert(data: bytearray) -> None:
        at = chance.randrange(len(data))
        data[at:at] = chance.randbytes(chance.randint(1, 500))

    def overwrite(data: bytearray) -> None:
        at = chance.randrange(len(data))
        piece = chance.randbytes(chance.randint(1, 200))
        data[at : at + len(piece)] = piece

    def swap(data: bytearray) -> None:
        one, other = sorted(chance.sample(range(len(data)), 2))
        data[one:other] = data[one:other][::-1]

    for number in range(600):
        data = bytearray(content)
        [cut, flip, flip_directory, remove, insert, overwrite, swap][number % 7](data)
        try:
            found = bring_in(studies, io.BytesIO(bytes(data)), label="x.zip")
        except FoxnasError:
            refusals += 1
        else:
            assert files_of(found) == own
            shutil.rmtree(found.folder)
        assert state(studies) == before
    assert refusals >= 500


def test_broken_parts_under_a_true_list_are_one_sentence_too(study, studies, at_once):
    """150 archives whose sizes and digests hold, so that the readers of the parts judge them."""
    chance = random.Random(1)
    before, refusals = state(studies), 0
    names = [name for name in files_of(study) if name != "measurements.parquet"]
    names += ["measurements.parquet"] * 4 + ["supernet.safetensors", "images.npz"]
    extra = {name: (DEMO / name).read_bytes()[:3000] for name in names[-2:]}
    for _ in range(150):
        files = files_of(study)
        name = chance.choice(names)
        data = bytearray(files.get(name) or extra[name])
        for _ in range(chance.randint(1, 5)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        files[name] = bytes(data)
        try:
            found = bring_in(studies, io.BytesIO(zipped(files)), label="x.zip")
        except FoxnasError as error:
            refusals += 1
            assert "\n" not in str(error)
        else:
            shutil.rmtree(found.folder)
        assert state(studies) == before
    assert refusals >= 75


def test_a_disk_that_fills_up_leaves_nothing_behind(study, studies, monkeypatch):
    before = state(studies)

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(placing.os, "fsync", full)
    with pytest.raises(NotWritable, match="free some space there and do it again"):
        bring_in(studies, io.BytesIO(pack(study)), label="x")
    with pytest.raises(NotWritable, match="free some space there and do it again"):
        duplicate(studies, "other", "copy")
    assert state(studies) == before


def test_read_only_mode_imports_nothing(study, studies, monkeypatch):
    content = pack(study)
    before = state(studies)
    monkeypatch.setenv("FOXNAS_READ_ONLY", "1")
    with pytest.raises(NotWritable, match="read-only"):
        bring_in(studies, io.BytesIO(content), label="x")
    assert state(studies) == before


def test_what_is_too_large_for_an_archive_is_said_when_it_is_made(study, monkeypatch):
    monkeypatch.setitem(FILES, "measurements.parquet", ("", 1000))
    with pytest.raises(InvalidInput, match="hand has a measurements.parquet of more than"):
        pack(study)
    monkeypatch.undo()
    monkeypatch.setattr(archive, "MOST_BYTES", 1000)
    with pytest.raises(InvalidInput, match="of files"):
        pack(study)
