import json
import re
import time

import pytest
import streamlit as st
from conftest import DEMO
from conftest import run_page as guarded_page
from conftest import sentences as escaped
from conftest import unguarded_page as run_page

from foxnas_core.search.annealing import search
from foxnas_core.search.limits import Limit
from foxnas_core.search.problem import SearchProblem
from foxnas_core.search.result import SEARCHES
from foxnas_core.search.schedule import AnnealingSettings
from foxnas_core.search.solving import solve
from foxnas_core.steps.calibrate import calibrations
from foxnas_core.steps.fit import fit_all
from foxnas_core.study import open_study
from pages.shared import cache
from pages.shared.jobs import Job
from pages.views.search import live
from tests.search.additive import solve_exact

PAGE = "pages/3_Search.py"
KEPT = "pages/3_Search.py?view=kept"


def sentences(page) -> str:
    return escaped(page).replace("\\", "")


@pytest.fixture
def study(studies):
    return open_study(studies / "demo")


@pytest.fixture(scope="module")
def problem():
    columns = ("accuracy", "latency_ms")
    accuracy, latency = fit_all(open_study(DEMO).table(), targets=columns).values()
    return SearchProblem(accuracy, (Limit(latency, 0.06),))


def address(page, name: str) -> str:
    value = page.query_params[name]
    return value if isinstance(value, str) else value[0]


def job_of(page, study):
    """The job of the address; a quick one has given its place there to the search it kept."""
    shown = address(page, "search")
    jobs = [job for job in cache.works().runs(Job) if job.study == str(study.folder)]
    return next((job for job in reversed(jobs) if shown in (job.id, job.kept)), None)


def keys(page) -> set[str]:
    return {button.key for button in page.button}


def start(page, pace: float = 0.0):
    page.selectbox(key="pace").set_value(pace).run()
    return begun(page.button(key="start").click().run())


def begun(page):
    """The page once its latest search has got past its start."""
    deadline = time.monotonic() + 300
    while any(job.state == "starting" for job in cache.works().runs(Job)):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return page.run()


def finish(page, study):
    job = job_of(page, study)
    job.wait(300)
    return page.run(), job


def test_the_exact_optimum_is_that_of_the_core(study, problem):
    page = run_page(PAGE, budget="0.06")
    assert not page.exception and not page.error
    optimum = solve_exact(problem)
    said = sentences(page)
    assert optimum.architecture.id in said and f"{optimum.value:.2f} %" in said


def test_the_optimum_follows_the_slider(study, problem):
    page = run_page(PAGE, budget="0.06")
    page.slider(key="budget").set_value(0.1).run()
    assert not page.exception
    assert solve_exact(problem.within(0.1)).architecture.id in sentences(page)
    assert address(page, "budget") == "0.1"


def test_an_infeasible_budget_is_one_sentence_and_nothing_starts(study):
    page = run_page(PAGE, budget="0.000001")
    assert not page.exception
    [error] = page.error
    assert "smallest that can be reached" in error.value
    assert page.button(key="start").disabled


def test_a_search_runs_to_the_end_and_is_kept(study, problem):
    page, job = finish(start(run_page(PAGE, budget="0.06")), study)
    assert not page.exception and not page.error
    assert study.ids(SEARCHES) == [job.kept]
    assert address(page, "search") == job.kept
    result = study.kept(SEARCHES, job.kept)
    expected = search(problem, AnnealingSettings(steps=10_000))
    assert result.best == expected.best and result.exact == solve_exact(problem)
    said = sentences(page)
    made = job.annealer.total
    assert f"Finished and kept with the study: {made:,} of {made:,} proposals" in said
    assert f"({made // 10_000} choices of resolution and depths × 10,000 steps)" in said
    assert f"Best found: subnet **{result.best.architecture.id}**" in said
    assert "start" in keys(page) and "pause" not in keys(page)


def test_a_search_is_of_what_was_chosen_right_before_its_start(study):
    page = run_page(PAGE, budget="0.06")
    page.slider(key="budget").set_value(0.1)
    page.number_input(key="seed").set_value(7)
    page.number_input(key="chains").set_value(2)
    page.selectbox(key="pace").set_value(60.0)
    page = begun(page.button(key="start").click().run())
    job = job_of(page, study)
    assert [limit.bound for limit in job.problem.limits] == [0.1]
    assert (job.settings.seed, job.settings.chains, job.seconds) == (7, 2, 60.0)
    page.selectbox(key="pace").set_value(20.0)
    page.button(key="pause").click().run()
    assert (job.seconds, job.state) == (20.0, "paused")
    page.button(key="stop").click().run()


