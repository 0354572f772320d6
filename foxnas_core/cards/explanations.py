"""Which blocks predictions come from, seen through four lenses, and how far these agree.

What is explained is the architecture that was chosen or, without one, the whole space.
"""

from contextlib import suppress
from typing import TYPE_CHECKING

import pandas as pd

from foxnas_core.cards.analysis import Options, analysis
from foxnas_core.cards.card import Card
from foxnas_core.cards.coefficients import not_fitted
from foxnas_core.cards.given import Given
from foxnas_core.cards.sharing import shared
from foxnas_core.errors import FoxnasError
from foxnas_core.explanation.agreement import rank_agreement
from foxnas_core.explanation.blocks import read_together
from foxnas_core.explanation.permutation import REPEATS
from foxnas_core.explanation.second_opinion import FOLDS
from foxnas_core.figures import explanations as figures
from foxnas_core.figures.effects import waterfall_figure
from foxnas_core.regression.predictor import CrossValidation
from foxnas_core.space.architecture import Architecture
from foxnas_core.table.metrics import Metric

if TYPE_CHECKING:
    from foxnas_core.explanation.permutation import PermutationImportance
    from foxnas_core.explanation.second_opinion import SecondOpinion
    from foxnas_core.explanation.shapley import BlockShapley

PERMUTATION = "Permutation importance"
TREES = "Second opinion (boosted trees)"


# What lenses find: of all measured subnets, or of one architecture


@shared(entries=64)
def block_effects_of(given: Given, column: str, architecture: Architecture | None) -> pd.DataFrame:
    """The coefficients' share of each block; raises as `Given.predictor`."""
    from foxnas_core.explanation.block_effects import block_effects, mean_block_effects

    predictor, background = given.predictor(column), given.background
    if architecture is None:
        return mean_block_effects(predictor, background=background)
    return block_effects(predictor, architecture=architecture, background=background)


@shared(entries=64, spinner="Computing Shapley values …")
def shapley_of(given: Given, column: str, architecture: Architecture | None) -> "BlockShapley":
    """Shapley values of blocks against all measured subnets, of one or of those `explained`; raises
    as `block_shapley`."""
    from foxnas_core.explanation.shapley import block_shapley, explained

    predictor, every = given.predictor(column), given.background
    chosen = explained(predictor, every) if architecture is None else [architecture]
    return block_shapley(predictor, architectures=chosen, background=every)


@shared(entries=64, spinner="Computing partial dependence …")
def dependence_of(given: Given, column: str, architecture: Architecture | None) -> pd.DataFrame:
    """Partial dependence on every choice, or on one architecture's blocks; raises as
    `Given.predictor`."""
    from foxnas_core.explanation.permutation import block_dependence, partial_dependences

    predictor, background = given.predictor(column), given.background
    if architecture is None:
        return partial_dependences(predictor, background=background)
    return block_dependence(predictor, architecture=architecture, background=background)


@shared(spinner="Shuffling each block 30 times, which takes a few seconds …")
def permutation_of(given: Given, column: str) -> "PermutationImportance":
    """Permutation importance of each block; raises as `permutation_lens`."""
    from foxnas_core.explanation.permutation import permutation_lens

    return permutation_lens(given.predictor(column), given.table)


@shared(entries=8, spinner="Fitting boosted trees six times, which takes about 10 to 20 seconds …")
def second_opinion_of(given: Given, column: str) -> "SecondOpinion":
    """Boosted trees fitted to the measured subnets; raises as `second_opinion`."""
    from foxnas_core.explanation.second_opinion import second_opinion

    return second_opinion(given.predictor(column), given.table)


# What is told of them


def targets(given: Given) -> dict[str, str]:
    """What can be explained, with its label: all that is no mere count of what a network has."""
    return {t.column: t.label for t in given.table.targets if t.quality or t.timed or t.is_extra}


def _one(given: Given) -> str | None:
    if given.architecture is not None:
        return "This tells of the whole space; leave the architecture out."
    return not_fitted(given)


