"""Small tables as people bring them, by the command line, each with its right answer."""

import io
import itertools
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hand import choice_space, hand_document

from foxnas_core.__main__ import main
from foxnas_core.regression import fit
from foxnas_core.study import open_study

STAGES = {
    "format": 1, "name": "two-stages", "family": "listed",
    "decisions": [
        {"name": "s1_width", "group": "s1", "role": "width", "choices": [8, 16]},
        {"name": "s2_depth", "group": "s2", "role": "depth", "choices": [1, 2]},
        {"name": "s2b1_kernel", "group": "s2", "slot": "s2b1", "role": "kernel", "choices": [3, 5]},
        {"name": "s2b2_kernel", "group": "s2", "slot": "s2b2", "role": "kernel", "choices": [3, 5],
         "conditions": [{"decision": "s2_depth", "values": [2]}]},
    ],
}  # fmt: skip
NETWORKS = [
    (width, depth, first, second)
    for width, depth, first in itertools.product((8, 16), (1, 2), (3, 5))
    for second in ((3, 5) if depth == 2 else (None,))
]
NAMES = ["s1_width", "s2_depth", "s2b1_kernel", "s2b2_kernel"]


def stages(**columns: object) -> pd.DataFrame:
    """The twelve networks of `STAGES`, the second kernel as a spreadsheet leaves one with gaps."""
    choices = pd.DataFrame(NETWORKS, columns=NAMES).astype({"s2b2_kernel": float})
    return choices.assign(accuracy=60.258 + np.arange(12), **columns)


LATENCY = 4.0725 + 0.5 * np.arange(12)


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def space(document: dict) -> str:
    Path("space.json").write_text(json.dumps(document))
    return "space.json"


def listed(**choices: list) -> dict:
    return choice_space({name: tuple(own) for name, own in choices.items()}).to_dict()


def bring(file: str, study: str, *more: str) -> pd.DataFrame:
    assert main(["import", file, "--study", study, *more]) == 0
    return open_study(Path(study)).table().frame


def refused(capsys, *arguments: str) -> str:
    assert main([*arguments]) == 2
    return capsys.readouterr().err


def written(frame: pd.DataFrame, name: str, **how: object) -> str:
    frame.to_csv(name, index=False, **how)
    return name


def test_semicolons_tabs_and_commas_are_one_table(folder):
    frame, of = stages(latency_ms=LATENCY), space(STAGES)
    plain = bring(written(frame, "plain.csv"), "plain", "--space", of)
    tabs = bring(written(frame, "tab.csv", sep="\t"), "tab", "--space", of)
    semicolons = written(frame, "semi.csv", sep=";", decimal=",")
    pd.testing.assert_frame_equal(tabs, plain)
    pd.testing.assert_frame_equal(bring(semicolons, "semi", "--space", of), plain)
    assert len(plain) == 12 and plain["latency_ms"].tolist() == pytest.approx(LATENCY)


def test_lists_in_parquet_are_kept_as_from_lines_of_json(folder):
    of = space(listed(k1=[3, 5], k2=[3, 5]))
    rows = pd.DataFrame({"k1": [3, 5], "k2": [3, 5], "accuracy": [70.0, 71.0],
                         "latency_ms": [4.0, 5.0], "ks": [[3, 3], [5, 5]]})  # fmt: skip
    rows.to_parquet("lists.parquet")
    rows.to_json("lists.jsonl", orient="records", lines=True)
    parquet = bring("lists.parquet", "parquet", "--space", of)
    pd.testing.assert_frame_equal(parquet, bring("lists.jsonl", "lines", "--space", of))
    assert parquet["ks"].tolist() == ["[3, 3]", "[5, 5]"]


def test_ids_of_bytes_are_others_ids(folder):
    frame = stages(latency_ms=LATENCY, id=[b"\xff\xfe"] * 12)
    frame.to_parquet("binary.parquet")
    found = bring("binary.parquet", "binary", "--space", space(STAGES))
    assert set(found["original_id"]) == {"0xfffe"} and found["id"].nunique() == 12


@pytest.mark.parametrize("form", ["f.csv", "f.jsonl"])
def test_numbers_and_their_texts_are_one_choice(form, folder):
    rows = pd.DataFrame(
        [(ratio, width, 74.0 + ratio + width, 7.0 + ratio)
         for ratio in (3.0, 3.5, 4.0) for width in (0.65, 0.8, 1.0)],
        columns=["mlp_ratio", "width_mult", "accuracy", "latency_ms"],
    )  # fmt: skip
    written(rows, "f.csv")
    lines = [{k: int(v) if v == int(v) else v for k, v in row.items()} for row in
             rows.to_dict("records")]  # fmt: skip
    Path("f.jsonl").write_text("\n".join(map(json.dumps, lines)))
    for number, choices in enumerate(([3, 3.5, 4], ["3", "3.5", "4"])):
        widths = [0.65, 0.8, 1.0] if number == 0 else ["0.65", "0.8", "1.0"]
        document = listed(mlp_ratio=choices, width_mult=widths)
        found = bring(form, f"own{number}", "--space", space(document))
        assert found["mlp_ratio"].tolist() == [one for one in choices for _ in range(3)]


