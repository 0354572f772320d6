"""The frame of every page: configuration, menu, study picker, and errors as one sentence."""

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from foxnas_core.errors import FoxnasError, MissingPart, sentence_of
from foxnas_core.figures.theme import GRID, INK, PAPER
from foxnas_core.plugins import load_plugins
from foxnas_core.study import Study, list_studies, open_study
from foxnas_core.study.locks import is_read_only
from pages.shared import cache, choices, process, tour
from pages.shared.menu import draw_menu, lacking
from pages.shared.picked import picked
from pages.shared.signin import admitted
from pages.shared.text import plain
from pages.shared.theme import css, follow_theme

REPOSITORY = Path(__file__).parents[2]

# What Streamlit's theme leaves open: less empty space, nothing cut short on a small screen, and
# captions, chosen buttons and commands as dark as one needs to read them (WCAG 2.2, 4.5 to 1).
_STYLE = f"""<style>
.stMainBlockContainer {{padding: 3rem 2.5rem}}
[data-testid="stMetricValue"] {{font-size: 1.6rem}}
/* What a page says is of one rank; sections, which have a line under them, stand out. */
[data-testid="stHeading"]:not(:has(hr)) h2 {{font-size: 1.25rem; padding-bottom: 0.5rem}}
[data-testid="stMetricLabel"] * {{white-space: normal !important; overflow: visible}}
.stButtonGroup button {{padding-left: 0.6rem; padding-right: 0.6rem}}
.stButtonGroup button[data-selected] {{color: inherit !important}}
[data-testid="stCaptionContainer"] {{opacity: 0.75 !important}}
[data-testid="stMultiSelect"] [data-tag] {{max-width: none; height: auto}}
[data-testid="stMultiSelectTagsContainer"],
[data-testid="stMultiSelectTagsContainer"] > [role="group"] {{flex-wrap: wrap; overflow: visible}}
div:has(> [data-testid="stMultiSelectTagsContainer"]) {{height: auto; max-height: none}}
[data-testid="stMultiSelect"] [data-tag] * {{
  white-space: normal; overflow: visible; max-width: none
}}
.stCode code .token {{color: inherit !important}}
[data-testid^="stBaseButton"]:disabled, [data-testid^="stBaseButton"]:disabled * {{
  color: color-mix(in srgb, {css(INK)} 65%, {css(PAPER)}) !important
}}
/* A mouse sees the figures' tools when it comes near, a finger always, over what they tell. */
@media (max-width: 640px) {{
  .stMainBlockContainer {{padding: 3rem 1rem}}
  [data-testid="stHorizontalBlock"] {{row-gap: 1rem}}
  [data-testid="stHorizontalBlock"] > * {{max-width: 100%}}
  .stButtonGroup [role="radiogroup"] {{flex-wrap: wrap}}
  [class*="st-key-facts-"] [data-testid="stColumn"] {{min-width: calc(50% - 1rem)}}
  /* It fades at the edge that it goes on beyond, and no longer where one has come to its end. */
  [class*="st-key-wide-"] {{
    overflow-x: auto; animation: goes-on linear both; animation-timeline: scroll(self x);
  }}
  [class*="st-key-wide-"] > * {{min-width: 44rem}}
}}
/* So do tables, whose own part it is that is scrolled. */
[data-testid="stDataFrame"] {{timeline-scope: --table}}
.dvn-scroller {{scroll-timeline: --table x}}
.stDataFrameGlideDataEditor {{animation: goes-on linear both; animation-timeline: --table}}
@keyframes goes-on {{
  0%, 90% {{mask-image: linear-gradient(to left, transparent, black 3rem)}}
  100% {{mask-image: none}}
}}
/* Where nothing hovers there is no keyboard either, whose keys were worth naming. */
@media (hover: none) {{
  .js-plotly-plot .modebar, [data-has-shortcut] kbd, .st-key-keys {{display: none}}
}}
[data-testid^="stBaseButton-primary"]:not(:disabled) *, [data-tag] * {{color: {css(PAPER)}}}
</style>"""
ABOUT = (
    "**FOX-NAS Studio**: choose a neural network for a device, and know the reason for every layer."
)
SIDEBAR_WIDTH = 230
HEADER = "3.75rem"  # the height of Streamlit's own, which lies over what scrolls under it
WATCH = 10.0  # seconds between two looks at the study on disk


@contextmanager
def page(title: str, sentence: str | Callable[[], str]) -> Iterator[Study]:
    """Draw the frame, hand over the chosen study, and show what goes wrong in one sentence.

    `sentence` says what the page is for, or draws what stands under the title and returns it.
    """
    study = _draw_frame(title, sentence)
    if study is None:
        st.stop()
    with errors_as_cards():
        yield study
    with suppress(FoxnasError):  # which the page has said
        _offer_another(title, study)
    _cards_from_elsewhere(title, study)
    choices.link()
    process.end()


@contextmanager
def page_without_study(title: str, sentence: str | Callable[[], str]) -> Iterator[Study | None]:
    """The same for a page that has its use where no study can be opened, too."""
    study = _draw_frame(title, sentence)
    with errors_as_cards():
        yield study
    if study is not None:
        _cards_from_elsewhere(title, study)


def _offer_another(title: str, study: Study) -> None:
    """Of what this study lacks for a page, a study that has it, to try the page with."""
    if not lacking(title, study):
        return
    for folder in list_studies(studies_folder()):
        with suppress(FoxnasError):
            if folder.name != study.folder.name and not lacking(title, open_study(folder)):
                st.button(
                    f"Try this page with the study {plain(folder.name)}", key="try-another",
                    on_click=lambda name=folder.name: choices.update(study=name),
                )  # fmt: skip
                return


