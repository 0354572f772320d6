"""NSGA-II, by pymoo."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from foxnas_core.search.strategies.encoding import Encoding
from foxnas_core.search.strategies.goal import SearchGoal
from foxnas_core.space.architecture import Architecture


class Nsga2:
    """NSGA-II (Deb, Pratap, Agarwal, Meyarivan, "A fast and elitist multiobjective genetic
    algorithm: NSGA-II", IEEE Transactions on Evolutionary Computation 6, 2002) as pymoo has it.

    Objectives are the value and each cost that has an upper bound; what is out of bounds is
    worse than all that keeps them. Parents cross uniformly, and each decision is drawn anew with
    probability one over their number, which came nearer to known optima than pymoo's crossing
    and mutation of rounded numbers.
    """

    def __init__(self, goal: SearchGoal, seed: int, *, population: int = 100) -> None:
        self.batch = population
        self._goal, self._encoding = goal, Encoding(goal)
        self._rng = np.random.default_rng(seed)
        self._free = np.flatnonzero(self._encoding.sizes > 1)
        self._queue: list[Architecture] = []
        self._told: list[np.ndarray] = []
        self._standing: list[np.ndarray] = []
        self._objectives = [i for i, (_, most) in enumerate(goal.bounds) if np.isfinite(most)]
        self._algorithm = self._set_up(seed) if len(self._free) else None

    def _set_up(self, seed: int) -> Any:
        from pymoo.algorithms.moo.nsga2 import NSGA2
        from pymoo.core.duplicate import DefaultDuplicateElimination
        from pymoo.core.mutation import Mutation
        from pymoo.core.problem import Problem
        from pymoo.core.termination import NoTermination
        from pymoo.operators.crossover.ux import UX
        from pymoo.operators.sampling.rnd import IntegerRandomSampling

        sizes = self._encoding.sizes[self._free]

        class Redraw(Mutation):
            def _do(self, problem, X, *args, random_state, **kwargs):  # noqa: N803
                chosen = random_state.random(X.shape) < 1 / X.shape[1]
                return np.where(chosen, random_state.integers(sizes, size=X.shape), X)

        algorithm = NSGA2(
            pop_size=self.batch,
            seed=seed,
            sampling=IntegerRandomSampling(),
            crossover=UX(),
            mutation=Redraw(prob=1.0),
            # Genes without effect make no difference.
            eliminate_duplicates=DefaultDuplicateElimination(
                func=lambda people: self._encoding.codes(self._whole(people.get("X")))
            ),
        )
        # A space that is almost exhausted is not worth a hundred attempts at something new.
        algorithm.mating.n_max_iterations = 10
        algorithm.setup(
            Problem(
                n_var=len(self._free),
                n_obj=1 + len(self._objectives),
                n_ieq_constr=1 if self._goal.bounds else 0,
                xl=0,
                xu=sizes - 1,
                vtype=int,
            ),
            termination=NoTermination(),
        )
        # Set by its first proposals only, but read as soon as a space is exhausted.
        algorithm.start_time = 0.0
        return algorithm

    def _whole(self, free: np.ndarray) -> np.ndarray:
        """Genes of all decisions from those of the free ones."""
        genes = np.zeros((len(free), len(self._encoding.sizes)), dtype=int)
        genes[:, self._free] = free
        return genes

    def ask(self, count: int) -> list[Architecture]:
        while len(self._queue) < count:
            people = self._algorithm.ask() if self._algorithm else None
            if people is None or not len(people):  # nothing new is left within reach
                genes = self._encoding.draw(self._rng, count)
            else:
                genes = self._whole(people.get("X").astype(int))
            self._queue += self._encoding.architectures(genes)
        asked, self._queue = self._queue[:count], self._queue[count:]
        return asked

    def tell(
        self, architectures: Sequence[Architecture], values: np.ndarray, costs: np.ndarray
    ) -> None:
        if self._algorithm is None:
            return
        costs = np.asarray(costs, float).reshape(len(architectures), -1)
        standings = self._goal.standings(values, costs)
        genes = self._encoding.genes(architectures, self._rng)[:, self._free]
        objectives = np.column_stack([-self._goal.scores(values), costs[:, self._objectives]])
        for row, standing in enumerate(standings):
            if standing is None:
                continue
            self._told.append(genes[row])
            self._standing.append(np.array([*objectives[row], -standing[0]]))
            if len(self._told) == self.batch:
                self._advance()

    def _advance(self) -> None:
        from pymoo.core.evaluator import Evaluator
        from pymoo.core.population import Population
        from pymoo.problems.static import StaticProblem

        assert self._algorithm is not None
        known = np.stack(self._standing)
        values = {"F": known[:, :-1]} | ({"G": known[:, -1:]} if self._goal.bounds else {})
        people = Population.new(X=np.stack(self._told))
        Evaluator().eval(StaticProblem(self._algorithm.problem, **values), people)
        self._algorithm.tell(infills=people)
        self._told, self._standing, self._queue = [], [], []
