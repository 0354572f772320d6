"""What each choice costs and buys, with its confidence interval."""

import math
from collections.abc import Mapping

import streamlit as st

from foxnas_core.errors import FoxnasError
from foxnas_core.explanation.coefficients import coefficient_table, side_by_side
from foxnas_core.explanation.sentences import sentence_table
from foxnas_core.figures.coefficients import (
    heatmap_figure,
    heatmap_of,
    interval_figure,
    interval_table,
)
from foxnas_core.figures.forms import forms_figure, forms_table
from foxnas_core.regression import Predictor
from foxnas_core.regression.features import forms_of
from foxnas_core.regression.inference import KINDS, joint_tests
from foxnas_core.study import Study
from foxnas_core.table.measurements import MeasurementTable
from pages.shared import cache, choices
from pages.shared.frame import errors_as_cards, page
from pages.shared.latency import latency_picker
from pages.shared.panel import block_picker, panel
from pages.shared.text import plain

LINK_NAMES = {"auto": "Where it predicts better", "none": "Never", "saturating": "Always"}


def picker(field: str, label: str, options: Mapping[str, str], help_: str) -> str:
    """Draw the picker of one of the choices and return the chosen name."""
    chosen = getattr(choices.current(), field)
    choices.show(field, chosen if chosen in options else next(iter(options)))
    return st.selectbox(
        label,
        list(options),
        format_func=lambda name: options[name],
        key=field,
        on_change=choices.on_change(field, lambda name: choices.update(**{field: name})),
        help=help_,
    )


def quality_picker(table: MeasurementTable) -> str:
    """Which accuracy is explained; drawn where there is more than one."""
    options = {t.column: t.label for t in table.targets if t.is_accuracy or t.is_drop}
    if len(options) < 2:
        return "accuracy"
    chosen = choices.remembered("quality")
    choices.show("quality", chosen if chosen in options else next(iter(options)))
    return st.selectbox(
        "Accuracy shown",
        list(options),
        format_func=lambda column: options[column],
        key="quality",
        on_change=choices.on_change("quality", lambda c: choices.remember("quality", c)),
    )


def pickers(table: MeasurementTable) -> tuple[str, str, str]:
    """Form, link and kind of intervals."""
    places = st.columns(3)
    allowed = forms_of(table.space, ordered=table.ordered)
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
            "link", "Saturating accuracy", LINK_NAMES,
            "Accuracy nears a ceiling: the closer, the less a better block adds. The link fits "
            "effects on a scale on which they add up.",
        )  # fmt: skip
    with places[2]:
        kind = picker(
            "intervals", "Intervals", KINDS,
            "One at a time: each holds in 95 % of studies. All at once: all of them hold together. "
            "HC3: where some subnets' residuals spread more than others'. Bootstrap: the same "
            "without the normal distribution.",
        )  # fmt: skip
    return form, link, kind


def show_fit(predictor: Predictor) -> None:
    """How well one target is fitted, and what to beware of."""
    target = predictor.target
    st.header(target.label)
    st.write(
        f"Form **{predictor.form.title}**: {predictor.rows} rows, {predictor.parameters} "
        f"parameters, R² **{predictor.r2:.3f}** (adjusted {predictor.r2_adjusted:.3f}). "
        f"On subnets the fit never saw: R² **{predictor.cv.r2:.3f}**, RMSE "
        f"{target.text(predictor.cv.rmse)} {target.difference_unit}, Kendall's tau "
        f"{predictor.cv.tau:.3f}."
    )
    if predictor.ceiling is not None:
        value, low, high = (
            f"{target.text(end)} {target.unit}" if math.isfinite(end) else "no bound"
            for end in (
                predictor.ceiling.value, predictor.ceiling.low, predictor.ceiling.high
            )
        )  # fmt: skip
        st.write(
            f"Fitted as saturating at **{value}** (95 % interval {low} to {high}; likelihood ratio "
            f"{predictor.ceiling.statistic:.0f}, p {p_text(predictor.ceiling.p)}): effects are "
            f"points for a subnet of average accuracy, {target.text(predictor.link.center)} "
            f"{target.unit}."
        )
    if predictor.left_out:
        st.caption(
            f"{predictor.left_out} measured rows failed a check of how they were measured and are "
            "left out; the page Measurements says which."
        )
    for warning in predictor.warnings:
        st.warning(plain(warning))


def p_text(p: float) -> str:
    return "< .001" if p < 0.001 else f"= {p:.3f}"


def show_recommendation(study: Study, predictor: Predictor, link: str) -> None:
    """Why a form is recommended for one target."""
    target = predictor.target
    found = cache.recommendation_of(study, target.column, link)
    panel(
        f"Which form suits {target.label.lower() if target.label[1:2].islower() else target.label}",
        plain(found.sentence),
        found.table,
        forms_figure(forms_table(found), target),
        key=f"forms-{target.column}",
    )


