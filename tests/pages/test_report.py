import json
import shutil

import pytest
from conftest import run_page, sentences
from hand import hand_space, noisy_table, table_of

from foxnas_core.study import create_study, open_study

PAGE = "pages/4_Export.py?view=report"
EVIL = "<script>alert(1)</script>"


@pytest.fixture
def hand(studies):
    """A study that is fitted in a moment, beside the demo's."""
    space = hand_space(resolutions=(12, 24))
    return create_study(studies / "hand", space, name="Hand", table=noisy_table(space, 120))


@pytest.fixture
def offered(monkeypatch):
    """The bytes of what is offered for download, by label."""
    import streamlit as st

    found = {}
    original = st.delta_generator.DeltaGenerator.download_button

    def record(self, label, data, **options):
        found[label] = data
        return original(self, label, data, **options)

    monkeypatch.setattr(st.delta_generator.DeltaGenerator, "download_button", record)
    monkeypatch.setattr(st, "download_button", lambda *a, **o: record(st._main, *a, **o))
    return found


def report_in(offered) -> str:
    [html] = [data for label, data in offered.items() if "report" in label.lower()]
    return html.decode()


def link(study, which: str) -> str:
    return json.dumps(study.space.extreme(which).to_dict())


def test_nothing_is_written_until_it_is_asked_for(hand, offered):
    page = run_page(PAGE, study="hand", architecture=link(hand, "smallest"))
    assert not page.exception and not page.error
    assert hand.space.extreme("smallest").id in sentences(page)
    assert not [label for label in offered if "report" in label.lower()]
    page.button(key="write").click().run()
    assert not page.exception and not page.error
    html = report_in(offered)
    assert hand.space.extreme("smallest").id in html
    assert "One file of" in sentences(page) and "The chosen subnet is" in sentences(page)


def test_reasons_go_in_as_text_and_parts_are_left_out(hand, offered):
    page = run_page(PAGE, study="hand")
    page.text_area(key="rationale").set_value(EVIL)
    page.checkbox(key="part-what-if").uncheck()
    page.checkbox(key="part-diagnostics").uncheck().run()
    page.button(key="write").click().run()
    assert not page.exception
    html = report_in(offered)
    assert "&lt;script&gt;alert(1)" in html and EVIL not in html
    assert 'id="diagnostics"' not in html and 'id="coefficients"' in html


def test_reasons_stay_on_the_way_to_another_page_and_back(hand, studies):
    page = run_page(PAGE, study="hand")
    page.text_area(key="rationale").set_value("Because.").run()
    page.switch_page("pages/2_What_if.py").run()
    page.query_params["view"] = "report"
    page.switch_page("pages/4_Export.py").run()
    assert page.text_area(key="rationale").value == "Because."
    page.selectbox(key="study").set_value("demo")
    page.run()
    assert page.text_area(key="rationale").value == ""


def test_what_is_asked_for_anew_is_written_anew(hand, offered):
    page = run_page(PAGE, study="hand")
    page.button(key="write").click().run()
    page.text_area(key="rationale").set_value("Another reason.").run()
    assert not page.exception
    assert "One file of" not in sentences(page)
    page.button(key="write").click().run()
    assert "Another reason." in report_in(offered)


def test_the_intervals_and_the_budget_of_the_address_hold(hand, offered):
    page = run_page(PAGE, study="hand", intervals="simultaneous", budget="30")
    page.button(key="write").click().run()
    assert not page.exception and not page.error
    html = report_in(offered)
    assert "All effects at once" in html and "30.0 ms" in html


def test_without_a_latency_it_is_on_the_most_accurate(hand, studies, offered):
    table = hand.table()
    alone = table_of(table.space, table.codes, accuracy=table.values("accuracy"))
    create_study(studies / "alone", table.space, name="Alone", table=alone)
    page = run_page(PAGE, study="alone")
    assert "no latency" in sentences(page)
    page.button(key="write").click().run()
    assert not page.exception and not page.error
    assert "the best in accuracy by prediction" in report_in(offered)


def test_what_cannot_be_fitted_is_said_and_the_rest_reported(hand, studies, offered):
    few = hand.table().rows(hand.table().frame.index < 5)
    create_study(studies / "few", few.space, name="Few", table=few)
    page = run_page(PAGE, study="few")
    assert page.error and not page.exception
    page.button(key="write").click().run()
    assert not page.exception
    html = report_in(offered)
    assert "No subnet is chosen" in html and "What was measured" in html


def test_an_unordered_table_is_reported(cells, offered):
    page = run_page(PAGE, study="cells")
    page.button(key="write").click().run()
    assert not page.exception and not page.error
    assert "edge0" in report_in(offered)


def test_an_empty_study_says_what_to_do(hand, studies):
    create_study(studies / "empty", hand.space, name="Empty")
    page = run_page(PAGE, study="empty")
    assert not page.exception
    [info] = page.info
    assert "nothing to report" in info.value and not page.button


def test_a_broken_table_is_one_sentence(hand):
    hand.table_file.write_bytes(b"no table")
    page = run_page(PAGE, study="hand")
    assert not page.exception
    assert len(page.error) == 1 and "Traceback" not in page.error[0].value


def test_new_rows_make_a_new_report(hand, offered):
    page = run_page(PAGE, study="hand", budget="30", architecture=link(hand, "smallest"))
    page.button(key="write").click().run()
    before = report_in(offered)
    study = open_study(hand.folder)
    row = {"accuracy": 60.0, "latency_ms": 20.0}
    study.append([study.space.extreme("largest")], [row])
    page.run()
    assert not page.exception
    assert study.table().fingerprint in report_in(offered)
    assert study.table().fingerprint not in before


def test_damaged_parts_of_a_study_do_not_stop_it(hand, offered):
    (hand.folder / "trust.json").write_text("{")
    (hand.folder / "searches").mkdir()
    (hand.folder / "searches" / "0123456789ab.json").write_text("{")
    shutil.copy(hand.folder / "study.json", hand.folder / "supernet.safetensors")
    page = run_page(PAGE, study="hand")
    page.button(key="write").click().run()
    assert not page.exception and not page.error
    assert "trust.json" in report_in(offered)
