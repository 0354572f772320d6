"""Selected networks trained from scratch, beside others, on images that tell bright from dark."""

from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
from mixtures import mixture_of

from foxnas_core.cards.analysis import analysis_of
from foxnas_core.cards.given import Given
from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.evidence.judged import (
    BEST,
    CHOICES_OF_A_SEED,
    JUDGED,
    LARGEST,
    MAGNITUDE,
    PERTURBATION,
    gain_over_cases,
    judged_table,
    paired,
)
from foxnas_core.families import family_of
from foxnas_core.search.selections import SELECTIONS, SelectedCell, SupernetSelection
from foxnas_core.steps.judge import JudgingSettings, judge
from foxnas_core.study import Study, create_study
from foxnas_core.supernet.checkpoint import save_checkpoint
from foxnas_core.table.measurements import table_from_frame
from foxnas_core.tasks import classification
from foxnas_core.tasks.dataset import Dataset, ImageSet
from foxnas_core.training.recipe import Recipe

SIDE, SEEDS = 6, (1, 2)
ONE = JudgingSettings(epochs=1)


def brightness(count: int, seed: int) -> ImageSet:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, count)
    pixels = 60 + 130 * labels[:, None, None] + rng.normal(0, 15, (count, SIDE, SIDE))
    return ImageSet(pixels.clip(0, 255).astype(np.uint8), labels)


def cell(space, *operations):
    return family_of(space).read(space, "|{}~0|+|{}~0|{}~1|+|{}~0|{}~1|{}~2|".format(*operations))


def keep(study: Study, method: str, seed: int, operation: str):
    own = cell(study.space, *[operation] * 6)
    text = family_of(study.space).write(study.space, own)
    selected = SelectedCell(own.id, own, text)
    study.keep(SELECTIONS, SupernetSelection(method, seed, (), (), selected, {}))


@pytest.fixture
def study(tmp_path, monkeypatch) -> Study:
    supernet = mixture_of("nasbench201", classes=2, resolution=SIDE)
    images = Dataset("brightness", "", ("dark", "bright"), brightness(32, 1), brightness(40, 2))
    monkeypatch.setattr(classification, "load_dataset", lambda path, **shape: images)
    task = classification.Classification.of(images)
    record = task.record() | {
        "task": "classification", "classes": ["dark", "bright"], "dataset": "brightness",
        "images": 32, "update": "single-path", "recipe": asdict(Recipe(batch=16)),
    }  # fmt: skip
    study = create_study(tmp_path / "cells", supernet.space, name="Cells")
    save_checkpoint(study.checkpoint_file, supernet, record)
    study.save_images(images.training, images.held_out)
    rows = study.space.sample(5, seed=1)
    study.append(rows, [{"accuracy": 50.0 + i} for i in range(5)])
    for seed in SEEDS:
        keep(study, PERTURBATION, seed, "nor_conv_3x3")
        keep(study, MAGNITUDE, seed, "skip_connect")
    return study


def test_each_seed_has_every_choice_trained_and_a_killed_run_goes_on(study):
    class Killed(Exception):
        pass

    def kill(progress):
        if progress.stage.startswith("4 of"):
            raise Killed

    with pytest.raises(Killed):
        judge(study, ONE, report=kill)
    begun = study.record(JUDGED)
    assert len(begun.networks) == 4  # one of which two ways choose, and so trained once
    record = judge(study, ONE)
    assert record.networks[:4] == begun.networks and record == study.record(JUDGED)
    told = {(own.seed, own.choice) for own in record.networks}
    assert told == {(seed, choice) for seed in SEEDS for choice in CHOICES_OF_A_SEED}
    by = {(own.seed, own.choice): own for own in record.networks}
    assert by[1, BEST].architecture == study.table().architectures()[-1]
    assert by[2, LARGEST].written.count("nor_conv_3x3") == 6
    # One recipe, one seed: the same network scores alike however it was chosen.
    assert by[1, LARGEST].score == by[1, PERTURBATION].score
    gains = paired(record, PERTURBATION, MAGNITUDE)
    assert list(gains.index) == list(SEEDS)
    assert gains[1] == by[1, PERTURBATION].score.value - by[1, MAGNITUDE].score.value
    # Another best one takes its place, and nothing else is trained.
    study.append([cell(study.space, *["nor_conv_1x1"] * 6)], [{"accuracy": 99.0}])
    card = analysis_of("select-judged")
    assert card.compute(Given(study)).cautions
    more = judge(study, ONE)
    assert not card.compute(Given(study)).cautions
    assert {own for own in more.networks if own.choice != BEST} == {
        own for own in record.networks if own.choice != BEST
    }
    assert {own.written.count("1x1") for own in more.networks if own.choice == BEST} == {6}
    with pytest.raises(InvalidInput, match="other recipe"):
        judge(study, JudgingSettings(epochs=2))
    card = card.compute(Given(study))
    assert "2 paired seeds, of which 4 are needed" in card.sentence
    assert len(card.table) == 10 and len(card.figure().data) == 2


