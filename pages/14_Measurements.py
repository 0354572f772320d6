"""How the latencies were measured, which can be relied on, and all subnets together."""

import math
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from foxnas_core.figures import measurements as figures
from foxnas_core.figures import subnets
from foxnas_core.study import Study
from foxnas_core.table.latency_verdicts import (
    FAILED,
    MOST_SPREAD,
    PASSED,
    UNKNOWN,
    badge_table,
    judge,
)
from foxnas_core.table.measurements import MeasurementTable
from pages.shared import cache, choices
from pages.shared.frame import page
from pages.shared.latency import latency_picker, slider
from pages.shared.panel import panel
from pages.shared.text import plain

ALL = "all campaigns"
OWN = "no campaign"
BADGES = {"all": "All rows", FAILED: "Failed", PASSED: "Passed", UNKNOWN: "Unknown"}


def campaign_picker(table: MeasurementTable) -> MeasurementTable:
    """Draw the picker of a campaign and return its rows."""
    if "campaign" not in table.frame:
        return table
    names = table.frame["campaign"].fillna(OWN).astype(str)
    options = [ALL, *dict.fromkeys(names)]
    chosen = st.selectbox("Campaign", options, key="campaign")
    return table if chosen == ALL else table.rows((names == chosen).to_numpy())


def show_figures_not_told(table: MeasurementTable) -> None:
    """What the device could not measure, as the campaigns recorded it."""
    said = {
        f"{name.capitalize()}: {value}."
        for circumstances in table.record.get("campaigns", {}).values()
        for name in ("energy", "memory")
        if (value := str(circumstances.get(name, ""))).startswith("not available")
    }
    for sentence in sorted(said):
        st.info(plain(sentence))


def show_subnets(study: Study, table: MeasurementTable, column: str) -> None:
    """All measured subnets in figures that are linked: what is picked out in one is in all."""
    st.header("The subnets", divider="grey")
    every = subnets.subnet_table(table, column)
    if len(every) < 2:
        st.info("There is one measured subnet; several are drawn over each other here.")
        return
    kept, budget = filters(every, column)
    scope = (study.folder.name, column)
    told = choices.remembered("brush")
    brush = told[1] if told and told[0] == scope else {}
    kept &= subnets.brushed(every, brush)
    subnet = choices.current().subnet

    def draw_brush(state: Any) -> None:
        if boxes := state["selection"]["box"]:
            choices.remember("brush", (scope, brush | subnets.brush_of(every, boxes)))

    panel(
        "Everything known of each",
        f"A line a subnet; {kept.sum():,} of {len(every):,} are kept. Draw a box over a part of an "
        "axis to keep what runs through it; one on another axis narrows that down.",
        every[kept],
        subnets.parallel_figure(every, kept, brush=brush, subnet=subnet),
        key="parallel",
        on_select=choices.on_change("parallel-figure", draw_brush),
        box=True,
    )
    row = st.container(horizontal=True, vertical_alignment="center")
    if brush and row.button("Take the boxes away", key="no-brush"):
        choices.remember("brush", None)
        st.rerun()
    if subnet and row.button("Highlight no subnet", key="no-subnet"):
        choices.highlight(subnet=None)
        st.rerun()
    if subnet:
        row.caption(
            f"Highlighted here and on the other pages: {plain(subnet)}."
            if subnet in set(every["id"])
            else f"{plain(subnet)} is highlighted, but is none of these subnets."
        )
    axes = subnets.axes_of(every)
    pairs = [(column, "accuracy"), ("macs", column), ("macs", "accuracy")]
    shown = [(x, y) for x, y in pairs if x in axes and y in axes][:2]
    for place, (x, y) in zip(st.columns(len(shown) or 1, gap="large"), shown, strict=False):
        with place:
            panel(
                f"{axes[y]} over {axes[x]}",
                "A click on a point highlights its subnet in all figures.",
                every[kept],
                subnets.plane_figure(every, x, y, kept, budget if x == column else None),
                key=f"{y}-{x}".replace(":", "-"),
            )
    listed = every[kept]

    def choose(state: Any) -> None:
        if rows := state["selection"]["rows"]:
            choices.highlight(subnet=listed["id"].iloc[rows[0]])

    panel(
        "Those kept",
        "A click at the left of a row highlights its subnet.",
        listed,
        key="kept",
        on_select=choices.on_change("kept-table", choose),
    )


