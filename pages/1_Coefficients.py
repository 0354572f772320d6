"""What each choice costs and buys, with its confidence interval."""

import pandas as pd
import streamlit as st

from foxnas_core.explanation.coefficients import choice_effects, slot_grid
from foxnas_core.features import FORMS, ORDER_FREE
from foxnas_core.figures.coefficients import heatmap_figure, interval_figure, interval_table
from pages.shared import cache, choices
from pages.shared.frame import errors_as_cards, page, plain
from pages.shared.latency import latency_picker
from pages.shared.panel import panel

with page(
    "Coefficients",
    "What each choice costs and buys. Every number is a coefficient of the fitted regression, "
    "with its 95 % confidence interval: how far the average over repeated studies could lie away.",
) as study:
    table = cache.table_of(study)
    chosen = choices.current()
    allowed = ["auto", *(f for f in FORMS if table.ordered or f in ORDER_FREE)]
    left, right = st.columns(2)
    with left:
        latency = latency_picker(table)
    form = right.selectbox(
        "Form of the regression",
        allowed,
        index=allowed.index(chosen.form) if chosen.form in allowed else 0,
        format_func=lambda name: FORMS.get(name, "Recommended for each target"),
        key="form",
        on_change=choices.on_change("form", lambda name: choices.update(form=name)),
        help="Which terms the regression has. 'Per layer' has one contrast a choice of a block; "
        "'Block states' one a combination of kernel and expand ratio.",
    )
    for column, side in zip(("accuracy", latency), st.columns(2, gap="large"), strict=True):
        with side, errors_as_cards():
            predictor = cache.predictor_of(study, column, form)
            target = predictor.target
            unit = "percentage points" if target.unit == "%" else target.unit
            st.header(target.label, divider="grey")
            st.write(
                f"Form **{predictor.form.title}**: {predictor.rows} rows, {predictor.parameters} "
                f"parameters, R² **{predictor.r2:.3f}** (adjusted {predictor.r2_adjusted:.3f}). "
                f"On subnets the fit never saw: R² **{predictor.cv.r2:.3f}**, RMSE "
                f"{predictor.cv.rmse:.3g} {target.unit}, Kendall's tau {predictor.cv.tau:.3f}."
            )
            for warning in predictor.warnings:
                st.warning(plain(warning))

            effects = choice_effects(predictor)
            for role in [r for r in dict.fromkeys(effects["role"]) if r != "resolution"]:
                grid = slot_grid(effects, role)
                if not grid.notna().any(axis=None):
                    continue
                shown = effects[(effects["role"] == role) & (effects["position"] > 0)]
                what = (
                    "what adding each block changes, its choices being average"
                    if role == "depth"
                    else f"what the last choice of {role} changes instead of the first"
                )
                panel(
                    f"{role.capitalize()} by stage and block",
                    f"Each cell is {what}, in {unit}, at the largest resolution.",
                    shown,
                    heatmap_figure(grid, target),
                    key=f"{column}-{role}-heatmap",
                )
            rows = interval_table(predictor.coefficients())
            spanning = int((~rows["clear"]).sum())
            panel(
                "Every coefficient with its interval",
                f"{spanning} of {len(rows)} intervals span 0: the data does not tell their sign. "
                f"{predictor.form.note}",
                rows.drop(columns="clear"),
                interval_figure(rows, target),
                key=f"{column}-coefficients",
            )
            if isinstance(effects, pd.DataFrame) and len(effects):
                strongest = effects.loc[effects["effect"].abs().idxmax()]
                st.caption(
                    f"The largest effect: {plain(str(strongest['decision']))} "
                    f"{plain(str(strongest['choice']))} instead of "
                    f"{plain(str(strongest['reference']))} changes {target.label.lower()} by "
                    f"{strongest['effect']:+.3g} {unit} "
                    f"[{strongest['low']:+.3g}, {strongest['high']:+.3g}]."
                )
