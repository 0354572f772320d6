"""Boosted trees beside the regression, where both explain one target."""

import pandas as pd
import streamlit as st

from foxnas_core.explanation.second_opinion import FOLDS, SecondOpinion
from foxnas_core.figures.explanations import (
    interaction_figure,
    interaction_table,
    lens_figure,
    lens_table,
)
from foxnas_core.regression import Predictor
from pages.shared.panel import panel
from pages.shared.text import plain

OPINION = "Second opinion (boosted trees)"


def show_second_opinion(
    opinion: SecondOpinion | None, local: pd.DataFrame | None, predictor: Predictor
) -> None:
    """Boosted trees: how well they predict, and their blocks, those of one subnet in `local`."""
    title, target = "Second opinion: boosted trees", predictor.target
    if opinion is None:
        st.header(title)
        st.info(
            f"Not computed yet; switch on '{OPINION}' above to fit trees that know nothing of the "
            "regression's form, which takes 10 to 20 seconds."
        )
        return
    ours, theirs = predictor.cv, opinion.cv
    error = "a smaller" if theirs.rmse < ours.rmse else "a larger"
    table = opinion.importance if local is None else local
    panel(
        title,
        f"On subnets they never saw ({FOLDS} folds): R² {theirs.r2:.3f}, RMSE "
        f"{target.text(theirs.rmse)} {target.difference_unit}, Kendall's tau {theirs.tau:.3f}. "
        f"That is {error} error than the regression's, which has {ours.r2:.3f}, "
        f"{target.text(ours.rmse)} and {ours.tau:.3f}."
        + (" Intervals span the fits on resampled subnets." if local is None else ""),
        table,
        lens_figure(lens_table({"second opinion": table}), target, signed=local is not None),
        key="second-opinion",
    )
    if local is None:
        with st.expander("Every term"):
            panel("", "", opinion.terms, key="second-opinion-terms")


def show_interactions(opinion: SecondOpinion, predictor: Predictor) -> None:
    """The pairs of choices that the trees found to depend on each other."""
    title, target = "Interactions", predictor.target
    pairs = interaction_table(opinion.interactions)
    if pairs.empty:
        st.header(title)
        st.write("The trees found no pair of choices that depend on each other.")
        return
    across = int((~pairs["in a sum over stages"]).sum())
    strongest = pairs.iloc[0]
    panel(
        title,
        f"The strongest pair: **{plain(strongest['pair'])}**, {strongest['where']}, "
        f"{target.text(strongest['strength'])} {target.difference_unit}. {across} of {len(pairs)} "
        "pairs are across stages, which a regression that adds up over stages can't hold; the "
        "others it could.",
        pairs,
        interaction_figure(pairs, target),
        key="interactions",
    )
