"""What answers for a subnet, whatever is shown of it."""

from contextlib import suppress
from typing import TYPE_CHECKING

from foxnas_core.cards.finds import Allowed, Limits
from foxnas_core.cards.given import Given
from foxnas_core.cards.sharing import shared
from foxnas_core.errors import FoxnasError
from foxnas_core.space.architecture import Architecture, Value

if TYPE_CHECKING:
    import pandas as pd

    from foxnas_core.explanation.reach import Answer, Reached
    from foxnas_core.explanation.reasons import Reasons
    from foxnas_core.explanation.why_not import WhyNot
    from foxnas_core.search.calibration import SearchCalibration


@shared("optima.parquet", entries=64, spinner="Finding the fewest edits …")
def reached_of(
    given: Given,
    objective: str,
    limits: Limits,
    allowed: Allowed,
    architecture: Architecture,
    relative: bool,
    guard: float | None = None,
    in_percent: bool = False,
) -> "Reached":
    """The edits by which an architecture reaches a goal for the first of `limits`, whose number is
    that goal's amount, which measurements keep as surely as the `guard` asks; raises as
    `reach.reach`."""
    from foxnas_core.explanation.reach import Goal, reach
    from foxnas_core.search.guard import guarded_bound, share_of

    (first, amount), *others = limits
    problem = given.unbound_of(objective, first, tuple(others), fitted=True)
    found, kept = _calibration(given, objective, first), dict(allowed)
    searched = None if relative else guarded_bound(problem, amount, guard, found, kept)
    goal = Goal(amount, relative, searched, in_percent, share_of(guard))
    return reach(problem, architecture, goal, allowed=kept, calibration=found)


@shared("optima.parquet", entries=64, spinner="Optimising the rest …")
def kept_best_of(
    given: Given, objective: str, limits: Limits, allowed: Allowed, architecture: Architecture,
    measured: float,
) -> "Answer":  # fmt: skip
    """The best within limits beside an architecture, with the chance that it keeps the number that
    the first one is to keep when `measured`; raises as `reach.best_with_kept`."""
    from foxnas_core.explanation.reach import best_with_kept

    return best_with_kept(
        given.problem_of(objective, limits, fitted=True),
        architecture,
        dict(allowed),
        calibration=_calibration(given, objective, limits[0][0]),
        measured=measured,
    )


@shared(entries=64, spinner="Looking for the best subnet with it …")
def why_not_of(
    given: Given,
    objective: str,
    limits: Limits,
    allowed: Allowed,
    architecture: Architecture,
    asked: tuple[str, Value],
) -> "tuple[WhyNot, pd.DataFrame]":
    """Why an architecture does not have a decision's choice, and the best with each of its choices;
    raises as `why_not.why_not`."""
    from foxnas_core.explanation.why_not import every_choice, why_not

    problem, kept = given.problem_of(objective, limits, fitted=True), dict(allowed)
    found = why_not(problem, architecture, *asked, allowed=kept)
    return found, every_choice(problem, architecture, asked[0], allowed=kept)


@shared(entries=64, spinner="Finding the reasons …")
def reasons_of(given: Given, cost: str, architecture: Architecture, budget: float) -> "Reasons":
    """Why an architecture has its blocks at a budget; raises as `Given.front_of`."""
    from foxnas_core.explanation.reasons import reasons
    from foxnas_core.search.prices import front_prices

    return reasons(
        given.predictor(given.study.objective.column),
        given.predictor(cost),
        architecture=architecture,
        background=given.background,
        price=front_prices(given.front_of(cost, fitted=True)).at(budget),
    )


def _calibration(given: Given, objective: str, first: str) -> "SearchCalibration | None":
    """The calibration of what is limited, None where too few optima were measured."""
    cost = objective if first == given.main[0] else first
    with suppress(FoxnasError):
        return given.calibrations_of(cost, given.main[0])[first]
    return None
