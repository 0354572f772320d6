"""What a search answers: the optimum and what it will measure, and the searches that are kept."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

import pandas as pd

from foxnas_core.cards.analysis import Options, analysis
from foxnas_core.cards.card import Card
from foxnas_core.cards.expected import chances_of, expected_of, promised
from foxnas_core.cards.finds import KEPT_SEARCHES
from foxnas_core.cards.given import Given
from foxnas_core.cards.quest import Quest
from foxnas_core.cards.standing import in_order, incumbent_sentence, standing_of
from foxnas_core.errors import FoxnasError
from foxnas_core.figures import search as tables
from foxnas_core.search.expectation import Expectation, not_fitted_sentence
from foxnas_core.search.guard import OFF, chance_of_all
from foxnas_core.search.limits import AdditivePredictor, Side, in_words, noun_of
from foxnas_core.search.problem import SearchProblem
from foxnas_core.search.result import SEARCHES, SearchResult
from foxnas_core.search.standing import Standing
from foxnas_core.study import Study
from foxnas_core.table.metrics import Metric, metric_of
from foxnas_core.table.sums import tells

EQUAL = 1e-9  # two sums of the same numbers


# Words


def limits_text(limits: Iterable[tuple[Metric, float, Side]]) -> str:
    """The limits of a search, within a sentence: "under 0.06 ms, at most 20.0 k parameters"."""
    (first, bound, side), *further = limits
    if side == "at_least":
        start = f"at {noun_of(first)} of {bound:.4g} {first.unit}".rstrip() + " or more"
    else:
        start = f"under {bound:.4g} {first.unit or noun_of(first)}"
    return ", ".join([start, *in_words(further)])


def asked_text(asked: Sequence[tuple[Metric, float, Side]], searched: float) -> str:
    """The limits as they were asked for, within a sentence, and behind them the number of the first
    that was searched under, where a guard made it tighter."""
    first, bound, side = asked[0]
    if searched == bound:
        return limits_text(asked)
    how, number = "under" if side == "at_most" else "above", f"{searched:.4g} {first.unit}"
    return f"{limits_text(asked)} (searched {how} {number.rstrip()})"


def gap_text(gap: float, target: Metric) -> str:
    """A gap of the objective in its unit."""
    number = f"{gap:.3f}" if target.unit == "%" else f"{gap:.3g}"
    return f"{number} {target.difference_unit}".rstrip()


def predictors_of(problem: SearchProblem) -> list[AdditivePredictor]:
    """Those of the objective and of every limit, in order."""
    return [problem.objective, *(limit.predictor for limit in problem.limits)]


# The optimum


def no_search(given: Given) -> str | None:
    """Why nothing can be searched for; raises what keeps an optimum from being found."""
    if len(given.main) < 2 or not tells(given.table):
        missing = [metric_of(c).word for c in given.traded if c not in given.main]
        return (
            f"A search needs {' and '.join(missing) or 'rows'} measured, which this study does not "
            "have yet; measure subnets with 'python -m foxnas_core measure' or import a table."
        )
    Quest(given).solution()
    return None


@analysis("Search", "optimum", "The exact optimum, and what it will measure", no_search)
def optimum(given: Given) -> Card:
    quest = Quest(given)
    solution, predictors = quest.solution(), predictors_of(quest.problem)
    best, targets = solution.candidate, [predictor.target for predictor in predictors]
    kept = ", with the choices kept" if given.allowed else ""
    beyond = "" if solution.exact else (
        " The exact optimum is out of reach in the time a page has; no subnet within the limits is "
        f"predicted {'below' if targets[0].direction == 'min' else 'above'} "
        f"{targets[0].value_text(solution.bound)}."
    )  # fmt: skip
    found, beside = expected_of(quest, best), standing_of(quest, best)
    values = [each.value_text for each in found]
    told = (
        f"{'Exact optimum' if solution.exact else 'Best found'} "
        f"{asked_text(quest.asked, quest.searched)}{kept}: subnet {best.architecture.id}, "
        f"{found[0].how} {', '.join(values[:-1])} and {values[-1]}."
    )
    promise = "" if beside.whole else f"{promised(quest)}{beyond}"
    intervals = [] if beside.whole else [
        f"{each.target.label}: {each.value_text} ({each.interval_text})"
        + (f"; {each.predicted_text}." if each.optima else ".")
        for each in found[:2]
    ]  # fmt: skip
    return Card(
        sentence=in_order(beside, targets, told, promise),
        stress=tuple(dict.fromkeys((beside.answer.id, best.architecture.id, *values))),
        points=(*intervals, incumbent_sentence(beside, targets)),
        table=tables.promise_table(found, *chances_of(quest, best)),
        cautions=() if beside.whole else calibrated(given),
        notes=(_how(found, beside),),
    )


def _how(found: Sequence[Expectation], beside: Standing) -> str:
    """How the numbers of an answer came about."""
    if beside.whole:
        return "The regression of the same rows, on the other pages, explains what the table holds."
    if said := not_fitted_sentence(found):
        return said
    if optima := found[0].optima:
        return (
            f"What it will measure is told by {optima} other optima that were measured and "
            "kept out of the fit, since a search picks out what the regression overrates. Behind "
            "it, the plain prediction, whose interval holds for a subnet chosen without looking. "
            "Both hold with 95 %."
        )
    return (
        "A search picks out what the regression overrates, so the optimum tends to measure worse "
        "than this."
    )


def calibrated(given: Given) -> tuple[str, ...]:
    """That the cost is calibrated from another device, where it is."""
    cost = given.predictor(given.traded[1])
    return tuple(cost.warnings[:1]) if cost.transferred else ()


# Kept searches


def drawable(study: Study, result: SearchResult) -> bool:
    """Whether it weighed the objective against a cost, as a page's own searches do."""
    objective = study.objective
    if not result.limits:
        return False
    (first, _), side = result.limits[0], result.sides[0]
    if result.objective == objective.column:
        return side == "at_most"
    return first == objective.column and (side == "at_least") == (objective.sign > 0)


