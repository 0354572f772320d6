"""The editor, a second architecture beside the edited one, and architectures kept under names."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from foxnas_core.cards import numbers
from foxnas_core.cards.given import Given
from foxnas_core.errors import FoxnasError, MissingPart
from foxnas_core.figures.picture import picture_data, picture_table
from foxnas_core.space.architecture import Architecture
from foxnas_core.study import Study
from foxnas_core.study.locks import is_read_only
from foxnas_core.study.variants import VARIANTS, Variant
from pages.shared import cache, cards, choices
from pages.shared.editor import (
    editable_picture,
    history_buttons,
    history_of,
    inspector,
    keys_in_words,
)
from pages.shared.frame import errors_as_cards
from pages.shared.goals import show_goals
from pages.shared.panel import closed_table
from pages.shared.picked import picked
from pages.shared.picture import picture
from pages.shared.starting_points import best_in_budget, kept_variants
from pages.shared.text import plain

NOTHING, START, BEST, MEASURED, VARIANT = "", "start", "best", "measured", "variant"
_NAMES = {
    NOTHING: "the start",
    START: "the start, drawn beside it",
    BEST: "the best in budget",
    MEASURED: "a measured subnet …",
}


@dataclass(frozen=True)
class Reference:
    """The one architecture that the edited one is held against, what it is called, and whether it
    is `drawn` beside it."""

    name: str
    architecture: Architecture
    drawn: bool = True


def show_toolbar(given: Given) -> Reference:
    """Draw what undoes edits, the kept variants, and the choice of the reference; returns that."""
    study = given.study
    variants = kept_variants(study)
    row = st.container(horizontal=True, vertical_alignment="bottom", key="toolbar")
    with row:
        history_buttons(study)
        variants_menu(study, variants)
    with row.container(width=210):
        return reference_picker(study, given.traded[1], variants)


def editor_places() -> tuple[DeltaGenerator, DeltaGenerator, DeltaGenerator]:
    """Where the toolbar, the picture and its choices stand: all beside the picture, but above it
    where another picture is beside it."""
    if choices.current().against:
        return st.container(), *st.columns(2, gap="large")
    left, right = st.columns([1.7, 1], gap="large")
    return right.container(), left, right


def show_editor(
    given: Given, reference: Reference, left: DeltaGenerator, right: DeltaGenerator
) -> None:
    """Draw the picture with its choices, where it is `drawn` beside that of the reference."""
    study, now, other = given.study, given.subnet, reference.architecture
    with left:
        if reference.drawn:
            st.markdown("**This architecture**")
        editable_picture(study, other)
    if reference.drawn:
        with right:
            st.markdown(f"**{plain(reference.name[0].upper() + reference.name[1:])}**")
            picture(
                picture_data(study.space, other, now, editable=False),
                label=f"The architecture to compare with: {reference.name}",
                key="other-picture",
            )
        right = st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
    with right:
        inspector(study)
        if numbers.is_looked_up(given):
            cards.show(numbers.numbers, replace(given, start=other))
    with st.container() if reference.drawn else left, errors_as_cards():
        show_goals(given)
    st.container(key="keys").caption(keys_in_words(study.space))
    closed_table(
        "The architecture as a table",
        lambda: picture_table(study.space, now, other)[
            ["row", "column", "cell", "words", "differs"]
        ],
        key="cells",
    )


def variants_menu(study: Study, variants: Mapping[str, Variant]) -> None:
    """Draw what keeps the architecture under a name, and takes or deletes one that was kept."""
    may_change = not is_read_only()
    with st.popover(f"Variants ({len(variants)})", key="variants"):
        if may_change:
            name = st.text_input("Keep this architecture as", key="variant-name", max_chars=40)
            _doing(
                "Keep",
                "variant-save",
                lambda: study.change(
                    VARIANTS, lambda kept: kept.having(name, history_of(study).now.architecture)
                ),
            )
        # Said where it was done, and once: what is done next has nothing to do with it.
        if sentence := choices.remembered("variant-error"):
            choices.remember("variant-error", None)
            st.error(plain(sentence))
        if not variants:
            st.caption(
                "None is kept yet. They are kept with the study, for all who open it."
                if may_change
                else "None is kept, and this studio is read-only."
            )
            return
        chosen = st.selectbox("Kept", list(variants), key="variant-kept")
        row = st.container(horizontal=True)
        with row:
            _doing(
                "Edit it",
                "variant-take",
                lambda: choices.set_architecture(variants[chosen].architecture),
            )
            if may_change:
                _doing(
                    "Delete",
                    "variant-delete",
                    lambda: study.change(VARIANTS, lambda kept: kept.without(chosen)),
                )


def _doing(label: str, key: str, act: Callable[[], None]) -> None:
    """A button that acts, and remembers the sentence of what went wrong."""

    def react() -> None:
        choices.remember("variant-error", None)
        try:
            act()
        except FoxnasError as error:
            choices.remember("variant-error", str(error))

    st.button(label, key=key, on_click=react)


def reference_picker(study: Study, latency: str, variants: Mapping[str, Variant]) -> Reference:
    """Draw the choice of what the architecture is held against and return that, by default the
    start.

    What the address names and can't be found is said and left aside.
    """
    kind, _, name = (choices.current().against or "").partition(":")
    options = _NAMES | {f"{VARIANT}:{variant}": f"variant {variant}" for variant in variants}
    chosen = f"{VARIANT}:{name}" if kind == VARIANT else kind
    picked(
        st.selectbox,
        "Compare with",
        options,
        key="against",
        value=chosen if chosen in options else NOTHING,
        act=lambda option: choices.update(against=option or None),
    )
    if kind == MEASURED:
        name = _measured(study, latency, name)
    start = Reference("the start", history_of(study).now.start, drawn=kind == START)
    try:
        return _found(study, latency, kind, name, variants) or start
    except FoxnasError as error:
        st.warning(plain(str(error)))
        return start


def _measured(study: Study, latency: str, chosen: str) -> str:
    labels = cache.measured_labels_of(study, latency)
    picked(
        st.selectbox,
        "Which measured subnet",
        labels,
        key="against-measured",
        value=chosen if chosen in labels else None,
        act=lambda subnet: choices.update(against=f"{MEASURED}:{subnet}" if subnet else MEASURED),
        can_be_cleared=True,
        index=None,
        placeholder="Choose one …",
        label_visibility="collapsed",
    )
    return chosen


def _found(
    study: Study, latency: str, kind: str, name: str, variants: Mapping[str, Variant]
) -> Reference | None:
    if kind == BEST:
        return Reference("the best in budget", best_in_budget(study, latency))
    if kind == VARIANT:
        if name not in variants:
            raise MissingPart(f"There is no variant {name!r} to compare with.")
        return Reference(f"variant {name}", variants[name].architecture)
    if kind == MEASURED and name:
        table = cache.table_of(study)
        if name not in set(table.frame["id"]):
            raise MissingPart(f"The study has measured no subnet {name!r} to compare with.")
        return Reference(f"measured {name}", table.measured(name))
    return None
