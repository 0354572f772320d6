"""One subnet has one headline number, and an answer one promise, whatever shows them."""

import re
from dataclasses import replace

import pytest
from conftest import DEMO

from benchmarks.guard import kept_of_measured, priced
from foxnas_core.cards import counterfactuals, front, search, verification
from foxnas_core.cards.expected import expected, promised, searched_for
from foxnas_core.cards.given import Given
from foxnas_core.cards.quest import Quest
from foxnas_core.evidence.verification.judging import claims_on
from foxnas_core.search.expectation import is_optimum
from foxnas_core.search.guard import OFF, chance_of_all
from foxnas_core.steps.query import query
from foxnas_core.steps.searched import told_of_searched
from foxnas_core.study import open_study

MAIN = ("accuracy", "latency_ms")


@pytest.fixture(scope="module")
def demo() -> Given:
    return Given(open_study(DEMO), budget=0.0653)


@pytest.fixture(scope="module")
def best(demo):
    return Quest(demo).solution().candidate.architecture


def test_an_optimum_is_expected_at_what_optima_measured(demo, best):
    known = demo.calibrations_of("latency_ms", "accuracy")
    for own in expected(demo, best, MAIN):
        assert own.value == known[own.target.column].interval(own.predicted)[0]
        assert own.optima == 24 and own.how == "expected to measure"
        assert own.told == f"{own.interval_text}; {own.predicted_text}"
    values = [own.value_text for own in expected(demo, best, MAIN)]
    for card in (search.optimum, front.optimum, counterfactuals.base):
        said = card.compute(replace(demo, unit="ms")).sentence
        assert best.id in said and f"expected to measure {values[0]}" in said


def test_a_query_and_a_claim_have_the_same_number(demo, best):
    found = query(demo.study, best, MAIN).metrics
    card = verification.claims.compute(demo, subnets=(best,))
    stated = card.table.set_index("claimed")["this subnet"]
    blind = told_of_searched(demo.study, [best], blind=True)
    for own in expected(demo, best, MAIN):
        told = found[own.target.column]
        assert (told.expected, told.expected_low, told.expected_high) == pytest.approx(
            (own.value, own.low, own.high)
        )
        assert (told.value, told.source) == (pytest.approx(own.predicted), "predicted")
        assert f"expected to measure {own.target.text(own.value)}" in stated[own.target.label]
        assert own.predicted_text in stated[own.target.label]
        predictor = demo.predictor(own.target.column)
        claim, *_ = claims_on(predictor, [best], level=0.95, known=blind)
        assert claim.headline == pytest.approx((own.value, own.low, own.high))
    other = demo.table.architectures()[0]
    assert not told_of_searched(demo.study, [other])
    # Of what was measured as an optimum the blind tell without that.
    front = demo.front("latency_ms")
    measured = next(a for a in demo.study.optima().architectures() if is_optimum(front, a))
    known = demo.calibrations_of("latency_ms", "accuracy")["accuracy"]
    told = told_of_searched(demo.study, [measured], blind=True)
    assert told["accuracy"].count == known.count - 1


def test_an_optimum_of_another_cost_has_one_number_whichever_is_looked_at(demo):
    cost = "latency_ms:int8"
    front = demo.front_of(cost)
    best = next(
        front.candidate(point).architecture
        for point in range(len(front))
        if not is_optimum(demo.front("latency_ms"), front.candidate(point).architecture)
    )
    columns = ("accuracy", cost)
    known = demo.calibrations_of(cost, "accuracy")
    found = query(demo.study, best, columns).metrics
    blind = told_of_searched(demo.study, [best], blind=True)
    for looked_at in (demo, replace(demo, cost=cost)):
        for own in expected(looked_at, best, columns):
            column = own.target.column
            assert own.value == known[column].interval(own.predicted)[0] and own.optima == 23
            assert found[column].expected == blind[column].interval(own.predicted)[0] == own.value
    assert "latency_ms" not in searched_for(demo, best)


