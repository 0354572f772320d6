"""Selection for unseen domains on a toy with a known answer: who sees hues does well on the domains
trained on, who is blind to them does well outside."""

import json
from dataclasses import replace

import numpy as np
import pytest
from conftest import stripes
from hand import choice_space
from hues import BLIND, SEER, SPLIT, Hues, dataset_of

from foxnas_core.__main__ import main
from foxnas_core.cards import outside as outside_cards
from foxnas_core.cards.given import Given
from foxnas_core.errors import Collapsed
from foxnas_core.families import families, register_family
from foxnas_core.methods import Question, adversarial, method_of
from foxnas_core.methods.ood import Outside
from foxnas_core.methods.selecting import select_kept, state_file
from foxnas_core.search.selections import SELECTIONS
from foxnas_core.study import create_study
from foxnas_core.tasks.dataset import ImageSet
from foxnas_core.tasks.domain_split import DOMAINS
from foxnas_core.testing.analyses import check_analysis
from foxnas_core.testing.methods import check_method
from foxnas_core.training.adversary.generator import Generator

QUESTION = Question("accuracy")
BRIEF = Outside(epochs=2, images=128, candidates=4)


def faint(count: int, seed: int) -> ImageSet:
    """Stripes that are hard to tell, smaller."""
    drawn, rng = stripes(count, seed), np.random.default_rng(seed)
    pixels = drawn.images[:, :8, :8] + rng.normal(0, 80, (count, 8, 8))
    return ImageSet(pixels.clip(0, 255).astype(np.uint8), drawn.labels)


@pytest.fixture(scope="module")
def toy():
    return dataset_of(faint(640, 1), faint(640, 2))


@pytest.fixture
def study(tmp_path, toy, monkeypatch):
    if "hues" not in {family.name for family in families()}:
        register_family(Hues())
    monkeypatch.setattr(adversarial, "training_images", lambda study, data: toy)
    space = Hues().space("hues", {"side": 8, "classes": 3})
    made = create_study(tmp_path / "hues", space, name="Hues")
    made.save(DOMAINS, SPLIT)
    return made


def test_who_sees_does_best_where_hues_agree_and_who_is_blind_elsewhere(study, monkeypatch):
    """With a generator that gives each image the next hue and leaves what it shows."""
    monkeypatch.setattr(Generator, "forward", lambda self, pixels, *_: pixels.roll(1, 1))
    monkeypatch.setattr(adversarial, "collapse", lambda lamps: None)
    found, _ = select_kept(study, Outside(epochs=8, images=640), QUESTION, seed=0)
    course = found.document["course"]
    named = {own["id"]: own["architecture"]["input"] for own in course["candidates"]}
    assert {way: named[own] for way, own in course["by"].items()} == {
        "made": BLIND, "selection": BLIND, "iid": SEER,
    }  # fmt: skip
    assert found.architecture.get("input") == BLIND
    lamps = {lamp["name"]: lamp["on"] for lamp in course["lamps"]}
    assert lamps["change"] and lamps["diversity"] and lamps["harder"]
    given = Given(study)
    for card in (outside_cards.outside, outside_cards.lamps, outside_cards.pictures):
        check_analysis(card, given)


@pytest.mark.parametrize("generator", ["on", "off"])
def test_it_goes_on_where_it_was_stopped(study, generator, monkeypatch):
    monkeypatch.setattr(adversarial, "collapse", lambda lamps: None)
    found = check_method(replace(BRIEF, generator=generator), study, QUESTION)
    assert set(found.document["course"]["by"]) == {"selection", "iid"} | (
        {"made"} if generator == "on" else set()
    )


def test_a_collapsed_game_ends_with_a_sentence_and_keeps_no_state(study):
    with pytest.raises(Collapsed, match=r"^The game .*; (give|train) .*\.$"):
        select_kept(study, BRIEF, QUESTION)
    assert not state_file(study, BRIEF, 0).exists() and not study.ids(SELECTIONS)
    assert "run it, here or with" in outside_cards.KEPT.nothing(Given(study))


def test_the_command_tells_the_generator_and_its_lamps(study, capsys):
    main(
        ["select", "--study", str(study.folder), "--method", "ood", "--generator", "off",
         "--epochs", "1", "--images", "64", "--seed", "2", "--json"]
    )  # fmt: skip
    told = json.loads(capsys.readouterr().out)
    assert (told["method"], told["generator"], told["lamps"]) == ("ood", "off", [])
    assert len(told["candidates"]) == 2 and told["selected"]["id"] == told["by"]["selection"]
    for without in (outside_cards.lamps, outside_cards.pictures):
        assert "No generator made images" in check_analysis(without, Given(study)).sentence


def test_what_it_lacks_is_a_sentence(study, tmp_path):
    cells = create_study(tmp_path / "cells", choice_space({"edge": ("skip", "conv")}), name="Cells")
    assert "no supernet to be trained" in method_of("ood").needs(cells)
    assert method_of("ood").needs(study) is None
    study.save(DOMAINS, type(SPLIT)(SPLIT.training, SPLIT.test))
    assert "NAME=selection" in Outside(generator="off").needs(study)
    (study.folder / DOMAINS.file).unlink()
    assert "--task domains" in method_of("ood").needs(study)
