import io
import json
import subprocess
import sys
import zipfile

import numpy as np
import onnxruntime
import pytest
import torch
from PIL import Image
from volume_study import volume_study

from foxnas_core.errors import InvalidInput
from foxnas_core.export import exporter
from foxnas_core.export.exporter import ExportMismatch, export_subnet
from foxnas_core.export.formats import INT8_FLOOR, formats_of
from foxnas_core.export.model_card import Estimate
from foxnas_core.export.written import ExportedModel, check_new, write_export, zip_export
from foxnas_core.measurement.campaign import prepare
from foxnas_core.measurement.runtimes import ConversionFailed
from foxnas_core.progress import Steps, Stopped
from foxnas_core.supernet.onnx import session_of
from foxnas_core.table.metrics import metric_of
from foxnas_core.tasks.dataset import ImageSet
from foxnas_core.tasks.images import to_batch
from tests.export import runtime

ESTIMATES = [
    Estimate(metric_of("accuracy"), 71.25, 70.5, 72.0, 1.5),
    Estimate(metric_of("latency_ms"), 0.125, 0.12, 0.13, None),
]
HERE = formats_of(["onnx", "onnx-int8", "torch"])[0]


@pytest.fixture(scope="module")
def prepared(tiny_checkpoint, tiny_dataset):
    architecture = tiny_checkpoint.supernet.space.sample(1, seed=9)[0]
    return prepare(tiny_checkpoint, architecture, tiny_dataset.training)


@pytest.fixture(scope="module")
def export(prepared, tiny_checkpoint, tiny_dataset):
    def run(**options):
        defaults = {
            "space": tiny_checkpoint.supernet.space,
            "record": tiny_checkpoint.record,
            "calibration": tiny_dataset.training,
            "held_out": tiny_dataset.held_out,
            "estimates": ESTIMATES,
            "parents": {"checkpoint": "abc"},
            "formats": HERE,
        }
        return export_subnet(prepared, **{**defaults, **options})

    return run


@pytest.fixture(scope="module")
def exported(export):
    return export()


@pytest.fixture
def environment(tmp_path, monkeypatch):
    monkeypatch.setenv("FOXNAS_RUNTIMES", str(tmp_path))

    def install(*names, **options):
        for name in names:
            runtime.install(tmp_path, name, **options)

    return install


def test_every_file_is_there_and_every_model_checked(exported):
    assert sorted(exported.files) == [
        "architecture.json", "labels.txt", "model.onnx", "model.pt2", "model_card.md",
        "model_int8.onnx", "preprocessing.json", "run_onnx.py", "run_torch_export.py",
        "sample.png",
    ]  # fmt: skip
    fp32, int8, program = exported.checks
    assert [c.file for c in exported.checks] == ["model.onnx", "model_int8.onnx", "model.pt2"]
    for check in (fp32, program):
        assert check.images == 256
        assert check.max_difference <= exporter.TOLERANCE
        assert check.agreement == 100
    assert int8.images == 300 and INT8_FLOOR <= int8.agreement <= 100
    assert int8.max_difference > fp32.max_difference


def test_written_files_run_and_say_what_the_subnet_says(exported, prepared, tiny_dataset, tmp_path):
    """As a user would: from the folder alone, following its preprocessing."""
    write_export(exported, tmp_path / "out")
    how = json.loads((tmp_path / "out" / "preprocessing.json").read_text())
    batch = to_batch(tiny_dataset.held_out.images[:9], how["height"], how["mean"], how["std"])
    with torch.no_grad():
        expected = prepared.subnet(batch).numpy()
    session = onnxruntime.InferenceSession(tmp_path / "out" / "model.onnx")
    assert np.abs(session.run(None, {how["input"]: batch.numpy()})[0] - expected).max() < 1e-4
    program = torch.export.load(tmp_path / "out" / "model.pt2").module()
    for count in (1, 9):
        logits = program(batch[:count]).detach().numpy()
        assert np.abs(logits - expected[:count]).max() < 1e-4
    assert (tmp_path / "out" / "labels.txt").read_text().splitlines() == [
        "rows",
        "columns",
        "diagonal",
    ]