@pytest.mark.parametrize("key", ["id", "arch_idx", "choices"])
def test_another_device_is_joined_by_ones_own_key_or_by_the_choices(key, folder):
    names = [f"a{number}" for number in range(12)]
    frame = stages(latency_ms=LATENCY, arch_idx=range(12), id=names)
    bring(written(frame, "dev1.csv"), "two", "--space", space(STAGES))
    by = NAMES if key == "choices" else [key]
    phone = frame[by].assign(lat_phone=2 * LATENCY)
    found = bring(
        written(phone, "dev2.csv"), "two", "--join", "--map", "latency_ms:phone=lat_phone",
        "--latency-unit", "ms",
    )  # fmt: skip
    assert len(found) == 12
    assert found["latency_ms:phone"].tolist() == pytest.approx(2 * found["latency_ms"])


def test_the_same_file_again_is_asked_for_and_seeds_are_repeats(folder, capsys):
    rng, choices = np.random.default_rng(0), [3, 5]
    of = space(listed(k0=choices, k1=choices, k2=choices))
    every = pd.DataFrame(itertools.product(choices, repeat=3), columns=["k0", "k1", "k2"])
    once = every.assign(seed=777, accuracy=70 + rng.normal(size=8), latency_ms=5.0)
    written(once, "one.csv")
    bring("one.csv", "one", "--space", of)
    said = refused(capsys, "import", "one.csv", "--study", "one")
    assert "All 8 rows are in the study already" in said and "(--again)" in said
    assert len(bring("one.csv", "one", "--again")) == 16
    seeds = [once.assign(seed=seed, accuracy=once["accuracy"] + 0.01 * seed) for seed in range(3)]
    written(pd.concat(seeds), "three.csv")
    capsys.readouterr()
    bring("three.csv", "three", "--space", of)
    assert "16 of 24 rows repeat a subnet" in capsys.readouterr().err.replace("\n", " ")


def test_a_choice_that_one_row_alone_has_is_told_and_kept_out_of_the_folds(folder, capsys):
    rng = np.random.default_rng(1)
    a, b, c = (np.append(rng.choice([3, 5], 39), last) for last in (7, 3, 5))
    accuracy = 70 + 0.5 * (a - 3) + 0.25 * (b - 3) + 0.1 * (c - 3) + rng.normal(0, 0.1, 40)
    frame = pd.DataFrame({"a": a, "b": b, "c": c, "accuracy": accuracy})
    of = space(listed(a=[3, 5, 7], b=[3, 5], c=[3, 5]))
    bring(written(frame, "rare.csv"), "rare", "--space", of)
    assert "One subnet alone has a = 7 (line 41)" in capsys.readouterr().err.replace("\n", " ")
    predictor = fit(open_study(Path("rare")).table(), "accuracy", "per_layer", "none")
    assert predictor.cv.left_out == 1 and predictor.cv.r2 > 0.8


def test_where_all_is_measured_the_best_measured_one_is_the_answer(folder, capsys):
    """A table with a product, of which a sum's optimum was measured to be worse than another."""
    every = np.array([*itertools.product(range(3), repeat=4)])
    convolved = (every == 1).sum(axis=1)
    accuracy = 60 + 3 * convolved - 6 * (convolved > 3) - 3 * (every == 2).any(axis=1)
    frame = pd.DataFrame(every, columns=["e0", "e1", "e2", "e3"]).assign(
        accuracy=accuracy, latency_ms=2 + 0.5 * every.sum(axis=1)
    )
    of = space(listed(**{name: [0, 1, 2] for name in ("e0", "e1", "e2", "e3")}))
    bring(written(frame, "toy.csv"), "toy", "--space", of)
    capsys.readouterr()
    assert main(["search", "--study", "toy", "--latency-budget", "4.3", "--json"]) == 0
    best = json.loads(capsys.readouterr().out)["best"]
    within = frame[frame["latency_ms"] <= 4.3]["accuracy"].max()
    found = open_study(Path("toy")).table().frame.set_index("id")["accuracy"][best["id"]]
    assert found == within


def test_two_costs_without_an_accuracy_are_asked_of_each_other(folder, capsys):
    frame = stages(latency_ms=LATENCY, macs=range(1200, 0, -100)).drop(columns="accuracy")
    bring(written(frame, "costs.csv"), "costs", "--space", space(STAGES))
    said = refused(capsys, "search", "--study", "costs", "--latency-budget", "9")
    assert "or ask of these alone (--objective latency_ms --cost macs)" in said.replace("\n", " ")
    asked = ["--objective", "latency_ms", "--cost", "macs", "--budget", "650", "--json"]
    capsys.readouterr()
    assert main(["search", "--study", "costs", *asked]) == 0
    best = json.loads(capsys.readouterr().out)["best"]
    within = frame[frame["macs"] <= 650]["latency_ms"].min()
    found = open_study(Path("costs")).table().frame.set_index("id")["latency_ms"][best["id"]]
    assert found == within


def test_the_space_of_the_hand_is_read_from_any_buffer(folder):
    """A table of nested cells beside choices: the cells are text, the choices what they are."""
    frame = pd.DataFrame({"p_depth": [1], "p1_kernel": [3], "q1_kernel": [5], "accuracy": [70.0],
                          "extra": [{"a": [1, 2]}]})  # fmt: skip
    buffer = io.BytesIO()
    frame.to_parquet(buffer)
    Path("nested.parquet").write_bytes(buffer.getvalue())
    found = bring("nested.parquet", "nested", "--space", space(hand_document()))
    assert json.loads(found["extra"][0]) == {"a": [1, 2]}
