"""What each choice costs and buys, with its confidence interval."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from foxnas_core.cards.analysis import Options, analysis
from foxnas_core.cards.card import Card
from foxnas_core.cards.given import Given
from foxnas_core.diagnostics.normality import p_text
from foxnas_core.errors import FoxnasError
from foxnas_core.explanation.coefficients import (
    choice_effects,
    coefficient_table,
    shares_effects,
    side_by_side,
)
from foxnas_core.explanation.sentences import sentence_table, with_rates
from foxnas_core.figures import coefficients as figures
from foxnas_core.figures.forms import forms_figure, forms_table
from foxnas_core.regression.features.form import COUNTED
from foxnas_core.regression.inference import KINDS, joint_tests
from foxnas_core.steps.fit import fit_each
from foxnas_core.table.metrics import Metric, in_a_sentence, metric_of

if TYPE_CHECKING:
    from foxnas_core.explanation.averages import AverageEffects
    from foxnas_core.regression.predictor import Predictor

OVER_CONTEXTS = ", averaged over the resolutions"
_STARS = (
    "Stars: * below .05, ** below .01, *** below .001, adjusted so that of all starred effects at "
    "most that share is false (Benjamini and Hochberg)."
)


def not_fitted(given: Given) -> str | None:
    """Nothing; raises what keeps the column from being fitted."""
    given.fitted  # noqa: B018
    return None


def none_fitted(given: Given) -> str | None:
    """Nothing; raises what keeps the first column from being fitted where none of both can be."""
    return None if given.mains() else not_fitted(given.into(given.column))


@analysis("Coefficients", "fit", "How well the regression fits", not_fitted)
def fit(given: Given) -> Card:
    """How one target is fitted, how well, and what to beware of."""
    predictor, target = given.fitted, given.fitted.target
    # Costs of blocks were measured, and whole networks may take more or less than their sum.
    alike = f", as all {predictor.rows:,} rows have it" if predictor.form.name == COUNTED else ""
    said = (
        f"Form {predictor.form.title}: {predictor.rows:,} rows, {predictor.parameters} parameters, "
        f"R² {predictor.r2:.3f} (adjusted {predictor.r2_adjusted:.3f}). On subnets that the fit "
        f"never saw: R² {predictor.cv.r2:.3f}, RMSE {target.text(predictor.cv.rmse)} "
        f"{target.difference_unit}, Kendall's tau {predictor.cv.tau:.3f}."
        if not predictor.is_counted
        else f"{predictor.form.title}: {target.word}, added up over the blocks of each "
        f"network{alike}."
    )
    if (ceiling := predictor.ceiling) is not None:
        value, low, high = (
            target.value_text(end) if math.isfinite(end) else "no bound"
            for end in (ceiling.value, ceiling.low, ceiling.high)
        )
        said += (
            f" Fitted as saturating at {value} (95 % interval {low} to {high}; likelihood ratio "
            f"{ceiling.statistic:.0f}, {p_text(ceiling.p)}): effects are in "
            f"{target.difference_unit} for a subnet of {target.value_text(predictor.link.center)}."
        )
    notes = [predictor.form.note] if predictor.form.note else []
    if predictor.left_out:
        notes.append(
            f"{predictor.left_out} measured rows failed a check of how they were measured and are "
            "left out; the page Measurements says which."
        )
    return Card(
        key=f"fit-{target.column}",
        title=target.label,
        sentence=said,
        stress=(predictor.form.title,),
        notes=tuple(notes),
        cautions=tuple(predictor.warnings),
    )


def _fits(given: Given) -> dict[str, "Predictor"]:
    """By column, what every target that can be fitted is predicted by."""
    found, _ = fit_each(given.table.targets, lambda column: given.into(column).fitted)
    return found


def nothing_fitted(given: Given) -> str | None:
    """Nothing; raises what keeps the first column from being fitted where no target can be."""
    return None if _fits(given) else not_fitted(given.into(given.column))


@analysis("Coefficients", "fits", "How each target is fitted", nothing_fitted)
def fits(given: Given) -> Card:
    """Every target that can be fitted, and how well it is."""
    rows = [
        {
            "target": p.target.named,
            "form": p.form.title,
            "link": "none" if p.link.is_identity else "saturating",
            "rows": p.rows,
            "left out": p.left_out,
            "parameters": p.parameters,
            "R²": p.r2,
            "adjusted R²": p.r2_adjusted,
            "cross-validated R²": p.cv.r2,
            "RMSE": p.cv.rmse,
            "tau": p.cv.tau,
        }
        for p in _fits(given).values()
    ]
    return Card(
        sentence="Cross-validated R², RMSE (in the target's unit) and tau, Kendall's rank "
        "correlation, are of subnets that no fit saw.",
        table=pd.DataFrame(rows),
    )


@analysis("Coefficients", "forms", "Which form suits a target", not_fitted)
def forms(given: Given) -> Card:
    """Why a form is recommended for one target; some seconds."""
    target = given.fitted.target
    found = given.recommendation(target.column, given.link)
    return Card(
        key=f"forms-{target.column}",
        title=f"Which form suits {in_a_sentence(target.label)}",
        sentence=found.sentence,
        table=found.table,
        draw=lambda: forms_figure(forms_table(found), target),
    )


def averaged(given: Given) -> tuple[dict[str, "AverageEffects"], list[str]]:
    """The average effects on each of `Given.main` that has some, by column, and why others have
    none, but for what is counted or summed and so needs none."""
    found, lacking = {}, []
    for column in given.main:
        try:
            found[column] = given.averages(column, given.told_at, given.intervals == "simultaneous")
        except FoxnasError as error:
            if not given.is_told(column):
                lacking.append(str(error))
    return found, lacking


def told(given: Given, column: str) -> dict[str, Any]:
    """The average effects on a column as a JSON document, or why it `lacks` them."""
    try:
        return given.averages(column).to_dict()
    except FoxnasError as error:
        return {"lacks": str(error)}


def _from_form(given: Given) -> bool:
    """Whether the form's effects are told: as asked for, or where there are no averages."""
    return given.effects == "form" or not averaged(given)[0]


