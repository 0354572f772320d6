"""One subnet layer by layer: its operators as a graph, where its time goes, what blocks bring; a
second subnet beside it, and a second device."""

from contextlib import suppress
from dataclasses import replace

import streamlit as st

from foxnas_core.cards import block_times, model_graph
from foxnas_core.cards.given import Given
from foxnas_core.errors import FoxnasError
from foxnas_core.study import Study
from pages.shared import cards, choices
from pages.shared.architecture_picker import pick_architecture
from pages.shared.comparison_picker import Reference, reference_picker
from pages.shared.frame import errors_as_cards
from pages.shared.network_graph import show_network
from pages.shared.picked import picked, show_part
from pages.shared.starting_points import kept_variants, start_of
from pages.shared.text import plain

SENTENCE = (
    "One subnet layer by layer: operators, shapes, parameters, MACs, what each takes on this "
    "machine, and what the regressions say its block brings; beside another, where you compare."
)

PROFILE = "Where the time is"


def show(study: Study) -> None:
    now = pick_architecture(study)
    given = cards.given_of(study, architecture=now, start=start_of(now, study.space))
    row = st.container(horizontal=True, vertical_alignment="bottom")
    with row:
        how = _profiling(given)
        device = _second_device(given)
        reference = _reference(given)
    if reference:
        given = replace(given, start=reference.architecture)
    _tell(given, how["profiled"])
    if model_graph.graph.needs(given):
        cards.show(model_graph.totals, given, header=False, **how)
        return
    cards.show(model_graph.totals, given, header=False, **how)
    parts = {
        "Operators": lambda: show_network(given, reference, device=device, **how),
        "From input to classifier": lambda: _strips(given, reference, how),
    }
    drawn = reference and reference.drawn
    if device or drawn:
        own = given if drawn else replace(given, start=None)
        parts["Times of blocks"] = lambda: cards.show(block_times.times, own, device=device)
    if how["profiled"]:
        parts[PROFILE] = lambda: _profile(given, how)
    show_part("layers-part", parts)


def _strips(given: Given, reference: Reference | None, how: dict[str, str | bool]) -> None:
    """Each subnet's layers by their shares."""
    cards.show(model_graph.graph, given, **how)
    if reference and reference.drawn:
        other = replace(given, architecture=reference.architecture, start=given.subnet)
        title = f"{model_graph.graph.title}: {reference.name}"
        with errors_as_cards():
            card = model_graph.graph.card(other, **how)
            told = {"title": title, "sentence": "As above.", "key": "graph-beside"}
            cards.draw(replace(card, **told), given.study)


def _profile(given: Given, how: dict[str, str | bool]) -> None:
    """Where the time is."""
    cards.show(model_graph.views, given, precision=how["precision"])
    cards.show(model_graph.account, given, precision=how["precision"])


def _rows(given: Given) -> int:
    """How many are measured; of a damaged table, which the page has told of, none."""
    with suppress(FoxnasError):
        return len(given.table)
    return 0


def _reference(given: Given) -> Reference | None:
    """Draw the choice of a second subnet; none where no subnet was chosen, as without a table."""
    if choices.current().architecture is None or not _rows(given):
        return None
    study = given.study
    with st.container(width=230):
        return reference_picker(study, given.traded[1], kept_variants(study))


def _second_device(given: Given) -> str:
    """Draw the choice of a second device, where there is one; returns its column, "" for none."""
    others = block_times.others(given) if _rows(given) else {}
    if not others:
        return ""
    return picked(
        st.selectbox, "Second device", {"": "none", **others}, key="second-device", width=230
    )


def _profiling(given: Given) -> dict[str, str | bool]:
    """Draw the choice of the precision and the button; whether its profile was asked for."""
    precisions = model_graph.account.choices(given)["precision"]
    precision = picked(
        st.segmented_control, "Precision", precisions, key="precision", required=True
    )
    missing = model_graph.account.needs(given)
    asked = (given.study.folder, given.subnet.id, precision)

    def profile() -> None:
        choices.remember("profiled", asked)
        choices.pick("layers-part", PROFILE)

    st.button(
        "Profile it on this machine",
        key="profile",
        type="primary",
        disabled=missing is not None,
        on_click=profile,
    )
    profiled = missing is None and choices.remembered("profiled") == asked
    return {"precision": precision, "profiled": profiled}


def _tell(given: Given, profiled: bool) -> None:
    """What profiling does, or what keeps a subnet from it."""
    if missing := model_graph.account.needs(given):
        st.info(plain(missing))
    elif not profiled:
        st.caption(
            "Profiling runs the subnet in ONNX Runtime some thousand times, with its profiler and "
            "without, on one core: some seconds, longer beside other work."
        )
