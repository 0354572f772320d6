"""Tables in which a decision has one value throughout, or no row has an accuracy: what can be
fitted is, and searches answer by it."""

import json

import numpy as np
import pandas as pd
import pytest

from foxnas_core.__main__ import main
from foxnas_core.families import space_from_dict
from foxnas_core.regression import fit
from foxnas_core.regression.keeping import pack_predictor, unpack_predictor
from foxnas_core.table.measurements import table_from_frame

DOCUMENT = {
    "format": 1, "name": "one", "family": "listed", "context": ["input"],
    "decisions": [
        {"name": "resolution", "group": "input", "role": "resolution", "choices": [160, 224]},
        *(
            {"name": f"{slot}_{role}", "group": slot, "slot": slot, "role": role,
             "choices": [3, 5]}
            for slot in "ab" for role in ("kernel", "expand")
        ),
    ],
}  # fmt: skip
SPACE = space_from_dict(DOCUMENT)


def rows(resolutions: tuple[int, ...]) -> pd.DataFrame:
    chance = np.random.default_rng(0)
    frame = pd.DataFrame({"resolution": chance.choice(resolutions, 60)})
    for decision in SPACE.decisions[1:]:
        frame[decision.name] = chance.choice([3, 5], 60)
    work = frame.drop(columns="resolution").sum(axis=1)
    frame["accuracy"] = 60 + work / 4 + chance.normal(0, 0.05, 60)
    frame["latency_ms"] = 2 + work / 5 + chance.normal(0, 0.02, 60)
    return frame


@pytest.fixture
def imported(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "space.json").write_text(json.dumps(DOCUMENT))

    def bring(frame: pd.DataFrame) -> int:
        frame.to_csv(tmp_path / "t.csv", index=False)
        return main(["import", "t.csv", "--study", "own", "--space", "space.json"])

    return bring


def ask(capsys, *arguments: str) -> dict:
    capsys.readouterr()
    assert main([*arguments, "--study", "own", "--json"]) == 0, capsys.readouterr().err
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("resolution", [160, 224])
def test_a_decision_of_one_value_stays_at_it(resolution, imported, capsys):
    assert imported(rows((resolution,))) == 0
    told = ask(capsys, "fit")["targets"]
    for column in ("accuracy", "latency_ms"):
        assert told[column]["cv"]["r2"] > 0.9
        warnings = fit(table_from_frame(SPACE, rows((resolution,))), column).warnings
        assert f"All 60 rows have resolution = {resolution}" in " ".join(warnings)
    best = ask(capsys, "search", "--latency-budget", "5", "--steps", "200")["best"]
    assert best["architecture"]["resolution"] == resolution
    base = table_from_frame(SPACE, rows((resolution,))).frame["id"][0]
    answers = ask(capsys, "counterfactual", "--architecture", base, "--save", "0.1")["answers"]
    assert answers
    assert all("resolution" not in json.dumps(own.get("edits", [])) for own in answers)
    other = str(384 - resolution)
    command = ["search", "--study", "own", "--latency-budget", "5", "--allow"]
    assert main([*command, f"resolution={other}"]) == 2
    assert "No choice of 'resolution' is allowed" in capsys.readouterr().err


def test_such_a_fit_is_kept_to_the_last_digit():
    predictor = fit(table_from_frame(SPACE, rows((224,))), "latency_ms")
    again = unpack_predictor(pack_predictor(predictor, "k"), "k", SPACE)
    assert again.form == predictor.form and again.form.held == (("resolution", 224),)
    codes = SPACE.random_codes(20, seed=1)
    assert np.array_equal(
        again.predict_codes(codes)["value"], predictor.predict_codes(codes)["value"]
    )


def test_without_an_accuracy_costs_are_fitted_and_the_advice_of_a_search_works(imported, capsys):
    frame = rows((160, 224))
    assert imported(frame.drop(columns="accuracy")) == 0
    assert ask(capsys, "fit")["targets"]["latency_ms"]["cv"]["r2"] > 0.8
    base = table_from_frame(SPACE, frame).frame["id"][0]
    asked = [
        ["search", "--latency-budget", "5", "--steps", "200"],
        ["counterfactual", "--architecture", base, "--save", "0.1"],
    ]
    for command in asked:
        assert main([*command, "--study", "own"]) == 2
        told = capsys.readouterr().err
        assert (
            "no target 'accuracy'; it has latency_ms: import or measure rows that have it" in told
        )
    assert imported(frame.drop(columns="latency_ms")) == 0
    for command in asked:
        ask(capsys, *command)
