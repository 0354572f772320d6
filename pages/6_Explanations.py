"""Which blocks predictions come from, through four lenses, and how far the lenses agree."""

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from foxnas_core.errors import MissingPart
from foxnas_core.explanation.agreement import rank_agreement
from foxnas_core.explanation.permutation import REPEATS
from foxnas_core.explanation.second_opinion import FOLDS
from foxnas_core.families import family_of
from foxnas_core.figures.effects import waterfall_figure
from foxnas_core.figures.explanations import (
    agreement_figure,
    agreement_table,
    dependence_figure,
    lens_figure,
    lens_table,
    swarm_figure,
    swarm_table,
)
from foxnas_core.regression import Predictor
from foxnas_core.space.architecture import Architecture
from foxnas_core.study import Study
from foxnas_core.table.measurements import MeasurementTable
from pages.shared import cache, choices
from pages.shared.cost import chosen_cost
from pages.shared.editor import architecture_picker, reference_name
from pages.shared.frame import errors_as_cards, page
from pages.shared.panel import block_picker, panel
from pages.shared.second_opinion import OPINION, show_interactions, show_second_opinion
from pages.shared.text import plain

ONE, ALL = "One subnet", "The whole space"
PERMUTATION = "Permutation importance"


def target_picker(table: MeasurementTable) -> str:
    """Draw the picker of the explained target and return its column."""
    targets = {t.column: t.label for t in table.targets if t.quality or t.timed}
    if not targets or not len(table):
        raise MissingPart(
            "This study has no measured accuracy or latency to explain yet; measure subnets with "
            "'python -m foxnas_core measure' or import a table."
        )
    chosen = choices.remembered("explained-target")
    choices.show("explained-target", chosen if chosen in targets else next(iter(targets)))
    return st.selectbox(
        "Explain the prediction of",
        list(targets),
        format_func=lambda column: targets.get(column, column),
        key="explained-target",
        on_change=choices.on_change(
            "explained-target", lambda column: choices.remember("explained-target", column)
        ),
    )


def scope_picker() -> str:
    """Draw the control of what is explained and return it."""
    choices.show("explained-scope", choices.remembered("explained-scope") or ALL)
    return st.segmented_control(
        "Through four lenses",
        [ALL, ONE],
        required=True,
        key="explained-scope",
        on_change=choices.on_change(
            "explained-scope", lambda scope: choices.remember("explained-scope", scope)
        ),
    )


def lens_toggle(name: str, label: str, help: str) -> bool:
    """Draw the switch of a lens that takes longer; it holds when one comes back."""
    key = f"lens-{name}"
    choices.show(key, bool(choices.remembered(key)))
    return st.toggle(
        label,
        key=key,
        help=help,
        on_change=choices.on_change(key, lambda on: choices.remember(key, on)),
    )


def explained_architecture(study: Study, table: MeasurementTable) -> Architecture:
    """The architecture of the choices, with the ways to pick another one."""
    latency = chosen_cost(study)
    if latency is not None and study.objective.column in [t.column for t in table.targets]:
        return architecture_picker(study, latency)
    st.caption(
        f"Without {study.objective.word} and {study.cost.word} there is no best subnet; this is "
        f"{reference_name(study.space)}."
    )
    return choices.chosen_architecture(study.space) or family_of(study.space).reference(study.space)


