import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.evidence.handmade import bench, designs
from foxnas_core.evidence.handmade.record import ALONE, HANDMADE, INHERITED
from foxnas_core.measurement import latency
from foxnas_core.steps.handmade import (
    ComparisonSettings,
    claimed,
    compare_handmade,
    searched_subnets,
)
from foxnas_core.study import create_study, file_hash, open_study
from foxnas_core.supernet.checkpoint import save_checkpoint
from foxnas_core.tasks import classification
from foxnas_core.tasks.dataset import Dataset

SETTINGS = ComparisonSettings(epochs=1, widths=(0.1,), searched=1)


ROUNDS = 2
# Of all kinds of blocks; which networks there are is told in other tests.
DESIGNS = designs.DESIGNS[:2]


@pytest.fixture(autouse=True)
def stripes_for_data(monkeypatch, tiny_dataset):
    monkeypatch.setattr(classification, "load_dataset", lambda path, **shape: tiny_dataset)
    monkeypatch.setattr(bench, "ROUNDS", ROUNDS)
    monkeypatch.setattr(bench, "DESIGNS", DESIGNS)


@pytest.fixture(scope="module")
def finished(tiny_checkpoint, tiny_dataset, tiny_rows, tmp_path_factory):
    """A folder with a measured study and a finished run of seed 1, how many models each campaign
    had in how many rounds, and what was reported."""
    rows, circumstances = tiny_rows
    study = create_study(
        tmp_path_factory.mktemp("finished") / "tiny", tiny_checkpoint.supernet.space, name="Tiny"
    )
    save_checkpoint(study.checkpoint_file, tiny_checkpoint.supernet, tiny_checkpoint.record)
    study.save_images(tiny_dataset.training.take(slice(0, 100)), tiny_dataset.held_out)
    study.append([r.architecture for r in rows], [r.values for r in rows], circumstances)
    seen, told = [], []
    own = latency.interleaved

    def spy(models, references, **options):
        seen.append((len(models), options["rounds"]))
        return own(models, references, **options)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(classification, "load_dataset", lambda path, **shape: tiny_dataset)
        patched.setattr(latency, "interleaved", spy)
        patched.setattr(bench, "ROUNDS", ROUNDS)
        patched.setattr(bench, "DESIGNS", DESIGNS)
        run(study, report=told.append)
    return study.folder, seen, told


@pytest.fixture
def study(finished, tmp_path):
    """A copy of it, to be changed."""
    return open_study(Path(shutil.copytree(finished[0], tmp_path / "tiny")))


def run(study, settings=SETTINGS, seed=1, **options):
    return compare_handmade(study, settings, seed=seed, **options)


def test_all_are_trained_scored_and_timed_in_one_campaign(study, finished):
    _, seen, told = finished
    record = study.record(HANDMADE)
    made = [c for c in record.contenders if not c.searched]
    searched = [c for c in record.contenders if c.searched]
    assert record.timed and [c.name for c in made] == [f"{design.name}-0.1" for design in DESIGNS]
    assert {c.architecture: c.chosen for c in searched} == searched_subnets(study, 1)
    for contender in record.contenders:
        assert len(contender.of(ALONE)) == 1
        assert len(contender.of(INHERITED)) == contender.searched
        assert contender.macs > 0 and contender.parameters > 0
        assert set(contender.latency) == {"", ":int8"}
        for result in contender.results:
            assert all(0 <= s.value <= 100 and s.std_error >= 0 for s in result.accuracy.values())
    assert record.parents == {
        "space": study.space.fingerprint,
        "checkpoint": file_hash(study.checkpoint_file),
        "measurements": study.table().fingerprint,
    }
    assert record.recipe["epochs"] == 1 and record.circumstances["threads"] == 1
    # Every network in both precisions in every round.
    assert seen == [(2 * len(record.contenders), ROUNDS)]
    count = len(record.contenders)
    assert told[-1].share == 1 and told[-1].sentence() == f"{count} of {count} networks"
    # Neither states nor weights are left, and nothing to do.
    assert not list((study.folder / "handmade").glob("*.s*"))
    assert run(study) == record


def test_the_searched_subnets_stay_when_the_table_grows(study, tiny_rows):
    record = study.record(HANDMADE)
    known = set(study.table().frame["id"])
    new = next(a for a in study.space.sample(60, seed=9) if a.id not in known)
    study.append([new], [tiny_rows[0][0].values])
    assert run(study, replace(SETTINGS, searched=3)) == record


