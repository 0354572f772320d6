"""A folder of scans becomes a study of networks that are judged by Dice."""

import json

import pytest
from scans import write_small
from volume_study import volume_study
from volumes import SMALL

from foxnas_core.__main__ import main
from foxnas_core.study import open_study


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("volumes")
    own = {"format": 1, "family": "volumetric", "name": "small", "input_shape": [12, 8, 8]}
    (folder / "space.json").write_text(json.dumps(SMALL | own))
    arguments = [
        "train", "--study", folder / "study", "--space", folder / "space.json",
        "--data", write_small(folder / "scans"), "--task-setting", "mirrored=no",
        "--update", "single-path", "--epochs", 2, "--batch", 2,
    ]  # fmt: skip
    assert main([*map(str, arguments), "--json"]) == 0
    assert main(["measure", "--study", str(folder / "study"), "--count", "3", "--untimed"]) == 0
    return open_study(folder / "study")


def test_networks_for_volumes_segment_without_being_told(study):
    record = study.training_record()
    assert record["task"] == "segmentation" and record["dataset"] == "blocks"
    assert record["settings"] == {"spacing": [1.0, 1.0, 1.0], "mirrored": False}


def test_their_rows_have_dice_with_its_error(study):
    table = study.table()
    assert [t.column for t in table.targets][:1] == ["dice"]
    assert table.frame["dice"].between(0, 1).all() and (table.frame["dice_std_error"] >= 0).all()


def test_whole_scans_are_kept_with_the_study(study):
    calibration, held_out = study.images()
    assert (len(calibration), len(held_out)) == (4, 2)
    assert calibration.labels.shape == calibration.images.shape == (4, 12, 8, 8)


def test_annealing_keeps_a_budget_of_peak_memory(tmp_path, capsys):
    study = volume_study(tmp_path / "balls")
    search = [
        "search", "--study", str(study.folder), "--cost", "memory_kib", "--budget", "1450",
        "--guard", "off", "--steps", "1000", "--json",
    ]  # fmt: skip
    assert main(search) == 0
    found = json.loads(capsys.readouterr().out)["best"]
    # P3D everywhere brings 4 × .02 for 400 KiB, more than 3D in cell 1 and P3D in another.
    assert set(found["architecture"].values()) == {"P3D"}
