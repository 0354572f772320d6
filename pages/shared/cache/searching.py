"""Fronts, optima and what follows from them, and the searches that a study keeps."""

from contextlib import suppress
from typing import TYPE_CHECKING

from foxnas_core.cards.finds import Allowed, Limits
from foxnas_core.errors import FoxnasError
from foxnas_core.space.architecture import Architecture, Value
from foxnas_core.study import Study
from pages.shared.cache.given import Cached, calibrations_of, front_of, predictor_of, problem_of
from pages.shared.cache.versions import cached, table_of

if TYPE_CHECKING:
    import pandas as pd

    from foxnas_core.explanation.reach import Answer, Reached
    from foxnas_core.explanation.reasons import Reasons
    from foxnas_core.explanation.why_not import WhyNot
    from foxnas_core.search.calibration import SearchCalibration


@cached("optima.parquet", entries=64, spinner="Finding the fewest edits …")
def reached_of(
    study: Study,
    objective: str,
    limits: Limits,
    kept: Allowed,
    architecture: Architecture,
    relative: bool,
) -> "Reached":
    """The edits by which an architecture reaches a goal for the first of `limits`, whose number is
    that goal's amount; raises as `reach.reach`."""
    from foxnas_core.explanation.reach import Goal, reach

    (first, amount), *others = limits
    return reach(
        Cached(study).unbound_of(objective, first, tuple(others), ()),
        architecture,
        Goal(amount, relative),
        allowed=dict(kept),
        calibration=_calibration(study, objective, first),
    )


@cached("optima.parquet", entries=64, spinner="Optimising the rest …")
def kept_best_of(
    study: Study, objective: str, limits: Limits, kept: Allowed, architecture: Architecture
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
    kept: Allowed,
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
