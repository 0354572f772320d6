"""Every door that something of somebody else's comes in by: what breaks it, and what goes through.

A door's `make` gives a broken input, `enter` does with it what the studio does, in a folder that
holds one study, "own", and raises AssertionError where what it accepted is none.
"""

import contextlib
import io
import json
import math
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from conftest import tiny_document
from hand import hand_document, hand_space, noisy_table
from handmade_records import record_of
from trials import claim_of, trial_of
from trust_pairs import begun, pairs_of
from zips import zipped

from foxnas_core.__main__ import main
from foxnas_core.evidence.handmade.record import HANDMADE
from foxnas_core.evidence.trust.pairs import TRUST
from foxnas_core.evidence.trust.report import trust_report
from foxnas_core.evidence.verification.claims import CLAIMS, Trials
from foxnas_core.families import architecture_from_text, load_shipped, space_from_dict
from foxnas_core.search.result import SEARCHES, SearchResult
from foxnas_core.search.rounds.record import ROUNDS
from foxnas_core.search.schedule import AnnealingSettings
from foxnas_core.study import (
    Study,
    check_parts,
    create_study,
    open_study,
    parse_space,
    read_architecture,
)
from foxnas_core.study.library import bring_in, pack, shelf
from foxnas_core.study.parts import parts_of
from foxnas_core.study.variants import VARIANTS, Variants
from foxnas_core.supernet.header import checkpoint_metadata
from foxnas_core.table.files import from_parquet, to_parquet_bytes
from foxnas_core.table.importing import ColumnMapping, read_content
from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.tasks.dataset import ImageSet, check_packed, pack_images, unpack_images
from pages.shared.limits import parse_kept, parse_limits
from tests.fuzz.breaking import (
    ODD_NUMBERS,
    ODD_TEXTS,
    broken_bytes,
    broken_csv,
    broken_document,
    broken_json,
    broken_tensors,
    odd,
)
from tests.search.additive import mini_problem

HAND = hand_space(resolutions=(16, 24))
TABLE = noisy_table(HAND, 30)
PLAIN = TABLE.frame.drop(columns="id")
ARCHITECTURES = HAND.sample(4, seed=0)


@dataclass(frozen=True)
class Door:
    name: str
    make: Callable[[Random], Any]
    enter: Callable[[Path, Any], None]
    share: int = 10
    """How many of a hundred or so inputs come in by it."""


def own_study(folder: Path) -> Study:
    """The study that every door leads into."""
    study = create_study(folder / "own", HAND, name="Own", table=TABLE)
    study.change(VARIANTS, lambda kept: kept.having("first", ARCHITECTURES[0]))
    return study


def own(folder: Path) -> Study:
    return open_study(folder / "own")


# Tables


def check_table(table: MeasurementTable) -> None:
    """What was accepted is a table: choices of the space, numbers that are finite or missing, and
    it comes back from its file."""
    assert all(table.space.is_member(a) for a in table.architectures()[:50])
    for target in table.targets:
        values = table.values(target.column)
        assert not np.isinf(values).any()
    again = pq.read_table(io.BytesIO(to_parquet_bytes(table)))
    assert again.num_rows == len(table)


def enter_table(folder: Path, broken: tuple[str, bytes]) -> None:
    table = read_content(*broken).table(HAND)
    check_table(table)
    study = own(folder)
    study.add_table(table)
    check_table(study.table())


def enter_joined(folder: Path, broken: tuple[str, bytes]) -> None:
    check_table(read_content(*broken).joined(own(folder).table()))


def enter_mapped(folder: Path, broken: tuple[str, bytes, ColumnMapping]) -> None:
    name, content, mapping = broken
    check_table(read_content(name, content).table(HAND, mapping))


def csv_of(frame: pd.DataFrame) -> str:
    return frame.to_csv(index=False)


def make_csv(chance: Random) -> tuple[str, bytes]:
    return "table.csv", broken_csv(chance, csv_of(chance.choice([PLAIN, TABLE.frame])))


def make_joined(chance: Random) -> tuple[str, bytes]:
    frame = TABLE.frame[["id", "latency_ms"]].rename(columns={"latency_ms": "latency_ms:phone"})
    return "joined.csv", broken_csv(chance, csv_of(frame))