def test_pause_resume_stop(study):
    page = start(run_page(PAGE), pace=60.0)
    job = job_of(page, study)
    assert {"pause", "stop"} <= keys(page) and "start" not in keys(page)
    page.button(key="pause").click().run()
    assert job.state == "paused" and "resume" in keys(page)
    page.button(key="resume").click().run()
    assert job.state == "running" and "pause" in keys(page)
    page.button(key="stop").click().run()
    assert job.state == "stopped" and "start" in keys(page)
    assert "stopped is not kept" in sentences(page) and not study.ids(SEARCHES)
    assert not page.exception and not page.error


def test_a_second_tab_attaches_to_the_running_search(study):
    page = start(run_page(PAGE), pace=60.0)
    job = job_of(page, study)
    other = run_page(PAGE, search=job.id)
    assert not other.exception and "stop" in keys(other)
    other.button(key="pause").click().run()
    page.run()
    assert "resume" in keys(page)
    other.button(key="stop").click().run()
    assert job.ended
    page.run()
    assert "start" in keys(page) and "Stopped" in sentences(page)


def test_two_users_search_side_by_side(study):
    first, second = start(run_page(PAGE), pace=60.0), start(run_page(PAGE), pace=60.0)
    one, two = job_of(first, study), job_of(second, study)
    assert one is not two
    first.button(key="stop").click().run()
    assert one.ended and not two.ended
    two.stop()


def test_a_kept_search_is_opened_by_its_link_and_from_the_list(study, problem):
    result = search(problem, AnnealingSettings(steps=2_000, seed=7))
    search_id = study.keep(SEARCHES, result)
    page = run_page(PAGE, search=search_id)
    assert not page.exception and not page.error
    assert result.best.architecture.id in sentences(page)
    page = run_page(KEPT)
    page.multiselect(key="compare").set_value([search_id]).run()
    page.button(key="open-kept").click().run()
    assert address(page, "search") == search_id and address(page, "view") == "live"
    assert result.best.architecture.id in sentences(page)


def test_a_kept_search_tells_that_measurements_were_added(study, problem):
    search_id = study.keep(SEARCHES, search(problem, AnnealingSettings(steps=500)))
    row = study.table().frame.iloc[0]
    study.append(
        study.table().architectures()[:1],
        [{"accuracy": row.accuracy, "latency_ms": row.latency_ms}],
    )
    page = run_page(PAGE, search=search_id)
    assert not page.exception and not page.error
    assert "have changed since" in sentences(page)


@pytest.mark.parametrize("search_id", ["run-000000000000", "0123456789ab", "../space", "<b>"])
def test_an_unknown_search_is_one_sentence(study, search_id):
    page = run_page(PAGE, search=search_id)
    assert not page.exception
    assert len(page.error) == 1 and "Traceback" not in page.error[0].value
    assert "start" in keys(page)


def test_a_search_that_ended_with_its_server_is_told_and_can_be_started_again(study):
    page = run_page(PAGE, search="search-0123456789ab")
    assert not page.exception
    [card] = page.error
    assert "is not under way any more, and nothing of it was kept" in card.value
    assert not page.button(key="start").disabled


def test_a_damaged_search_is_one_sentence_and_not_listed(study, problem):
    search_id = study.keep(SEARCHES, search(problem, AnnealingSettings(steps=500)))
    path = study.folder / "searches" / f"{search_id}.json"
    path.write_text(path.read_text()[:100])
    page = run_page(PAGE, search=search_id)
    assert not page.exception
    assert len(page.error) == 1 and "damaged" in page.error[0].value
    assert not [t for t in tables_of(run_page(KEPT)) if "limits" in t]


def test_a_study_that_cannot_be_written_still_searches(study, monkeypatch):
    from foxnas_core.errors import NotWritable
    from foxnas_core.study import Study

    def refuse(self, kind, result):
        raise NotWritable("It can't be written.")

    monkeypatch.setattr(Study, "keep", refuse)
    page, job = finish(start(run_page(PAGE)), study)
    assert not page.exception and job.kept is None
    assert "can't be written" in sentences(page).replace("\\", "")
    assert f"Finished: {(made := job.annealer.total):,} of {made:,}" in sentences(page)


@pytest.mark.parametrize("key", ["to-what-if", "to-export"])
def test_the_best_found_is_taken_along(study, problem, key):
    result = search(problem, AnnealingSettings(steps=2_000))
    page = run_page(PAGE, search=study.keep(SEARCHES, result))
    page.button(key=key).click().run()
    assert not page.exception
    carried = json.loads(address(page, "architecture"))
    assert carried == result.best.architecture.to_dict()


