"""The command line as a user types it, and its JSON documents, which are a public contract."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from unittest.mock import Mock

import numpy as np
import pandas as pd
import pytest
from conftest import REPOSITORY, stripes, tiny_document
from fixed import fixed_latencies

from foxnas_core.__main__ import main
from foxnas_core.commands import takeaway
from foxnas_core.evidence.handmade.designs import DESIGNS
from foxnas_core.measurement.latency import LatencyMeter
from foxnas_core.study import create_study, open_study
from foxnas_core.table.machine import device_names
from foxnas_core.training.supernets import weights_fingerprint

PUBLISHED = REPOSITORY.parent / "shared" / "data" / "foxnas_cpu_256.csv"
ESTIMATE = {"value", "low", "high"}


def ask(capsys, *arguments) -> dict:
    """The JSON document of a command that succeeds."""
    assert main([*map(str, arguments), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def refused(capsys, *arguments) -> str:
    """The one sentence of a command that is refused."""
    assert main([*map(str, arguments), "--json"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    lines = captured.err.strip().splitlines()
    assert len(lines) == 1 and "Traceback" not in captured.err
    return lines[0]


def budget_of(study) -> float:
    return float(np.median(study.table().values("latency_ms")))


def test_fit_document(measured_study, capsys):
    document = ask(capsys, "fit", "--study", measured_study.folder)
    assert list(document) == ["targets", "devices", "unknown_columns", "findings"]
    assert document["devices"] == device_names(measured_study.table())
    assert set(document["targets"]) >= {"accuracy", "latency_ms", "latency_ms:int8"}
    for target in document["targets"].values():
        assert set(target) == {
            "form", "rows", "left_out", "parameters", "r2", "r2_adjusted", "cv", "coefficients",
            "ceiling", "average_effects", "repeated", "estimator",
        }  # fmt: skip
        told = target["average_effects"]
        assert told["form"] == "per_layer" and told["rows"] == target["rows"]
        assert {"choice", "effect", "std_error", "df", "low", "high"} <= set(told["effects"][0])
        assert target["rows"] + target["left_out"] == 40
        assert set(target["cv"]) == {"r2", "rmse", "tau", "left_out"}
        assert len(target["coefficients"]) == target["parameters"]
        for coefficient in target["coefficients"]:
            assert set(coefficient) == {"term", "estimate", "std_error", "low", "high", "p"}
            assert coefficient["low"] <= coefficient["estimate"] <= coefficient["high"]


def test_energy_and_memory_are_measured_where_the_device_tells_them(tiny_study, capsys):
    command = ["measure", "--study", str(tiny_study.folder), "--count", "1", "--energy", "--memory"]
    assert main([*command, "--json"]) == 0
    said = capsys.readouterr().err
    frame = tiny_study.table().frame
    for quantity, column in (("Energy", "energy_mj"), ("Memory", "memory_kib")):
        assert (column in frame) != (f"{quantity} is not available" in said)


def test_measured_optima_judge_and_guard_later_searches(measured_study, capsys, monkeypatch):
    monkeypatch.setattr(LatencyMeter, "measure", fixed_latencies)
    search = ("search", "--study", measured_study.folder, "--steps", 500)
    budget = budget_of(measured_study)
    asked = (*search, "--latency-budget", budget)
    assert "calibrate" in refused(capsys, *asked, "--guard", 0.9)
    before = len(measured_study.table())
    document = ask(capsys, "calibrate", "--study", measured_study.folder, "--count", 6)
    found = document["targets"]
    assert set(found) == {"accuracy", "latency_ms"} and found["accuracy"]["optima"] >= 5
    assert len(measured_study.table()) == before  # kept out of the fit
    optima = measured_study.optima()
    assert document["optima"] == len(optima)
    assert set(optima.frame["searched_latency"]) == {"latency_ms"}
    # The plan depends on the seed, so that nothing is measured twice.
    again = ask(capsys, "calibrate", "--study", measured_study.folder, "--count", 6)
    assert again["optima"] == document["optima"]
    assert main(["calibrate", "--study", str(measured_study.folder), "--count", "6"]) == 0
    told = capsys.readouterr().out
    assert " optima of accuracy by latency are measured, of " in told
    assert re.search(r"Latency \(ms\) +\d+ +[+-][\d.]+ ms", told)
    guarded = ask(capsys, *asked, "--guard", 0.9)
    promised = guarded["best"]["as_searched"]["accuracy"]
    assert promised["low"] < promised["high"]
    assert promised["low"] <= promised["value"] <= promised["high"] <= 100
    assert guarded["budget"]["asked"] == pytest.approx(budget)
    assert guarded["best"]["latency_ms"]["value"] <= guarded["budget"]["searched"]
    # Once they are there, that is what a search does, unless it is told not to.
    assert ask(capsys, *asked) == guarded
    assert guarded["guard"] == 0.9 and guarded["chance"] == guarded["chances"]["latency_ms"]
    off = ask(capsys, *asked, "--guard", "off")
    assert off["guard"] is None and off["unguarded"] is None
    assert off["budget"]["searched"] == off["budget"]["asked"]
    best = guarded["unguarded"]
    assert best["id"] == off["exact"]["id"]
    assert best["difference"] == pytest.approx(
        promised["value"] - best["as_searched"]["accuracy"]["value"]
    )


def test_trust_document(tiny_study, tiny_dataset, capsys, monkeypatch):
    monkeypatch.setattr(
        "foxnas_core.tasks.classification.load_dataset", lambda path, **shape: tiny_dataset
    )
    trust = ("trust", "--study", tiny_study.folder, "--count", 3, "--fine-tune-epochs", 1)
    document = ask(capsys, *trust, "--epochs", 1)
    assert set(document) == {
        "study", "pairs", "parents", "settings", "verdict", "sentence", "advice", "kendall_tau",
        "recalibration_gain", "offset", "reversed", "reversed_beyond_noise", "regret", "reversals",
        "seed", "interval", "spearman", "kendall_tau_by_jackknife", "noise_of_training",
        "regret_at_most",
    }  # fmt: skip
    assert document["pairs"] == 3 and document["verdict"] == "few"
    assert document["settings"] == {
        "epochs": 1, "fine_tune_epochs": 1, "fine_tune_rate": 0.1, "repeated": 0,
    }  # fmt: skip
    for trained in ("alone", "fine_tuned"):
        assert set(document["offset"][trained]["all"]) == ESTIMATE
        for inherited in ("inherited", "unrecalibrated"):
            assert set(document["kendall_tau"][trained][inherited]["all"]) == ESTIMATE
    assert ask(capsys, *trust, "--epochs", 1) == document
    assert "move trust.json away" in refused(capsys, *trust, "--fine-tune-rate", 0.2)
    both = "move trust.json and alone.json away to begin anew"
    assert both in refused(capsys, *trust, "--epochs", 2)
    for name in ("trust.json", "alone.json"):
        (tiny_study.folder / name).unlink()
    assert ask(capsys, *trust[:3], "--count", 1, "--epochs", 2)["settings"]["epochs"] == 2


def test_handmade_document(measured_study, tiny_dataset, capsys, monkeypatch):
    monkeypatch.setattr(
        "foxnas_core.tasks.classification.load_dataset", lambda path, **shape: tiny_dataset
    )
    bench = "foxnas_core.evidence.handmade.bench"
    monkeypatch.setattr(f"{bench}.ROUNDS", 1)
    monkeypatch.setattr(f"{bench}.DESIGNS", DESIGNS[:1])
    command = ("handmade", "--study", measured_study.folder, "--widths", 0.1)
    document = ask(capsys, *command, "--epochs", 1, "--searched", 1, "--seed", 3)
    assert set(document) == {
        "study", "parents", "recipe", "seeds", "seed_spread", "comparisons",
    }  # fmt: skip
    assert document["seeds"] == [3] and document["recipe"]["epochs"] == 1
    assert document["seed_spread"] == {"fp32": None, "int8": None}
    assert len(document["comparisons"]) == 4
    for comparison in document["comparisons"]:
        assert set(comparison) == {"way", "precision", "sentence", "networks", "published"}
        for network in comparison["networks"]:
            assert network["ratio_low"] <= network["ratio_high"]
    assert ask(capsys, *command, "--epochs", 1, "--seed", 3) == document
    assert "move handmade.json away" in refused(capsys, *command, "--epochs", 2)
    assert "above 0, not -1" in refused(capsys, "handmade", "--study", measured_study.folder,
                                        "--widths=-1")  # fmt: skip


def test_a_search_takes_a_schedule_a_mode_and_restarts(measured_study, capsys):
    budget = budget_of(measured_study)
    search = ["search", "--study", measured_study.folder, "--latency-budget", budget]
    search += ["--steps", 300, "--schedule", "adaptive", "--restarts", 1, "--mode", "teaching"]
    found = ask(capsys, *search)
    assert found["best"]["latency_ms"]["value"] <= budget
    assert found["proposals"] % (2 * 300) == 0
    assert "full, teaching" in refused(capsys, *search[:-1], "greedy")


def test_search_document_and_the_same_bytes_for_the_same_seed(measured_study, capsys):
    command = [
        "search", "--study", str(measured_study.folder), "--latency-budget",
        str(budget_of(measured_study)), "--steps", "2000", "--json",
    ]  # fmt: skip
    outputs = []
    for seed in ("1", "1", "2"):
        assert main([*command, "--seed", seed]) == 0
        outputs.append(capsys.readouterr().out)
    assert outputs[0] == outputs[1]
    document = json.loads(outputs[0])
    assert set(document) == {
        "best", "exact", "gap", "bound", "certificate", "objective", "limits", "allowed", "seed",
        "proposals", "unguarded", "budget", "chances", "chance", "best_chance", "guard", "measured",
        "best_measured", "source", "headline", "device",
    }  # fmt: skip
    assert document["device"] == device_names(measured_study.table())["latency_ms"]
    for found in (document["best"], document["exact"]):
        assert set(found) == {
            "id", "architecture", "accuracy", "latency_ms", "as_searched", "measured",
        }  # fmt: skip
        assert set(found["accuracy"]) == set(found["latency_ms"]) == ESTIMATE
        assert found["latency_ms"]["value"] <= budget_of(measured_study)
        assert measured_study.space.architecture(found["architecture"]).id == found["id"]
    assert document["gap"] >= 0 and document["seed"] == 1
    assert json.loads(outputs[2])["seed"] == 2


def test_many_limits_pins_and_a_floor(measured_study, capsys):
    table = measured_study.table()
    bounds = {c: float(np.median(table.values(c))) for c in ("parameters", "latency_ms:int8")}
    command = (
        "search", "--study", measured_study.folder, "--steps", 2000,
        "--allow", "s1*_kernel=3", "--limit", f"parameters={bounds['parameters']}",
    )  # fmt: skip
    document = ask(capsys, *command, "--limit", f"latency_ms:int8={bounds['latency_ms:int8']}")
    assert document["objective"] == "accuracy" and document["budget"] is None
    assert {x["column"]: x["at_most"] for x in document["limits"]} == bounds
    for limit in document["limits"]:
        for found in ("best", "exact"):
            assert set(limit[found]) - {"counted"} == ESTIMATE
            assert limit[found]["value"] <= limit["at_most"]
    assert document["exact"]["accuracy"]["value"] >= document["best"]["accuracy"]["value"]
    pinned = {k: v for k, v in document["best"]["architecture"].items() if "kernel" in k}
    assert {v for k, v in pinned.items() if k.startswith("s1")} == {3}
    assert document["allowed"]["s1b1_kernel"] == [3]
    # Turned round: the least latency that has the accuracy just found.
    floor = document["exact"]["accuracy"]["value"] - 1e-6
    turned = ask(capsys, *command, "--accuracy-floor", floor)
    assert turned["objective"] == "latency_ms"
    assert turned["limits"][0]["at_least"] == floor
    assert turned["exact"]["accuracy"]["value"] >= floor
    assert turned["exact"]["latency_ms"]["value"] <= document["exact"]["latency_ms"]["value"] + 1e-9


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], ["--budget", "--limit"]),
        (["--limit", "parameters=1"], ["parameters", "smallest", "at most 1;"]),
        (["--limit", "parameters=1e9", "--limit", "macs=1"], ["MACs", "beside parameters"]),
        (["--limit", "parameters=1", "--limit", "parameters=2"], ["parameters", "twice"]),
        (["--limit", "size=1"], ["'size'", "accuracy"]),
        (["--accuracy-floor", "1000"], ["accuracy", "greatest", "lower the floor"]),
        (["--limit", "macs=1e9", "--allow", "s1b1_kernel=4"], ["'s1b1_kernel'", "4", "3, 5"]),
        (["--limit", "macs=1e9", "--allow", "s9*=4"], ["'s9*'", "s1b1_kernel"]),
        (["--limit", "macs=1e9", "--forbid", "s1b1_kernel=3,5"], ["s1b1_kernel", "3, 5"]),
        (["--limit", "macs=1e9", "--guard", "0.9"], ["calibrate"]),
    ],
)
def test_a_search_that_cannot_be_says_why(measured_study, capsys, options, words):
    sentence = refused(capsys, "search", "--study", measured_study.folder, *options)
    for word in words:
        assert word in sentence


def test_progress_and_what_a_library_prints_stay_out_of_the_document(measured_study):
    code = (
        "import os, sys\nfrom foxnas_core import commands\nfrom foxnas_core.__main__ import main\n"
        "fit = commands.COMMANDS['fit']\n"
        "commands.COMMANDS['fit'] = lambda options: (os.write(1, b'stray'), fit(options))[1]\n"
        f"sys.exit(main(['fit', '--study', {str(measured_study.folder)!r}, '--json']))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True)
    assert done.returncode == 0
    assert json.loads(done.stdout)["targets"] and b"stray" in done.stderr


def test_measure_document_and_resumption(measured_study, capsys):
    document = ask(capsys, "measure", "--study", measured_study.folder, "--count", 41)
    assert document["rows"] == 41 and len(document["measured"]) == 1
    [measured] = document["measured"]
    columns = {"accuracy", "accuracy:int8", "accuracy_drop:int8", "cross_entropy"} | {
        "latency_ms",
        "latency_ms:int8",
    }
    assert set(measured) == {"id", "architecture", *columns, "macs", "parameters"}
    for column in columns:
        estimate = measured[column]
        assert set(estimate) == ESTIMATE
        assert estimate["low"] <= estimate["value"] <= estimate["high"]
    again = ask(capsys, "measure", "--study", measured_study.folder, "--count", 41)
    assert again == document | {"measured": [], "device": None, "columns": []}


def test_a_devices_latencies_are_joined_and_measured_for_the_rest(
    measured_study, capsys, monkeypatch, tmp_path
):
    from foxnas_core.measurement.elsewhere import DeviceMeter

    monkeypatch.setitem(DeviceMeter.__init__.__kwdefaults__, "runs", 20)
    study = ["--study", measured_study.folder]
    table = measured_study.table()
    ids = list(dict.fromkeys(table.frame["id"]))
    path = tmp_path / "board.csv"
    path.write_text("id,t\n" + "".join(f"{name},0.02\n" for name in ids[1:]))
    mapping = ["--map", "id=id", "--map", "latency_ms:board=t", "--latency-unit", "s"]
    document = ask(capsys, "import", path, *study, "--join", *mapping)
    assert document["joined"] == len(ids) - 1 and document["targets"] == ["latency_ms:board"]
    assert document["rows"] == len(table)
    device = ["--device", "onnxruntime", "--device-name", "board"]
    document = ask(capsys, "measure", *study, *device)
    assert document["columns"] == ["latency_ms:board", "latency_ms:board-int8"]
    assert [row["id"] for row in document["measured"]] == ids[:1]
    assert document["lacking"] == 0 and document["rows"] == len(table)
    value = document["measured"][0]["latency_ms:board"]
    assert 0 < value["low"] <= value["value"] <= value["high"]
    assert "leave --next" in refused(capsys, "measure", *study, *device, "--next", 2)
    assert "is no device" in refused(capsys, "measure", *study, "--device", "toaster")
    assert "no study" in refused(capsys, "import", path, "--study", tmp_path / "new", "--join")


def test_the_next_batch_is_measured_with_what_was_expected_of_it(measured_study, capsys):
    command = ("measure", "--study", measured_study.folder, "--next", 2, "--target", "latency_ms")
    document = ask(capsys, *command)
    assert set(document) == {
        "study", "rows", "device", "columns", "target", "expected", "measured",
    }  # fmt: skip
    assert document["columns"] == ["latency_ms", "latency_ms:int8"] and document["device"]
    assert document["rows"] == 42 and document["target"] == "latency_ms"
    assert 0 < document["expected"]["narrower"] < 1
    assert document["expected"]["d_efficiency_of_random"] <= 1
    table = measured_study.table()
    assert [m["id"] for m in document["measured"]] == table.frame["id"].iloc[40:].tolist()
    assert table.of_origin("design").tolist() == [False] * 40 + [True] * 2
    # The next one knows how long a row takes, and is told in a sentence and a short table.
    assert main(["measure", "--study", str(measured_study.folder), "--next", "1"]) == 0
    title, said, head, row, *_ = capsys.readouterr().out.splitlines()
    assert title == "1 subnet measured"
    assert "narrower on average" in said and said.endswith("has 43 rows now.")
    assert head.split()[0] == "id" and "Top-1 accuracy (%)" in head and "Latency (ms)" in head
    assert row.split()[0] == measured_study.table().frame["id"].iloc[-1]
    assert ask(capsys, *command)["expected"]["narrower_a_minute"] > 0
    assert "leave --architecture out" in refused(capsys, *command, "--architecture", "a.json")
    assert "'speed' is no target" in refused(capsys, *command[:-1], "speed")


def test_counterfactual_document(measured_study, capsys, tmp_path):
    study, space = measured_study, measured_study.space
    largest = space.extreme("largest")
    file = tmp_path / "largest.json"
    file.write_text(json.dumps(largest.to_dict()))
    command = ["counterfactual", "--study", study.folder, "--architecture", file]
    document = ask(capsys, *command, "--gain", "-0.5")
    assert set(document) == {
        "study", "id", "goal", "held", "kept", "cheapest", "answers", "why_not", "guard", "price",
    }  # fmt: skip
    assert document["guard"] == 0.9 and document["cheapest"] == document["answers"][-1]
    assert document["id"] == largest.id and document["why_not"] is None
    assert document["goal"] == "0.50 points less top-1 accuracy"
    for answer in document["answers"]:
        assert set(answer) == {
            "edits", "id", "architecture", "in_words", "changes", "chance", "exact",
        }  # fmt: skip
        assert set(answer["changes"]) == {"accuracy", "latency_ms"}
        for change in answer["changes"].values():
            assert set(change) == ESTIMATE | {"average_low", "average_high"}
            assert change["low"] <= change["average_low"] <= change["value"]
        assert answer["changes"]["accuracy"]["value"] >= -0.5 - 1e-6
        assert space.architecture(answer["architecture"]).id == answer["id"]
    edits = [answer["edits"] for answer in document["answers"]]
    assert edits == sorted(set(edits))
    assert document == ask(capsys, *command, "--gain", "-0.5")
    unguarded = ask(capsys, *command, "--save", "10%", "--guard", "off")
    assert unguarded["guard"] is None and unguarded["held"] is None and unguarded["kept"]
    assert unguarded["goal"].startswith("10 % less latency (")
    assert "without the % sign" in refused(capsys, *command, "--gain", "1%")
    assert main([*map(str, command), "--save", "10%"]) == 0
    said = capsys.readouterr().out
    assert "An edit is one decision" in said and "points per ms" in said

    # Decisions that are kept stay, and a measured subnet is named by its id.
    measured = study.table().frame["id"].iloc[0]
    by_id = ["counterfactual", "--study", study.folder, "--architecture", measured]
    budget = budget_of(study)
    kept = ask(capsys, *by_id, "--latency-budget", budget, "--keep", "s1*", "--keep", "resolution")
    base = study.space.decode(study.table().codes[:1])[0]
    assert kept["id"] == base.id == measured
    for answer in kept["answers"]:
        for name in space.by_name:
            if name.startswith("s1") or name == "resolution":
                assert answer["architecture"].get(name) == base.get(name)


def test_why_not_is_told_within_a_budget(measured_study, capsys):
    study = measured_study
    base = study.space.decode(study.table().codes[:1])[0]
    other = next(c for c in (3, 5) if c != base["s1b1_kernel"])
    command = ["counterfactual", "--study", study.folder, "--architecture", base.id]
    budget = ["--latency-budget", str(float(study.table().values("latency_ms").max()))]
    why = ["--why-not", f"s1b1_kernel={other}"]
    found = ask(capsys, *command, *budget, *why)["why_not"]
    assert set(found) == {
        "decision", "choice", "alone", "room", "optimum", "best", "loss", "sentence",
    }  # fmt: skip
    assert (found["decision"], found["choice"]) == ("s1b1_kernel", other)
    assert found["sentence"].startswith(f"Kernel {other} in s1b1 would")
    assert dict(found["best"]["choices"])["s1b1_kernel"] == other
    has = ["--why-not", f"s1b1_kernel={base['s1b1_kernel']}"]
    assert "already" in refused(capsys, *command, *budget, *has)
    assert "give --budget" in refused(capsys, *command, "--save", "0.001", *why)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--architecture", "0123456789ab", "--gain", "1"], "neither a file nor the id"),
        (["--gain", "1000"], "greatest that can be reached"),
        (["--gain", "0", "--keep", "nope"], "is named 'nope'"),
        (["--latency-budget", "1", "--why-not", "nope=3"], "is named 'nope'"),
    ],
)
def test_a_counterfactual_that_cannot_be_is_refused(measured_study, capsys, arguments, words):
    study = ["counterfactual", "--study", measured_study.folder]
    if "--architecture" not in arguments:
        arguments = ["--architecture", measured_study.table().frame["id"].iloc[0], *arguments]
    assert words in refused(capsys, *study, *arguments)


def test_search_rounds_document(measured_study, capsys):
    command = ("search", "--study", measured_study.folder, "--rounds", 1, "--per-round", 2)
    document = ask(capsys, *command, "--latency-budget", budget_of(measured_study))
    assert set(document) == {"study", "rows", "objective", "latency", "budgets", "guard", "rounds"}
    assert document["guard"] is None  # without measured optima
    [found] = document["rounds"]
    rows = 40 + found["finds"]
    assert document["rows"] == rows and len(document["budgets"]) == 2
    assert set(found) == {
        "round", "finds", "alternatives", "errors", "expected_errors", "fit", "moved",
        "best_before", "best",
    }  # fmt: skip
    for column in ("accuracy", "latency_ms"):
        assert set(found["errors"][column]) == {"finds", "bias", "rmse", "inside"}
        assert found["fit"][column]["rows"] == rows
    for before, best in zip(found["best_before"], found["best"], strict=True):
        assert best["latency"] <= best["budget"] and best["accuracy"] >= before["accuracy"]
    assert "begun with the guard" in refused(capsys, *command, "--guard", 0.9)
    assert "--budget" in refused(capsys, *command[:3])


def test_export_document_and_files(measured_study, capsys, tmp_path):
    architecture = measured_study.space.sample(1, seed=5)[0]
    (tmp_path / "a.json").write_text(json.dumps(architecture.to_dict()))
    command = ("export", "--study", measured_study.folder, "--architecture", tmp_path / "a.json")
    document = ask(capsys, *command, "--out", tmp_path / "out")
    assert document["id"] == architecture.id
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == document["files"]
    checked = ["model.onnx", "model_int8.onnx", "model.pt2"]
    assert [c["file"] for c in document["checks"]] == checked
    assert ["make runtime-executorch" in s for s in document["left_out"]] == [True, False]
    # Refused before any work is done, so that nothing else needs to be right.
    none = ["--formats", "onnx", "--out", tmp_path / "out"]
    assert "not empty" in refused(capsys, *command, *none)
    assert "'tflite' is no format" in refused(
        capsys, *command, "--out", tmp_path / "b", "--formats", "onnx,tflite"
    )
    assert "make runtime-litert" in refused(
        capsys, *command, "--out", tmp_path / "b", "--formats", "litert"
    )
    assert "--fine-tune EPOCHS" in refused(
        capsys, *command, "--out", tmp_path / "b", "--quantization-aware"
    )
    assert not (tmp_path / "b").exists()


def test_export_fine_tunes_first_and_writes_an_archive(measured_study, pictures, capsys, tmp_path):
    import zipfile

    architecture = measured_study.space.extreme("largest")
    (tmp_path / "a.json").write_text(json.dumps(architecture.to_dict()))
    command = (
        "export", "--study", measured_study.folder, "--architecture", tmp_path / "a.json",
        "--out", tmp_path / "a.zip", "--formats", "onnx-int8", "--fine-tune", 2,
        "--quantization-aware", "--int8-floor", 10,
    )  # fmt: skip
    document = ask(capsys, *command, "--data", pictures)
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        files = {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}
    assert sorted(files) == document["files"]
    assert {name for name in files if name.startswith("model.")} == set()
    card = files["model_card.md"].decode()
    assert "fine-tuned with int8's rounding in the forward pass" in card
    assert "Accuracy in int8 was" in card
    renamed = pictures.rename(pictures.with_name("others"))
    others = (*command[:6], tmp_path / "b.zip", *command[7:], "--data", renamed)
    assert "was trained on stripes, not on others" in refused(capsys, *others)
    assert not (tmp_path / "b.zip").exists()


def write_images(folder, count=60):
    from PIL import Image

    images = stripes(count, 1)
    for index, (image, label) in enumerate(zip(images.images, images.labels, strict=True)):
        (folder / str(label)).mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / str(label) / f"{index}.png")


def test_report_document_and_file(measured_study, capsys, tmp_path):
    chosen, out = tmp_path / "chosen.json", tmp_path / "new" / "report.html"
    architecture = measured_study.space.extreme("smallest")
    chosen.write_text(json.dumps(architecture.to_dict()))
    command = ("report", "--study", measured_study.folder, "--out", out, "--architecture", chosen)
    document = ask(capsys, *command, "--rationale", "<b>It fits.</b>", "--without", "what-if")
    assert set(document) == {"study", "out", "bytes", "id", "summary"}
    assert document["id"] == architecture.id and len(document["summary"]) == 5
    html = out.read_text()
    assert document["bytes"] == out.stat().st_size
    assert "&lt;b&gt;It fits.&lt;/b&gt;" in html and 'id="what-if"' not in html
    # Atomically: nothing else is left beside it.
    assert [path.name for path in out.parent.iterdir()] == ["report.html"]
    [measured, *_] = measured_study.table().frame["id"]
    command = ("report", "--study", measured_study.folder, "--out", out, "--architecture", measured)
    assert ask(capsys, *command)["id"] == measured
    assert "is a folder" in refused(
        capsys, "report", "--study", measured_study.folder, "--out", tmp_path
    )


def test_a_report_that_cannot_be_says_why(measured_study, tiny_space, capsys, tmp_path):
    out = ("--out", tmp_path / "report.html")
    asked = ("report", "--study", measured_study.folder, *out)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(takeaway, "fit_all", spy := Mock(wraps=takeaway.fit_all))
        assert "smallest that can be reached" in refused(capsys, *asked, "--latency-budget", 1e-9)
    # Before the other targets are fitted.
    fitted = [call.kwargs["targets"] for call in spy.call_args_list]
    assert sorted(fitted) == [["accuracy"], ["latency_ms"]]
    assert "no target" in refused(capsys, *asked, "--latency-target", "latency_ms:nowhere")
    empty = create_study(tmp_path / "empty", tiny_space, name="Empty")
    assert "nothing to report" in refused(capsys, "report", "--study", empty.folder, *out)
    (tmp_path / "file").write_text("")
    within = tmp_path / "file" / "report.html"
    sentence = refused(capsys, "report", "--study", measured_study.folder, "--out", within)
    assert "can't be written" in sentence
    assert not (tmp_path / "report.html").exists()


def test_train_on_an_image_folder_then_measure(tmp_path, capsys):
    write_images(tmp_path / "images")
    (tmp_path / "space.json").write_text(json.dumps(tiny_document(input_channels=3)))
    options = ["--study", tmp_path / "study", "--space", tmp_path / "space.json"]
    training = ["--data", tmp_path / "images", "--epochs", 1, "--batch", 8]
    document = ask(capsys, "train", *options, *training)
    assert document["steps"] > 0 and set(document["accuracy"]) == {"largest", "smallest"}
    study = open_study(tmp_path / "study")
    assert study.load_checkpoint().record["classes"] == ["0", "1", "2"]
    assert not study.training_state_file.exists()
    ask(capsys, "measure", "--study", tmp_path / "study", "--count", 1)
    assert len(study.table()) == 1
    # Its largest subnet teaches another's; the record says whose it was.
    pupil = ["--study", tmp_path / "pupil", *options[2:], *training]
    ask(capsys, "train", *pupil, "--teacher", tmp_path / "study", "--inputs", "equal")
    recipe = open_study(tmp_path / "pupil").load_checkpoint().record["recipe"]
    assert recipe["taught_by"] == weights_fingerprint(study.load_checkpoint().supernet)
    assert recipe["inputs"] == "equal"
    update = ("--update", "fpnas", "--teacher", tmp_path / "pupil")
    other = ("train", "--study", tmp_path / "third", *options[2:], *training, *update)
    assert "imitates no teacher" in refused(capsys, *other)
    assert not (tmp_path / "third").exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"classes": 4}, "3 classes, but space 'tiny' is for 4"),
        ({"input_channels": 2}, "3 channels"),
    ],
)
def test_images_that_do_not_suit_the_space_are_refused_before_anything_is_written(
    tmp_path, capsys, change, words
):
    write_images(tmp_path / "images")
    (tmp_path / "space.json").write_text(json.dumps(tiny_document(**change)))
    options = ["--space", tmp_path / "space.json", "--data", tmp_path / "images"]
    assert words in refused(capsys, "train", "--study", tmp_path / "study", *options)
    assert not (tmp_path / "study").exists()


def test_missing_images_leave_no_study_behind(tmp_path, capsys):
    sentence = refused(capsys, "train", "--study", tmp_path / "study", "--data", tmp_path / "none")
    assert "--data" in sentence
    assert not (tmp_path / "study").exists()


def test_a_killed_training_resumes(tmp_path, capsys):
    write_images(tmp_path / "images", 300)
    (tmp_path / "space.json").write_text(json.dumps(tiny_document(input_channels=3)))
    options = [
        "--study", str(tmp_path / "study"), "--space", str(tmp_path / "space.json"),
        "--data", str(tmp_path / "images"), "--epochs", "8", "--batch", "8",
    ]  # fmt: skip
    command = [sys.executable, "-m", "foxnas_core", "train", *options]
    running = subprocess.Popen(
        command,
        cwd=REPOSITORY,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    state = tmp_path / "study" / "training-state.safetensors"
    deadline = time.monotonic() + 300
    while not state.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert state.exists()
    document = ask(capsys, "train", *options, "--resume")
    record = open_study(tmp_path / "study").load_checkpoint().record
    assert document["steps"] == 8 * (record["images"] // 8)
    reported = [row[0] for row in record["history"]["rows"]]
    assert reported == [*range(50, document["steps"], 50), document["steps"]]


@pytest.mark.skipif(not PUBLISHED.exists(), reason=f"{PUBLISHED} is not here")
def test_the_published_table_gives_the_published_fit(tmp_path, capsys):
    study = tmp_path / "published"
    document = ask(capsys, "import", PUBLISHED, "--study", study)
    assert document["rows"] == 300 and document["ordered"] is False
    fit = ("fit", "--study", study, "--form", "foxnas")
    targets = ask(capsys, *fit, "--link", "none")["targets"]
    assert targets["latency_ms"]["r2"] == pytest.approx(0.99007, abs=5e-6)
    assert targets["accuracy"]["r2"] == pytest.approx(0.94722, abs=5e-6)
    ceiling = ask(capsys, *fit)["targets"]["accuracy"]["ceiling"]
    assert 77 < ceiling["low"] < ceiling["value"] < ceiling["high"] < 78.5
    assert "stage_counts" in refused(capsys, "fit", "--study", study, "--form", "per_layer")
    found = ask(capsys, "search", "--study", study, "--latency-budget", 100, "--steps", 5000)
    assert found["best"]["latency_ms"]["value"] <= 100
    assert found["exact"]["accuracy"]["value"] >= found["best"]["accuracy"]["value"]
    sentence = refused(capsys, "measure", "--study", study, "--count", 1)
    assert "no supernet weights" in sentence


def test_an_own_table_is_imported_fitted_and_searched(measured_study, tmp_path, capsys):
    table = measured_study.table()
    columns = [*table.space.by_name, "accuracy", "latency_ms"]
    table.frame[columns].to_csv(tmp_path / "own.csv", index=False)
    (tmp_path / "space.json").write_text(json.dumps(table.space.to_dict()))
    options = ["--study", tmp_path / "own", "--space", tmp_path / "space.json"]
    document = ask(capsys, "import", tmp_path / "own.csv", *options)
    assert document["rows"] == 40 and document["targets"] == ["accuracy", "latency_ms"]
    assert set(ask(capsys, "fit", "--study", tmp_path / "own")["targets"]) == {
        "accuracy", "latency_ms",
    }  # fmt: skip
    search = ["search", "--study", tmp_path / "own", "--latency-budget", budget_of(measured_study)]
    assert ask(capsys, *search, "--steps", 1000)["gap"] >= 0
    # Importing once more appends where that is asked for; it overwrites nothing.
    again = ["import", tmp_path / "own.csv", "--study", tmp_path / "own"]
    assert "All 40 rows are in the study already" in refused(capsys, *again)
    assert ask(capsys, *again, "--again")["rows"] == 80


@pytest.fixture
def foreign(measured_study, tmp_path):
    """The measured table in other words, accuracy as fractions and latency in seconds."""
    table = measured_study.table()
    frame = table.frame[[*table.space.by_name, "accuracy", "latency_ms", "latency_ms:int8"]]
    frame = frame.assign(
        accuracy=frame["accuracy"] / 100,
        **{c: frame[c] / 1000 for c in ("latency_ms", "latency_ms:int8")},
    )
    names = {"s1_depth": "D1", "accuracy": "top1", "latency_ms": "t", "latency_ms:int8": "t=8"}
    frame.rename(columns=names).to_csv(tmp_path / "foreign.csv", index=False)
    maps = [option for name, column in names.items() for option in ("--map", f"{name}={column}")]
    (tmp_path / "space.json").write_text(json.dumps(table.space.to_dict()))
    return [tmp_path / "foreign.csv", "--space", tmp_path / "space.json", *maps]


def test_columns_of_other_names_and_units_are_imported(foreign, measured_study, tmp_path, capsys):
    units = ["--accuracy-unit", "fraction", "--latency-unit", "s"]
    document = ask(capsys, "import", *foreign, *units, "--study", tmp_path / "new")
    assert document["targets"] == ["accuracy", "latency_ms", "latency_ms:int8"]
    found, table = open_study(tmp_path / "new").table(), measured_study.table()
    assert found.frame["id"].tolist() == table.frame["id"].tolist()
    for column in document["targets"]:
        np.testing.assert_allclose(found.values(column), table.values(column), rtol=1e-12)
    appended = ask(capsys, "import", *foreign, *units, "--study", tmp_path / "new", "--again")
    assert (appended["added"], appended["rows"]) == (40, 80)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "say whether it is in percent or fraction (--accuracy-unit UNIT)"),
        (["--accuracy-unit", "fraction"], "say whether it is in ms, s or us (--latency-unit UNIT)"),
        (["--accuracy-unit", "%"], "accuracy can't be in '%'; allowed: percent, fraction."),
        (["--accuracy-unit", "percent", "--latency-unit", "s"], "looks like fractions"),
        (["--map", "s9_depth=D1"], "'s9_depth' can't be mapped"),
        (["--map", "macs=M"], "has no column 'M', which 'macs' is mapped to; it has resolution"),
        (["--map", "accuracy=t"], "'accuracy' is mapped to two columns; keep one --map of it."),
    ],
)
def test_a_mapping_without_units_or_sense_is_refused(foreign, tmp_path, capsys, options, words):
    sentence = refused(capsys, "import", *foreign, *options, "--study", tmp_path / "new")
    assert words in sentence
    assert not (tmp_path / "new").exists()


def test_a_map_without_a_column_exits_with_2(tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["import", "t.csv", "--study", str(tmp_path), "--map", "accuracy"])
    assert stopped.value.code == 2 and "is not NAME=COLUMN" in capsys.readouterr().err


def test_json_architectures_are_imported(measured_study, tmp_path, capsys):
    table = measured_study.table()
    rows = zip(table.architectures(), table.values("accuracy"), strict=True)
    lines = [json.dumps({"architecture": a.to_dict(), "accuracy": y}) for a, y in rows]
    (tmp_path / "t.jsonl").write_text("\n".join(lines) + "\n")
    to = ["import", tmp_path / "t.jsonl", "--study", measured_study.folder, "--again"]
    document = ask(capsys, *to)
    assert (document["added"], document["rows"]) == (40, 80)
    after = measured_study.table()
    np.testing.assert_array_equal(after.codes[40:], table.codes)
    np.testing.assert_array_equal(after.values("accuracy")[40:], table.values("accuracy"))


def test_another_space_than_the_studys_is_refused(measured_study, foreign, capsys):
    options = ["--space", "foxnas-mini", "--study", measured_study.folder]
    assert "is of space 'tiny', not 'foxnas-mini'" in refused(
        capsys, "import", foreign[0], *options
    )


def test_a_folder_that_cannot_be_written_is_one_sentence(foreign, capsys):
    # The system's own folder, which not even root may write to.
    options = ["--accuracy-unit", "fraction", "--latency-unit", "s", "--study", "/proc/study"]
    assert "/proc/study can't be written" in refused(capsys, "import", *foreign, *options)


def test_an_infeasible_budget_names_the_smallest_latency(measured_study, capsys):
    sentence = refused(
        capsys, "search", "--study", measured_study.folder, "--latency-budget", "0.000001"
    )
    assert "smallest" in sentence and "ms" in sentence


def test_an_empty_study_says_what_to_do(tiny_space, tmp_path, capsys):
    create_study(tmp_path / "a", tiny_space, name="A")
    for command in (["fit"], ["search", "--latency-budget", 1]):
        assert "measure" in refused(capsys, command[0], "--study", tmp_path / "a", *command[1:])


def test_no_study_says_so(tmp_path, capsys):
    assert "no study at" in refused(capsys, "fit", "--study", tmp_path / "none")


def test_a_truncated_table_is_named(measured_study, capsys):
    content = measured_study.table_file.read_bytes()
    measured_study.table_file.write_bytes(content[: len(content) // 2])
    assert "measurements.parquet" in refused(capsys, "fit", "--study", measured_study.folder)


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("s1b1_kernel", 4, ["s1b1_kernel", "4", "3, 5", "line 3"]),
        ("latency_ms", "quick", ["latency_ms", "quick", "line 3"]),
        ("latency_ms", -1, ["latency_ms", "-1", "line 3"]),
        ("accuracy", 170, ["accuracy", "170", "line 3"]),
        ("s1b1_expand", "two", ["s1b1_expand", "two", "line 3"]),
    ],
)
def test_a_wrong_cell_is_named_and_nothing_is_written(
    measured_study, tmp_path, capsys, column, value, words
):
    table = measured_study.table()
    frame = table.frame[[*table.space.by_name, "accuracy", "latency_ms"]].astype(object)
    frame.loc[1, column] = value
    frame.to_csv(tmp_path / "own.csv", index=False, na_rep="")
    before = measured_study.table_file.read_bytes()
    sentence = refused(capsys, "import", tmp_path / "own.csv", "--study", measured_study.folder)
    assert "own.csv" in sentence
    for word in words:
        assert word in sentence
    assert measured_study.table_file.read_bytes() == before
    # A new study is not left half-made either.
    (tmp_path / "space.json").write_text(json.dumps(table.space.to_dict()))
    new = ["--study", tmp_path / "new", "--space", tmp_path / "space.json"]
    refused(capsys, "import", tmp_path / "own.csv", *new)
    assert not (tmp_path / "new").exists()


def test_weights_of_another_space_are_named(tiny_study, tmp_path, capsys):
    from foxnas_core.families import space_from_dict

    other = space_from_dict(tiny_document(classes=4, name="other"))
    study = create_study(tmp_path / "b", other, name="B")
    study.checkpoint_file.write_bytes(tiny_study.checkpoint_file.read_bytes())
    study.images_file.write_bytes(tiny_study.images_file.read_bytes())
    assert "trained on space 'tiny'" in refused(
        capsys, "measure", "--study", study.folder, "--count", 1
    )
    assert not study.table_file.exists()


@pytest.mark.parametrize("wrong", [["--seed", "-1"], ["--count", "0"], ["--count", "x"]])
def test_options_out_of_range_exit_with_2(tmp_path, capsys, wrong):
    with pytest.raises(SystemExit) as stopped:
        main(["measure", "--study", str(tmp_path), *wrong])
    assert stopped.value.code == 2


def test_help_answers_without_loading_a_heavy_package():
    code = (
        "import sys\nfrom foxnas_core.__main__ import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'torch', 'statsmodels', 'pandas', 'numba'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=True, capture_output=True)


def test_frames_of_the_fit_agree_with_the_core(measured_study, capsys):
    from foxnas_core.regression import fit

    table = measured_study.table()
    shown = ask(capsys, "fit", "--study", measured_study.folder)["targets"]["accuracy"]
    own = fit(table, "accuracy").coefficients()
    assert pd.DataFrame(shown["coefficients"])["estimate"].tolist() == own["estimate"].tolist()


@pytest.fixture
def pictures(tmp_path, tiny_dataset):
    """The tiny images as a folder of pictures, one sub-folder a class."""
    from PIL import Image

    folder = tmp_path / "stripes"
    for number, image in enumerate(tiny_dataset.training.images):
        own = folder / tiny_dataset.classes[tiny_dataset.training.labels[number]]
        own.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(own / f"{number}.png")
    return folder


def test_fine_tune_writes_a_subnet_scored_before_and_after(tiny_study, pictures, tmp_path, capsys):
    architecture, out = tmp_path / "a.json", tmp_path / "tuned"
    architecture.write_text(json.dumps(tiny_study.space.extreme("largest").to_dict()))
    command = (
        "fine-tune", "--study", tiny_study.folder, "--architecture", architecture, "--out", out,
        "--data", pictures, "--epochs", 1, "--batch", 40, "--quantization-aware",
    )  # fmt: skip
    document = ask(capsys, *command)
    assert document["steps"] == document["planned_steps"] > 5
    assert sorted(p.name for p in out.iterdir()) == document["files"]
    for scores in (document["before"], document["after"], document["gain"]):
        assert set(scores) == {"accuracy", "accuracy:int8", "accuracy_drop:int8"}
        assert all(set(interval) == ESTIMATE for interval in scores.values())
    written = json.loads((out / "fine_tuning.json").read_text())
    assert written["after"] == document["after"] and written["images"] == document["images"]
    parents = written["parents"]
    assert parents["space"] == tiny_study.space.fingerprint and len(parents) == 3
    assert "not empty" in refused(capsys, *command)
    renamed = pictures.rename(pictures.with_name("others"))
    elsewhere = (*command[:6], tmp_path / "again", "--data", renamed)
    assert "was trained on stripes, not on others" in refused(capsys, *elsewhere)


def test_fine_tuning_stops_at_the_first_interrupt_and_keeps_what_it_learnt(
    tiny_study, pictures, tmp_path, capsys, monkeypatch
):
    from foxnas_core.quantization import finetuning

    plain = finetuning.fine_tune

    def interrupted(*arguments, report, **options):
        def told(progress):
            report(progress)
            os.kill(os.getpid(), signal.SIGINT)

        return plain(*arguments, report=told, report_every=2, **options)

    monkeypatch.setattr(finetuning, "fine_tune", interrupted)
    usual = signal.getsignal(signal.SIGINT)
    architecture = tmp_path / "a.json"
    architecture.write_text(json.dumps(tiny_study.space.extreme("smallest").to_dict()))
    document = ask(
        capsys, "fine-tune", "--study", tiny_study.folder, "--architecture", architecture,
        "--out", tmp_path / "tuned", "--data", pictures, "--epochs", 5, "--batch", 40,
    )  # fmt: skip
    assert document["steps"] == 2 and document["planned_steps"] > 25
    assert (tmp_path / "tuned" / "subnet.safetensors").exists()
    assert signal.getsignal(signal.SIGINT) == usual


def test_profile_document(measured_study, tmp_path, capsys):
    """By id, in int8, with its table; what the regression says stands beside each block."""
    architecture = measured_study.table().architectures()[0]
    out = tmp_path / "layers.csv"
    document = ask(
        capsys, "profile", "--study", measured_study.folder, "--architecture", architecture.id,
        "--precision", "int8", "--out", out,
    )  # fmt: skip
    assert set(document) == {
        "study", "id", "architecture", "precision", "parameters", "macs", "rows", "latency_ms",
        "layers_ms", "of_no_layer_ms", "unattributed_ms", "profiler_ms", "profiled_ms",
        "circumstances",
    }  # fmt: skip
    assert document["architecture"] == architecture.to_dict() and document["precision"] == "int8"
    assert set(document["latency_ms"]) == ESTIMATE
    parts = [document[name] for name in ("layers_ms", "of_no_layer_ms", "profiler_ms")]
    assert sum(parts) == pytest.approx(document["profiled_ms"])
    rows = document["rows"]
    layers = [row for row in rows if row["row"] == "layer"]
    assert sum(row["MACs"] for row in layers) == document["macs"]
    assert document["macs"] == measured_study.table().values("macs")[0]
    assert sum(row["time (ms)"] for row in layers) == pytest.approx(document["layers_ms"])
    [block] = [row for row in rows if row["row"] == "block" and row["block"] == "s2b1"]
    assert block["latency_ms:int8 low"] <= block["latency_ms:int8 effect"]
    written = pd.read_csv(out)
    assert len(written) == len(rows) and list(written) == list(rows[0])


def test_without_weights_a_profile_is_of_random_ones_and_says_so(measured_study, tmp_path, capsys):
    measured_study.checkpoint_file.unlink()
    file = tmp_path / "one.json"
    file.write_text(json.dumps(measured_study.space.extreme("largest").to_dict()))
    command = ["profile", "--study", str(measured_study.folder), "--architecture", str(file)]
    assert main([*command, "--json"]) == 0
    captured = capsys.readouterr()
    assert "with random weights" in captured.err
    document = json.loads(captured.out)
    assert document["latency_ms"]["value"] > 0 and document["macs"] > 0


def test_with_weights_and_no_images_a_profile_tells_layers_and_why_there_are_no_times(
    measured_study, tmp_path, capsys
):
    measured_study.images_file.unlink()
    file = tmp_path / "one.json"
    file.write_text(json.dumps(measured_study.space.extreme("largest").to_dict()))
    command = ["profile", "--study", str(measured_study.folder), "--architecture", str(file)]
    assert main([*command, "--json"]) == 0
    captured = capsys.readouterr()
    assert "There are no times." in captured.err and "no images" in captured.err
    document = json.loads(captured.out)
    assert document["latency_ms"] is None and document["macs"] > 0
    assert all(row["time (ms)"] is None for row in document["rows"])
    assert main(command) == 0
    told, heads, *_ = capsys.readouterr().out.split("\n")
    assert re.fullmatch(rf"{document['id']} computes [\d.,k]+ ?[kM]? MACs\.", told)
    assert "kind" in heads and "time" not in heads
    profile = ("profile", "--study", measured_study.folder, "--architecture")
    assert "neither a file nor the id" in refused(capsys, *profile, "0123456789ab")
    assert "fp32 or int8" in refused(capsys, *profile, file, "--precision", "int4")


# Verifying


def test_verify_document_of_an_edit(measured_study, capsys, tmp_path):
    table = measured_study.table()
    one = table.architectures()[0]
    [other] = measured_study.space.neighbours(one)[:1]
    file = tmp_path / "edited.json"
    file.write_text(json.dumps(other.to_dict()))
    document = ask(
        capsys, "verify", "--study", measured_study.folder, "--architecture", file, "--against",
        one.id, "--seed", 4,
    )  # fmt: skip
    assert set(document) == {
        "study", "rows", "machine", "trials", "scoreboard", "pending", "sentences",
    }  # fmt: skip
    assert document["machine"]["same"] and document["machine"]["latencies"]
    assert document["rows"] == len(table) + 2 and document["pending"] == 0
    [trial] = document["trials"]
    assert [s["id"] for s in trial["subnets"]] == [one.id, other.id]
    assert (trial["chosen"], trial["seed"], trial["level"]) == ("picked", 4, 0.95)
    assert len(trial["claims"]) == len(trial["verdicts"]) == 8
    assert set(trial["verdicts"][0]) == {
        "measured", "std_error", "low", "high", "judged_low", "judged_high", "reason",
    }  # fmt: skip
    assert {row["tested"] for row in document["scoreboard"]} <= {0, 1}


def test_verify_random_says_what_it_comes_to_and_goes_on(measured_study, capsys):
    command = ("verify", "--study", measured_study.folder, "--random", 1, "--images", 150)
    first = ask(capsys, *command)
    assert main([*map(str, command), "--json"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out) == first and first["rows"] == 40
    assert "tested claims held" in captured.err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "Give --architecture FILE or ID to test one subnet, --random N, or --second-opinion"),
        (["--architecture", "x", "--random", "2"], "--random N, or --second-opinion"),
        (["--random", "2", "--against", "x"], "--against goes with --architecture alone"),
        (["--architecture", "nobody"], "'nobody' is neither a file nor the id"),
        (["--random", "1", "--images", "7"], "take 100 to all 300"),
    ],
)
def test_what_verify_cannot_do_is_one_sentence(measured_study, capsys, options, words):
    assert words in refused(capsys, "verify", "--study", measured_study.folder, *options)


def test_verify_without_weights_says_how_to_get_them(measured_study, capsys):
    measured_study.checkpoint_file.unlink()
    said = refused(capsys, "verify", "--study", measured_study.folder, "--random", 1)
    assert "no supernet weights" in said and "train one with" in said


def test_a_path_that_the_system_refuses_is_one_sentence(studies, capsys):
    code = main(["study", "export", "demo", "x" * 5000, "--studies", str(studies)])
    said = capsys.readouterr().err
    assert code == 2 and said.count("\n") == 1
    assert "can't be used (File name too long)" in said and len(said) < 450