def make_mapped(chance: Random) -> tuple[str, bytes, ColumnMapping]:
    columns = [*PLAIN.columns, *chance.sample(ODD_TEXTS, 3)]
    names = [*HAND.by_name, "accuracy", "latency_ms", "latency_ms:x", *chance.sample(ODD_TEXTS, 2)]
    mapping = {chance.choice(names): chance.choice(columns) for _ in range(chance.randint(0, 3))}
    units = {
        chance.choice(names): chance.choice(["ms", "s", "us", "percent", "fraction", "", "hours"])
        for _ in range(chance.randint(0, 3))
    }
    content = csv_of(PLAIN).encode()
    if chance.random() < 0.3:
        content = broken_csv(chance, csv_of(PLAIN))
    return "mapped.csv", content, ColumnMapping(mapping, units)


def make_jsonl(chance: Random) -> tuple[str, bytes]:
    rows = [
        {"architecture": dict(a.choices), "accuracy": 70.5 + k, "latency_ms": 2.0}
        for k, a in enumerate(ARCHITECTURES)
    ]
    if chance.random() < 0.5:
        rows = [{**row.pop("architecture"), **row} for row in rows]  # type: ignore[dict-item]
    if chance.random() < 0.5:
        return "table.json", broken_json(chance, rows)
    lines = [json.dumps(row) for row in rows]
    lines[chance.randrange(len(lines))] = json.dumps(broken_document(chance, chance.choice(rows)))
    text = chance.choice(["\n", "\n", "\r\n", "\r", "\n\n"]).join(lines).encode()
    return "table.jsonl", text if chance.random() < 0.7 else broken_bytes(chance, text)


def odd_column(chance: Random, rows: int) -> pa.Array:
    """A column of a kind that no table of ours has."""
    return chance.choice(
        [
            lambda: pa.array([[1, 2]] * rows),
            lambda: pa.array([{"a": 1}] * rows),
            lambda: pa.array([b"\xff\0"] * rows),
            lambda: pa.array([None] * rows),
            lambda: pa.array([True] * rows),
            lambda: pa.array(["x" * 100] * rows),
            lambda: pa.array([chance.choice(ODD_TEXTS[:18]) for _ in range(rows)]),
            lambda: pa.array([float(chance.choice(ODD_NUMBERS)) for _ in range(rows)]),
            lambda: pa.array([2**62] * rows, pa.int64()),
            lambda: pa.array([2**63] * rows, pa.uint64()),
            lambda: pa.array([3] * rows, pa.timestamp("us")),
            lambda: pa.array([3] * rows, pa.duration("s")),
            lambda: pa.array([10**20] * rows, pa.decimal128(38, 2)),
            lambda: pa.array(["a", None] * rows)[:rows].dictionary_encode(),
            lambda: pa.array([3.0, None] * rows)[:rows],
            lambda: pa.array([1.5] * rows, pa.float32()).cast(pa.float16()),
        ]
    )()


def make_parquet(chance: Random) -> tuple[str, bytes]:
    content = to_parquet_bytes(TABLE)
    if chance.random() < 0.5:
        return "table.parquet", broken_bytes(chance, content)
    table = pq.read_table(io.BytesIO(content))
    with contextlib.suppress(UnicodeEncodeError):
        for _ in range(chance.choice([1, 1, 2])):
            at = chance.randrange(table.num_columns)
            name = table.column_names[at]
            match chance.randrange(5):
                case 0:
                    table = table.remove_column(at)
                case 1:
                    name = chance.choice([str(odd(chance))[:100], "accuracy", "latency_ms:b"])
                    table = table.append_column(name, odd_column(chance, len(table)))
                case 2:
                    metadata = {**table.schema.metadata}
                    key = chance.choice(list(metadata))
                    metadata[key] = broken_json(chance, json.loads(metadata[key]))
                    table = table.replace_schema_metadata(metadata)
                case _:
                    table = table.set_column(at, name, odd_column(chance, len(table)))
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return "table.parquet", buffer.getvalue()


def enter_optima(folder: Path, broken: tuple[str, bytes]) -> None:
    study = own(folder)
    study.optima_file.write_bytes(broken[1])
    try:
        check_table(from_parquet(study.optima_file, HAND))
        check_parts(study)
    finally:
        study.optima_file.unlink()


