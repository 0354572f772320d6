"""The compiled problem adds up to the predictions, and limits are checked with a clear word."""

import itertools
import math
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foxnas_core.errors import InfeasibleBudget, InvalidInput
from foxnas_core.families import load_shipped
from foxnas_core.regression.link import Link
from foxnas_core.search.annealing import search
from foxnas_core.search.feasibility import check_feasible
from foxnas_core.search.limits import Limit, rounded_down, rounded_up
from foxnas_core.search.pareto import efficient_options
from foxnas_core.search.problem import Candidate, SearchProblem
from foxnas_core.search.schedule import AnnealingSettings
from foxnas_core.table.metrics import metric_of
from tests.search.additive import (
    TablePredictor,
    listed_space,
    mini_problem,
    random_tables,
    small_problem,
    solve_exact,
)


def test_a_known_table_gives_known_candidates() -> None:
    space = listed_space([2, 3])
    accuracy = TablePredictor(
        space, metric_of("accuracy"), [70.0],
        [{"g0": np.array([0.0, 2.0]), "g1": np.array([0.0, 1.0, 4.0])}],
    )  # fmt: skip
    latency = TablePredictor(
        space, metric_of("latency_ms"), [1.0],
        [{"g0": np.array([0.0, 3.0]), "g1": np.array([0.0, 2.0, 8.0])}],
    )  # fmt: skip
    problem = SearchProblem(accuracy, (Limit(latency, 6.0),))
    architecture = space.architecture({"edge0": 1, "edge1": 2})
    assert problem.candidate(0, [1, 2]) == Candidate(architecture, 76.0, (12.0,))
    assert problem.tables.smallest_cost == 1.0
    assert solve_exact(problem).value == 73.0  # 70 + 2 + 1 at 1 + 3 + 2 ms, exactly the budget


def test_less_is_better_turns_scores_round_but_not_values() -> None:
    space = listed_space([3])
    entropy = TablePredictor(
        space, metric_of("cross_entropy"), [0.0], [{"g0": np.array([0.5, 0.2, 0.9])}]
    )
    best = solve_exact(SearchProblem(entropy))
    assert (best.value, best.costs, best.architecture["edge0"]) == (0.2, (), 1)


def test_candidates_are_the_predictions_of_their_architectures() -> None:
    problem = mini_problem()
    rng = np.random.default_rng(1)
    for context in range(len(problem.tables)):
        options = [int(rng.integers(len(s))) for s in problem.tables[context].scores]
        found = problem.candidate(context, options)
        assert problem.space.is_member(found.architecture)
        predicted = problem.objective.predict([found.architecture])["value"].iloc[0]
        assert found.value == pytest.approx(predicted, abs=1e-9)
        limited = problem.limits[0].predictor.predict([found.architecture])["value"].iloc[0]
        assert found.costs[0] == pytest.approx(limited, abs=1e-9)


def test_another_budget_shares_what_was_compiled() -> None:
    problem = mini_problem()
    other = problem.within(9.0)
    assert other.tables is problem.tables
    assert (other.budget, problem.budget) == (9.0, 6.0)


def test_no_limit_is_no_budget() -> None:
    problem = SearchProblem(mini_problem().objective)
    assert problem.budget == math.inf
    check_feasible(problem)
    with pytest.raises(InvalidInput, match="no limit"):
        problem.within(3.0)


def test_predictors_of_two_spaces_are_refused() -> None:
    problem = mini_problem()
    rng = np.random.default_rng(0)
    other = random_tables(listed_space([2]), "latency_ms", rng)
    with pytest.raises(InvalidInput, match="another space"):
        SearchProblem(problem.objective, (Limit(other, 3.0),))


def test_a_limit_given_twice_is_refused() -> None:
    problem = mini_problem()
    with pytest.raises(InvalidInput, match="limited twice"):
        SearchProblem(problem.objective, problem.limits * 2)


@pytest.mark.parametrize("budget", [math.nan, math.inf, -math.inf])
def test_a_budget_that_is_no_number_is_refused(budget: float) -> None:
    with pytest.raises(InvalidInput, match="finite"):
        mini_problem().within(budget)


