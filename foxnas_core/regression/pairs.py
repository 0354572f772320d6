"""How far the measured difference of two subnets scatters about the predicted one.

Two subnets that have much in common err together, so that their difference is surer than two
independent errors would make it; or, where what a form leaves out lies in what differs, less sure.
So it is told by pairs of the table itself, by how many decisions they differ in (a variogram;
Cressie, "Statistics for Spatial Data", 1993, section 2.4), apart for pairs of one context (one
resolution) and others. What counts of a pair is the difference of its two errors on held-out
subnets, against that of all pairs, which stand for independent errors, at the quantile that an
interval needs, so that outliers do not decide.
"""

from dataclasses import dataclass

import numpy as np

from foxnas_core.space.search_space import SearchSpace

_LEVEL = 0.95
_LEAST_PAIRS = 400  # that the nearest ones' share is told by, and so many times more the next
_GROWTH = 4
_MOST_ROWS = 600

# The most decisions that pairs differ in, and their share of the variance of independent errors.
Shares = tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class PairScatter:
    """Shares of the variance that two independent errors would have, for pairs of one context and
    of two, each by rising numbers of other decisions that differ; 1 where none is known."""

    same: Shares = ()
    other: Shares = ()

    @classmethod
    def of(cls, space: SearchSpace, codes: np.ndarray, errors: np.ndarray) -> "PairScatter":
        """From the errors (n,) of held-out rows, on a scale on which all are as large."""
        known = np.flatnonzero(np.isfinite(errors))
        if len(known) > _MOST_ROWS:
            known = np.sort(np.random.default_rng(0).choice(known, _MOST_ROWS, replace=False))
        first, second = np.triu_indices(len(known), 1)
        first, second = known[first], known[second]
        distance, apart = differing(space, codes[first], codes[second])
        gap = np.abs(errors[first] - errors[second])
        usual = float(np.quantile(gap, _LEVEL)) if len(gap) else 0.0
        if not usual > 0:
            return cls()
        return cls(*(_shares(distance[own], gap[own] / usual) for own in (~apart, apart)))

    def shares(self, space: SearchSpace, before: np.ndarray, after: np.ndarray) -> np.ndarray:
        """The share (n,) of each pair of codes (n, decisions); 0 of a subnet and itself."""
        distance, apart = differing(space, before, after)
        found = np.ones(len(distance))
        for own, shares in ((~apart, self.same), (apart, self.other)):
            if shares:
                most, share = np.array(shares).T
                # Beyond the last number there are the farthest pairs.
                at = np.searchsorted(most, distance[own]).clip(max=len(most) - 1)
                found[own] = share[at]
        return np.where((distance == 0) & ~apart, 0.0, found)


def differing(
    space: SearchSpace, before: np.ndarray, after: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """In how many decisions the pairs of codes (n, decisions) differ, context aside, and whether
    their contexts do."""
    distance, apart = np.zeros(len(before), dtype=int), np.zeros(len(before), dtype=bool)
    for decision, one, other in zip(space.decisions, before.T, after.T, strict=True):
        if decision.group in space.context:
            apart |= one != other
        else:
            distance += one != other
    return distance, apart


def _shares(distance: np.ndarray, ratio: np.ndarray) -> Shares:
    """One share for the nearest pairs that are enough, then for ever more of farther ones."""
    order = np.argsort(distance, kind="stable")
    ends = np.cumsum(np.bincount(distance)) if len(distance) else np.array([], dtype=int)
    found: list[tuple[int, float]] = []
    first, least = 0, _LEAST_PAIRS
    for most, end in enumerate(ends):
        rest = len(distance) - end
        if end - first >= least and (rest >= _GROWTH * least or not rest):
            found.append((most, float(np.quantile(ratio[order[first:end]], _LEVEL)) ** 2))
            first, least = int(end), _GROWTH * least
    return tuple(found)
