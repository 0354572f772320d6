"""What each choice costs and buys, with its confidence interval."""

import streamlit as st

from foxnas_core.errors import FoxnasError
from foxnas_core.explanation.coefficients import side_by_side
from foxnas_core.features import FORMS, ORDER_FREE
from foxnas_core.figures.coefficients import (
    heatmap_figure,
    heatmap_of,
    interval_figure,
    interval_table,
)
from foxnas_core.regression import Predictor
from pages.shared import cache, choices
from pages.shared.frame import page
from pages.shared.latency import latency_picker
from pages.shared.panel import panel
from pages.shared.text import plain


def form_picker(allowed: list[str]) -> str:
    """Draw the picker of the regression's form and return the chosen one."""
    chosen = choices.current().form
    choices.show("form", chosen if chosen in allowed else allowed[0])
    return st.selectbox(
        "Form of the regression",
        allowed,
        format_func=lambda name: FORMS.get(name, "Recommended for each target"),
        key="form",
        on_change=choices.on_change("form", lambda name: choices.update(form=name)),
        help="Which terms the regression has. Per layer: one contrast for each choice of a block. "
        "Block states: one term for each combination of a block's choices.",
    )


def show_fit(predictor: Predictor) -> None:
    """How well one target is fitted, and what to beware of."""
    target = predictor.target
    st.subheader(target.label)
    st.write(
        f"Form **{predictor.form.title}**: {predictor.rows} rows, {predictor.parameters} "
        f"parameters, R² **{predictor.r2:.3f}** (adjusted {predictor.r2_adjusted:.3f}). "
        f"On subnets the fit never saw: R² **{predictor.cv.r2:.3f}**, RMSE "
        f"{target.text(predictor.cv.rmse)} {target.difference_unit}, Kendall's tau "
        f"{predictor.cv.tau:.3f}."
    )
    for warning in predictor.warnings:
        st.warning(plain(warning))


with page(
    "Coefficients",
    "What each choice costs and buys, from the fitted regression, with 95 % confidence intervals.",
) as study:
    table = cache.table_of(study)
    left, right = st.columns(2)
    with left:
        latency = latency_picker(table)
    with right:
        form = form_picker(["auto", *(f for f in FORMS if table.ordered or f in ORDER_FREE)])
    predictors = []
    for column, place in zip(("accuracy", latency), st.columns(2, gap="large"), strict=True):
        with place:
            try:
                predictors.append(cache.predictor_of(study, column, form))
                show_fit(predictors[-1])
            except FoxnasError as error:
                st.error(plain(str(error)))
    if not predictors:
        st.stop()

    targets = [predictor.target for predictor in predictors]
    columns = [target.column for target in targets]
    effects = side_by_side(predictors)
    intervals = interval_table(effects, columns)
    clearest = effects.loc[effects[columns[0]].abs().idxmax()]
    st.write(
        f"The largest effect on {targets[0].label.lower()}: **{plain(str(clearest['decision']))} "
        f"{plain(str(clearest['choice']))}** instead of {plain(str(clearest['reference']))}, "
        f"{targets[0].text(clearest[columns[0]], signed=True)} {targets[0].difference_unit}. "
        f"{int((~intervals['clear']).sum())} of {len(intervals)} intervals span 0: there the data "
        "do not tell the sign."
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
            + ", the other choices being average. Bars are 95 % confidence intervals; where they "
            "span 0 the point is hollow.",
            intervals[~in_context],
            "choices",
        ),
    ):
        if len(rows):
            panel(title, sentence, rows, interval_figure(rows, targets), key=key)
    st.subheader("Terms of the regression")
    st.write(
        "The coefficients as fitted: estimate, standard error, t, p and 95 % interval. Contrasts "
        "are differences to the first choice."
    )
    for predictor in predictors:
        with st.expander(f"{predictor.target.label}: {predictor.parameters} terms"):
            panel(
                "",
                predictor.form.note,
                predictor.coefficients().drop(columns=["group", "slot", "decision"]),
                key=f"terms-{predictor.target.column}",
            )
