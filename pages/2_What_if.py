"""Edit an architecture choice by choice and see what each edit costs."""

import json

import pandas as pd
import streamlit as st

from foxnas_core.architecture import Architecture
from foxnas_core.explanation.edits import edit_effects
from foxnas_core.figures.effects import edit_figure, edit_table, waterfall_figure
from foxnas_core.regression import Predictor
from foxnas_core.storage import Study
from pages.shared import cache
from pages.shared.editor import architecture_picker, editor, start_of
from pages.shared.frame import errors_as_cards, page, pin
from pages.shared.latency import latency_picker
from pages.shared.panel import panel
from pages.shared.text import plain


def show_predictions(
    predictors: dict[str, Predictor], start: Architecture, now: Architecture
) -> pd.DataFrame:
    """Each prediction with its interval and its change; returns them as a table."""
    rows = []
    for place, predictor in zip(st.columns(len(predictors)), predictors.values(), strict=True):
        target = predictor.target
        both = predictor.predict([start, now])
        before, after = (float(value) for value in both["value"])
        low, high = (float(both[f"prediction_{end}"].iloc[1]) for end in ("low", "high"))
        place.metric(
            target.named,
            target.text(after),
            delta=None if start == now else target.text(after - before, signed=True),
            delta_color="normal" if target.direction == "max" else "inverse",
        )
        place.caption(f"{target.text(low)} to {target.text(high)}")
        rows.append(
            {
                "target": target.label, "unit": target.unit, "start": before, "now": after,
                "prediction low": low, "prediction high": high,
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def show_edits(predictor: Predictor, start: Architecture, now: Architecture) -> None:
    """What each edit changes in one target."""
    target = predictor.target
    title = f"What the edits change: {target.label}"
    if start == now:
        st.subheader(title)
        st.write("Nothing yet: this is the architecture you started from.")
        return
    effects = edit_effects(predictor, start, now)
    low, high = target.text(effects.low, signed=True), target.text(effects.high, signed=True)
    table = edit_table(effects)
    panel(
        title,
        f"Together {target.text(effects.total, signed=True)} {target.difference_unit}, 95 % "
        f"confidence interval {low} to {high}.",
        table,
        edit_figure(table, target),
        key=f"edits-{target.column}",
    )


def show_blocks(study: Study, predictor: Predictor, now: Architecture) -> None:
    """Shapley values of one prediction, by block."""
    target = predictor.target
    found = cache.shapley_of(study, target.column, now)
    values = found.values.iloc[0]
    table = pd.DataFrame({"what": values.index, "effect": values.to_numpy()})
    panel(
        f"Where the prediction comes from: {target.label}",
        "Shapley value of each block against the average measured subnet; they add up to this "
        "prediction.",
        table,
        waterfall_figure(
            table, target, start=found.base, first="average subnet", last="this subnet"
        ),
        key=f"shapley-{target.column}",
    )


with page(
    "What-if",
    "Edit an architecture block by block: the predictions move at once, and each edit shows what "
    "it costs against the architecture you started from.",
) as study:
    table = cache.table_of(study)
    latency = latency_picker(table)
    architecture = architecture_picker(study, latency)
    start = start_of(architecture, study.space)
    predictors, sentences = cache.predictors_of(study)
    for sentence in sentences:
        st.warning(plain(sentence))
    with pin("predictions"):
        rows = show_predictions(predictors, start, architecture)
    st.caption(
        "Predicted values with the 95 % prediction interval, within which one measurement of such "
        "a subnet would fall, and the change against the start. They stay in view as you scroll."
    )
    editor(study.space, architecture)
    if not table.ordered:
        st.caption(
            "The measured table does not tell the order of the blocks after a stage's first, so "
            "exchanging them changes nothing here."
        )
    shown = [predictors[column] for column in ("accuracy", latency) if column in predictors]
    for predictor, place in zip(shown, st.columns(len(shown), gap="large"), strict=True):
        with place:
            show_edits(predictor, start, architecture)
    if st.toggle("Show which blocks the predictions come from (Shapley values)", key="shapley"):
        for predictor, place in zip(shown, st.columns(len(shown), gap="large"), strict=True):
            with place, errors_as_cards():
                show_blocks(study, predictor, architecture)
    with st.expander("Every prediction as a table"):
        panel("", "", rows, key="predictions")

    row = st.container(horizontal=True)
    row.download_button(
        "Download the architecture (JSON)",
        json.dumps(architecture.to_dict(), indent=2),
        file_name=f"{architecture.id}.json",
        mime="application/json",
        key="architecture-download",
        on_click="ignore",
    )
    if row.button("Export this subnet", key="to-export"):
        st.switch_page("pages/4_Export.py")
