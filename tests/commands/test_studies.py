import json
import re
import zipfile

import pytest
from hand import hand_document, hand_space, noisy_table

from foxnas_core.__main__ import main
from foxnas_core.study import create_study, list_studies, open_study

HAND = hand_space()


@pytest.fixture
def study(tmp_path, monkeypatch):
    monkeypatch.setenv("FOXNAS_STUDIES", str(tmp_path / "studies"))
    return create_study(
        tmp_path / "studies" / "hand", HAND, name="Hand", table=noisy_table(HAND, 10)
    )


def ask(capsys, *arguments) -> dict:
    assert main(["study", *map(str, arguments), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def refused(capsys, *arguments) -> str:
    assert main(["study", *map(str, arguments), "--json"]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and "Traceback" not in captured.err
    [line] = captured.err.strip().splitlines()
    assert line.startswith("foxnas study: ")
    return line


def names(study) -> list[str]:
    return [path.name for path in list_studies(study.folder.parent)]


def test_a_study_goes_elsewhere_and_comes_back(study, tmp_path, capsys):
    assert ask(capsys, "export", "hand", tmp_path / "x.zip")["file"] == str(tmp_path / "x.zip")
    assert zipfile.is_zipfile(tmp_path / "x.zip")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["studies", "x.zip"]
    assert "exists already" in refused(capsys, "export", "hand", tmp_path / "x.zip")
    assert "There is a 'hand' in" in refused(capsys, "import", tmp_path / "x.zip")
    document = ask(capsys, "import", tmp_path / "x.zip", "--as", "theirs")
    assert document == {"studies": str(study.folder.parent), "study": "theirs", "rows": 10}
    elsewhere = ask(capsys, "import", tmp_path / "x.zip", "--studies", tmp_path / "new" / "folder")
    assert elsewhere["study"] == "hand"
    found = open_study(tmp_path / "new" / "folder" / "hand")
    assert found.table().fingerprint == study.table().fingerprint


def test_studies_are_created_described_copied_renamed_and_listed(study, tmp_path, capsys):
    assert ask(capsys, "create", "cpu", "--space", "foxnas-cpu")["space"] == "foxnas-cpu"
    (tmp_path / "space.json").write_text(json.dumps(hand_document()))
    assert ask(capsys, "create", "own", "--space", tmp_path / "space.json")["space"] == "hand"
    described = ask(capsys, "describe", "own", "--title", "Mine", "--description", "Of mine.")
    assert (described["name"], described["description"]) == ("Mine", "Of mine.")
    ask(capsys, "duplicate", "hand", "second", "--title", "Second")
    ask(capsys, "rename", "second", "third")
    listed = {entry["study"]: entry for entry in ask(capsys, "list")["list"]}
    assert list(listed) == ["cpu", "hand", "own", "third"]
    assert listed["third"] == {
        "study": "third", "name": "Second", "description": "", "space": "hand", "rows": 10,
        "weights": False, "images": False, "bytes": listed["third"]["bytes"], "in_use": False,
        "problem": "",
    }  # fmt: skip
    assert main(["study", "list"]) == 0
    assert re.search(r"third +Second +hand +10 ", capsys.readouterr().out)


def test_a_deleted_study_is_restored_or_confirmed_away(study, capsys):
    key = ask(capsys, "delete", "hand")["trashed"]
    assert names(study) == []
    assert [entry["study"] for entry in ask(capsys, "list", "--trash")["trash"]] == [key]
    assert ask(capsys, "restore", key, "--as", "back")["study"] == "back"
    key = ask(capsys, "delete", "back")["trashed"]
    assert "say its name once more to confirm" in refused(capsys, "discard", key)
    assert ask(capsys, "discard", key, "--confirm", key)["discarded"] == key
    assert ask(capsys, "list", "--trash")["trash"] == []


def test_wrong_names_and_files_are_one_sentence(study, tmp_path, capsys):
    (tmp_path / "x.zip").write_bytes(b"no zip")
    assert "damaged or no zip" in refused(capsys, "import", tmp_path / "x.zip")
    assert "can't be read" in refused(capsys, "import", tmp_path / "none.zip")
    assert "can't be read" in refused(capsys, "import", tmp_path)
    assert "There is no study 'x'" in refused(capsys, "rename", "x", "y")
    assert "can't name a study" in refused(capsys, "duplicate", "hand", "../x")
    assert "neither a shipped space" in refused(capsys, "create", "x", "--space", "none")
    assert "is not in the trash" in refused(capsys, "restore", "../hand")
    assert "can't be written" in refused(capsys, "export", "hand", tmp_path / "no" / "x.zip")
    assert names(study) == ["hand"]


def test_read_only_mode_lists_and_exports_only(study, tmp_path, capsys, monkeypatch):
    key = ask(capsys, "delete", "hand")["trashed"]
    ask(capsys, "restore", key)
    monkeypatch.setenv("FOXNAS_READ_ONLY", "1")
    assert len(ask(capsys, "list")["list"]) == 1
    ask(capsys, "export", "hand", tmp_path / "x.zip")
    for action in (
        ("create", "x", "--space", "foxnas-cpu"), ("describe", "hand", "--title", "X"),
        ("duplicate", "hand", "x"), ("rename", "hand", "x"), ("delete", "hand"),
        ("import", tmp_path / "x.zip", "--as", "x"),
    ):  # fmt: skip
        assert "read-only" in refused(capsys, *action)
    assert names(study) == ["hand"]


def test_goals_are_named_and_cleared(study, capsys):
    told = ask(capsys, "describe", "hand", "--objective", "latency_ms", "--cost", "macs")
    assert (told["objective"], told["cost"]) == ("latency_ms", "macs")
    told = ask(capsys, "describe", "hand", "--clear", "cost")
    assert told["objective"] == "latency_ms" and "cost" not in told
    assert "both given; keep one" in refused(
        capsys, "describe", "hand", "--clear", "cost", "--cost", "macs"
    )
    told = ask(capsys, "describe", "hand", "--clear", "objective", "--clear", "cost")
    assert "objective" not in told and open_study(study.folder).goals.to_dict() == {}
    # The table's own tell again.
    assert open_study(study.folder).objective.column == "accuracy"
