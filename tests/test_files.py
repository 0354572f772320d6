import os

import pytest

from foxnas_core import files
from foxnas_core.files import write_atomically


def test_writes_bytes_and_text_and_makes_folders(tmp_path):
    write_atomically(tmp_path / "a" / "b.txt", "ü")
    write_atomically(tmp_path / "a" / "c.bin", b"\x00\x01")
    assert (tmp_path / "a" / "b.txt").read_text() == "ü"
    assert (tmp_path / "a" / "c.bin").read_bytes() == b"\x00\x01"


def test_a_failure_before_the_rename_keeps_the_old_content(tmp_path, monkeypatch):
    path = tmp_path / "x"
    write_atomically(path, "old")

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(files.os, "fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        write_atomically(path, "new")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["x"]


def test_the_file_can_be_read_by_others(tmp_path):
    write_atomically(tmp_path / "x", "content")
    assert (tmp_path / "x").stat().st_mode & 0o777 == 0o644