def test_settings_are_those_that_run(study):
    page = run_page(PAGE)
    page.selectbox(key="schedule").set_value("linear").run()
    page.number_input(key="seed").set_value(11).run()
    page.number_input(key="chains").set_value(2).run()
    page.select_slider(key="steps").set_value(1000).run()
    [temperatures] = [s for s in page.select_slider if s.key.startswith("temperature-")]
    temperatures.set_value((0.02, 0.1)).run()
    page, job = finish(start(page), study)
    assert job.settings == AnnealingSettings(
        steps=1000, chains=2, restarts=0, start_temperature=0.1, end_temperature=0.02,
        schedule="linear", seed=11,
    )  # fmt: skip
    page.button(key="suggested").click().run()
    page, job = finish(start(page), study)
    assert job.settings.start_temperature is None and job.settings.seed == 11


def test_mode_restarts_and_adaptive_schedule_are_those_that_run(study):
    page = run_page(PAGE)
    page.selectbox(key="mode").set_value("teaching").run()
    page.selectbox(key="schedule").set_value("adaptive").run()
    page.number_input(key="restarts").set_value(1).run()
    page.select_slider(key="steps").set_value(1000).run()
    page, job = finish(start(page), study)
    assert not page.exception and not page.error
    assert job.settings == AnnealingSettings(
        steps=1000, chains=1, restarts=1, mode="teaching", schedule="adaptive"
    )
    assert f"{(made := job.annealer.total):,} of {made:,}" in sentences(page)
    assert study.kept(SEARCHES, job.kept).settings.mode == "teaching"


def test_a_paused_search_is_stepped_through(study):
    page = start(run_page(PAGE), pace=60.0)
    job = job_of(page, study)
    assert "step" not in keys(page)
    page.button(key="pause").click().run()
    before = job.annealer.proposals
    page.button(key="step").click().run()
    assert not page.exception and not page.error
    assert before < job.annealer.proposals and job.state == "paused"
    assert f"{job.annealer.proposals:,} of" in sentences(page)
    job.stop()


def test_the_pace_of_a_running_search_can_be_changed(study):
    page = start(run_page(PAGE), pace=60.0)
    job = job_of(page, study)
    page.selectbox(key="pace").set_value(20.0).run()
    assert (job.seconds, page.selectbox(key="pace").value) == (20.0, 20.0)
    page.run()
    assert page.selectbox(key="pace").value == 20.0
    page.selectbox(key="pace").set_value(0.0).run()
    job.wait(300)
    assert job.state == "finished"


def test_leaving_the_page_stops_nothing(study):
    page = start(run_page(PAGE), pace=3.0)
    job = job_of(page, study)
    page.switch_page("pages/2_What_if.py").run()
    assert not page.exception
    job.wait(300)
    assert job.state == "finished" and study.ids(SEARCHES) == [job.kept]


def test_a_kept_search_is_replayed_and_not_kept_twice(study, problem):
    kept = search(problem, AnnealingSettings(steps=2_000, seed=7))
    search_id = study.keep(SEARCHES, kept)
    page = run_page(PAGE, search=search_id)
    page.selectbox(key="pace").set_value(60.0).run()
    page = page.button(key="replay").click().run()
    page = begun(page)
    assert not page.exception and not page.error
    job = job_of(page, study)
    assert job.replays == search_id and f"replay of kept search {search_id}" in sentences(page)
    page.selectbox(key="pace").set_value(0.0).run()
    page, _ = finish(page, study)
    assert job.annealer.result(kept.exact).to_dict() == kept.to_dict()
    assert study.ids(SEARCHES) == [search_id] and address(page, "search") == search_id
    assert not page.exception and not page.error


def test_a_search_on_older_measurements_is_not_replayed(study, problem):
    search_id = study.keep(SEARCHES, search(problem, AnnealingSettings(steps=500)))
    row = study.table().frame.iloc[0]
    study.append(
        study.table().architectures()[:1],
        [{"accuracy": row.accuracy, "latency_ms": row.latency_ms}],
    )
    page = run_page(PAGE, search=search_id)
    page.button(key="replay").click().run()
    assert not page.exception
    assert any("can't be replayed" in error.value.replace("\\", "") for error in page.error)
    assert address(page, "search") == search_id


@pytest.fixture
def kept(study, problem):
    """Three kept searches, the first two of which find the same."""
    settings = [AnnealingSettings(steps=500), AnnealingSettings(steps=20_000)]
    settings.append(AnnealingSettings(steps=500, mode="teaching"))
    return [study.keep(SEARCHES, search(problem, each)) for each in settings]


def tables_of(page):
    return [table.value for table in page.dataframe]


def test_kept_searches_are_listed(study, kept):
    page = run_page(KEPT)
    assert not page.exception and not page.error
    [table] = [t for t in tables_of(page) if "limits" in t]
    assert set(table["search"]) == set(kept)
    assert set(table["mode"]) == {"full", "teaching"}


