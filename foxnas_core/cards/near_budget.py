"""Which decisions matter among the good subnets near the budget."""

from typing import TYPE_CHECKING

import pandas as pd

from foxnas_core.cards.analysis import analysis
from foxnas_core.cards.card import Card
from foxnas_core.cards.counterfactuals import untraded
from foxnas_core.cards.given import Given
from foxnas_core.cards.quest import Quest
from foxnas_core.cards.sharing import shared
from foxnas_core.explanation.near_budget import REPEATS, WITHIN
from foxnas_core.figures.near_budget import near_figure
from foxnas_core.table.metrics import metric_of

if TYPE_CHECKING:
    from foxnas_core.explanation.near_budget import NearBudget


@shared(entries=64, spinner="Drawing subnets near the budget …")
def near_of(given: Given, objective: str, cost: str, budget: float) -> "NearBudget":
    """What matters near a budget; raises as `importance_near`."""
    from foxnas_core.explanation.near_budget import importance_near

    return importance_near(given.predictor(objective), given.predictor(cost), budget=budget)


def _found(given: Given) -> "tuple[NearBudget, float]":
    budget, (objective, cost) = Quest(given).bound, given.main
    return near_of(given, objective, cost, budget), budget


@analysis("Explanations", "budget", "What matters near the budget", untraded)
def near(given: Given) -> Card:
    """The share of the spread of the objective that each decision explains there."""
    found, budget = _found(given)
    target, cost = (metric_of(column) for column in given.main[:2])
    first = found.table.iloc[0]
    name = str(first["decision"]).replace("_", " ")
    others = " and ".join(str(d).replace("_", " ") for d in found.table["decision"][1:3])
    least, most = (f"{100 * first[end]:.0f}" for end in ("low", "high"))
    return Card(
        sentence=f"Among the better half of the subnets predicted within {100 * WITHIN:g} % of "
        f"{cost.value_text(budget)}, {name} decides most: {100 * first['share']:.0f} % of the "
        f"spread of {target.word} ({least} to {most} over {REPEATS} draws), against "
        f"{100 * first['everywhere']:.0f} % over the whole space"
        + (f"; next come {others}." if others else "."),
        stress=(name,),
        table=found.table,
        draw=lambda: near_figure(found.table, target),
        notes=(
            f"{REPEATS} seeded draws at random, {found.count} subnets each, by the fitted "
            "predictions; bars are the range of the draws. Decisions that hang together share what "
            "they explain, so that shares need not add up.",
        ),
    )


@analysis("Explanations", "budget-repeats", "Every draw", untraded)
def repeats(given: Given) -> Card:
    found, _ = _found(given)
    table: pd.DataFrame = found.repeats
    return Card(sentence="The shares that each draw of subnets gave.", table=table)