def test_accuracies_are_those_of_the_written_files(exported, tiny_dataset):
    """Scored anew, image by image; they stand in the card, whatever a table said."""
    how = json.loads(exported.files["preprocessing.json"])
    held_out = tiny_dataset.held_out
    batch = to_batch(held_out.images, how["height"], how["mean"], how["std"]).numpy()
    named = {}
    for name in ("model.onnx", "model_int8.onnx"):
        session = session_of(exported.files[name])
        [logits] = session.run(None, {how["input"]: batch})
        named[name] = logits.argmax(1)
    fp32, int8, _ = exported.checks
    assert fp32.score == pytest.approx(100 * np.mean(named["model.onnx"] == held_out.labels))
    accuracy = 100 * np.mean(named["model_int8.onnx"] == held_out.labels)
    assert int8.score == pytest.approx(accuracy)
    assert int8.agreement == pytest.approx(
        100 * np.mean(named["model.onnx"] == named["model_int8.onnx"])
    )
    card = exported.files["model_card.md"].decode()
    assert f"| Top-1 accuracy | 71.25 % | 70.5 to 72 % | {fp32.score:.4g} % |" in card
    assert f"| Top-1 accuracy (int8) | – | – | {int8.score:.4g} % |" in card


def test_the_sample_is_a_held_out_image_that_the_subnet_names_rightly(
    exported, prepared, tiny_dataset
):
    pixels = np.asarray(Image.open(io.BytesIO(exported.files["sample.png"])))
    [row] = [i for i, own in enumerate(tiny_dataset.held_out.images) if (own == pixels).all()]
    how = json.loads(exported.files["preprocessing.json"])
    batch = to_batch(pixels[None], how["height"], how["mean"], how["std"])
    with torch.no_grad():
        shares = prepared.subnet(batch).softmax(1)[0].numpy()
    label = tiny_dataset.held_out.labels[row]
    assert shares.argmax() == label
    said = f"{tiny_dataset.classes[label]} {100 * shares.max():.1f} %"
    assert f"of it the fp32 files say: {said}." in exported.files["model_card.md"].decode()


def test_the_architecture_file_can_be_read_back(exported, prepared, tiny_checkpoint, tmp_path):
    from foxnas_core.study import read_architecture

    write_export(exported, tmp_path / "out")
    back = read_architecture(tmp_path / "out" / "architecture.json", tiny_checkpoint.supernet.space)
    assert back == prepared.architecture


def test_a_file_that_differs_fails_loudly(export, monkeypatch):
    original = exporter.run_onnx
    monkeypatch.setattr(
        exporter, "run_onnx", lambda content, batch: original(content, batch) + 0.01
    )
    with pytest.raises(ExportMismatch, match=r"model\.onnx differs"):
        export()
    monkeypatch.setattr(
        exporter, "run_onnx", lambda content, batch: original(content, batch) * np.nan
    )
    with pytest.raises(ExportMismatch):
        export()


def test_int8_with_ranges_that_do_not_suit_the_images_fails(export, tiny_dataset):
    """Calibrated on black images, which is what a wrong calibration set is like."""
    black = ImageSet(np.zeros_like(tiny_dataset.training.images), tiny_dataset.training.labels)
    with pytest.raises(ExportMismatch, match=r"model_int8\.onnx names the same class .*--int8-fl"):
        export(calibration=black)
    asked_for_less = export(calibration=black, int8_floor=0.0)
    assert asked_for_less.checks[1].agreement < INT8_FLOOR
    # Left out, it keeps nothing else from being written.
    others = export(calibration=black, formats=formats_of(["onnx", "torch"])[0])
    assert "model_int8.onnx" not in others.files


def test_great_logits_may_differ_in_proportion():
    expected = np.array([[0.0, 2000.0]])
    assert exporter.compared("a", expected + 0.01, expected).max_difference == pytest.approx(0.01)
    with pytest.raises(ExportMismatch):
        exporter.compared("a", expected + 0.03, expected)
    with pytest.raises(ExportMismatch):
        exporter.compared("a", expected / 1000 + 2e-4, expected / 1000)


def test_a_further_runtime_writes_and_answers_in_its_own_environment(export, environment):
    environment("litert")
    steps = []
    [own] = formats_of(["litert"])[0]
    planned = Steps({"score on held-out images": 1, own.title: 1}, steps.append)
    found = export(formats=[own], steps=planned)
    assert [c.file for c in found.checks] == ["model.tflite"] and found.checks[0].images == 256
    assert {"model.tflite", "run_litert.py"} < set(found.files)
    assert "- LiteRT 7.8.9" in found.files["model_card.md"].decode()
    assert own.title in steps[-1].stage and 0 < steps[-1].share < 1