def test_without_kept_searches_there_is_no_list(study):
    page = run_page(KEPT)
    assert not page.exception
    assert "compare" not in {widget.key for widget in page.multiselect}


def test_searches_are_compared_and_the_address_is_shared(study, kept):
    page = run_page(KEPT)
    page.multiselect(key="compare").set_value(kept[:2]).run()
    assert not page.exception and not page.error
    assert address(page, "compare") == ",".join(kept[:2])
    other = run_page(KEPT, compare=address(page, "compare"))
    assert not other.exception and other.multiselect(key="compare").value == kept[:2]
    [courses] = [t for t in tables_of(other) if "best_value" in t]
    assert set(courses["search"]) == set(kept[:2])
    assert "Compared" in [heading.value for heading in other.header]


@pytest.mark.parametrize("wanted", ["../space", "<b>", "0123456789ab", ",,"])
def test_searches_that_are_not_kept_are_left_aside(study, kept, wanted):
    page = run_page(KEPT, compare=f"{wanted},{kept[0]}")
    assert not page.exception and not page.error
    assert page.multiselect(key="compare").value == [kept[0]]
    warned = [w.value for w in page.warning if "left aside" in w.value]
    assert len(warned) == (wanted != ",,")


def test_a_search_is_deleted_after_asking(study, kept):
    page = run_page(KEPT, search=kept[0], compare=f"{kept[0]},{kept[2]}")
    page.button(key="ask-delete").click().run()
    assert set(study.ids(SEARCHES)) == set(kept)
    page.button(key="delete-not").click().run()
    assert "delete-now" not in keys(page) and set(study.ids(SEARCHES)) == set(kept)
    page.button(key="ask-delete").click().run()
    page.button(key="delete-now").click().run()
    assert not page.exception and not page.error
    assert study.ids(SEARCHES) == [kept[1]]
    assert "search" not in page.query_params and "compare" not in page.query_params


def test_a_damaged_search_can_be_deleted(study, kept):
    path = study.folder / "searches" / f"{kept[0]}.json"
    path.write_text(path.read_text()[:100])
    page = run_page(KEPT, compare=kept[0])
    assert not page.exception and not page.error
    page.button(key="ask-delete").click().run()
    page.button(key="delete-now").click().run()
    assert not path.exists() and not page.error


def test_without_an_own_choice_temperatures_are_the_suggested_ones(study, problem):
    from foxnas_core.search.suggestion import suggest_temperatures

    page, job = finish(start(run_page(PAGE, budget="0.06")), study)
    run = job.annealer.settings
    [shown] = [s for s in page.select_slider if s.key.startswith("temperature-")]
    assert shown.value == (run.end_temperature, run.start_temperature)
    assert (run.start_temperature, run.end_temperature) == suggest_temperatures(problem)


def test_a_table_without_order_or_resolution(studies):
    """As the published one, which the command line imports, fits and searches."""
    from hand import hand_space, noisy_table

    from foxnas_core.study import create_study

    table = noisy_table(hand_space(), 120, ordered=False)
    own = create_study(studies / "unordered", table.space, name="Unordered", table=table)
    page, _ = finish(start(run_page(PAGE, study="unordered")), own)
    assert not page.exception and not page.error
    assert "Finished and kept with the study" in sentences(page)


def test_a_space_of_listed_operations(studies):
    from hand import choice_space, noisy_table

    from foxnas_core.study import create_study

    space = choice_space({f"edge{i}": ("none", "skip", "conv", "pool") for i in range(6)})
    own = create_study(studies / "edges", space, name="Edges")
    own.add_table(noisy_table(space, 120))
    page, job = finish(start(run_page(PAGE, study="edges")), own)
    assert not page.exception and not page.error
    assert job.annealer.best.architecture.id in sentences(page)


# What a searched subnet will measure


def test_the_optimum_is_promised_by_measured_optima(study, problem):
    page = run_page(PAGE, budget="0.06")
    said = sentences(page)
    assert "24 other optima that were measured" in said and "expected to measure" in said
    optimum = solve_exact(problem)
    predictors = [problem.objective, problem.limits[0].predictor]
    found = calibrations(study.table(), study.optima(), predictors)
    center, low, high = found["accuracy"].interval(optimum.value)
    assert f"{center:.2f} %" in said and f"{low:.2f} to {high:.2f}" in said
    # What they measured, not what is predicted.
    assert center != optimum.value


