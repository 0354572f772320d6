"""The first page: the study's best subnet and why it is so, what the study holds and lacks."""

from contextlib import suppress

import streamlit as st

from foxnas_core.errors import FoxnasError
from foxnas_core.study import Study
from foxnas_core.study.goals import stand_in_sentence
from foxnas_core.table.sums import tells
from pages.shared import cache, cards, choices, tour
from pages.shared.cards import given_of
from pages.shared.cost import budget_of, budget_picker, chosen_cost
from pages.shared.frame import errors_as_cards, page
from pages.shared.moved import tell_unknown
from pages.shared.panel import panel
from pages.shared.text import plain


def show_whose(study: Study, latency: str) -> None:
    """Which machine the latencies are of, and where that is another, what makes this one a device
    of the study."""
    from foxnas_core.cards import machine
    from pages.shared.machine import show_machine

    given = given_of(study, cost=latency)
    if (seat := machine.looked_at(given)) is not None:
        st.caption(plain(seat.sentence()))
        show_machine(given)


def show_answer(study: Study, latency: str) -> None:
    """The optimum at the chosen budget, or at the default one: what it promises, why it
    is so, and where to go with it."""
    from foxnas_core.cards import home
    from foxnas_core.figures.picture import picture_data
    from foxnas_core.space.called import called
    from pages.shared.picture import picture

    front = cache.front_of(study, latency)
    given = given_of(study, cost=latency, budget=budget_of(study, front))
    quest, beside = home.answered(given)
    card = home.answer.card(given)
    st.header(plain(card.title))
    left, right = st.columns([1.3, 1], gap="large")
    with right:
        budget_picker(study, front)
    with left:
        picture(
            picture_data(study.space, beside.answer, editable=False),
            label="The best subnet",
            key="best-picture",
        )
        st.markdown(f"Subnet **{called(beside.answer.id)}**")
    with right:
        cards.draw(card, header=False, tabled=False)
        row = st.container(horizontal=True)
        if row.button("Edit it in What-if", key="home-what-if"):
            choices.set_architecture(beside.answer)
            st.switch_page("pages/2_What_if.py")
        if row.button("Watch a search for it", key="home-search"):
            choices.update(budget=quest.bound, goal="accuracy")
            st.switch_page("pages/3_Search.py")
    if is_fitted(study, study.objective.column, latency):
        reasons = home.why.card(given)
        cards.draw(reasons, tabled=False)
        for place, column in zip(st.columns(2, gap="large"), given.traded, strict=True):
            with place:
                cards.show(home.block_effects, given, header=False, column=column)
        with st.expander("The reason for every block"):
            panel("", "", reasons.table, key=reasons.key)


def show_facts(study: Study) -> None:
    """What the study holds, and what it lacks."""
    from foxnas_core.cards import home

    given = given_of(study)
    st.header(plain(study.name), divider="grey")
    if study.description:
        st.write(plain(study.description))
    cards.show(home.holds, given, header=False)


def show_fits(study: Study) -> None:
    """How well every target is fitted, and what keeps one from it."""
    predictors, sentences = given_of(study).fits()
    if sentences:
        st.warning(plain(sentences[0]))
    if sentences[1:]:
        with st.expander(f"Further targets that are not fitted: {len(sentences) - 1}"):
            st.markdown("\n".join(f"- {plain(sentence)}" for sentence in sentences[1:]))
    if predictors:
        from foxnas_core.cards import coefficients

        with st.expander("How well each target is fitted"):
            cards.show(coefficients.fits, given_of(study), header=False)


def is_fitted(study: Study, *columns: str) -> bool:
    """Whether these targets can be predicted; where not, `show_fits` says why."""
    with suppress(FoxnasError):
        return bool([given_of(study).predictor(column) for column in columns])
    return False


with page(
    "Study",
    "FOX-NAS Studio chooses a subnet of a weight-sharing supernet for your task, device and "
    "budget. Some hundred subnets are measured, and a regression on them says, with confidence "
    "intervals, what every choice brings and costs. From it the best subnet follows exactly: see "
    "the reason for every block, try other choices, and take away a file that runs.",
) as study:
    tell_unknown()
    tour.entry()
    table = cache.table_of(study)
    # The answer stands first, but takes longer than the facts.
    answer = st.container()
    show_facts(study)
    latency = chosen_cost(study)
    best = study.objective.column
    if latency is None or best not in [target.column for target in table.targets]:
        if tells(table):
            from foxnas_core.cards import home

            cards.show(home.answer, given_of(study, cost=latency))
    elif tells(table):
        with answer, errors_as_cards():
            if said := stand_in_sentence(study.objective):
                st.caption(plain(said))
            show_whose(study, latency)
            if is_fitted(study, best, latency) or given_of(study).whole_table((best, latency)):
                show_answer(study, latency)
    if tells(table):
        show_fits(study)
