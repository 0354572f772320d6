"""An architecture beside another: what is predicted of both, and what each difference brings.

It is the chosen one, else the best within the budget, else the family's reference, and held against
`Given.start`, by default the one that it is edited from. All differences are this one's less that
one's.
"""

from typing import TYPE_CHECKING, Any

import pandas as pd

from foxnas_core.cards.analysis import analysis
from foxnas_core.cards.card import Card
from foxnas_core.cards.coefficients import not_fitted
from foxnas_core.cards.expected import expected
from foxnas_core.cards.given import Given
from foxnas_core.cards.measurements import equals
from foxnas_core.cards.numbers import Headline, is_looked_up, known_headlines
from foxnas_core.explanation.edits import edit_effects, path_effects
from foxnas_core.families import family_of
from foxnas_core.figures.effects import difference_table, path_figure, path_table
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.editing.diff import diff_table
from foxnas_core.table.metrics import COUNTABLE, metric_of

if TYPE_CHECKING:
    from foxnas_core.regression import Predictor

_NAMES = ("this", "other")


def other_of(given: Given) -> Architecture:
    """What the architecture is held against; itself where that is nothing."""
    return given.start or given.subnet


def fits_of(given: Given) -> "dict[str, Predictor]":
    """A predictor for each target that can be fitted or calibrated, the objective and the cost
    first, and for all that can be counted, whether the table has it or not."""
    fits, space = given.fits()[0], given.study.space
    known = [target.column for target in given.table.targets]
    counted = [c for c in COUNTABLE if c not in known and family_of(space).counts(space, c)]
    order = [*(c for c in given.main if c in fits), *fits, *(counted if fits else ())]
    return {column: fits.get(column) or given.predictor(column) for column in order}


def edit_targets(given: Given) -> dict[str, str]:
    """The columns in which edits can be told, each with what it is called."""
    if not is_looked_up(given):
        return {column: fit.target.label for column, fit in fits_of(given).items()}
    columns = dict.fromkeys([*given.main, *(target.column for target in given.table.targets)])
    return {column: metric_of(column).label for column in columns}


def predicted(given: Given) -> list[dict[str, Any]]:
    """What is predicted of start and architecture by each of `fits_of`, with the interval within
    which one measurement of the latter would fall: the rows of a table."""
    rows = []
    codes = given.study.space.encode([other_of(given), given.subnet])
    for fit in fits_of(given).values():
        found = fit.predicted(codes)
        before, after = (float(value) for value in found["value"])
        low, high = (float(found[f"prediction_{end}"][1]) for end in ("low", "high"))
        rows.append(
            {
                "target": fit.target.label, "unit": fit.target.unit, "start": before, "now": after,
                "prediction low": low, "prediction high": high, "change": after - before,
            }
        )  # fmt: skip
    return rows


def headlines(given: Given) -> list[Headline]:
    """What stays in view of it: the predictions, or of a network that is looked up what is known of
    its objective and its cost, beside the table of all."""
    if is_looked_up(given):
        return known_headlines(given)
    fits = fits_of(given)
    told = expected(given, given.subnet, fits)
    return [
        Headline(
            fit.target, own.value, row["change"],
            "exact" if fit.is_exact and not fit.is_counted else own.told, bool(own.optima),
        )
        for fit, row, own in zip(fits.values(), predicted(given), told, strict=True)
    ]  # fmt: skip


def equal_of(given: Given) -> str | None:
    """Which measured subnets are the same network as this one, where any is."""
    return None if equals.needs(given) else given.equals().told(given.study.space, given.subnet)


@analysis("What-if", "predictions", "Every prediction", not_fitted)
def predictions(given: Given) -> Card:
    """What is predicted of it, by every regression that could be fitted."""
    rows, same = predicted(given), equal_of(given)
    return Card(
        sentence=f"Predicted values of subnet {given.subnet.id} with the 95 % prediction interval, "
        "within which one measurement of such a subnet would fall, beside those of the start, and "
        "the change from there. What is counted has no interval.",
        facts={
            fit.target.named: fit.target.text(row["now"])
            for fit, row in zip(fits_of(given).values(), rows, strict=True)
        },
        table=pd.DataFrame(rows),
        points=(same,) if same else (),
        cautions=tuple(given.fits()[1]),
    )


@analysis("What-if", "difference", "Both predictions", not_fitted)
def difference(given: Given) -> Card:
    """The predictions of both architectures beside each other."""
    return Card(
        sentence="Both predictions and their difference, this less the other, with two 95 % "
        "intervals of it: low to high of this edit of this subnet, where both are measured; "
        "average low to average high of the average edit, the mean over all such subnets.",
        table=difference_table(fits_of(given), given.subnet, other_of(given), names=_NAMES),
    )


@analysis("What-if", "diff", "What differs")
def diff(given: Given) -> Card:
    """The choices of both architectures beside each other."""
    space = given.study.space
    table = diff_table(space, given.subnet, other_of(given), names=_NAMES)
    return Card(
        sentence=f"{len(table)} of {len(space.decisions)} decisions; “off” where one lacks the "
        "block."
        if len(table)
        else "Nothing: both are the same architecture.",
        table=table,
    )


@analysis("What-if", "edits", "What the edits change", not_fitted)
def edits(given: Given, *, path: tuple[Architecture, ...] = (), named: str = "the start") -> Card:
    """What each edit changes in the target, as a waterfall: block by block, or along a path from
    what it is held against, which is `named`, to it."""
    predictor, target = given.fitted, given.fitted.target
    start, now = other_of(given), given.subnet
    if start == now:
        return Card(sentence=f"Nothing yet: this architecture is {named}.")
    found = path_effects(predictor, path) if path else edit_effects(predictor, start, now)
    before = predictor.predicted(predictor.space.encode([start]))["value"]
    table = path_table(found, float(before[0]))
    total, low, high, least, most = (
        target.text(end, signed=True)
        for end in (found.total, found.low, found.high, found.average_low, found.average_high)
    )
    intervals = (
        f", 95 % interval {low} to {high} for this edit of this subnet, when both are measured "
        f"(bars), and {least} to {most} for the average edit, the mean over all such subnets."
    )
    return Card(
        sentence=f"From {named} to now: together {total} {target.difference_unit}".rstrip()
        + (intervals if low != high else ", which is counted and exact."),
        table=table,
        draw=lambda: path_figure(
            table, target, first=named.removeprefix("the "), numbered=bool(path)
        ),
    )