def test_a_guarded_budget_searches_under_a_smaller_one(study, problem):
    page = run_page(PAGE, budget="0.06", guard="0.95")
    assert not page.exception and not page.error
    assert "searched under" in sentences(page)
    predictors = [problem.objective, problem.limits[0].predictor]
    found = calibrations(study.table(), study.optima(), predictors)
    guarded = found["latency_ms"].guarded(0.06, 0.95)
    assert solve_exact(problem.within(guarded)).architecture.id in sentences(page)
    page, job = finish(start(page), study)
    assert job.problem.budget == pytest.approx(guarded)


def test_without_measured_optima_the_page_says_how_to_get_them(study):
    study.optima_file.unlink()
    page = run_page(PAGE, budget="0.06", guard="0.95")
    assert not page.exception and not page.error
    said = sentences(page)
    assert "foxnas_core calibrate" in said.replace("\\", "")
    assert "searched under" not in said
    assert page.select_slider(key="guard").disabled


@pytest.mark.parametrize("guard", ["nan", "2", "-1", "<b>"])
def test_a_nonsense_guard_in_the_address_is_left_aside(study, guard):
    page = run_page(PAGE, budget="0.06", guard=guard)
    assert not page.exception and not page.error
    assert page.select_slider(key="guard").value == 0.9


def test_unless_it_is_switched_off_what_is_answered_keeps_its_budget(study, problem):
    page = guarded_page(PAGE, budget="0.06")
    assert not page.exception and not page.error
    found = calibrations(study.table(), study.optima(), problem.predictors)
    best = solve_exact(problem.within(found["latency_ms"].guarded(0.06, 0.9)))
    other = solve_exact(problem)
    own, unguarded = (found["accuracy"].interval(each.value)[0] for each in (best, other))
    said = sentences(page)
    assert best.architecture.id in said and f"expected to measure **{own:.2f} %**" in said
    assert re.search(r"It keeps 0.06 ms in \d+ of 100? measurements; .*the unguarded best", said)
    assert "guard" not in page.query_params
    page.select_slider(key="guard").set_value(0.0).run()
    assert address(page, "guard") == "0"
    assert other.architecture.id in sentences(page) and "the unguarded best" not in sentences(page)
    # One for the session: other pages stand by it.
    page.switch_page("app.py").run()
    assert page.select_slider(key="guard").value == 0.0
    assert f"{unguarded:.2f}" == page.metric[0].value


@pytest.fixture
def limited(problem):
    """The optimum under a latency of 0.06 ms, 20,000 parameters and kernels of 3 in stage 2."""
    parameters = fit_all(open_study(DEMO).table(), targets=["parameters"])["parameters"]
    limits = (*problem.limits, Limit(parameters, 20_000))
    allowed = {f"s2b{block}_kernel": (3,) for block in (1, 2, 3)}
    return solve(SearchProblem(problem.objective, limits, allowed))


LIMITED = {"budget": "0.06", "limits": "parameters:20000", "allowed": "s2.kernel:3"}


def test_further_limits_and_kept_choices_hold(study, limited):
    page = run_page(PAGE, **LIMITED)
    assert not page.exception and not page.warning
    best = limited.candidate
    said = [m.value.replace("\\", "") for m in page.markdown]
    [told] = [text for text in said if text.startswith("Exact optimum")]
    assert best.architecture.id in told
    assert "at most 20.0 k parameters, with the choices kept" in told
    assert best.costs[1] <= 20_000
    assert all(v == 3 for d, v in best.architecture.choices if d.startswith("s2") and "kernel" in d)
    assert page.multiselect(key="keep-s2.kernel").value == [3]
    assert page.number_input(key="most-parameters").value == 20_000


def test_a_limited_search_is_kept_with_its_limits_and_replayed(study, limited):
    page = start(run_page(PAGE, **LIMITED))
    job_of(page, study).wait(300)
    page.run()
    [search_id] = study.ids(SEARCHES)
    result = study.kept(SEARCHES, search_id)
    assert result.limits == (("latency_ms", 0.06), ("parameters", 20_000.0))
    assert result.allowed == {f"s2b{block}_kernel": (3,) for block in (1, 2, 3)}
    assert result.exact == limited.candidate and result.gap >= 0
    page.button(key="replay").click().run()
    job_of(page, study).wait(300)
    page.run()
    assert not page.exception and not page.error
    assert study.ids(SEARCHES) == [search_id]


def test_choosing_a_limit_writes_it_to_the_address(study):
    page = run_page(PAGE)
    page.multiselect(key="limited").set_value(["macs"]).run()
    assert not page.exception
    assert address(page, "limits").startswith("macs:")
    page.multiselect(key="keep-input.resolution").set_value([28]).run()
    assert address(page, "allowed") == "input.resolution:28"
    page.multiselect(key="limited").set_value([]).run()
    assert "limits" not in page.query_params and not page.exception


