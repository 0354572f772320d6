"""What the exact front says: prices, steps, and how sure its optimum and its budget are."""

import streamlit as st

from foxnas_core.cards import front as cards
from foxnas_core.cards.given import Given
from foxnas_core.study import Study
from pages.shared import cache, choices
from pages.shared.cards import beside
from pages.shared.cards import show as show_card
from pages.shared.frame import errors_as_cards
from pages.shared.front_form import front_picker
from pages.shared.picked import show_part
from pages.shared.resamples import Resampling, identity, resample
from pages.shared.running import show_progress, to_go
from pages.shared.text import plain

SENTENCE = (
    "The best predicted subnet of every budget, solved exactly: what a better one costs along the "
    "way, which block changes where, and how sure one may be of the choice."
)


def show_steps(given: Given) -> None:
    """Which blocks change from one point of the front to the next."""
    st.header(cards.steps.title)
    [(option, shown)] = cards.steps.options(given).items()
    chosen = st.segmented_control(
        "Steps", list(shown), default=next(iter(shown)), format_func=shown.get, key="steps",
        required=True, label_visibility="collapsed",
    )  # fmt: skip
    show_card(cards.steps, given, header=False, **{option: chosen})


def show_certainty(given: Given) -> cards.ResampledFronts | None:
    """How sure each choice is, once the coefficients are resampled; returns the fronts of the
    resamples, None before."""
    if given.limits:
        st.header(cards.certainty.title)
        show_card(cards.certainty, given, header=False)
        return None
    study = given.study
    front = given.front_of(given.main[1], given.allowed, (), given.objective, fitted=True)
    run = cache.works().latest(Resampling, str(study.folder), identity(front))
    if run is not None and run.result is not None:
        show_card(cards.certainty, given, fronts=run.result)
        with st.expander(cards.decisions.title):
            show_card(cards.decisions, given, header=False, fronts=run.result)
        return run.result
    st.header(cards.certainty.title)
    if run is not None and not run.ended:
        show_resampling(run)
        return None
    st.write(plain(cards.to_be_resampled(given)))
    if run is not None and run.failed:
        st.error(plain(run.note))
    elif run is not None:
        st.caption(f"Stopped after {run.progress} of {run.draws} draws, of which nothing is kept.")

    def start() -> None:
        with errors_as_cards():
            resample(cache.works(), str(study.folder), front)

    st.button("Draw the coefficients anew", key="resample", type="primary", on_click=start)
    return None


def show_resampling(run: Resampling) -> None:
    """How far the draws are."""

    def told() -> tuple[float, str]:
        share = (run.progress or 0) / run.draws
        rest = to_go(run.seconds_left(share))
        return share, f"{run.progress or 0} of {run.draws} draws solved{rest}"

    show_progress(run, told)


def show_chances(given: Given) -> None:
    """Whether the budget holds, and every other one."""
    left, right = st.columns(2, gap="large")
    with left:
        card = show_card(cards.chances, given)
    if card is not None and len(card.table):
        with right:
            show_card(cards.budgets, given)


def show_ties(given: Given, fronts: cards.ResampledFronts | None) -> None:
    """What is as good as the optimum, and a way to open one of them in What-if."""
    if show_card(cards.ties, given, fronts=fronts) is None:
        return
    tied = cards.tied_with(given, fronts)
    ids = tied.table["id"].tolist()
    row = st.container(horizontal=True, vertical_alignment="bottom")
    chosen = row.selectbox(
        "One of them", range(len(ids)), index=tied.cheapest, format_func=ids.__getitem__,
        key="tied-one", width=260,
    )  # fmt: skip
    if row.button("Open in What-if beside the optimum", key="tied-what-if"):
        one, other = tied.architectures[chosen], tied.optimum.architecture
        choices.update(architecture=choices.as_text(one), start=choices.as_text(other))
        st.switch_page("pages/2_What_if.py")


def show(study: Study) -> None:
    """Draw the front with what it is asked for beside it."""
    asked, shown = st.columns([1, 2.7], gap="medium")
    with asked:
        given = front_picker(study)
    with shown:
        if show_card(cards.optimum, given, header=False) is None:
            return
        beside(given, (cards.curve, {}), (cards.prices, {}))
    with errors_as_cards():
        show_part(
            "front-shown",
            {
                "Step by step": lambda: show_steps(given),
                "Whether budgets hold": lambda: show_chances(given),
                "As good as the optimum": lambda: show_ties(given, show_certainty(given)),
            },
        )