def _cards_from_elsewhere(title: str, study: Study) -> None:
    # Cards are drawn in this frame, so they are known only once it is.
    from pages.shared.cards import show_from_elsewhere

    show_from_elsewhere(title, choices.current().view or "", study)


def may_write(what: str) -> bool:
    """Whether studies may be changed here; where not, the page says so, and `what` that means."""
    if is_read_only():
        st.info(f"This studio is read-only, so {what}; run one of your own to do that.")
    return not is_read_only()


def _draw_frame(title: str, sentence: str | Callable[[], str]) -> Study | None:
    process.begin()
    st.set_page_config(
        page_title=f"{title} · FOX-NAS Studio",
        layout="wide",
        initial_sidebar_state=SIDEBAR_WIDTH,
        # Without an entry of its own, the menu with the choice of light or dark isn't shown.
        menu_items={"About": ABOUT},
    )
    st.html(_STYLE)
    follow_theme()
    if not admitted():
        st.stop()
    choices.visit(title)
    study = None
    with st.sidebar:
        st.markdown("**FOX-NAS Studio**")
        if is_read_only():
            st.caption("Read-only: nothing is changed here.")
        picker, menu = st.container(), st.container()
    st.title(title)
    st.write(sentence() if callable(sentence) else sentence)
    if wrong := choices.remembered("left-aside"):
        st.warning(plain(wrong[:500]))
    with errors_as_cards():
        load_plugins()
        study = _pick_study(picker)
    if study is None:
        draw_menu(menu, None)
        return None
    with errors_as_cards():
        before = choices.remembered("drawn")
        cache.settle(study)
        if not cache.drawn(study)[0]:  # it was renamed or deleted since it was picked
            st.rerun()
        draw_menu(menu, study)
        choices.remember("drawn", (study.folder.name, cache.drawn(study)))
        new = ""
        if before and before[0] == study.folder.name:
            new = _difference(before[1], cache.drawn(study))
        tour.draw(title)
        _watch(study, new)
    return study


@st.fragment(run_every=WATCH)
def _watch(study: Study, new: str) -> None:
    """Say that the table was changed: `new`, what this page shows and the one before did not, or
    what has come since."""
    name = plain(study.folder.name)
    with errors_as_cards():
        now = cache.on_disk(study)
        since = _difference(cache.drawn(study), now)
        if not since:
            if new:
                st.caption(
                    f":material/update: {name} has {new} since you last looked, in what you see "
                    "here."
                )
            return
        with st.container(horizontal=True, vertical_alignment="center", key="table-changed"):
            if now[0]:
                st.caption(
                    f":material/update: {name} has {since} since this page was drawn.",
                    width="content",
                )
            else:
                st.caption(
                    f":material/update: {name} was renamed or deleted; this page shows what was "
                    "read of it before.",
                    width="content",
                )
            if st.button("Show what there is", key="show-changed"):
                st.rerun()


def _difference(before: cache.Shown, after: cache.Shown) -> str:
    """What a study's table has after, and had not before, within a sentence; "" for nothing."""
    if before[0] == after[0]:
        return ""
    more = (after[1] or 0) - (before[1] or 0)
    if before[1] is None or after[1] is None or not more:
        return "other values in its table"
    return f"{abs(more):,} {'new' if more > 0 else 'fewer'} row{'s' if abs(more) > 1 else ''}"


@contextmanager
def errors_as_cards() -> Iterator[None]:
    """Turn an error of the user's into its sentence, any other into a plain one and a log line."""
    try:
        yield
    except Exception as error:
        if said := sentence_of(error):
            st.error(plain(said))
            return
        logging.getLogger("foxnas").exception("A page failed.")
        st.error("Something went wrong here that should not; the server's log says what.")


def pin(key: str) -> DeltaGenerator:
    """A container that stays at the top of the page while the rest scrolls under it."""
    st.html(
        f"<style>div:has(> .st-key-{key}) {{position: sticky; top: {HEADER}; z-index: 5; "
        f"background: {css(PAPER)}; border-bottom: 1px solid {css(GRID)}; padding: 0.5rem 0}}"
        "</style>"
    )
    return st.container(key=key)


def studies_folder() -> Path:
    """Where studies lie: FOXNAS_STUDIES, or the `data` folder of this repository."""
    return Path(os.environ.get("FOXNAS_STUDIES", REPOSITORY / "data"))


def _pick_study(place: DeltaGenerator) -> Study:
    # Only names that the folder really lists are accepted, so an address can't name a path.
    folders = {folder.name: folder for folder in list_studies(studies_folder())}
    if not folders:
        raise MissingPart(
            f"There is no study in {studies_folder()}; create or import one on the page Studies or "
            "with 'python -m foxnas_core study', or set FOXNAS_STUDIES to another folder."
        )
    names = list(folders)
    chosen = choices.current().study
    if chosen not in folders:
        fallback = "demo" if "demo" in folders else names[0]
        # The default is nothing that anybody asked for, unless it was open until now.
        if chosen != choices.Choices.study or "study" in st.query_params:
            st.warning(
                f"There is no study {plain(f'{chosen!r:.80}')} here (any more); this is "
                f"{plain(fallback)}."
            )
        choices.update(study=fallback)
        chosen = fallback
    picked(
        place.selectbox, "Study", names, key="study", field="study", value=chosen,
        label_visibility="collapsed",
    )  # fmt: skip
    choices.show_in_address(choices.current())
    return open_study(folders[chosen])
