"""Selection by what a supernet learned: a view for each method that works on one.

That of a method is the module of `pages/views/select` that is called like it; one without has what
they all begin with.
"""

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

import streamlit as st

from foxnas_core.cards import judged, selecting
from foxnas_core.methods import Method, methods
from foxnas_core.plugins import load_plugins
from pages.shared import selections
from pages.shared.cards import given_of, show
from pages.shared.frame import errors_as_cards, page
from pages.shared.views import pick_view

SENTENCE = (
    "Subnets that a supernet selects by itself, beside those that the regression finds; each "
    "method says what it needs and how it is run."
)
chosen: list[Method] = []


def view_of(method: Method) -> ModuleType | None:
    name = f"pages.views.select.{method.name.replace('-', '_')}"
    return import_module(name) if find_spec(name) else None


def head() -> str:
    """Draw the choice of a method."""
    with errors_as_cards():
        load_plugins()
        known = {method.name: method for method in methods() if method.on_supernet}
        titles = {name: method.title for name, method in known.items()}
        chosen.append(known[pick_view("Select", titles)])
        return getattr(view_of(chosen[0]), "SENTENCE", SENTENCE)
    return SENTENCE


with page("Select", head) as study:
    [method] = chosen
    if not selections.show_method(study, method):
        if (view := view_of(method)) is not None:
            view.show(study)
        st.divider()
        if not method.trains:
            show(judged.judged, given_of(study))
    show(selecting.methods, given_of(study))
