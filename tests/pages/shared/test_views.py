"""Views of a page, the menu, and addresses that pages had once."""

from pathlib import Path

import pytest
from conftest import REPOSITORY, run_page, sentences
from places import VIEWS, slug, views_of

from foxnas_core.families import load_shipped
from foxnas_core.study import create_study, open_study
from pages.shared.menu import PAGES
from pages.shared.moved import MOVED

DEVICES = PAGES["Devices"]


def control(page):
    return next(group for group in page.get("button_group") if group.key == "view")


def test_a_view_is_chosen_stands_in_the_address_and_holds_on_the_way_back(studies):
    page = run_page(DEVICES)
    assert control(page).value == "compare"
    assert page.query_params["view"] in ("compare", ["compare"])
    control(page).set_value("order").run()
    assert "pairs that swap their order" in sentences(page)
    assert page.query_params["view"] in ("order", ["order"])
    page.switch_page(PAGES["Export"]).run()
    assert control(page).value == "files" and not page.warning
    page.switch_page("app.py").run()
    assert "view" not in page.query_params
    page.switch_page(DEVICES).run()
    assert control(page).value == "order" and page.query_params["view"] in ("order", ["order"])


def test_what_is_picked_in_a_view_stands_in_the_address_and_opens_by_it(studies):
    page = run_page(f"{DEVICES}?view=order")
    page.selectbox(key="device-second").select_index(-1).run()
    column = page.selectbox(key="device-second").value
    told = {"device-second": column, "map": "none", "lens": "x" * 300}
    page.switch_page(PAGES["Export"]).run()
    assert "device-second" not in page.query_params
    page = run_page(f"{DEVICES}?view=order", **told)
    assert not page.exception and not page.error
    assert page.selectbox(key="device-second").value == column
    # What no widget here is called by is dropped, and so is what is usual.
    assert {"map", "lens", "device-first"}.isdisjoint(page.query_params)
    assert page.query_params["device-second"] in (column, [column])
    page.selectbox(key="device-second").select_index(0).run()
    assert "device-second" not in page.query_params


def test_another_study_keeps_the_view(studies, cells):
    page = run_page(f"{DEVICES}?view=machine")
    page.selectbox(key="study").select("cells").run()
    assert not page.exception and control(page).value == "machine"


def test_a_view_that_there_is_not_is_one_sentence(studies):
    page = run_page(DEVICES, view="<b>x</b>")
    assert not page.exception and not page.error
    [warning] = page.warning
    assert "has no view" in warning.value and control(page).value == "compare"


@pytest.mark.parametrize("old", MOVED)
def test_an_old_address_leads_to_the_new_place_and_keeps_the_rest(studies, old):
    title, view = MOVED[old]
    page = run_page(f"pages/{old}.py", latency="latency_ms:int8")
    assert not page.exception
    assert page.title[0].value == title and (not view or control(page).value == view)
    assert page.query_params["latency"] in ("latency_ms:int8", ["latency_ms:int8"])


def test_each_page_is_in_the_menu_or_was_moved():
    files = {str(p.relative_to(REPOSITORY)) for p in (REPOSITORY / "pages").glob("*.py")}
    assert files | {"app.py"} == {*PAGES.values(), *(f"pages/{old}.py" for old in MOVED)}
    for title, view in MOVED.values():
        assert view in views_of(title) or not view
    assert {p.name for p in VIEWS.iterdir() if p.is_dir() and p.name != "__pycache__"} <= set(
        map(slug, PAGES)
    )


def test_no_file_of_a_page_is_long():
    long = [p for p in Path(REPOSITORY / "pages").glob("*.py") if len(p.open().readlines()) > 150]
    assert not long


def test_the_menu_says_what_a_study_lacks(studies):
    create_study(studies / "empty", load_shipped("foxnas-mini"), name="Empty")
    for study, lacking in {"demo": set(), "empty": {"Trust", "Search", "Coefficients"}}.items():
        page = run_page(PAGES["Export"], study=study)
        labels = {
            link.proto.label.partition(" :")[0]: link.proto.label for link in page.get("page_link")
        }
        assert set(labels) == set(PAGES)
        for title in ("Study", "Export", "Trust", "Search", "Coefficients"):
            assert ("needs" in labels[title]) == (title in lacking)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ({"budget": "abc"}, "budget is a number above 0"),
        ({"goal": "<b>"}, "goal is one of"),
        ({"view": "<b>" * 30_000, "subnet": "b"}, "left aside: view is longer than 10,000 char"),
    ],
)
def test_what_an_address_has_wrong_is_one_sentence(studies, address, said):
    page = run_page(PAGES["Export"], **address)
    assert not page.exception and not page.error
    [warning] = page.warning
    assert said in warning.value.replace("\\", "") and "<b>" not in warning.value


def test_a_page_that_has_nothing_to_show_is_tried_with_another_study_at_a_click(studies):
    create_study(studies / "bare", open_study(studies / "demo").space, name="Bare")
    page = run_page("pages/1_Coefficients.py", study="bare")
    assert not page.exception
    page.button(key="try-another").click().run()
    assert not page.exception and not page.error
    assert page.query_params["study"] in ("demo", ["demo"]) and page.get("plotly_chart")
    assert not [button for button in page.button if button.key == "try-another"]
