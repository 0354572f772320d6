"""What operations of edges are worth to the supernet, beside their weights in the mixture, beside
regressions on measured subnets and the truth where a table has it."""

import math
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from foxnas_core.cards.analysis import Analysis, Options, analysis
from foxnas_core.cards.card import Card
from foxnas_core.cards.given import Given, known
from foxnas_core.cards.kept_selections import kept_selections
from foxnas_core.cards.sharing import once, shared
from foxnas_core.errors import FoxnasError
from foxnas_core.evidence.operations import WAYS, agreements, with_effects, worth
from foxnas_core.evidence.trust.agreement import RankAgreement
from foxnas_core.families import family_of
from foxnas_core.figures import operations as figures
from foxnas_core.methods.on_supernet import mixture_file
from foxnas_core.search.selections import SELECTIONS, SupernetSelection
from foxnas_core.space.mixture import Mixture
from foxnas_core.study import file_hash
from foxnas_core.study.parts import MIXTURE
from foxnas_core.table.metrics import Metric, metric_of

if TYPE_CHECKING:
    from foxnas_core.explanation.averages import AverageEffects

MAGNITUDE, PERTURBATION = "magnitude", "perturbation"
_NARROW = 6  # operations


class Beside(NamedTuple):
    """Average effects of choices on the objective, and the study whose table tells them."""

    given: Given
    effects: "AverageEffects"

    @property
    def where(self) -> str:
        return f"{self.effects.rows:,} measured cells of study {self.given.study.name!r}"


# What there is


def mixture_of(given: Given) -> Mixture | None:
    """The mixture of the study's space; None where its supernet is none."""
    return family_of(given.study.space).mixture(given.study.space)


def is_narrow(given: Given) -> bool:
    """Whether two maps of its operations can be read beside each other."""
    mixture = mixture_of(given)
    return mixture is not None and len(mixture.edges[0].operations) <= _NARROW


def selections_of(given: Given) -> dict[str, SupernetSelection]:
    """The newest kept selections by id, those that are damaged or of another space left out."""
    mixture = mixture_of(given)
    if mixture is None:
        return {}
    names = {edge.name for edge in mixture.edges} | {own.name for own in mixture.junctions}
    return {
        key: own
        for key, own in kept_selections(given).items()
        if {decision.edge for decision in own.decisions} == names
    }


@shared("supernet.safetensors", MIXTURE, table=False)
def weights_of(given: Given) -> str:
    """The hash of the mixture that is selected by; "" where there is none."""
    file = mixture_file(given.study)
    return file_hash(file) if file.exists() else ""


@shared("supernet.safetensors", MIXTURE, table=False)
def by_magnitude(given: Given) -> SupernetSelection | None:
    """What the study's architecture parameters select; None where they can't."""
    from foxnas_core.methods import Question, method_of

    method, question = method_of(MAGNITUDE), Question(given.study.objective.column)
    if method.needs(given.study, question):
        return None
    document = method.run(given.study, question).document
    return SELECTIONS.value({"format": 1, **document})


def perturbed(given: Given) -> dict[str, SupernetSelection]:
    """The kept selections by perturbation, those of the study's present weights first."""
    own = {k: own for k, own in selections_of(given).items() if own.method == PERTURBATION}
    present = weights_of(given)
    return dict(sorted(own.items(), key=lambda one: one[1].settings.get("checkpoint") != present))


def shown(given: Given, selection: str) -> SupernetSelection:
    """The kept selection of an id, by default the first of `perturbed`."""
    found = perturbed(given)
    return found.get(selection) or next(iter(found.values()))


def no_perturbation(given: Given) -> str | None:
    """Why there is no selection by perturbation to look at."""
    if mixture_of(given) is None:
        return (
            f"Space {given.study.space.name!r} is of family {given.study.space.family!r}, whose "
            "supernet mixes no operations; choose a study of cells."
        )
    if perturbed(given):
        return None
    return (
        "Nothing was selected by perturbation in this study yet; run one, here or with 'python -m "
        f"foxnas_core select --study {given.folder} --method {PERTURBATION}'."
    )


