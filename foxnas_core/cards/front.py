"""What the exact front says: its prices, its steps, and how sure its optimum and its budget are."""

from typing import Literal

import numpy as np
import pandas as pd

from foxnas_core.cards.analysis import Options, analysis
from foxnas_core.cards.card import Card
from foxnas_core.cards.expected import expected, promised
from foxnas_core.cards.given import Given
from foxnas_core.cards.quest import Quest
from foxnas_core.cards.search import calibrated
from foxnas_core.cards.standing import in_order, incumbent_sentence, standing_of
from foxnas_core.errors import FoxnasError
from foxnas_core.figures import chances as chances_of
from foxnas_core.figures import front as figures
from foxnas_core.figures.front import CostUnit
from foxnas_core.figures.search import front_table
from foxnas_core.search.exact import Front
from foxnas_core.search.limits import in_words
from foxnas_core.search.prices import Prices, front_prices
from foxnas_core.search.stability import DRAWS, ResampledFronts, Stability
from foxnas_core.search.ties import TiedSet
from foxnas_core.search.ties import untold as untold_ties
from foxnas_core.study import Study
from foxnas_core.table.metrics import Metric, metric_of
from foxnas_core.table.sums import tells

LEAST_CERTAIN = 5
Steps = Literal["corners", "every"]
_STEPS = {"corners": "Corners of the hull", "every": "Every step"}


def no_front(given: Given) -> str | None:
    """Why nothing can be traded; raises what keeps the front from being found."""
    if len(given.main) < 2 or not tells(given.table):
        return nothing_to_trade(given.study)
    given.front(given.main[1]).within(Quest(given).searched)
    return None


def nothing_to_trade(study: Study) -> str:
    """What a front needs and the study lacks."""
    return (
        f"A front needs a measured {study.objective.word} and a cost "
        f"({metric_of(study.cost.head).word}, parameters or MACs), which this study does not have "
        "yet; measure subnets with 'python -m foxnas_core measure' or import a table that has both."
    )


def unit_of(given: Given, front: Front) -> CostUnit:
    """The unit that costs are read in: the chosen one, else one that fits the front."""
    units = {unit.label: unit for unit in figures.cost_units(_cost(front))}
    return units.get(given.unit or "", figures.fitting_unit(front))


def _cost(front: Front) -> Metric:
    return front.problem.limits[0].predictor.target


def _read(given: Given) -> tuple[Front, Metric, CostUnit, float]:
    """The front, its objective, the unit of its costs, and the budget that is searched under."""
    front = given.front(given.main[1])
    searched = Quest(given).searched
    return front, front.problem.objective.target, unit_of(given, front), searched


def _plane(given: Given) -> pd.DataFrame:
    """What the plane of a search shows that is watched, whose axes the front's charts have."""
    return front_table(given.table.frame, given.front(given.main[1]))


def _prices(given: Given) -> tuple[Prices, Metric, CostUnit, float]:
    front, objective, unit, searched = _read(given)
    return front_prices(front), objective, unit, searched


@analysis("Front", "optimum", "The optimum of the budget", no_front)
def optimum(given: Given) -> Card:
    front, objective, unit, searched = _read(given)
    asked = Quest(given).bound
    guarded = "" if asked == searched else f" (searched under {unit.text(searched)})"
    under = ", ".join([unit.text(asked), *in_words(Quest(given).asked[1:])])
    kept = ", with the choices kept" if given.allowed else ""
    best = front.within(searched)
    own, paid = expected(given, best.architecture, given.main)
    value, cost = objective.value_text(own.value), unit.text(paid.value)
    quest = Quest(given)
    beside = standing_of(quest, best)
    told = (
        f"Optimum under {under}{guarded}{kept}: subnet {best.architecture.id}, {own.how} {value} "
        f"and {cost}."
    )
    promise = "" if beside.whole else promised(quest, best, unit.text(asked))
    return Card(
        sentence=in_order(beside, (objective, _cost(front)), told, promise),
        stress=tuple(dict.fromkeys((beside.answer.id, best.architecture.id, value, cost))),
        points=(incumbent_sentence(beside, (objective, _cost(front))),),
        cautions=() if beside.whole else calibrated(given),
    )


