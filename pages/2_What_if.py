"""Edit an architecture choice by choice and see what each edit costs."""

import json

import pandas as pd
import streamlit as st

from foxnas_core.explanation.edits import edit_effects
from foxnas_core.figures.effects import waterfall_figure
from pages.shared import cache
from pages.shared.editor import architecture_picker, editor, start_of
from pages.shared.frame import errors_as_cards, page, plain
from pages.shared.latency import latency_picker
from pages.shared.panel import panel

with page(
    "What-if",
    "Edit an architecture block by block: the predictions move at once, and each edit shows what "
    "it costs against the architecture you started from.",
) as study:
    table = cache.table_of(study)
    latency = latency_picker(table)
    predictors, sentences = cache.predictors_of(study)
    for sentence in sentences:
        st.warning(plain(sentence))
    st.subheader("Start from")
    architecture = architecture_picker(study, latency)
    start = start_of(architecture, study.space)
    st.subheader("Edit")
    editor(study.space, architecture)
    if not table.ordered:
        st.caption(
            "The measured table does not tell the order of the blocks after a stage's first, so "
            "exchanging them changes nothing here."
        )

    st.subheader("Predictions")
    st.write(
        "Each with its 95 % prediction interval, within which one measurement of such a subnet "
        "would fall; below it the change against the start."
    )
    shown = [c for c in predictors if c in ("accuracy", "cross_entropy", "parameters", "macs")]
    shown += [c for c in predictors if c.partition(":")[0] == "latency_ms"]
    rows = []
    for place, column in zip(st.columns(max(1, len(shown))), shown, strict=False):
        predictor = predictors[column]
        target = predictor.target
        both = predictor.predict([start, architecture])
        before, now = (float(v) for v in both["value"])
        low, high = (float(both.iloc[1][f"prediction_{end}"]) for end in ("low", "high"))
        digits = ",.0f" if target.unit == "" else (".2f" if target.unit == "%" else ".4f")
        place.metric(
            f"{target.label} ({target.unit})" if target.unit else target.label,
            f"{now:{digits}}",
            delta=f"{now - before:+{digits}}" if now != before else None,
            delta_color="normal" if target.direction == "max" else "inverse",
        )
        place.caption(f"{low:{digits}} to {high:{digits}}")
        rows.append(
            {
                "target": target.label, "unit": target.unit, "start": before, "now": now,
                "prediction low": low, "prediction high": high,
            }
        )  # fmt: skip

    for column, side in zip(("accuracy", latency), st.columns(2, gap="large"), strict=True):
        if column not in predictors:
            continue
        predictor = predictors[column]
        effects = edit_effects(predictor, start, architecture)
        with side:
            unit = "percentage points" if predictor.target.unit == "%" else predictor.target.unit
            if not len(effects.table):
                st.subheader(f"What the edits change: {predictor.target.label.lower()}")
                st.write("Nothing yet: this is the architecture you started from.")
                continue
            panel(
                f"What the edits change: {predictor.target.label.lower()}",
                f"Together {effects.total:+.3g} {unit} [{effects.low:+.3g}, {effects.high:+.3g}]; "
                "brackets are 95 % confidence intervals.",
                effects.table,
                waterfall_figure(
                    effects.table.rename(columns={"edit": "what"}),
                    predictor.target,
                    start=float(predictor.predict([start])["value"].iloc[0]),
                    first="start",
                    last="now",
                ),
                key=f"edits-{column}",
            )
    with st.expander("Every prediction as a table"):
        panel("Predictions", "Start and now.", pd.DataFrame(rows), key="predictions")

    if st.toggle("Show which blocks the prediction comes from (Shapley values)", key="shapley"):
        for column, side in zip(("accuracy", latency), st.columns(2, gap="large"), strict=True):
            if column not in predictors:
                continue
            with side, errors_as_cards():
                target = predictors[column].target
                found = cache.shapley_of(study, column, architecture)
                values = found.values.iloc[0]
                panel(
                    f"Where {target.label.lower()} comes from",
                    "Shapley value of each block against the average measured subnet; they add "
                    "up to this prediction.",
                    pd.DataFrame({"what": values.index, "effect": values.to_numpy()}),
                    waterfall_figure(
                        pd.DataFrame({"what": values.index, "effect": values.to_numpy()}),
                        target,
                        start=found.base,
                        first="average subnet",
                        last="this subnet",
                    ),
                    key=f"shapley-{column}",
                )

    st.subheader("Take it along")
    left, right = st.columns(2)
    left.download_button(
        "Download the architecture (JSON)",
        json.dumps(architecture.to_dict(), indent=2),
        file_name=f"{architecture.id}.json",
        mime="application/json",
        key="architecture-download",
    )
    if right.button("Export this subnet", key="to-export"):
        st.switch_page("pages/4_Export.py")
