"""What every search strategy offers, and the strategies by name."""

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from foxnas_core.errors import InvalidInput
from foxnas_core.sampling.adaptive import SamplingSettings
from foxnas_core.search.strategies.evolution import OnceForAllEvolution, RegularisedEvolution
from foxnas_core.search.strategies.fpnas import Sampling
from foxnas_core.search.strategies.goal import SearchGoal
from foxnas_core.search.strategies.nsga2 import Nsga2
from foxnas_core.search.strategies.random import RandomStrategy
from foxnas_core.search.strategies.samplers import OptunaStrategy
from foxnas_core.space.architecture import Architecture


class Strategy(Protocol):
    """Says which architectures to evaluate next, and learns what came of them.

    - `batch`: how many it would best be asked for at once.
    - `ask`: so many architectures of the goal's space. May be called again before anything of
      the last call was told.
    - `tell`: values (rows,) and costs (rows, limits) of architectures, in any order and any
      number at a time, also of some that were never asked for. NaN is a failed evaluation.

    Equal goals, seeds and calls give equal answers.
    """

    @property
    def batch(self) -> int: ...
    def ask(self, count: int) -> list[Architecture]: ...
    def tell(
        self, architectures: Sequence[Architecture], values: np.ndarray, costs: np.ndarray
    ) -> None: ...


STRATEGIES: dict[str, Callable[[SearchGoal, int], Strategy]] = {
    "Random": RandomStrategy,
    "Regularised evolution": RegularisedEvolution,
    "OFA's evolution": OnceForAllEvolution,
    "NSGA-II": Nsga2,
    "TPE": lambda goal, seed: OptunaStrategy(goal, seed, sampler="tpe"),
    "Optuna NSGA-II": lambda goal, seed: OptunaStrategy(goal, seed, sampler="nsga2"),
    "Optuna random": lambda goal, seed: OptunaStrategy(goal, seed, sampler="random"),
    "FP-NAS": Sampling,
    "PARSEC": lambda goal, seed: Sampling(goal, seed, SamplingSettings(fixed=16)),
}


def strategy_of(name: str, goal: SearchGoal, seed: int) -> Strategy:
    """The strategy of this name; raises `InvalidInput` where there is none."""
    if name not in STRATEGIES:
        raise InvalidInput(f"There is no strategy {name!r}; choose one of {', '.join(STRATEGIES)}.")
    return STRATEGIES[name](goal, seed)