def show_agreement(
    lenses: Mapping[str, pd.DataFrame], missing: list[str], predictor: Predictor, *, signed: bool
) -> None:
    """All lenses computed so far beside their rank correlations."""
    left, right = st.columns([3, 2], gap="large")
    values = lens_table(lenses)
    unlike = "" if signed or "permutation" not in lenses else (
        " Permutation is the increase of the error, the others are mean absolute contributions."
    )  # fmt: skip
    with left:
        panel(
            "Blocks by lens",
            "What each block adds to this prediction against the average measured subnet, with "
            "95 % intervals where the lens has them."
            if signed
            else "How much each block matters, with intervals where the lens has them." + unlike,
            values,
            lens_figure(values, predictor.target, signed=signed),
            key="lenses",
        )
        block_picker(dict.fromkeys(values["block"]))
    with right, errors_as_cards():
        agreement = rank_agreement(
            {name: own.set_index("block")["value"] for name, own in lenses.items()}
        )
        panel(
            "Agreement",
            plain(agreement.sentence()),
            agreement_table(agreement),
            agreement_figure(agreement),
            key="agreement",
        )
        st.caption(
            f"Rank correlation (Kendall's tau) of {len(agreement.ranks)} blocks"
            + (" by what they add." if signed else " by importance.")
            + (f" Not computed yet: {' and '.join(missing)}." if missing else "")
        )
    if predictor.link.is_identity and not any(t.scaled for t in predictor.form.terms):
        same = (
            "Coefficients, Shapley values and partial dependence"
            if signed
            else "Coefficients and Shapley values"
        )
        st.caption(
            f"{same} have the same values here by their definitions, since this regression is a "
            "plain sum; the second opinion is the independent check."
        )


def show_coefficients(table: pd.DataFrame, predictor: Predictor, *, signed: bool) -> None:
    """The first lens."""
    scale = "" if predictor.link.is_identity else " A point is one at the average subnet."
    if any(term.scaled for term in predictor.form.terms):
        scale = " What the resolution makes of a block is in the block's value."
    panel(
        "Regression coefficients",
        (
            "The block's own terms times their coefficients, less the average over the measured "
            "subnets; 95 % confidence intervals."
            if signed
            else "Mean absolute contribution of the block's terms over the measured subnets; 95 % "
            "confidence intervals."
        )
        + scale,
        table,
        lens_figure(lens_table({"coefficients": table}), predictor.target, signed=signed),
        key="coefficients",
    )


def show_waterfall(study: Study, predictor: Predictor, architecture: Architecture) -> None:
    """Shapley values of one subnet."""
    target = predictor.target
    found = cache.shapley_of(study, target.column, architecture)
    values = found.values.iloc[0]
    table = pd.DataFrame({"what": values.index, "effect": values.to_numpy()})
    panel(
        "Shapley values",
        f"From the average measured subnet, {target.text(found.base)} {target.unit}, to this one: "
        "each block's share, averaged over every order in which blocks could be exchanged. They "
        "add up to this prediction.",
        table,
        waterfall_figure(
            table, target, start=found.base, first="average subnet", last="this subnet"
        ),
        key="waterfall",
    )


def show_swarm(study: Study, table: MeasurementTable, predictor: Predictor) -> None:
    """Shapley values of all measured subnets."""
    decisions = study.space.decisions
    roles = list(dict.fromkeys(d.role for d in decisions if d.slot)) or [""]
    st.header("Shapley values")
    role = roles[0]
    if len(roles) > 1:
        role = st.segmented_control("Colour by", roles, default=roles[0], required=True, key="role")
    found = cache.shapley_of(study, predictor.target.column, None)
    swarm = swarm_table(found, table.codes, predictor.form, role)
    panel(
        "",
        f"A dot for each of {len(found.values)} measured subnets: what the block adds to its "
        "prediction against the average one, largest blocks first. Grey: the block is off.",
        swarm.drop(columns=["level", "jitter"]),
        swarm_figure(swarm, predictor.target, role),
        key="beeswarm",
    )


def show_permutation(study: Study, predictor: Predictor, *, on: bool) -> None:
    """The third lens, over all measured subnets."""
    title, target = "Permutation importance", predictor.target
    if not on:
        st.header(title)
        st.info(
            f"Not computed yet; switch on '{PERMUTATION}' above to shuffle each block {REPEATS} "
            "times among the measured subnets, which takes a few seconds."
        )
        return
    found = cache.permutation_of(study, target.column)
    panel(
        title,
        f"How much the error (RMSE, {target.text(found.rmse)} {target.difference_unit} as fitted) "
        f"grows when a block is shuffled among the measured subnets: mean of {REPEATS} shuffles "
        "and the range of the middle 95 % of them.",
        found.table,
        lens_figure(lens_table({"permutation": found.table}), target, signed=False),
        key="permutation",
    )
    st.caption(
        "Shuffling may make subnets that the space excludes, which a regression that is a sum "
        "values all the same."
    )
    with st.expander("Every shuffle"):
        panel("", "", found.repeats, key="permutation-repeats")


