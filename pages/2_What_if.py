"""Edit an architecture in its picture and see at once what each edit costs."""

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from foxnas_core.cards.measurements import equals
from foxnas_core.explanation.edits import edit_effects, path_effects
from foxnas_core.families import family_of
from foxnas_core.figures.effects import (
    difference_table,
    path_figure,
    path_table,
    waterfall_figure,
)
from foxnas_core.figures.picture import picture_data, picture_table
from foxnas_core.regression import Predictor
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.editing.diff import diff_table
from foxnas_core.space.editing.history import History
from foxnas_core.study import Study
from pages.shared import cache, choices
from pages.shared.cards import given_of
from pages.shared.comparison_picker import Other, kept_variants, other_picker, variants_menu
from pages.shared.cost import chosen_cost, cost_picker
from pages.shared.editor import (
    architecture_picker,
    editable_picture,
    history_buttons,
    history_of,
    inspector,
    keys_in_words,
)
from pages.shared.frame import errors_as_cards, page, pin
from pages.shared.panel import closed_table, panel
from pages.shared.picture import picture
from pages.shared.text import plain

# Pixels of a prediction.
WIDTH = 160
# Many predictions stay in view while the picture is edited, so each takes little room; on a phone
# they are moved sideways.
_COMPACT = """<style>
.st-key-predictions [data-testid="stMetric"] > div {
  display: flex; flex-wrap: wrap; align-items: baseline; column-gap: 0.4rem}
.st-key-predictions [data-testid="stMetricLabel"] {flex-basis: 100%}
.st-key-predictions [data-testid="stMetricLabel"] p {font-size: 0.8rem; line-height: 1.15}
.st-key-predictions [data-testid="stMetricLabel"] * {white-space: normal !important}
.st-key-predictions [data-testid="stCaptionContainer"],
.st-key-predictions [data-testid="stCaptionContainer"] p {margin-bottom: 0}
.st-key-prediction-line {row-gap: 0.4rem}
.st-key-predictions [data-testid="stMetricValue"] {font-size: 1.3rem; line-height: 1.2}
.st-key-predictions [data-testid="stMetricDelta"] {font-size: 0.8rem}
@media (max-width: 640px) {
  .st-key-prediction-line {flex-wrap: nowrap; overflow-x: auto}
  .st-key-prediction-line > * {flex-shrink: 0}
}
</style>"""
BY_EDIT, BY_BLOCK = "edit by edit", "block by block"


@st.fragment
def workbench(study: Study) -> None:
    """All that an edit changes, and no more: an edit draws this part of the page alone."""
    if choices.current().architecture is None:
        # The budget was moved in the same moment; the whole page knows what is best in it.
        st.rerun()
    with errors_as_cards():
        # An edit that came while the last was drawn may have kept that from the address.
        choices.show_in_address(choices.current())
        latency = chosen_cost(study)
        assert latency is not None
        predictors, _ = cache.predictors_of(study)
        history = history_of(study)
        _draw_the_rest_again(history)
        now = history.now.architecture
        with pin("predictions"):
            rows = show_predictions(predictors, history.now.start, now)
        given = given_of(study)
        if equals.needs(given) is None and (said := given.equals().told(study.space, now)):
            st.info(plain(said))
        other = show_editor(study, latency)
        if other is not None:
            show_difference(study, predictors, now, other)
        show_edits(predictors, history)
        show_blocks(study, predictors, latency, now)
        closed_table("Every prediction as a table", lambda: pd.DataFrame(rows), key="predictions")
        show_ways_on(study, now)


def _draw_the_rest_again(history: History) -> None:
    """What is above the workbench shows the start, which undoing may have changed."""
    start = history.now.start.id
    if choices.remembered("drawn-start") not in (None, start):
        choices.remember("drawn-start", None)
        st.rerun()


def show_predictions(
    predictors: Mapping[str, Predictor], start: Architecture, now: Architecture
) -> list[dict[str, Any]]:
    """Each prediction with its interval and its change; returns them as rows of a table."""
    rows = []
    st.html(_COMPACT)
    line = st.container(
        horizontal=True, gap="small", vertical_alignment="bottom", key="prediction-line"
    )
    codes = next(iter(predictors.values())).space.encode([start, now])
    for predictor in predictors.values():
        target = predictor.target
        both = predictor.predicted(codes)
        before, after = (float(value) for value in both["value"])
        low, high = (float(both[f"prediction_{end}"][1]) for end in ("low", "high"))
        place = line.container(width=WIDTH, gap=None)
        place.metric(
            target.named,
            target.text(after),
            delta=None if start == now else target.text(after - before, signed=True),
            delta_color="normal" if target.direction == "max" else "inverse",
        )
        place.caption(
            "exact" if predictor.is_exact else f"{target.text(low)} to {target.text(high)}"
        )
        rows.append(
            {
                "target": target.label, "unit": target.unit, "start": before, "now": after,
                "prediction low": low, "prediction high": high,
            }
        )  # fmt: skip
    return rows


def show_editor(study: Study, latency: str) -> Other | None:
    """The picture with its choices; returns what it is held against."""
    variants = kept_variants(study)
    row = st.container(horizontal=True, vertical_alignment="bottom")
    with row:
        history_buttons(study)
        variants_menu(study, variants)
    with row.container(width=190):
        other = other_picker(study, latency, variants)
    now = history_of(study).now.architecture
    if other is None:
        left, right = st.columns([1.9, 1], gap="large")
        with left:
            editable_picture(study)
        with right:
            inspector(study)
    else:
        left, right = st.columns(2, gap="large")
        with left:
            st.markdown("**This architecture**")
            editable_picture(study, other.architecture)
        with right:
            st.markdown(f"**{plain(other.name[0].upper() + other.name[1:])}**")
            picture(
                picture_data(study.space, other.architecture, now, editable=False),
                label=f"The architecture to compare with: {other.name}",
                key="other-picture",
            )
        with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
            inspector(study)
    st.caption(keys_in_words(study.space))
    closed_table(
        "The architecture as a table",
        lambda: picture_table(study.space, now, other and other.architecture)[
            ["row", "column", "cell", "words", "differs"]
        ],
        key="cells",
    )
    return other


