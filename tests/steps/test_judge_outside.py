"""Selections for unseen domains judged by training alone: which networks, and what is said."""

from dataclasses import asdict, replace

import numpy as np
import pytest

from foxnas_core.cards.analysis import analysis_of
from foxnas_core.cards.given import Given
from foxnas_core.errors import MissingPart
from foxnas_core.evidence.judged import (
    CHOICES_OUTSIDE,
    HELD_AT_SIZE,
    JUDGED,
    MADE,
    MADE_AT_SIZE,
    RANDOM_AT_SIZE,
    SEEN,
    judged_table,
)
from foxnas_core.families import family_of
from foxnas_core.search.selections import SELECTIONS, SelectedCell, SupernetSelection
from foxnas_core.steps import judge as judging
from foxnas_core.steps.judge import JudgingSettings, judge
from foxnas_core.steps.judge_outside import chosen_outside
from foxnas_core.study import create_study
from foxnas_core.supernet.checkpoint import save_checkpoint
from foxnas_core.tasks.dataset import Dataset, ImageSet
from foxnas_core.tasks.domain_split import DOMAINS, DomainSplit
from foxnas_core.tasks.domains import Domains
from foxnas_core.testing.analyses import check_analysis
from foxnas_core.training.recipe import Recipe

SPLIT = DomainSplit(training=("sans",), selection=("held",), test=("hand", "script"))


def in_domains(images: ImageSet, names: tuple[str, ...]) -> ImageSet:
    return replace(images, domains=np.resize(SPLIT.numbers_of(names), len(images)))


def selection(space, seed: int) -> SupernetSelection:
    """Of 24 candidates: seen domains like the largest, the held-out one the others by turns."""
    own = space.sample(24, seed=seed)
    macs = family_of(space).totals(space, space.encode(own), "macs")
    scores = [
        {"iid": float(macs[i]), "selection": float(i % 5), "made": float(-macs[i])}
        for i in range(len(own))
    ]
    by = {way: own[int(np.argmax([s[way] for s in scores]))].id for way in scores[0]}
    course = {
        "by": by,
        "candidates": [
            {"id": one.id, "architecture": one.to_dict(), "scores": told}
            for one, told in zip(own, scores, strict=True)
        ],
    }
    return SupernetSelection("ood", seed, (), (), SelectedCell(own[0].id, own[0], ""), {}, course)


@pytest.fixture
def study(tmp_path, tiny_space, tiny_dataset, tiny_supernet, monkeypatch):
    training = in_domains(tiny_dataset.training.take(slice(0, 64)), SPLIT.training)
    held_out = in_domains(tiny_dataset.held_out.take(slice(0, 80)), SPLIT.names)
    dataset = Dataset("stripes", "", tiny_dataset.classes, training, held_out, SPLIT)
    task = Domains.of(dataset)
    study = create_study(tmp_path / "letters", tiny_space, name="Letters")
    record = task.record() | {
        "task": "domains", "classes": list(dataset.classes), "dataset": "stripes", "images": 64,
        "recipe": asdict(Recipe(batch=32)),
    }  # fmt: skip
    save_checkpoint(study.checkpoint_file, tiny_supernet, record)
    study.save_images(training, held_out)
    study.save(DOMAINS, SPLIT)
    monkeypatch.setattr(judging, "images_of", lambda *_: dataset)
    return study


def test_what_each_way_selects_is_trained_and_compared_at_equal_size(study):
    with pytest.raises(MissingPart, match="--method ood"):
        judge(study, JudgingSettings(epochs=1))
    assert "foxnas_core judge" in analysis_of("select-judged-outside").needs(Given(study))
    for seed in (1, 2):
        study.keep(SELECTIONS, selection(study.space, seed))
    record = judge(study, JudgingSettings(epochs=1))
    assert record == study.record(JUDGED) and record.objective == "accuracy:ood"
    assert record.outside and {own.choice for own in record.networks} == {*CHOICES_OUTSIDE}
    by = {(own.seed, own.choice): own for own in record.networks}
    for own in record.networks:
        assert {"accuracy:iid", "accuracy:hand", "parameters", "macs"} <= {*own.columns}
        size = own.columns["macs"] / by[own.seed, SEEN].columns["macs"]
        if own.choice in (HELD_AT_SIZE, MADE_AT_SIZE, RANDOM_AT_SIZE):
            assert abs(size - 1) <= 0.1
        # One seed trains one network but once.
        same = record.alike(own.seed, own.architecture)
        assert replace(same, choice=own.choice) == own
    assert by[1, MADE].columns["macs"] < by[1, SEEN].columns["macs"]
    given = Given(study)
    card = check_analysis(analysis_of("select-judged-outside"), given)
    assert "At equal size the game" in card.sentence and "2 seeds" in card.sentence
    assert any(point.startswith("Fewer weights at equal accuracy") for point in card.points)
    assert len(card.table) == len(judged_table(record)) == 12
    assert analysis_of("select-judged").needs(given)


def test_the_newest_selection_of_a_seed_counts(study):
    old, new = selection(study.space, 1), selection(study.space, 2)
    found = chosen_outside(study, [replace(new, seed=1), old])
    assert found[1, SEEN].id == new.course["by"]["iid"]
