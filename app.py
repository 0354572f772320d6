"""The first page: what the study holds, what is missing, and its answer at a middling budget."""

import pandas as pd
import streamlit as st

from foxnas_core.reliability import reliability_of
from pages.shared import cache, choices
from pages.shared.frame import errors_as_cards, page, plain
from pages.shared.panel import panel

with page(
    "Study",
    "Choose a subnet of a weight-sharing supernet for a device and a latency budget, see the "
    "reason for every layer in it, and take away a file that runs.",
) as study:
    st.header(plain(study.name), divider="grey")
    if study.description:
        st.write(plain(study.description))
    table = cache.table_of(study)
    for column, (label, value) in zip(
        st.columns(4),
        (
            ("Search space", plain(study.space.name)),
            ("Architectures", f"{float(study.space.size):.3g}"),
            ("Measured subnets", f"{len(table):,}"),
            ("Targets", len(table.targets)),
        ),
        strict=True,
    ):
        column.metric(label, value)

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

    if len(table):
        with errors_as_cards():
            front = cache.front_of(study, choices.current().latency)
            # The middle of the front by latency: neither all speed nor all accuracy.
            budget = float((front.costs[0] + front.costs[-1]) / 2)
            best = front.within(budget)
            accuracy = front.problem.objective
            latency = front.problem.limits[0].predictor
            rows = [p.predict([best.architecture]).iloc[0] for p in (accuracy, latency)]
            st.subheader("The best subnet at a middling budget")
            st.write(
                f"Under {budget:.3g} ms the best predicted subnet has {rows[0]['value']:.2f} % "
                f"top-1 accuracy [{rows[0]['prediction_low']:.2f}, "
                f"{rows[0]['prediction_high']:.2f}] and {rows[1]['value']:.3g} ms latency "
                f"[{rows[1]['prediction_low']:.3g}, {rows[1]['prediction_high']:.3g}]; brackets "
                "are 95 % prediction intervals of one measurement. It is the proven optimum of "
                "the regression, not of the world: measure it before you rely on it."
            )
            left, right = st.columns(2)
            if left.button("Look at it in What-if", key="home-what-if"):
                choices.set_architecture(best.architecture)
                st.switch_page("pages/2_What_if.py")
            if right.button("Watch a search for it", key="home-search"):
                choices.update(budget=budget)
                st.switch_page("pages/3_Search.py")

        predictors, sentences = cache.predictors_of(study)
        for sentence in sentences:
            st.warning(plain(sentence))
        panel(
            "How well each target is fitted",
            "Cross-validated values are of subnets that the fit never saw (10 folds); tau is "
            "Kendall's rank correlation.",
            pd.DataFrame(
                [
                    {
                        "target": p.target.label,
                        "unit": p.target.unit,
                        "form": p.form.title,
                        "rows": p.rows,
                        "parameters": p.parameters,
                        "R²": p.r2,
                        "R² cross-validated": p.cv.r2,
                        "RMSE cross-validated": p.cv.rmse,
                        "tau cross-validated": p.cv.tau,
                    }
                    for p in predictors.values()
                ]
            ),
            key="fits",
        )
