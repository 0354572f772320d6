import json
from dataclasses import replace

import pytest
from hand import hand_space
from hypothesis import given
from hypothesis import strategies as st
from trials import claim_of, trial_of

from foxnas_core.evidence.verification.claims import CLAIMS, Trials
from foxnas_core.records import document_of

numbers = st.floats(-1e6, 1e6)
targets = st.sampled_from(["accuracy", "accuracy:int8", "latency_ms", "latency_ms:int8"])
claims = st.builds(
    claim_of, st.sampled_from(["value", "difference"]), targets, numbers, st.floats(0, 100)
)


@given(st.lists(st.tuples(claims, numbers), min_size=1, max_size=4), st.booleans())
def test_a_trial_comes_back_as_it_was(judged, measured):
    stated = [claim for claim, _ in judged]
    values = [value for _, value in judged] if measured else None
    trial = trial_of(hand_space(), "t", stated, values)
    assert CLAIMS.value(json.loads(CLAIMS.text(Trials((trial,))))).trials == (trial,)
    assert trial.done == measured
    assert [claim for claim, _ in trial.judged] == (stated if measured else [])


@pytest.mark.parametrize(
    "change",
    [
        {"chosen": "wished"}, {"claims": []}, {"level": 1.0}, {"level": "high"}, {"subnets": []},
        {"verdicts": []}, {"circumstances": None}, {"parents": {}}, {"subnets": [{"id": "x"}]},
    ],
)  # fmt: skip
def test_what_is_no_trial_is_refused(change):
    document = document_of(trial_of(hand_space(), "t", [claim_of()], [80.5])) | change
    with pytest.raises(ValueError):
        CLAIMS.value({"format": 1, "trials": [document]})


@pytest.mark.parametrize(
    ("name", "value"),
    [("kind", "guess"), ("target", "beauty"), ("low", float("nan")), ("value", None)],
)
def test_what_is_no_claim_is_refused(name, value):
    document = document_of(trial_of(hand_space(), "t", [claim_of()], [80.5]))
    document["claims"][0][name] = value
    with pytest.raises(ValueError, match=rf"trials\[0\]\.claims\[0\].*{value or name}"):
        CLAIMS.value({"format": 1, "trials": [document]})


def test_what_was_searched_for_is_held_against_what_is_expected():
    plain = claim_of("value", "accuracy", 80.0, 1.0)
    told = replace(plain, expected=79.0, expected_low=78.8, expected_high=79.2)
    trial = trial_of(hand_space(), "t", [plain, told], [79.1, 79.1])
    assert trial.holds(*trial.judged[0]) and trial.holds(*trial.judged[1])
    assert trial.interval(*trial.judged[1]) == (78.8, 79.2)
    sentence = trial.sentences()[1]
    assert "expected to measure 79.00 % (78.80 to 79.20), predicted 80.00 (79.00 to" in sentence
    assert not trial.holds(told, replace(trial.verdicts[1], measured=79.5))
    assert CLAIMS.value(json.loads(CLAIMS.text(Trials((trial,))))).trials == (trial,)
    with pytest.raises(ValueError, match="no interval"):
        replace(told, expected_low=None)


def test_sentences_say_what_was_stated_measured_and_decided():
    claims = [
        claim_of("value", "accuracy", 80.0, 1.0),
        claim_of("difference", "accuracy", 0.5, 0.48, scatter=1.0),
        claim_of("difference", "latency_ms", -2.0, 0.5, scatter=1.0),
        claim_of("difference", "latency_ms:int8", 2.0, 0.5, scatter=1.0),
    ]
    trial = trial_of(hand_space(), "t", claims, [82.0, 0.1, -2.5, -2.5])
    value, unclear, right, wrong = trial.sentences()
    assert value == (
        "Top-1 accuracy: predicted 80.00 % (79.00 to 81.00), measured 82.00 % (81.80 to 82.20), "
        "which is outside the stated interval."
    )
    assert (
        "claimed +0.50 points (this edit of this subnet: -0.50 to +1.50; the average edit: +0.02 "
        "to +0.98), measured +0.10 points" in unclear
    )
    assert "which is inside the interval of this edit of this subnet." in unclear
    assert "error of measuring both to -0.02 to +1.02, holds it." in unclear
    assert "-2.75 to -1.25" not in wrong and "does not hold it." in wrong
    assert "does not tell the direction" in unclear
    assert right.endswith("The direction is as claimed.")
    assert wrong.endswith("The direction is the opposite.")
    late = trial_of(hand_space(), "t", claims[:1], [82.0], reason="these are of a tablet")
    assert late.sentences()[0].endswith("Not counted: these are of a tablet.")
