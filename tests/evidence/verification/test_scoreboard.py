import json

import pytest
from hand import hand_space
from hypothesis import given, settings
from hypothesis import strategies as st
from trials import claim_of, trial_of

from foxnas_core.evidence.verification.judging import wilson
from foxnas_core.evidence.verification.scoreboard import (
    COLUMNS,
    scoreboard,
    scoreboard_document,
    trials_table,
)

SPACE = hand_space()
one_trial = st.tuples(
    st.sampled_from(["random", "picked"]), st.sampled_from(["", "another device"]),
    st.floats(76, 84), st.floats(-3, 3), st.booleans(),
)  # fmt: skip


@settings(deadline=None)
@given(st.lists(one_trial, max_size=12))
def test_every_claim_is_counted_once_in_its_row(drawn):
    stated = [claim_of(), claim_of("difference", value=0.5, half=0.2, scatter=1.5)]
    trials = [
        trial_of(
            SPACE, str(n), stated, [value, gap] if done else None, chosen=chosen, reason=reason
        )
        for n, (chosen, reason, value, gap, done) in enumerate(drawn)
    ]
    board = scoreboard(trials)
    assert list(board.table.columns) == COLUMNS
    assert board.pending == 2 * sum(not done for *_, done in drawn)
    for row in board.table.to_dict("records"):
        own = [
            (c, v)
            for t in trials
            for c, v in t.judged
            if (c.kind, t.chosen) == (row["kind"], row["chosen"])
        ]
        counted = [v for _, v in own if not v.reason]
        assert row["held on average"] <= row["held"] <= row["tested"]
        assert row["tested"] == len(counted) and row["not counted"] == len(own) - len(counted)
        inside = sum(v.inside for v in counted)
        if row["kind"] == "value":
            assert (row["held"], row["held on average"]) == (inside, 0)
        else:
            assert (row["within scatter"], row["held on average"]) == (row["held"], inside)
        low, high = wilson(row["held"], row["tested"])
        assert (row["low"], row["high"]) == (100 * low, 100 * high)
        assert row["stated"] == pytest.approx(95.0)
        if row["kind"] == "value":
            assert row["directions"] == row["within scatter"] == 0
        assert row["directions right"] <= row["directions"] <= row["tested"]
    assert board.table["chosen"].tolist() == sorted(board.table["chosen"], reverse=True)
    assert len(trials_table(trials)) == 2 * len(trials)
    json.dumps(scoreboard_document(board), allow_nan=False)


def test_nothing_tested_says_so():
    board = scoreboard([])
    assert board.tested == 0 and board.sentences() == ["No claim was tested yet."]
    board = scoreboard([trial_of(SPACE, "t", [claim_of()])])
    assert "1 claims were stated and are not measured yet." in board.sentences()
    board = scoreboard([trial_of(SPACE, "t", [claim_of()], [80.0], reason="slow")])
    assert "some that do not count" in board.sentences()[0]


def board_of(held: int, failed: int):
    stated = [claim_of()]
    values = [80.0] * held + [90.0] * failed
    return scoreboard([trial_of(SPACE, str(n), stated, [v]) for n, v in enumerate(values)])


@pytest.mark.parametrize(
    ("held", "failed", "words"),
    [
        (19, 1, "nothing speaks against"),
        (12, 8, "fewer than stated"),
        (200, 0, "wider than need be"),
    ],
)
def test_the_sentence_compares_with_what_was_stated(held, failed, words):
    board = board_of(held, failed)
    assert words in " ".join(board.sentences())
    assert board.sentences()[0].startswith(f"{held} of {held + failed} tested claims held")


def test_directions_count_where_claim_and_measurement_tell_one():
    stated = [claim_of("difference", value=1.0, half=0.5, scatter=3.0)]
    trials = [trial_of(SPACE, str(n), stated, [v]) for n, v in enumerate([1.0, 2.0, -1.0, 0.1])]
    row = scoreboard(trials).table.iloc[0]
    # The last one measures .1 ± .2.
    assert (row["directions"], row["directions right"]) == (3, 2)
    assert (row["held"], row["held on average"]) == (4, 1)
    said = " ".join(scoreboard(trials).sentences())
    assert "4 are within the interval of this edit of this subnet, and 1 within" in said
    assert "2 of 3 have the sign" in " ".join(scoreboard(trials).sentences())
