"""What each block of one subnet costs and gives when it is made smaller."""

import numpy as np
import pandas as pd

from foxnas_core.cards.analysis import analysis
from foxnas_core.cards.card import Card
from foxnas_core.cards.counterfactuals import untraded
from foxnas_core.cards.given import Given
from foxnas_core.cards.quest import Quest
from foxnas_core.explanation.shrink import shrink_effects
from foxnas_core.figures.shrink import shrink_figure, shrink_table
from foxnas_core.space.architecture import Architecture
from foxnas_core.table.metrics import Metric, rate_text


def subnet_of(given: Given) -> Architecture:
    """The chosen architecture, else the answer within the budget."""
    return given.architecture or Quest(given).solution().candidate.architecture


@analysis("Coefficients", "shrink", "What each block costs and gives when it is smaller", untraded)
def shrink(given: Given) -> Card:
    """One choice made smaller at a time, all others as they are."""
    subnet = subnet_of(given)
    predictors = [own.fitted for own in given.mains()]
    gain, cost = (predictor.target for predictor in predictors)
    effects = shrink_effects(predictors, architecture=subnet)
    if effects.empty:
        return Card(sentence=f"Nothing of subnet {subnet.id} can be made smaller.")
    table = shrink_table(effects, gain, cost)
    told, stress = _ends(effects, gain, cost)
    return Card(
        sentence=f"Of subnet {subnet.id}, {told}",
        stress=stress,
        table=table,
        draw=lambda: shrink_figure(effects, gain, cost),
        notes=(
            "One choice at a time, one step and to its smallest, or of choices without an order "
            "each other one; all else stays as it is. In parentheses: the 95 % interval of the "
            "average edit spans 0. The table has that and the interval of this edit of this "
            "subnet, where both are measured; it begins with what is cheapest to give up, and "
            "sorts by any column.",
        ),
    )


def _ends(effects: pd.DataFrame, gain: Metric, cost: Metric) -> tuple[str, tuple[str, ...]]:
    """The cheapest edit and the dearest, in words."""
    traded, free = effects[effects["rate"].notna()], effects[effects["free"]]
    if len(free):
        edit = free["edit"].iloc[0]
        return f"{edit} is predicted to cost nothing: {_both(free.iloc[0], gain, cost)}.", (edit,)
    if traded.empty:
        return f"no single edit is sure to save {cost.word} at a price.", ()
    first, last = traded.iloc[0], traded.iloc[int(np.argmax(traded["rate"]))]
    told = f"the cheapest to make smaller: {first['edit']}, {_both(first, gain, cost)}"
    if len(traded) > 1:
        told += f"; the dearest: {last['edit']}, {_both(last, gain, cost)}"
    return f"{told}.", tuple(dict.fromkeys((first["edit"], last["edit"])))


def _both(row: pd.Series, gain: Metric, cost: Metric) -> str:
    changes = " and ".join(
        target.difference_text(row[target.column], signed=True) for target in (gain, cost)
    )
    return changes if np.isnan(row["rate"]) else f"{changes}, {rate_text(row['rate'], gain, cost)}"
