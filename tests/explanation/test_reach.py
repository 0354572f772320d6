"""Answers that reach a goal: exact over a small space, with the intervals of What-if."""

import functools
import itertools

import numpy as np
import pytest
from hand import hand_space, noisy_table, saturating_table
from hypothesis import given, settings
from hypothesis import strategies as st

from foxnas_core.errors import InfeasibleBudget, InvalidInput
from foxnas_core.explanation.edits import edit_effects
from foxnas_core.explanation.reach import Goal, best_with_kept, reach
from foxnas_core.regression import fit
from foxnas_core.search.chance import Gains, chance_kept
from foxnas_core.search.counterfactual import edits_between
from foxnas_core.search.limits import Limit
from foxnas_core.search.problem import SearchProblem
from foxnas_core.search.restriction import choices_that_keep
from tests.search.additive import solve_exact

SPACE = hand_space(resolutions=(16, 32))
PLAIN, BENT = noisy_table(SPACE, 150, seed=2), saturating_table(SPACE, 150, seed=2)
LATENCY = fit(PLAIN, "latency_ms", "per_layer")
ACCURACIES = {
    "none": fit(PLAIN, "accuracy", "per_layer", "none"),
    "saturating": fit(BENT, "accuracy", "per_layer", "saturating"),
}
PARTS = [list(SPACE.group_options(group)) for group in SPACE.groups]
EVERYTHING = [
    SPACE.architecture({k: v for part in chosen for k, v in part.items()})
    for chosen in itertools.product(*PARTS)
]
FASTEST = SearchProblem(ACCURACIES["none"], (Limit(LATENCY, 0.0),))


@functools.cache
def problem_of(link: str, aim: str) -> SearchProblem:
    accuracy = ACCURACIES[link]
    if aim == "latency_ms":
        return SearchProblem(accuracy, (Limit(LATENCY, 0.0),))
    return SearchProblem(LATENCY, (Limit(accuracy, at_least=0.0),))


def values_of(predictor) -> np.ndarray:
    return predictor.predict(EVERYTHING)["value"].to_numpy()


@pytest.mark.parametrize("link", ACCURACIES)
@pytest.mark.parametrize("aim", ["latency_ms", "accuracy"])
@settings(max_examples=12, deadline=None)
@given(
    start=st.integers(0, len(EVERYTHING) - 1), twentieths=st.integers(-10, 18), kept=st.booleans()
)
def test_every_answer_is_the_best_of_all_with_as_many_edits(
    link: str, aim: str, start: int, twentieths: int, kept: bool
) -> None:
    problem, base = problem_of(link, aim), EVERYTHING[start]
    goal_sign, price_sign = (-1, 1) if aim == "latency_ms" else (1, -1)
    goals = goal_sign * values_of(problem.limits[0].predictor)
    prices = price_sign * values_of(problem.objective)
    amount = twentieths / 20 * float(goals.max() - goals[start])
    allowed = choices_that_keep(SPACE, base, ["q1_kernel"] if kept else [])
    edits = np.array([edits_between(SPACE, base, a) for a in EVERYTHING])
    # What is nearer to the goal than rounding is not told from it.
    reached = goals - goals[start] >= amount - 1e-6
    if kept:
        reached &= np.array([a["q1_kernel"] == base["q1_kernel"] for a in EVERYTHING])
    if not reached.any():
        with pytest.raises(InfeasibleBudget):
            reach(problem, base, Goal(amount), allowed=allowed)
        return
    found = reach(problem, base, Goal(amount), allowed=allowed)
    assert found.fewest.edits == edits[reached].min()
    for answer in found.answers:
        at = EVERYTHING.index(answer.after)
        assert reached[at] and edits[at] == answer.edits
        best = prices[reached & (edits <= answer.edits)].max()
        assert prices[at] == pytest.approx(best, abs=1e-6)
    assert prices[EVERYTHING.index(found.cheapest.after)] == pytest.approx(
        prices[reached].max(), abs=1e-6
    )
    assert (np.diff([answer.edits for answer in found.answers]) > 0).all()


def test_price_and_certainty_are_those_of_the_other_rooms() -> None:
    problem, base = problem_of("saturating", "latency_ms"), SPACE.extreme("largest")
    found = reach(problem, base, Goal(3.0))
    assert found.asked == "3.00 ms less latency"
    assert [target.column for target in found.targets] == ["accuracy", "latency_ms"]
    for answer in found.answers:
        for predictor in (problem.objective, LATENCY):
            expected = edit_effects(predictor, base, answer.after)
            own = answer.effects[predictor.target.column]
            assert (own.total, own.low, own.high) == (expected.total, expected.low, expected.high)
        assert answer.chance == Gains.over(LATENCY, base, [answer.after]).chances(3.0)
        assert answer.effects["latency_ms"].total <= -3.0 + 1e-6
        document = answer.to_dict()
        assert document["architecture"] == answer.after.to_dict()
        assert set(document["changes"]) == {"accuracy", "latency_ms"}
        assert answer.words in str(document["in_words"])


def test_a_number_to_keep_is_judged_by_itself() -> None:
    problem, base = problem_of("none", "latency_ms"), SPACE.extreme("largest")
    bound = float(np.median(values_of(LATENCY)))
    found = reach(problem, base, Goal(bound, relative=False))
    assert found.asked.startswith("latency of at most")
    for answer in found.answers:
        assert answer.chance == chance_kept(Limit(LATENCY, bound), answer.after)
    assert found.cheapest.after == solve_exact(problem.within(bound)).architecture


