from dataclasses import replace

import pytest
from conftest import sentences
from conftest import unguarded_page as run_page

from foxnas_core.cards.quest import Quest
from foxnas_core.search.solving import solve
from foxnas_core.study import create_study, open_study
from pages.shared import cache

PAGE = "pages/3_Search.py?view=strategies"


@pytest.fixture
def study(studies):
    return open_study(studies / "demo")


def job_of(page):
    shown = page.query_params["race"]
    return cache.works()._runs[shown if isinstance(shown, str) else shown[0]]


def start(page, names=("Random", "OFA's evolution"), evaluations=200, seeds=1):
    page.multiselect(key="strategies").set_value(list(names)).run()
    page.select_slider(key="evaluations").set_value(evaluations).run()
    page.number_input(key="seeds").set_value(seeds).run()
    return page.button(key="start").click().run()


def said(page) -> str:
    return sentences(page).replace("\\", "")


def test_a_race_runs_to_the_end_and_tells_who_wins(study):
    page = start(run_page(PAGE, budget="0.06"), seeds=2)
    assert not page.exception and not page.error
    job = job_of(page)
    job.wait(300)
    page.run()
    assert not page.exception and not page.error
    assert job.state == "finished"
    assert "comes nearest the exact optimum" in said(page)
    assert "a sum over stages" in said(page) and "seeds 0, 1" in said(page)
    assert len(page.get("vega_lite_chart") or page.get("arrow_vega_lite_chart")) == 2
    standings, courses = (d.value for d in page.dataframe)
    assert set(standings["strategy"]) == {"Annealing", "Random", "OFA's evolution"}
    assert (standings["runs"] == 2).all() and (standings["median gap"] >= 0).all()
    assert standings["strategy"].iloc[0] == "Annealing"
    # What measured optima tell of the best, and the plain prediction behind it.
    assert (standings["expected"] != standings["best"]).all()
    assert set(courses["strategy"]) == set(standings["strategy"])
    assert len(page.get("download_button")) == 2


def test_a_race_is_of_what_was_chosen_right_before_its_start(study):
    page = run_page(PAGE, budget="0.06")
    page.slider(key="budget").set_value(0.1)
    page.multiselect(key="strategies").set_value(["Random"])
    page.select_slider(key="evaluations").set_value(200)
    page.button(key="start").click().run()
    job = job_of(page)
    job.wait(300)
    assert job.progress.courses["Random", 0].evaluations == 200
    assert [limit.bound for limit in job.progress.problem.limits] == [0.1]
    # Both are still chosen where the page is opened again.
    page.switch_page("app.py").run()
    page.switch_page("pages/3_Search.py").run()
    assert page.multiselect(key="strategies").value == ["Random"]
    assert page.select_slider(key="evaluations").value == 200


def test_a_race_runs_under_the_terms_of_the_search(study):
    address = {"goal": "latency", "floor": "85", "limits": "parameters:20000"}
    page = start(run_page(PAGE, **address, allowed="s2.kernel:3"))
    assert not page.exception and not page.error
    job = job_of(page)
    job.wait(300)
    page.run()
    assert not page.exception and not page.error and job.state == "finished"
    problem = job.progress.problem
    assert problem.objective.target.column == "latency_ms"
    assert [(x.column, x.side, x.bound) for x in problem.limits] == [
        ("accuracy", "at_least", 85.0), ("parameters", "at_most", 20_000.0),
    ]  # fmt: skip
    assert job.quest.solution() == solve(problem)
    for course in job.progress.courses.values():
        if course.best is not None:
            assert course.best.value >= job.quest.solution().candidate.value - 1e-9
            assert course.best.costs[0] >= 85 and course.best.costs[1] <= 20_000
            choices = course.best.architecture.choices
            assert all(v == 3 for d, v in choices if d.startswith("s2") and "kernel" in d)
    text = said(page)
    assert "Searched at top-1 accuracy of 85 % or more, at most 20.0 k parameters, with" in text
    assert "exact optimum" in text


def test_a_bound_stands_in_for_an_optimum_that_is_out_of_reach(study, monkeypatch):
    exact = Quest.solution
    monkeypatch.setattr(
        Quest, "solution",
        lambda quest: replace(exact(quest), exact=False, bound=exact(quest).bound + 0.5),
    )  # fmt: skip
    page = start(run_page(PAGE, budget="0.06"), names=["Random"])
    job_of(page).wait(300)
    page.run()
    assert not page.exception and not page.error
    assert "comes nearest the bound on the optimum" in said(page)
    standings = page.dataframe[0].value
    assert (standings["median gap"] >= 0.5).all()


def test_a_race_can_be_stopped_and_attached_to(study):
    page = start(run_page(PAGE), evaluations=50_000)
    job = job_of(page)
    other = run_page(PAGE, race=job.id)
    assert not other.exception
    other.button(key="stop").click().run()
    assert not other.exception and not other.error
    assert job.state == "stopped"
    assert "Stopped at" in said(other) or job.progress is None


def test_before_a_race_the_page_says_what_to_do(study):
    page = run_page(PAGE)
    assert not page.exception and not page.error
    [info] = page.info
    assert "Press Start" in info.value


def test_choices_that_cannot_run_are_one_sentence(study):
    page = start(run_page(PAGE), names=[])
    [error] = page.error
    assert "No strategy is chosen" in error.value
    page = start(run_page(PAGE), names=["TPE"], evaluations=2000)
    [error] = page.error
    assert "at most 500" in error.value.replace("\\", "")
    assert "race" not in page.query_params


def test_a_budget_below_all_is_one_sentence(study):
    page = run_page(PAGE, budget="0.000001")
    assert not page.exception
    [error] = page.error
    assert "smallest that can be reached" in error.value
    assert page.button(key="start").disabled


def test_a_race_of_another_study_is_not_shown(study, cells):
    page = start(run_page(PAGE))
    job = job_of(page)
    other = run_page(PAGE, study="cells", race=job.id)
    assert not other.exception and not other.error
    assert "Press Start" in said(other)
    job.stop()


def test_a_study_of_listed_operations(cells):
    page = start(run_page(PAGE, study="cells"), names=["NSGA-II", "Regularised evolution"])
    job_of(page).wait(300)
    page.run()
    assert not page.exception and not page.error
    assert "exactly at it" in said(page)


def test_no_measurements_are_one_sentence(studies):
    create_study(studies / "empty", open_study(studies / "demo").space, name="Empty")
    page = run_page(PAGE, study="empty")
    assert not page.exception
    [error] = page.error
    assert "no measured latency" in error.value


def test_a_damaged_table_is_one_sentence(study):
    study.table_file.write_bytes(b"no table")
    page = run_page(PAGE)
    assert not page.exception
    assert len(page.error) == 1
