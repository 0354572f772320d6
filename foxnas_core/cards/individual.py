"""One architecture explained: what is known of it, what its blocks bring, what lies near it.

It is the chosen one, else as `Given.subnet`. Its differences to others are its own value less
theirs; those of its edits, the edited value less its own.
"""

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from foxnas_core.cards.analysis import analysis
from foxnas_core.cards.answers import reasons_of
from foxnas_core.cards.card import Card
from foxnas_core.cards.coefficients import not_fitted
from foxnas_core.cards.counterfactuals import leeway, standing, untraded
from foxnas_core.cards.expected import expected
from foxnas_core.cards.given import Given
from foxnas_core.cards.sharing import shared
from foxnas_core.cards.what_if import fits_of
from foxnas_core.errors import FoxnasError
from foxnas_core.evidence.cases import paired_gain
from foxnas_core.explanation.rates import rates
from foxnas_core.explanation.reach import has_shares
from foxnas_core.figures.theme import difference_axis
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.editing.changes import changes_between, in_words
from foxnas_core.table.metrics import Metric, metric_of, rate_unit
from foxnas_core.table.readings import Readings, means_of, readings_of

if TYPE_CHECKING:
    from foxnas_core.regression import Predictor
    from foxnas_core.search.exact import Front
    from foxnas_core.search.expectation import Expectation

# So many measured subnets are its neighbours, and so many points of the front may be picked.
NEAR, ON_FRONT = 10, 12
# What one often wants to save (percent) or to gain (points).
_SHARES, _POINTS = (10.0, 20.0), (0.5, 1.0)


# Which one


def members(front: "Front") -> dict[str, tuple[str, Architecture]]:
    """Points of a front, evenly by cost, by id: what is predicted of each, and it."""
    objective, cost = front.problem.objective.target, front.problem.limits[0].predictor.target
    wanted = np.linspace(front.costs[0], front.costs[-1], ON_FRONT)
    places = np.unique((np.searchsorted(front.costs, wanted, side="right") - 1).clip(0))
    found = [front.candidate(int(place)) for place in places]
    return {
        each.architecture.id: (
            f"{objective.value_text(each.value)} · {cost.value_text(each.costs[0])}",
            each.architecture,
        )
        for each in found
    }


def goals(given: Given) -> dict[str, dict[str, Any]]:
    """Goals that one often has, where this subnet leaves room for them, by what they are called:
    options of `counterfactuals.reached`."""
    objective, cost = (metric_of(column) for column in given.main)
    now, _ = standing(given, "save")
    saved = {
        f"Save {share:g} %": {"aim": "save", "amount": share, "in_percent": True}
        for share in (_SHARES if has_shares(cost) else ())
        if share / 100 * now <= leeway(given, "save")
    }
    amounts = _POINTS if objective.difference_unit == "points" else ()
    word = "Gain" if objective.sign > 0 else "Lose"
    gained = {
        f"{word} {amount:g} {'point' if amount == 1 else 'points'}": {
            "aim": "gain",
            "amount": amount,
        }
        for amount in amounts
        if amount <= leeway(given, "gain")
    }
    return saved | gained


# What is known of it


def _measured(given: Given) -> Readings:
    """What was measured of it, in the table or among the optima."""
    tables = [given.table]
    with suppress(FoxnasError):
        tables.append(given.optima())
    return readings_of(tables, given.subnet)


def _outdone(given: Given, target: Metric, value: float) -> float:
    """The share of measured subnets than which a value is better, in percent; NaN without any."""
    if not given.table.known(target.column):
        return np.nan
    others = means_of(given.table, [target.column]).values[target.column]
    others = others[np.isfinite(others)]
    return float(100 * np.mean(target.sign * (value - others) > 0))


@analysis("What-if", "individual", "What is known of it", not_fitted)
def known(given: Given) -> Card:
    """What is predicted and expected of it, and what it measured, with intervals."""
    fits, readings, rows = fits_of(given), _measured(given), []
    told = dict(zip(fits, expected(given, given.subnet, fits), strict=True))
    for column, own in told.items():
        target, found = own.target, readings.get(column)
        ends = (None, None) if found is None else (found.low, found.high)
        rows.append(
            {
                "target": target.label, "unit": target.unit,
                "expected": own.value, "low": own.low, "high": own.high,
                "predicted": own.predicted, "predicted low": own.predicted_low,
                "predicted high": own.predicted_high,
                "measured": np.nan if found is None else found.value,
                "measured low": ends[0], "measured high": ends[1],
                "better than (%)": _outdone(given, target, found.value if found else own.value),
            }
        )  # fmt: skip
    table = pd.DataFrame(rows)
    main = [told[column] for column in given.main if column in told]
    return Card(
        sentence=_in_one_sentence(given, main, readings, table),
        stress=(given.subnet.id, *(own.value_text for own in main)),
        table=table,
        draw=None if len(main) < 2 else lambda: _placed(given, main, readings),
        notes=(
            "Expected is what a search's answers are known to measure where optima were measured, "
            "else what is predicted; with 95 % intervals of one measurement. Better than: the "
            "share of the measured subnets, by what it measured or else is expected to.",
        ),
    )