def _slower(given: Given) -> Options:
    trees = {False: "Without boosted trees", True: f"With a {TREES.lower()}"}
    if given.architecture is not None:
        return {"trees": trees}
    shuffled = {False: "Without permutation", True: f"With {PERMUTATION.lower()}"}
    return {"trees": trees, "permutation": shuffled}


def _by_block(values: pd.Series) -> pd.DataFrame:
    return values.rename_axis("block").reset_index(name="value")


def _trees(given: Given) -> pd.DataFrame:
    """What the trees say of each block; raises as `second_opinion`."""
    opinion, one = second_opinion_of(given, given.column), given.architecture
    return opinion.importance if one is None else _by_block(opinion.contributions([one]).iloc[0])


def same_lenses(given: Given) -> bool:
    """Whether coefficients, Shapley values and, of one architecture, partial dependence have the
    same values by their definitions: where the regression is a plain sum over blocks."""
    form, link = given.fitted.form, given.fitted.link
    return link.is_identity and all(len(players) < 2 for players in read_together(form))


def _lenses(given: Given, permutation: bool, trees: bool) -> dict[str, pd.DataFrame]:
    """Each lens's values by block, those that are the same by definition once; without those that
    take longer and were not asked for."""
    column, one = given.column, given.architecture
    found = {"coefficients": block_effects_of(given, column, one)}
    if not same_lenses(given):
        shapley = shapley_of(given, column, one)
        values = shapley.importance() if one is None else shapley.values.iloc[0]
        found["Shapley values"] = _by_block(values)
        if one is not None:
            found["partial dependence"] = dependence_of(given, column, one)
    if one is None and permutation:
        found["permutation"] = permutation_of(given, column).table
    if trees:
        with suppress(FoxnasError):  # which their own card says
            found["second opinion"] = _trees(given)
    return found


def blocks(given: Given) -> list[str]:
    """What may be highlighted, the blocks that matter most first."""
    return list(dict.fromkeys(figures.lens_table(_lenses(given, False, False))["block"]))


def _drawn(lens: str, table: pd.DataFrame, given: Given, sentence: str) -> Card:
    """One lens alone."""
    target, signed = given.fitted.target, given.architecture is not None
    drawn = figures.lens_table({lens: table})
    return Card(
        table=table,
        draw=lambda: figures.lens_figure(drawn, target, signed=signed),
        sentence=sentence,
    )


@analysis("Explanations", "prediction", "The prediction", not_fitted)
def prediction(given: Given) -> Card:
    """What is explained."""
    target = given.fitted.target
    if given.architecture is None:
        average = target.value_text(shapley_of(given, given.column, None).base)
        said = f"Predicted {target.word} of the average measured subnet: {average}."
        return Card(sentence=said, stress=(average,))
    found = given.fitted.predict([given.architecture]).iloc[0]
    value = target.value_text(found["value"])
    return Card(
        sentence=f"Predicted {target.word}: {value}, 95 % confidence interval "
        f"{target.text(found['low'])} to {target.text(found['high'])}.",
        stress=(value,),
    )


@analysis("Explanations", "lenses", "Blocks by lens", not_fitted, _slower)
def lenses(given: Given, *, permutation: bool = False, trees: bool = False) -> Card:
    """All lenses beside each other."""
    found, signed = _lenses(given, permutation, trees), given.architecture is not None
    target, table = given.fitted.target, figures.lens_table(found)
    told = "How much each block matters, with intervals where the lens has them."
    if signed:
        told = (
            "What each block adds to this prediction against the average measured subnet, with "
            "95 % intervals where the lens has them."
        )
    elif "permutation" in found:
        told += " Permutation is the increase of the error, the others are mean absolute "
        told += "contributions."
    return Card(
        sentence=told,
        notes=tuple(filter(None, [_same(given)])),
        table=table,
        draw=lambda: figures.lens_figure(table, target, signed=signed),
    )


