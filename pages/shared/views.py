"""The views of a page: one control under its title, of which the address tells the choice.

A view is a module `pages/views/<page>/<view>.py` with `SENTENCE`, what it is for, and
`show(study)`. Where it has `needs(study)`, that says in a sentence why it has nothing to show, or
None. Only the one that is chosen is imported and computed.
"""

from collections.abc import Mapping
from importlib import import_module
from types import ModuleType
from typing import NoReturn

import streamlit as st

from pages.shared import choices
from pages.shared.frame import page, page_without_study
from pages.shared.menu import PAGES
from pages.shared.picked import picked
from pages.shared.text import plain


def show_views(title: str, views: Mapping[str, str], *, without_study: bool = False) -> None:
    """Draw the page `title` with one of its `views`, from their names to what they are called; the
    first where none is chosen. They may be of use `without_study`, and are given None then."""
    chosen: list[ModuleType] = []

    def head() -> str:
        chosen.append(_module(title, pick_view(title, views)))
        return chosen[0].SENTENCE

    with (page_without_study if without_study else page)(title, head) as study:
        [view] = chosen
        needs = getattr(view, "needs", None)
        if needs and (sentence := needs(study)):
            st.info(plain(sentence))
        else:
            view.show(study)


def go(title: str, view: str = "") -> NoReturn:
    """Lead on to a page, and there to a view."""
    if view:
        choices.choose_view(title, view)
    st.switch_page(PAGES[title])


def pick_view(title: str, views: Mapping[str, str]) -> str:
    """Draw the control of a page's views and return the name of the chosen one."""
    asked = choices.current().view
    if asked and asked not in views:
        st.warning(
            f"{title} has no view {plain(f'{asked!r:.80}')}; it has {', '.join(views)}. This is "
            f"{next(iter(views))}."
        )
    view = asked if asked in views else next(iter(views))
    choices.choose_view(title, view)

    def act(name: str) -> None:
        choices.choose_view(title, name)
        choices.update(view=name)

    picked(
        st.segmented_control, "View", views, key="view", value=view, required=True, act=act,
        label_visibility="collapsed",
    )  # fmt: skip
    return view


def _module(title: str, view: str) -> ModuleType:
    folder = title.lower().replace("-", "_")
    return import_module(f"pages.views.{folder}.{view}")
