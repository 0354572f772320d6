"""The front of a report: what every budget could have had."""

from dataclasses import replace

import numpy as np

from foxnas_core.cards import front as cards
from foxnas_core.figures.front import cloud_figure
from foxnas_core.figures.search import front_table, with_candidates
from foxnas_core.figures.theme import PURPLE
from foxnas_core.reporting.layout import Column, Figure, Panel, Section, Table, figure_of, panel_of
from foxnas_core.reporting.subject import Subject
from foxnas_core.search.exact import Front
from foxnas_core.search.lookup import whole_of
from foxnas_core.search.problem import Candidate
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.search_space import SearchSpace

LISTED = 24
MOST_POINTS = 1000


def front_section(subject: Subject) -> Section | None:
    """The front of best predictions with the chosen subnet, and some of its points."""
    front = subject.front
    if front is None or subject.budget is None or subject.chosen is None:
        return None
    objective, cost = (predictor.target for predictor in subject.main)
    whole = whole_of(front.problem)
    source = "was measured" if whole else "the regression predicts"
    sentences = [
        f"For every {cost.word} the best that {source}, found exactly: "
        f"{len(front):,} subnets, from {cost.value_text(float(front.costs[0]))} and "
        f"{objective.value_text(float(front.values[0]))} to "
        f"{cost.value_text(float(front.costs[-1]))} and "
        f"{objective.value_text(float(front.values[-1]))}.",
        whole.sentence
        if whole
        else "Measured subnets may lie above it where the measurement was lucky or the regression "
        "errs.",
    ]
    panel = Panel("", figures=(front_chart(subject),), tables=(_front_table(front),))
    return Section("front", "The front", tuple(sentences), (panel, _read_off(subject)))


def _read_off(subject: Subject) -> Panel:
    """What the front says of its budget: where more of it pays less, what it is worth, which block
    changes next, and what is as good."""
    given = replace(subject.given, budget=subject.budget)
    asked = (cards.curve, cards.prices, cards.steps, cards.chances, cards.ties)
    return panel_of(
        "What more would buy, and how sure that is", *(one.compute(given) for one in asked)
    )


def front_points(front: Front, most: int = LISTED) -> list[int]:
    """Positions of at most so many points of a front, evenly by cost, both ends included."""
    wanted = np.linspace(front.costs[0], front.costs[-1], most)
    found = np.searchsorted(front.costs, wanted, side="right") - 1
    return np.unique(found.clip(0)).tolist()


def _front_table(front: Front) -> Table:
    objective, cost = front.problem.objective.target, front.problem.limits[0].predictor.target
    space = front.problem.space
    rows = []
    for point in front_points(front):
        candidate = front.candidate(point)
        rows.append(
            (
                cost.text(candidate.costs[0]),
                objective.text(candidate.value),
                candidate.architecture.id,
                compact(space, candidate.architecture),
            )
        )
    columns = (
        Column(cost.named, True), Column(objective.named, True), Column("Subnet"),
        Column(_compact_title(space), wide=True),
    )  # fmt: skip
    return Table(f"{len(rows)} points of the front, evenly by {cost.word}", columns, tuple(rows))


def _compact_title(space: SearchSpace) -> str:
    """What a line of `compact` shows."""
    roles = list(dict.fromkeys(d.role for d in space.decisions if d.slot))
    groups = f"groups ({', '.join(space.groups)}) apart by bars"
    if not roles or len(groups) > 60:
        groups = "groups apart by bars"
    return f"Choices: {groups}" + (f", {'-'.join(roles)} of each block" if roles else "")


def compact(space: SearchSpace, architecture: Architecture) -> str:
    """An architecture in one line: groups apart by bars, a slot's choices by hyphens."""
    groups = []
    for group in space.groups:
        slots: dict[str, list[str]] = {}
        for decision in space.in_group(group):
            if decision.name in architecture and (decision.slot or decision.role != "depth"):
                slots.setdefault(decision.slot, []).append(str(architecture[decision.name]))
        groups.append(" ".join("-".join(values) for values in slots.values()))
    return " | ".join(groups)


def front_chart(subject: Subject, *, key: str = "") -> Figure:
    """The front as steps with budget, optimum and chosen subnet, over the measured subnets; with a
    `key` over none, and with a last trace that a script may move."""
    front = subject.front
    assert front is not None and subject.budget is not None and subject.chosen is not None
    objective, cost = (predictor.target for predictor in subject.main)
    measured = subject.table.frame[[cost.column, objective.column]].astype(float)
    value, taken = (
        float(predictor.predict([subject.chosen])["value"].iloc[0])
        for predictor in front.problem.predictors
    )
    chosen = Candidate(subject.chosen, value, (taken,))
    named = {"chosen subnet": chosen}
    if not subject.is_optimum and subject.optimum is not None:
        named["optimum within the budget"] = subject.optimum
    shown = measured.head(0) if key else measured
    table = front_table(shown, front, budget=subject.budget, points=MOST_POINTS)
    description = (
        f"{objective.label} over {cost.word}: {len(front):,} points of the predicted front"
        + ("" if key else f" and {len(measured):,} measured subnets")
        + f"; chosen {chosen.architecture.id}: {objective.value_text(value)} at "
        f"{cost.value_text(taken)}; the budget is {cost.value_text(subject.budget)}."
    )
    figure = cloud_figure(with_candidates(table, named), cost.named, objective.named)
    if key:
        ring = {"symbol": "circle-open", "size": 15, "color": PURPLE, "line": {"width": 3}}
        figure.add_scatter(x=[taken], y=[value], mode="markers", name="this subnet", marker=ring)
    figure.update_layout(height=280 if key else 380)
    return figure_of(figure, description, key=key)
