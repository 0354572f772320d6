"""What boosted trees would choose, beside what the regression does."""

from collections.abc import Sequence
from contextlib import suppress

import pandas as pd

from foxnas_core.cards.analysis import analysis
from foxnas_core.cards.card import Card
from foxnas_core.cards.explanations import second_opinion_of
from foxnas_core.cards.finds import Allowed, Limits
from foxnas_core.cards.given import Given
from foxnas_core.cards.machine import can_measure
from foxnas_core.cards.quest import Quest
from foxnas_core.cards.search import asked_text, no_search
from foxnas_core.cards.sharing import shared
from foxnas_core.cards.standing import measured_text
from foxnas_core.errors import FoxnasError
from foxnas_core.evidence.verification.claims import CHOSEN, Chosen, Trial
from foxnas_core.explanation.trees_find import EVALUATIONS, STRATEGY
from foxnas_core.search.limits import rounded_up
from foxnas_core.search.problem import Candidate
from foxnas_core.space.architecture import Architecture
from foxnas_core.table.metrics import Metric
from foxnas_core.table.readings import readings_of

OURS, THEIRS = "the regression", "boosted trees"
WAYS: tuple[Chosen, Chosen] = ("regression", "trees")


@shared(entries=8, spinner="Searching by boosted trees …")
def find_of(given: Given, objective: str, limits: Limits, allowed: Allowed) -> Candidate:
    """The best by the trees; raises as `find_by`."""
    from foxnas_core.explanation.trees_find import find_by

    problem = given.problem_of(objective, limits, allowed)
    return find_by(second_opinion_of(given, objective).values, problem)


def finds_of(given: Given) -> dict[Chosen, Architecture]:
    """What the regression and the trees find under the same limits, the trees' where it is another
    one; raises as `Quest.solution` and `find_by`."""
    quest = Quest(given)
    ours = quest.solution().candidate.architecture
    theirs = find_of(given, quest.objective, quest.limits, given.allowed).architecture
    found = dict(zip(WAYS, (ours, theirs), strict=True))
    return {way: own for way, own in found.items() if way == "regression" or own != ours}


def _tested(given: Given) -> dict[Chosen, Trial]:
    """The last measured find of each way."""
    with suppress(FoxnasError):  # damaged, of which Verify tells
        return {t.chosen: t for t in given.trials() if t.done and t.chosen in WAYS}
    return {}


def _verdicts(trial: Trial, targets: Sequence[Metric]) -> str:
    """What verifying measured of targets, and of which it does not count."""
    judged = {claim.target: verdict for claim, verdict in trial.judged}
    known = [(t, judged[t.column]) for t in targets if t.column in judged]
    return ", ".join(
        t.value_text(own.measured) + (f" (not counted: {own.reason})" if own.reason else "")
        for t, own in known
    )


@analysis("Explanations", "second-opinion-find", "What the trees would choose", no_search)
def find(given: Given) -> Card:
    """Both optima under the same limits, what was measured of them, and what both tell of them;
    below, where fits have seen more since and find others, those that were measured last."""
    quest, found = Quest(given), finds_of(given)
    ours, theirs = found["regression"], found.get("trees", found["regression"])
    tested = _tested(given)
    earlier = [t for t in tested.values() if t.edited not in (ours, theirs)]
    every = [ours, theirs, *(trial.edited for trial in earlier)]
    target, trees = quest.problem.objective.target, second_opinion_of(given, quest.objective)
    codes = given.study.space.encode(every)
    by_regression = quest.problem.objective.predict(every)["value"].to_numpy()
    by_trees = trees.values(codes)
    targets = [predictor.target for predictor in quest.problem.predictors]
    tables = [given.table]
    with suppress(FoxnasError):  # damaged, of which the page that shows them tells
        tables.append(given.optima())
    by_trial = {trial.edited: _verdicts(trial, targets) for trial in tested.values()}
    measured = [
        by_trial.get(own) or measured_text(readings_of(tables, own), targets) for own in every
    ]
    apart = int((codes[0] != codes[1]).sum())
    same = "Both choose the same subnet." if not apart else (
        f"They differ in {apart} choices: the regression expects "
        f"{target.difference_text(by_regression[1] - by_regression[0], signed=True)} of the trees' "
        f"subnet {theirs.id} beside its own, {ours.id}, and the trees "
        f"{target.difference_text(by_trees[1] - by_trees[0], signed=True)}."
    )  # fmt: skip
    names = ["the regression's", "the trees'", *(f"earlier {CHOSEN[t.chosen]}" for t in earlier)]
    whose = zip(names, measured, strict=True)
    said = "; ".join(f"{name} {text}" for name, text in whose if text)
    limits = asked_text(quest.asked, quest.searched)
    return Card(
        sentence=f"Boosted trees, searched as well {limits}. {same} "
        + (f"Measured: {said}." if said else "Neither was measured yet."),
        stress=(ours.id, theirs.id),
        table=pd.DataFrame(
            {
                "found by": [OURS, THEIRS, *(f"earlier, {CHOSEN[t.chosen]}" for t in earlier)],
                "subnet": [own.id for own in every],
                "measured": measured,
                f"{target.word} by {OURS}": [target.text(own) for own in by_regression],
                f"{target.word} by {THEIRS}": [target.text(own) for own in by_trees],
            }
        ),
        command=_command(given, quest),
        notes=(
            can_measure(given)
            or "Measured as claims of Verify are: stated by fits that have seen neither, scored on "
            "the held-out images and timed on this machine. The rows join the table, so that fits "
            "may find others afterwards; what was measured stays here.",
            f"{STRATEGY} over {EVALUATIONS:,} predictions of the trees, ended by single edits "
            "until none is better: nothing proves that the trees would choose no other. What "
            "subnets cost is predicted by the regressions, for both.",
        ),
    )


def _command(given: Given, quest: Quest) -> str:
    """What measures both; "" where the search is one that the command can't ask for."""
    if given.floor is not None or given.limits or given.allowed:
        return ""
    own = zip(("--objective", "--cost"), (given.objective, given.cost), strict=True)
    named = "".join(f" {option} {column}" for option, column in own if column)
    guard = "" if given.guard is None else f" --guard {given.guard or 'off'}"
    bound = rounded_up(quest.bound, 6)
    return f"verify --study {given.folder} --second-opinion --budget {bound}{named}{guard}"
