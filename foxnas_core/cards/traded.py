"""What every budget could have had, of what a report is asked for."""

from dataclasses import replace

import numpy as np
import pandas as pd

from foxnas_core.cards import front as cards
from foxnas_core.cards.card import Card
from foxnas_core.cards.subject import Subject
from foxnas_core.figures.front import cloud_figure
from foxnas_core.figures.search import front_table, with_candidates
from foxnas_core.search.exact import Front
from foxnas_core.search.lookup import whole_of
from foxnas_core.search.problem import Candidate
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.search_space import SearchSpace

LISTED = 24
MOST_POINTS = 1000


def found(front: Front) -> Card:
    """How many subnets the front has, between which ends, and what it is of."""
    objective, cost = front.problem.objective.target, front.problem.limits[0].predictor.target
    whole = whole_of(front.problem)
    ends = [
        f"{cost.value_text(float(front.costs[end]))} and "
        f"{objective.value_text(float(front.values[end]))}"
        for end in (0, -1)
    ]
    return Card(
        key="front",
        title="The front",
        sentence=f"For every {cost.word} the best that "
        f"{'was measured' if whole else 'the regression predicts'}, found exactly: "
        f"{len(front):,} subnets, from {ends[0]} to {ends[1]}.",
        notes=(
            whole.sentence
            if whole
            else "Measured subnets may lie above it where the measurement was lucky or the "
            "regression errs.",
        ),
    )


def read_off(subject: Subject) -> list[Card]:
    """What the front says of its budget: where more of it pays less, what it is worth, which block
    changes next, and what is as good."""
    given = replace(subject.given, budget=subject.budget)
    asked = (cards.curve, cards.prices, cards.steps, cards.chances, cards.ties)
    return [one.compute(given) for one in asked]


def front_points(front: Front, most: int = LISTED) -> list[int]:
    """Positions of at most so many points of a front, evenly by cost, both ends included."""
    wanted = np.linspace(front.costs[0], front.costs[-1], most)
    found = np.searchsorted(front.costs, wanted, side="right") - 1
    return np.unique(found.clip(0)).tolist()


def listed(front: Front) -> Card:
    """Some points of the front."""
    objective, cost = front.problem.objective.target, front.problem.limits[0].predictor.target
    space = front.problem.space
    rows = []
    for point in front_points(front):
        candidate = front.candidate(point)
        own = compact(space, candidate.architecture)
        rows.append((candidate.costs[0], candidate.value, candidate.architecture.id, own))
    columns = [cost.named, objective.named, "Subnet", _compact_title(space)]
    return Card(
        key="points",
        title=f"{len(rows)} points of the front, evenly by {cost.word}",
        sentence="",
        table=pd.DataFrame(rows, columns=columns),
    )


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


def shown(subject: Subject, *, moving: bool = False) -> Card:
    """The front as steps with budget, optimum and chosen subnet, over the measured subnets; where
    one is `moving`, over none, with a last trace that a script may move."""
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
    over = measured.head(0) if moving else measured
    points = front_table(over, front, budget=subject.budget, points=MOST_POINTS)
    points = with_candidates(points, named)
    description = (
        f"{objective.label} over {cost.word}: {len(front):,} points of the predicted front"
        + ("" if moving else f" and {len(measured):,} measured subnets")
        + f"; chosen {chosen.architecture.id}: {objective.value_text(value)} at "
        f"{cost.value_text(taken)}; the budget is {cost.value_text(subject.budget)}."
    )
    ringed = (taken, value) if moving else None

    return Card(
        key="cloud",
        sentence=description,
        draw=lambda: cloud_figure(points, cost.named, objective.named, ringed).update_layout(
            height=280 if moving else 380
        ),
    )
