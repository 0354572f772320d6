"""What each choice changes, with its confidence interval."""

from collections.abc import Mapping
from dataclasses import replace

import streamlit as st

from foxnas_core.cards import coefficients
from foxnas_core.cards.given import EFFECTS, Given
from foxnas_core.study import Study
from foxnas_core.table.measurements import MeasurementTable
from pages.shared import cache
from pages.shared.cards import given_of
from pages.shared.cards import show as show_card
from pages.shared.cost import cost_picker
from pages.shared.panel import block_picker
from pages.shared.picked import picked
from pages.shared.text import plain
from pages.shared.views import go

SENTENCE = (
    "What each choice costs and buys, from the fitted regression, with 95 % confidence intervals."
)
LINK_NAMES = {"auto": "Where it predicts better", "none": "Never", "saturating": "Always"}


def picker(field: str, label: str, options: Mapping[str, str], help_: str) -> str:
    """Draw the picker of one of the choices and return the chosen name."""
    return picked(st.selectbox, label, options, key=field, field=field, help=help_)


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
    )


def pickers(table: MeasurementTable) -> tuple[str, str, str]:
    """Form, link and kind of intervals."""
    places = st.columns(3)
    allowed = coefficients.forms_for(table)
    with places[0]:
        form = picker(
            "form", "Form of the regression", {"auto": "Recommended for each target"} | allowed,
            "Which terms the regression has. Per layer: one contrast for each choice of a block. "
            "Block states: one term for each combination of a block's choices. Counts: how often a "
            "stage makes each choice. Interactions: products within a stage that help on held-out "
            "subnets.",
        )  # fmt: skip
    with places[1]:
        link = picker(
            "link", "Saturating link", LINK_NAMES,
            "Some metrics, as accuracy does, near a ceiling: the closer, the less a better block "
            "adds. The link fits effects on a scale on which they add up.",
        )  # fmt: skip
    with places[2]:
        kind = picker(
            "intervals", "Intervals", coefficients.KINDS,
            "One at a time: each holds in 95 % of studies. All at once: all of them hold together. "
            "HC3: where some subnets' residuals spread more than others'. Bootstrap: the same "
            "without the normal distribution.",
        )  # fmt: skip
    return form, link, kind


def effects_pickers(given: Given) -> Given:
    """Which effects are told, and at which resolution."""
    places = st.columns([2, 1])
    with places[0]:
        kind = picker(
            "effects", "Effects", EFFECTS,
            "Averages hold whatever the form: they are told by subnets drawn at random. The form's "
            "are those that predictions and search are made of.",
        )  # fmt: skip
    at = ""
    if len(given.contexts) > 1:
        with places[1]:
            at = picker(
                "at", "Told at", {name: name or "averaged over all" for name in given.contexts},
                "At one resolution, averages read the subnets of that resolution alone.",
            )  # fmt: skip
    return replace(given, effects=kind, at=at)


def show_effects(given: Given) -> None:
    """What each choice changes, in figures and words: the intervals first."""
    show_card(coefficients.clearest, given, header=False)
    show_card(coefficients.choices, given)
    if given.study.space.context:
        show_card(coefficients.context, given)
    show_card(coefficients.words, given)
    for role in coefficients.roles(given):
        show_card(coefficients.heatmap, given, role=role)


def show_fits(mains: list[Given]) -> None:
    """Tests and terms of each fit."""
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
    places = st.columns(2)
    with places[0]:
        cost = cost_picker(study)
    with places[1]:
        objective = quality_picker(study, table)
    form, link, kind = pickers(table)
    given = given_of(study, objective=objective, cost=cost, form=form, link=link, intervals=kind)
    mains = given.mains()
    if mains:
        told = effects_pickers(given)
        row = st.container(horizontal=True, vertical_alignment="bottom")
        with row:
            block_picker(coefficients.blocks(told))
        if len(mains) > 1 and row.button(f"Save {mains[1].fitted.target.word}", key="to-shrink"):
            go("Coefficients", "shrink")
        show_effects(told)
    st.header("How well the regression fits", divider="grey")
    for column, place in zip(given.main, st.columns(2, gap="large"), strict=False):
        with place:
            show_card(coefficients.fit, given.into(column))
    if not mains:
        return
    if st.toggle("Compare the forms (some seconds)", key="compare-forms"):
        for own, place in zip(mains, st.columns(len(mains), gap="large"), strict=True):
            with place:
                show_card(coefficients.forms, own)
    show_fits(mains)
