"""The headline numbers of a subnet, the same wherever it is shown, and what is promised of an
answer.

A search picks what its regression overrates. So of the optimum of a budget, and of what it was
edited into, which errs as it does, measured optima tell what to expect; of any other subnet the
plain prediction does.
"""

import math
from collections.abc import Iterable
from contextlib import suppress

from foxnas_core.cards.finds import Allowed, Limits
from foxnas_core.cards.given import Given
from foxnas_core.cards.quest import Quest
from foxnas_core.cards.sharing import once
from foxnas_core.errors import FoxnasError
from foxnas_core.search import guard
from foxnas_core.search.calibration import SearchCalibration
from foxnas_core.search.chance import chance_kept
from foxnas_core.search.expectation import Expectation, expectation, is_optimum
from foxnas_core.search.guard import price_text
from foxnas_core.search.problem import Candidate
from foxnas_core.space.architecture import Architecture
from foxnas_core.table.metrics import metric_of


def expected(
    given: Given, architecture: Architecture, columns: Iterable[str] | None = None
) -> tuple[Expectation, ...]:
    """What a subnet is expected to measure, of each of `columns`, by default of all that are
    fitted; raises as `Given.predictor`. What a table holds of every architecture is looked up."""
    names = given.fits()[0] if columns is None else columns
    known, whole = {}, None
    if len(given.main) == len(set(given.traded)):
        known, whole = searched_for(given, architecture), given.whole_table(given.traded)
    told = whole.predictors() if whole else {}
    return tuple(
        expectation(told.get(name) or given.predictor(name), architecture, known) for name in names
    )


def searched_for(given: Given, architecture: Architecture) -> dict[str, SearchCalibration]:
    """What measured optima tell, by column, of a subnet that is the optimum of some budget, or was
    edited from one; nothing of any other, or where none were measured."""
    return _searched_for(
        given, architecture, given.start, given.traded, given.allowed, given.limits, given.guard
    )


@once
def _searched_for(
    given: Given, architecture: Architecture, start: Architecture | None, traded: tuple[str, str],
    allowed: Allowed, limits: Limits, guard: float | None,
) -> dict[str, SearchCalibration]:  # fmt: skip
    """As `searched_for`, which follows from all of these."""
    goals = [traded, (traded[0], given.study.cost.column)]
    with suppress(FoxnasError):
        goals += given.goals_of_optima()
    told: dict[str, SearchCalibration] = {}
    for objective, cost in dict.fromkeys(goals):
        with suppress(FoxnasError):
            found = given.calibrations_of(cost, objective)
            own = objective == traded[0]
            fronts = [given.front_of(cost, (), (), given.objective if own else objective)]
            if own and (given.allowed or given.limits):
                fronts.append(given.front(cost))
            if any(is_optimum(f, a) for f in fronts for a in (architecture, start or architecture)):
                told = found | told
    return told


def expected_of(quest: Quest, best: Candidate) -> list[Expectation]:
    """What a searched answer is expected to measure of what is looked for and of every limit."""
    known = {**quest.calibrations, **quest.told}
    return [expectation(p, best.architecture, known) for p in quest.problem.predictors]


def chances_of(quest: Quest, best: Candidate) -> list[float]:
    """The probability that an answer keeps each limit as it was chosen, where measured optima tell;
    NaN where they don't."""
    return [
        chance_kept(limit, best.architecture, quest.told[limit.column])
        if limit.column in quest.told
        else math.nan
        for limit in quest.wanted.limits
    ]


def promised(quest: Quest, best: Candidate | None = None, kept: str = "") -> str:
    """What is promised of an answer, by default of the optimum, in a sentence: how surely its
    limits are kept, and at what price; or that nothing is, and how to get there. `kept` is how the
    first one is written, where that is alone."""
    best = best or quest.solution().candidate
    target, price = metric_of(quest.objective), ""
    if quest.is_guarded:
        price = price_text(price_of(quest, best), target)
    known, goals = quest.told, quest.given.traded
    return guard.promised(quest.wanted, best.architecture, known, goals, price, kept)


def price_of(quest: Quest, best: Candidate) -> float:
    """How much more or less of what is looked for a guarded answer is expected to have than the
    unguarded best."""
    other = quest.unguarded.solution().candidate
    if other.architecture == best.architecture:
        return 0.0
    own, unguarded = (expected_of(quest, one)[0].value for one in (best, other))
    return own - unguarded
