"""State what the regressions claim, measure it on this machine."""

from collections.abc import Sequence

import streamlit as st

from foxnas_core.cards import machine, verification
from foxnas_core.cards.given import Given
from foxnas_core.space.architecture import Architecture
from foxnas_core.steps.claims import next_seed
from foxnas_core.study import Study
from pages.shared import cache, cards, choices
from pages.shared.bar import architecture_bar
from pages.shared.cards import given_of
from pages.shared.edit_picker import edit_picker
from pages.shared.frame import errors_as_cards, may_write
from pages.shared.machine import show_machine
from pages.shared.verifications import Verification, show_job

SENTENCE = (
    "Are the explanations true? State what the regressions claim of a subnet or an edit, measure "
    "it on this machine, and keep the score."
)

IMAGES = (500, 1000, 2000, 5000, 10_000, 20_000, 50_000)


def images_picker(study: Study) -> int:
    """Draw the choice of how many held-out images to score and return it."""
    total = cache.held_out_of(study)
    options = [*(n for n in IMAGES if n < total), total]
    return st.select_slider(
        "Held-out images to score", options, value=total,
        format_func=lambda n: f"all {n:,}" if n == total else f"{n:,}", key="images",
        help="Fewer are quicker and leave more open. Only rows that are scored on all of them join "
        "the table, whose scores are all of the same images.",
    )  # fmt: skip


def show_buttons(given: Given, subnets: Sequence[Architecture]) -> None:
    """How many images, and what starts a measurement."""
    if not may_write("no claim can be written down and tested"):
        return
    images = images_picker(given.study)

    def button(label: str, key: str, asked: str, **what: object) -> None:
        kind = "primary" if asked == "measure" else "secondary"
        st.button(label, key=key, type=kind, on_click=choices.ask(asked))
        if choices.asked(asked):
            with errors_as_cards():
                cache.works().start(Verification(given.study, images=images, **what))
                choices.remember("shown-trial", None)
                st.rerun()

    button("Measure it now", "measure-now", "measure", subnets=subnets)
    st.caption(
        "The claims are written down first. Then the subnets are recalibrated, scored in fp32 and "
        "int8, and timed in rounds that visit both: some ten seconds."
    )
    with st.container(border=True):
        st.markdown(
            "**Claims that nobody picked.** Random edits of random subnets, so that the scoreboard "
            "is not made of claims that looked good."
        )
        left, right = st.columns(2)
        count = left.number_input("How many", 1, 100, verification.RANDOM, key="random-count")
        first = next_seed(given.trials())
        # A new key takes the new default.
        seed = right.number_input("Seed", 0, 2**31 - 1, first, key=f"random-seed-{first}")
        button(f"Test {count} random claims", "measure-random", "random", count=count, seed=seed)
        st.caption("What was measured of a seed before is not measured again.")


def show_testing(given: Given) -> None:
    """Pick, read the claims, measure."""
    study = given.study
    _, architecture = architecture_bar(study)
    left, right = st.columns([3, 2], gap="large")
    with left:
        subnets = edit_picker(study, architecture)
        cards.show(verification.claims, given, header=False, subnets=subnets)
    with right:
        if machine.can_measure(given):
            cards.show(verification.more, given, header=False)
        elif not show_job(study):
            show_buttons(given, subnets)


def show_result(given: Given) -> None:
    """One measured trial, by default the last."""
    tests = verification.verdict.options(given).get("trial", {})
    picked = {}
    if tests:
        shown = choices.remembered("shown-trial")
        choices.show("trial", shown if shown in tests else next(iter(tests)))
        picked["trial"] = st.selectbox(
            "Test",
            list(tests),
            format_func=tests.get,
            key="trial",
            on_change=choices.on_change(
                "trial", lambda name: choices.remember("shown-trial", name)
            ),
        )
    cards.show(verification.verdict, given, header=False, **picked)


def show(study: Study) -> None:
    given = given_of(study)
    given.trials()  # damaged, they are the page's one sentence
    if machine.claimed.needs(given) is None:
        cards.show(machine.claimed, given, header=False)
        show_machine(given)
    with errors_as_cards():
        show_testing(given)
    st.header("What was measured", divider="grey")
    with errors_as_cards():
        show_result(given)
    st.header("Scoreboard", divider="grey")
    cards.show(verification.board, given, header=False)
    if given.trials():
        with st.expander("Every claim"):
            cards.show(verification.every, given, header=False)
