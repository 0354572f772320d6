"""What is wrong with what somebody brings costs one sentence, before anything is computed, and
leaves nothing behind."""

import gzip
import json
import os
import shutil
import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hand import hand_document, hand_space, noisy_table
from PIL import Image

from foxnas_core.__main__ import main
from foxnas_core.steps import fit as fitting
from foxnas_core.study import create_study, open_study
from foxnas_core.study.library import write_file
from foxnas_core.table.files import to_parquet_bytes
from tests.fuzz.trying import is_one_sentence, state

TABLE = noisy_table(hand_space(), 30)
SUBNET = TABLE.frame["id"][0]
BIG = {
    "format": 1, "name": "big", "family": "listed", "context": list("abcd"),
    "decisions": [
        {"name": name, "group": name, "role": "width", "choices": list(range(1, 1001))}
        for name in "abcd"
    ],
}  # fmt: skip


@pytest.fixture(autouse=True)
def study(tmp_path, monkeypatch) -> Path:
    """A study `own` beside which what is wrong lies; no export, no meter and no fit must begin."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "foxnas_core.steps.export", None)
    monkeypatch.setitem(sys.modules, "foxnas_core.measurement.device_meters", None)
    monkeypatch.setattr(fitting, "fit", None)
    return create_study(tmp_path / "own", hand_space(), name="Own", table=TABLE).folder


def weights(content: bytes) -> Callable[[Path], list[str]]:
    def prepare(folder: Path) -> list[str]:
        (folder / "own" / "supernet.safetensors").write_bytes(content)
        return ["export", "--study", "own", "--architecture", SUBNET, "--out", "out"]

    return prepare


def unwritable(folder: Path) -> list[str]:
    (folder / "file").touch()
    return ["export", "--study", "own", "--architecture", SUBNET, "--out", "file/out"]


def budget(text: str) -> Callable[[Path], list[str]]:
    return lambda _: ["search", "--study", "own", f"--latency-budget={text}"]


def pictures(folder: Path) -> list[str]:
    for number in range(20):
        path = folder / "pictures" / str(number % 10) / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (28, 28), number).save(path)
    return ["train", "--study", "new", "--data", "pictures", "--space", "foxnas-mini"]


def a_huge_picture(folder: Path) -> list[str]:
    """Of which there is the header alone: what it promises is not to be unfolded."""
    parts = {b"IHDR": struct.pack(">2I5B", 13_000, 13_000, 8, 0, 0, 0, 0), b"IDAT": b""}
    content = b"\x89PNG\r\n\x1a\n"
    for name, body in parts.items():
        seal = struct.pack(">I", zlib.crc32(name + body))
        content += struct.pack(">I", len(body)) + name + body + seal
    (folder / "pictures" / "0").mkdir(parents=True)
    (folder / "pictures" / "0" / "huge.png").write_bytes(content)
    return ["train", "--study", "new", "--data", "pictures", "--space", "foxnas-mini"]


def few_images(folder: Path) -> list[str]:
    (folder / "few").mkdir()
    for part in ("train", "t10k"):
        labels = struct.pack(">2I", 2049, 2) + bytes(2)
        pixels = struct.pack(">4I", 2051, 2, 28, 28) + bytes(2 * 784)
        for what, content in (("images-idx3", pixels), ("labels-idx1", labels)):
            (folder / "few" / f"{part}-{what}-ubyte.gz").write_bytes(gzip.compress(content))
    return ["train", "--study", "new", "--data", "few", "--space", "foxnas-mini"]


def no_weights(folder: Path) -> list[str]:
    """What begins as torch's files do, and needs no torch to be refused."""
    few_images(folder)
    (folder / "w.pth").write_bytes(b"\x80\x02garbage")
    return ["import-weights", "w.pth", "--study", "new", "--data", "few", "--space", "foxnas-mini"]


def optima(folder: Path) -> list[str]:
    (folder / "own" / "optima.parquet").write_bytes(to_parquet_bytes(TABLE))
    return ["search", "--study", "own", "--latency-budget", "6"]


def about(document: str) -> Callable[[Path], list[str]]:
    def prepare(folder: Path) -> list[str]:
        (folder / "own" / "study.json").write_text(document)
        return ["fit", "--study", "own"]

    return prepare


def context(folder: Path) -> list[str]:
    (folder / "big.json").write_text(json.dumps(BIG))
    return ["study", "create", "big", "--space", "big.json", "--studies", "."]


def table(name: str, content: str) -> Callable[[Path], list[str]]:
    def prepare(folder: Path) -> list[str]:
        (folder / name).write_text(content)
        (folder / "space.json").write_text(json.dumps(hand_document()))
        return ["import", name, "--study", "new", "--space", "space.json"]

    return prepare


def pipe(name: str, *arguments: str) -> Callable[[Path], list[str]]:
    """A command that would wait for what nobody writes."""

    def prepare(folder: Path) -> list[str]:
        (folder / name).parent.mkdir(exist_ok=True)
        os.mkfifo(folder / name)
        return list(arguments)

    return prepare


