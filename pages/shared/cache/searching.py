"""Fronts, optima and what follows from them, and the searches that a study keeps."""

from contextlib import suppress
from typing import TYPE_CHECKING

from foxnas_core.errors import FoxnasError
from foxnas_core.search.result import SEARCHES
from foxnas_core.space.architecture import Architecture, Value
from foxnas_core.study import Study
from pages.shared.cache.fits import calibrations_of, predictor_of
from pages.shared.cache.versions import Stamp, cached, stamp_of, table_of

if TYPE_CHECKING:
    import pandas as pd

    from foxnas_core.explanation.reach import Answer, Reached
    from foxnas_core.explanation.reasons import Reasons
    from foxnas_core.explanation.why_not import WhyNot
    from foxnas_core.search.calibration import SearchCalibration
    from foxnas_core.search.exact import Front
    from foxnas_core.search.problem import SearchProblem
    from foxnas_core.search.result import SearchResult
    from foxnas_core.search.solving import Solution

Kept = tuple[tuple[str, tuple[Value, ...]], ...]
Limits = tuple[tuple[str, float], ...]
KEPT_SEARCHES = 50


def problem_of(study: Study, objective: str, limits: Limits, kept: Kept = ()) -> "SearchProblem":
    """The search for the best of a column under limits on others, as `steps.search.search_problem`
    takes them; raises as `regression.fit`."""
    (first, bound), *others = limits
    return _unbound(study, objective, first, tuple(others), kept).within(bound)


@cached()
def _unbound(
    study: Study, objective: str, first: str, limits: Limits, kept: Kept
) -> "SearchProblem":
    """The problem whose first limit's number is set by `SearchProblem.within`, which shares what
    is compiled."""
    from foxnas_core.steps.search import search_problem

    if kept:
        return _unbound(study, objective, first, limits, ()).restricted_to(dict(kept))
    bounds = {first: 0.0, **dict(limits)}
    predictors = {c: predictor_of(study, c) for c in (objective, *bounds)}
    return search_problem(predictors, bounds, objective=objective)


@cached(spinner="Finding the exact optimum for every budget …")
def front_of(study: Study, latency: str, kept: Kept = ()) -> "Front":
    """The best predicted accuracy for every latency, with the choices that decisions may take;
    raises as `regression.fit`."""
    from foxnas_core.search.exact import front

    return front(_unbound(study, study.objective.column, latency, (), kept))


@cached(spinner="Finding the front under all limits …")
def limited_front_of(study: Study, cost: str, limits: Limits, kept: Kept) -> "Front":
    """The front with further columns limited too; raises as `regression.fit` and
    `limited_front`."""
    from foxnas_core.search.limited import limited_front

    return limited_front(_unbound(study, study.objective.column, cost, limits, kept))


@cached(entries=64, spinner="Finding the optimum under all limits …")
def solution_of(study: Study, objective: str, limits: Limits, kept: Kept) -> "Solution":
    """The optimum of `problem_of`; raises as `solving.solve`."""
    from foxnas_core.search.solving import solve

    return solve(problem_of(study, objective, limits, kept))


@cached("optima.parquet", entries=64, spinner="Finding the fewest edits …")
def reached_of(
    study: Study,
    objective: str,
    limits: Limits,
    kept: Kept,
    architecture: Architecture,
    relative: bool,
) -> "Reached":
    """The edits by which an architecture reaches a goal for the first of `limits`, whose number is
    that goal's amount; raises as `reach.reach`."""
    from foxnas_core.explanation.reach import Goal, reach

    (first, amount), *others = limits
    return reach(
        _unbound(study, objective, first, tuple(others), ()),
        architecture,
        Goal(amount, relative),
        allowed=dict(kept),
        calibration=_calibration(study, objective, first),
    )


@cached("optima.parquet", entries=64, spinner="Optimising the rest …")
def kept_best_of(
    study: Study, objective: str, limits: Limits, kept: Kept, architecture: Architecture
) -> "Answer":
    """The best of `problem_of` beside an architecture; raises as `reach.best_with_kept`."""
    from foxnas_core.explanation.reach import best_with_kept

    return best_with_kept(
        problem_of(study, objective, limits),
        architecture,
        dict(kept),
        calibration=_calibration(study, objective, limits[0][0]),
    )


@cached(entries=64, spinner="Looking for the best subnet with it …")
def why_not_of(
    study: Study,
    objective: str,
    limits: Limits,
    kept: Kept,
    architecture: Architecture,
    asked: tuple[str, Value],
) -> "tuple[WhyNot, pd.DataFrame]":
    """Why an architecture does not have a decision's choice, and the best with each of its choices;
    raises as `why_not.why_not`."""
    from foxnas_core.explanation.why_not import every_choice, why_not

    problem, allowed = problem_of(study, objective, limits), dict(kept)
    found = why_not(problem, architecture, *asked, allowed=allowed)
    return found, every_choice(problem, architecture, asked[0], allowed=allowed)


def _calibration(study: Study, objective: str, first: str) -> "SearchCalibration | None":
    """The calibration of what is limited, None where too few optima were measured."""
    latency = objective if first == study.objective.column else first
    with suppress(FoxnasError):
        return calibrations_of(study, latency)[first]
    return None


@cached(entries=64, spinner="Finding the reasons …")
def reasons_of(study: Study, latency: str, architecture: Architecture, budget: float) -> "Reasons":
    """Why an architecture has its blocks at a latency budget; raises as `front_of`."""
    from foxnas_core.explanation.reasons import reasons
    from foxnas_core.search.prices import front_prices

    return reasons(
        predictor_of(study, study.objective.column),
        predictor_of(study, latency),
        architecture=architecture,
        background=table_of(study).architectures(),
        price=front_prices(front_of(study, latency)).at(budget),
    )


@cached("searches", table=False, entries=4)
def searches_of(study: Study) -> "dict[str, SearchResult]":
    """The newest of the study's kept searches by id, damaged ones left out."""
    found = {}
    for search_id in study.ids(SEARCHES)[:KEPT_SEARCHES]:
        with suppress(FoxnasError):
            stamp = stamp_of(study, f"searches/{search_id}.json")
            found[search_id] = _search(study, search_id, stamp)
    return found


# With every search that is kept there is another list, so each search is kept apart from it.
@cached(table=False, entries=2 * KEPT_SEARCHES)
def _search(study: Study, search_id: str, stamp: Stamp) -> "SearchResult":
    return study.kept(SEARCHES, search_id)
