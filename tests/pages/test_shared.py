from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from conftest import run_page
from hypothesis import given
from hypothesis import strategies as st

from pages.shared import choices, cost
from pages.shared.panel import readable
from pages.shared.text import plain


def test_tables_are_shown_to_four_digits_and_never_less_than_whole():
    table = pd.DataFrame(
        {"x": [0.0017182, 123.456, 22014.13, -0.31415926, 0.0, 4e-11, np.nan], "n": range(7)}
    )
    shown = readable(table)
    assert shown["x"].tolist()[:-1] == [0.001718, 123.5, 22014.0, -0.3142, 0.0, 0.0]
    assert np.isnan(shown["x"].iloc[-1])
    assert shown["n"].tolist() == list(range(7))


@given(st.text())
def test_text_from_files_keeps_no_mark_of_markdown(text):
    escaped = plain(text)
    for mark in "`*_[]<>$":
        assert escaped.count(mark) == escaped.count("\\" + mark)


class _Front:
    def __init__(self, *costs: float) -> None:
        self.costs = np.array(costs)


@pytest.mark.parametrize(
    ("costs", "expected"),
    [
        ((0.01473, 0.15072), (0.015, 0.151, 0.001)),
        ((57.396, 295.66), (58.0, 296.0, 1.0)),
        ((2.0, 2.0), (2.0, 2.01, 0.01)),
    ],
)
def test_budgets_are_round_and_can_be_met(costs, expected):
    assert cost.budgets_of(_Front(*costs)) == pytest.approx(expected)


@given(st.floats(1e-4, 1e4), st.floats(1e-6, 1e3))
def test_the_range_of_budgets_holds_the_front(least, share):
    span = least * share
    low, high, step = cost.budgets_of(_Front(least, least + span))
    # Rounded to the step's own decimals, so a last digit may be off.
    assert least <= low * (1 + 1e-9) < least + span + 2 * step
    assert high * (1 + 1e-9) >= least + span and high > low


@pytest.mark.parametrize(
    "place", ["2_What_if.py", "2_What_if.py?view=counterfactuals", "3_Search.py?view=strategies",
              "4_Export.py?view=report"],
)  # fmt: skip
def test_the_guard_in_the_address_is_one_for_all_pages(studies, place):
    page = run_page(f"pages/{place}", guard="0.95")
    assert page.select_slider(key="guard").value == 0.95


def test_what_is_chosen_stands_in_the_address_and_is_read_from_it(studies):
    page = run_page("pages/2_What_if.py", latency="latency_ms:int8", budget="0.1")
    assert not page.exception
    assert page.selectbox(key="latency").value == "latency_ms:int8"
    assert page.slider(key="budget").value == 0.1
    assert page.query_params["budget"] == "0.1"


@pytest.mark.parametrize("budget", ["nan", "-1", "inf", "1e300", "much"])
def test_budgets_that_are_none_are_ignored(studies, budget):
    page = run_page("pages/2_What_if.py", budget=budget)
    assert not page.exception and not page.error
    assert page.slider(key="budget").value > 0


def test_another_study_starts_anew(studies):
    import shutil

    shutil.copytree(studies / "demo", studies / "other")
    page = run_page("pages/2_What_if.py", latency="latency_ms:int8", budget="0.1")
    page.selectbox(key="study").select("other").run()
    assert not page.exception and not page.error
    assert page.selectbox(key="latency").value == "latency_ms"
    assert "budget" not in page.query_params
    assert page.query_params["study"] == "other"


def test_an_address_from_before_the_last_change_does_not_undo_it(studies):
    page = run_page("pages/2_What_if.py", budget="0.05")
    before = dict(page.query_params)
    page.slider(key="budget").set_value(0.08).run()
    # The browser had not shown the new address yet when the whole page was drawn again.
    for name, value in before.items():
        page.query_params[name] = value
    page.run()
    assert not page.exception
    assert page.query_params["budget"] == "0.08"


def test_what_is_done_on_a_page_is_done_to_what_it_shows_however_old_the_address(studies):
    page = run_page("pages/2_What_if.py", budget="0.05")
    before = dict(page.query_params)
    page.slider(key="budget").set_value(0.08).run()
    page.query_params["budget"] = before["budget"]
    page.button(key="pick-largest").click().run()
    assert not page.exception
    assert page.query_params["budget"] == "0.08"


def test_an_address_that_one_went_back_to_counts_at_once(studies, monkeypatch):
    page = run_page("pages/2_What_if.py", budget="0.05")
    page.slider(key="budget").set_value(0.08).run()
    monkeypatch.setattr(choices, "_is_gone_to", lambda: True)
    page.query_params["budget"] = "0.05"
    page.run()
    assert page.slider(key="budget").value == 0.05


def test_none_is_a_choice_only_where_one_can_be_cleared(monkeypatch):
    monkeypatch.setattr(choices.st, "session_state", {"gone": None, "there": 0})
    told = []
    for can_be_cleared in (False, True):
        for key in ("gone", "there"):
            choices.on_change(key, told.append, can_be_cleared=can_be_cleared)()
    assert told == [0, None, 0]


def test_a_widget_that_is_often_changed_elsewhere_takes_few_keys(monkeypatch):
    monkeypatch.setattr(choices.st, "session_state", {})
    keys = []
    for value in range(200):
        key, _ = choices.fresh_widget("often", value, lambda _: None)
        assert choices.st.session_state[key] == value
        assert choices.fresh_widget("often", value, lambda _: None)[0] == key
        keys.append(key)
    assert all(first != second for first, second in pairwise(keys))
    assert len(set(keys)) < 20


def test_a_widget_is_told_its_value_at_each_drawing(monkeypatch):
    told = []

    class State(dict):
        def __setitem__(self, key, value):
            told.append((key, value))
            super().__setitem__(key, value)

    monkeypatch.setattr(choices.st, "session_state", State())
    key, _ = choices.fresh_widget("often", "b", lambda _: None)
    told.clear()
    # A drawing that was broken off may never have reached the browser.
    assert choices.fresh_widget("often", "b", lambda _: None)[0] == key and (key, "b") in told
