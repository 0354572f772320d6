"""What each choice changes, with its confidence interval."""

from dataclasses import replace

import streamlit as st

from foxnas_core.cards import coefficients, dependences, domains
from foxnas_core.cards.given import EFFECTS, Given
from foxnas_core.study import Study
from foxnas_core.table.measurements import MeasurementTable
from pages.shared import cache
from pages.shared.cards import given_of
from pages.shared.cards import show as show_card
from pages.shared.cost import cost_picker
from pages.shared.fit_picker import form_picker, link_picker, picker
from pages.shared.frame import errors_as_cards
from pages.shared.panel import block_picker
from pages.shared.picked import picked, show_part
from pages.shared.text import plain
from pages.shared.views import go

SENTENCE = (
    "What each choice costs and buys, from the fitted regression, with 95 % confidence intervals."
)


def quality_picker(study: Study, table: MeasurementTable) -> str:
    """Which quality is explained; drawn where there is more than one."""
    options = {t.column: t.label for t in table.targets if t.quality}
    if len(options) < 2:
        return study.objective.column
    return picked(
        st.selectbox,
        f"{study.objective.bare.title} shown",
        options,
        key="quality",
        default=study.objective.column,
        width=250,
    )


def fit_pickers(table: MeasurementTable) -> tuple[str, str, str]:
    """Form, link and kind of intervals."""
    form, link = form_picker(table), link_picker()
    kind = picker(
        "intervals", "Intervals", coefficients.KINDS,
        "One at a time: each holds in 95 % of studies. All at once: all of them hold together. "
        "HC3: where some subnets' residuals spread more than others'. Bootstrap: the same "
        "without the normal distribution.",
    )  # fmt: skip
    return form, link, kind


def effects_pickers(given: Given) -> Given:
    """Which effects are told, and at which resolution."""
    kind = picker(
        "effects", "Effects", EFFECTS,
        "Averages hold whatever the form: they are told by subnets drawn at random. The form's "
        "are those that predictions and search are made of.", width=370,
    )  # fmt: skip
    at = ""
    if len(given.contexts) > 1:
        at = picker(
            "at", "Told at", {name: name or "averaged over all" for name in given.contexts},
            "At one resolution, averages read the subnets of that resolution alone.",
        )  # fmt: skip
    return replace(given, effects=kind, at=at)


def show_intervals(given: Given) -> None:
    """What each choice changes, as points with intervals."""
    show_card(coefficients.choices, given)
    if given.study.space.context:
        show_card(coefficients.context, given)


def show_words(given: Given, mains: list[Given]) -> None:
    """Each effect as a sentence, and what it hangs on."""
    show_card(coefficients.words, given)
    for own in mains:
        show_card(dependences.depends, own)


def show_maps(given: Given) -> None:
    """What one role's choices change wherever they are made."""
    roles = coefficients.roles(given)
    for role in roles:
        show_card(coefficients.heatmap, given, role=role)
    if not roles:
        show_card(coefficients.heatmap, given)


@st.fragment
@errors_as_cards()
def show_domains(given: Given) -> None:
    """What each choice adds in seen and in unseen domains; drawn anew alone when the size is
    switched."""
    read = {
        name: picked(st.segmented_control, "Effects told", values, key=f"domain-{name}",
                     required=True)
        for name, values in domains.effects.options(given).items()
    }  # fmt: skip
    if show_card(domains.effects, given, **read):
        show_card(domains.places, given, **read)


def show_fits(mains: list[Given]) -> None:
    """How well each target is fitted, and the tests and terms of its fit."""
    for own, place in zip(mains, st.columns(len(mains), gap="large"), strict=True):
        with place:
            show_card(coefficients.fit, own)
    if st.toggle("Compare the forms (some seconds)", key="compare-forms"):
        for own, place in zip(mains, st.columns(len(mains), gap="large"), strict=True):
            with place:
                show_card(coefficients.forms, own)
    st.header(coefficients.tests.title)
    for own, place in zip(mains, st.columns(len(mains), gap="large"), strict=True):
        with place:
            show_card(coefficients.tests, own, header=False)
    st.header(coefficients.terms.title)
    as_fitted = st.toggle("Show them as fitted (sum to zero)", key="as-fitted")
    for own in mains:
        with st.expander(f"{plain(own.fitted.target.label)}: {own.fitted.parameters} terms"):
            show_card(coefficients.terms, own, header=False, as_fitted=as_fitted)


def show(study: Study) -> None:
    table = cache.table_of(study)
    answer = st.container()  # what is asked for first stands above how it is told
    row = st.container(horizontal=True, vertical_alignment="bottom", key="pickers")
    with row:
        with st.container(width=300):
            cost = cost_picker(study)
        objective = quality_picker(study, table)
        form, link, kind = fit_pickers(table)
    given = given_of(study, objective=objective, cost=cost, form=form, link=link, intervals=kind)
    mains = given.mains()
    for column in given.main:
        with errors_as_cards():  # what keeps one from being fitted is said whatever is shown
            given.into(column).fitted  # noqa: B018
    if not mains:
        return
    with row:
        told = effects_pickers(given)
        block_picker(coefficients.blocks(told))
        if len(mains) > 1 and st.button(f"Save {mains[1].fitted.target.word}", key="to-shrink"):
            go("Coefficients", "shrink")
    if told.effects == "average" and (form, link) != ("auto", "auto"):
        st.caption(
            "Form and link leave these averages as they are. They change the effects of the "
            "regression's form, what stands under *Fit and tests*, predictions and searches."
        )
    with answer:
        show_card(coefficients.clearest, told, header=False)
    parts = {
        "Intervals": lambda: show_intervals(told),
        "Maps": lambda: show_maps(told),
        "In words": lambda: show_words(told, mains),
        "Fit and tests": lambda: show_fits(mains),
    }
    if domains.ends_of(told):
        parts["Seen and unseen"] = lambda: show_domains(told)
    show_part("effects-shown", parts)
