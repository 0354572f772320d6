"""How the latencies were measured, which can be relied on, and all subnets together."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from foxnas_core.cards import measurements
from foxnas_core.figures import subnets
from foxnas_core.study import Study
from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.table.metrics import metric_of, unknown_sentence
from pages.shared import choices
from pages.shared.cards import beside, given_of, show
from pages.shared.cost import cost_picker, in_unit, slider
from pages.shared.frame import page
from pages.shared.panel import panel
from pages.shared.picked import picked
from pages.shared.text import plain


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
    best = study.objective.column
    pairs = [(column, best), ("macs", column), ("macs", best)]
    # Where the cost is MACs themselves, two of them are one.
    distinct = dict.fromkeys(pairs)
    shown = [(x, y) for x, y in distinct if x != y and x in axes and y in axes][:2]
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
    """Draw the filters; which of the subnets they keep, and the budget where that is one."""
    kept, budget = np.ones(len(every), dtype=bool), None
    costs, cost = every[column], metric_of(column)
    left, middle, right = st.columns(3, gap="large", vertical_alignment="bottom")
    if left.toggle("Feasible only", key="feasible", help=f"Those within a budget of {cost.word}."):
        low, high = float(costs.min()), float(costs.max())
        step = 10.0 ** math.floor(math.log10(max(high - low, 1e-9) / 50))
        wanted = choices.current().budget or float(costs.median())
        span = (step * math.ceil(low / step), step * math.ceil(high / step), step)
        with left:
            label = in_unit(f"{cost.title} budget", cost)
            budget = slider("budget", label, min(max(wanted, span[0]), span[1]), span)
        kept &= (costs <= budget).to_numpy()
    for place, name, label in (
        (middle, subnets.BLOCKS, "Depth: blocks that are on"),
        (right, "resolution", "Resolution (px)"),
    ):
        if name in every:
            values = sorted(int(value) for value in every[name].unique())
            ends = values[0], values[-1]
            low, high = place.select_slider(label, values, ends, key=f"only-{name}")
            kept &= every[name].between(low, high).to_numpy()
    return kept, budget


with page(
    "Measurements",
    "How the latencies were measured, which of them can be relied on, and each measured subnet "
    "beside all others.",
) as study:
    left, right = st.columns(2)
    with left:
        given = given_of(study, cost=cost_picker(study))
    if campaigns := measurements.campaigns(given):
        given = replace(given, campaign=right.selectbox("Campaign", campaigns, key="campaign"))
    if given.table.unknown:
        st.info(plain(unknown_sentence(given.table.unknown)))
    if given.cost is not None and not metric_of(given.cost).timed:
        st.info("Only what a clock measured is checked, and this study is about no latency.")
        show_subnets(study, given.table, given.cost)
        st.stop()
    if show(measurements.verdict, given, header=False) is None:
        st.stop()
    show(measurements.checks, given)
    beside(given, (measurements.spread, {}), (measurements.drift, {}))
    if measurements.equals.needs(given) is None:
        show(measurements.equals, given)
    badge = picked(st.segmented_control, "Rows to list", measurements.BADGES, key="badges")
    show(measurements.rows, given, badge=badge or "all")
    show_subnets(study, measurements.rows_of(given), measurements.column_of(given))
