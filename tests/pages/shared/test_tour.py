import pytest
from conftest import REPOSITORY, run_page, sentences

from foxnas_core.families import load_shipped
from foxnas_core.study import create_study
from pages.shared.menu import PAGES
from pages.shared.tour import STEPS


def card(page) -> str:
    [progress] = page.get("progress")
    return progress.proto.text


def test_each_step_is_a_page_of_the_menu_by_its_title():
    assert len(STEPS) == 5
    for step in STEPS:
        assert PAGES[step.title] == step.path
        assert (REPOSITORY / step.path).exists()


def test_what_the_cards_tell_one_to_press_is_there():
    pages = "".join(path.read_text() for path in (REPOSITORY / "pages").rglob("*.py"))
    core = (REPOSITORY / "foxnas_core/regression/inference.py").read_text()
    for step in STEPS:
        for named in step.attempt.split("*")[1::2]:
            assert f'"{named}' in pages + core, named


def test_it_leads_from_the_first_page_over_each_step_and_back_to_it(studies):
    page = run_page("app.py")
    assert not page.get("progress")
    page.button(key="tour-start").click().run()
    for number, step in enumerate(STEPS, start=1):
        assert not page.exception and not page.error
        assert page.title[0].value == step.title
        assert card(page) == f"Tour, step {number} of 5: {step.title}"
        assert step.look in sentences(page)
        assert page.query_params["tour"] in (str(number), [str(number)])
        if number < 5:
            page.button(key="tour-next").click().run()
    page.button(key="tour-back").click().run()
    assert page.title[0].value == "What-if"
    page.button(key="tour-next").click().run()
    page.button(key="tour-finish").click().run()
    assert page.title[0].value == "Study" and not page.get("progress")
    assert "tour" not in page.query_params
    assert page.button(key="tour-start")


def test_it_can_be_left_on_the_page_where_one_is(studies):
    page = run_page("pages/4_Export.py", tour="5")
    assert card(page).startswith("Tour, step 5 of 5")
    page.button(key="tour-leave").click().run()
    assert page.title[0].value == "Export" and not page.get("progress")
    assert "tour" not in page.query_params


def test_a_link_to_a_page_of_the_tour_is_that_page_s_step(studies):
    page = run_page("pages/2_What_if.py", tour="1")
    assert card(page).startswith("Tour, step 4 of 5")


def test_from_other_pages_it_goes_on(studies):
    page = run_page("pages/14_Measurements.py", tour="2")
    assert "not on the tour" in sentences(page)
    page.button(key="tour-on").click().run()
    assert page.title[0].value == "Diagnostics"
    assert card(page).startswith("Tour, step 2 of 5")


def test_another_study_is_toured_on(cells):
    page = run_page("pages/4_Export.py", tour="5")
    page.selectbox(key="study").select("cells").run()
    assert not page.exception
    assert card(page).startswith("Tour, step 5 of 5")


@pytest.mark.parametrize("step", ["0", "-1", "nan", "inf", "x", "0.4", "99", "1e300"])
def test_what_is_no_step_is_the_nearest_or_left_aside(studies, step):
    page = run_page("pages/14_Measurements.py", tour=step)
    assert not page.exception and not page.error
    for progress in page.get("progress"):
        assert progress.proto.text.startswith(("Tour, step 1 of 5", "Tour, step 5 of 5"))


def test_without_measurements_its_pages_say_what_to_do(studies):
    create_study(studies / "empty", load_shipped("foxnas-mini"), name="Empty")
    page = run_page("pages/3_Search.py", study="empty", tour="3")
    assert not page.exception and card(page).startswith("Tour, step 3")
    assert len(page.error) == 1 and page.button(key="tour-next")
