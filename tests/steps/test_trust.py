import json
import shutil
from dataclasses import replace

import pytest
from conftest import DEMO
from PIL import Image

from foxnas_core.__main__ import main
from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.evidence.trust import alone as alone_module
from foxnas_core.evidence.trust.alone_networks import ALONE
from foxnas_core.evidence.trust.pairs import TRUST, TrustSettings, spread_sample
from foxnas_core.steps import trust
from foxnas_core.steps.fine_tune import training_images
from foxnas_core.steps.trust import claim_trust
from foxnas_core.study import file_hash, open_study
from foxnas_core.supernet.checkpoint import save_checkpoint
from foxnas_core.tasks import classification
from foxnas_core.tasks.classification import Classification
from foxnas_core.tasks.dataset import Dataset

SETTINGS = TrustSettings(1, 1)


@pytest.fixture
def stripes_for_data(monkeypatch, tiny_dataset):
    monkeypatch.setattr(classification, "load_dataset", lambda path, **shape: tiny_dataset)


def measure(study, count=2, settings=SETTINGS, **options):
    return trust.measure_trust(study, settings, count=count, seed=1, **options)


def test_every_sampled_subnet_gets_a_pair_and_more_are_added(tiny_study, stripes_for_data):
    told = []
    record = measure(tiny_study, report=told.append)
    sample = spread_sample(tiny_study.space, 3, seed=1)
    assert record.ids == {a.id for a in sample[:2]}
    assert record == tiny_study.record(TRUST)
    assert told[-1].done == told[-1].total and told[-1].seconds_left == 0
    assert told[-1].sentence() == "2 of 2 subnets"
    # Neither states nor locks are left.
    assert not list((tiny_study.folder / "trust").iterdir())
    more = measure(tiny_study, 3, report=told.append)
    assert more.pairs[:2] == record.pairs and more.pairs[2].architecture == sample[2]
    assert told[-1].stage == "1 of 1 subnets"
    assert measure(tiny_study, 1) == more


def test_a_kill_keeps_the_pairs_that_are_done(tiny_study, stripes_for_data):
    class Killed(Exception):
        pass

    def kill(progress):
        if progress.stage == "1 of 2 subnets" and progress.done > progress.total / 2:
            raise Killed

    with pytest.raises(Killed):
        measure(tiny_study, report=kill)
    done = tiny_study.record(TRUST).pairs
    assert len(done) == 1
    assert measure(tiny_study).pairs[:1] == done


def test_of_more_images_the_first_ones_that_the_supernet_was_trained_on_are_taken(
    tiny_study, stripes_for_data, tiny_checkpoint, tiny_dataset
):
    first = tiny_dataset.training.take(slice(0, 300))
    own = Classification.of(replace(tiny_dataset, training=first)).record() | {"images": 300}
    for record, count in ((own, 300), (own | {"pixel_mean": 0.1}, 400)):
        save_checkpoint(
            tiny_study.checkpoint_file, tiny_checkpoint.supernet, tiny_checkpoint.record | record
        )
        assert len(training_images(tiny_study, None).training) == count


def test_what_was_trained_alone_outlives_the_supernet(
    tiny_study, stripes_for_data, tiny_checkpoint, monkeypatch
):
    twice = replace(SETTINGS, repeated=1)
    record = measure(tiny_study, 2, twice)
    assert [len(pair.again) for pair in record.pairs] == [1, 0]
    alone = tiny_study.record(ALONE)
    assert [own.seed for own in alone.networks] == [1, 2, 1]
    assert record.pairs[0].again == (alone.networks[1].score,)
    record_of_another = tiny_checkpoint.record | {"note": "trained again"}
    save_checkpoint(tiny_study.checkpoint_file, tiny_checkpoint.supernet, record_of_another)
    tiny_study.file(TRUST).unlink()
    monkeypatch.setattr(alone_module, "train_alone", None)
    again = measure(tiny_study, 2, twice)
    assert again.parents != record.parents
    assert [p.alone for p in again.pairs] == [p.alone for p in record.pairs]
    assert tiny_study.record(ALONE) == alone


def test_more_seeds_are_added_to_a_pair(tiny_study, stripes_for_data):
    [before] = measure(tiny_study, 1).pairs
    [pair] = measure(tiny_study, 1, replace(SETTINGS, repeated=1)).pairs
    assert len(pair.again) == 1 and pair.alone == before.alone
    assert measure(tiny_study, 1).pairs == (pair,)
    assert tiny_study.record(TRUST).settings.repeated == 1  # what a later run goes on with


def test_networks_of_another_recipe_are_told(tiny_study, stripes_for_data):
    measure(tiny_study, 1)
    tiny_study.file(TRUST).unlink()
    with pytest.raises(InvalidInput, match="epochs 1, .* and 400 images of stripes by epochs 2"):
        measure(tiny_study, 1, TrustSettings(2, 1))