@given(seed=st.integers(0, 10_000), contexts=st.integers(1, 3))
@settings(max_examples=15, deadline=None)
def test_the_smallest_named_can_be_reached_and_the_next_lower_cannot(
    seed: int, contexts: int
) -> None:
    problem = small_problem(
        [3, 4, 2], contexts, seed, whole=False, target="accuracy", quantile=0.5
    ).within(-1e6)
    with pytest.raises(InfeasibleBudget) as caught:
        check_feasible(problem)
    smallest = caught.value.smallest
    assert solve_exact(problem.within(smallest)).costs == (smallest,)
    few = AnnealingSettings(steps=10)
    assert search(problem.within(smallest), few).best.costs == (smallest,)
    below = float(np.nextafter(smallest, -np.inf))
    for attempt in (solve_exact, search):
        with pytest.raises(InfeasibleBudget):
            attempt(problem.within(below))
    named = re.search(r"reached is (\S+) ms", str(caught.value))
    assert named
    assert float(named[1]) >= smallest
    solve_exact(problem.within(float(named[1])))


def test_the_sentence_names_budget_smallest_and_unit() -> None:
    space = listed_space([2])
    accuracy = TablePredictor(space, metric_of("accuracy"), [70.0], [{"g0": np.zeros(2)}])
    latency = TablePredictor(
        space, metric_of("latency_ms"), [1.0], [{"g0": np.array([0.6051, 2.0])}]
    )
    with pytest.raises(InfeasibleBudget) as caught:
        check_feasible(SearchProblem(accuracy, (Limit(latency, 0.25),)))
    assert str(caught.value) == (
        "No architecture of space 'listed' has a predicted latency of at most 0.25 ms; the "
        "smallest that can be reached is 1.61 ms, so raise the budget to at least that."
    )


@pytest.mark.parametrize(
    ("number", "text"),
    [(1.6051, "1.61"), (1.1, "1.10"), (0.012301, "0.0124"), (99.96, "100.0"), (1234.1, "1240"),
     (-5.037, "-5.03"), (7, "7.00"), (0.0, "0")],
)  # fmt: skip
def test_rounding_up(number: float, text: str) -> None:
    assert rounded_up(number) == text


@given(st.floats(-1e9, 1e9).filter(lambda x: abs(x) > 1e-9))
def test_rounding_up_is_never_below_and_within_one_percent(number: float) -> None:
    rounded = float(rounded_up(number))
    assert number <= rounded <= number + 0.011 * abs(number)


@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(-5, 5)), min_size=1, max_size=30))
def test_efficient_options_are_those_that_nothing_beats(points: list[tuple[int, int]]) -> None:
    scores, costs = (np.array(column, dtype=float) for column in zip(*points, strict=True))
    kept = efficient_options(scores, costs).tolist()

    def beaten(i: int) -> bool:
        score, cost = points[i]
        return points[i] in points[:i] or any(
            s >= score and c <= cost and (s, c) != points[i] for s, c in points
        )

    assert sorted(kept) == [i for i in range(len(points)) if not beaten(i)]
    assert (np.diff(costs[kept]) > 0).all()
    assert (np.diff(scores[kept]) > 0).all()


def test_the_published_space_compiles() -> None:
    space = load_shipped("foxnas-cpu")

    class Constant:
        constant = 1.0

        def group_values(self, group: str, option_codes: np.ndarray) -> np.ndarray:
            # Counts what is active: two decisions a block, and the depth.
            return (option_codes >= 0).sum(axis=1).astype(float)

    class Counting:
        table_fingerprint = ""

        def __init__(self) -> None:
            self.space, self.target = space, metric_of("latency_ms")
            self.couplings: dict = {}

        def split(self, context: dict) -> Constant:
            return Constant()

        def predict(self, architectures: list) -> None:
            raise NotImplementedError

    problem = SearchProblem(Counting(), (Limit(Counting(), 40.0),))
    assert problem.tables.smallest_cost == 1 + 5 * (1 + 2 * 2)
    assert [len(scores) for scores in problem.tables[0].scores] == [22_608] * 5


def test_a_limit_says_one_number_on_one_side() -> None:
    latency = mini_problem().limits[0].predictor
    for wrong in ({}, {"at_most": 1.0, "at_least": 0.5}):
        with pytest.raises(InvalidInput, match="at most or"):
            Limit(latency, **wrong)
    with pytest.raises(InvalidInput, match="finite"):
        Limit(latency, at_least=math.nan)


@given(
    bound=st.floats(-50, 99.999999),
    rate=st.floats(1e-4, 1),
    side=st.sampled_from(["most", "least"]),
)
def test_a_limit_on_a_bent_scale_is_met_to_the_last_digit(
    bound: float, rate: float, side: str
) -> None:
    predictor = random_tables(listed_space([2]), "accuracy", np.random.default_rng(0))
    link = Link(100 - 1 / rate, rate)
    limit = Limit(replace(predictor, link=link), **{f"at_{side}": bound})

    def keeps(cost: float) -> bool:
        value = float(limit.value_of(cost))
        return value <= bound if side == "most" else value >= bound

    assert keeps(limit.budget)
    assert not keeps(float(np.nextafter(limit.budget, np.inf)))