def test_a_limit_that_nothing_keeps_is_named(study):
    page = run_page(PAGE, limits="parameters:10")
    assert not page.exception
    [error] = [e.value for e in page.error]
    assert "predicted parameters of at most 10" in error and "smallest" in error
    assert page.button(key="start").disabled


@pytest.mark.parametrize("broken", [{"limits": "parameters"}, {"allowed": "s9.kernel:3"}])
def test_a_broken_limit_in_the_address_is_left_aside(study, broken):
    page = run_page(PAGE, **broken)
    assert not page.exception and not page.error
    assert any("left aside" in warning.value for warning in page.warning)


# The least latency at an accuracy floor


@pytest.fixture(scope="module")
def floored(problem):
    latency = problem.limits[0].predictor
    return SearchProblem(latency, (Limit(problem.objective, at_least=89.5),))


FLOOR = {"goal": "latency", "floor": "89.5"}


def charts_of(page) -> list:
    return page.get("vega_lite_chart") or page.get("arrow_vega_lite_chart")


def test_the_least_latency_at_a_floor_is_that_of_the_core(study, floored):
    page = run_page(PAGE, **FLOOR)
    assert not page.exception and not page.error
    optimum = solve_exact(floored)
    said = sentences(page)
    assert "Exact optimum at top-1 accuracy of 89.5 % or more" in said
    assert optimum.architecture.id in said
    assert optimum.costs[0] >= 89.5 and f"{optimum.costs[0]:.2f} %" in said
    assert "budget" not in {slider.key for slider in page.slider}


def test_the_goal_is_chosen_stands_in_the_address_and_survives_leaving(study, floored):
    page = run_page(PAGE, budget="0.06")
    page.radio(key="goal").set_value("latency").run()
    assert not page.exception and not page.error
    assert address(page, "goal") == "latency"
    # Turned round, the search starts from what the budget reached.
    reached = solve_exact(SearchProblem(floored.limits[0].predictor, (
        Limit(floored.objective, 0.06),
    )))  # fmt: skip
    assert reached.value - 0.1 <= page.slider(key="floor").value <= reached.value
    page.slider(key="floor").set_value(89.5).run()
    assert address(page, "floor") == "89.5"
    assert solve_exact(floored).architecture.id in sentences(page)
    page.switch_page("pages/2_What_if.py").run()
    page.switch_page(PAGE).run()
    assert page.radio(key="goal").value == "latency" and page.slider(key="floor").value == 89.5
    page.radio(key="goal").set_value("accuracy").run()
    assert "goal" not in page.query_params and page.slider(key="budget").value == 0.06


def test_a_search_at_a_floor_runs_is_kept_shown_and_replayed(study, floored):
    page, job = finish(start(run_page(PAGE, **FLOOR)), study)
    assert not page.exception and not page.error
    result = study.kept(SEARCHES, job.kept)
    assert (result.objective, result.sides) == ("latency_ms", ("at_least",))
    assert result.limits == (("accuracy", 89.5),)
    assert result.best == search(floored, AnnealingSettings(steps=10_000)).best
    assert result.exact == solve_exact(floored)
    said = sentences(page)
    # Resolutions that can't reach the floor have no chain.
    total = f"{job.annealer.total:,}"
    made = f" ({job.annealer.chains} choices of resolution and depths × 10,000 steps)"
    if job.annealer.chains == 1:
        made = " (10,000 steps)"
    assert f"{total} of {total} proposals{made} at top-1 accuracy of 89.5 % or more" in said
    page.selectbox(key="pace").set_value(0.0).run()
    page.button(key="replay").click().run()
    page, job = finish(page, study)
    assert not page.exception and not page.error
    assert study.ids(SEARCHES) == [job.kept]


def test_a_kept_search_at_a_floor_has_its_charts(study, floored):
    search_id = study.keep(SEARCHES, search(floored, AnnealingSettings(steps=2_000)))
    page = run_page(PAGE, search=search_id)
    assert not page.exception and not page.error
    specs = [chart.proto.spec for chart in charts_of(page)]
    course, limit, temperature, *_ = specs
    assert "Gap to the exact optimum (ms)" in course
    assert "Predicted top-1 accuracy (%)" in limit and '"floor"' in limit
    assert "Temperature (ms)" in temperature
    assert sum('"predicted front"' in spec for spec in specs) == 2  # what moves, and the cloud


def test_a_floor_that_nothing_reaches_is_one_sentence(study):
    page = run_page(PAGE, goal="latency", floor="99")
    assert not page.exception
    [error] = page.error
    assert "greatest that can be reached" in error.value
    assert page.button(key="start").disabled


