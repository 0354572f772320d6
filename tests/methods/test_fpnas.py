"""FP-NAS as a method: it trains, goes on where it was stopped, and keeps to what is asked."""

import json
from dataclasses import replace

import pytest
from hand import choice_space

from foxnas_core.__main__ import main
from foxnas_core.cards import sampled as sampled_cards
from foxnas_core.cards.given import Given
from foxnas_core.methods import Question, method_of, sampled
from foxnas_core.methods.fpnas import Sampled
from foxnas_core.search.selections import SELECTIONS, SelectedCell, SupernetSelection
from foxnas_core.space.in_words import decision_called
from foxnas_core.study import create_study
from foxnas_core.testing.analyses import check_analysis, check_card
from foxnas_core.testing.methods import check_method


@pytest.fixture
def study(measured_study, tiny_dataset, monkeypatch):
    """A study that trains on stripes, of which there is a folder at no place."""
    monkeypatch.setattr("foxnas_core.methods.fpnas.has_fashion_mnist", lambda: True)
    monkeypatch.setattr(sampled, "training_images", lambda study, data: tiny_dataset)
    return measured_study


def test_it_keeps_the_contract_within_what_is_allowed(study):
    depth = next(d for d in study.space.decisions if d.role == "depth")
    question = Question("accuracy", {"macs": 1e5}, {depth.name: depth.choices[:1]})
    found = check_method(Sampled(samples_per_nat=0.4, epochs=2, images=100), study, question)
    assert found.architecture.get(depth.name) == depth.choices[0]
    assert "samples in 2 steps" in found.sentence
    course = found.document["course"]
    # What the limit is held to, and what the mode is predicted to cost.
    assert 0 < course["limits"]["macs"] <= 1e5
    assert all(set(own["costs"]["macs"]) == {"mode", "drawn"} for own in course["modes"])
    record = SELECTIONS.value({"format": 1, **found.document})
    check_card(replace(sampled_cards.modes_card(Given(study), record), key="k", title="t"), "modes")


def test_the_command_says_what_every_step_drew_and_keeps_the_selection(study, capsys):
    main(
        ["select", "--study", str(study.folder), "--method", "fpnas", "--epochs", "2", "--images",
         "300", "--samples-per-nat", "0.5", "--switch-step", "1", "--seed", "3", "--json"]
    )  # fmt: skip
    told = json.loads(capsys.readouterr().out)
    assert (told["method"], told["seed"], told["lambda"]) == ("fpnas", 3, 0.5)
    assert told["switch_step"] == 1 and len(told["steps"]) == 4
    assert [s["k"] for s in told["steps"]] == [
        max(2, round(0.5 * s["entropy"])) for s in told["steps"]
    ]
    # Nothing is learnt in the first quarter.
    assert [s["ess"] is None for s in told["steps"]] == [True, False, False, False]
    assert told["samples"] == sum(s["k"] for s in told["steps"])
    kept = study.kept(SELECTIONS, *study.ids(SELECTIONS))
    assert kept.selected.id == told["selected"]["id"] and kept.course["samples"] == told["samples"]
    for part in sampled_cards.PARTS.values():
        check_analysis(part, Given(study))
    card = sampled_cards.choices_card(Given(study), kept)
    assert set(card.table["decision"]) == {
        decision_called(study.space.by_name[name]) for name in told["selected"]["architecture"]
    }
    assert (card.table["probability"].groupby(card.table["decision"]).sum().round(6) == 100).all()
    # What is undecided is told, with what its choices differ by.
    undecided = card.table[card.table["undecided"]]
    assert undecided["Δ Top-1 accuracy (points)"].notna().all()
    assert (undecided.loc[undecided["kept"], "Δ Top-1 accuracy (points)"] == 0).all()
    assert undecided["decision"].nunique() >= 1 and len(card.points) >= 1
    # Who decided when, and what the mode was worth, epoch by epoch.
    courses = sampled_cards.courses_card(Given(study), kept).table
    assert len(courses) == 2 * len(kept.decisions)
    assert [own["epoch"] for own in kept.course["modes"]] == [1, 2]
    assert all(0 <= own["value"] <= 100 for own in kept.course["modes"])
    assert {d.edge: d.kept for d in kept.decisions} == {
        name: str(choice) for name, choice in told["selected"]["architecture"].items()
    }


@pytest.mark.parametrize(
    ("drawn", "said"), [(12, "25% fewer than"), (16, "as many as"), (24, "50% more than")]
)
def test_what_it_spent_is_told_as_it_is(study, drawn, said):
    cell = SelectedCell("a", study.space.sample(1, seed=0)[0], "")
    course = {"steps": [{"k": drawn, "entropy": 2.0, "ess": None}]}
    own = SupernetSelection("fpnas", 0, (), (), cell, {}, course)
    assert f"{said} the 16 of" in sampled_cards.spent_card(Given(study), own).sentence


def test_what_it_lacks_is_a_sentence(study, tmp_path, monkeypatch):
    cells = create_study(tmp_path / "cells", choice_space({"edge": ("skip", "conv")}), name="Cells")
    assert "no supernet to be trained" in method_of("fpnas").needs(cells)
    limited = Question("accuracy", {"energy_mj": 1.0})
    assert "no column 'energy_mj'" in method_of("fpnas").needs(study, limited)
    monkeypatch.setattr("foxnas_core.methods.fpnas.has_fashion_mnist", lambda: False)
    assert "dataset-fashion-mnist, or name" in method_of("fpnas").needs(study)
    assert replace(Sampled(), data="images").needs(study) is None


def test_the_command_refuses_settings_of_others(study, capsys):
    for method, option in (("magnitude", "--switch-step"), ("regression", "--samples-per-nat")):
        asked = ["select", "--study", str(study.folder), "--method", method, option, "2"]
        assert main(asked) == 2
        assert f"has no {option}" in capsys.readouterr().err
