"""Fronts, optima and what follows from them, and the searches that a study keeps."""

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from foxnas_core.errors import FoxnasError
from foxnas_core.space.architecture import Architecture, Value
from foxnas_core.study.storage import Study, open_study
from pages.shared.cache.fits import cached_calibrations, cached_predictor
from pages.shared.cache.versions import Stamp, Version, cached_table, stamp_of, version_of
from pages.shared.choices import as_text

if TYPE_CHECKING:
    import pandas as pd

    from foxnas_core.explanation.reach import Answer, Reached
    from foxnas_core.explanation.reasons import Reasons
    from foxnas_core.explanation.why_not import WhyNot
    from foxnas_core.search.calibration import SearchCalibration
    from foxnas_core.search.exact import Front
    from foxnas_core.search.milp import Solution
    from foxnas_core.search.problem import SearchProblem
    from foxnas_core.search.result import SearchResult

Kept = tuple[tuple[str, tuple[Value, ...]], ...]
Limits = tuple[tuple[str, float], ...]
KEPT_SEARCHES = 50


def problem_of(study: Study, objective: str, limits: Limits, kept: Kept) -> "SearchProblem":
    """The search for the best of a column under limits on others, as `search_problem`
    takes them; raises as `regression.fit`."""
    (first, bound), *others = limits
    stamp = version_of(study)
    problem = cached_problem(str(study.folder), objective, first, tuple(others), kept, stamp)
    return problem.within(bound)


@st.cache_resource(max_entries=16, show_spinner=False)
def cached_problem(
    _folder: str, objective: str, first: str, limits: Limits, kept: Kept, stamp: Version
) -> "SearchProblem":
    from foxnas_core.steps.search import search_problem

    if kept:
        return cached_problem(_folder, objective, first, limits, (), stamp).restricted_to(
            dict(kept)
        )
    # The first limit's number is set by `SearchProblem.within`, which shares what is compiled.
    bounds = {first: 0.0, **dict(limits)}
    predictors = {
        c: cached_predictor(_folder, c, "auto", "auto", stamp) for c in (objective, *bounds)
    }
    return search_problem(predictors, bounds, objective=objective)


def front_of(study: Study, latency: str, kept: Kept = ()) -> "Front":
    """The best predicted accuracy for every latency, with the choices that decisions may take;
    raises as `regression.fit`."""
    return cached_front(str(study.folder), latency, kept, version_of(study))


@st.cache_resource(max_entries=16, show_spinner="Finding the exact optimum for every budget …")
def cached_front(_folder: str, latency: str, kept: Kept, stamp: Version) -> "Front":
    from foxnas_core.search.exact import front

    return front(cached_problem(_folder, "accuracy", latency, (), kept, stamp))


def limited_front_of(study: Study, cost: str, limits: Limits, kept: Kept) -> "Front":
    """The front with further columns limited too; raises as `regression.fit` and
    `limited_front`."""
    return _limited_front(str(study.folder), cost, limits, kept, version_of(study))


@st.cache_resource(max_entries=16, show_spinner="Finding the front under all limits …")
def _limited_front(_folder: str, cost: str, limits: Limits, kept: Kept, stamp: Version) -> "Front":
    from foxnas_core.search.limited import limited_front

    return limited_front(cached_problem(_folder, "accuracy", cost, limits, kept, stamp))


def solution_of(study: Study, objective: str, limits: Limits, kept: Kept) -> "Solution":
    """The optimum of `problem_of`; raises as `milp.solve`."""
    return _solution(str(study.folder), objective, limits, kept, version_of(study))


@st.cache_resource(max_entries=64, show_spinner="Finding the optimum under all limits …")
def _solution(
    _folder: str, objective: str, limits: Limits, kept: Kept, stamp: Version
) -> "Solution":
    from foxnas_core.search.milp import solve

    (first, bound), *others = limits
    return solve(
        cached_problem(_folder, objective, first, tuple(others), kept, stamp).within(bound)
    )


def reached_of(
    study: Study,
    objective: str,
    limits: Limits,
    kept: Kept,
    architecture: Architecture,
    relative: bool,
) -> "Reached":
    """The edits by which an architecture reaches a goal for the first of `limits`, whose number is
    that goal's amount; raises as `answers.reach`."""
    return _reached(
        str(study.folder), objective, limits, kept, as_text(architecture), relative,
        version_of(study), stamp_of(study, "optima.parquet"),
    )  # fmt: skip


