"""Evolution: by age, as in Real et al. (2019), and by generations, as in Cai et al. (2020)."""

from collections import deque
from collections.abc import Sequence
from operator import itemgetter

import numpy as np

from foxnas_core.search.strategies.encoding import Encoding
from foxnas_core.search.strategies.goal import SearchGoal
from foxnas_core.space.architecture import Architecture

# Standing (see `Goal.standings`) and genes.
_Member = tuple[tuple[float, float], np.ndarray]


class RegularisedEvolution:
    """Regularised evolution (Real, Aggarwal, Huang, Le, "Regularized evolution for image
    classifier architecture search", AAAI 2019).

    The best of `sample` members drawn from the population has one of its decisions changed; the
    child joins the population and the oldest member dies. Until the population is full,
    architectures are drawn at random. What exceeds a limit is worse than all that keeps it.
    """

    batch = 1

    def __init__(
        self, goal: SearchGoal, seed: int, *, population: int = 100, sample: int = 25
    ) -> None:
        self._goal, self._encoding = goal, Encoding(goal)
        self._rng = np.random.default_rng(seed)
        self._sample = sample
        self._population: deque[_Member] = deque(maxlen=population)

    def ask(self, count: int) -> list[Architecture]:
        population = self._population
        if len(population) < (population.maxlen or 0):
            return self._encoding.architectures(self._encoding.draw(self._rng, count))
        parents = []
        for _ in range(count):
            drawn = self._rng.integers(len(population), size=self._sample)
            parents.append(max((population[i] for i in drawn), key=itemgetter(0))[1])
        children = self._encoding.redraw_one(self._rng, np.stack(parents))
        return self._encoding.architectures(children)

    def tell(
        self, architectures: Sequence[Architecture], values: np.ndarray, costs: np.ndarray
    ) -> None:
        self._population.extend(
            _members(self._goal, self._encoding, self._rng, architectures, values, costs)
        )


class OnceForAllEvolution:
    """The evolution of Once-for-All (Cai, Gan, Wang, Zhang, Han, "Once-for-all: train one network
    and specialize it for efficient deployment", ICLR 2020).

    A generation is so many architectures within the limits, the first drawn at random. The best
    `parents` of those and of their own parents have the next: `mutants` of it are a parent with
    each decision drawn anew with probability `mutation`, the rest take each decision from either
    of two parents.

    There, what exceeds a limit is drawn again without being counted. Here, where that is only
    known once it is told, a generation of which ten times as many were told ends as it is, and
    what exceeds the limit least takes the missing places: a tight limit is still approached.
    """

    batch = 100

    def __init__(
        self,
        goal: SearchGoal,
        seed: int,
        *,
        population: int = 100,
        parents: float = 0.25,
        mutants: float = 0.5,
        mutation: float = 0.1,
    ) -> None:
        self._goal, self._encoding = goal, Encoding(goal)
        self._rng = np.random.default_rng(seed)
        self._size, self._mutation = population, mutation
        self._kept = max(1, round(parents * population))
        self._mutants = mutants
        self._parents: list[_Member] = []
        self._generation: list[_Member] = []

    def ask(self, count: int) -> list[Architecture]:
        rng, encoding = self._rng, self._encoding
        if not self._parents:
            return encoding.architectures(encoding.draw(rng, count))
        genes = np.stack([genes for _, genes in self._parents])
        first, second = (genes[rng.integers(len(genes), size=count)] for _ in range(2))
        mutated = np.arange(count) < round(self._mutants * count)
        if count == 1:
            mutated = rng.random(1) < self._mutants
        children = np.where(
            mutated[:, None],
            encoding.redraw(rng, first, self._mutation),
            encoding.cross(rng, first, second),
        )
        return encoding.architectures(children)

    def tell(
        self, architectures: Sequence[Architecture], values: np.ndarray, costs: np.ndarray
    ) -> None:
        for member in _members(self._goal, self._encoding, self._rng, architectures, values, costs):
            self._generation.append(member)
            within = sum(standing[0] == 0 for standing, _ in self._generation)
            if within == self._size or len(self._generation) == 10 * self._size:
                known = sorted(self._parents + self._generation, key=itemgetter(0), reverse=True)
                self._parents, self._generation = known[: self._kept], []


def _members(
    goal: SearchGoal,
    encoding: Encoding,
    rng: np.random.Generator,
    architectures: Sequence[Architecture],
    values: np.ndarray,
    costs: np.ndarray,
) -> list[_Member]:
    """What did not fail."""
    standings = goal.standings(values, costs)
    genes = encoding.genes(architectures, rng)
    return [(standing, row) for standing, row in zip(standings, genes, strict=True) if standing]
