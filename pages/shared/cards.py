"""Cards on a page: what an analysis found, or in a sentence why it can't run yet."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace

import streamlit as st

from foxnas_core.cards.analysis import Analysis, from_elsewhere
from foxnas_core.cards.card import Card
from foxnas_core.cards.given import Given
from foxnas_core.glossary import meaning_of
from foxnas_core.study import Study
from pages.shared import cache
from pages.shared.commands import show_command
from pages.shared.frame import errors_as_cards
from pages.shared.moved import names_of
from pages.shared.panel import panel
from pages.shared.text import plain

given_of = cache.looked_at
_TONES = {"plain": "write", "good": "success", "bad": "error", "warning": "warning", "info": "info"}


def show(
    analysis: Analysis,
    given: Given,
    *,
    title: str = "",
    header: bool = True,
    on_select: Callable[[], None] | None = None,
    box: bool = False,
    lazy: bool = False,
    tabled: bool = True,
    **options: Hashable,
) -> Card | None:
    """Draw an analysis's card; returns it, or None where there is none, which the page then says.

    It may have another `title` here; without `header` it stands without any. `on_select`, `box`
    and `lazy` are as in `panel`, `tabled` as in `draw`.
    """
    with errors_as_cards():
        if sentence := analysis.lacks(given):
            st.info(plain(sentence))
            return None
        card = analysis.card(given, **options)
        shown = replace(card, title=title or card.title)
        how = {"on_select": on_select, "box": box, "lazy": lazy, "tabled": tabled}
        draw(shown, given.study, header=header, **how)
        return card
    return None


def beside(given: Given, *shown: tuple[Analysis, Mapping[str, Hashable]]) -> None:
    """Draw the cards of several analyses, each with its options, beside each other."""
    for place, (analysis, options) in zip(st.columns(len(shown), gap="large"), shown, strict=True):
        with place:
            show(analysis, given, **options)


def draw(
    card: Card,
    study: Study | None = None,
    *,
    header: bool = True,
    on_select: Callable[[], None] | None = None,
    box: bool = False,
    lazy: bool = False,
    tabled: bool = True,
) -> None:
    """Draw a card, of a `study` where it names a command, its table only where `tabled`."""
    for caution in card.cautions:
        st.warning(plain(caution))
    if header:
        st.header(plain(card.title))
    if card.facts:
        _facts(card)
    if card.sentence:
        with st.container(key=f"says-{card.key}"):
            getattr(st, _TONES[card.tone])(stressed(card))
    if card.points:
        st.markdown("\n".join(f"- {plain(point)}" for point in card.points))
    figure = card.figure()
    if tabled and (figure is not None or not card.table.empty):
        how = {"on_select": on_select, "box": box, "lazy": lazy}
        panel("", "", card.table, figure, key=card.key, **how)
    for note in card.notes:
        st.caption(plain(note))
    if card.command and study is not None:
        show_command(study, card.command, light=card.light)


def _facts(card: Card) -> None:
    """The headline numbers, each with what is said beside it."""
    with st.container(key=f"facts-{card.key}"):
        if card.asides:
            row = st.container(horizontal=True)
            places = [row.container(width=170, gap=None) for _ in card.facts]
        else:
            places = st.columns(max(len(card.facts), 4))
    for place, (label, value) in zip(places, card.facts.items(), strict=False):
        # Names might hold marks, numbers don't.
        shown = value if value.lstrip("+-")[:1].isdigit() else plain(value)
        place.metric(label, shown, help=meaning_of(label))
        if label in card.asides:
            place.caption(plain(card.asides[label]))


def stressed(card: Card) -> str:
    """A card's sentence as Markdown."""
    text = plain(card.sentence)
    for part in card.stress:
        text = text.replace(plain(part), f"**{plain(part)}**", 1)
    return text


def show_from_elsewhere(title: str, view: str, study: Study) -> None:
    """The cards that others have registered for a page, or for what is a view of it now."""
    for analysis in from_elsewhere(*names_of(title, view)):
        show(analysis, given_of(study))