def test_further_limits_and_choices_hold_at_a_floor_too(study, floored):
    page = run_page(
        PAGE, goal="latency", floor="85", limits=LIMITED["limits"], allowed="s2.kernel:3"
    )
    assert not page.exception and not page.error
    parameters = fit_all(study.table(), targets=["parameters"])["parameters"]
    limits = (floored.limits[0].at(85.0), Limit(parameters, 20_000))
    allowed = {f"s2b{block}_kernel": (3,) for block in (1, 2, 3)}
    best = solve(SearchProblem(floored.objective, limits, allowed)).candidate
    assert best.architecture.id in sentences(page)


def test_a_guarded_floor_searches_above_it(study, floored):
    page = run_page(PAGE, goal="latency", floor="88", guard="0.9")
    assert not page.exception and not page.error
    predictors = [floored.limits[0].predictor, floored.objective]
    found = calibrations(study.table(), study.optima(), predictors)
    guarded = found["accuracy"].guarded(88.0, 0.9)
    assert guarded > 88
    said = sentences(page)
    assert f"searched above {guarded:.4g} %" in said
    optimum = solve_exact(floored.within(guarded))
    assert optimum.architecture.id in said
    assert found["accuracy"].chance(optimum.costs[0], 88.0) >= 0.9
    assert re.search(r"It keeps 88 % in 9\d? of 100? measurements; [\d.]+ ms more than the", said)


def test_temperatures_are_kept_apart_by_their_unit(study):
    page = run_page(PAGE, **FLOOR)
    [temperatures] = [s for s in page.select_slider if s.key.startswith("temperature-")]
    assert temperatures.label == "Temperatures (ms)"
    temperatures.set_value((temperatures.value[0], float(temperatures.options[-1]))).run()
    assert "suggested" in keys(page)
    page.number_input(key="seed").set_value(5).run()
    page.radio(key="goal").set_value("accuracy").run()
    assert not page.exception and "suggested" not in keys(page)
    assert page.number_input(key="seed").value == 5


def test_searches_for_different_goals_are_not_compared(study, problem, floored):
    settings = AnnealingSettings(steps=500)
    ids = [study.keep(SEARCHES, search(each, settings)) for each in (problem, floored, floored)]
    page = run_page(KEPT, compare=",".join(dict.fromkeys((ids[1], ids[0]))))
    assert not page.exception and not page.error
    assert "look for something else than the least latency" in sentences(page)


def test_a_search_that_weighs_no_accuracy_is_told_without_charts(study, problem):
    parameters = fit_all(study.table(), targets=["parameters"])["parameters"]
    search_id = study.keep(
        SEARCHES,
        search(
            SearchProblem(parameters, (Limit(problem.limits[0].predictor, 0.06),)),
            AnnealingSettings(steps=500),
        ),
    )
    page = run_page(PAGE, search=search_id)
    assert not page.exception and not page.error
    assert any("Latency (ms) at most 0.06" in m.value for m in page.markdown)


@pytest.mark.parametrize("wrong", [{"goal": "<b>"}, {"floor": "nan"}, {"floor": "-3"}])
def test_a_nonsense_goal_in_the_address_is_left_aside(study, wrong):
    page = run_page(PAGE, **({"goal": "latency"} | wrong))
    assert not page.exception and not page.error


def test_a_cell_is_shown_as_its_graph(cell_study):
    page = run_page(PAGE, study="nas")
    assert not page.exception and not page.error
    assert any("exact-chart" in part.proto.id for part in page.get("bidi_component"))


# Changed while it runs


def test_the_budget_acts_on_the_running_search_and_is_kept_with_it(study, problem):
    page = start(run_page(PAGE, budget="0.06"), pace=60.0)
    job = job_of(page, study)
    page.slider(key="budget").set_value(0.05).run()
    assert not page.exception and not page.error
    assert job_of(page, study) is job and job.state == "running"
    assert job.problem.limits[0].bound == 0.05
    [event] = job.annealer.events
    assert (event.bound, event.was) == (0.05, 0.06)
    assert "under 0.05 ms" in sentences(page)
    page.selectbox(key="pace").set_value(0.0).run()
    page, _ = finish(page, study)
    result = study.kept(SEARCHES, job.kept)
    assert result.limits == (("latency_ms", 0.05),) and result.events == (event,)
    assert result.exact == solve_exact(problem.within(0.05))
    page.button(key="replay").click().run()
    page, _ = finish(page, study)
    assert not page.exception and not page.error
    assert study.ids(SEARCHES) == [job.kept]