@st.cache_resource(max_entries=64, show_spinner="Finding the fewest edits …")
def _reached(
    _folder: str,
    objective: str,
    limits: Limits,
    kept: Kept,
    architecture: str,
    relative: bool,
    stamp: Version,
    optima: Stamp,
) -> "Reached":
    from foxnas_core.explanation.reach import Goal, reach

    (first, amount), *others = limits
    problem = cached_problem(_folder, objective, first, tuple(others), (), stamp)
    return reach(
        problem,
        problem.space.architecture(json.loads(architecture)),
        Goal(amount, relative),
        allowed=dict(kept),
        calibration=_calibration(_folder, objective, first, stamp, optima),
    )


def kept_best_of(
    study: Study, objective: str, limits: Limits, kept: Kept, architecture: Architecture
) -> "Answer":
    """The best of `problem_of` beside an architecture; raises as `answers.best_with_kept`."""
    return _kept_best(
        str(study.folder), objective, limits, kept, as_text(architecture),
        version_of(study), stamp_of(study, "optima.parquet"),
    )  # fmt: skip


@st.cache_resource(max_entries=64, show_spinner="Optimising the rest …")
def _kept_best(
    _folder: str,
    objective: str,
    limits: Limits,
    kept: Kept,
    architecture: str,
    stamp: Version,
    optima: Stamp,
) -> "Answer":
    from foxnas_core.explanation.reach import best_with_kept

    (first, bound), *others = limits
    problem = cached_problem(_folder, objective, first, tuple(others), (), stamp).within(bound)
    return best_with_kept(
        problem,
        problem.space.architecture(json.loads(architecture)),
        dict(kept),
        calibration=_calibration(_folder, objective, first, stamp, optima),
    )


def why_not_of(
    study: Study,
    objective: str,
    limits: Limits,
    kept: Kept,
    architecture: Architecture,
    asked: tuple[str, Value],
) -> "tuple[WhyNot, pd.DataFrame]":
    """Why an architecture does not have a decision's choice, and the best with each of its choices;
    raises as `answers.why_not`."""
    return _why_not(
        str(study.folder), objective, limits, kept, as_text(architecture), asked, version_of(study)
    )


@st.cache_resource(max_entries=64, show_spinner="Looking for the best subnet with it …")
def _why_not(
    _folder: str,
    objective: str,
    limits: Limits,
    kept: Kept,
    architecture: str,
    asked: tuple[str, Value],
    stamp: Version,
) -> "tuple[WhyNot, pd.DataFrame]":
    from foxnas_core.explanation.why_not import every_choice, why_not

    (first, bound), *others = limits
    problem = cached_problem(_folder, objective, first, tuple(others), (), stamp).within(bound)
    base, allowed = problem.space.architecture(json.loads(architecture)), dict(kept)
    found = why_not(problem, base, *asked, allowed=allowed)
    return found, every_choice(problem, base, asked[0], allowed=allowed)


def _calibration(
    folder: str, objective: str, first: str, stamp: Version, optima: Stamp
) -> "SearchCalibration | None":
    """The calibration of what is limited, None where too few optima were measured."""
    latency = objective if first == "accuracy" else first
    with suppress(FoxnasError):
        return cached_calibrations(folder, latency, stamp, optima)[first]
    return None


def reasons_of(study: Study, latency: str, architecture: Architecture, budget: float) -> "Reasons":
    """Why an architecture has its blocks at a latency budget; raises as `front_of`."""
    return _reasons(str(study.folder), latency, as_text(architecture), budget, version_of(study))


@st.cache_resource(max_entries=64, show_spinner="Finding the reasons …")
def _reasons(folder: str, latency: str, choices: str, budget: float, stamp: Version) -> "Reasons":
    from foxnas_core.explanation.reasons import reasons
    from foxnas_core.search.prices import front_prices

    gain, cost = (cached_predictor(folder, c, "auto", "auto", stamp) for c in ("accuracy", latency))
    return reasons(
        gain,
        cost,
        architecture=gain.space.architecture(json.loads(choices)),
        background=cached_table(folder, stamp).architectures(),
        price=front_prices(cached_front(folder, latency, (), stamp)).at(budget),
    )


def searches_of(study: Study) -> "dict[str, SearchResult]":
    """The newest of the study's kept searches by id, damaged ones left out."""
    return _searches(str(study.folder), stamp_of(study, "searches"))


# With every search that is kept there is another list, so each search is kept apart from it.
@st.cache_resource(max_entries=4, show_spinner=False)
def _searches(folder: str, stamp: Stamp) -> "dict[str, SearchResult]":
    study = open_study(Path(folder))
    found = {}
    for search_id in study.search_ids()[:KEPT_SEARCHES]:
        with suppress(FoxnasError):
            found[search_id] = _search(
                folder, search_id, stamp_of(study, f"searches/{search_id}.json")
            )
    return found


@st.cache_resource(max_entries=2 * KEPT_SEARCHES, show_spinner=False)
def _search(folder: str, search_id: str, stamp: Stamp) -> "SearchResult":
    return open_study(Path(folder)).load_search(search_id)
