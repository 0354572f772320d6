"""Selection by what a supernet learned: a view for each method that works on one."""

import streamlit as st

from foxnas_core.cards import judged, selecting
from foxnas_core.files import typed
from foxnas_core.methods import Method, methods
from foxnas_core.plugins import load_plugins
from foxnas_core.study import Study
from pages.shared.cards import given_of, show
from pages.shared.commands import show_command
from pages.shared.frame import errors_as_cards, page
from pages.shared.text import plain
from pages.shared.views import pick_view

SENTENCE = (
    "Subnets that a supernet selects by itself, beside those that the regression finds; each "
    "method says what it needs and how it is run."
)
chosen: list[Method] = []


def head() -> str:
    """Draw the choice of a method."""
    with errors_as_cards():
        load_plugins()
        known = {method.name: method for method in methods() if method.on_supernet}
        titles = {name: method.title for name, method in known.items()}
        chosen.append(known[pick_view("Select", titles)])
    return SENTENCE


def lacking(study: Study) -> str:
    """What there is to do before anything is selected."""
    if not study.checkpoint_file.exists():
        return (
            "This study has no supernet, and so nothing to select by; train one with 'python -m "
            "foxnas_core train', or bring yours with 'python -m foxnas_core import-weights'. The "
            "page Search finds subnets by the measurements alone."
        )
    return chosen[0].needs(study) or ""


with page("Select", head) as study:
    if sentence := lacking(study):
        st.info(plain(sentence))
    else:
        st.write(f"{plain(chosen[0].title)} can run on this study:")
        show_command(study, f"select --study {typed(study.folder)} --method {chosen[0].name}")
    show(judged.judged, given_of(study))
    show(selecting.methods, given_of(study))