@cache
def published_rows() -> pd.DataFrame:
    """Two rows of FOX-NAS's published columns, each stage of 2 blocks."""
    space = load_shipped("foxnas-cpu")
    row: dict[str, Any] = {}
    for stage in space.settings["stages"]:
        kind = "se" if stage["squeeze_excitation"] else "mbcv"
        names = [
            f"{kind}_e{e}_k{k}_{stage['width']}" for k in stage["kernels"] for e in stage["expands"]
        ]
        row |= dict.fromkeys(names, 0) | {f"{name}_I": 0 for name in names}
        row |= {names[0]: 1, f"{names[0]}_I": 1}
    return pd.DataFrame([row | {"acc": 70.5, "latency": 20.0}, row | {"acc": 71.5, "latency": 22}])


def enter_published(_: Path, broken: tuple[str, bytes]) -> None:
    file = read_content(*broken)
    if file.published:
        check_table(file.table(None))


# Spaces and architectures


def make_space(chance: Random) -> bytes:
    document = chance.choice([hand_document(), tiny_document(), hand_document(resolutions=(8, 9))])
    return broken_json(chance, document)


def enter_space(folder: Path, broken: bytes) -> None:
    space = parse_space("their.json", broken)
    assert space_from_dict(space.to_dict()).fingerprint == space.fingerprint
    assert space.size >= 1 and space.name
    some = space.draw(np.random.default_rng(0))
    assert space.is_member(some)
    assert space.decode(space.encode([some])) == [some]
    study = create_study(folder / "new", space, name="New")
    study.append([some], [{"accuracy": 1.0, "latency_ms": 1.0}])
    assert len(open_study(study.folder).table()) == 1


def make_about(chance: Random) -> bytes:
    document = {"format": 1, "name": "Own", "description": "of words"}
    return broken_json(chance, document)


def enter_about(folder: Path, broken: bytes) -> None:
    study = own(folder)
    path, kept = study.folder / "study.json", (study.folder / "study.json").read_bytes()
    path.write_bytes(broken)
    try:
        opened = open_study(study.folder)
        for text in (opened.name, opened.description):
            text.encode()  # as any page does
        [entry] = shelf(folder)
        entry.name.encode()
    finally:
        path.write_bytes(kept)


def make_architecture(chance: Random) -> bytes:
    document: Any = chance.choice(ARCHITECTURES).to_dict()
    if chance.random() < 0.3:
        document = {"architecture": document}
    return broken_json(chance, document)


def enter_architecture(folder: Path, broken: bytes) -> None:
    path = folder / "architecture.json"
    path.write_bytes(broken)
    try:
        assert HAND.is_member(read_architecture(path, HAND))
    finally:
        path.unlink()


def enter_pasted(_: Path, broken: bytes) -> None:
    assert HAND.is_member(architecture_from_text(HAND, broken.decode("utf-8", "replace")))


def make_terms(chance: Random) -> tuple[str, str]:
    odd_one = chance.choice([*ODD_TEXTS, *map(str, ODD_NUMBERS)])
    limits = f"{chance.choice(['macs', odd_one])}:{chance.choice(['2e6', odd_one])},{odd_one}"
    kept = f"{chance.choice(['p.kernel', odd_one])}:{chance.choice(['3+5', '3', odd_one])}"
    return limits, chance.choice([kept, f"{kept},{odd_one}", odd_one])


def enter_terms(_: Path, broken: tuple[str, str]) -> None:
    found = parse_limits(broken[0], ["macs", "accuracy"])
    assert all(math.isfinite(number) for number in found.values())
    parse_kept(broken[1], HAND)


# Records


def records() -> dict[str, Any]:
    """One of each record that a study keeps beside its table."""
    variants = Variants().having("first", ARCHITECTURES[0])
    pairs = pairs_of(HAND, [70, 71, 72, 73, 74], [71, 73, 72, 75, 76])
    trust = replace(begun(HAND), pairs=tuple(pairs))
    handmade = record_of(HAND, [(0.02, 84.0), (0.04, 88.0)], {"mobilenet-v2": [(0.08, 88.0)]})
    claims = [claim_of(), claim_of("difference", "latency_ms", 0.1, 0.02)]
    trials = [
        trial_of(HAND, "a" * 12, claims, [80.2, 0.11]),
        trial_of(HAND, "b" * 12, claims, subnets=tuple(HAND.sample(2, seed=3))),
    ]
    return {
        "variants.json": VARIANTS.document(variants),
        "trust.json": TRUST.document(trust),
        "handmade.json": HANDMADE.document(handmade),
        "claims.json": CLAIMS.document(Trials(tuple(trials))),
        "rounds.json": rounds_document(),
        "searches/0123456789ab.json": search_document(),
    }


