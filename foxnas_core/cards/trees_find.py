"""What boosted trees would choose, beside what the regression does."""

from contextlib import suppress

import pandas as pd

from foxnas_core.cards.analysis import analysis
from foxnas_core.cards.card import Card
from foxnas_core.cards.explanations import second_opinion_of
from foxnas_core.cards.finds import Allowed, Limits
from foxnas_core.cards.given import Given
from foxnas_core.cards.quest import Quest
from foxnas_core.cards.search import asked_text, no_search
from foxnas_core.cards.sharing import shared
from foxnas_core.cards.standing import measured_text
from foxnas_core.errors import FoxnasError
from foxnas_core.explanation.trees_find import EVALUATIONS, STRATEGY
from foxnas_core.search.problem import Candidate
from foxnas_core.table.readings import readings_of

OURS, THEIRS = "the regression", "boosted trees"


@shared(entries=8, spinner="Searching by boosted trees …")
def find_of(given: Given, objective: str, limits: Limits, allowed: Allowed) -> Candidate:
    """The best by the trees; raises as `find_by`."""
    from foxnas_core.explanation.trees_find import find_by

    problem = given.problem_of(objective, limits, allowed)
    return find_by(second_opinion_of(given, objective).values, problem)


@analysis("Explanations", "second-opinion-find", "What the trees would choose", no_search)
def find(given: Given) -> Card:
    """Both optima under the same limits, each told by both, with what was measured of them."""
    quest = Quest(given)
    ours = quest.solution().candidate.architecture
    theirs = find_of(given, quest.objective, quest.limits, given.allowed).architecture
    target, trees = quest.problem.objective.target, second_opinion_of(given, quest.objective)
    both = given.study.space.encode([ours, theirs])
    by_regression = quest.problem.objective.predict([ours, theirs])["value"].to_numpy()
    by_trees = trees.values(both)
    targets = [predictor.target for predictor in quest.problem.predictors]
    tables = [given.table]
    with suppress(FoxnasError):  # damaged, of which the page that shows them tells
        tables.append(given.optima())
    measured = [measured_text(readings_of(tables, own), targets) for own in (ours, theirs)]
    apart = int((both[0] != both[1]).sum())
    same = "Both choose the same subnet." if not apart else (
        f"They differ in {apart} choices: the regression expects "
        f"{target.difference_text(by_regression[1] - by_regression[0], signed=True)} of the trees' "
        f"subnet {theirs.id} beside its own, {ours.id}, and the trees "
        f"{target.difference_text(by_trees[1] - by_trees[0], signed=True)}."
    )  # fmt: skip
    whose = zip(("the regression's", "the trees'"), measured, strict=True)
    said = "; ".join(f"{name} {text}" for name, text in whose if text)
    limits = asked_text(quest.asked, quest.searched)
    return Card(
        sentence=f"Boosted trees, searched as well {limits}. {same} "
        + (f"Measured: {said}." if said else "Neither was measured yet."),
        stress=(ours.id, theirs.id),
        table=pd.DataFrame(
            {
                "found by": [OURS, THEIRS],
                "subnet": [ours.id, theirs.id],
                f"{target.word} by {OURS}": [target.text(own) for own in by_regression],
                f"{target.word} by {THEIRS}": [target.text(own) for own in by_trees],
                "measured": measured,
            }
        ),
        notes=(
            f"{STRATEGY} over {EVALUATIONS:,} predictions of the trees, ended by single edits "
            "until none is better: nothing proves that the trees would choose no other. What "
            "subnets cost is predicted by the regressions, for both.",
        ),
    )