def selection_options(given: Given) -> Options:
    return {"selection": {key: title_of(own) for key, own in perturbed(given).items()}}


def title_of(selection: SupernetSelection) -> str:
    tuned = selection.settings.get("epochs")
    count = "1 epoch" if tuned == 1 else f"{tuned} epochs"
    told = f", {count} of fine-tuning" if tuned is not None else ""
    return f"{selection.method}, seed {selection.seed}{told}: {selection.selected.id}"


def objective_of(given: Given) -> Metric:
    return metric_of(given.study.objective.column)


def other_weights(given: Given, selection: SupernetSelection) -> tuple[str, ...]:
    """A caution where a selection was made by other weights than the study's present ones."""
    own = selection.settings.get("checkpoint")
    if weights_of(given) in ("", own):
        return ()
    return (
        f"This selection was made by checkpoint {own}, and the study has another one now; select "
        "anew to see what this one misses.",
    )


# Beside measured tables


def tables(given: Given) -> Iterator[Given]:
    """The study, and those beside it whose architectures are made of the same choices."""
    other: Given | None = given
    while other is not None:
        if same_choices(given, other):
            yield other
        other = other.beside


def same_choices(given: Given, other: Given) -> bool:
    """Whether the architectures of two studies are made of the same choices."""
    one, two = ({d.name: d.choices for d in g.study.space.decisions} for g in (given, other))
    return one == two


def measured(given: Given, *, whole: bool) -> Beside | None:
    """The average effects of choices in the first of `tables` that holds every cell, or the first
    that holds but some; None where there is none."""
    for other in tables(given):
        with suppress(FoxnasError):
            column = other.study.objective.column
            if (other.whole_table((column,)) is not None) == whole:
                return Beside(other, other.averages(column))
    return None


@once
def worth_of(given: Given, selection: str) -> pd.DataFrame:
    """`evidence.operations.worth` of a kept selection, with the ways that tables beside tell."""
    table = worth(shown(given, selection), known(mixture_of(given)))
    for way, whole in (("coefficient", False), ("effect", True)):
        if found := measured(given, whole=whole):
            sign = found.effects.target.sign
            table = with_effects(table, way, found.effects.table, sign)
            if whole:
                table[f"{way}_error"] *= 0.0
    return table


@once
def agreed(given: Given, selection: str) -> list[RankAgreement]:
    return agreements(worth_of(given, selection))


# The cards


def _tau(found: RankAgreement) -> str:
    if not math.isfinite(found.tau):
        return "not told"
    return f"{found.tau:.2f} ({found.low:.2f} to {found.high:.2f})"


@analysis("Select", "claim", "What the supernet says", no_perturbation, selection_options)
def claim(given: Given, *, selection: str = "") -> Card:
    """Whether what a supernet misses is what its architecture parameters hold dear, in numbers."""
    found = shown(given, selection)
    pairs = {(own.inherited, own.trained): own for own in agreed(given, selection)}
    chance = sum(own.by_chance for own in found.decisions)
    own = pairs.get(("lost", "weight"))
    if own is None or not math.isfinite(own.tau):
        said = "The weights in the mixture are equal, so that they prefer no operation."
    else:
        how = (
            "in much the same order" if own.low > 0
            else "in much the opposite order" if own.high < 0
            else "in orders of which it can't be told that they have anything in common"
        )  # fmt: skip
        said = (
            "What the supernet loses without an operation and the weight that it gives it stand "
            f"{how}: Kendall's τ within edges is {_tau(own)}, {100 * own.same_order:.0f} % of the "
            "pairs of operations in the same order."
        )
    points = [
        _against(pairs, way, f"{word} {beside.where}")
        for way, word in (("coefficient", "coefficients of"), ("effect", "effects in"))
        if (beside := measured(given, whole=way == "effect"))
    ]  # fmt: skip
    points.append(
        f"Chance made {chance} of {len(found.decisions)} decisions: their margin was under two "
        "standard errors."
    )
    first, last = found.decisions[0].base, found.decisions[-1].after
    metric = objective_of(given)
    if first is not None and last is not None:
        points.append(
            f"The supernet's {metric.word} went from {metric.value_text(first)} before the first "
            f"decision to {metric.value_text(last)} after the last."
        )
    return Card(
        title=f"What the supernet says: subnet {found.selected.id}",
        sentence=said, points=tuple(filter(None, points)),
        table=figures.decision_table(given.study.space, found),
        cautions=other_weights(given, found),
        notes=(f"It selected {found.selected.string}.",),
    )  # fmt: skip