def rounds_document() -> dict[str, Any]:
    quality = {"form": "per_layer", "rows": 30, "r2": 0.9, "rmse": 0.2, "tau": 0.8}
    best = {"budget": 2.0, "id": ARCHITECTURES[0].id, "accuracy": 71.0, "latency": 1.9}
    find = {
        "id": ARCHITECTURES[1].id, "choices": [list(c) for c in ARCHITECTURES[1].choices],
        "budget": 2.0, "passed_over": 0,
        "predicted": {
            c: {"value": 71.0, "low": 70.0, "high": 72.0} for c in ("accuracy", "latency_ms")
        },
        "measured": {"accuracy": 71.5, "latency_ms": 1.95},
    }  # fmt: skip
    qualities = {"accuracy": quality, "latency_ms": quality}
    done = {
        "parents": {"space": HAND.fingerprint}, "finds": [find], "before": qualities,
        "best_before": [best], "after": qualities, "best": [best], "moved": {"accuracy": 1.0},
    }  # fmt: skip
    return {
        "format": 1, "latency": "latency_ms", "budgets": [2.0], "shared": 2.0, "seed": 0,
        "rounds": [done, done],
    }  # fmt: skip


@cache
def search_document() -> dict[str, Any]:
    problem = mini_problem()
    best = problem.candidate(0, [0, 0, 0])
    trace = pd.DataFrame(
        {"proposals": [1, 2], "temperature": [1.0, 0.5], "current_value": [70.0, 71.0],
         "current_cost": [1.0, 1.0], "best_value": [70.0, 71.0], "best_cost": [1.0, 1.0],
         "acceptance": [0.5, float("nan")]}
    )  # fmt: skip
    return SearchResult.of(problem, AnnealingSettings(), best, best, 2, trace).to_dict()


RECORDS = records()


def make_record(name: str) -> Callable[[Random], bytes]:
    return lambda chance: broken_json(chance, RECORDS[name])


def enter_record(name: str) -> Callable[[Path, bytes], None]:
    def enter(folder: Path, broken: bytes) -> None:
        study = own(folder)
        path = study.folder / name
        before = path.read_bytes() if path.exists() else None
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(broken)
        try:
            check_parts(study)
            use_record(study, name)
        finally:
            path.unlink()
            if before is not None:
                path.write_bytes(before)
            if path.parent != study.folder:
                path.parent.rmdir()

    return enter


def use_record(study: Study, name: str) -> None:
    """What the pages do with a record that was accepted."""
    from foxnas_core.evidence.handmade.claims import compare
    from foxnas_core.evidence.verification.scoreboard import scoreboard
    from foxnas_core.search.rounds.outcome import rounds_document, rounds_table

    match name:
        case "variants.json":
            VARIANTS.text(study.record(VARIANTS)).encode()
        case "trust.json":
            record = study.record(TRUST)
            assert record is not None
            TRUST.text(record).encode()
            trust_report(record.pairs, seed=0)
        case "handmade.json":
            handmade = study.record(HANDMADE)
            assert handmade is not None
            HANDMADE.text(handmade).encode()
            compare(handmade, way="alone", precision="", seed=0)
        case "claims.json":
            trials = study.record(CLAIMS).trials
            CLAIMS.text(Trials(trials)).encode()
            for trial in trials:
                "".join(trial.sentences()).encode()
            scoreboard(trials)
        case "rounds.json":
            rounds = study.record(ROUNDS)
            assert rounds is not None
            rounds_table(rounds)
            json.dumps(rounds_document(rounds), allow_nan=False).encode()
        case _:
            result = study.kept(SEARCHES, name[-17:-5])
            json.dumps(result.to_dict(), allow_nan=False).encode()
            result.certificate.encode()
            result.best.architecture.id.encode()


