import json
import os

import pytest
from hand import hand_space, noisy_table

from foxnas_core.errors import InvalidInput, MissingPart, NotWritable
from foxnas_core.search.result import SEARCHES
from foxnas_core.study import create_study, list_studies, open_study
from foxnas_core.study.library import (
    create,
    delete,
    duplicate,
    pack,
    rename,
    restore,
    shelf,
    study_at,
)

HAND = hand_space()


@pytest.fixture
def study(tmp_path):
    study = create_study(tmp_path / "a", HAND, name="a", table=noisy_table(HAND, 10))
    folder = study.folder / "searches"
    folder.mkdir()
    # The newer has the name that comes first.
    for number, name in enumerate(("0000000000bb", "0000000000aa")):
        (folder / f"{name}.json").write_text("{}")
        os.utime(folder / f"{name}.json", ns=(10**18 + number, 10**18 + number))
    return study


def test_the_shelf_tells_what_each_study_holds(study, tmp_path):
    create(tmp_path, "b", HAND, description="Empty.")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "space.json").write_text("{")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "space.json").write_text("{")
    (tmp_path / "no-study").mkdir()
    found = {entry.folder.name: entry for entry in shelf(tmp_path)}
    assert list(found) == ["a", "b", "broken"]
    a, b, broken = found.values()
    assert (a.name, a.rows, a.space, a.has_weights, a.problem) == ("a", 10, "hand", False, "")
    assert a.size == sum(p.stat().st_size for p in study.folder.rglob("*.*") if p.suffix)
    assert a.changed == max(p.stat().st_mtime for p in study.folder.rglob("*.*"))
    assert (b.name, b.rows, b.description) == ("b", 0, "Empty.")
    assert "space.json is no valid JSON" in broken.problem and broken.name == "broken"
    with study.in_use():
        assert shelf(tmp_path)[0].in_use
    assert not shelf(tmp_path)[0].in_use


def test_a_broken_table_is_told_and_the_rest_of_the_study_too(study, tmp_path):
    study.table_file.write_bytes(b"PAR1")
    [entry] = shelf(tmp_path)
    assert "measurements.parquet can't be read" in entry.problem and entry.space == "hand"


@pytest.mark.parametrize("name", ["", ".", "..", "../a", "a/", "/a", ".trash", "b", "A"])
def test_only_names_on_the_shelf_are_studies(study, tmp_path, name):
    assert study_at(tmp_path, "a") == study.folder
    with pytest.raises(MissingPart, match="there are: a"):
        study_at(tmp_path, name)


def test_a_duplicate_holds_the_same_and_lives_on_its_own(study, tmp_path):
    (study.folder / "training-state.safetensors").write_bytes(b"x")
    copy = duplicate(tmp_path, "a", "b", shown="The copy")
    assert (copy.folder.name, copy.name) == ("b", "The copy")
    assert copy.table().fingerprint == study.table().fingerprint
    assert copy.ids(SEARCHES) == study.ids(SEARCHES) == ["0000000000aa", "0000000000bb"]
    assert not copy.training_state_file.exists()
    copy.append(HAND.sample(1, seed=0), [{"accuracy": 1.0, "latency_ms": 1.0}])
    assert len(copy.table()) == 11 and len(study.table()) == 10
    assert [path.name for path in list_studies(tmp_path)] == ["a", "b"]
    assert not list(tmp_path.glob(".new-*"))


@pytest.mark.parametrize("act", [duplicate, rename])
@pytest.mark.parametrize(
    ("name", "new", "error"),
    [("a", "b", InvalidInput), ("a", "../c", InvalidInput), ("a", "con", InvalidInput),
     ("x", "c", MissingPart), ("../a", "c", MissingPart)],
)  # fmt: skip
def test_what_can_not_be_copied_or_renamed_changes_nothing(study, tmp_path, act, name, new, error):
    create(tmp_path, "b", HAND)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(error):
        act(tmp_path, name, new)
    assert sorted(tmp_path.rglob("*")) == before


def test_what_a_killed_copy_left_is_swept_by_the_next(study, tmp_path):
    half = tmp_path / ".new-abcdefgh"
    half.mkdir()
    (half / "space.json").write_text("{")
    duplicate(tmp_path, "a", "b")
    assert not list(tmp_path.glob(".new-*"))


def test_a_copy_under_way_is_not_swept_by_another(study, tmp_path):
    from foxnas_core.study.library.placing import new_folder

    with new_folder(tmp_path, "slow") as folder:
        duplicate(tmp_path, "a", "b")
        assert folder.exists()
        (folder / "space.json").write_text((study.folder / "space.json").read_text())
    assert [path.name for path in list_studies(tmp_path)] == ["a", "b", "slow"]


def test_a_name_taken_while_copying_is_refused(study, tmp_path):
    from foxnas_core.study.library.placing import new_folder

    with pytest.raises(InvalidInput, match="There is a 'b'"), new_folder(tmp_path, "b") as folder:
        (folder / "space.json").write_text("mine")
        create(tmp_path, "b", HAND)
    assert open_study(tmp_path / "b").space == HAND
    assert not list(tmp_path.glob(".new-*"))


def test_a_renamed_study_keeps_what_it_holds(study, tmp_path):
    table = study.table().fingerprint
    renamed = rename(tmp_path, "a", "b")
    assert [path.name for path in list_studies(tmp_path)] == ["b"]
    assert (renamed.name, renamed.table().fingerprint) == ("b", table)
    renamed.describe(name="A title of its own", description="")
    assert rename(tmp_path, "b", "c").name == "A title of its own"


@pytest.mark.parametrize("act", [lambda f: rename(f, "a", "b"), lambda f: delete(f, "a")])
def test_a_study_in_use_stays_where_it_is(study, tmp_path, act):
    with study.in_use(), pytest.raises(NotWritable, match="by a campaign or a training"):
        act(tmp_path)
    assert [path.name for path in list_studies(tmp_path)] == ["a"]
    act(tmp_path)
    assert study.folder not in list_studies(tmp_path)


def test_read_only_mode_leaves_the_shelf_as_it_is(study, tmp_path, monkeypatch):
    trashed = delete(tmp_path, duplicate(tmp_path, "a", "b").folder.name)
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.setenv("FOXNAS_READ_ONLY", "1")
    for attempt in (
        lambda: create(tmp_path, "c", HAND),
        lambda: duplicate(tmp_path, "a", "c"),
        lambda: rename(tmp_path, "a", "c"),
        lambda: delete(tmp_path, "a"),
        lambda: restore(tmp_path, trashed.key),
    ):
        with pytest.raises(NotWritable, match="read-only"):
            attempt()
    assert len(shelf(tmp_path)) == 1 and pack(study)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_damaged_description_is_one_sentence(study, tmp_path):
    (study.folder / "study.json").write_text(json.dumps([]))
    assert "must be a JSON object" in shelf(tmp_path)[0].problem
