"""What a strategy is told of a search: the space, what is better, and what must be kept.

Nothing here says that predictions are sums over groups, so whatever can be evaluated, a predictor
of any kind or a measurement, can be searched.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from foxnas_core.errors import InvalidInput
from foxnas_core.search.limits import Limit
from foxnas_core.search.problem import SearchProblem
from foxnas_core.space.architecture import Architecture, Value
from foxnas_core.space.search_space import SearchSpace

# Values (rows,) of the objective and costs (rows, limits), NaN where an evaluation failed.
Evaluation = Callable[[Sequence[Architecture]], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class SearchGoal:
    """The best value in `direction` among the architectures whose costs are within `bounds`.

    `bounds` holds, for each limit in order, the least and the most that its cost may be;
    `allowed` the choices that a decision may take, where not all.

    Raises `InvalidInput` where `allowed` names an unknown decision or leaves it no choice.
    """

    space: SearchSpace
    direction: Literal["max", "min"]
    bounds: tuple[tuple[float, float], ...] = ()
    allowed: Mapping[str, tuple[Value, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, choices in self.allowed.items():
            decision = self.space.by_name.get(name)
            if decision is None or not set(choices) & set(decision.choices):
                raise InvalidInput(
                    f"{name!r} may be {list(choices)}, which leaves space {self.space.name!r} no "
                    "such choice; allow at least one of a decision's own choices."
                )

    @classmethod
    def of(cls, problem: SearchProblem) -> "SearchGoal":
        """The goal of a search problem."""
        return cls(
            problem.space,
            problem.objective.target.direction,
            tuple(_bounds(limit) for limit in problem.limits),
            dict(problem.allowed),
        )

    def scores(self, values: np.ndarray) -> np.ndarray:
        """Values of any shape such that more is better."""
        return -values if self.direction == "min" else values

    def excess(self, costs: np.ndarray) -> np.ndarray:
        """How far costs (rows, limits) are outside the bounds, summed over limits relative to
        each bound: (rows,), 0 within all of them, NaN where a cost is."""
        total = np.zeros(len(costs))
        for column, (least, most) in zip(costs.T, self.bounds, strict=True):
            for over, bound in ((column - most, most), (least - column, least)):
                if math.isfinite(bound):
                    total = total + np.maximum(over, 0.0) / (abs(bound) or 1.0)
        return total

    def standings(self, values: np.ndarray, costs: np.ndarray) -> list[tuple[float, float] | None]:
        """What architectures are compared by, the greater the better; None where one failed.

        What keeps the bounds is better than what does not; among the former the better value
        counts, among the latter the lesser excess (Deb, "An efficient constraint handling method
        for genetic algorithms", Computer Methods in Applied Mechanics and Engineering 186, 2000).
        """
        scores, excess = self.scores(np.asarray(values, float)), self.excess(_two(costs))
        return [
            (0.0 - over, score) if math.isfinite(over) and math.isfinite(score) else None
            for over, score in zip(excess.tolist(), scores.tolist(), strict=True)
        ]


def evaluation_of(problem: SearchProblem) -> Evaluation:
    """An evaluation by the problem's predictors, all architectures of a call at once."""

    def evaluate(architectures: Sequence[Architecture]) -> tuple[np.ndarray, np.ndarray]:
        told = (p.predict(architectures)["value"] for p in problem.predictors)
        columns = [values.to_numpy(float) for values in told]
        costs = np.stack(columns[1:], axis=1) if problem.limits else np.zeros((len(columns[0]), 0))
        return columns[0], costs

    return evaluate


def _bounds(limit: Limit) -> tuple[float, float]:
    least = -math.inf if limit.at_least is None else float(limit.at_least)
    return least, math.inf if limit.at_most is None else float(limit.at_most)


def _two(costs: np.ndarray) -> np.ndarray:
    costs = np.asarray(costs, float)
    return costs if costs.ndim == 2 else costs[:, None]
