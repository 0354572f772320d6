"""Sessions beside each other on one study: what one of them renames, deletes or gives another table
while the others draw it; those who may not change it, and those who may not see it."""

from collections.abc import Callable
from pathlib import Path

import pytest
import streamlit as st
from conftest import REPOSITORY, run_page, sentences
from hand import hand_space, noisy_table
from streamlit.testing.v1 import AppTest

from foxnas_core.study import create_study, list_studies, open_study
from foxnas_core.study.library import delete, duplicate, rename, restore
from pages.shared import cache
from tests.study.test_locks import written

SPACE = hand_space()
SHOWN = (
    "pages/20_Studies.py?view=table", "pages/20_Studies.py?view=list", "pages/12_Trust.py",
    "pages/3_Search.py?view=kept", "pages/14_Measurements.py?view=rounds",
    "pages/7_Devices.py?view=handmade", "pages/20_Studies.py?view=trash", "pages/21_Select.py",
)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FOXNAS_STUDIES", str(tmp_path))
    monkeypatch.setattr("foxnas_core.files.os.fsync", lambda _: None)
    create_study(tmp_path / "own", SPACE, name="Own", table=noisy_table(SPACE, 30))
    create_study(tmp_path / "zoo", SPACE, name="Zoo")
    return tmp_path


def renamed(folder: Path) -> Callable[[], object]:
    """Each act gives what takes it back."""
    rename(folder, "own", "moved")
    return lambda: rename(folder, "moved", "own")


def deleted(folder: Path) -> Callable[[], object]:
    entry = delete(folder, "own")
    return lambda: restore(folder, entry.key)


def replaced(folder: Path) -> Callable[[], object]:
    open_study(folder / "own").amend(lambda _: noisy_table(SPACE, 12, seed=5))
    return lambda: open_study(folder / "own").amend(lambda _: noisy_table(SPACE, 30))


def check(page: AppTest) -> None:
    assert not page.exception
    assert not [card.value for card in page.error if "should not" in card.value]


@pytest.mark.parametrize("act", [renamed, deleted, replaced])
def test_eight_sessions_go_on_or_are_told(act, folder, monkeypatch):
    """Each page loses the study, or its table, between its first look at it and its drawing."""
    settle, back = cache.settle, []

    def late(study):
        if not back:
            back.append(act(folder))
        settle(study)

    for place in SHOWN:
        with monkeypatch.context() as patched:
            patched.setattr(cache, "settle", late)
            page = run_page(place, study="own")
        check(page)
        if act is not replaced:
            said = sentences(page).replace("\\", "")
            assert "There is no study 'own' here (any more)" in said
            assert "own" not in [path.name for path in folder.iterdir()]
        back.pop()()
    assert [path.name for path in list_studies(folder)] == ["own", "zoo"]


@pytest.mark.parametrize(
    "place",
    ["pages/20_Studies.py?view=trash", "pages/12_Trust.py", "pages/21_Select.py",
     "pages/7_Devices.py?view=machine", "pages/3_Search.py?view=kept"],
)  # fmt: skip
def test_no_button_of_a_read_only_page_changes_a_study(place, folder, monkeypatch):
    delete(folder, duplicate(folder, "own", "gone").folder.name)
    before = written(folder)
    monkeypatch.setenv("FOXNAS_READ_ONLY", "1")
    page = run_page(place, study="own")
    for key in [button.key for button in page.button if not button.disabled]:
        pressed = run_page(place, study="own").button(key=key).click().run()
        check(pressed)
    assert written(folder) == before


class Nobody(dict):
    is_logged_in = False


PAGES = sorted(str(path.relative_to(REPOSITORY)) for path in (REPOSITORY / "pages").glob("*.py"))


@pytest.mark.parametrize("name", ["app.py", *PAGES])
def test_who_is_not_signed_in_sees_no_study_by_any_link(name, folder, monkeypatch):
    monkeypatch.setattr(st, "user", Nobody())
    page = run_page(name, study="own", search="0123456789ab", subnet="own")
    assert [title.value for title in page.title] == ["FOX-NAS Studio"]
    assert [button.key for button in page.button] == ["sign-in"]
    assert sentences(page) == "This studio is for people who are signed in."
    assert not page.get("page_link") and not page.sidebar.children