def _same(given: Given) -> str:
    """Why some lenses are shown as one; "" where none are."""
    if not same_lenses(given):
        return ""
    same = "Coefficients, Shapley values and partial dependence"
    if given.architecture is None:
        same = "Coefficients and Shapley values"
    return (
        f"{same} have the same values here by their definitions, since this regression is a plain "
        "sum, and are shown once; the second opinion is the independent check."
    )


@analysis("Explanations", "agreement", "Agreement", not_fitted, _slower)
def agreement(given: Given, *, permutation: bool = False, trees: bool = False) -> Card:
    """How far the lenses agree on the order of the blocks."""
    found, signed = _lenses(given, permutation, trees), given.architecture is not None
    if len(found) < 2:
        return Card(
            sentence="There is one lens so far, which has nothing to agree with; switch on another "
            f"one. {_same(given)}".strip(),
            tone="info",
        )
    agreed = rank_agreement({name: own.set_index("block")["value"] for name, own in found.items()})
    missing = [
        *([] if signed or permutation else [PERMUTATION.lower()]),
        *([] if trees else ["the second opinion"]),
    ]
    notes = [
        f"Rank correlation (Kendall's tau) of {len(agreed.ranks)} blocks by "
        f"{'what they add' if signed else 'importance'}."
        + (f" Not computed yet: {' and '.join(missing)}." if missing else "")
    ]
    if same := _same(given):
        notes.append(same)
    if not given.table.ordered:
        notes.append(
            "The measured table does not tell the order of the blocks after a stage's first: they "
            "are one block here, and where a single one of them is named, they stand in a fixed "
            "order."
        )
    return Card(
        sentence=agreed.sentence(),
        table=agreed.pairs,
        draw=lambda: figures.agreement_figure(agreed),
        notes=tuple(notes),
    )


@analysis("Explanations", "coefficients", "Regression coefficients", not_fitted)
def coefficients(given: Given) -> Card:
    """The first lens."""
    predictor, signed = given.fitted, given.architecture is not None
    told = (
        "The block's own terms times their coefficients, less the average over the measured "
        "subnets; 95 % confidence intervals."
        if signed
        else "Mean absolute contribution of the block's terms over the measured subnets; 95 % "
        "confidence intervals."
    )
    if any(term.scaled for term in predictor.form.terms):
        told += " What the resolution makes of a block is in the block's value."
    elif not predictor.link.is_identity:
        told += f" {_unit(predictor.target)} is one at the average subnet."
    table = block_effects_of(given, given.column, given.architecture)
    return _drawn("coefficients", table, given, sentence=told)


def _unit(target: Metric) -> str:
    return "A point" if target.difference_unit == "points" else "A unit"


def _roles(given: Given) -> Options:
    roles = list(dict.fromkeys(d.role for d in given.study.space.decisions if d.slot))
    if given.architecture is not None or len(roles) < 2:
        return {}
    return {"role": {role: role.capitalize() for role in roles}}


@analysis("Explanations", "shapley", "Shapley values", not_fitted, _roles)
def shapley(given: Given, *, role: str = "") -> Card:
    """The second lens: of all measured subnets, coloured by the choice of one role, or of one."""
    target, found = given.fitted.target, shapley_of(given, given.column, given.architecture)
    if given.architecture is not None:
        values = found.values.iloc[0]
        table = pd.DataFrame({"what": values.index, "effect": values.to_numpy()})
        return Card(
            key="waterfall",
            sentence=f"From the average measured subnet, {target.value_text(found.base)}, to this "
            "one: each block's share, averaged over every order in which blocks could be "
            "exchanged. They add up to this prediction.",
            table=table,
            draw=lambda: waterfall_figure(
                table, target, start=found.base, first="average subnet", last="this subnet"
            ),
        )
    role = role or next((d.role for d in given.study.space.decisions if d.slot), "")
    codes = given.study.space.encode([given.table.measured(own) for own in found.values.index])
    swarm = figures.swarm_table(found, codes, given.fitted.form, role)
    return Card(
        key="beeswarm",
        sentence=f"A dot for each of {len(found.values)} measured subnets: what the block adds to "
        "its prediction against the average one, largest blocks first. Grey: the block is off.",
        table=swarm.drop(columns=["level", "jitter"]),
        draw=lambda: figures.swarm_figure(swarm, target, role),
    )