def test_temperatures_and_cooling_act_on_the_running_search(study, monkeypatch):
    page = start(run_page(PAGE, budget="0.06"), pace=60.0)
    job = job_of(page, study)
    with monkeypatch.context() as broken_off:
        broken_off.setattr(live, "quest_picker", lambda *given, **named: st.stop())
        page.button(key="reheat").click().run()
    assert not job.annealer.events
    page.run()
    page.selectbox(key="schedule").set_value("linear").run()
    [heat] = [s for s in page.select_slider if s.key.startswith("temperature-")]
    low, high = heat.value
    hotter = float(heat.options[heat.options.index(f"{high:.3g}") + 2])
    heat.set_value((low, hotter)).run()
    assert not page.exception and not page.error
    first, second, third = job.annealer.events
    assert first.start_temperature == job.annealer.settings.start_temperature
    assert second.schedule == "linear" and third.start_temperature == hotter
    assert third.end_temperature is None
    job.stop()


def test_what_cannot_change_in_flight_is_disabled_and_says_why(study):
    page = start(run_page(PAGE), pace=60.0)
    for widget in (
        page.selectbox(key="mode"), page.selectbox(key="latency"), page.radio(key="goal"),
        page.number_input(key="seed"), page.select_slider(key="steps"),
    ):  # fmt: skip
        assert widget.disabled
    assert not page.slider(key="budget").disabled and not page.selectbox(key="schedule").disabled
    assert "stop it to choose others" in sentences(page)
    job_of(page, study).stop()


def test_a_budget_that_nothing_keeps_leaves_the_search_as_it_was(study):
    page = start(run_page(PAGE, budget="0.06"), pace=60.0)
    job = job_of(page, study)
    tight = page.slider(key="budget").min
    page.slider(key="budget").set_value(tight).run()
    assert not page.exception and job.state == "running"
    assert job.problem.limits[0].bound in (0.06, tight)
    job.stop()


def test_a_second_tab_shows_the_same_run_with_the_same_controls(study):
    page = run_page(PAGE, budget="0.06", annealing="steps:20000,seed:3")
    page = start(page, pace=60.0)
    job = job_of(page, study)
    page.slider(key="budget").set_value(0.05).run()
    other = run_page(PAGE, search=job.id, budget="0.09")
    assert not other.exception and not other.error
    assert other.slider(key="budget").value == 0.05
    assert other.select_slider(key="steps").value == 20_000
    other.slider(key="budget").set_value(0.07).run()
    assert job.problem.limits[0].bound == 0.07
    page.run()
    assert page.slider(key="budget").value == 0.07
    job.stop()


def test_a_shared_address_restores_every_setting(study):
    text = "steps:20000,chains:2,restarts:1,mode:teaching,start_temperature:0.3,"
    text += "end_temperature:0.002,schedule:linear,seed:9,begin:smallest,pace:20"
    page = run_page(PAGE, budget="0.06", annealing=text)
    assert not page.exception and not page.error and not page.warning
    page = begun(page.button(key="start").click().run())
    job = job_of(page, study)
    assert job.settings == AnnealingSettings(
        steps=20_000, chains=2, restarts=1, mode="teaching", start_temperature=0.3,
        end_temperature=0.002, schedule="linear", seed=9, begin="smallest",
    )  # fmt: skip
    assert job.seconds == 20.0
    assert set(address(page, "annealing").split(",")) == set(text.split(","))
    job.stop()


@pytest.mark.parametrize("text", ["steps:x", "<b>", "pace:7", "start_temperature:-1", "steps:0"])
def test_nonsense_settings_in_the_address_are_left_aside(study, text):
    page = run_page(PAGE, annealing=text)
    assert not page.exception and not page.error
    assert any("left aside" in warning.value for warning in page.warning)


def test_a_search_begins_at_a_measured_subnet(study):
    table = study.table()
    first = table.frame["id"].iloc[0]
    page = run_page(PAGE, annealing=f"begin:{first}")
    page, job = finish(start(page), study)
    assert not page.exception and not page.error
    assert json.loads(job.settings.begin) == table.architectures()[0].to_dict()
    assert address(page, "annealing").startswith(f"begin:{first}") or first in address(
        page, "annealing"
    )


def test_another_budget_leaves_the_kept_search_aside(study, problem):
    search_id = study.keep(SEARCHES, search(problem, AnnealingSettings(steps=500)))
    page = run_page(PAGE, search=search_id)
    assert page.slider(key="budget").value == 0.06
    page.slider(key="budget").set_value(0.1).run()
    assert not page.exception and "search" not in page.query_params
    assert solve_exact(problem.within(0.1)).architecture.id in sentences(page)


def test_the_views_are_of_one_problem(study):
    page = run_page(PAGE, budget="0.06", limits="parameters:20000")
    [view] = [group for group in page.get("button_group") if group.key == "view"]
    view.set_value("front").run()
    assert not page.exception and not page.error
    assert page.slider(key="budget").value == 0.06
    assert page.number_input(key="most-parameters").value == 20_000
