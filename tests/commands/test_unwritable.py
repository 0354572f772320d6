"""A disk that is full where something is to be taken along: one sentence, and nothing is left."""

import errno
from pathlib import Path
from types import SimpleNamespace

import pytest
from hand import hand_space, noisy_table

from foxnas_core import files
from foxnas_core.__main__ import main
from foxnas_core.commands import takeaway
from foxnas_core.errors import InvalidInput
from foxnas_core.export.written import ExportedModel, write_export
from foxnas_core.study import create_study

EXPORTED = ExportedModel("0" * 12, {"model.onnx": b"x" * 100, "card.md": b"y"}, ())


def full(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture
def report(monkeypatch):
    """Without what a report computes."""
    built = SimpleNamespace(
        html="<p>", subnet=None, summary=SimpleNamespace(sentence="Told.", points=())
    )
    monkeypatch.setattr("foxnas_core.reporting.report.build_report", lambda *_: built)
    monkeypatch.setattr(takeaway, "fit_each", lambda *_: ({}, []))


@pytest.mark.parametrize("kept", [b"", b"an earlier one"])
def test_a_report(report, kept, tmp_path, monkeypatch, capsys):
    study = create_study(tmp_path / "own", hand_space(), name="Own",
                         table=noisy_table(hand_space(), 10))  # fmt: skip
    out = tmp_path / "out" / "report.html"
    out.parent.mkdir()
    if kept:
        out.write_bytes(kept)
    monkeypatch.setattr(files.os, "fsync", full)
    assert main(["report", "--study", str(study.folder), "--out", str(out)]) == 2
    said = capsys.readouterr().err
    assert "can't be written (No space left on device); name another file" in said
    assert [path.read_bytes() for path in out.parent.iterdir()] == ([kept] if kept else [])


@pytest.mark.parametrize("name", ["out", "out.zip"])
def test_an_export(name, tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(files.os, "fsync", full)
        patched.setattr(Path, "write_bytes", full)
        with pytest.raises(InvalidInput, match="No space left on device.*which has space"):
            write_export(EXPORTED, tmp_path / name)
    assert not list(tmp_path.iterdir())
    write_export(EXPORTED, tmp_path / name)
    assert (tmp_path / name).exists()


def test_a_file_that_is_being_written_is_its_owners_alone(tmp_path, monkeypatch):
    modes = []
    monkeypatch.setattr(
        files.os, "fsync", lambda handle: modes.append(files.os.fstat(handle).st_mode & 0o777)
    )
    files.write_atomically(tmp_path / "x", "text")
    assert modes == [0o600] and (tmp_path / "x").stat().st_mode & 0o777 == 0o644