@analysis("Front", "curve", "The front, its hull and its knee", no_front)
def curve(given: Given) -> Card:
    prices, objective, unit, searched = _prices(given)
    front, knee = prices.front, ""
    stress: tuple[str, ...] = ()
    if prices.knee is not None:
        stress = (
            unit.text(float(front.costs[prices.knee])),
            objective.value_text(float(front.values[prices.knee])),
        )
        knee = (
            " The knee, after which more cost pays less than on the front's average, lies at "
            f"{' and '.join(stress)}."
        )
    points = np.arange(len(front))
    return Card(
        sentence=f"{len(front)} optima, of which {len(prices.corners)} are corners of the hull."
        f"{knee} Dashed: the budget searched under.",
        stress=stress,
        table=front.frame.assign(
            corner=np.isin(points, prices.corners), knee=points == prices.knee
        ),
        draw=lambda: figures.front_figure(prices, unit, searched, _plane(given)),
        notes=(
            "The knee is Kneedle's (Satopaa et al., 2011) on the hull: with both ends of the front "
            "set to 0 and 1, the point highest above the diagonal. It moves when the front's ends "
            "do.",
        ),
    )


@analysis("Front", "prices", "What a little more budget is worth", no_front)
def prices(given: Given) -> Card:
    found, objective, unit, searched = _prices(given)
    worth = f"{found.at(searched) / unit.factor:.3g} {figures.per(objective, unit)}"
    steps = figures.step_table(found, unit, corners=False)
    return Card(
        sentence=f"At {unit.text(searched)} a little more budget is worth {worth}. Points: what "
        "each step of the front gains by its cost. Line: the slope of the hull, the price that the "
        "budget has there, which only falls.",
        stress=(worth,),
        table=steps.drop(columns=["blocks", "in words"]),
        draw=lambda: figures.price_figure(found, unit, searched, _plane(given)),
        notes=(
            "The hull is the least concave curve over the front; its slope is the Lagrangian dual "
            "price of the budget (Everett, 1963), and it is the only price that mixtures of "
            "subnets cannot beat.",
        ),
    )


def _all_steps(given: Given) -> Options:
    return {"shown": _STEPS}


@analysis("Front", "steps", "Which block changes at each step", no_front, _all_steps)
def steps(given: Given, *, shown: Steps = "corners") -> Card:
    found, objective, unit, searched = _prices(given)
    if len(found.front) < 2:
        return Card(sentence="The front is a single subnet, so there is no step.")
    every, hull = (figures.step_table(found, unit, corners=corners) for corners in (False, True))
    table = hull if shown == "corners" else every
    here = searched * unit.factor
    near = table[(table["from"] <= here) & (here < table["to"])]
    order = ["from", "to", "gain", "price", "in words", "cost", "blocks"]
    order += [] if shown == "corners" else ["hull price"]  # there both prices are one
    units = {"from": unit.symbol, "to": unit.symbol, "cost": unit.symbol}
    units |= {"gain": objective.difference_unit}
    return Card(
        sentence=f"Of the {len(every)} steps, {int((every['blocks'] > 1).sum())} change several "
        "blocks at once: what one of them saves pays for another. Between corners of the hull the "
        f"changes are simpler: {int((hull['blocks'] == 1).sum())} of {len(hull)} change one block "
        "alone.",
        points=tuple(
            f"At this budget: {figures.step_sentence(row, unit, objective)}."
            for _, row in near.iterrows()
        ),
        table=table[order].rename(columns={c: f"{c} ({u})" for c, u in units.items() if u}),
    )