# Archives of numbers


@cache
def images() -> bytes:
    rng = np.random.default_rng(0)
    sets = {
        name: ImageSet(rng.integers(0, 255, (4, 6, 6), dtype=np.uint8), np.arange(4))
        for name in ("calibration", "held_out")
    }
    return pack_images(sets)


def make_images(chance: Random) -> bytes:
    if chance.random() < 0.5:
        return broken_bytes(chance, images())
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(images())) as source, zipfile.ZipFile(buffer, "w") as target:
        names = source.namelist()
        at = chance.randrange(len(names))
        for number, name in enumerate(names):
            content = source.read(name)
            if number == at:
                match chance.randrange(4):
                    case 0:
                        content = broken_bytes(chance, content)
                    case 1:
                        content = npy(chance)
                    case 2:
                        name = chance.choice(["../x.npy", "/etc/x", "a" * 300, "x.npy", names[0]])
                    case 3:
                        continue
            with contextlib.suppress(UserWarning):
                target.writestr(name, content)
    return buffer.getvalue()


def npy(chance: Random) -> bytes:
    """An array whose header claims what it likes."""
    shape = chance.choice(["(4, 6, 6)", "(999999999, 99, 99)", "(-1,)", "()", "(4,) * 99", "x", ""])
    kind = chance.choice(["|u1", "<f8", "|O", "<U999999999", "<i8", "x", "|V9"])
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(144)


def enter_images(folder: Path, broken: bytes) -> None:
    path = folder / "images.npz"
    path.write_bytes(broken)
    try:
        check_packed(path, {"calibration", "held_out"})
        for part in unpack_images(path).values():
            assert len(part.images) == len(part.labels)
    finally:
        path.unlink()


@cache
def tensors() -> bytes:
    from safetensors.numpy import save

    about = {"space": tiny_document(), "record": {"seed": 0, "pixel_mean": 0.5, "pixel_std": 0.2}}
    return save({"a": np.zeros((2, 3), np.float32)}, {"foxnas": json.dumps(about)})


def enter_tensors(folder: Path, broken: bytes) -> None:
    path = folder / "supernet.safetensors"
    path.write_bytes(broken)
    try:
        found = checkpoint_metadata(path)
        space_from_dict(found["space"])
    finally:
        path.unlink()


# Whole studies


@cache
def packed(folder: Path) -> bytes:
    return pack(own(folder))


def make_zip(chance: Random) -> tuple[str, Any]:
    return chance.choice(["bytes", "bytes", "part"]), chance.getrandbits(64)


def enter_zip(folder: Path, broken: tuple[str, int]) -> None:
    kind, seed = broken
    chance = Random(seed)
    if kind == "bytes":
        content = broken_bytes(chance, packed(folder))
    else:
        files = {name: path.read_bytes() for name, path in parts_of(own(folder).folder).items()}
        name = chance.choice([*files, *RECORDS])
        makers = {"space.json": make_space, "study.json": make_about}
        if name in makers:
            files[name] = makers[name](chance)
        elif name == "measurements.parquet":
            files[name] = make_parquet(chance)[1]
        else:
            files[name] = make_record(name)(chance)
        content = zipped(files)
    found = bring_in(folder, io.BytesIO(content), label="their.zip", name="theirs")
    check_parts(found)
    check_table(found.table())


# The command line


