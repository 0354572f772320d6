"""What `search` answers where something better was measured than what it finds."""

import json

import numpy as np
import pandas as pd
import pytest
from conftest import DEMO
from tricky import CODES, SPACE, tricky_study

from foxnas_core.__main__ import main
from foxnas_core.regression import fit
from foxnas_core.study import Study, open_study


def ask(capsys, study: Study, *arguments: str) -> tuple[dict, str]:
    command = ["search", "--study", str(study.folder), "--steps", "300", *arguments]
    assert main([*command, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert main(command) == 0
    return document, capsys.readouterr().out


def best_row(study: Study, budget: float) -> pd.Series:
    frame = study.table().frame
    return frame[frame["latency_ms"] <= budget].nlargest(1, "accuracy").iloc[0]


def test_a_table_of_every_architecture_answers_by_itself(tmp_path, capsys):
    study = tricky_study(tmp_path / "study")
    best = best_row(study, 4.3)
    document, said = ask(capsys, study, "--budget", "4.3")
    assert document["source"] == "table" and document["gap"] == 0
    for found in (document["best"], document["exact"], document["best_measured"]):
        assert found["id"] == best["id"]
    told = {"value": best["accuracy"], "low": None, "high": None}
    assert document["best"]["accuracy"] == told
    assert document["best_measured"]["metrics"]["accuracy"] == told
    assert document["headline"].startswith("All 81 architectures of space 'choices' are measured")
    assert said.splitlines()[1].startswith(document["headline"])
    assert "predicted" not in said.replace("nothing is predicted", "") and best["id"] in said


def test_a_better_row_comes_before_the_optimum_of_a_part_of_the_space(tmp_path, capsys):
    study = tricky_study(tmp_path / "study", np.arange(81) != 80)
    best = best_row(study, 4.3)
    document, said = ask(capsys, study, "--budget", "4.3")
    assert document["source"] == "measured" and document["best_measured"]["id"] == best["id"]
    found = document["best"]
    assert found["id"] == SPACE.architecture({f"e{i}": 1 for i in range(4)}).id
    assert found["measured"]["accuracy"]["value"] < best["accuracy"] < found["accuracy"]["value"]
    first, second, *_ = said.splitlines()
    assert first == f"Subnet {best['id']}" and second.startswith(document["headline"])
    assert "Measured already, and better" in second and "The search's own" in second


def test_an_optimum_beyond_anything_measured_says_so(tmp_path, capsys):
    study = tricky_study(tmp_path / "study", (CODES == 1).sum(axis=1) <= 2)
    document, said = ask(capsys, study, "--budget", "4.3")
    assert document["source"] == "regression" and document["best"]["measured"] == {}
    assert "more accurate than anything measured" in document["headline"]
    assert document["headline"] in said


def test_what_nothing_known_is_left_for_is_refused_in_a_sentence(tmp_path, capsys):
    latency = np.where(CODES[:, 0] == 2, np.nan, 2 + 0.5 * CODES.sum(axis=1))
    study = tricky_study(
        tmp_path / "study", latency_ms=np.ones(81), **{"latency_ms:board": latency}
    )
    command = ["--cost", "latency_ms:board", "--budget", "4.3"]
    document, _ = ask(capsys, study, *command)
    assert "27 of them without accuracy or latency" in document["headline"]
    asked = ["search", "--study", str(study.folder), *command, "--allow", "e0=2"]
    assert main(asked) != 0
    assert "None of the 27 architectures with the allowed choices" in capsys.readouterr().err


def test_a_floor_is_answered_from_the_table_as_well(tmp_path, capsys):
    study = tricky_study(tmp_path / "study")
    document, _ = ask(capsys, study, "--floor", "69")
    frame = study.table().frame
    least = frame[frame["accuracy"] >= 69]["latency_ms"].min()
    assert (
        document["best"]["latency_ms"]["value"]
        == least
        == (document["best_measured"]["metrics"]["latency_ms"]["value"])
    )


def test_a_search_goes_by_the_form_that_is_asked_for(capsys):
    study = open_study(DEMO)
    best = ask(capsys, study, "--budget", "0.065", "--form", "choice_counts")[0]["best"]
    table, found = study.table(), study.space.architecture(best["architecture"])
    for target in ("accuracy", "latency_ms"):
        [value] = fit(table, target, "choice_counts").predict([found])["value"]
        assert best[target]["value"] == pytest.approx(value)
    command = ["search", "--study", str(DEMO), "--budget", "0.065", "--form", "no"]
    assert main(command) == 2
    assert "'no' is no form" in capsys.readouterr().err
    command = ["search", "--study", str(DEMO), "--rounds", "1", "--form", "per_layer"]
    assert main(command) == 2
    assert "leave out --form" in capsys.readouterr().err