@analysis("Explanations", "permutation", PERMUTATION, _one)
def permutation(given: Given) -> Card:
    """The third lens, over all measured subnets; some seconds."""
    target, found = given.fitted.target, permutation_of(given, given.column)
    rmse = f"RMSE, {target.text(found.rmse)} {target.difference_unit}".strip()
    return _drawn(
        "permutation",
        found.table,
        given,
        sentence=f"How much the error ({rmse} as fitted) grows when a block is shuffled among the "
        f"measured subnets: mean of {REPEATS} shuffles and the range of the middle 95 % of "
        "them. Shuffling may make subnets that the space excludes, which a regression that is a "
        "sum values all the same.",
    )


@analysis("Explanations", "permutation-repeats", "Every shuffle", _one)
def repeats(given: Given) -> Card:
    return Card(
        sentence="What each shuffle of each block adds to the error.",
        table=permutation_of(given, given.column).repeats,
    )


@analysis("Explanations", "dependence", "Partial dependence", not_fitted)
def dependence(given: Given) -> Card:
    """On every choice or, as the third lens on one subnet, on its blocks."""
    table = dependence_of(given, given.column, given.architecture)
    if given.architecture is not None:
        return _drawn(
            "partial dependence",
            table,
            given,
            sentence="How the mean prediction moves when every measured subnet takes over this "
            "subnet's block; 95 % confidence intervals.",
        )
    return Card(
        sentence="Mean prediction when every measured subnet that has the block takes the choice, "
        "with 95 % confidence intervals. A block that a greater depth opens is one of a random "
        "measured subnet.",
        table=table,
        draw=lambda: figures.dependence_figure(table, given.fitted.target),
    )


def against_regression(theirs: CrossValidation, ours: CrossValidation, target: Metric) -> str:
    """How trees predict what they never saw, and how the regression does."""
    error = "a smaller" if theirs.rmse < ours.rmse else "a larger"
    return (
        f"On subnets they never saw ({FOLDS} folds): R² {theirs.r2:.3f}, RMSE "
        f"{target.text(theirs.rmse)} {target.difference_unit}, Kendall's tau {theirs.tau:.3f}. "
        f"That is {error} error than the regression's, which has {ours.r2:.3f}, "
        f"{target.text(ours.rmse)} and {ours.tau:.3f}."
    )


@analysis("Explanations", "second-opinion", "Second opinion: boosted trees", not_fitted)
def second_opinion(given: Given) -> Card:
    """The fourth lens: trees that know nothing of the regression's form; 10 to 20 seconds."""
    theirs = second_opinion_of(given, given.column).cv
    told = against_regression(theirs, given.fitted.cv, given.fitted.target)
    if given.architecture is None:
        told += " Intervals span the fits on resampled subnets."
    return _drawn("second opinion", _trees(given), given, sentence=told)


@analysis("Explanations", "second-opinion-terms", "Every term", _one)
def terms(given: Given) -> Card:
    return Card(
        sentence="How much each term of the trees matters.",
        table=second_opinion_of(given, given.column).terms,
    )


@analysis("Explanations", "interactions", "Interactions", _one)
def interactions(given: Given) -> Card:
    """The pairs of choices that the trees found to depend on each other."""
    target = given.fitted.target
    pairs = figures.interaction_table(second_opinion_of(given, given.column).interactions)
    if pairs.empty:
        return Card(sentence="The trees found no pair of choices that depend on each other.")
    across, strongest = int((~pairs["in a sum over stages"]).sum()), pairs.iloc[0]
    return Card(
        sentence=f"The strongest pair: {strongest['pair']}, {strongest['where']}, "
        f"{target.text(strongest['strength'])} {target.difference_unit}. {across} of {len(pairs)} "
        "pairs are across stages, which a regression that adds up over stages can't hold; the "
        "others it could.",
        stress=(strongest["pair"],),
        table=pairs,
        draw=lambda: figures.interaction_figure(pairs, target),
    )
