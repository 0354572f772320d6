"""What the columns of devices are made of: sums, copies of others, and, of a table that holds every
architecture, what a regression of it adds and takes.
"""

from dataclasses import asdict

import numpy as np
import pandas as pd

from foxnas_core.cards.analysis import analysis
from foxnas_core.cards.card import Card
from foxnas_core.cards.devices import columns_of, measure_of, not_measured, one_device
from foxnas_core.cards.every_device import devices_of
from foxnas_core.cards.given import Given, known
from foxnas_core.cards.sharing import shared
from foxnas_core.devices.sums import Additivity, additivity
from foxnas_core.figures.every_device import whole_figure
from foxnas_core.search.beside import spread_budgets, table_beside_regression
from foxnas_core.table.metrics import metric_of
from foxnas_core.table.whole import multiples

_BUDGETS = 40
# Of equal networks the first is as good as any.
_EQUAL = 1e-9


@shared(spinner="Adding up what each choice costs …")
def _sums(given: Given) -> tuple[Additivity, ...]:
    found = []
    for column in columns_of(given):
        if np.isfinite(given.table.values(column)).sum() > 1:
            found.append(additivity(given.table, column))
    return tuple(found)


def _no_sums(given: Given) -> str | None:
    return not_measured(given) or (None if _sums(given) else one_device(given))


@analysis("Devices", "sums", "Which columns are sums?", _no_sums)
def sums(given: Given) -> Card:
    """How far each device's cost is a sum of what each choice adds."""
    found, names = _sums(given), devices_of(given)
    exact = [names[own.column] for own in found if own.is_sum]
    rest = [own for own in found if not own.is_sum]
    said = []
    if exact:
        said.append(
            f"Exact sums of what each choice adds, whatever the others are: {', '.join(exact)}; "
            "any other network's cost can be told from them."
        )
    if rest:
        worst = min(rest, key=lambda own: own.share)
        said.append(
            f"{'On the others choices' if exact else 'Choices'} act together: a sum explains "
            f"{100 * worst.share:.1f} % of {names[worst.column]} and leaves "
            f"{100 * worst.residual / worst.mean:.1f} % of its mean."
        )
    unit = measure_of(given).unit
    return Card(
        sentence=" ".join(said),
        table=pd.DataFrame(
            [
                {
                    "device": names[own.column], "rows": own.rows, "rank": own.rank,
                    "explained (%)": 100 * own.share,
                    f"typically left ({unit})": own.residual if not own.is_sum else 0.0,
                    f"at most ({unit})": own.most if not own.is_sum else 0.0,
                    "left (% of the mean)": 100 * own.residual / own.mean,
                    "sum": "exact" if own.is_sum else "no",
                }
                for own in found
            ]
        ),
        notes=("Least squares of each column on one term for each choice.",),
    )  # fmt: skip


@analysis("Devices", "copies", "Columns that copy others", not_measured)
def copies(given: Given) -> Card:
    """Which columns are another one times a constant."""
    found = multiples(given.table)
    if not found:
        return Card(sentence="No column is another one times a constant.")
    return Card(
        sentence=f"{len(found)} {'column tells' if len(found) == 1 else 'columns tell'} nothing of "
        "their own.",
        tone="warning",
        points=tuple(own.sentence for own in found),
        table=pd.DataFrame(map(asdict, found)),
    )


# What the table says against the regression


def _pair_of(given: Given) -> tuple[str, str]:
    objective, cost = given.traded
    return objective, cost if cost in columns_of(given) else columns_of(given)[0]


@shared(spinner="Fitting what the table knows …")
def _beside(given: Given, objective: str, cost: str) -> pd.DataFrame:
    measured = given.front_of(cost, (), (), objective)
    fitted = given.front_of(cost, (), (), objective, fitted=True)
    budgets = spread_budgets(given.table.values(cost), _BUDGETS)
    whole = known(given.whole_table((objective, cost)))
    return table_beside_regression(measured, fitted, whole, budgets.tolist())


def _not_whole(given: Given) -> str | None:
    if sentence := not_measured(given):
        return sentence
    objective, cost = _pair_of(given)
    names = [target.column for target in given.table.targets]
    if objective in names and given.whole_table((objective, cost)) is not None:
        return None
    measured = given.table.frame["id"].nunique()
    return (
        f"This asks a table that holds every architecture, with {metric_of(objective).word} and "
        f"{metric_of(cost).word}: {measured:,} are measured here, so the regression answers for "
        "the others; how well is told by the page Diagnostics."
    )


@analysis("Devices", "whole", "The table against its regression", _not_whole)
def whole(given: Given) -> Card:
    """Where the optima of both differ, and by how much."""
    objective, cost = map(metric_of, _pair_of(given))
    table = _beside(given, objective.column, cost.column)
    if table.empty:
        return Card(sentence="No budget leaves anything to the regression.", tone="info")
    kept = table[table["keeps"]]
    worse = kept[kept["short"] > _EQUAL]
    broken = len(table) - len(kept)
    said = (
        f"At {len(table) - len(worse) - broken} of {len(table)} budgets the regression's optimum "
        f"measures as well as the table's; at {len(worse)} it is worse"
    )
    if len(worse):
        middle, most = (float(v) for v in (np.median(worse["short"]), worse["short"].max()))
        said += (
            f", by {objective.difference_text(middle)} in the median and "
            f"{objective.difference_text(most)} at most"
        )
    said += f", and at {broken} it breaks the budget when measured." if broken else "."
    off = float(np.median(np.abs(table["predicted"] - table["measured"])))
    return Card(
        sentence=said,
        table=table,
        draw=lambda: whole_figure(table, objective, cost),
        notes=(
            f"What it predicts of its optima is {objective.difference_text(off)} off what these "
            "measured, in the median. Searches of this study answer from the table.",
        ),
    )
