"""A tour of five steps over the pages: a card on top of each that says what to look at and try.

The step follows the page, so that menu, links and the browser's back lead on in the tour too.
"""

from dataclasses import dataclass

import streamlit as st

from pages.shared import choices


@dataclass(frozen=True)
class Step:
    """A page of the tour by its title and path; what to look at there, and one thing to try."""

    title: str
    path: str
    look: str
    attempt: str


STEPS = (
    Step(
        "Coefficients",
        "pages/1_Coefficients.py",
        "what every choice changes in accuracy and in latency, with its 95 % interval; a hollow "
        "point means that the data do not tell the sign. *Save and shrink* says which blocks are "
        "the cheapest to give up.",
        "set *Intervals* to *All effects at once*: which effects are still clear when all "
        "intervals shall hold together?",
    ),
    Step(
        "Diagnostics",
        "pages/5_Diagnostics.py",
        "how far the regression errs on subnets that it never saw, and what it warns of.",
        "set *Target* to the latency: does the regression err as little there?",
    ),
    Step(
        "Search",
        "pages/3_Search.py",
        "the best subnet under your budget, proven to be the best, and simulated annealing on its "
        "way there.",
        "press *Start* in the sidebar and watch the annealer near the exact optimum; then move the "
        "budget.",
    ),
    Step(
        "What-if",
        "pages/2_What_if.py",
        "an architecture in its picture; the predictions on top move with each edit.",
        "click a block, choose another kernel, and see below what it costs. *Verify this subnet*, "
        "at the end of the page, measures whether the prediction holds.",
    ),
    Step(
        "Export",
        "pages/4_Export.py",
        "the chosen subnet as files to deploy, each run again and compared with the subnet it came "
        "from.",
        "press *Build and check the files* where the study has weights, or take the architecture "
        "as JSON.",
    ),
)


def entry() -> None:
    """Offer the tour, where it is not under way."""
    if choices.current().tour is not None:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Take the tour", key="tour-start", icon=":material/tour:"):
            _go(1)
        st.caption(f"{len(STEPS)} steps: {' → '.join(s.title for s in STEPS)}.", width="content")


def draw(title: str) -> None:
    """The tour's card on the page of this title, where the tour is under way."""
    chosen = choices.current().tour
    if chosen is None:
        return
    own = next((n for n, step in enumerate(STEPS, start=1) if step.title == title), None)
    if own is not None and own != chosen:
        choices.update(tour=own)
    number = own or min(max(int(chosen), 1), len(STEPS))
    step = STEPS[number - 1]
    with st.container(border=True, key="tour", gap="small"):
        st.progress(number / len(STEPS), text=f"Tour, step {number} of {len(STEPS)}: {step.title}")
        if own is None:
            st.write("This page is not on the tour; look round, and go on when you like.")
        else:
            st.markdown(f"**Look at** {step.look}\n\n**Try:** {step.attempt}")
        _ways_on(number, here=own is not None)


def _ways_on(number: int, *, here: bool) -> None:
    """The buttons: onwards first, as it is the one pressed most."""
    with st.container(horizontal=True):
        if not here:
            if st.button(f"Go on with {STEPS[number - 1].title}", key="tour-on", type="primary"):
                _go(number)
        elif number < len(STEPS):
            label = f"Next: {STEPS[number].title}"
            if st.button(label, key="tour-next", type="primary"):
                _go(number + 1)
        elif st.button("Finish", key="tour-finish", type="primary"):
            choices.update(tour=None)
            st.switch_page("app.py")
        back = f"Back: {STEPS[max(number - 2, 0)].title}"
        if here and number > 1 and st.button(back, key="tour-back"):
            _go(number - 1)
        st.button(
            "Leave the tour", key="tour-leave", on_click=choices.update, kwargs={"tour": None}
        )


def _go(number: int) -> None:
    choices.update(tour=number)
    st.switch_page(STEPS[number - 1].path)