# "?" is any word, "?file" one for what is written, "?count" one for what takes as long as it says.
COMMANDS: tuple[tuple[str, ...], ...] = (
    ("fit", "--form", "?"),
    ("fit", "--link", "?"),
    ("search", "--latency-budget", "?"),
    ("search", "--latency-budget", "2", "--steps", "?count", "--chains", "?count"),
    ("search", "--latency-budget", "2", "--limit", "?"),
    ("search", "--latency-budget", "2", "--allow", "?"),
    ("search", "--latency-budget", "2", "--forbid", "?"),
    ("search", "--latency-budget", "2", "--start-temperature", "?", "--guard", "?"),
    ("search", "--latency-target", "?"),
    ("search", "--accuracy-floor", "?"),
    ("counterfactual", "--architecture", "?"),
    ("import", "?"),
    ("import", "own/measurements.parquet", "--map", "?"),
    ("import", "own/measurements.parquet", "--accuracy-unit", "?", "--latency-unit", "?"),
    ("import", "?", "--space", "?"),
    ("import", "?", "--join"),
    ("import-weights", "?", "--data", "?"),
    ("report", "--out", "?file", "--latency-budget", "?"),
    ("report", "--out", "?file", "--architecture", "?", "--rationale", "?"),
    ("report", "--out", "?file", "--without", "?"),
    ("export", "--architecture", "?", "--out", "?file"),
    ("profile", "--architecture", "?"),
    ("measure", "--count", "?"),
    ("measure", "--architecture", "?"),
    ("measure", "--device", "?", "--device-name", "?"),
    ("measure", "--space", "?", "--data", "?"),
    ("train", "--space", "?", "--data", "?"),
    ("?",),
)
STUDY_ACTIONS = (
    ("list",), ("create", "?", "--space", "?"), ("duplicate", "own", "?"), ("duplicate", "?", "x"),
    ("rename", "own", "?"), ("describe", "own", "--title", "?"), ("delete", "?"),
    ("describe", "own", "--description", "?"), ("restore", "?"), ("discard", "?"),
    ("export", "own", "?file"), ("import", "?"),
)  # fmt: skip
WORDS = (
    "accuracy", "latency_ms", "p_depth=1", "p_depth=x", "accuracy=x", "macs=nan", "accuracy=1",
    ".", "/dev/null", "own/space.json", "own/measurements.parquet", "own", "/", "..", "ssh:a b",
    "adb:", "ssh:-oProxyCommand=id",
)  # fmt: skip


def make_command(chance: Random) -> list[str]:
    def word(part: str) -> str:
        if part == "?count":
            return chance.choice(["0", "-1", "1", "1.5", "x", "nan", "200"])
        if part == "?file":
            return chance.choice(["out", "own", ".", "", "x" * 300, "out/a/b", "out.html", "é"])
        if part != "?":
            return part
        # An argument of a process can't hold a zero.
        texts = [text.replace("\0", "0") for text in ODD_TEXTS]
        return chance.choice([*texts, *map(str, ODD_NUMBERS), *WORDS, *WORDS])

    if chance.random() < 0.4:
        return ["study", *map(word, chance.choice(STUDY_ACTIONS))]
    return [*map(word, chance.choice(COMMANDS)), "--study", chance.choice(["own"] * 5 + ["none"])]


def enter_command(folder: Path, arguments: list[str]) -> None:
    """Exit status 0, or 2 with one sentence; never a traceback."""
    if arguments[0] == "study":
        arguments = [*arguments, "--studies", str(folder)]
    out, err = io.StringIO(), io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main(arguments)
        except SystemExit as left:
            code = int(left.code or 0)
    said = err.getvalue()
    said.encode()
    out.getvalue().encode()
    assert "Traceback" not in said
    if code:
        assert code == 2, (code, said)
        raise Refused(said)


class Refused(Exception):
    """What the command line answers, usage included."""


DOORS = (
    Door("CSV", make_csv, enter_table, 20),
    Door("CSV joined by id", make_joined, enter_joined, 5),
    Door("CSV by a mapping", make_mapped, enter_mapped, 8),
    Door("JSON and JSONL", make_jsonl, enter_table, 15),
    Door("parquet", make_parquet, enter_table, 20),
    Door("optima.parquet", make_parquet, enter_optima, 6),
    Door(
        "published columns",
        lambda chance: ("p.csv", broken_csv(chance, csv_of(published_rows()))),
        enter_published,
        5,
    ),
    Door("space.json", make_space, enter_space, 20),
    Door("study.json", make_about, enter_about, 6),
    Door("architecture file", make_architecture, enter_architecture, 6),
    Door("pasted architecture", make_architecture, enter_pasted, 8),
    Door("limits in an address", make_terms, enter_terms, 6),
    *(Door(name, make_record(name), enter_record(name), 10) for name in RECORDS),
    Door("images.npz", make_images, enter_images, 8),
    Door(
        "supernet.safetensors", lambda chance: broken_tensors(chance, tensors()), enter_tensors, 8
    ),
    Door("zip", make_zip, enter_zip, 12),
    Door("command line", make_command, enter_command, 8),
)