def filters(every: pd.DataFrame, column: str) -> tuple[np.ndarray, float | None]:
    """Draw the filters; which of the subnets they keep, and the budget (ms) where that is one."""
    kept = np.ones(len(every), dtype=bool)
    costs = every[column]
    budget = None
    left, middle, right = st.columns(3, gap="large", vertical_alignment="bottom")
    if left.toggle("Feasible only", key="feasible", help="Those within a latency budget."):
        low, high = float(costs.min()), float(costs.max())
        step = 10.0 ** math.floor(math.log10(max(high - low, 1e-9) / 50))
        wanted = choices.current().budget or float(costs.median())
        span = (step * math.ceil(low / step), step * math.ceil(high / step), step)
        with left:
            budget = slider(
                "budget", "Latency budget (ms)", min(max(wanted, span[0]), span[1]), span
            )
        kept &= (costs <= budget).to_numpy()
    for place, name, label in (
        (middle, subnets.BLOCKS, "Depth: blocks that are on"),
        (right, "resolution", "Resolution (px)"),
    ):
        if name in every:
            values = sorted(int(value) for value in every[name].unique())
            low, high = place.select_slider(
                label, values, (values[0], values[-1]), key=f"only-{name}"
            )
            kept &= every[name].between(low, high).to_numpy()
    return kept, budget


def show(study: Study) -> None:
    """The badges of one latency column."""
    table = cache.table_of(study)
    left, right = st.columns(2)
    with left:
        column = latency_picker(table)
    with right:
        own = campaign_picker(table)
    badges, rows = judge(own, column), badge_table(own, column)
    if not len(rows):
        st.info("No row of this campaign has this latency; choose another campaign or latency.")
        return
    for place, (label, value) in zip(
        st.columns(4),
        {
            "Measured rows": len(rows),
            "Passed every check": badges.count(PASSED),
            "Failed a check": badges.count(FAILED),
            "Not all known": badges.count(UNKNOWN),
        }.items(),
        strict=True,
    ):
        place.metric(label, f"{value:,}")
    st.caption(
        "Rows that failed a check stay in the table and in every file, but no fit of this latency "
        "reads them. Where a campaign did not record a figure, the verdict is unknown, which "
        "leaves no row out. Accuracy is not touched."
    )
    show_figures_not_told(own)
    checks = figures.check_table(badges)
    panel(
        "What was checked",
        "For each check, the rows that passed it, that failed it, and those for which its figures "
        "were not recorded; the badge is over all checks. The table says what each one asks, and "
        "when a row fails it.",
        checks,
        figures.check_figure(checks),
        key="checks",
    )
    left, right = st.columns(2, gap="large")
    with left:
        spread = figures.spread_table(rows)
        if len(spread):
            panel(
                "How far the rounds agree",
                "A subnet is timed in rounds. Shown is by how much the highest round lies above "
                "the lowest, as a share of their median; beyond the dashed line "
                f"({100 * MOST_SPREAD:.0f} %) a row fails.",
                spread,
                figures.spread_figure(spread),
                key="spread",
            )
        else:
            st.header("How far the rounds agree")
            st.info(
                "The table has no range of rounds for this latency; rows that 'python \\-m "
                "foxnas\\_core measure' appends have one."
            )
    with right:
        drift = figures.drift_table(rows)
        if len(drift):
            panel(
                "How the machine drifted",
                "The time of the reference network beside each row, over its time when the study "
                "was begun; latencies are divided by it. Bars: how far it differed within a round.",
                drift,
                figures.drift_figure(drift),
                key="drift",
            )
        else:
            st.header("How the machine drifted")
            st.info(
                "These campaigns did not record the drift of the reference network, so its check "
                "is unknown; rows measured from now on have it."
            )
    wanted = st.segmented_control(
        "Rows to list", list(BADGES), format_func=BADGES.__getitem__, default="all", key="badges"
    )
    listed = rows if wanted in (None, "all") else rows[rows["badge"] == wanted]
    panel(
        "The rows",
        f"{len(listed):,} of {len(rows):,} rows. spread and above\\_minimum are in % of the "
        "latency (ms), drift is a factor, drift\\_range in %.",
        listed,
        key="measurements",
    )
    if badges.count(FAILED):
        st.write(
            "To measure a subnet again, save its architecture on the page What-if and run "
            "'python \\-m foxnas\\_core measure \\-\\-architecture FILE'; its row is appended, and "
            "fits then read that one."
        )
    show_subnets(study, own, column)


with page(
    "Measurements",
    "How the latencies were measured, which of them can be relied on, and each measured subnet "
    "beside all others.",
) as chosen:
    show(chosen)
