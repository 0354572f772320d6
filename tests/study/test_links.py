"""Links among a study's files: nothing that they lead to is read, packed or written."""

from pathlib import Path

import pytest
from hand import hand_space, noisy_table

from foxnas_core.errors import FoxnasError
from foxnas_core.study import Study, create_study, open_study
from foxnas_core.study.library import duplicate, pack, write_file

SPACE = hand_space()
ROW = [{"accuracy": 70.0, "latency_ms": 1.0}]


@pytest.fixture
def study(tmp_path) -> Study:
    return create_study(tmp_path / "own", SPACE, name="Own", table=noisy_table(SPACE, 5))


def linked(study: Study, name: str, content: bytes) -> Path:
    """A file elsewhere in whose place the study has a link."""
    path, target = study.folder / name, study.folder.parent / f"elsewhere-{name}"
    target.write_bytes(path.read_bytes() if path.exists() else content)
    path.unlink(missing_ok=True)
    path.symlink_to(target)
    return target


@pytest.mark.parametrize("name", ["variants.json", "measurements.parquet", "images.npz"])
def test_what_a_link_leads_to_is_not_taken_along(study, name):
    linked(study, name, b'{"format": 1, "variants": []}')
    with pytest.raises(FoxnasError, match="is a link or no regular file, .* put the file itself"):
        pack(study)
    with pytest.raises(FoxnasError, match="is a link"):
        write_file(study, study.folder.parent / "own.zip")
    with pytest.raises(FoxnasError, match="is a link"):
        duplicate(study.folder.parent, "own", "copy")
    names = {path.name for path in study.folder.parent.iterdir()}
    assert names == {"own", f"elsewhere-{name}"}


@pytest.mark.parametrize("name", ["space.json", "variants.json", "measurements.parquet"])
def test_a_study_with_a_link_is_not_opened_and_what_it_leads_to_stays(study, name):
    target = linked(study, name, b'{"format": 1, "variants": []}')
    before = target.read_bytes()
    with pytest.raises(FoxnasError, match="is a link or no regular file"):
        open_study(study.folder)
    # Whoever had it open writes a file of its own in the link's place.
    if name == "measurements.parquet":
        study.append(SPACE.sample(1, seed=0), ROW)
    assert target.read_bytes() == before


def test_the_file_itself_in_its_place_is_read_again(study):
    target = linked(study, "measurements.parquet", b"")
    target.replace(study.folder / "measurements.parquet")
    assert len(open_study(study.folder).append(SPACE.sample(1, seed=0), ROW)) == 6
    assert pack(study)