def test_ranks_are_told_by_a_table_of_all_and_said_to_be_anothers(study, tmp_path):
    space = study.space
    cells = space.decode(space.option_codes(space.decisions))
    convolutions = [sum("conv" in str(v) for v in own.to_dict().values()) for own in cells]
    rows = pd.DataFrame(own.to_dict() for own in cells).assign(accuracy=convolutions)
    truth = create_study(
        tmp_path / "truth", space, name="Others", table=table_from_frame(space, rows)
    )
    record = judge(study, ONE, truth=truth)
    assert (record.truth, record.cells) == ("accuracy in Others", 5**6)
    rank = {own.choice: own.rank for own in record.networks}
    assert rank[PERTURBATION] == rank[LARGEST] == 1
    assert rank[MAGNITUDE] == 1 + sum(own > 0 for own in convolutions)
    assert set(judged_table(record)["rank"]) == {own.rank for own in record.networks}
    [said] = [p for p in analysis_of("select-judged").compute(Given(study)).points if "Ranks" in p]
    assert "another data set's" in said and "15,625 cells" in said
    with pytest.raises(InvalidInput, match="of all 15,625"):
        judge(study, ONE, truth=study)


def test_selections_of_other_data_are_trained_here_beside_what_is_named(study, tmp_path):
    other = create_study(
        tmp_path / "other",
        mixture_of("nasbench201", classes=2, resolution=8).space,
        name="Elsewhere",
    )
    for seed in (1, 5):
        keep(other, MAGNITUDE, seed, "nor_conv_1x1")
    how = JudgingSettings(epochs=1, beside=("smallest",))
    record = judge(study, how, selected=[other])
    away = f"{MAGNITUDE} on Elsewhere"
    assert record.choices == (PERTURBATION, MAGNITUDE, away, "smallest")
    assert {own.seed for own in record.networks} == {1}  # the only one that all selected by
    assert len(study.ids(SELECTIONS)) == 4
    for own in record.networks:
        assert np.mean(own.cases) == pytest.approx(own.score.value, abs=1e-3)
    gain = gain_over_cases(record, away, "smallest")
    assert gain.mean == pytest.approx(paired(record, away, "smallest")[1], abs=1e-3)
    with pytest.raises(InvalidInput, match="'everything' is no network"):
        judge(study, JudgingSettings(epochs=1, beside=("everything",)))
    strange = create_study(tmp_path / "strange", mixture_of("darts").space, name="Strange")
    with pytest.raises(InvalidInput, match="decisions are others"):
        judge(study, how, selected=[strange])


def test_without_selections_or_measurements_it_says_what_to_run(study, tmp_path):
    other = create_study(tmp_path / "other", study.space, name="Other")
    assert "foxnas_core judge" in analysis_of("select-judged").needs(Given(other))
    with pytest.raises(MissingPart, match="no seed by which"):
        judge(other, ONE)
    with pytest.raises(MissingPart, match="no measured accuracy"):
        judge(other, ONE, selected=[study])
    assert len(other.ids(SELECTIONS)) == 4
