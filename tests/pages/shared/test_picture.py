"""What a browser says was done: each event once, and nothing that is no event."""

import pytest

from pages.shared.picture import Event, new_events


def sent(number: int, kind: str = "select", **more) -> dict:
    return {"id": f"x-{number}", "kind": kind, "cells": ["s1b1"], **more}


def test_events_that_were_seen_are_not_done_again():
    first, last = new_events([sent(1), sent(2, "step", role="kernel", by=-1)], None)
    assert first == [Event("select", ("s1b1",)), Event("step", ("s1b1",), "kernel", -1)]
    assert last == "x-2"
    again, last = new_events([sent(1), sent(2), sent(3, "open"), sent(4, "close")], last)
    assert [event.kind for event in again] == ["open", "close"] and last == "x-4"
    assert new_events([sent(3), sent(4)], last) == ([], "x-4")


def test_a_picture_that_was_drawn_anew_starts_over():
    events, last = new_events([{**sent(1), "id": "y-1"}], "x-4")
    assert len(events) == 1 and last == "y-1"


@pytest.mark.parametrize(
    "what",
    [
        None, 3, "select", {}, [3], [None], [{}], [sent(1, "explode")], [sent(1, cells="s1b1")],
        [sent(1, cells=[3])], [sent(1, "step", by=1000)], [sent(1, "step", role=["kernel"])],
        [sent(1, kind=["select"])],
    ],
)  # fmt: skip
def test_what_is_no_event_is_left_out(what):
    events, _ = new_events(what, None)
    assert events == []