def test_a_subnet_that_another_process_has_is_left_to_it(tiny_study, stripes_for_data):
    first, second = spread_sample(tiny_study.space, 2, seed=1)
    with claim_trust(tiny_study, first.id) as own:
        assert own is not None
        assert measure(tiny_study, 2).ids == {second.id}
    assert measure(tiny_study, 2).ids == {first.id, second.id}


def test_other_epochs_weights_and_images_are_refused(
    tiny_study, stripes_for_data, tiny_checkpoint, tiny_dataset, monkeypatch
):
    measure(tiny_study, 1)
    with pytest.raises(InvalidInput, match="1 epochs from scratch and 1 of fine-tuning"):
        measure(tiny_study, settings=TrustSettings(2, 1))
    other = Dataset("spots", "", tiny_dataset.classes, tiny_dataset.training, tiny_dataset.held_out)
    with monkeypatch.context() as patched:
        patched.setattr(classification, "load_dataset", lambda path, **shape: other)
        with pytest.raises(InvalidInput, match="name its own with --data"):
            measure(tiny_study)
    record = tiny_checkpoint.record | {"note": "trained again"}
    save_checkpoint(tiny_study.checkpoint_file, tiny_checkpoint.supernet, record)
    with pytest.raises(InvalidInput, match="of checkpoint .*, but its checkpoint is"):
        measure(tiny_study)


def test_a_study_without_weights_or_images_says_so(tiny_study, stripes_for_data):
    tiny_study.images_file.unlink()
    with pytest.raises(MissingPart, match="no images"):
        measure(tiny_study)
    tiny_study.checkpoint_file.unlink()
    with pytest.raises(MissingPart, match="no supernet weights"):
        measure(tiny_study)


def test_two_processes_share_the_subnets(tiny_study, tiny_dataset, tmp_path):
    """The pictures of the stripes in folders, so that other processes can read them too."""
    data = tmp_path / "stripes"
    for label, name in enumerate(tiny_dataset.classes):
        (data / name).mkdir(parents=True)
        pictures = tiny_dataset.training.images[tiny_dataset.training.labels == label]
        count = (165, 165, 170)[label]  # of which a fifth is held out, so that 400 are left
        for k in range(count):
            Image.fromarray(pictures[k % len(pictures)]).save(data / name / f"{k}.png")
    told = []
    record = measure(tiny_study, data=data, workers=2, report=told.append)
    assert record.ids == {a.id for a in spread_sample(tiny_study.space, 2, seed=1)}
    assert told[-1].stage == "2 of 2 subnets"
    # One process trains them alike.
    for kind in (TRUST, ALONE):
        tiny_study.file(kind).unlink()
    alone = measure(tiny_study, data=data)
    ours, theirs = (
        {p.architecture.id: replace(p, seconds=0.0) for p in r.pairs} for r in (alone, record)
    )
    assert ours == theirs


def test_a_worker_says_what_went_wrong(tiny_study, tmp_path):
    for name in ("a", "b", "c"):
        (tmp_path / "others" / name).mkdir(parents=True)
    with pytest.raises((InvalidInput, MissingPart)):
        measure(tiny_study, data=tmp_path / "others", workers=2)


def test_the_documented_format(tiny_study, stripes_for_data):
    measure(tiny_study, 1)
    document = json.loads(tiny_study.file(TRUST).read_text())
    assert set(document) == {
        "format", "parents", "dataset", "training_images", "settings", "pairs",
    }  # fmt: skip
    [pair] = document["pairs"]
    assert set(pair) == {
        "id", "choices", "parameters", "macs", "accuracy", "seed", "seconds", "device", "torch",
    }  # fmt: skip
    assert set(pair["accuracy"]) == {"inherited", "unrecalibrated", "alone", "fine_tuned"}


def test_what_is_there_is_told_without_images_or_weights(tmp_path, capsys):
    study = tmp_path / "demo"
    shutil.copytree(DEMO, study, ignore=shutil.ignore_patterns("images.npz", ".fits"))
    assert main(["trust", "--study", str(study), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["pairs"], document["settings"]["epochs"]) == (16, 10)
    assert main(["handmade", "--study", str(study), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["seeds"] == [1]
    for more in (["trust", "--count", "17"], ["trust", "--seed", "2"], ["handmade", "--seed", "2"]):
        assert main([*more, "--study", str(study)]) != 0
        assert "has no images" in capsys.readouterr().err
    (study / "supernet.safetensors").unlink()
    assert main(["trust", "--study", str(study)]) == 0 == main(["handmade", "--study", str(study)])


def test_the_shipped_pairs_are_of_the_shipped_weights():
    demo = open_study(DEMO)
    record = demo.record(TRUST)
    assert record.parents == {
        "space": demo.space.fingerprint, "checkpoint": file_hash(demo.checkpoint_file),
    }  # fmt: skip
    sample = spread_sample(demo.space, len(record.pairs), seed=record.pairs[0].seed)
    assert record.ids == {a.id for a in sample}
