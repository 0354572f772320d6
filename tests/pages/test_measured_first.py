"""Pages of a study in which something better was measured than its regression finds."""

import numpy as np
import pytest
from conftest import run_page
from conftest import sentences as marked
from tricky import CODES, LATENCY, ONES, SPACE, tricky_study

PAGES = ["app.py", "pages/3_Search.py", "pages/3_Search.py?view=front"]
ONES_ALONE = SPACE.architecture({f"e{i}": 1 for i in range(4)})


def sentences(page) -> str:
    assert not page.exception and not page.error
    return marked(page).replace("\\", "").replace("**", "")


def best_of(study, budget: float):
    frame = study.table().frame
    return frame[frame["latency_ms"] <= budget].nlargest(1, "accuracy").iloc[0]


@pytest.mark.parametrize("name", PAGES)
def test_a_table_of_every_architecture_answers_by_itself(studies, name):
    study = tricky_study(studies / "whole")
    page = run_page(name, study="whole", budget="4.3")
    said, best = sentences(page), best_of(study, 4.3)
    assert "All 81 architectures of space 'choices' are measured" in said
    assert f"{best['accuracy']:.2f}" in "".join([said, *(m.value for m in page.metric)])
    assert "promised" not in said and ONES_ALONE.id not in said
    if name == "app.py":
        assert [m.value for m in page.metric][:2] == [f"{best['accuracy']:.2f}", "3.50"]
        assert "none measured within the budget is more accurate" in said
    else:
        assert best["id"] in said


@pytest.mark.parametrize("name", PAGES)
def test_a_better_row_comes_before_the_optimum(studies, name):
    study = tricky_study(studies / "part", np.arange(81) != 80)
    page = run_page(name, study="part", budget="4.3")
    said, best = sentences(page), best_of(study, 4.3)
    assert f"Measured already, and better: subnet {best['id']}" in said
    assert f"The search's own, {ONES_ALONE.id}, measured" in said
    if name == "app.py":
        assert "was measured already" in page.header[0].value
        assert page.metric[0].value == f"{best['accuracy']:.2f}"
        page.button(key="home-what-if").click().run()
        assert not page.exception


@pytest.mark.parametrize("name", PAGES)
def test_an_optimum_beyond_anything_measured_says_so(studies, name):
    tricky_study(studies / "few", ONES <= 2)
    said = sentences(run_page(name, study="few", budget="4.3"))
    assert "It is predicted to be more accurate than anything measured (" in said


def test_the_first_budget_is_the_median_and_says_so(studies):
    tail = np.where(CODES.sum(axis=1) > 6, 50 * LATENCY, LATENCY)
    study = tricky_study(studies / "whole", latency_ms=tail)
    page = run_page("app.py", study="whole")
    median = float(study.table().frame["latency_ms"].median())
    assert abs(page.slider(key="budget").value - median) <= page.slider(key="budget").step
    assert "the median of what was measured" in page.slider(key="budget").help
    chosen = run_page("app.py", study="whole", budget="4.3").slider(key="budget")
    assert "the median" not in chosen.help


def test_what_some_rows_lack_is_counted(studies):
    holed = np.where(CODES[:, 0] == 2, np.nan, LATENCY)
    tricky_study(studies / "whole", **{"latency_ms:board": holed})
    said = sentences(run_page("app.py", study="whole", latency="latency_ms:board", budget="4.3"))
    assert "27 of them without accuracy or latency" in said
    assert "the best of the other 54" in said