def cost_of(study: Study, result: SearchResult) -> str:
    """The column that a drawable search weighed the objective against."""
    own = result.objective == study.objective.column
    return result.limits[0][0] if own else result.objective


def quest_of(given: Given, result: SearchResult) -> Quest:
    """What a drawable search looked for, with its own guard."""
    study, bounds = given.study, result.asked_for
    own = result.objective == study.objective.column
    further = tuple(zip((column for column, _ in result.limits[1:]), bounds[1:], strict=True))
    return Quest(
        replace(
            given, objective=None, cost=cost_of(study, result), limits=further,
            allowed=tuple(result.allowed.items()), guard=result.guard or OFF,
            budget=bounds[0] if own else None, floor=None if own else bounds[0],
        )
    )  # fmt: skip


def _promises(given: Given, results: Mapping[str, SearchResult]) -> pd.DataFrame:
    """What the best of each is expected to measure of what was looked for, and the chance (%) that
    it keeps all limits as they were asked for; missing where nothing tells."""
    rows = []
    for result in results.values():
        value = chance = None
        if drawable(given.study, result):
            with suppress(FoxnasError):
                quest = quest_of(given, result)
                value = expected_of(quest, result.best)[0].value
                best = result.best.architecture
                chance = chance_of_all(quest.wanted.limits, best, quest.told)
        rows.append((value, None if chance is None else 100 * chance))
    return pd.DataFrame(rows, columns=["expected", "chance"], dtype=float)


def none_kept(given: Given) -> str | None:
    """That no search is kept, and how one is."""
    return None if given.searches() else (
        "No search is kept with this study yet; run one on the page Search or with 'python -m "
        "foxnas_core search --save'."
    )  # fmt: skip


@analysis("Search", "kept", "Kept searches", none_kept)
def kept(given: Given) -> Card:
    found = given.searches()
    damaged = len(given.study.ids(SEARCHES)[:KEPT_SEARCHES]) - len(found)
    return Card(
        cautions=(f"Damaged and left out: {damaged}.",) if damaged else (),
        sentence=f"{len(found)} {'searches are' if len(found) > 1 else 'search is'} kept with the "
        "study, the newest first. Values are as predicted when they were run; expected is what the "
        "best will measure, as measured optima tell now, and chance how surely it keeps its "
        "limits; the gap is to the exact optimum.",
        table=tables.searches_table(found, _promises(given, found)),
    )


def _every_kept(given: Given) -> Options:
    return {"search": {key: f"{label_of(own)} · {key}" for key, own in given.searches().items()}}


@analysis("Search", "trace", "The course of a kept search", none_kept, _every_kept)
def trace(given: Given, *, search: str = "") -> Card:
    """Every point of a run; by default of the newest."""
    result = given.study.kept(SEARCHES, search or next(iter(given.searches())))
    settings = result.settings
    return Card(
        sentence=f"{len(result.trace)} points of the run; seed {settings.seed}, {settings.mode} "
        f"mode, {settings.schedule} schedule from {settings.start_temperature:.3g} to "
        f"{settings.end_temperature:.3g}. {result.certificate}",
        table=result.trace,
    )


def label_of(result: SearchResult) -> str:
    """What a kept search is called in a list."""
    gap, objective = result.gap, metric_of(result.objective)
    rest = "" if gap is None else ", exact" if gap < EQUAL else f", gap {gap_text(gap, objective)}"
    limits = [
        f"{'≥ ' if side == 'at_least' else ''}{limit.text(asked)} {limit.unit or limit.label}"
        + ("" if asked == bound else f" (searched {limit.text(bound)})")
        for (column, bound), asked, side in zip(
            result.limits, result.asked_for, result.sides, strict=True
        )
        for limit in (metric_of(column),)
    ]
    devices = (column.partition(":")[2] for column in (result.objective, *dict(result.limits)))
    device = next(filter(None, devices), "")
    more = f" and {len(limits) - 1} more" if len(limits) > 1 else ""
    return (
        f"{limits[0] if limits else 'no limit'}{f' {device}' if device else ''}{more}: "
        f"{objective.value_text(result.best.value)}{rest}, seed {result.settings.seed}"
    )