def test_a_further_runtime_that_answers_otherwise_fails(export, environment):
    environment("litert", wrong=True)
    with pytest.raises(ExportMismatch, match=r"model\.tflite differs from the subnet by up to"):
        export(formats=formats_of(["litert"])[0])


def test_what_the_report_raises_ends_a_conversion_under_way(export, environment):
    environment("litert", seconds=60.0)

    def report(progress):
        if progress.stage.startswith("Step 2"):
            raise Stopped

    own = formats_of(["litert"])[0]
    with pytest.raises(Stopped):
        export(formats=own, steps=Steps({"score on held-out images": 1, own[0].title: 1}, report))


def test_a_runtime_that_can_not_run_its_file_is_one_sentence(export, tmp_path, monkeypatch):
    monkeypatch.setenv("FOXNAS_RUNTIMES", str(tmp_path))
    runtime.install(tmp_path, "litert")
    python = tmp_path / ".venv-litert" / "bin" / "python"
    working = python.read_text()
    python.write_text(
        working.replace("exec", "case $1 in *answer*) echo 'no ops' >&2; exit 1; esac\nexec")
    )
    with pytest.raises(
        ConversionFailed, match=r"LiteRT can't run the file that it wrote \(no ops\)"
    ):
        export(formats=formats_of(["litert"])[0])


def test_an_existing_folder_or_archive_is_never_written_over(exported, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(InvalidInput, match="not empty"):
        write_export(exported, tmp_path / "out")
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["mine.txt"]
    (tmp_path / "mine.zip").write_text("mine")
    with pytest.raises(InvalidInput, match="exists already"):
        write_export(exported, tmp_path / "mine.zip")
    assert (tmp_path / "mine.zip").read_text() == "mine"
    (tmp_path / "folder.zip").mkdir()
    with pytest.raises(InvalidInput, match="exists already"):
        check_new(tmp_path / "folder.zip")


def test_a_failed_write_leaves_nothing(exported, tmp_path):
    broken = ExportedModel("x", {"a.txt": b"a", "missing/b.txt": b"b"}, ())
    with pytest.raises(InvalidInput, match="can't be written"):
        write_export(broken, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_the_archive_holds_the_same_files(exported, tmp_path):
    write_export(exported, tmp_path / "new" / "a.zip")
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["a.zip"]
    for source in (io.BytesIO(zip_export(exported)), tmp_path / "new" / "a.zip"):
        with zipfile.ZipFile(source) as archive:
            names = archive.namelist()
            content = {name.partition("/")[2]: archive.read(name) for name in names}
        assert {name.partition("/")[0] for name in names} == {exported.architecture_id}
        assert content == dict(exported.files)


def test_a_network_of_volumes_is_exported_with_its_script(tmp_path):
    """Both files give the subnet's Dice, and the script the subnet's mask of the sample."""
    study = volume_study(tmp_path / "balls")
    checkpoint, (calibration, held_out) = study.load_checkpoint(), study.images()
    prepared = prepare(checkpoint, study.space.sample(1, seed=0)[0], calibration)
    shape = prepared.subnet.input_shape
    exported = export_subnet(
        prepared, space=study.space, record=checkpoint.record, calibration=calibration,
        held_out=held_out, estimates=[], parents={}, int8_floor=0.0,
        formats=formats_of(["onnx", "onnx-int8"])[0],
    )  # fmt: skip
    fp32, int8 = exported.checks
    with torch.no_grad():
        outputs = prepared.subnet(checkpoint.task.batch(held_out.images, shape)).numpy()
    dice = checkpoint.task.cases(outputs, held_out.labels)["dice"].mean()
    assert fp32.score == pytest.approx(dice, abs=1e-6) and 0 < int8.agreement <= 100
    write_export(exported, tmp_path / "out")
    sample = np.load(tmp_path / "out" / "sample.npy")
    row = next(r for r, image in enumerate(held_out.images) if np.array_equal(image, sample))
    done = subprocess.run(
        [sys.executable, "run_onnx.py", "sample.npy"], cwd=tmp_path / "out", check=True,
        capture_output=True, text=True,
    )  # fmt: skip
    assert np.array_equal(np.load(tmp_path / "out" / "mask.npy"), outputs[row].argmax(0))
    told = done.stdout.strip()
    assert (
        told.startswith("voxels of background") and told in exported.files["model_card.md"].decode()
    )