def _effects(given: Given) -> tuple[list[Metric], pd.DataFrame, pd.DataFrame]:
    """The targets, the effects on them side by side, and each with its interval."""
    if _from_form(given):
        tables = {
            own.column: choice_effects(own.fitted, own.inferred, given.told_at)
            for own in given.mains()
        }
    else:
        tables = {column: found.table for column, found in averaged(given)[0].items()}
    effects = side_by_side(tables)
    targets = [metric_of(column) for column in tables]
    return targets, effects, figures.interval_table(effects, list(tables), targets)


def no_effects(given: Given) -> str | None:
    """Nothing where there are average effects; else as `none_fitted`."""
    return none_fitted(given) if _from_form(given) else None


def _defined(given: Given) -> str:
    """What the effects are of, and how they are bounded."""
    if given.told_at:
        where = f", at {given.at}"
    else:
        where = OVER_CONTEXTS if len(given.contexts) > 1 else ""
    if _from_form(given):
        return (
            f"By the regression's form{where}: the mean change in the prediction "
            "against the first choice, the other choices at random, as campaigns draw them. Bars "
            f"are 95 % intervals ({KINDS[given.intervals]}), which hold where the form does"
        )
    kind = KINDS["simultaneous" if given.intervals == "simultaneous" else "ordinary"]
    read = " and ".join(
        f"{found.rows:,} for {found.target.word}" for found in averaged(given)[0].values()
    )
    return (
        f"Averages over subnets drawn at random ({read}){where}: what a choice "
        "changes against the first one, the other choices as they were drawn. No form has to be "
        "true for them: they are differences of means, by least squares with a contrast for each "
        f"choice. Bars are 95 % intervals ({kind}; HC2, Satterthwaite's degrees of freedom)"
    )


def _read(given: Given) -> tuple[str, ...]:
    """What was left out of the averages and is assumed for them."""
    if _from_form(given):
        return ()
    found = averaged(given)[0].values()
    return tuple(dict.fromkeys(sentence for own in found for sentence in own.sentences))


def blocks(given: Given) -> list[str]:
    """What effects may be highlighted by: slots, or groups that have none."""
    _, effects, _ = _effects(given)
    return list(dict.fromkeys(effects["slot"].where(effects["slot"] != "", effects["group"])))


@analysis("Coefficients", "clearest", "The largest effect", no_effects)
def clearest(given: Given) -> Card:
    (target, *_), effects, intervals = _effects(given)
    row = effects.iloc[int(np.nanargmax(effects[target.column].abs()))]
    choice = f"{row['decision']} {row['choice']}"
    return Card(
        sentence=f"The largest effect on {in_a_sentence(target.label)}: {choice} instead of "
        f"{row['reference']}, {target.difference_text(row[target.column], signed=True)}. "
        f"{int((~intervals['clear']).sum())} of {len(intervals)} intervals span 0: there the data "
        "do not tell the sign.",
        stress=(choice,),
    )


@analysis("Coefficients", "words", "In plain words", no_effects)
def words(given: Given) -> Card:
    targets, effects, _ = _effects(given)
    return Card(
        sentence="Each choice against the first one, the clearest effect on "
        f"{in_a_sentence(targets[0].label)} first, with 95 % intervals. {_STARS}",
        table=sentence_table(effects, targets),
    )


