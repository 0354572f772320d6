from datetime import UTC, datetime, timedelta

import pytest
from hand import hand_space, noisy_table

from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.study import create_study, list_studies, open_study
from foxnas_core.study.library import create, delete, discard, restore, trash, trashed

HAND = hand_space()


@pytest.fixture
def study(tmp_path):
    return create_study(tmp_path / "a", HAND, name="A", table=noisy_table(HAND, 10))


def names(studies) -> list[str]:
    return [path.name for path in list_studies(studies)]


def test_a_deleted_study_lies_in_the_trash_until_it_is_restored(study, tmp_path):
    table = study.table().fingerprint
    item = delete(tmp_path, "a")
    assert names(tmp_path) == [] and (item.name, item.entry.rows) == ("a", 10)
    assert item.key.startswith("a-2") and trashed(tmp_path) == [item]
    assert abs(datetime.now(UTC) - item.when) < timedelta(minutes=5)
    folder = restore(tmp_path, item.key)
    assert names(tmp_path) == ["a"] and trashed(tmp_path) == []
    assert open_study(folder).table().fingerprint == table


def test_a_name_that_was_taken_meanwhile_asks_for_another(study, tmp_path):
    item = delete(tmp_path, "a")
    create(tmp_path, "a", HAND)
    with pytest.raises(InvalidInput, match="There is a 'a' in .* already; take another name"):
        restore(tmp_path, item.key)
    assert trashed(tmp_path) == [item]
    restore(tmp_path, item.key, "b")
    assert names(tmp_path) == ["a", "b"]


def test_a_clock_that_stands_or_is_set_back_neither_collides_nor_misorders(tmp_path, monkeypatch):
    class Clock(datetime):
        times = iter([2030, 2030, 2020, 2025])

        @classmethod
        def now(cls, tz=None):
            return datetime(next(cls.times), 1, 1, tzinfo=tz)

    monkeypatch.setattr(trash, "datetime", Clock)
    keys = []
    for _ in range(4):
        create(tmp_path, "a", HAND)
        keys.append(delete(tmp_path, "a").key)
    assert len(set(keys)) == 4
    assert [item.key for item in trashed(tmp_path)] == keys[::-1]


def test_nothing_is_removed_for_good_without_a_second_word(study, tmp_path):
    item = delete(tmp_path, "a")
    for word in ("", "a", "yes", item.key.upper()):
        with pytest.raises(InvalidInput, match="can't be undone; say its name once more"):
            discard(tmp_path, item.key, confirmed=word)
    assert trashed(tmp_path) == [item]
    discard(tmp_path, item.key, confirmed=item.key)
    assert trashed(tmp_path) == []


@pytest.mark.parametrize("key", ["", "..", "../a", "a", "a-20260101-000000-1", "/"])
def test_only_what_lies_in_the_trash_is_restored_or_removed(study, tmp_path, key):
    with pytest.raises(MissingPart, match="is not in the trash"):
        restore(tmp_path, key)
    with pytest.raises(MissingPart, match="is not in the trash"):
        discard(tmp_path, key, confirmed=key)
    assert names(tmp_path) == ["a"]


def test_what_others_put_in_the_trash_is_left_alone(study, tmp_path):
    delete(tmp_path, "a")
    (tmp_path / ".trash" / "notes").mkdir()
    (tmp_path / ".trash" / "a-99999999-999999-1").mkdir()
    (tmp_path / ".trash" / "a-20260101-000000-7").write_text("a file")
    assert [item.name for item in trashed(tmp_path)] == ["a"]


def test_a_damaged_study_can_be_deleted_and_restored(study, tmp_path):
    (study.folder / "space.json").write_text("{")
    item = delete(tmp_path, "a")
    assert "no valid JSON" in item.entry.problem
    restore(tmp_path, item.key)
    assert names(tmp_path) == ["a"]


def test_two_who_restore_or_delete_at_once_get_one_study(study, tmp_path):
    item = delete(tmp_path, "a")
    restore(tmp_path, item.key)
    with pytest.raises(MissingPart):
        restore(tmp_path, item.key, "b")
    delete(tmp_path, "a")
    with pytest.raises(MissingPart):
        delete(tmp_path, "a")
