import json
from dataclasses import replace

import hypothesis.strategies as st
import numpy as np
import pytest
from handmade_records import record_of, result, usual_record
from hypothesis import given

from foxnas_core.errors import MissingPart
from foxnas_core.evidence.handmade.claims import (
    PUBLISHED,
    WAYS,
    against,
    compare,
    comparison_document,
)
from foxnas_core.evidence.handmade.record import ALONE, INHERITED

# Latencies and accuracies; the last is beaten in both.
SEARCHED = [(0.02, 84.0), (0.08, 90.0), (0.04, 88.0), (0.06, 86.0)]


def held(record, *, way=ALONE, precision="", seed=0, **options):
    return compare(record, way=way, precision=precision, seed=seed, **options)


def one_claim(space, point, **options):
    [claim] = held(record_of(space, SEARCHED, {"mobilenet-v2": [point]}, **options)).claims
    return claim


def test_the_front_leaves_out_what_another_beats(tiny_space):
    comparison = held(record_of(tiny_space, SEARCHED, {"mobilenet-v2": [(0.1, 88)]}))
    assert comparison.front == ((0.02, 84.0), (0.04, 88.0), (0.08, 90.0))


@pytest.mark.parametrize(
    ("point", "ratio", "gain"),
    [
        ((0.1, 88.0), 2.5, 2.0),  # as accurate as a point of the front
        ((0.04, 86.0), 0.04 / np.sqrt(0.02 * 0.04), 2.0),  # half way, in the logarithm
        ((0.03, 89.0), 0.03 / np.sqrt(0.04 * 0.08), 4 * np.log2(1.5) - 5),
        ((0.1, 80.0), 5.0, 10.0),  # even the fastest is more accurate
        ((0.01, 88.0), 0.25, np.nan),  # none is as fast
        ((0.1, 91.0), 0.0, -1.0),  # none is as accurate
    ],
)
def test_ratio_and_gain_are_read_off_the_front(tiny_space, point, ratio, gain):
    claim = one_claim(tiny_space, point)
    assert (claim.latency, claim.accuracy) == point
    assert claim.ratio == pytest.approx(ratio)
    assert claim.gain == pytest.approx(gain, nan_ok=True)
    assert claim.at_least == (point[1] < 84) and claim.reached == (ratio > 0)


@given(
    st.lists(
        st.tuples(st.floats(0.01, 1), st.floats(50, 95)), min_size=2, max_size=6,
        unique_by=(lambda p: p[0], lambda p: p[1]),
    ),
    st.floats(0.01, 1),
    st.floats(50, 95),
)  # fmt: skip
def test_a_faster_network_has_a_smaller_ratio_and_scale_does_not_matter(points, time, accuracy):
    latencies, accuracies = (np.sort(v) for v in np.array(points).T)
    ratio, gain = against((latencies, accuracies), time, accuracy)
    scaled, same = against((3 * latencies, accuracies), 3 * time, accuracy)
    assert scaled == pytest.approx(ratio) and same == pytest.approx(gain, nan_ok=True)
    assert against((latencies, accuracies), time / 2, accuracy)[0] == pytest.approx(ratio / 2)
    # A network of the front itself is neither slower nor better.
    for own, best in zip(latencies, accuracies, strict=True):
        assert against((latencies, accuracies), own, best) == pytest.approx((1, 0), abs=1e-6)


def test_intervals_hold_the_figure_and_follow_the_noise(tiny_space):
    narrow, wide = (
        one_claim(tiny_space, (0.1, 87.0), std_error=error, spread=spread)
        for error, spread in ((0.05, 0.005), (0.4, 0.05))
    )
    for claim in (narrow, wide):
        assert claim.ratio_low < claim.ratio < claim.ratio_high
        assert claim.gain_low < claim.gain < claim.gain_high
    assert wide.ratio_high - wide.ratio_low > 3 * (narrow.ratio_high - narrow.ratio_low)
    assert narrow.verdict == "faster"
    without = one_claim(tiny_space, (0.1, 87.0), std_error=1e-9, spread=0)
    assert without.ratio_low == pytest.approx(without.ratio) == pytest.approx(without.ratio_high)


