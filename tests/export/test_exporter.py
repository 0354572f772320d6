import io
import json
import zipfile

import numpy as np
import onnxruntime
import pytest
import torch

from foxnas_core.errors import InvalidInput
from foxnas_core.export import exporter
from foxnas_core.export.exporter import ExportMismatch, export_subnet, write_export, zip_export
from foxnas_core.export.model_card import Estimate
from foxnas_core.measurement.campaign import prepare
from foxnas_core.supernet.images import to_batch
from foxnas_core.target import target_of

ESTIMATES = [
    Estimate(target_of("accuracy"), 71.25, 70.5, 72.0, 71.5),
    Estimate(target_of("latency_ms"), 0.125, 0.12, 0.13, None),
]


@pytest.fixture(scope="module")
def prepared(tiny_checkpoint, tiny_dataset):
    architecture = tiny_checkpoint.supernet.space.sample(1, seed=9)[0]
    return prepare(tiny_checkpoint, architecture, tiny_dataset.training)


def export(prepared, tiny_checkpoint, tiny_dataset):
    return export_subnet(
        prepared,
        space=tiny_checkpoint.supernet.space,
        record=tiny_checkpoint.record,
        held_out=tiny_dataset.held_out,
        estimates=ESTIMATES,
        parents={"checkpoint": "abc"},
    )


@pytest.fixture(scope="module")
def exported(prepared, tiny_checkpoint, tiny_dataset):
    return export(prepared, tiny_checkpoint, tiny_dataset)


def test_every_file_is_there_and_every_model_checked(exported):
    assert sorted(exported.files) == [
        "architecture.json", "labels.txt", "model.onnx", "model.pt2", "model_card.md",
        "preprocessing.json",
    ]  # fmt: skip
    assert [c.file for c in exported.checks] == ["model.onnx", "model.pt2"]
    for check in exported.checks:
        assert check.images == 256
        assert check.max_difference <= exporter.TOLERANCE
        assert check.agreement == 100


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


def test_the_architecture_file_can_be_read_back(exported, prepared, tiny_checkpoint, tmp_path):
    from foxnas_core.storage import read_architecture

    write_export(exported, tmp_path / "out")
    back = read_architecture(tmp_path / "out" / "architecture.json", tiny_checkpoint.supernet.space)
    assert back == prepared.architecture


def test_the_card_has_prediction_beside_measurement(exported):
    card = exported.files["model_card.md"].decode()
    assert "| Top-1 accuracy | 71.25 % | 70.5 to 72 % | 71.5 % |" in card
    assert "| Latency | 0.125 ms | 0.12 to 0.13 ms | – ms |" not in card
    assert "| Latency | 0.125 ms | 0.12 to 0.13 ms | – |" in card
    assert "stripes" in card and "`abc`" in card


def test_a_file_that_differs_fails_loudly(prepared, tiny_checkpoint, tiny_dataset, monkeypatch):
    original = exporter._run_onnx
    monkeypatch.setattr(
        exporter, "_run_onnx", lambda content, batch: original(content, batch) + 0.01
    )
    with pytest.raises(ExportMismatch, match=r"model\.onnx differs"):
        export(prepared, tiny_checkpoint, tiny_dataset)
    monkeypatch.setattr(
        exporter, "_run_onnx", lambda content, batch: original(content, batch) * np.nan
    )
    with pytest.raises(ExportMismatch):
        export(prepared, tiny_checkpoint, tiny_dataset)


def test_an_existing_folder_is_never_written_over(exported, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(InvalidInput, match="not empty"):
        write_export(exported, tmp_path / "out")
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["mine.txt"]


def test_a_failed_write_leaves_nothing(exported, tmp_path):
    broken = exporter.ExportedModel("x", {"a.txt": b"a", "missing/b.txt": b"b"}, ())
    with pytest.raises(OSError):
        write_export(broken, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_the_archive_holds_the_same_files(exported):
    with zipfile.ZipFile(io.BytesIO(zip_export(exported))) as archive:
        content = {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}
        assert {name.partition("/")[0] for name in archive.namelist()} == {exported.architecture_id}
    assert content == dict(exported.files)
