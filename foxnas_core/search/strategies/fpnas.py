"""Sampling from a distribution that is learnt (FP-NAS, arXiv 2011.10949), by evaluations alone."""

from collections.abc import Sequence
from itertools import count as counted

import numpy as np

from foxnas_core.sampling.adaptive import AdaptiveSampler, SamplingSettings
from foxnas_core.sampling.distribution import Distribution, finest
from foxnas_core.search.strategies.goal import SearchGoal
from foxnas_core.space.architecture import Architecture

_DECIDED = 0.1  # of the first entropy
_SWITCH = 80


class Sampling:
    """FP-NAS on values that are known exactly: the likelihood of an architecture is the exponential
    of its value over a temper; what exceeds a limit is pushed away by how much it does.

    A step is made once as many were told as it takes, whoever asked for them. A distribution that
    has decided begins anew, since all it would still draw was evaluated.
    """

    def __init__(
        self, goal: SearchGoal, seed: int, settings: SamplingSettings | None = None
    ) -> None:
        self._goal = goal
        self._settings = settings or SamplingSettings(switch=_SWITCH, joint=finest(goal.space))
        self._rng = np.random.default_rng(seed)
        self._seeds = counted(seed)
        self._begin()

    def _begin(self) -> None:
        uniform = Distribution.uniform(self._goal.space, allowed=self._goal.allowed)
        self.sampler = AdaptiveSampler(uniform, self._settings, next(self._seeds))
        self._told: list[tuple[np.ndarray, float, float]] = []

    @property
    def batch(self) -> int:
        return self.sampler.count

    def ask(self, count: int) -> list[Architecture]:
        return self._goal.space.decode(self.sampler.draw(count, self._rng))

    def tell(
        self, architectures: Sequence[Architecture], values: np.ndarray, costs: np.ndarray
    ) -> None:
        scores = self._goal.scores(np.asarray(values, float))
        excess = self._goal.excess(np.asarray(costs, float).reshape(len(architectures), -1))
        codes = self._goal.space.encode(architectures)
        failed = ~np.isfinite(excess)
        scores = np.where(failed, np.nan, scores)
        self._told += zip(codes, scores.tolist(), np.where(failed, 0, excess).tolist(), strict=True)
        while len(self._told) >= self.batch:
            now, self._told = self._told[: self.batch], self._told[self.batch :]
            rows, likelihoods, over = zip(*now, strict=True)
            self.sampler.learn(np.stack(rows), np.array(likelihoods), np.array(over))
            if self.sampler.undecided <= _DECIDED:
                self._begin()
