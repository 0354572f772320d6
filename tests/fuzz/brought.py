"""Further doors: tables in the dialects of spreadsheets, look-up tables, weights, images."""

import gzip
import io
import json
import os
import struct
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file

from foxnas_core.supernet.opened import answer
from foxnas_core.table.importing import ColumnMapping, read_content
from foxnas_core.tasks.dataset import fashion_mnist, image_folder
from tests.fuzz.breaking import broken_bytes, broken_csv, broken_json, odd
from tests.fuzz.doors import DOORS, HAND, PLAIN, TABLE, Door, Refused, check_table, own

COSTS: dict[str, Any] = {
    "p_depth": {"1": 0.0, "2": 0.5}, "p1": {"k3": 1, "k5": 2, "k7": 3},
    "p2_kernel": [10, 20, 30], "q1": {"3": {"mean": 4}, "5": {"mean": 5}, "7": {"mean": 6}},
    "resolution": {"16": 1, "24": 2},
}  # fmt: skip
_MAPPED = ColumnMapping({"latency_ms:phone": "cost"}, {"latency_ms:phone": "ms"})
_CELLS = ("4.1 ms", "4,1 ms", "60,2 %", "60.2 %", "1.000,5", "4,072", "4,072.5", "1.5 M", "3 k")


def make_dialect(chance: Random) -> tuple[str, bytes]:
    """A table as a spreadsheet leaves it, with something wrong."""
    separator = chance.choice(";\t| ,")
    decimal = chance.choice([",", "."]) if separator != "," else "."
    frame = chance.choice([PLAIN, TABLE.frame]).head(8)
    text = frame.to_csv(index=False, sep=separator, decimal=decimal)
    lines = text.splitlines()
    for _ in range(chance.choice([0, 1, 1, 2])):
        at = chance.randrange(len(lines))
        cells = lines[at].split(separator)
        cells[chance.randrange(len(cells))] = chance.choice([*_CELLS, str(odd(chance))[:60]])
        lines[at] = separator.join(cells)
    if chance.random() < 0.3:
        lines.insert(0, chance.choice([f"sep={separator}", "sep=", "# a comment", "sep=;;", ""]))
    content = "\n".join(lines).encode(
        chance.choice(["utf-8", "utf-8-sig", "utf-16", "latin-1"]), "replace"
    )
    name = chance.choice(["table.csv", "table.txt", "table.tsv"])
    return name, content if chance.random() < 0.7 else broken_bytes(chance, content)


def enter_table(folder: Path, broken: tuple[str, bytes]) -> None:
    table = read_content(*broken).of(HAND).table(HAND)
    check_table(table)
    own(folder).add_table(table)


def make_lookup(chance: Random) -> tuple[str, bytes]:
    document = chance.choice([COSTS, {"latency_ms": COSTS}, [list(own) for own in COSTS.values()]])
    name = chance.choice(["costs.json", "costs.yaml"])
    if chance.random() < 0.2:
        return name, broken_bytes(chance, json.dumps(document).encode())
    return name, broken_json(chance, document)


def enter_lookup(_: Path, broken: tuple[str, bytes]) -> None:
    file = read_content(*broken).of(HAND)
    mapping = _MAPPED if "cost" in file.columns else None
    check_table(file.table(HAND, mapping))


def make_keyed(chance: Random) -> tuple[str, bytes]:
    """A further device's latencies by a key of the user's own."""
    frame = TABLE.frame[["id", "latency_ms"]].rename(columns={"latency_ms": "latency_ms:b"})
    names = [f"a{number}" for number in range(len(frame))]
    return "keys.csv", broken_csv(chance, frame.assign(id=names).to_csv(index=False))


def enter_keyed(folder: Path, broken: tuple[str, bytes]) -> None:
    check_table(read_content(*broken).joined(own(folder).table()))


def make_weights(chance: Random) -> bytes:
    tensors = {"a": torch.zeros(2, 3), "b": torch.ones(4)}
    content = chance.choice([tensors, {"state_dict": tensors, "epoch": 3}, [tensors], odd(chance)])
    buffer = io.BytesIO()
    with suppress(RecursionError):  # of what is nested too deep a part is written
        torch.save(content, buffer, _use_new_zipfile_serialization=chance.random() < 0.7)
    return broken_bytes(chance, buffer.getvalue())


def enter_weights(folder: Path, broken: bytes) -> None:
    """In a process of its own, as the studio does: what torch reads may end its process."""
    source, target = folder / "w.pth", folder / "w.safetensors"
    source.write_bytes(broken)
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.close(reader)
        os.write(writer, json.dumps(answer(str(source), str(target), "")).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as told:
        said = told.read()
    os.waitpid(child, 0)
    try:
        found = json.loads(said) if said else {"broken": "it ended"}
        if not found.get("written"):
            raise Refused(json.dumps(found))
        assert all(tensor.numel() < 100 for tensor in load_file(target).values())
    finally:
        source.unlink()
        target.unlink(missing_ok=True)


def idx(chance: Random, kind: int) -> bytes:
    """A gzipped IDX file, whose header may say what it likes."""
    shape = [8, 4, 4] if kind == 2051 else [8]
    if chance.random() < 0.4:
        shape[chance.randrange(len(shape))] = chance.choice([0, 1, 2**16, 2**31, 2**32 - 1])
    header = struct.pack(f">{1 + len(shape)}I", chance.choice([kind, kind, kind, 7]), *shape)
    size = chance.choice([128, 128, 8, 0, 10**6])
    return gzip.compress(header + bytes(size if kind == 2051 else min(size, 8)))


def make_fashion(chance: Random) -> dict[str, bytes]:
    files = {}
    for part in ("train", "t10k"):
        for what, kind in (("images-idx3", 2051), ("labels-idx1", 2049)):
            files[f"{part}-{what}-ubyte.gz"] = idx(chance, kind)
    name = chance.choice(list(files))
    files[name] = chance.choice([broken_bytes(chance, files[name]), files[name][:3], b""])
    return files


def enter_fashion(folder: Path, broken: dict[str, bytes]) -> None:
    written(folder, broken)
    try:
        found = fashion_mnist(folder / "images")
        assert len(found.training.images) == len(found.training.labels)
    finally:
        removed(folder)


def make_pictures(chance: Random) -> dict[str, bytes]:
    image = Image.fromarray(np.arange(192, dtype=np.uint8).reshape(8, 8, 3))
    files = {}
    for number in range(4):
        buffer = io.BytesIO()
        image.save(buffer, chance.choice(["png", "gif", "bmp", "jpeg", "tiff", "webp"]))
        files[f"{number % 2}/{number}.png"] = buffer.getvalue()
    name = chance.choice(list(files))
    files[name] = broken_bytes(chance, files[name])
    return files


def enter_pictures(folder: Path, broken: dict[str, bytes]) -> None:
    written(folder, broken)
    try:
        found = image_folder(folder / "images", side=8, channels=3)
        assert found.training.images.shape[1:] == (8, 8, 3)
    finally:
        removed(folder)


def written(folder: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        path = folder / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def removed(folder: Path) -> None:
    for path in sorted((folder / "images").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    (folder / "images").rmdir()


EVERY = (
    *DOORS,
    Door("dialects", make_dialect, enter_table, 20),
    Door("look-up tables", make_lookup, enter_lookup, 15),
    Door("keys of one's own", make_keyed, enter_keyed, 5),
    Door("weights", make_weights, enter_weights, 5),
    Door("Fashion-MNIST", make_fashion, enter_fashion, 8),
    Door("pictures", make_pictures, enter_pictures, 8),
)