HEADER = "p_depth,p1_kernel,p2_kernel,q1_kernel,accuracy"
CASES: dict[str, tuple[Callable[[Path], list[str]], str]] = {
    "damaged weights": (weights(b"\x10" + b"\0" * 7 + b"{" * 20), "is damaged or no FOX-NAS"),
    "weights of no bytes": (weights(b""), "is damaged or no FOX-NAS"),
    "a header of exabytes": (weights(b"\xff" * 40), "is damaged or no FOX-NAS"),
    "no weights": (
        lambda _: ["export", "--study", "own", "--architecture", SUBNET, "--out", "out"],
        "has no supernet weights",
    ),
    "an unwritable place": (unwritable, "can't be written"),
    "a report in an unwritable place": (
        lambda _: ["report", "--study", "own", "--out", "own/space.json/x"],
        "can't be written",
    ),
    **{
        f"a budget of {text}": (budget(text), "it must be a finite number above 0")
        for text in ("nan", "inf", "-1", "0", "1e-320")
    },
    "a report on a budget of nan": (
        lambda _: ["report", "--study", "own", "--latency-budget", "nan", "--out", "r.html"],
        "it must be a finite number above 0",
    ),
    "an analysis under a budget of nan": (
        lambda _: ["explain", "--study", "own", "--analysis", "home-answer",
                   "--budget", "nan"],
        "it must be a finite number above 0",
    ),
    **{
        f"images that are nowhere, of {command[0]}": (
            lambda _, command=command: [*command, "--study", "own", "--data", "nowhere"],
            "There are no images at nowhere; name others with --data.",
        )
        for command in (["train"], ["trust"], ["import-weights", "w.pth"])
    },
    "a device that is none": (
        lambda _: ["measure", "--study", "own", "--device", "nonsense"],
        "'nonsense' is no device; give onnxruntime",
    ),
    "no pictures to train on": (few_images, "none is left to train on; give more"),
    "weights that are none": (
        no_weights, "it is no whole zip, pickle or tar of torch's); save the state dict alone",
    ),
    "twenty pictures": (pictures, "10 training images are fewer than one batch of 128; give more"),
    "a huge picture": (a_huge_picture, "has 13,000 by 13,000 pixels, more than 50 million"),
    "measurements as optima": (optima, "optima.parquet has no column 'budget'"),
    "a later format": (about('{"format": 99}'), "has format 99; this version reads 1"),
    "a format of true": (about('{"format": true}'), "has format True; this version reads 1"),
    "a wide context": (context, "1,000,000,000,000 combinations of choices"),
    "a pipe as a table": (pipe("x.csv", "import", "x.csv", "--study", "own"), "is no file, but"),
    "a pipe as a zip": (
        pipe("x.zip", "study", "import", "x.zip", "--studies", "."), "it is a folder, a pipe or a",
    ),
    "a pipe as a space": (
        pipe("x.json", "study", "create", "new", "--space", "x.json", "--studies", "."),
        "x.json can't be read",
    ),
    "a pipe as an architecture": (
        pipe("x.json", "counterfactual", "--study", "own", "--architecture", "x.json",
             "--save", "1%"),
        "x.json can't be read",
    ),
    "a pipe among images": (
        pipe("images/train-images-idx3-ubyte.gz", "train", "--study", "new", "--data", "images",
             "--space", "foxnas-mini"),
        "is missing or damaged",
    ),
    "NUL in a header": (table("t.csv", HEADER + "\0\n1,3,,3,70\n"), "line 1, holds a NUL"),
    "a line break in a header": (table("t.csv", f'{HEADER},"a\nb"\n1,3,,3,70,1\n'), "names a col"),
    "NUL in a key": (table("t.jsonl", '{"a\\u0000": 1, "accuracy": 70}\n'), "names a column"),
    "a line break in a key": (table("t.json", '[{"a\\nb": 1, "accuracy": 70}]'), "names a column"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_one_sentence_and_nothing_left(name: str, tmp_path, capsys):
    prepare, said = CASES[name]
    arguments = prepare(tmp_path)
    before = state(tmp_path)
    assert main(arguments) == 2
    told = capsys.readouterr().err.partition(": ")[2].strip()
    assert said in told and is_one_sentence(told)
    assert state(tmp_path) == before
    assert not (tmp_path / "new").exists() and not (tmp_path / "big").exists()


def test_two_dashes_are_no_name(study, tmp_path, capsys):
    write_file(open_study(study), tmp_path / "z.zip")
    with pytest.raises(SystemExit) as ended:
        main(["study", "import", "z.zip", "--as=--", "--studies", "."])
    assert ended.value.code == 2
    assert capsys.readouterr().err.strip().endswith("argument --as: expected one argument")


def test_a_table_in_the_place_of_optima_comes_in_by_no_zip(study, tmp_path, capsys):
    shutil.copy(study / "measurements.parquet", study / "optima.parquet")
    write_file(open_study(study), tmp_path / "z.zip")
    assert main(["study", "import", "z.zip", "--as", "new", "--studies", "."]) == 2
    assert "optima.parquet has no column 'budget'" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()
