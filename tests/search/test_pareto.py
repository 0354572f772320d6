"""Fronts of options and of pairs, and their hulls."""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from foxnas_core.search.pareto import (
    PairFronts,
    concave_corners,
    efficient_options,
    efficient_within,
    slope_at,
    undominated,
    undominated_by_level,
)


@given(st.lists(st.tuples(*[st.integers(-3, 3)] * 3), min_size=1, max_size=40))
def test_undominated_options_are_those_that_nothing_beats(points: list[tuple[int, ...]]) -> None:
    table = np.array(points, dtype=float)
    kept = undominated(table[:, 0], table[:, 1:])

    def beaten(i: int) -> bool:
        return any(
            p[0] >= points[i][0] and all(a <= b for a, b in zip(p[1:], points[i][1:], strict=True))
            and (p != points[i] or j < i)
            for j, p in enumerate(points) if j != i
        )  # fmt: skip

    assert kept.tolist() == [i for i in range(len(points)) if not beaten(i)]


def test_undominated_options_among_many() -> None:
    points = np.random.default_rng(2).integers(0, 12, (1500, 3)).astype(float)
    kept = undominated(points[:, 0], points[:, 1:])
    signed = points * [-1, 1, 1]
    less = (signed[:, None] <= signed).all(axis=2)
    equal_before = np.triu((signed[:, None] == signed).all(axis=2), 1)
    strictly = less & ~less.T
    assert kept.tolist() == np.flatnonzero(~(strictly | equal_before).any(axis=0)).tolist()


@given(st.lists(st.tuples(*[st.integers(-3, 3)] * 3), min_size=0, max_size=60))
def test_level_by_level_the_same_are_kept(points: list[tuple[int, ...]]) -> None:
    table = np.array(points, dtype=float).reshape(-1, 3)
    by_level = undominated_by_level(table[:, 0], table[:, 1], table[:, 2])
    expected = undominated(table[:, 0], table[:, 1:])
    assert by_level.tolist() == expected.tolist()


@given(st.lists(st.tuples(*[st.integers(0, 3)] * 3), min_size=0, max_size=60))
def test_within_levels_those_that_are_efficient_there_are_kept(
    points: list[tuple[int, ...]],
) -> None:
    table = np.array(points, dtype=float).reshape(-1, 3)
    scores, costs, levels = table[:, 0], table[:, 1], table[:, 2].astype(int)
    kept: list[int] = []
    for level in np.unique(levels):
        own = np.flatnonzero(levels == level)
        kept += own[efficient_options(scores[own], costs[own])].tolist()
    assert efficient_within(scores, costs, levels).tolist() == sorted(kept)


def test_corners_leave_out_points_on_a_line() -> None:
    line = np.arange(5.0)
    assert concave_corners(line, 2 * line).tolist() == [0, 4]
    assert concave_corners(line, line**2).tolist() == [0, 4]
    assert concave_corners(line, np.sqrt(line)).tolist() == [0, 1, 2, 3, 4]


def test_a_slope_is_that_just_above() -> None:
    costs, values = np.array([0.0, 1.0, 3.0]), np.array([0.0, 2.0, 3.0])
    assert [slope_at(costs, values, b) for b in (-1, 0, 1, 2.9, 3)] == [2, 2, 0.5, 0.5, 0]


@given(
    seed=st.integers(0, 100_000),
    sizes=st.lists(st.integers(1, 6), min_size=1, max_size=4),
)
@settings(max_examples=25, deadline=None)
def test_the_front_of_a_pair_is_that_of_all_its_sums(seed: int, sizes: list[int]) -> None:
    rng = np.random.default_rng(seed)
    groups = []
    for size in sizes:
        scores, costs = rng.integers(0, 9, (2, size)).astype(float)
        kept = efficient_options(scores, costs)
        groups.append((scores[kept], costs[kept]))
    found = PairFronts.of(*map(list, zip(*groups, strict=True)))
    for g, (scores, costs) in enumerate(groups):
        own = slice(found.starts[g], found.starts[g + 1])
        assert (found.scores[own] == scores).all() and (found.costs[own] == costs).all()
    pairs = list(itertools.combinations(range(len(groups)), 2))
    assert len(found.pair_starts) == len(pairs) + 1
    for pair, (g, h) in enumerate(pairs):
        own = slice(found.pair_starts[pair], found.pair_starts[pair + 1])
        i, j = np.divmod(found.places[own], len(groups[h][0]))
        assert (found.pair_scores[own] == groups[g][0][i] + groups[h][0][j]).all()
        assert (found.pair_costs[own] == groups[g][1][i] + groups[h][1][j]).all()
        sums = [(a + b, c + d) for a, c in zip(*groups[g], strict=True)
                for b, d in zip(*groups[h], strict=True)]  # fmt: skip
        best = {s for s in sums if not any(t != s and t[0] >= s[0] and t[1] <= s[1] for t in sums)}
        told = list(zip(found.pair_scores[own], found.pair_costs[own], strict=True))
        assert set(told) == best and len(told) == len(best)
        assert (np.diff(found.pair_costs[own]) > 0).all()
