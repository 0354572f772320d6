"""The menu: pages under headings, and what a study lacks for those that it can't serve yet."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from foxnas_core.errors import FoxnasError
from foxnas_core.study import Study
from pages.shared import cache
from pages.shared.text import article, plain


def _nothing(study: Study) -> str:
    return ""


def _rows(study: Study) -> str:
    return "" if len(cache.table_of(study)) else "measurements"


def _both(study: Study) -> str:
    """An objective and a cost, which every search trades."""
    if lacking := _rows(study):
        return lacking
    columns = [target.column for target in cache.table_of(study).targets]
    missing = [m.word for m in (study.objective, study.cost) if m.column not in columns]
    return article(missing[0]) if missing else ""


def _rows_or_weights(study: Study) -> str:
    """Claims are of rows, a supernet's ranking of its weights."""
    return _rows(study) and _weights(study) and "measurements or a supernet"


def _weights(study: Study) -> str:
    return "" if study.checkpoint_file.exists() else "a supernet"


@dataclass(frozen=True)
class Entry:
    """A page by its title, its file, and what a study lacks for it, in a word or two; "" for
    nothing. Drawn with every page, so it only looks at what is there."""

    title: str
    path: str
    needs: Callable[[Study], str] = _nothing


MENU = {
    "Choose": (
        Entry("Study", "app.py"),
        Entry("Search", "pages/3_Search.py", _both),
        Entry("What-if", "pages/2_What_if.py", _rows),
        Entry("Export", "pages/4_Export.py"),
    ),
    "Why": (
        Entry("Coefficients", "pages/1_Coefficients.py", _rows),
        Entry("Diagnostics", "pages/5_Diagnostics.py", _rows),
        Entry("Devices", "pages/7_Devices.py", _rows),
        Entry("Trust", "pages/12_Trust.py", _rows_or_weights),
    ),
    "Data": (
        Entry("Studies", "pages/20_Studies.py"),
        Entry("Measurements", "pages/14_Measurements.py", _rows),
        Entry("Select", "pages/21_Select.py", _weights),
    ),
}
# Pages by their titles.
PAGES = {entry.title: entry.path for entries in MENU.values() for entry in entries}


def lacking(title: str, study: Study) -> str:
    """What a study lacks for a page, in a word or two; "" for nothing."""
    entry = next((e for entries in MENU.values() for e in entries if e.title == title), None)
    return entry.needs(study) if entry else ""


def draw_menu(place: DeltaGenerator, study: Study | None) -> None:
    """Draw the menu; of an open study, with what it lacks for a page."""
    for heading, entries in MENU.items():
        with place.container(gap="xxsmall", key=f"menu-{heading.lower()}"):
            st.caption(heading)
            for entry in entries:
                lacking = ""
                with suppress(FoxnasError):  # a damaged study says so on the page
                    lacking = entry.needs(study) if study else ""
                note = f" :small[:gray[needs {plain(lacking)}]]" if lacking else ""
                st.page_link(entry.path, label=f"{entry.title}{note}")
