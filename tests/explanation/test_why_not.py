"""Why a choice is not taken: by hand, and against everything in a small space."""

import itertools

import numpy as np
import pytest
from hand import hand_space, noisy_table

from foxnas_core.errors import InvalidInput
from foxnas_core.explanation.edits import edit_effects
from foxnas_core.explanation.why_not import every_choice, why_not
from foxnas_core.regression import fit
from foxnas_core.search.limits import Limit
from foxnas_core.search.problem import SearchProblem
from foxnas_core.search.restriction import choices_that_keep
from foxnas_core.table.measurements import table_from_frame
from tests.search.additive import solve_exact

SPACE = hand_space(resolutions=(16, 32))
TABLE = noisy_table(SPACE, 150, seed=2)
ACCURACY, LATENCY = (fit(TABLE, t, "per_layer", "none") for t in ("accuracy", "latency_ms"))
PARTS = [list(SPACE.group_options(group)) for group in SPACE.groups]
EVERYTHING = [
    SPACE.architecture({k: v for part in chosen for k, v in part.items()})
    for chosen in itertools.product(*PARTS)
]
VALUES = ACCURACY.predict(EVERYTHING)["value"].to_numpy()
COSTS = LATENCY.predict(EVERYTHING)["value"].to_numpy()
BUDGET = float(np.median(COSTS)) + 0.01
PROBLEM = SearchProblem(ACCURACY, (Limit(LATENCY, BUDGET),))
BEST = solve_exact(PROBLEM).architecture


def other_choices(base):
    return [
        (d.name, value) for d in SPACE.decisions for value in d.choices
        if base.get(d.name) != value
    ]  # fmt: skip


@pytest.mark.parametrize("base", [BEST, SPACE.extreme("largest"), SPACE.extreme("smallest")])
def test_the_best_with_a_choice_is_that_of_all_that_have_it(base) -> None:
    for name, value in other_choices(base):
        found = why_not(PROBLEM, base, name, value)
        having = np.array([a.get(name) == value for a in EVERYTHING]) & (COSTS <= BUDGET)
        assert found.optimum.architecture == BEST and found.exact
        if not having.any():
            assert found.best is None and found.loss is None
            assert (
                "No subnet within it has it: the smallest that can be reached with it is"
                in found.sentence()
            )
            continue
        best = found.best.architecture
        assert best.get(name) == value
        assert VALUES[EVERYTHING.index(best)] == pytest.approx(VALUES[having].max(), abs=1e-9)
        loss = edit_effects(ACCURACY, BEST, best)
        assert (found.loss.total, found.loss.low) == (loss.total, loss.low)


def test_what_it_changes_alone_comes_from_the_coefficients() -> None:
    base = BEST
    for name, value in other_choices(base):
        found = why_not(PROBLEM, base, name, value)
        assert found.alone[name] == value
        if name in base and not any(n not in base for n in found.alone):
            changed = {n for n in found.alone if found.alone[n] != base.get(n)}
            assert changed == {name}
        for predictor in (ACCURACY, LATENCY):
            expected = edit_effects(predictor, base, found.alone)
            own = found.effects[predictor.target.column]
            assert (own.total, own.low, own.high) == (expected.total, expected.low, expected.high)
        taken = found.effects["latency_ms"].total
        left = BUDGET - COSTS[EVERYTHING.index(base)]
        assert found.room[0] == pytest.approx(left)
        assert found.fits == (taken <= found.room[0])


def test_the_sentence_says_all_of_it() -> None:
    name, value = next(
        (n, v) for n, v in other_choices(BEST)
        if n in BEST and why_not(PROBLEM, BEST, n, v).effects["latency_ms"].total > 0
        and "kernel" in n and not why_not(PROBLEM, BEST, n, v).fits
    )  # fmt: skip
    found = why_not(PROBLEM, BEST, name, value)
    gain, cost, loss = found.effects["accuracy"], found.effects["latency_ms"], found.loss
    latency = LATENCY.target
    assert found.sentence() == (
        f"Kernel {value} in {name.removesuffix('_kernel')} would add {gain.total:.2f} points of "
        f"top-1 accuracy ({gain.low:.2f} to {gain.high:.2f}) and {latency.text(cost.total)} ms of "
        f"latency ({latency.text(cost.low)} to {latency.text(cost.high)}). The budget of "
        f"{BUDGET:.6g} ms leaves {latency.text(found.room[0])} ms, so something else would have to "
        f"give way. The best subnet within it that has it is {-loss.total:.2f} points worse "
        f"({-loss.high:.2f} to {-loss.low:.2f}) than this one"
        + (", which may be as good." if loss.high >= 0 else ".")
    )


