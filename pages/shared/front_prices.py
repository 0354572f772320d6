"""What a further unit of cost buys along the front."""

import numpy as np
import streamlit as st

from foxnas_core.figures import front as figures
from foxnas_core.figures.front import CostUnit
from foxnas_core.search.prices import Prices
from pages.shared.frame import plain
from pages.shared.panel import panel


def show_prices(prices: Prices, unit: CostUnit, budget: float) -> None:
    """The front with its knee, and what a little more cost buys along it."""
    front, objective = prices.front, prices.front.problem.objective.target
    price = prices.at(budget) / unit.factor
    per = f"{objective.difference_unit or objective.word} per {unit.symbol}"
    words = f"{price:.3g} {per}"
    knee = ""
    if prices.knee is not None:
        knee = (
            f" The knee of the front, after which more cost pays less than on its average, lies at "
            f"**{unit.text(float(front.costs[prices.knee]))}** and "
            f"{objective.text(float(front.values[prices.knee]))} {objective.unit}."
        )
    with st.container(key="price"):
        st.write(f"At {unit.text(budget)} a little more budget is worth **{words}**.{knee}")
    steps = figures.step_table(prices, unit, corners=False)
    left, right = st.columns(2, gap="large")
    with left:
        panel(
            "The front, its hull and its knee",
            f"{len(front)} optima, of which {len(prices.corners)} are corners of the hull. "
            "Dashed: the budget searched under.",
            front.frame.assign(
                corner=np.isin(np.arange(len(front)), prices.corners),
                knee=np.arange(len(front)) == prices.knee,
            ),
            figures.front_figure(prices, unit, budget),
            key="front",
        )
    with right:
        panel(
            f"Price of {objective.word}: {per}",
            "Points: what each step of the front gains by its cost. Line: the slope of the hull, "
            "the price that the budget has there, which only falls.",
            steps.drop(columns=["blocks", "in words"]),
            figures.price_figure(prices, unit, budget),
            key="prices",
        )
    with st.expander("How price and knee are defined"):
        st.write(
            "The hull is the least concave curve over the front; its slope is the Lagrangian dual "
            "price of the budget (Everett, 1963), and it is the only price that mixtures of "
            "subnets cannot beat. The knee is Kneedle's (Satopaa et al., 2011) on the hull: with "
            "both ends of the front set to 0 and 1, the point highest above the diagonal. It moves "
            "when the front's ends do."
        )


def show_steps(prices: Prices, unit: CostUnit, budget: float) -> None:
    """Which blocks change from one point of the front to the next."""
    front, objective = prices.front, prices.front.problem.objective.target
    every, kept = "Every step", "Corners of the hull"
    st.header("Which block changes at each step")
    if len(front) < 2:
        st.info("The front is a single subnet, so there is no step.")
        return
    all_steps = figures.step_table(prices, unit, corners=False)
    several = int((all_steps["blocks"] > 1).sum())
    hull = figures.step_table(prices, unit, corners=True)
    alone = int((hull["blocks"] == 1).sum())
    st.write(
        f"Of the {len(all_steps)} steps, {several} change several blocks at once: what one of them "
        "saves pays for another. Between corners of the hull the changes are simpler: "
        f"{alone} of {len(hull)} change one block alone."
    )
    shown = st.segmented_control(
        "Steps", [kept, every], default=kept, key="steps", required=True,
        label_visibility="collapsed",
    )  # fmt: skip
    table = hull if shown == kept else all_steps
    searched = budget * unit.factor
    here = table[(table["from"] <= searched) & (searched < table["to"])]
    near = "" if not len(here) else (
        f"At this budget: {plain(figures.step_sentence(here.iloc[0], unit, objective))}."
    )  # fmt: skip
    named = {"from": f"from ({unit.symbol})", "to": f"to ({unit.symbol})"}
    named |= {"gain": f"gain ({objective.difference_unit})", "cost": f"cost ({unit.symbol})"}
    order = ["from", "to", "gain", "price", "in words", "cost", "blocks"]
    order += [] if shown == kept else ["hull price"]  # there both prices are one
    panel("", near, table[order].rename(columns=named), key="front-steps")