def _against(pairs: dict[tuple[str, str], RankAgreement], way: str, where: str) -> str:
    """How losses and weights stand to what was measured."""
    lost, weight = pairs.get(("lost", way)), pairs.get(("weight", way))
    if lost is None or not math.isfinite(lost.tau):
        return ""
    if weight is None or not math.isfinite(weight.tau):
        return f"Against {where} losses stand at τ {_tau(lost)}; weights order nothing."
    verdict = "which of the two is nearer can't be told by these"
    if lost.low > weight.high:
        verdict = "losses are nearer"
    elif weight.low > lost.high:
        verdict = "weights are nearer"
    own = f"losses stand at τ {_tau(lost)} and weights at τ {_tau(weight)}"
    return f"Against {where} {own}: {verdict}."


_SAID = {
    "lost": "What the supernet loses where one operation is masked and all others are left as they "
    "are, ± the standard error of the paired difference. Hollow cells are within two standard "
    "errors of nothing, outlined ones were kept, and where the margin to the next was under two "
    "standard errors chance decided the edge. None is masked at no cost by definition.",
    "weight": "What each operation weighs in the mixture: the softmax of the architecture "
    "parameters. Selection by magnitude keeps the greatest of each edge; outlined is what "
    "perturbation kept.",
    "coefficient": "What an operation changes on average instead of none, by least squares on {}, "
    "± its standard error; hollow cells are within two of nothing, outlined is what perturbation "
    "kept.",
    "effect": "What an operation changes on average instead of none in a table that has every "
    "cell, {}; outlined is what perturbation kept.",
}  # fmt: skip


def _lacking(given: Given, way: str) -> str | None:
    """Why a way tells nothing here."""
    if sentence := no_perturbation(given):
        return sentence
    if way in ("lost", "weight") or measured(given, whole=way == "effect"):
        return None
    if way == "coefficient":
        return (
            f"No table that is looked at has {objective_of(given).word} of enough of these cells "
            "for a regression; measure subnets of a supernet that was trained by single paths "
            "('python -m foxnas_core train --update single-path', then measure), or take a study "
            "that has them beside this one."
        )
    return (
        "No table that is looked at holds every cell of this space, so that true effects aren't "
        "known; import one that does, and take it beside this study."
    )


def _map(given: Given, way: str, selection: str) -> Card:
    worth_ = worth_of(given, selection)
    table = figures.map_table(given.study.space, worth_, way)
    unit = "%" if way == "weight" else objective_of(given).difference_unit or "its own unit"
    beside = measured(given, whole=way == "effect") if way in ("coefficient", "effect") else None
    return Card(
        sentence=f"In {unit}. {_SAID[way].format(beside.where if beside else '')}",
        table=table,
        draw=lambda: figures.map_figure(table, way),
        notes=tuple(beside.effects.sentences) if beside and way == "coefficient" else (),
    )


def _map_of(way: str) -> Analysis:
    def card(given: Given, *, selection: str = "") -> Card:
        return _map(given, way, selection)

    return analysis("Select", way, WAYS[way], partial(_lacking, way=way), selection_options)(card)


maps = {way: _map_of(way) for way in WAYS}


@analysis("Select", "agreement", "How far these agree", no_perturbation, selection_options)
def agreement(given: Given, *, selection: str = "") -> Card:
    """Kendall's τ of each two ways."""
    table = figures.agreement_table(agreed(given, selection))
    return Card(
        sentence="Kendall's τ of operations of one edge, over all edges: 1 is the same order, 0 "
        "none in common, −1 the opposite. Intervals (95 %) are percentiles over resampled "
        "operations; where a way holds all operations alike there is none.",
        table=table,
        draw=(lambda: figures.agreement_figure(table)) if table["tau"].notna().any() else None,
    )