def _in_one_sentence(
    given: Given, main: "list[Expectation]", readings: Readings, table: pd.DataFrame
) -> str:
    told = [
        f"{own.value_text} ({own.interval_text}; "
        + (f"measured {own.target.text(readings[own.target.column].value)}; "
           if own.target.column in readings else "")
        + f"better than {share:.0f} % of the measured subnets)"
        for own, share in zip(main, table["better than (%)"], strict=False)
    ]  # fmt: skip
    seen = "was measured" if readings else "was not measured"
    how = f", and is {main[0].how} {' and '.join(told)}" if main else ""
    return f"Subnet {given.subnet.id} {seen}{how}."


def _placed(given: Given, main: "list[Expectation]", readings: Readings) -> Any:
    from foxnas_core.figures.individual import place_figure

    objective, cost = (own.target for own in main)
    rows: list[dict[str, Any]] = []
    ways = {"predicted": "predicted", "expected": "value"} if main[0].optima else {
        "predicted": "predicted"
    }  # fmt: skip
    for how, field in ways.items():
        prefix = "predicted_" if field == "predicted" else ""
        row: dict[str, Any] = {"how": how}
        for own in main:
            row[own.target.column] = getattr(own, field)
            for end in ("low", "high"):
                row[f"{own.target.column}_{end}"] = getattr(own, prefix + end)
        rows.append(row)
    if all(own.target.column in readings for own in main):
        row = {"how": "measured"}
        for own in main:
            found = readings[own.target.column]
            row[own.target.column] = found.value
            row[f"{own.target.column}_low"] = np.nan if found.low is None else found.low
            row[f"{own.target.column}_high"] = np.nan if found.high is None else found.high
        rows.append(row)
    cloud = given.table.frame[["id", objective.column, cost.column]].dropna()
    return place_figure(cloud, pd.DataFrame(rows), objective, cost)


# What its blocks bring


@analysis("What-if", "blocks", "What each block contributes", untraded)
def blocks(given: Given) -> Card:
    """What each block adds to both predictions, with intervals, and whether that pays."""
    from foxnas_core.figures.coefficients import interval_figure
    from foxnas_core.figures.reasons import reasons_intervals, reasons_table

    objective, cost = given.main
    front = given.front_of(cost, fitted=True)
    paid = float(given.predictor(cost).predict([given.subnet])["value"].iloc[0])
    found = reasons_of(given, cost, given.subnet, max(paid, float(front.costs[0])))
    rows = reasons_intervals(found)
    drawn = rows[~rows["group"].isin(given.study.space.context)]
    return Card(
        key="contributions",
        sentence="Against the average measured subnet, with 95 % confidence intervals; hollow "
        "where one spans 0. Whether a block pays is told at this subnet's own "
        f"{metric_of(cost).word}.",
        table=reasons_table(found),
        draw=lambda: interval_figure(drawn, [metric_of(column) for column in (objective, cost)]),
        points=tuple(found.sentences()),
    )


# What lies near it


@analysis("What-if", "neighbours", "The measured subnets nearest to it", untraded)
def neighbours(given: Given) -> Card:
    """What was measured by the fewest edits from it, and what it has more or less than they."""
    from foxnas_core.explanation.edits import edit_effects
    from foxnas_core.search.counterfactual import EditCount

    space, readings = given.study.space, _measured(given)
    known = means_of(given.table, given.main)
    edits = EditCount(space, given.subnet).changed(known.codes).sum(axis=1)
    order = np.lexsort((-metric_of(given.main[0]).sign * known.values[given.main[0]], edits))
    near = [int(row) for row in order if edits[row]][:NEAR]
    others = space.decode(known.codes[near])
    rows = []
    for place, other in zip(near, others, strict=True):
        words = in_words(space, changes_between(space, other, given.subnet))
        row: dict[str, Any] = {
            "id": other.id,
            "edits": int(edits[place]),
            "from the one to the other": words,
        }
        for column in given.main:
            target, value = metric_of(column), float(known.values[column][place])
            found, name = (
                edit_effects(given.predictor(column), other, given.subnet),
                difference_axis(target),
            )
            row |= {target.named: value, name: found.total}
            row |= {f"{name} low": found.low, f"{name} high": found.high}
            if column in readings:
                row[f"{name}, measured"] = readings[column].value - value
        rows.append(row)
    off = [
        _off(given.predictor(column), others, known.values[column][near]) for column in given.main
    ]
    return Card(
        sentence=f"The {len(rows)} nearest by the number of edits, with what they measured. "
        "Differences (Δ) are this subnet's value less theirs, predicted with 95 % intervals of "
        "this edit of this subnet"
        + (", and as both measured." if set(readings) & set(given.main) else "."),
        points=tuple(filter(None, off)),
        table=pd.DataFrame(rows),
    )