@analysis("Front", "chances", "Whether the budget holds along the front", no_front)
def chances(given: Given) -> Card:
    front, objective, unit, searched = _read(given)
    asked = Quest(given).bound
    calibration = Quest(given).told.get(given.main[1])
    table = chances_of.chance_table(front, asked, unit, calibration)
    if table["chance"].isin([0.0, 100.0]).all():
        return Card(sentence="The regression predicts this cost exactly, so the budget holds.")
    best = int(np.searchsorted(front.costs, searched, side="right")) - 1
    chance = f"{table['chance'].iloc[best]:.0f} %"
    said = f"The optimum keeps {unit.text(asked)} when measured with a chance of {chance}."
    sure = table[table["chance"] >= 95]
    if len(sure) and sure.index[-1] < best:
        row = sure.iloc[-1]
        loss = abs(table["value"].iloc[best] - row["value"])
        said += (
            f" To be 95 % sure, take the front's subnet of {row['cost']:.4g} {unit.symbol}: it "
            f"gives up {objective.text(loss)} {objective.difference_unit}".rstrip()
            + "."
        )
    return Card(
        sentence=said,
        stress=(chance,),
        table=table,
        draw=lambda: chances_of.chance_figure(table, unit, asked),
        notes=(
            f"By how {calibration.count} measured optima differ from their predictions."
            if calibration
            else "By the regression's prediction distribution, which holds for a subnet chosen "
            "without looking and is too hopeful of a searched one.",
        ),
    )


@analysis("Front", "budgets", "Whether each budget holds", no_front)
def budgets(given: Given) -> Card:
    front, _, unit, _ = _read(given)
    table = chances_of.budget_table(front, unit, Quest(given).told.get(given.main[1]))
    return Card(
        sentence="The chance that the optimum of each budget measures within that budget.",
        table=table,
        draw=lambda: chances_of.budget_figure(table, unit, Quest(given).bound, _plane(given)),
    )


def not_resampled(given: Given) -> str | None:
    """Why a front's choices can't be said to be sure or not; raises as `no_front`."""
    if sentence := no_front(given):
        return sentence
    return None if not given.limits else (
        "How often each choice is optimal when the coefficients are drawn anew is told of a front "
        "without further limits, since each draw has a front of its own to be solved; take the "
        "further limits off to see it."
    )  # fmt: skip


def to_be_resampled(given: Given) -> str:
    """What drawing coefficients anew does, and how long it takes."""
    objective, cost = (metric_of(column).word for column in given.main)
    return (
        f"The coefficients of {objective} and {cost} can be drawn anew {DRAWS} times from what the "
        "measurements leave open about them, and each time the whole front solved again: a few "
        "seconds in a small space, minutes in a large one. It goes on when you leave this page."
    )


@analysis("Front", "certainty", "How sure each choice is", not_resampled)
def certainty(given: Given, *, fronts: ResampledFronts | None = None) -> Card:
    """How often each choice is optimal for coefficients drawn anew; `fronts` are those of the
    draws, which are solved where they are not given: seconds, or minutes in a large space."""
    stability, fronts = _stability(given, fronts)
    space, share = given.study.space, f"{100 * stability.share:.0f} %"
    objective, cost = (metric_of(column) for column in given.main)
    grid = figures.certainty_table(space, stability)
    notes = [
        "Parametric draws from the coefficients' multivariate t distribution, seed "
        f"{fronts.seed}, the ceiling's uncertainty included; {objective.word} and {cost.word} "
        f"apart. A share is itself known to ± {100 * 1.96 * 0.5 / np.sqrt(fronts.draws):.0f} "
        "points at most."
    ]
    if not given.table.ordered:
        notes.append(
            "The table does not tell the order of blocks within a stage: of subnets that differ in "
            "nothing else the first stands for all, and so do its blocks here."
        )
    return Card(
        sentence=f"The coefficients of {objective.word} and {cost.word} were drawn {fronts.draws} "
        "times from what the measurements leave open about them, and each time the optimum was "
        f"solved anew. This very subnet is the optimum in {share} of resamples; "
        f"{stability.distinct} different ones are in some."
        + (
            f" In {stability.infeasible} of them no subnet keeps the budget; shares are of the "
            "rest."
            if stability.infeasible
            else ""
        ),
        stress=(share,),
        points=tuple(figures.certainty_sentences(stability, space.context)[:LEAST_CERTAIN]),
        table=grid,
        draw=lambda: figures.certainty_figure(grid),
        notes=tuple(notes),
    )