def test_the_interval_is_of_equal_draws_and_covers_as_often_as_it_says(tiny_space):
    """Measured figures that scatter about known ones: the interval holds the true ratio in 95 % of
    cases or, as latencies are drawn from their whole range, in more."""
    rng = np.random.default_rng(3)
    true = 0.1 / np.exp(np.interp(87, [84, 88, 90], np.log([0.02, 0.04, 0.08])))
    held_in = 0
    for _ in range(60):
        noisy = [(t, a + rng.normal(0, 0.2)) for t, a in SEARCHED[:3]]
        record = record_of(
            tiny_space, noisy, {"mobilenet-v2": [(0.1, 87 + rng.normal(0, 0.2))]}
        )  # fmt: skip
        [claim] = held(record, resamples=300).claims
        held_in += claim.ratio_low <= true <= claim.ratio_high
    assert held_in >= 52


def test_verdicts(tiny_space):
    assert one_claim(tiny_space, (0.1, 88.0)).verdict == "faster"
    assert one_claim(tiny_space, (0.02, 88.0)).verdict == "slower"
    assert one_claim(tiny_space, (0.04, 88.0)).verdict == "open"
    # Out of reach in every draw.
    out = one_claim(tiny_space, (0.1, 95.0))
    assert (out.verdict, out.ratio_high, out.reached) == ("slower", 0, False)


def test_inherited_accuracies_move_the_front_down(tiny_space):
    record = record_of(tiny_space, SEARCHED, {"mobilenet-v2": [(0.1, 86.0)]}, inherited_less=3)
    alone, inherited = held(record), held(record, way=INHERITED)
    assert [y for _, y in inherited.front] == [y - 3 for _, y in alone.front]
    assert inherited.claims[0].ratio < alone.claims[0].ratio
    int8 = held(record, precision=":int8")
    assert int8.claims[0].accuracy == 85 and int8.precision == ":int8"


def test_equal_seeds_give_equal_intervals(tiny_space):
    record = usual_record(tiny_space)
    assert held(record, seed=4) == held(record, seed=4)
    assert held(record, seed=4) != held(record, seed=5)


def test_sentences_say_what_was_found_and_what_the_paper_has(tiny_space):
    comparison = held(record_of(tiny_space, SEARCHED, {
        "mobilenet-v2": [(0.1, 88.0), (0.3, 95.0)], "mobilenet-v3-small": [(0.1, 80.0)],
    }))  # fmt: skip
    said = comparison.sentence()
    assert "of 2 of 3 hand-designed ones in less latency" in said
    assert "For 1 they need more or never reach it, and 0 are too close to tell." in said
    v2, v3 = (comparison.family_sentence(f) for f in comparison.families())
    assert ": 2.50 (" in v2 and "at width 0.1, not reached at width 0.2. The paper" in v2
    assert "3.4 (115 ms at 70.5 % against 34 ms at 70.3 %)" in v2
    assert "at least 5.00 (" in v3 and "paper" not in v3


def test_the_papers_ratios_are_its_figures():
    assert PUBLISHED["mobilenet-v2"].ratio == pytest.approx(1 + 2.4, abs=0.05)
    assert PUBLISHED["efficientnet-lite0"].ratio == pytest.approx(1 + 0.4, abs=0.05)


def test_without_enough_there_is_no_comparison(tiny_space):
    record = usual_record(tiny_space)
    bare = replace(record, contenders=tuple(replace(c, latency=None) for c in record.contenders))
    untrained = replace(record, contenders=tuple(replace(c, results=()) for c in record.contenders))
    for lacking, count in ((bare, 10), (untrained, 0)):
        with pytest.raises(MissingPart, match=f"{count} of 10 networks are trained so far"):
            held(lacking)


def test_one_searched_network_is_told_from_missing_training(tiny_space):
    record = record_of(tiny_space, SEARCHED[:1], {"mobilenet-v2": [(0.01, 88.0)]})
    with pytest.raises(MissingPart, match=r"1 searched network .* two different .* --searched"):
        held(record)


def test_the_document_is_plain_json(tiny_space):
    record = record_of(tiny_space, SEARCHED, {"mobilenet-v2": [(0.01, 88.0)]})
    record = record.with_result(record.contenders[0].name, result(87, seed=2))
    parts = [held(record, way=way, precision=p) for way in WAYS for p in ("", ":int8")]
    document = json.loads(json.dumps(comparison_document(parts), allow_nan=False))
    assert [(d["way"], d["precision"]) for d in document] == [
        ("alone", "fp32"), ("alone", "int8"), ("inherited", "fp32"), ("inherited", "int8"),
    ]  # fmt: skip
    [network] = document[0]["networks"]
    assert network["gain"] is None and network["verdict"] == "slower"
    assert document[0]["published"]["mobilenet-v2"]["ratio"] == pytest.approx(115 / 34)
