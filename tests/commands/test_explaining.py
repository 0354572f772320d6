"""What a card says is the same in the app and on the command line."""

import json

import pytest
from conftest import DEMO

from foxnas_core.__main__ import main
from foxnas_core.cards.analysis import analyses
from foxnas_core.cards.given import Given
from foxnas_core.study import create_study, open_study


def explained(capsys, *options) -> dict:
    assert main(["explain", "--json", *map(str, options)]) == 0
    return json.loads(capsys.readouterr().out)


def refused(capsys, *options) -> str:
    assert main(["explain", *map(str, options)]) == 2
    return capsys.readouterr().err


def test_a_card_is_the_one_that_pages_render(capsys):
    key = "trust-agreement"
    document = explained(
        capsys, "--study", DEMO, "--analysis", key, "--option", "trained=fine_tuned"
    )
    card = analyses()[key].compute(Given(open_study(DEMO)), trained="fine_tuned")
    assert document == {"analysis": key, "page": "Trust"} | card.to_dict()


def test_people_read_the_same_sentence(capsys):
    asked = ("--study", str(DEMO), "--analysis", "quantization-costs")
    sentence = explained(capsys, *asked)["sentence"]
    assert main(["explain", *asked]) == 0
    assert sentence in capsys.readouterr().out


def test_edits_are_told_from_the_one_to_the_other(capsys, tmp_path):
    space = open_study(DEMO).space
    asked = ["--study", DEMO, "--analysis", "what-if-edits", "--target", "latency_ms"]
    for option, which in (("--start", "largest"), ("--architecture", "smallest")):
        file = tmp_path / f"{which}.json"
        file.write_text(json.dumps(space.extreme(which).to_dict()))
        asked += [option, file]
    card = explained(capsys, *asked)
    assert card["table"][-1]["edit"] == "together" and card["table"][-1]["effect"] < 0
    assert "Nothing yet" in explained(capsys, *asked[:-4], *asked[-2:])["sentence"]


def test_effects_are_told_at_a_resolution_of_the_space(capsys):
    asked = ("--study", DEMO, "--analysis", "coefficients-choices")
    averaged = explained(capsys, *asked)
    assert "Averages over subnets drawn at random (800 for" in averaged["sentence"]
    at = explained(capsys, *asked, "--effects", "form", "--at", "resolution 12")
    assert "By the regression's form, at resolution 12" in at["sentence"]
    assert len(at["table"]) == len(averaged["table"])
    assert "resolution 12" in refused(capsys, *asked, "--at", "12")


def test_all_are_listed_with_what_they_lack(capsys, tmp_path):
    study = create_study(tmp_path / "empty", open_study(DEMO).space, name="Empty")
    found = explained(capsys, "--study", study.folder)["analyses"]
    assert [row["analysis"] for row in found] == list(analyses())
    ready = {row["analysis"] for row in found if not row["needs"]}
    of_networks = {name for name in analyses() if name.startswith("model-graph-")}
    assert len(of_networks) >= 6
    # Of a space alone; what a change of a block brings is a fit's to say.
    of_fits = {"model-graph-changes", "model-graph-times"}
    always = {"what-if-diff", "select-methods", "study-holds"}
    assert ready == always | of_networks - of_fits
    assert not any(row["options"] for row in found if row["needs"])
    needs = next(row["needs"] for row in found if row["analysis"] == "trust-pairs")
    assert needs in refused(capsys, "--study", study.folder, "--analysis", "trust-pairs")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--analysis", "nonsense"), "no analysis"),
        (("--analysis", "trust-agreement", "--option", "trained=never"), "alone|fine_tuned"),
        (("--analysis", "trust-advice", "--option", "a=b"), "it takes no option"),
        (("--analysis", "coefficients-fit", "--target", "nonsense"), "nonsense"),
    ],
)
def test_what_is_none_is_said(capsys, options, says):
    assert says in refused(capsys, "--study", DEMO, *options)
