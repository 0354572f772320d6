import math

import numpy as np
import pytest

from foxnas_core.errors import InvalidInput
from foxnas_core.search.problem import SearchProblem
from foxnas_core.search.strategies.goal import SearchGoal, evaluation_of
from tests.search.additive import mini_problem, small_problem

PROBLEM = mini_problem()


def test_the_goal_of_a_problem_is_its_space_direction_and_limits() -> None:
    goal = SearchGoal.of(PROBLEM)
    assert (goal.space, goal.direction, goal.bounds) == (PROBLEM.space, "max", ((-math.inf, 6.0),))
    assert SearchGoal.of(SearchProblem(PROBLEM.objective)).bounds == ()
    less = small_problem([2, 3], 1, 0, whole=False, target="cross_entropy", quantile=None)
    assert SearchGoal.of(less).direction == "min"


def test_an_evaluation_is_what_the_predictors_say() -> None:
    architectures = PROBLEM.space.sample(30, seed=0)
    values, costs = evaluation_of(PROBLEM)(architectures)
    predictors = (PROBLEM.objective, PROBLEM.limits[0].predictor)
    expected = [p.predict(architectures)["value"].tolist() for p in predictors]
    assert [values.tolist(), costs[:, 0].tolist()] == expected
    assert evaluation_of(SearchProblem(PROBLEM.objective))(architectures)[1].shape == (30, 0)


def test_only_predictions_are_needed() -> None:
    """A predictor that is no sum over groups has no `split`."""

    class Product:
        space, target = PROBLEM.space, PROBLEM.objective.target

        def predict(self, architectures):
            import pandas as pd

            codes = PROBLEM.space.encode(architectures).clip(0)
            return pd.DataFrame({"value": np.prod(1.0 + codes, axis=1)})

    problem = SearchProblem(Product())
    largest = PROBLEM.space.extreme("largest")
    values, _ = evaluation_of(problem)([largest, PROBLEM.space.extreme("smallest")])
    assert SearchGoal.of(problem).scores(values)[0] > values[1] == 1.0


def test_excess_is_relative_and_adds_up() -> None:
    goal = SearchGoal(PROBLEM.space, "max", ((-math.inf, 10.0), (4.0, math.inf), (0.0, 0.0)))
    costs = np.array([[10, 4, 0], [15, 4, 0], [10, 3, 0], [15, 3, -2], [np.nan, 4, 0]])
    assert goal.excess(costs)[:4].tolist() == [0, 0.5, 0.25, 2.75]
    assert np.isnan(goal.excess(costs)[4])


def test_within_before_without_and_the_better_value_only_within() -> None:
    for direction, sign in (("max", 1), ("min", -1)):
        goal = SearchGoal(PROBLEM.space, direction, ((-math.inf, 10.0),))
        values = sign * np.array([1.0, 2.0, 9.0, 99.0, np.nan, 5.0])
        standings = goal.standings(values, np.array([9, 10, 11, 12, 1, np.nan])[:, None])
        assert standings[4] is None and standings[5] is None
        assert sorted(range(4), key=standings.__getitem__) == [3, 2, 0, 1]


@pytest.mark.parametrize("allowed", [{"nothing": (1,)}, {"resolution": (999,)}])
def test_what_leaves_no_choice_is_refused(allowed: dict) -> None:
    with pytest.raises(InvalidInput, match="no such choice"):
        SearchGoal(PROBLEM.space, "max", allowed=allowed)