def test_searched_subnets_are_of_the_front_of_each_latency(study):
    found = searched_subnets(study, 3)
    assert all(study.space.is_member(a) for a in found)
    reasons = [reason for chosen in found.values() for reason in chosen.split("; ")]
    # Several budgets may have one optimum.
    for column in ("latency_ms", "latency_ms:int8"):
        assert 1 <= sum(reason.endswith(f" ms of {column}") for reason in reasons) <= 3
    assert found == searched_subnets(study, 3)
    assert sum(reason.startswith("best predicted accuracy:int8 within") for reason in reasons) >= 1
    # Where a row lacks the accuracy in int8, that in fp32 is the one that all have.
    study.amend(lambda table: replace(table, frame=table.frame.drop(columns="accuracy:int8")))
    assert all("accuracy:int8" not in chosen for chosen in searched_subnets(study, 3).values())


def test_a_killed_run_of_another_seed_goes_on_and_adds_its_results(study):
    class Killed(Exception):
        pass

    def kill(progress):
        if progress.stage.startswith("3 of"):  # before the third one is kept
            raise Killed

    # As after a kill before the campaign.
    first = study.record(HANDMADE)
    bare = tuple(replace(c, latency=None) for c in first.contenders)
    study.save(HANDMADE, replace(first, contenders=bare, circumstances={}))
    with pytest.raises(MissingPart, match="weights of mobilenet-v2-0.1 are gone"):
        run(study)
    with pytest.raises(Killed):
        run(study, seed=2, report=kill)
    half = study.record(HANDMADE)
    done = [c for c in half.contenders if len(c.of(ALONE)) == 2]
    # What is done is of as many families.
    assert len(done) == len({c.family for c in done}) == 2 and not half.timed
    whole = run(study, seed=2)
    assert whole.timed and whole.seeds == (1, 2)
    for before, after in zip(half.contenders, whole.contenders, strict=True):
        assert after.results[: len(before.results)] == before.results
        assert [r.seed for r in after.of(ALONE)] == [1, 2]


def test_what_was_begun_otherwise_is_refused(study, tiny_dataset, tiny_checkpoint, monkeypatch):
    with pytest.raises(InvalidInput, match="trained for 1 epochs"):
        run(study, replace(SETTINGS, epochs=2))
    with pytest.raises(InvalidInput, match="name those with --widths"):
        run(study, replace(SETTINGS, widths=(0.2,)))
    with monkeypatch.context() as patched:
        other = Dataset("spots", "", tiny_dataset.classes, *2 * [tiny_dataset.training])
        patched.setattr(classification, "load_dataset", lambda path, **shape: other)
        # The same images by another name.
        with pytest.raises(InvalidInput, match="name its own with --data"):
            run(study)
    record = tiny_checkpoint.record | {"note": "trained again"}
    save_checkpoint(study.checkpoint_file, tiny_checkpoint.supernet, record)
    with pytest.raises(InvalidInput, match="its checkpoint is .* now; move handmade.json away"):
        run(study)


def test_two_runs_at_a_time_are_refused(study):
    with claimed(study, "handmade"), pytest.raises(InvalidInput, match="Another process trains"):
        run(study)


def test_what_is_missing_is_one_sentence(tiny_study, tiny_space, tmp_path):
    with pytest.raises(MissingPart, match="has no measured latency_ms"):
        run(tiny_study)
    bare = create_study(tmp_path / "bare", tiny_space, name="Bare")
    with pytest.raises(MissingPart, match="has no supernet weights"):
        run(bare)
    with pytest.raises(InvalidInput, match="A width must be above 0"):
        run(tiny_study, replace(SETTINGS, widths=(0.0,)))


def test_two_different_searched_subnets_are_asked_for_before_anything_is_trained(study):
    columns = ["accuracy:int8", "latency_ms:int8"]
    study.amend(lambda table: replace(table, frame=table.frame.drop(columns=columns)))
    study.file(HANDMADE).unlink()
    with pytest.raises(MissingPart, match=r"two different ones; ask for more than 1 .* --searched"):
        run(study, replace(SETTINGS, searched=1))
    assert study.record(HANDMADE) is None
    assert len(searched_subnets(study, 5)) >= 2  # as it was told
