import io
import os
import shlex
import struct
import zipfile

import pytest

from foxnas_core import files
from foxnas_core.files import open_zip, typed, write_atomically


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


def test_a_small_zip_is_opened_and_a_crowded_one_is_not(tmp_path):
    for count in (3, 4):
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            for number in range(count):
                archive.writestr(f"{number}", "x")
        if count == 3:
            assert open_zip(content, 3).namelist() == ["0", "1", "2"]
        else:
            with pytest.raises(zipfile.BadZipFile, match="more than 3 files"):
                open_zip(content, 3)


def test_a_directory_that_says_less_than_it_holds_is_not_read(tmp_path):
    """Python goes by its size, whatever the number of files in it is said to be."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for number in range(500):
            archive.writestr(f"{number:0100}", "x")
    data = bytearray(content.getvalue())
    data[-14:-10] = struct.pack("<HH", 1, 1)
    with pytest.raises(zipfile.BadZipFile, match="more than 3 files"):
        open_zip(io.BytesIO(bytes(data)), 3)


@pytest.mark.parametrize("content", [b"", b"PK", b"x" * 100, b"PK\x05\x06" + bytes(17) + b"\1"])
def test_what_is_no_zip_is_told(content):
    with pytest.raises(zipfile.BadZipFile, match="cut short, or no zip"):
        open_zip(io.BytesIO(content), 3)


def test_a_path_is_typed_from_where_one_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert typed(tmp_path / "studies" / "demo") == "studies/demo"
    own = tmp_path / "of mine"
    assert typed(own) == "'of mine'"
    monkeypatch.chdir("/usr")
    assert shlex.split(typed(own)) == [str(own)]