def show_dependence(study: Study, predictor: Predictor) -> None:
    """Partial dependence on every choice."""
    table = cache.dependence_of(study, predictor.target.column, None)
    panel(
        "Partial dependence",
        "Mean prediction when every measured subnet that has the block takes the choice, with "
        "95 % confidence intervals. A block that a greater depth opens is one of a random "
        "measured subnet.",
        table,
        dependence_figure(table, predictor.target),
        key="dependence",
    )


def show_block_dependence(table: pd.DataFrame, predictor: Predictor) -> None:
    """Partial dependence on one subnet's blocks."""
    panel(
        "Partial dependence",
        "How the mean prediction moves when every measured subnet takes over this subnet's block; "
        "95 % confidence intervals.",
        table,
        lens_figure(lens_table({"partial dependence": table}), predictor.target, signed=True),
        key="dependence",
    )


with page(
    "Explanations",
    "Which blocks a prediction comes from, seen through four lenses, and how far they agree.",
) as study:
    table = cache.table_of(study)
    left, right = st.columns(2)
    with left:
        column = target_picker(table)
    with right:
        scope = scope_picker()
    predictor = cache.predictor_of(study, column)
    target = predictor.target
    one = explained_architecture(study, table) if scope == ONE else None
    signed = one is not None
    if one is not None:
        predicted = predictor.predict([one]).iloc[0]
        st.write(
            f"Predicted {plain(target.label.lower())}: **{target.text(predicted['value'])} "
            f"{target.unit}**, 95 % confidence interval {target.text(predicted['low'])} to "
            f"{target.text(predicted['high'])}."
        )

    row = st.container(horizontal=True)
    with row:
        permute = not signed and lens_toggle(
            "permutation",
            PERMUTATION,
            f"Shuffles each block {REPEATS} times among the measured subnets; a few seconds, once.",
        )
        trees = lens_toggle(
            "second-opinion",
            OPINION,
            f"Fits an explainable boosting machine, and {FOLDS} more to test it on subnets it "
            "never saw; 10 to 20 seconds, once.",
        )
    lenses, missing = {}, []
    lenses["coefficients"] = cache.block_effects_of(study, column, one)
    shapley = cache.shapley_of(study, column, one)
    worth = shapley.values.iloc[0] if signed else shapley.importance()
    lenses["Shapley values"] = worth.rename_axis("block").reset_index(name="value")
    if one is not None:
        lenses["partial dependence"] = cache.dependence_of(study, column, one)
    elif permute:
        lenses["permutation"] = cache.permutation_of(study, column).table
    else:
        missing.append("permutation importance")
    opinion = None
    if trees:
        with errors_as_cards():
            opinion = cache.second_opinion_of(study, column)
            lenses["second opinion"] = opinion.importance
    local = None
    if opinion is None:
        missing.append("the second opinion")
    elif one is not None:
        adds = opinion.contributions([one]).iloc[0]
        local = lenses["second opinion"] = adds.rename_axis("block").reset_index(name="value")
    show_agreement(lenses, missing, predictor, signed=signed)
    if not table.ordered:
        st.caption(
            "The measured table does not tell the order of the blocks after a stage's first: they "
            "are one block here, and where a single one of them is named, they stand in a fixed "
            "order."
        )

    left, right = st.columns(2, gap="large")
    if one is not None:
        with left:
            show_waterfall(study, predictor, one)
        with right:
            show_coefficients(lenses["coefficients"], predictor, signed=True)
        left, right = st.columns(2, gap="large")
        with left:
            show_block_dependence(lenses["partial dependence"], predictor)
        with right:
            show_second_opinion(opinion, local, predictor)
    else:
        with left:
            show_coefficients(lenses["coefficients"], predictor, signed=False)
        with right:
            show_permutation(study, predictor, on=permute)
        show_swarm(study, table, predictor)
        show_dependence(study, predictor)
        left, right = st.columns(2, gap="large")
        with left:
            show_second_opinion(opinion, None, predictor)
        if opinion is not None:
            with right:
                show_interactions(opinion, predictor)
