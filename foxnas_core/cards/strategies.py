"""Search strategies side by side on a study's predictors, and what the annealer is worth."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from foxnas_core.cards.analysis import Options, analysis
from foxnas_core.cards.card import Card
from foxnas_core.cards.course import gap_ends
from foxnas_core.cards.expected import expected_of, promised
from foxnas_core.cards.given import Given
from foxnas_core.cards.quest import Quest
from foxnas_core.cards.search import EQUAL, asked_text, gap_text, no_search
from foxnas_core.errors import InvalidInput
from foxnas_core.figures import live
from foxnas_core.figures import strategies as figures
from foxnas_core.search.problem import Candidate
from foxnas_core.search.schedule import AnnealingSettings
from foxnas_core.search.solving import Solution
from foxnas_core.search.strategies.race import ANNEALER, Race
from foxnas_core.search.strategies.strategy import STRATEGIES
from foxnas_core.search.suggestion import resolved

START = ("Random", "Regularised evolution", "OFA's evolution", "NSGA-II")
COUNTS = (100, 200, 500, 1000, 2000, 5000, 10_000, 50_000)
ALL = tuple(STRATEGIES)
# Its own model takes ever longer, so more evaluations would take minutes.
MOST_TPE = 500
# So many take some seconds at most.
_QUICK = 1000


def _evaluations(given: Given) -> Options:
    return {"evaluations": {n: f"{n:,} evaluations" for n in COUNTS if n <= _QUICK}}


@analysis("Strategies", "race", "Search strategies side by side", no_search, _evaluations)
def race(given: Given, *, evaluations: int = 200) -> Card:
    """A race of some strategies that is run to its end; seconds are those of the processor."""
    quest = Quest(given)
    run = Race(quest.problem, START, evaluations=evaluations)
    while not run.done:
        run.advance()
    return race_card(run, quest)


def reference_of(solution: Solution) -> str:
    """What a race is held against: the optimum or, where it is out of reach, what nothing can be
    better than."""
    return figures.EXACT if solution.exact else figures.BOUND


def check_race(names: Sequence[str], evaluations: int) -> None:
    """Raise `InvalidInput` for a race of nobody, or one that takes minutes."""
    if not names:
        raise InvalidInput("No strategy is chosen; choose at least one.")
    if "TPE" in names and evaluations > MOST_TPE:
        raise InvalidInput(
            f"TPE takes minutes for {evaluations:,} evaluations; leave it out or choose at most "
            f"{MOST_TPE:,}."
        )


def race_charts(race: Race, quest: Quest) -> list[tuple[str, pd.DataFrame, live.Spec]]:
    """How far the best so far of each strategy is from the optimum, by evaluations and by seconds:
    the name of a chart, its table and its description; nothing before anything was found."""
    courses = figures.courses_table(race)
    if not len(courses):
        return []
    solution, annealing = quest.solution(), resolved(AnnealingSettings(), race.problem)
    floor = live.least_gap(annealing.end_temperature or 1.0)
    ends = gap_ends(quest.front, floor, least_cost=quest.least_cost)
    drawn = solution.bound, race.problem.objective.target, set(courses["strategy"])
    titles = {
        "evaluations": "Evaluations; proposals of the annealer",
        "seconds": "Seconds of the processor",
    }
    reference = reference_of(solution)
    return [
        (by, courses, figures.course_spec(*drawn, by, title, ends, reference))
        for by, title in titles.items()
    ]


def point_card(race: Race, quest: Quest, point: Mapping[str, Any]) -> Card | None:
    """A point of a course, and what that course had found in the end; None where there is none."""
    name, seed = point.get("strategy"), point.get("seed")
    course = race.courses.get((str(name), seed if isinstance(seed, int) else -1))
    if course is None or course.best is None:
        return None
    table = figures.courses_table(race)
    rows = table[(table["strategy"] == name) & (table["seed"] == seed)]
    row = rows[rows["evaluations"] <= point.get("evaluations", 0)].tail(1)
    row = (row if len(row) else rows.head(1)).iloc[0]
    objective = race.problem.objective.target
    solution = quest.solution()
    gap, reference = race.problem.sign * (solution.bound - row["value"]), reference_of(solution)
    left = f"which is the {reference}" if gap < EQUAL else (
        f"{gap_text(gap, objective)} from the {reference}"
    )  # fmt: skip
    return Card(
        key="point",
        sentence=f"{name}, seed {seed}, after {int(row['evaluations']):,} of {course.total:,} "
        f"{'proposals' if name == ANNEALER else 'evaluations'} and {_seconds(row['seconds'])}: the "
        f"best so far is predicted at {objective.value_text(row['value'])}, {left}.",
        notes=(f"Below, its best at the end, subnet {_headline(quest, course.best)}.",),
    )


def race_card(race: Race, quest: Quest) -> Card:
    """What a race that runs or has ended tells."""
    solution = quest.solution()
    objective, reference = race.problem.objective.target, reference_of(solution)
    standings = figures.standings_table(race, solution.bound)
    known = {**quest.calibrations, **quest.told}.get(objective.column)
    if known is not None:
        told = standings["best"].map(lambda value: known.interval(value)[0], na_action="ignore")
        standings.insert(list(standings).index("best"), "expected", told)
    kept = ", with the choices kept" if race.problem.allowed else ""
    seeds = list(dict.fromkeys(seed for _, seed in race.courses))
    bold, parts = _standing(race, standings, reference)
    return Card(
        title="Standings",
        sentence=" ".join(parts),
        stress=bold,
        points=(_promise(quest, solution),),
        table=standings,
        notes=(
            f"Searched {asked_text(quest.asked, quest.searched)}{kept}; "
            f"seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}.",
            f"Gaps are of predictions, to the {reference}, predicted "
            f"{objective.value_text(solution.bound)}, in "
            f"{objective.difference_unit or 'its own unit'}; seconds are the processor's, for the "
            "strategy and its evaluations.",
            *(("Expected is what measured optima tell of the best predicted.",) if known else ()),
        ),
    )


def _promise(quest: Quest, solution: Solution) -> str:
    """What the optimum that all are held against will measure."""
    return (
        f"The {'optimum' if solution.exact else 'best known'} is subnet "
        f"{_headline(quest, solution.candidate)}. {promised(quest)}"
    )


def _headline(quest: Quest, found: Candidate) -> str:
    """What is expected of a subnet that was found, and the plain prediction behind it."""
    told = expected_of(quest, found)
    *others, last = [each.value_text for each in told]
    plain = ", ".join(each.target.value_text(each.predicted) for each in told if each.optima)
    behind = f" (predicted {plain})" if plain else ""
    return f"{found.architecture.id}, {told[0].how} {', '.join(others)} and {last}{behind}"


def _standing(race: Race, table: pd.DataFrame, reference: str) -> tuple[tuple[str, ...], list[str]]:
    """Who wins, by how much, and what the others do without; what weighs most first."""
    unit = race.problem.objective.target.difference_unit
    [ours] = table[table["strategy"] == ANNEALER].to_dict("records")
    rivals = table[table["strategy"] != ANNEALER]
    bold: list[str] = []
    parts = ["Nothing within the limits was met yet."]
    if rivals["median gap"].notna().any():
        best, worst = rivals.iloc[0], rivals.iloc[-1]
        bold = [best["strategy"], _gap(best["median gap"], unit)]
        parts = [
            f"{'Of' if race.done else 'So far, of'} the strategies that know nothing of the "
            f"predictor {best['strategy']} comes nearest the {reference}: {bold[1]} after "
            f"{best['evaluations']:,} evaluations and {_seconds(best['seconds'])}."
        ]
        if len(rivals) > 1:
            missed = math.isnan(worst["median gap"])
            far = "met nothing within the limits" if missed else (
                f"is {_gap(worst['median gap'], unit)}"
            )  # fmt: skip
            parts.append(f"The last, {worst['strategy']}, {far}.")
        if not math.isnan(ours["median gap"]):
            ratio = best["seconds"] / ours["seconds"] if ours["seconds"] else math.inf
            faster = f", {ratio:,.0f} times quicker" if ratio >= 2 else ""
            parts.append(
                f"Our annealer is {_gap(ours['median gap'], unit)} after "
                f"{ours['evaluations']:,} proposals in {_seconds(ours['seconds'])}{faster}."
            )
    parts.append(
        "It may, since the prediction is a sum over stages and a proposal costs two additions. "
        "The others do without that: they would search any predictor, or measurements, alike."
    )
    return tuple(bold), parts


def _gap(gap: float, unit: str) -> str:
    return "exactly at it" if gap == 0 else f"{gap:.3g} {unit}".rstrip() + " away"


def _seconds(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