def show_difference(
    study: Study, predictors: Mapping[str, Predictor], now: Architecture, other: Other
) -> None:
    """Predictions and choices of both architectures beside each other."""
    names = ("this", "other")
    panel(
        f"This against {plain(other.name)}",
        "Both predictions, and what the other has more, with the 95 % confidence interval of the "
        "difference: what both have in common cancels in it.",
        difference_table(predictors, now, other.architecture, names=names),
        key="difference",
    )
    table = diff_table(study.space, now, other.architecture, names=names)
    panel(
        "What differs",
        f"{len(table)} of {len(study.space.decisions)} decisions; “off” where one lacks the block."
        if len(table)
        else "Nothing: both are the same architecture.",
        table,
        key="diff",
    )


def show_edits(predictors: Mapping[str, Predictor], history: History) -> None:
    """What each edit changes in one target, as a waterfall."""
    st.header("What the edits change")
    start, now = history.now.start, history.now.architecture
    path = history.path()
    if len(path) == 1:
        st.write("Nothing yet: this is the architecture you started from.")
        return
    row = st.container(horizontal=True, vertical_alignment="bottom")
    column = choices.remembered("edits-target")
    column = column if column in predictors else next(iter(predictors))
    choices.show("edits-target", column)
    with row.container(width=260):
        st.selectbox(
            "In",
            list(predictors),
            format_func=lambda name: predictors[name].target.label,
            key="edits-target",
            on_change=choices.on_change(
                "edits-target", lambda name: choices.remember("edits-target", name)
            ),
        )
    choices.show("edits-order", choices.remembered("edits-order") or BY_EDIT)
    order = row.segmented_control(
        "Order",
        [BY_EDIT, BY_BLOCK],
        required=True,
        key="edits-order",
        on_change=choices.on_change(
            "edits-order", lambda way: choices.remember("edits-order", way)
        ),
    )
    predictor = predictors[column]
    target = predictor.target
    if order == BY_EDIT:
        effects = path_effects(predictor, path)
    else:
        effects = edit_effects(predictor, start, now)
    before = predictor.predicted(predictor.space.encode([start]))["value"]
    table = path_table(effects, float(before[0]))
    low, high = target.text(effects.low, signed=True), target.text(effects.high, signed=True)
    panel(
        "",
        f"From the start to now: together {target.text(effects.total, signed=True)} "
        f"{target.difference_unit}, 95 % confidence interval {low} to {high}.",
        table,
        path_figure(table, target, numbered=order == BY_EDIT),
        key="edits",
        lazy=True,
    )


def show_blocks(
    study: Study, predictors: Mapping[str, Predictor], latency: str, now: Architecture
) -> None:
    """Shapley values of the predicted objective and cost, by block, when asked for."""
    if not st.toggle("Show which blocks the predictions come from (Shapley values)", key="shapley"):
        return
    shown = [
        predictors[column] for column in (study.objective.column, latency) if column in predictors
    ]
    for predictor, place in zip(shown, st.columns(len(shown), gap="large"), strict=True):
        target = predictor.target
        with place, errors_as_cards():
            found = cache.shapley_of(study, target.column, now)
            values = found.values.iloc[0]
            table = pd.DataFrame({"what": values.index, "effect": values.to_numpy()})
            panel(
                f"Where the prediction comes from: {target.label}",
                "Shapley value of each block against the average measured subnet; they add up to "
                "this prediction.",
                table,
                waterfall_figure(
                    table, target, start=found.base, first="average subnet", last="this subnet"
                ),
                key=f"shapley-{target.column}",
            )


def show_ways_on(study: Study, now: Architecture) -> None:
    """Where the architecture may go from here."""
    if written := family_of(study.space).write(study.space, now):
        st.code(written, language=None)
    row = st.container(horizontal=True)
    row.download_button(
        "Download the architecture (JSON)",
        json.dumps(now.to_dict(), indent=2),
        file_name=f"{now.id}.json",
        mime="application/json",
        key="architecture-download",
        on_click="ignore",
    )
    if row.button("Verify this subnet", key="to-verify"):
        st.switch_page("pages/16_Verify.py")
    if row.button("Export this subnet", key="to-export"):
        st.switch_page("pages/4_Export.py")


with page(
    "What-if",
    "Edit an architecture in its picture: the predictions move at once, and each edit shows what "
    "it costs against the architecture you started from.",
) as study:
    table = cache.table_of(study)
    left, right = st.columns([1, 2], gap="large")
    with left:
        latency = cost_picker(study)
    architecture_picker(study, latency, right)
    for sentence in cache.predictors_of(study)[1]:
        st.warning(plain(sentence))
    choices.remember("drawn-start", history_of(study).now.start.id)
    workbench(study)
    st.caption(
        "Predicted values with the 95 % prediction interval, within which one measurement of such "
        "a subnet would fall, and the change against the start; “exact” where the regression "
        "reproduces every measured row. They stay in view as you scroll."
    )
    if not table.ordered:
        st.caption(
            "The measured table does not tell the order of the blocks after a stage's first, so "
            "exchanging them changes nothing here."
        )
