"""What boosted trees would choose: searched as the regression is, under the same limits."""

from collections.abc import Callable

import numpy as np

from foxnas_core.search.coupling import JointPredictor
from foxnas_core.search.problem import Candidate, SearchProblem
from foxnas_core.search.strategies.driver import run
from foxnas_core.search.strategies.goal import SearchGoal, evaluation_of
from foxnas_core.search.strategies.strategy import strategy_of

STRATEGY, EVALUATIONS = "OFA's evolution", 5_000


def find_by(
    values: Callable[[np.ndarray], np.ndarray],
    problem: SearchProblem,
    *,
    evaluations: int = EVALUATIONS,
    seed: int = 0,
) -> Candidate:
    """The best of `values` (n,), of codes (n, decisions), that was found within a problem's limits,
    which its own predictors tell.

    By a strategy that knows nothing of sums, and then by the best single edit until none is better:
    no proof that nothing is. Raises `InfeasibleBudget` where nothing within the limits was met.
    """
    objective = JointPredictor(problem.space, problem.objective.target, values)
    other = SearchProblem(objective, problem.limits, problem.allowed)
    goal, evaluate = SearchGoal.of(other), evaluation_of(other)
    best = run(strategy_of(STRATEGY, goal, seed), evaluate, goal, evaluations=evaluations).best
    while True:
        near = [
            a
            for a in problem.space.neighbours(best.architecture)
            if all(a.get(name, choices[0]) in choices for name, choices in problem.allowed.items())
        ]
        told, costs = evaluate(near)
        scores = np.where(goal.excess(costs) == 0, goal.scores(told), -np.inf)
        if not len(scores) or scores.max() <= goal.scores(np.array([best.value]))[0]:
            return best
        at = int(scores.argmax())
        best = Candidate(near[at], float(told[at]), tuple(float(cost) for cost in costs[at]))