def test_a_number_beyond_the_ceiling_is_kept_by_all_or_by_none() -> None:
    predictor = random_tables(listed_space([2]), "accuracy", np.random.default_rng(0))
    bent = replace(predictor, link=Link(50.0, 0.02))
    assert Limit(bent, 100.0).budget == math.inf
    assert Limit(bent, at_least=100.0).budget == -math.inf
    with pytest.raises(InfeasibleBudget, match="lower the floor"):
        check_feasible(SearchProblem(predictor, (Limit(bent, at_least=100.0),)))


def test_allowed_choices_are_checked_and_kept_in_the_order_of_the_space() -> None:
    objective = mini_problem().objective
    space = objective.space
    name = next(d.name for d in space.decisions if d.role == "kernel")
    choices = space.by_name[name].choices
    assert SearchProblem(objective, (), {name: choices}).allowed == {}
    assert SearchProblem(objective, (), {name: choices[1::-1]}).allowed == {name: choices[:2]}
    for wrong, words in (
        ({"nothing": (1,)}, "'nothing' is no decision"),
        ({name: (4,)}, f"'{name}' is 4; allowed: 3, 5, 7"),
        ({name: ()}, f"No choice of '{name}' is allowed"),
    ):
        with pytest.raises(InvalidInput, match=re.escape(words)):
            SearchProblem(objective, (), wrong)


def test_a_pin_that_the_optimum_keeps_anyway_changes_nothing() -> None:
    problem = mini_problem()
    free = solve_exact(problem)
    pins = {name: (value,) for name, value in free.architecture.choices}
    assert solve_exact(SearchProblem(problem.objective, problem.limits, pins)) == free
    pinned = search(
        SearchProblem(problem.objective, problem.limits, pins), AnnealingSettings(steps=50)
    )
    # Where every decision that is active is pinned, one architecture is left.
    assert (pinned.best, pinned.gap) == (free, 0)


@given(seed=st.integers(0, 10_000), contexts=st.integers(1, 3))
@settings(max_examples=15, deadline=None)
def test_positions_are_those_of_architectures(seed: int, contexts: int) -> None:
    problem = small_problem([3, 2], contexts, seed, whole=False, target="accuracy", quantile=0.5)
    for context, table in enumerate(problem.tables):
        for options in itertools.product(*(range(len(scores)) for scores in table.scores)):
            architecture = problem.architecture(context, options)
            place, found = problem.position(architecture)
            assert (place, *found) == (context, *options)


def test_a_position_that_is_not_allowed_is_refused_by_name() -> None:
    problem = mini_problem().restricted_to({"s1b1_kernel": (3, 5)})
    with pytest.raises(InvalidInput, match="s1b1_kernel 7, which is not allowed here; allowed: 3"):
        problem.position(problem.space.extreme("largest"))
    smallest = problem.space.extreme("smallest")
    assert problem.architecture(*problem.position(smallest)) == smallest


def test_fewer_choices_share_what_was_compiled() -> None:
    whole = mini_problem()
    first = {"s1b1_kernel": (3, 5), "resolution": (12, 18)}
    second = {"s1b1_kernel": (5, 7), "s2_depth": (1,)}
    part = whole.restricted_to(first).restricted_to(second)
    assert part.allowed == {"resolution": (12, 18), "s1b1_kernel": (5,), "s2_depth": (1,)}
    fresh = SearchProblem(whole.objective, whole.limits, part.allowed)
    assert len(part.tables) == len(fresh.tables) == 2
    for mine, theirs in zip(part.tables, fresh.tables, strict=True):
        assert mine.context == theirs.context
        assert mine.cost_constants == theirs.cost_constants
        for a, b in zip(mine.scores + mine.limit_costs, theirs.scores + theirs.limit_costs,
                        strict=True):  # fmt: skip
            assert a.tolist() == b.tolist()
    assert solve_exact(part) == solve_exact(fresh)
    with pytest.raises(InvalidInput, match="No choice of 's1b1_kernel'"):
        part.restricted_to({"s1b1_kernel": (3,)})


@pytest.mark.parametrize(("number", "text"), [(91.8539, "91.853"), (-1.6051, "-1.6051"), (0, "0")])
def test_rounding_down(number: float, text: str) -> None:
    assert rounded_down(number) == text
