"""The problems that a study's predictors pose."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from foxnas_core.search.limits import AdditivePredictor
from foxnas_core.space.architecture import Value

if TYPE_CHECKING:
    from foxnas_core.search.exact import Front
    from foxnas_core.search.problem import SearchProblem


def search_problem(
    predictors: Mapping[str, AdditivePredictor],
    bounds: Mapping[str, float],
    *,
    objective: str,
    allowed: Mapping[str, tuple[Value, ...]] | None = None,
) -> "SearchProblem":
    """The search for the best `objective` with every column of `bounds` at most its number, or at
    least that where more is better; `allowed` as in `SearchProblem`.

    Raises `InvalidInput` as that.
    """
    from foxnas_core.search.limits import limit_of
    from foxnas_core.search.problem import SearchProblem

    limits = tuple(limit_of(predictors[column], bound) for column, bound in bounds.items())
    return SearchProblem(predictors[objective], limits, allowed or {})


def cost_front(
    objective: AdditivePredictor,
    cost: AdditivePredictor,
    *,
    allowed: Mapping[str, tuple[Value, ...]] | None = None,
) -> "Front":
    """The best predicted objective for every budget of a cost; `allowed` as in `SearchProblem`."""
    from foxnas_core.search.exact import front

    known = {p.target.column: p for p in (objective, cost)}
    bounds = {cost.target.column: 0.0}
    return front(search_problem(known, bounds, objective=objective.target.column, allowed=allowed))