def _off(predictor: "Predictor", near: list[Architecture], measured: np.ndarray) -> str:
    """How far the neighbours' measurements lie off their predictions, which tells how well the
    regression knows this corner of the space; "" of fewer than three."""
    target, known = predictor.target, np.isfinite(measured)
    near = [each for each, is_known in zip(near, known, strict=True) if is_known]
    if len(near) < 3:
        return ""
    off = paired_gain(measured[known], predictor.predict(near)["value"].to_numpy())
    if off.low == off.high:
        return ""
    unit = f" {target.difference_unit}" if target.difference_unit else ""
    clear = "so predictions err here" if off.told_apart else "within noise"
    return (
        f"They measured {target.text(off.mean, signed=True)}{unit} of {target.word} beside their "
        f"predictions on average (95 % interval "
        f"{target.interval_text(off.low, off.high, signed=True)}): {clear}."
    )


@shared(entries=64, spinner="Looking at every single edit …")
def single_edits(
    given: Given, columns: tuple[str, ...], architecture: Architecture
) -> pd.DataFrame:
    """Every other choice of every decision, all else as it is: edit, what it changes in each of
    `columns` with intervals, and the id it leads to; raises as `Given.predictor`."""
    from foxnas_core.explanation.edits import path_effects
    from foxnas_core.space.editing.bulk import set_choices

    space = given.study.space
    active = [decision for decision in space.decisions if decision.name in architecture]
    ends = {
        after.id: after
        for decision in active
        for value in decision.choices
        if (after := set_choices(space, architecture, [decision], value).architecture)
        != architecture
    }
    # There and back again, so that each second step is an edit of this one.
    path = [architecture, *(each for end in ends.values() for each in (end, architecture))]
    found = pd.DataFrame({"id": list(ends)})
    for column in columns:
        steps = path_effects(given.predictor(column), path).table.iloc[::2]
        found["edit"], found["group"] = steps["edit"].to_numpy(), steps["group"].to_numpy()
        name = difference_axis(metric_of(column))
        for end, words in (("effect", ""), ("low", " low"), ("high", " high")):
            found[f"{name}{words}"] = steps[end].to_numpy()
    told = ["edit", "group"]
    return found[[*told, *found.columns.drop([*told, "id"]), "id"]]


@analysis("What-if", "steps", "Where one edit leads", untraded)
def steps(given: Given) -> Card:
    """What every single edit of it changes in the objective and in the cost."""
    from foxnas_core.figures.individual import steps_figure

    objective, cost = (metric_of(column) for column in given.main)
    won, paid = difference_axis(objective), difference_axis(cost)
    found, context = single_edits(given, given.main, given.subnet), given.study.space.context
    table = found.iloc[np.argsort(-objective.sign * found[won], kind="stable")]
    table = table.reset_index(drop=True)
    effect, low, high = (table[f"{paid}{end}"] for end in ("", " low", " high"))
    rate = rates(table[won], effect, low, high, objective, cost)
    table.insert(len(table.columns) - 1, rate_unit(objective, cost), rate)
    better = (objective.sign * table[won] > 0) & (cost.sign * table[paid] > 0)
    best, cheapest = table.iloc[0], table.iloc[int((cost.sign * table[paid]).argmax())]

    def told(row: pd.Series) -> str:
        return (
            f"{row['edit']} ({objective.difference_text(row[won], signed=True)}, "
            f"{cost.difference_text(row[paid], signed=True)})"
        )

    return Card(
        sentence=f"{len(table)} edits of one choice each; {int(better.sum())} are predicted better "
        f"in both. {objective.title} gains most by {told(best)}; {cost.word} by {told(cheapest)}.",
        table=table,
        # The resolution outweighs all blocks, which would then look alike.
        draw=lambda: steps_figure(table[~table["group"].isin(context)], objective, cost),
        notes=(
            "The table has 95 % intervals of this edit of this subnet, where both are measured"
            + (", and what the context brings, which is not drawn." if context else "."),
        ),
    )
