from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import REPOSITORY

from foxnas_core.errors import InvalidInput
from foxnas_core.families import load_shipped
from foxnas_core.space.architecture import Architecture
from foxnas_core.table.importing import ColumnMapping, published_space, read_file

SPACE = published_space()
WIDTHS = (24, 40, 80, 112, 160)
KINDS = ("mbcv", "se", "mbcv", "se", "se")
BEFORE = (16, *WIDTHS)


def blocks_of(architecture: Architecture, stage: int) -> list[tuple[int, int]]:
    """(expand, kernel) of each block of a stage."""
    return [
        (
            int(architecture[f"s{stage}b{block}_expand"]),
            int(architecture[f"s{stage}b{block}_kernel"]),
        )
        for block in range(1, int(architecture[f"s{stage}_depth"]) + 1)
    ]


def published_row(architecture: Architecture) -> dict[str, float]:
    """FOX-NAS's columns of an architecture, but for what was measured."""
    row: dict[str, float] = {}
    for stage, (kind, width) in enumerate(zip(KINDS, WIDTHS, strict=True), start=1):
        first, *rest = blocks_of(architecture, stage)
        for expand in (2, 3, 4, 6):
            for kernel in (3, 5, 7):
                name = f"{kind}_e{expand}_k{kernel}_{width}"
                row[name] = int(first == (expand, kernel))
                row[f"{name}_I"] = rest.count((expand, kernel))
        row[f"tot_{width}"] = len(rest) + 1
        row[f"tot_e_{BEFORE[stage - 1]}_{width}"] = first[0]
        row[f"tot_k_{BEFORE[stage - 1]}_{width}"] = first[1]
        for letter, sizes in zip("ek", zip(*rest, strict=True), strict=True):
            row[f"tot_{letter}_{width}"] = sum(sizes)
            row[f"avg_{letter}_{width}"] = np.mean(sizes)
    return row


ARCHITECTURES = SPACE.sample(30, seed=1)


def published_frame() -> pd.DataFrame:
    frame = pd.DataFrame([published_row(architecture) for architecture in ARCHITECTURES])
    numbers = np.arange(len(frame))
    return frame.assign(acc=70 + numbers / 10, latency=50.0 + numbers)


def saved(frame: pd.DataFrame, folder: Path, name: str = "t.csv") -> Path:
    frame.to_csv(folder / name)  # with an unnamed index, as published
    return folder / name


def test_published_columns_become_blocks_in_canonical_order(tmp_path: Path) -> None:
    table = read_file(saved(published_frame(), tmp_path)).table(None)
    assert (table.space, table.ordered) == (SPACE, False)
    assert table.record["imported_from"] == "t.csv"
    assert table.values("accuracy").tolist() == published_frame()["acc"].tolist()
    assert table.values("latency_ms").tolist() == published_frame()["latency"].tolist()
    for given, found in zip(ARCHITECTURES, table.architectures(), strict=True):
        for stage in range(1, 6):
            first, *rest = blocks_of(found, stage)
            assert first == blocks_of(given, stage)[0]
            assert Counter(rest) == Counter(blocks_of(given, stage)[1:])
            assert rest == sorted(rest, key=lambda block: block[::-1])  # kernel, then expand


def test_aggregates_may_be_left_out(tmp_path: Path) -> None:
    frame = published_frame()
    counts = frame[[c for c in frame if not c.startswith(("tot", "avg"))]]
    whole = read_file(saved(frame, tmp_path, "whole.csv")).table(None)
    assert read_file(saved(counts, tmp_path)).table(None).fingerprint == whole.fingerprint


def test_published_columns_bring_their_own_space(tmp_path: Path) -> None:
    path = saved(published_frame(), tmp_path)
    assert len(read_file(path).table(SPACE)) == 30
    with pytest.raises(InvalidInput, match="describe the space 'foxnas-cpu-256', not 'foxnas-cpu'"):
        read_file(path).table(load_shipped("foxnas-cpu"))


ONE_TYPE = [f"mbcv_e{e}_k{k}_24" for e in (2, 3, 4, 6) for k in (3, 5, 7)]


