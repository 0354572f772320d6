"""The first page: what the study holds, what is missing, and its best subnet."""

from contextlib import suppress
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from foxnas_core.errors import FoxnasError
from foxnas_core.reliability import reliability_of
from foxnas_core.storage import Study
from pages.shared import cache, choices
from pages.shared.frame import page
from pages.shared.latency import budget_of, latency_of, searched_budget
from pages.shared.panel import panel
from pages.shared.text import plain

if TYPE_CHECKING:  # the facts need not wait for it
    from foxnas_core.regression import Predictor

_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def number_of(count: int) -> str:
    """A count as people read it: 1,234 or 2.01 × 10¹⁰."""
    if count < 1_000_000:
        return f"{count:,}"
    mantissa, exponent = f"{float(count):.2e}".split("e+")
    return f"{mantissa} × 10{str(int(exponent)).translate(_SUPERSCRIPTS)}"


def show_best(study: Study, latency: str) -> None:
    """The optimum at the chosen budget, or at the middle of the range, and where to go with it."""
    from foxnas_core.figures.search import promise_table

    front = cache.front_of(study, latency)
    budget = budget_of(front)
    best = front.within(searched_budget(study, front))
    predictors = (front.problem.objective, front.problem.limits[0].predictor)
    found, intervals = {}, "95 % prediction intervals of one measurement; measure it to be sure"
    with suppress(FoxnasError):
        found = cache.calibrations_of(study, latency)
        count = found["accuracy"].count
        intervals = f"95 % intervals by {count} other optima that were measured"
    promised = promise_table(best, predictors, found, budget)
    ends = ("as searched", "searched low", "searched high") if found else (
        "predicted", "low", "high"
    )  # fmt: skip
    parts = []
    for row, predictor in zip(promised.to_dict("records"), predictors, strict=True):
        center, low, high = (predictor.target.text(row[end]) for end in ends)
        parts.append(f"**{center} {predictor.target.unit}** ({low} to {high})")
    cost = predictors[1].target
    st.subheader(f"The best subnet within {cost.text(budget)} ms")
    st.write(
        f"Expected: {parts[0]} top-1 accuracy and {parts[1]} latency, with {intervals}. It is the "
        "exact optimum of the regression."
    )
    row = st.container(horizontal=True)
    if row.button("Edit it in What-if", key="home-what-if"):
        choices.set_architecture(best.architecture)
        st.switch_page("pages/2_What_if.py")
    if row.button("Watch a search for it", key="home-search"):
        choices.update(budget=budget, goal="accuracy")
        st.switch_page("pages/3_Search.py")


def fit_table(predictors: "dict[str, Predictor]") -> pd.DataFrame:
    """One row a target: how it is fitted, and how well."""
    return pd.DataFrame(
        [
            {
                "target": p.target.label,
                "unit": p.target.unit,
                "form": p.form.title,
                "rows": p.rows,
                "parameters": p.parameters,
                "R²": p.r2,
                "adjusted R²": p.r2_adjusted,
                "cross-validated R²": p.cv.r2,
                "RMSE": p.cv.rmse,
                "tau": p.cv.tau,
            }
            for p in predictors.values()
        ]
    )


with page(
    "Study",
    "Choose a subnet of a weight-sharing supernet for a device and a latency budget, see the "
    "reason for every layer in it, and take away a file that runs.",
) as study:
    st.header(plain(study.name), divider="grey")
    if study.description:
        st.write(plain(study.description))
    table = cache.table_of(study)
    parts = (
        ("Search space", plain(study.space.name)),
        ("Architectures", number_of(study.space.size)),
        ("Measured subnets", f"{len(table):,}"),
        ("Supernet", "present" if study.checkpoint_file.exists() else "none"),
        ("Images", "present" if study.images_file.exists() else "none"),
    )
    for place, (label, value) in zip(st.columns(len(parts)), parts, strict=True):
        place.metric(label, value)

    missing = []
    if not len(table):
        missing.append(
            "There are no measurements yet; run 'python -m foxnas_core measure' or 'import'."
        )
    if not study.checkpoint_file.exists():
        missing.append(
            "There is no supernet, so nothing can be measured or exported here; the predictors "
            "work without one."
        )
    elif not study.images_file.exists():
        missing.append("There are no images, which measuring and exporting need.")
    if not table.ordered:
        missing.append(
            "The table does not tell the order of the blocks in a stage: forms with one term a "
            "block slot are not offered, and blocks are shown in one canonical order."
        )
    for sentence in missing:
        st.info(sentence)
    found = reliability_of(table)
    if found:
        st.success(f"Reliability: {found.sentence}")

    predictors, sentences = cache.predictors_of(study)
    for sentence in sentences:
        st.warning(plain(sentence))
    latency = latency_of(table)
    if {"accuracy", latency} <= set(predictors):
        show_best(study, latency)
    elif len(table) and not sentences:
        st.info("Searching needs an accuracy and a latency, of which this table lacks one.")
    if predictors:
        panel(
            "How well each target is fitted",
            "Cross-validated values are of subnets that the fit never saw (10 folds); RMSE is in "
            "the target's unit, tau is Kendall's rank correlation.",
            fit_table(predictors),
            key="fits",
        )
