"""Which blocks to make smaller to save so much, two clicks from the effects."""

import json

from conftest import run_page, sentences

from foxnas_core.cards.given import Given
from foxnas_core.cards.shrink import shrink
from foxnas_core.study import create_study, open_study

PAGE = "pages/1_Coefficients.py?view=shrink"


def said(page) -> str:
    return sentences(page).replace("\\", "").replace("**", "")


def test_save_20_percent_is_answered_at_once_and_applied_with_a_click(studies):
    page = run_page("pages/1_Coefficients.py")
    page.button(key="to-shrink").click().run()
    page = run_page(PAGE)
    assert not page.exception and not page.error
    text = said(page)
    assert "For 20 % less latency (" in text and "the cheapest answer takes" in text
    assert "kept in 9 of 10 measurements" in text and "this is exact" in text
    before = page.query_params["architecture"]
    page.button(key="answer-apply").click().run()
    assert not page.exception and not page.error
    assert page.query_params["architecture"] != before


def test_the_map_is_of_the_chosen_subnet(studies):
    study = open_study(studies / "demo")
    largest = study.space.extreme("largest")
    page = run_page(PAGE, architecture=json.dumps(largest.to_dict()))
    assert not page.exception and not page.error
    card = shrink.compute(Given(study, architecture=largest))
    assert card.sentence in said(page)
    table = next(d.value for d in page.dataframe if "edit" in d.value)
    assert table["edit"].tolist() == card.table["edit"].tolist()
    assert "points per ms" in table


def test_a_space_of_operations_is_answered_by_each_other_one(cells):
    page = run_page(PAGE, study="cells")
    assert not page.exception and not page.error
    table = next(d.value for d in page.dataframe if "edit" in d.value)
    assert len(table) == 4 * 3 and table["edit"].str.contains("edge0").any()


def test_a_study_without_measurements_says_what_to_do(studies):
    create_study(studies / "new", open_study(studies / "demo").space, name="New")
    page = run_page(PAGE, study="new")
    assert not page.exception
    assert "measure" in said(page) + "".join(e.value for e in [*page.info, *page.error])