@pytest.mark.parametrize(
    ("column", "value", "sentence"),
    [
        ("avg_e_80", 99.0, "line 6, has avg_e_80 = 99.0, but its block counts give"),
        ("tot_k_112", 0, "line 6, has tot_k_112 = 0, but its block counts give"),
        ("tot_e_16_24", 5, "line 6, has tot_e_16_24 = 5, but its block counts give"),
        ("tot_24", np.nan, "line 6, has tot_24 = nan, but its block counts give"),
        ("se_e2_k3_40_I", 9, "blocks in the stage of width 40; allowed: 2, 3, 4."),
        ("se_e2_k3_40_I", 0.5, "line 6, has se_e2_k3_40_I = 0.5; it must be how many blocks"),
        ("se_e2_k3_40_I", -1, "line 6, has se_e2_k3_40_I = -1; it must be how many blocks"),
        (ONE_TYPE, 0, "line 6, counts 0 transition blocks in the stage of width 24; every stage"),
        (
            "latency",
            np.nan,
            "line 6, has no latency (latency_ms); measure it again or leave the row out.",
        ),
        (
            "latency",
            -3.0,
            "line 6, has latency (latency_ms) = -3.0; it must be a finite number above 0.",
        ),
        (
            "acc",
            170.0,
            "line 6, has acc (accuracy) = 170.0; it must be a percentage from 0 to 100.",
        ),
    ],
)
def test_what_does_not_agree_names_line_and_column(
    column: str | list[str], value: float, sentence: str, tmp_path: Path
) -> None:
    frame = published_frame().astype(object)
    frame.loc[4, column] = value
    path = saved(frame, tmp_path)
    with pytest.raises(InvalidInput) as caught:
        read_file(path).table(None)
    assert str(caught.value).startswith(f"{path}, line 6, ")
    assert sentence in str(caught.value)


@pytest.mark.parametrize("column", ["mbcv_e4_k5_24", "se_e4_k5_160_I", "acc", "latency"])
def test_a_missing_published_column_is_named(column: str, tmp_path: Path) -> None:
    path = saved(published_frame().drop(columns=column), tmp_path)
    with pytest.raises(InvalidInput, match=f"lacks FOX-NAS's column '{column}'"):
        read_file(path).table(None)


def test_fractions_are_no_percentages(tmp_path: Path) -> None:
    frame = published_frame()
    path = saved(frame.assign(acc=frame["acc"] / 100), tmp_path)
    with pytest.raises(InvalidInput, match="FOX-NAS's is in percent, so multiply it by 100"):
        read_file(path).table(None)


def test_a_mapping_of_published_columns_is_refused(tmp_path: Path) -> None:
    path = saved(published_frame(), tmp_path)
    with pytest.raises(InvalidInput, match="leave the mapping and the units out"):
        read_file(path).table(None, ColumnMapping(units={"accuracy": "percent"}))


@pytest.mark.parametrize("name", ["t.parquet", "t.jsonl"])
def test_published_columns_are_known_in_any_kind_of_file(name: str, tmp_path: Path) -> None:
    frame = published_frame()
    if name.endswith("jsonl"):
        frame.to_json(tmp_path / name, orient="records", lines=True)
    else:
        frame.to_parquet(tmp_path / name)
    whole = read_file(saved(frame, tmp_path)).table(None)
    assert read_file(tmp_path / name).table(None).fingerprint == whole.fingerprint


PUBLISHED = REPOSITORY.parent / "shared" / "data" / "foxnas_cpu_256.csv"


@pytest.mark.skipif(not PUBLISHED.exists(), reason=f"no published table at {PUBLISHED}")
def test_the_published_table_is_read_whole() -> None:
    table = read_file(PUBLISHED).table(None)
    raw = pd.read_csv(PUBLISHED)
    assert len(table) == len(raw) == 300
    np.testing.assert_array_equal(table.values("accuracy"), raw["acc"])
    np.testing.assert_array_equal(table.values("latency_ms"), raw["latency"])
    rebuilt = pd.DataFrame([published_row(a) for a in table.architectures()])
    given = raw[[*rebuilt.columns]].astype(float)
    pd.testing.assert_frame_equal(rebuilt.astype(float), given, atol=1e-6, rtol=0)