def roles(given: Given) -> list[str]:
    """The roles of which a heatmap says more than the intervals do: those in several groups."""
    _, effects, _ = _effects(given)
    groups = effects.groupby("role", sort=False)["group"].nunique()
    return groups[groups > 1].index.tolist()


def _no_roles(given: Given) -> str | None:
    if no_effects(given) is None and not roles(given):
        return "No role of a choice is in several groups; the intervals say all there is."
    return None


def _roles(given: Given) -> Options:
    return {"role": {role: role.capitalize() for role in roles(given)}}


@analysis("Coefficients", "heatmap", "A choice by group", _no_roles, _roles)
def heatmap(given: Given, *, role: str = "") -> Card:
    """What one role's choices change wherever they are made."""
    role = role or roles(given)[0]
    targets, effects, _ = _effects(given)
    own = effects[effects["role"] == role]
    slotted = bool((own["position"] > 0).any())
    space = given.study.space
    if not slotted:
        what = "Each choice instead of the first one."
    elif own["slot"].ne(own["decision"].map(lambda d: space.by_name[d].slot)).any():
        what = "Adding each block, its own choices being average."
    else:
        first, last = own["reference"].iloc[0], own["choice"].iloc[-1]
        what = f"{role.capitalize()} {last} instead of {first}."
    return Card(
        key=f"heatmap-{role}",
        title=f"{role.capitalize()} by {'stage and block' if slotted else 'group'}",
        sentence=f"{what} Numbers in parentheses: the 95 % interval spans 0.",
        notes=repeated(_counted(given)),
        table=with_rates(own, own, targets),
        draw=lambda: figures.heatmap_figure(
            [figures.heatmap_of(effects, role, t) for t in targets]
        ),
    )


def _counted(given: Given) -> list[Metric]:
    """The targets of which several blocks have one number because their form counts them."""
    if _from_form(given):
        return [p.target for own in given.mains() if shares_effects((p := own.fitted).form)]
    return [f.target for f in averaged(given)[0].values() if f.form != "per_layer"]


def repeated(counted: Sequence[Metric]) -> tuple[str, ...]:
    """What a map says of targets whose form counts blocks."""
    if not counted:
        return ()
    words = " and ".join(target.word for target in counted)
    return (
        f"Of {words} the form counts the blocks after a stage's first without telling them apart: "
        "the map repeats one number for them, which is not measured for each.",
    )


def _no_context(given: Given) -> str | None:
    if no_effects(given) is None and not given.study.space.context:
        return "The input of this space has one resolution only, so there is nothing to compare."
    return None


@analysis("Coefficients", "context", "Input", _no_context)
def context(given: Given) -> Card:
    targets, _, every = _effects(given)
    rows = every[every["group"].isin(given.study.space.context)]
    return Card(
        sentence="What the input resolution changes, averaged over random blocks.",
        table=rows,
        draw=lambda: figures.interval_figure(rows, targets),
    )


@analysis("Coefficients", "choices", "Every choice with its interval", no_effects)
def choices(given: Given) -> Card:
    targets, _, every = _effects(given)
    rows = every[~every["group"].isin(given.study.space.context)]
    return Card(
        sentence=f"{_defined(given)}; where they span 0 the point is hollow.",
        notes=_read(given),
        cautions=() if given.effects == "form" else tuple(averaged(given)[1]),
        table=rows,
        draw=lambda: figures.interval_figure(rows, targets),
    )


@analysis("Coefficients", "tests", "Does a block matter at all?", not_fitted)
def tests(given: Given) -> Card:
    target = given.fitted.target
    return Card(
        key=f"tests-{target.column}",
        sentence=f"{target.label}: F-tests that no choice of a block, or of a whole stage, changes "
        "it; p adjusted over all tests (Benjamini and Hochberg).",
        table=joint_tests(given.fitted, given.inferred),
    )


def _ways(given: Given) -> Options:
    return {"as_fitted": {False: "Against the first choice", True: "As fitted (sum to zero)"}}


@analysis("Coefficients", "terms", "Terms of the regression", not_fitted, _ways)
def terms(given: Given, *, as_fitted: bool = False) -> Card:
    """The coefficients of one fit."""
    predictor = given.fitted
    return Card(
        key=f"terms-{predictor.target.column}",
        title=f"{predictor.target.label}: {predictor.parameters} terms",
        sentence="The coefficients of the fit: estimate, standard error, t, p and 95 % interval. "
        + (
            "Contrasts sum to zero, as they are fitted."
            if as_fitted
            else "Contrasts are shown as differences to the first choice."
        ),
        table=coefficient_table(predictor, given.inferred, as_fitted=as_fitted),
    )