def test_a_block_that_is_off_is_added_for_it() -> None:
    base = SPACE.extreme("smallest")
    found = why_not(PROBLEM, base, "p2_kernel", 7)
    assert found.alone["p_depth"] == 2 and found.alone["p2_kernel"] == 7
    assert found.sentence().startswith("Kernel 7 in p2, with p2 added (kernel 7), would add")
    resolution = why_not(PROBLEM, base, "resolution", 32)
    assert resolution.sentence().startswith("Resolution 32 would add")


def test_a_subnet_over_budget_or_short_of_the_best_is_told_so() -> None:
    over = why_not(PROBLEM, SPACE.extreme("largest"), "q1_kernel", 3).sentence()
    assert "is missed by" in over and "short of the best" not in over
    short = why_not(PROBLEM, SPACE.extreme("smallest"), "q1_kernel", 5).sentence()
    assert "short of the best itself" in short


def test_however_little_is_left_is_told_in_plain_digits() -> None:
    cost = COSTS[EVERYTHING.index(BEST)]
    tight = PROBLEM.within(float(cost) + 2.94e-5)
    found = why_not(tight, BEST, "q1_kernel", 3 if BEST["q1_kernel"] != 3 else 5)
    assert "leaves 0.0000294 ms" in found.sentence()


def test_counts_are_told_without_an_interval() -> None:
    # Predicted exactly where no resolution scales a block.
    space = hand_space()
    table = noisy_table(space, 120, seed=2)
    frame = table.frame.assign(parameters=100.0 + 10 * (table.codes + 1).sum(axis=1))
    table = table_from_frame(space, frame)
    accuracy, latency, counted = (
        fit(table, t, "per_layer") for t in ("accuracy", "latency_ms", "parameters")
    )
    base = space.extreme("smallest")
    now = float(counted.predict([base])["value"].iloc[0])
    bound = round(now + 15)
    problem = SearchProblem(accuracy, (Limit(latency, 1000.0), Limit(counted, bound)))
    found = why_not(problem, base, "q1_kernel", 7).sentence()
    assert "and 20.0 parameters. The budget of 1000 ms leaves" in found
    assert f"The budget of {bound} parameters leaves 15.0 parameters, so something" in found
    assert "No subnet within all limits has it" in found and "is 150 parameters." in found
    roomier = SearchProblem(accuracy, (Limit(latency, 1000.0), Limit(counted, bound + 20)))
    found = why_not(roomier, base, "q1_kernel", 7)
    assert found.fits and "subnet within all limits" in found.sentence()


def test_pins_hold_and_clashes_are_named() -> None:
    base = SPACE.extreme("smallest")
    allowed = choices_that_keep(SPACE, base, ["p_depth"])
    kept = why_not(PROBLEM, base, "q1_kernel", 7, allowed=allowed)
    assert kept.best.architecture["p_depth"] == kept.optimum.architecture["p_depth"] == 1
    with pytest.raises(InvalidInput, match="p2_kernel can't be 7 while p_depth is kept at 1"):
        why_not(PROBLEM, base, "p2_kernel", 7, allowed=allowed)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [("q1_kernel", 3, "already"), ("q1_kernel", 4, "allowed: 3"), ("nope", 3, "'nope'")],
)
def test_what_cannot_be_asked_is_refused(name: str, value: int, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        why_not(PROBLEM, SPACE.extreme("smallest"), name, value)


def test_every_choice_stands_beside_the_best() -> None:
    for decision in SPACE.decisions:
        table = every_choice(PROBLEM, BEST, decision.name)
        assert table["choice"].tolist() == [str(c) for c in decision.choices]
        assert table["now"].sum() == (decision.name in BEST)
        for choice, value, change in zip(
            decision.choices, table["value"], table["change"], strict=True
        ):
            having = np.array([a.get(decision.name) == choice for a in EVERYTHING])
            having &= COSTS <= BUDGET
            if having.any():
                assert value == pytest.approx(VALUES[having].max(), abs=1e-9)
                assert change == pytest.approx(value - VALUES[EVERYTHING.index(BEST)], abs=1e-9)
            else:
                assert np.isnan(value) and np.isnan(change)
    pinned = every_choice(PROBLEM, BEST, "q1_kernel", allowed={"q1_kernel": (3, 5)})
    assert pinned["choice"].tolist() == ["3", "5"]
    shut = every_choice(PROBLEM, BEST, "p2_kernel", allowed={"p_depth": (1,)})
    assert shut["change"].isna().all()


def test_the_document_is_plain() -> None:
    found = why_not(PROBLEM, SPACE.extreme("smallest"), "q1_kernel", 7)
    document = found.to_dict()
    assert document["sentence"] == found.sentence()
    assert set(document["alone"]) == {"accuracy", "latency_ms"}
    assert document["room"] == {"latency_ms": found.room[0]}
    assert document["best"]["id"] == found.best.architecture.id