def test_what_is_given_up_is_worth_something_at_no_edits_too() -> None:
    problem = problem_of("none", "accuracy")
    base = solve_exact(
        SearchProblem(ACCURACIES["none"], (Limit(LATENCY, float(np.median(values_of(LATENCY)))),))
    ).architecture
    found = reach(problem, base, Goal(-2.0))
    assert found.asked == "2.00 points less top-1 accuracy"
    assert found.fewest.edits == 0 and found.fewest.words == "nothing"
    assert found.fewest.effects["latency_ms"].total == 0
    assert found.cheapest.effects["latency_ms"].total < 0


def test_answers_are_read_as_words() -> None:
    problem, base = problem_of("none", "latency_ms"), SPACE.extreme("largest")
    one = reach(problem, base, Goal(0.5)).fewest
    target = problem.objective.target
    found = one.effects["accuracy"]
    assert one.counted == "1 edit"
    assert one.price(target) == (
        f"{found.total:+.2f} points of top-1 accuracy ({found.low:+.2f} to {found.high:+.2f})"
    )
    assert one.sure.endswith("%")


def test_the_rest_is_optimised_around_what_is_kept() -> None:
    base = SPACE.extreme("smallest")
    bound = float(np.quantile(values_of(LATENCY), 0.7))
    problem = FASTEST.within(bound)
    allowed = choices_that_keep(SPACE, base, ["p_depth", "q1_kernel"])
    found = best_with_kept(problem, base, allowed)
    latencies, accuracies = values_of(LATENCY), values_of(ACCURACIES["none"])
    within = latencies <= bound
    within &= np.array([a["p_depth"] == 1 and a["q1_kernel"] == 3 for a in EVERYTHING])
    assert accuracies[EVERYTHING.index(found.after)] == accuracies[within].max()
    assert found.exact and found.before == base
    assert found.edits == edits_between(SPACE, base, found.after)
    assert found.chance == chance_kept(problem.limits[0], found.after)


def test_a_goal_out_of_reach_says_what_can_be_reached() -> None:
    base = SPACE.extreme("largest")
    with pytest.raises(InfeasibleBudget, match="smallest that can be reached"):
        reach(FASTEST, base, Goal(1e6))
    allowed = choices_that_keep(SPACE, base, list(SPACE.by_name))
    with pytest.raises(InfeasibleBudget, match="with the allowed choices"):
        reach(FASTEST, base, Goal(1.0), allowed=allowed)
    with pytest.raises(InvalidInput, match="not allowed here"):
        reach(FASTEST.restricted_to({"q1_kernel": (3,)}), base, Goal(1.0))


@pytest.mark.parametrize("surely", [0.9, 0.99])
def test_answers_keep_a_gain_as_surely_as_is_asked(surely: float) -> None:
    problem, base = problem_of("none", "latency_ms"), SPACE.extreme("largest")
    loose, tight = (reach(problem, base, Goal(3.0, surely=p)) for p in (0.0, surely))
    assert min(answer.chance for answer in loose.answers) < surely and loose.held == ""
    assert tight.is_kept and tight.held and tight.asked == loose.asked
    held = float(tight.held.split(" ")[0])
    values, latencies = values_of(problem.objective), values_of(LATENCY)
    saved = latencies[EVERYTHING.index(base)] - latencies
    edits = np.array([edits_between(SPACE, base, a) for a in EVERYTHING])
    for answer in tight.answers:
        assert answer.chance >= surely
        # None that is predicted to save what predictions are held to does better.
        others = values[(edits <= answer.edits) & (saved >= held + 0.005)]
        assert values[EVERYTHING.index(answer.after)] >= others.max(initial=-np.inf) - 1e-9


def test_a_share_is_of_what_the_subnet_has() -> None:
    problem, base = problem_of("none", "latency_ms"), SPACE.extreme("largest")
    now = float(LATENCY.predict([base])["value"].iloc[0])
    shared = reach(problem, base, Goal(10.0, in_percent=True))
    plain = reach(problem, base, Goal(now / 10))
    assert [a.after for a in shared.answers] == [a.after for a in plain.answers]
    assert shared.asked == f"10 % less latency ({now / 10:#.3g} ms)"
    # Both scatter: what is saved of a larger latency is larger, so that the share is surer.
    for one, other in zip(shared.answers, plain.answers, strict=True):
        assert one.chance == Gains.over(LATENCY, base, [one.after], 0.9).chances(0.0)
        assert abs(one.chance - 0.5) >= abs(other.chance - 0.5) - 1e-9
    with pytest.raises(InvalidInput, match="without the % sign"):
        reach(problem_of("none", "accuracy"), base, Goal(1.0, in_percent=True))
    with pytest.raises(InvalidInput, match="no share"):
        Goal(1.0, relative=False, in_percent=True)


def test_what_nothing_keeps_so_surely_is_answered_by_the_surest() -> None:
    problem, base = problem_of("none", "latency_ms"), SPACE.extreme("largest")
    latencies = values_of(LATENCY)
    most = float(latencies[EVERYTHING.index(base)] - latencies.min())
    found = reach(problem, base, Goal(most - 1e-6, surely=0.9))
    assert not found.is_kept and len(found.answers) == 1
    assert latencies[EVERYTHING.index(found.cheapest.after)] == latencies.min()
