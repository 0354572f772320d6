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
    least that where more is better; `allowed` as in `SearchProblem`. Decisions of which some
    fit saw one choice alone keep it.

    Raises `InvalidInput` as that.
    """
    from foxnas_core.regression import Predictor
    from foxnas_core.search.limits import limit_of
    from foxnas_core.search.problem import SearchProblem
    from foxnas_core.search.restriction import narrowed

    limits = tuple(limit_of(predictors[column], bound) for column, bound in bounds.items())
    left = dict(allowed or {})
    for predictor in (predictors[objective], *(limit.predictor for limit in limits)):
        if isinstance(predictor, Predictor):
            left = narrowed(left, {name: (choice,) for name, choice in predictor.form.held})
    return SearchProblem(predictors[objective], limits, left)


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
