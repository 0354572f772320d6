"""All measured subnets in figures that are linked: what is picked out in one is in all."""

import math
from typing import Any

import streamlit as st

from foxnas_core.cards import measurements
from foxnas_core.cards.given import Given
from foxnas_core.study import Study
from foxnas_core.table.metrics import metric_of, unknown_sentence
from pages.shared import cards, choices
from pages.shared.cards import beside, given_of
from pages.shared.cost import cost_picker, in_unit, slider
from pages.shared.text import plain
from pages.shared.views import go

SENTENCE = "Each measured subnet beside all others: what is picked out in one figure is in all."


def show_subnets(given: Given) -> None:
    if measurements.parallel.needs(given):
        cards.show(measurements.parallel, given)
        return
    ranges, budget = filters(given)
    scope = (given.study.folder.name, measurements.cost_of(given))
    told = choices.remembered("brush")
    brush = told[1] if told and told[0] == scope else {}
    boxes = tuple((column, tuple(own)) for column, own in brush.items())
    subnet = choices.current().subnet

    def draw_brush(state: Any) -> None:
        if drawn := state["selection"]["box"]:
            choices.remember("brush", (scope, brush | measurements.brush_of(given, drawn)))

    act = choices.on_change("parallel-figure", draw_brush)
    picked_out = {"ranges": ranges, "boxes": boxes, "subnet": subnet}
    cards.show(measurements.parallel, given, on_select=act, box=True, **picked_out)
    row = st.container(horizontal=True, vertical_alignment="center")
    if brush and row.button("Take the boxes away", key="no-brush"):
        choices.remember("brush", None)
        st.rerun()
    if subnet and row.button("Highlight no subnet", key="no-subnet"):
        choices.highlight(subnet=None)
        st.rerun()
    known = subnet in set(measurements.known(given)["id"])
    if known and row.button("Explain this subnet", key="explain-subnet"):
        choices.set_architecture(given.table.measured(subnet))
        go("What-if", "explained")
    ranges = (*ranges, *boxes)
    if planes := measurements.planes(given):
        how = {"ranges": ranges, "budget": budget}
        beside(given, *((measurements.plane, {"axes": axes, **how}) for axes in planes))

    def choose(state: Any) -> None:
        if card and (rows := state["selection"]["rows"]):
            choices.highlight(subnet=card.table["id"].iloc[rows[0]])

    act = choices.on_change("kept-table", choose)
    card = cards.show(measurements.kept, given, on_select=act, ranges=ranges)
    if subnet:
        row.caption(
            f"Highlighted here and on the other pages: {plain(subnet)}."
            if known
            else f"{plain(subnet)} is highlighted, but is none of these subnets."
        )


def filters(given: Given) -> tuple[measurements.Ranges, float | None]:
    """Draw the filters; the ranges that they keep, and the budget where that is one."""
    every, column = measurements.known(given), measurements.cost_of(given)
    costs, cost, budget, ranges = every[column], metric_of(column), None, []
    left, middle, right = st.columns(3, gap="large", vertical_alignment="bottom")
    told = f"Those within a budget of {cost.word}."
    if left.toggle("Feasible only", key="feasible", help=told):
        low, high = float(costs.min()), float(costs.max())
        step = 10.0 ** math.floor(math.log10(max(high - low, 1e-9) / 50))
        wanted = choices.current().budget or float(costs.median())
        span = (step * math.ceil(low / step), step * math.ceil(high / step), step)
        with left:
            label = in_unit(f"{cost.title} budget", cost)
            budget = slider("budget", label, min(max(wanted, span[0]), span[1]), span)
        ranges.append((column, ((-math.inf, budget),)))
    for place, name, label in (
        (middle, measurements.BLOCKS, "Depth: blocks that are on"),
        (right, "resolution", "Resolution (px)"),
    ):
        if name in every:
            values = sorted(int(value) for value in every[name].unique())
            ends = values[0], values[-1]
            ends = place.select_slider(label, values, ends, key=f"only-{name}")
            ranges.append((name, (ends,)))
    return tuple(ranges), budget


def show(study: Study) -> None:
    left, _ = st.columns(2)
    with left:
        given = given_of(study, cost=cost_picker(study))
    if given.table.unknown:
        st.info(plain(unknown_sentence(given.table.unknown)))
    show_subnets(given)