@analysis("Front", "choices", "What else is optimal, choice by choice", not_resampled)
def decisions(given: Given, *, fronts: ResampledFronts | None = None) -> Card:
    """As `certainty`, for each decision."""
    table = _stability(given, fronts)[0].decisions
    return Card(
        sentence=f"{len(table)} decisions: the optimum's choice, the next one, and their shares of "
        "the resamples.",
        table=table,
    )


def _stability(given: Given, fronts: ResampledFronts | None) -> tuple[Stability, ResampledFronts]:
    fronts = fronts or given.resampled_of(given.main[1], given.allowed, given.objective)
    return fronts.at(Quest(given).searched), fronts


def tied_with(given: Given, fronts: ResampledFronts | None = None) -> TiedSet:
    """What cannot be told from the optimum; the optima of resampled `fronts` are examined too."""
    searched = Quest(given).searched
    others = () if fronts is None else fronts.at(searched).architectures
    kept = given.kept_limits(given.main[1])
    return given.tied_of(given.main[1], searched, others, given.allowed, kept, given.objective)


def no_ties(given: Given) -> str | None:
    """Why what is as good as an optimum can't be listed; raises as `no_front`."""
    if sentence := no_front(given):
        return sentence
    front = given.front(given.main[1])
    return untold_ties(front.problem)


@analysis("Front", "ties", "Subnets that are as good, as far as can be told", no_ties)
def ties(given: Given, *, fronts: ResampledFronts | None = None) -> Card:
    front, objective, unit, _ = _read(given)
    tied = tied_with(given, fronts)
    measured, cautions = [given.table.frame], []
    try:
        measured.append(given.optima().frame)
    except FoxnasError as error:
        cautions.append(str(error))
    columns = ["id", objective.column]
    known = pd.concat([frame[columns] for frame in measured if set(columns) <= set(frame)])
    table = figures.tied_table(tied, known, objective, _cost(front), unit)
    count, saved = f"{len(tied) - 1:,}", table["saves (%)"].max()
    points = []
    if saved >= 1:
        row = table.iloc[int(table["saves (%)"].argmax())]
        points.append(
            f"The cheapest of them, {row['id']}, costs {row[unit.title]:.4g} {unit.symbol}, "
            f"{saved:.0f} % less than the optimum, for "
            f"{objective.text(row['difference'], signed=True)} {objective.difference_unit} "
            f"{objective.in_brackets(row['low'], row['high'], signed=True)}."
        )
    resampled = " and all of the front" if fronts is None else (
        ", all of the front, and the optima of the resamples"
    )  # fmt: skip
    rest = (
        "No other subnet within the budget can be tied."
        if tied.complete
        else "Others further below may be tied as well."
    )
    return Card(
        sentence=f"{count} of {tied.examined - 1:,} other subnets within the budget that were "
        f"examined cannot be told from the optimum: the {100 * tied.level:.0f} % interval of the "
        f"difference in {objective.word} contains 0. Measured already: "
        f"{table['measured'].notna().sum()}.",
        stress=(count,),
        points=tuple(points),
        table=table,
        draw=lambda: figures.tied_figure(table, objective, unit),
        cautions=tuple(cautions),
        notes=(
            f"Examined are all subnets within the budget predicted at most {tied.depth:.2g} "
            f"{objective.difference_unit or objective.word} worse than the optimum{resampled}. "
            f"{rest} The interval is one difference at a time (t), not simultaneous: a set that "
            "holds for all at once would be larger. The optimum is the best of many predictions, "
            "so its lead is flattered.",
        ),
    )