def test_any_other_subnet_is_expected_at_its_prediction(demo):
    other = demo.study.space.extreme("largest")
    smaller = demo.table.architectures()[0]
    for own in expected(demo, smaller, MAIN):
        assert own.value == own.predicted and not own.optima and own.told == own.interval_text
    # The largest is the best of some budget, or nearly: whether it counts as one is the front's.
    on_front = any(
        demo.front("latency_ms").candidate(point).architecture == other
        for point in range(len(demo.front("latency_ms")))
    )
    assert bool(searched_for(demo, other)) == on_front


def test_what_an_optimum_is_edited_into_errs_as_it_does(demo, best):
    name = next(n for n in best if n.endswith("_kernel"))
    decision = demo.study.space.by_name[name]
    value = next(c for c in decision.choices if c != best[name])
    edited = demo.study.space.architecture({**best.to_dict(), name: value})
    assert not searched_for(demo, edited)
    held = replace(demo, start=best)
    before, after = (expected(held, a, MAIN)[1] for a in (best, edited))
    assert after.optima == 24
    # A latency errs by a share of itself, so an edit changes both numbers by the same share.
    assert after.value / before.value == pytest.approx(after.predicted / before.predicted)


def test_a_subnet_searched_for_under_terms_is_known_by_them(demo):
    allowed = tuple((f"s2b{block}_kernel", (3,)) for block in (1, 2, 3))
    kept = replace(demo, allowed=allowed)
    best = Quest(kept).solution().candidate.architecture
    assert searched_for(kept, best) and not searched_for(demo, best)


@pytest.mark.parametrize("guard", [None, 0.5, 0.99])
def test_an_answer_keeps_what_it_promises(demo, guard):
    quest = Quest(replace(demo, guard=guard))
    best = quest.solution().candidate
    chance = chance_of_all(quest.wanted.limits, best.architecture, quest.told)
    assert chance >= (guard or 0.9) and quest.searched != quest.bound
    assert "0.0653 ms in" in promised(quest) and "the unguarded best" in promised(quest)


def test_what_is_switched_off_promises_what_it_keeps(demo):
    quest = Quest(replace(demo, guard=OFF))
    assert quest.searched == quest.bound == 0.0653
    assert re.fullmatch(r"It keeps 0\.0653 ms in \d+ of 100? measurements\.", promised(quest))


def test_without_measured_optima_nothing_is_promised(demo):
    quest = Quest(replace(demo, cost="latency_ms:openvino"))
    assert quest.searched == quest.bound
    said = promised(quest)
    assert "Nothing is promised of 0.0653 ms" in said and "calibrate" in said
    assert "--cost latency_ms:openvino" in said


def test_several_limits_are_kept_together_on_the_front_too(demo):
    both = replace(demo, limits=(("latency_ms:int8", 0.06), ("parameters", 20_000.0)))
    quest = Quest(both)
    assert quest.limits[1] == both.kept_limits("latency_ms")[0] and quest.limits[1][1] < 0.06
    assert quest.limits[2] == ("parameters", 20_000.0)
    best = quest.solution().candidate.architecture
    assert chance_of_all(quest.wanted.limits, best, quest.told) >= 0.9
    assert both.front("latency_ms").within(quest.searched).architecture == best
    assert "all limits in" in promised(quest)


def test_over_all_budgets_the_guard_keeps_its_word(demo):
    told, surer = priced(demo, 6), priced(replace(demo, guard=0.99), 6)
    assert (told["kept"] >= 0.9).all() and (surer["kept"] >= 0.99).all()
    assert surer["price"].sum() < told["price"].sum()  # to be surer costs more
    known = demo.calibrations_of("latency_ms", "accuracy")["latency_ms"]
    assert kept_of_measured(known) > kept_of_measured(known, 0.5)
