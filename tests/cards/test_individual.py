"""One architecture explained, on the shipped study."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import DEMO

from foxnas_core.cards import counterfactuals, individual
from foxnas_core.cards.given import Given
from foxnas_core.explanation.edits import edit_effects
from foxnas_core.search.counterfactual import edits_between
from foxnas_core.space.editing.bulk import set_choices
from foxnas_core.space.editing.changes import changes_between
from foxnas_core.study import open_study


@pytest.fixture(scope="module")
def given() -> Given:
    study = open_study(DEMO)
    return Given(study, architecture=study.table().architectures()[11])


def test_what_is_known_is_what_was_measured_and_predicted(given):
    table = individual.known.compute(given).table.set_index("target")
    row, frame = table.loc["Top-1 accuracy"], given.table.frame
    own = frame[frame["id"] == given.subnet.id]
    assert row["measured"] == pytest.approx(own["accuracy"].mean())
    found = given.predictor("accuracy").predict([given.subnet]).iloc[0]
    assert row["predicted"] == pytest.approx(found["value"])
    assert row["predicted low"] == pytest.approx(found["prediction_low"])
    assert row["predicted low"] < row["predicted"] < row["predicted high"]
    others = frame.groupby("id")["accuracy"].mean()
    assert row["better than (%)"] == pytest.approx(100 * (others < row["measured"]).mean())
    assert list(table.index[:2]) == ["Top-1 accuracy", "Latency"]


def test_an_optimum_is_told_as_optima_measure(given):
    front = given.front_of("latency_ms")
    best = replace(given, architecture=front.candidate(len(front) // 2).architecture)
    row = individual.known.compute(best).table.iloc[0]
    assert row["expected"] != row["predicted"] and np.isnan(row["measured"])
    drawn = individual.known.compute(best).figure()
    names = [trace.name for trace in drawn.data]
    assert names == ["measured subnets", "this, predicted", "this, expected"]


def test_blocks_have_intervals_and_add_up(given):
    card = individual.blocks.compute(given)
    predictor = given.predictor("latency_ms")
    everything = predictor.predict(given.table.architectures())["value"].mean()
    own = predictor.predict([given.subnet])["value"].iloc[0]
    effects = card.table["Δ Latency (ms)"]
    assert effects.sum() == pytest.approx(own - everything, abs=1e-9)
    assert (card.table["Δ Latency (ms) low"] <= effects).all()
    assert {"resolution"} <= set(card.table["block"])


def test_neighbours_are_the_nearest_and_their_differences_this_less_theirs(given):
    table = individual.neighbours.compute(given).table
    space = given.study.space
    away = [
        edits_between(space, given.subnet, other)
        for other in given.table.architectures()
        if other != given.subnet
    ]
    assert sorted(table["edits"]) == sorted(away)[: len(table)]
    for row in table.to_dict("records"):
        other = given.table.measured(row["id"])
        effect = edit_effects(given.predictor("accuracy"), other, given.subnet)
        assert row["Δ Top-1 accuracy (points)"] == pytest.approx(effect.total)
        own = given.table.frame.groupby("id")["accuracy"].mean()
        gap = own[given.subnet.id] - own[other.id]
        assert row["Δ Top-1 accuracy (points), measured"] == pytest.approx(gap)


def test_every_single_edit_is_there_once_with_its_own_interval(given):
    table = individual.steps.compute(given).table
    space = given.study.space
    active = [d for d in space.decisions if d.name in given.subnet]
    assert len(table) == sum(len(d.choices) - 1 for d in active) and table["id"].is_unique
    name, rate = "Δ Latency (ms)", table["points per ms"]
    traded = rate.notna()
    assert traded.any() and rate[traded].gt(0).all()
    assert np.allclose(
        rate[traded], (table["Δ Top-1 accuracy (points)"] / table[name]).abs()[traded]
    )
    for decision in ("s1b1_kernel", "s2_depth", "resolution"):
        value = next(c for c in space.by_name[decision].choices if c != given.subnet[decision])
        after = set_choices(space, given.subnet, [space.by_name[decision]], value).architecture
        assert changes_between(space, given.subnet, after)
        effect = edit_effects(given.predictor("latency_ms"), given.subnet, after)
        row = table[table["id"] == after.id].iloc[0]
        assert row[name] == pytest.approx(effect.total, abs=1e-12)
        assert (row[f"{name} low"], row[f"{name} high"]) == pytest.approx((effect.low, effect.high))


def test_the_front_is_picked_from_end_to_end(given):
    front = given.front_of("latency_ms")
    found = [one for _, one in individual.members(front).values()]
    assert 2 < len(found) <= individual.ON_FRONT
    ends = [front.candidate(place).architecture for place in (0, len(front) - 1)]
    assert [found[0], found[-1]] == ends


def test_only_goals_that_can_be_reached_are_offered(given):
    largest = replace(given, architecture=given.study.space.extreme("largest"))
    fastest = replace(given, architecture=given.front_of("latency_ms").candidate(0).architecture)
    assert {"Save 10 %", "Save 20 %"} <= set(individual.goals(largest))
    assert not any(name.startswith("Save") for name in individual.goals(fastest))
    assert "Gain 1 point" in individual.goals(fastest)
    found, answer = counterfactuals.reached(largest, **individual.goals(largest)["Save 20 %"])
    then, now = given.predictor("latency_ms").predict([largest.subnet, answer.after])["value"]
    assert now <= 0.8 * then and answer is found.cheapest
