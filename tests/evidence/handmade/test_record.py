import json
import math
from dataclasses import replace

import pytest
from handmade_records import CIRCUMSTANCES, latency, record_of, result, usual_record

from foxnas_core.errors import InvalidInput
from foxnas_core.evidence.handmade.record import (
    ALONE,
    HANDMADE,
    INHERITED,
    check_continues,
)


def test_a_record_comes_back_from_json(tiny_space):
    record = usual_record(tiny_space)
    bare = tuple(replace(c, latency=None, results=()) for c in record.contenders)
    for one in (record, replace(record, contenders=bare, circumstances={})):
        again = HANDMADE.value(json.loads(HANDMADE.text(one)))
        assert again == one and again.timed == (one is record)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("format", 2),
        ("networks", [{"name": "x"}]),
        ("parents", {"space": "s"}),
        ("recipe", 3),
        ("recipe", {"epochs": 5}),
        ("circumstances", {"seed": 1}),
    ],
)
def test_what_is_no_record_is_refused(tiny_space, part, value):
    document = HANDMADE.document(usual_record(tiny_space)) | {part: value}
    with pytest.raises((ValueError, KeyError, TypeError)):
        HANDMADE.value(document)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("family",), "resnet"),
        (("choices",), {"resolution": 28}),
        (("latency_ms", "fp32", "value"), float("nan")),
        (("latency_ms", "int8", "low"), 99.0),
        (("results", 0, "way"), "borrowed"),
        (("results", 0, "accuracy", "int8", "value"), float("inf")),
    ],
)
def test_a_network_with_impossible_figures_is_refused(tiny_space, place, value):
    document = json.loads(json.dumps(HANDMADE.document(usual_record(tiny_space))))
    part = document["networks"][0]
    for key in place[:-1]:
        part = part[key]
    part[place[-1]] = value
    with pytest.raises((ValueError, KeyError)):
        HANDMADE.value(document)


def test_results_are_added_once_for_each_way_and_seed(tiny_space):
    record = usual_record(tiny_space)
    name = record.contenders[0].name
    assert record.with_result(name, result(50.0)) == record
    more = record.with_result(name, result(90.0, seed=2))
    assert [r.seed for r in more.named(name).of(ALONE)] == [1, 2]
    assert more.named(name).of(INHERITED) == ()
    assert more.seeds == (1, 2) and not more.named(name).lacks(ALONE, 2)
    assert more.contenders[1:] == record.contenders[1:]


def test_latencies_are_those_of_one_campaign(tiny_space):
    record = usual_record(tiny_space)
    bare = replace(
        record, contenders=tuple(replace(c, latency=None) for c in record.contenders),
        circumstances={},
    )  # fmt: skip
    assert not bare.timed
    timed = bare.with_latencies({c.name: latency(0.5) for c in bare.contenders}, CIRCUMSTANCES)
    assert timed.timed and timed.circumstances == CIRCUMSTANCES
    assert {c.latency[""].value for c in timed.contenders} == {0.5}


def test_the_spread_over_seeds_is_pooled_and_widens_the_error(tiny_space):
    record = record_of(tiny_space, [(1, 80), (2, 90)], {"mobilenet-v2": [(1, 80), (2, 90)]})
    assert math.isnan(record.seed_spread(""))
    one, other = record.contenders[:2]
    assert record.score(one, ALONE, "").std_error == 0.2
    more = record.with_result(one.name, result(82, seed=2))
    more = more.with_result(other.name, result(93, seed=2))
    # Sums of squares 2 and 4.5 of one degree of freedom each.
    assert more.seed_spread("") == pytest.approx(math.sqrt(6.5 / 2))
    score = more.score(more.contenders[0], ALONE, "")
    assert score.value == 81
    assert score.std_error == pytest.approx(math.hypot(0.2, math.sqrt(6.5 / 2) / math.sqrt(2)))
    # A seed of training says nothing of inherited weights.
    searched = more.contenders[-1]
    assert more.score(searched, INHERITED, "").std_error == 0.2
    assert more.score(replace(one, results=()), ALONE, "") is None


def test_what_can_not_stand_beside_is_refused(tiny_space):
    record = usual_record(tiny_space)
    check_continues(record, record)
    # The table may grow: the searched subnets stay.
    check_continues(record, replace(record, parents=record.parents | {"measurements": "other"}))
    made = tuple(c for c in record.contenders if not c.searched)
    check_continues(record, replace(record, contenders=made))
    for changed, said in (
        ({"parents": record.parents | {"checkpoint": "other"}}, "its checkpoint is other now"),
        ({"parents": record.parents | {"space": "other"}}, "its space is other now"),
        ({"recipe": record.recipe | {"epochs": 9}}, "trained for 5 epochs"),
        ({"training_images": 7}, "not on 7 of stripes"),
        ({"contenders": made[:2]}, "name those with --widths"),
    ):
        with pytest.raises(InvalidInput, match=f"{said}.*handmade.json away"):
            check_continues(record, replace(record, **changed))
