"""What was chosen: in three sentences, block by block with reasons, and how far from the optimum.

Unlike an analysis, each of these is made of a `Subject`, what one report is asked for.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from foxnas_core.cards import what_if
from foxnas_core.cards.card import Card
from foxnas_core.cards.expected import expected, promised
from foxnas_core.cards.quest import Quest
from foxnas_core.cards.standing import (
    beyond_sentence,
    first_sentence,
    own_sentence,
    standing_of,
)
from foxnas_core.cards.subject import Subject, measured_of
from foxnas_core.explanation.edits import edit_effects
from foxnas_core.explanation.reasons import effects_of_blocks, reasons
from foxnas_core.figures.cell_graph import graph_figure, graph_table
from foxnas_core.figures.coefficients import interval_figure
from foxnas_core.figures.picture import picture_table
from foxnas_core.figures.reasons import reasons_intervals
from foxnas_core.figures.search import signs
from foxnas_core.figures.theme import difference_axis
from foxnas_core.search.expectation import Expectation
from foxnas_core.search.lookup import whole_of
from foxnas_core.search.prices import front_prices
from foxnas_core.search.standing import Standing
from foxnas_core.space.architecture import Architecture
from foxnas_core.table.metrics import Metric, metric_of, rate_text


def expectations(subject: Subject, chosen: Architecture) -> tuple[Expectation, ...]:
    """Every fitted target of the chosen subnet, the objective and the cost first."""
    columns = [p.target.column for p in (*subject.main, *subject.others)]
    return expected(subject.given, chosen, columns)


# In three sentences


def summary(subject: Subject) -> Card:
    """What was chosen, what it is expected to measure, and how far it is from the optimum."""
    if subject.chosen is None:
        said = (
            f"No subnet is chosen: where {metric_of(subject.objective).word} is not fitted none "
            "can be told to be best. Name one to have it described here."
        )
        return Card(key="summary", title="Summary", sentence=said)
    found, beside = expectations(subject, subject.chosen), _standing(subject)
    sentences = [_choice(subject, subject.chosen)]
    targets = [predictor.target for predictor in subject.main]
    if beside and (better := first_sentence(beside, targets)):
        sentences.insert(0, better)
    if found:
        first = found[: max(len(subject.main), 1)]
        how = "95 % prediction intervals of one measurement"
        if count := first[0].optima:
            how = f"95 % intervals by {count} other optima that were measured"
        said = " and ".join(
            f"{each.target.value_text(each.value)} {each.target.word}"
            + ("" if each.looked_up else f" ({each.interval_text})")
            for each in first
        )
        looked_up = first[0].looked_up
        sentences.append(
            f"It measured {said}."
            if looked_up
            else f"It is expected to measure {said}, with {how}."
        )
    if beside and subject.is_optimum:
        if not beside.whole:
            sentences.append(promised(Quest(replace(subject.given, budget=subject.budget))))
        further = (own_sentence(beside, targets), beyond_sentence(beside))
        sentences += filter(None, further)
    if subject.optimum is not None:
        sentences.append(_distance(subject, subject.chosen))
    return Card(
        key="summary",
        title="What the chosen subnet is expected to measure",
        sentence=sentences[0],
        points=tuple(sentences[1:]),
        table=_expected_table(subject, subject.chosen, found),
    )


def _standing(subject: Subject) -> Standing | None:
    """How the optimum of the budget stands to what was measured; None where there is no budget."""
    if subject.front is None or subject.optimum is None:
        return None
    return standing_of(Quest(replace(subject.given, budget=subject.budget)), subject.optimum)


def _expected_table(
    subject: Subject, chosen: Architecture, found: tuple[Expectation, ...]
) -> pd.DataFrame:
    """Every target of the chosen subnet: expected, predicted and, where it was, measured."""
    rows = []
    for each in found:
        target, measured = each.target, measured_of(subject, chosen, each.target.column)
        times = len(measured)
        mean = target.value_text(float(np.mean(measured))) if times else None
        rows.append(
            {
                "Target": target.label,
                "Expected of an optimum": target.value_text(each.value) if each.optima else None,
                "95 % interval": each.interval_text if each.optima else None,
                "Predicted": None if each.looked_up else target.value_text(each.predicted),
                "95 % prediction interval": None
                if each.looked_up
                else target.interval_text(each.predicted_low, each.predicted_high),
                "Measured": f"{mean} (mean of {times})" if times > 1 else mean,
            }
        )
    return pd.DataFrame(rows).dropna(axis="columns", how="all").fillna("–")


def _choice(subject: Subject, chosen: Architecture) -> str:
    """Which subnet this is about."""
    if subject.front is None or subject.budget is None:
        if subject.is_optimum:
            best = metric_of(subject.objective)
            return (
                f"The chosen subnet is {chosen.id}, of all the best in {best.word} by prediction."
            )
        return f"The chosen subnet is {chosen.id}."
    latency = subject.front.problem.limits[0].predictor
    cost, told = latency.target, latency.target.value_text(subject.budget)
    budget = f"{cost.word} of {told}" if cost.unit else f"budget of {told} {cost.word}"
    if subject.is_optimum:
        return f"The chosen subnet is {chosen.id}, the best within a {budget}."
    taken = float(latency.predict([chosen])["value"].iloc[0])
    keeps = "keeps" if taken <= subject.budget else "goes beyond"
    return f"The chosen subnet is {chosen.id}, which by prediction {keeps} a {budget}."


def _distance(subject: Subject, chosen: Architecture) -> str:
    """How far the chosen subnet is from the proven optimum."""
    assert subject.optimum is not None
    objective = subject.predictors[subject.objective]
    target = objective.target
    within = "within the budget " if subject.budget is not None else ""
    if subject.searched != subject.budget and subject.searched is not None:
        latency = subject.main[1].target
        within = f"within the guarded budget of {latency.value_text(subject.searched)} "
    if subject.is_optimum and subject.front is not None and whole_of(subject.front.problem):
        return f"No architecture {within}measured better."
    if subject.is_optimum:
        return (
            f"It is the exact optimum of the regression: no architecture {within}is predicted to "
            f"be {target.compared(better=True)}."
        )
    other = subject.optimum.architecture
    effects = edit_effects(objective, other, chosen)
    if effects.total == 0:
        return f"It is predicted equal in {target.word} to the exact optimum {within}({other.id})."
    sign = np.sign(effects.total)
    low, high = sorted((sign * effects.low, sign * effects.high))
    size = f"{target.text(abs(effects.total))} {target.difference_unit}".rstrip()
    return (
        f"It is predicted {size} {target.compared(better=sign == target.sign)} than the exact "
        f"optimum {within}({other.id}; 95 % interval of this difference, measured: "
        f"{target.interval_text(low, high)})."
    )


# Block by block

_GRAPH = "The cell from its input to its output; what is dotted is on no path between the two."


def drawn(subject: Subject, chosen: Architecture) -> list[Card]:
    """The chosen subnet as a graph, where it has one, and as groups × blocks, whose cells say its
    choices."""
    cells = picture_table(subject.study.space, chosen)
    rows, columns = (list(dict.fromkeys(cells[name])) for name in ("row", "column"))
    texts = {(r, c): t for r, c, t in cells[["row", "column", "text"]].itertuples(index=False)}
    told = signs(subject.study.space)
    grid = Card(
        key="choices",
        title="Its choices" + (f" ({told})" if told else ""),
        sentence="",
        table=pd.DataFrame(
            [[row, *(texts.get((row, column), "") for column in columns)] for row in rows],
            columns=["Group", *columns],
        ),
    )
    graph = graph_table(subject.study.space, chosen)
    if graph.empty:
        return [grid]
    return [Card(key="graph", sentence=_GRAPH, draw=lambda: graph_figure(graph)), grid]


def brings(subject: Subject, chosen: Architecture) -> list[Card]:
    """What every block brings and costs, and whether that pays at this budget."""
    price = None
    said = (
        "What each block contributes to the predictions against the average measured subnet, with "
        "95 % confidence intervals; where one spans 0, the point is hollow."
    )
    notes, first = [], subject.main[0]
    if not first.link.is_identity:
        notes.append(
            f"{first.target.title} saturates, so its contributions are those in a subnet of "
            f"{first.target.value_text(first.link.center)}."
        )
    targets = [predictor.target for predictor in subject.main]
    if subject.front is not None and subject.searched is not None:
        price = front_prices(subject.front).at(subject.searched)
        notes.append(
            f"At this budget a little more of it is worth {rate_text(price, *targets)}; a "
            "block that buys more than that earns its place."
        )
    measured, both = subject.table.architectures(), len(targets) == 2
    card = Card(key="brings", title="What each block brings", sentence=said, notes=tuple(notes))
    if not both:
        effects = effects_of_blocks(subject.main, architecture=chosen, background=measured)
        return [replace(card, table=_written(subject, effects))]
    found = reasons(*subject.main, architecture=chosen, background=measured, price=price)
    rows = _of_blocks(subject, reasons_intervals(found))
    words = replace(
        card, key="why", sentence="", notes=(), table=_written(subject, found.table, why="In words")
    )
    return [replace(card, draw=lambda: interval_figure(rows, targets)), words]


def _of_blocks(subject: Subject, rows: pd.DataFrame) -> pd.DataFrame:
    """Without the resolution, which outweighs all blocks, so that they would look alike."""
    return rows[~rows["group"].isin(subject.study.space.context)]


def _written(subject: Subject, effects: pd.DataFrame, **words: str) -> pd.DataFrame:
    """The effects of blocks as they are read: block, choices, each target's with its interval."""
    told: dict[str, Any] = {"Block": effects["block"], "Choices": effects["choices"]}
    for target in (predictor.target for predictor in subject.main):
        told[difference_axis(target)] = effect_texts(effects, target)
    return pd.DataFrame(told | {title: effects[name] for name, title in words.items()})


def effect_texts(effects: pd.DataFrame, target: Metric) -> list[str]:
    """A target's signed effects, each with its interval."""
    columns = [f"{target.column}{end}" for end in ("", "_low", "_high")]
    return [
        "–"
        if np.isnan(value)
        else f"{target.text(value, signed=True)} {target.in_brackets(low, high, signed=True)}"
        for value, low, high in effects[columns].astype(float).itertuples(index=False)
    ]


def differences(subject: Subject, chosen: Architecture, optimum: Architecture) -> list[Card]:
    """What leads from the optimum to the chosen subnet, edit by edit, for each main target."""
    given = replace(subject.given, start=optimum, architecture=chosen)
    return [
        replace(
            what_if.edits.compute(given.into(target.column), named="the optimum"),
            title=target.label,
        )
        for target in (predictor.target for predictor in subject.main)
    ]
