"""Selection by what a supernet learned: a view for each method that works on one.

That of a method is the module of `pages/views/select` that is called like it, whose `parts(study)`
are the parts of the view by their names; one without has what they all have.
"""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

import streamlit as st

from foxnas_core.cards import judged, selecting
from foxnas_core.methods import Method, methods
from foxnas_core.plugins import load_plugins
from foxnas_core.study import Study
from pages.shared import selections
from pages.shared.cards import given_of, show
from pages.shared.frame import errors_as_cards, page
from pages.shared.picked import show_part
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


def parts_of(study: Study, method: Method) -> dict[str, Callable[[], object]]:
    """What there is to be told of a method, by what it is called."""
    view = view_of(method)
    parts = dict(view.parts(study)) if view else {}
    if not method.trains:
        parts[judged.judged.title] = lambda: show(judged.judged, given_of(study), header=False)
    return parts


with page("Select", head) as study:
    [method] = chosen
    told = selections.show_method(study, method)
    parts = parts_of(study, method) if told else {}
    if len(parts) > 1:
        show_part(f"{method.name}-shown", parts)
    else:
        for show_only in parts.values():
            show_only()
    with st.expander(selecting.methods.title, expanded=not told):
        show(selecting.methods, given_of(study), header=False)