with page(
    "Coefficients",
    "What each choice costs and buys, from the fitted regression, with 95 % confidence intervals.",
) as study:
    table = cache.table_of(study)
    places = st.columns(2)
    with places[0]:
        latency = latency_picker(table)
    with places[1]:
        quality = quality_picker(table)
    form, link, kind = pickers(table)
    predictors, hows = [], []
    for column, place in zip((quality, latency), st.columns(2, gap="large"), strict=True):
        with place:
            try:
                predictors.append(cache.predictor_of(study, column, form, link))
                hows.append(cache.inference_of(study, column, form, link, kind))
                show_fit(predictors[-1])
            except FoxnasError as error:
                st.error(plain(str(error)))
    if not predictors:
        st.stop()

    targets = [predictor.target for predictor in predictors]
    columns = [target.column for target in targets]
    effects = side_by_side(predictors, hows)
    block_picker(dict.fromkeys(effects["slot"].where(effects["slot"] != "", effects["group"])))
    intervals = interval_table(effects, columns)
    if st.toggle("Compare the forms (some seconds)", key="compare-forms"):
        places = st.columns(len(predictors), gap="large")
        for predictor, place in zip(predictors, places, strict=True):
            with place, errors_as_cards():
                show_recommendation(study, predictor, link)
    clearest = effects.loc[effects[columns[0]].abs().idxmax()]
    st.write(
        f"The largest effect on {targets[0].label.lower()}: **{plain(str(clearest['decision']))} "
        f"{plain(str(clearest['choice']))}** instead of {plain(str(clearest['reference']))}, "
        f"{targets[0].text(clearest[columns[0]], signed=True)} {targets[0].difference_unit}. "
        f"{int((~intervals['clear']).sum())} of {len(intervals)} intervals span 0: there the data "
        "do not tell the sign."
    )
    words = sentence_table(effects, targets)
    panel(
        "In plain words",
        "Each choice against the first one, the clearest effect on "
        f"{targets[0].label.lower()} first, with 95 % intervals. Stars: * below .05, ** below .01, "
        "*** below .001, adjusted so that of all starred effects at most that share is false "
        "(Benjamini and Hochberg).",
        words,
        key="words",
    )
    for role in dict.fromkeys(effects["role"]):
        own = effects[effects["role"] == role]
        if own["group"].nunique() < 2:
            continue  # a heatmap of one row says no more than the intervals below
        slotted = bool((own["position"] > 0).any())
        if not slotted:
            what = "Each choice instead of the first one."
        elif own["slot"].ne(own["decision"].map(lambda d: study.space.by_name[d].slot)).any():
            what = "Adding each block, its own choices being average."
        else:
            first, last = own["reference"].iloc[0], own["choice"].iloc[-1]
            what = f"{role.capitalize()} {last} instead of {first}."
        panel(
            f"{role.capitalize()} by {'stage and block' if slotted else 'group'}",
            plain(what) + " Numbers in parentheses: the 95 % interval spans 0.",
            own,
            heatmap_figure([heatmap_of(effects, role, target) for target in targets]),
            key=f"heatmap-{role}",
        )
    in_context = intervals["group"].isin(study.space.context)
    for title, sentence, rows, key in (
        (
            "Input",
            "What the input resolution changes, blocks being average.",
            intervals[in_context],
            "context",
        ),
        (
            "Every choice with its interval",
            "Mean change in the prediction against the first choice"
            + (", at the largest resolution" if study.space.context else "")
            + f", the other choices being average. Bars are 95 % intervals ({KINDS[kind]}); where "
            "they span 0 the point is hollow.",
            intervals[~in_context],
            "choices",
        ),
    ):
        if len(rows):
            panel(title, sentence, rows, interval_figure(rows, targets), key=key)
    st.header("Does a block matter at all?")
    st.write(
        "F-tests that no choice of a block, or of a whole stage, changes the target; p adjusted "
        "over all tests (Benjamini and Hochberg)."
    )
    for predictor, how, place in zip(
        predictors, hows, st.columns(len(predictors), gap="large"), strict=True
    ):
        with place:
            panel(
                "", plain(predictor.target.label), joint_tests(predictor, how),
                key=f"tests-{predictor.target.column}",
            )  # fmt: skip
    st.header("Terms of the regression")
    st.write(
        "The coefficients of the fit: estimate, standard error, t, p and 95 % interval. Contrasts "
        "are fitted to sum to zero, and shown as differences to the first choice unless switched."
    )
    as_fitted = st.toggle("Show them as fitted (sum to zero)", key="as-fitted")
    for predictor, how in zip(predictors, hows, strict=True):
        with st.expander(f"{predictor.target.label}: {predictor.parameters} terms"):
            panel(
                "",
                plain(predictor.form.note),
                coefficient_table(predictor, how, as_fitted=as_fitted),
                key=f"terms-{predictor.target.column}",
            )
