import json
import threading

import numpy as np
import pytest
from conftest import sentences
from conftest import unguarded_page as run_page

from foxnas_core.search import exact
from foxnas_core.search.prices import front_prices
from foxnas_core.search.solving import solve
from foxnas_core.search.stability import resampled_fronts
from foxnas_core.steps.calibrate import calibrations
from foxnas_core.steps.fit import fit_all
from foxnas_core.steps.search import cost_front, search_problem
from foxnas_core.study import create_study, open_study
from foxnas_core.table.measurements import table_from_frame
from pages.shared import cache, resamples

PAGE = "pages/3_Search.py?view=front"
HELD, TIED = ({"front-shown": part} for part in ("Whether budgets hold", "As good as the optimum"))


def said(page) -> str:
    return sentences(page).replace("\\", "")


def against(page, cost: str):
    [picker] = [w for w in page.get("button_group") if w.key == "front-cost"]
    return picker.set_value(cost).run()


def address(page, name: str) -> str:
    value = page.query_params[name]
    return value if isinstance(value, str) else value[0]


@pytest.fixture(autouse=True)
def few_draws(monkeypatch):
    def drawn(whole, *, draws, report):
        return resampled_fronts(whole, draws=draws // 10, report=report)

    monkeypatch.setattr(resamples, "resampled_fronts", drawn)


def resample(page, study):
    """Press the button, and look again once the draws are solved."""
    page.button(key="resample").click().run()
    runs = cache.works().runs(resamples.Resampling)
    run = [run for run in runs if run.study == str(study.folder)][-1]
    run.wait(300)
    return page.run(), run


def test_prices_choices_ties_and_chances_are_those_of_the_core(shipped):
    study = shipped
    held = run_page(PAGE, budget="0.06", **HELD)
    assert not held.exception and not held.error
    assert len(held.get("plotly_chart")) == 4
    page = run_page(PAGE, budget="0.06", **TIED)
    assert not page.exception and not page.error
    assert "of resamples" not in said(page) and "cannot be told from the optimum" in said(page)
    assert len(page.get("plotly_chart")) == 3
    page, _ = resample(page, study)
    assert not page.exception and not page.error
    predictors = fit_all(study.table(), targets=("accuracy", "latency_ms"))
    front = cost_front(*predictors.values())
    optimum, prices = front.within(0.06), front_prices(front)
    text = said(page)
    assert f"Optimum under 0.06 ms: subnet **{optimum.architecture.id}**" in text
    assert f"worth **{prices.at(0.06):.3g} points per ms**" in text
    assert f"lies at **{front.costs[prices.knee]:.4g} ms**" in text
    found = calibrations(study.table(), study.optima(), list(predictors.values()))
    chance = found["latency_ms"].chance(optimum.costs[0], 0.06)
    assert f"keeps 0.06 ms when measured with a chance of **{100 * chance:.0f} %**" in said(held)
    assert "drawn 20 times" in text and "of resamples" in text
    assert "cannot be told from the optimum" in text and "not simultaneous" in text
    assert len(page.get("plotly_chart")) == 4


def test_the_budget_moves_everything(shipped):
    page = run_page(PAGE, budget="0.06")
    before = said(page)
    page.slider(key="budget").set_value(0.1).run()
    assert not page.exception and not page.error
    assert "Optimum under 0.1 ms" in said(page) and said(page) != before


def test_a_guarded_budget_is_searched_under_less_and_held_against_all_of_it(shipped):
    page = run_page(PAGE, budget="0.06", guard="0.95", **HELD)
    assert not page.exception and not page.error
    text = said(page)
    assert "Optimum under 0.06 ms (searched under" in text
    chance = int(text.split("keeps 0.06 ms when measured with a chance of **")[1].split(" %")[0])
    assert chance >= 95


def test_parameters_and_macs_have_prices_of_their_own(shipped):
    page = against(run_page(PAGE, **HELD), "parameters")
    assert not page.exception and not page.error
    assert "points per k parameters" in said(page)
    assert "predicts this cost exactly" in said(page)
    slider = page.slider(key="front-budget-parameters-k parameters")
    slider.set_value(10.0).run()
    assert "Optimum under 10 k parameters" in said(page)
    page.selectbox(key="front-unit-parameters").select("MB of fp32 weights").run()
    assert not page.exception and not page.error
    assert "Optimum under 0.04 MB" in said(page) and "points per MB" in said(page)
    # What is seen stands in the address.
    shared = {name: address(page, name) for name in ("cost", "unit", "count")}
    assert shared == {"cost": "parameters", "unit": "MB of fp32 weights", "count": "10000"}
    other = run_page(PAGE, **shared)
    assert not other.exception and not other.error
    assert "Optimum under 0.04 MB" in said(other)
    page = against(page, "macs")
    assert address(page, "cost") == "macs" and "count" not in page.query_params
    assert not page.exception and not page.error
    assert "points per M MACs" in said(page) and "predicts this cost exactly" in said(page)


def test_every_step_can_be_read(shipped):
    page = run_page(PAGE)
    [steps] = [w for w in page.get("button_group") if w.key == "steps"]

    def shown():
        [table] = [d.value for d in page.dataframe if "in words" in d.value]
        return table

    corners = shown()
    steps.set_value("every").run()
    assert not page.exception and not page.error
    assert len(shown()) > len(corners) and (shown()["blocks"] > 1).any()
    price = corners["price"].to_numpy()
    assert (np.diff(price) <= 0).all()


def test_a_tied_subnet_opens_in_what_if_beside_the_optimum(shipped):
    page = run_page(PAGE, budget="0.06", **TIED)
    one = next(d.value for d in page.dataframe if "saves (%)" in d.value)
    cheapest = one.loc[one["saves (%)"].idxmax(), "id"]
    page.button(key="tied-what-if").click().run()
    page.switch_page("pages/2_What_if.py").run()
    assert not page.exception and not page.error
    opened = shipped.space.architecture(json.loads(page.query_params["architecture"]))
    assert opened.id == cheapest


def test_a_space_of_operations_has_a_front_too(cells):
    page, _ = resample(run_page(PAGE, study="cells", **TIED), cells)
    assert not page.exception and not page.error
    text = said(page)
    assert "is optimal in" in text and "edge" in text
    assert "Nothing is promised of" in text and "foxnas_core calibrate" in text


def test_resampling_is_watched_stopped_and_started_anew(shipped, monkeypatch):
    let_go = threading.Event()

    def held(whole, *, draws, report):
        report(3)
        while not let_go.wait(0.01):
            report(3)
        return resampled_fronts(whole, draws=5, report=report)

    monkeypatch.setattr(resamples, "resampled_fronts", held)
    page = run_page(PAGE, allowed="s3.kernel:3", **TIED)
    page.button(key="resample").click().run()
    assert not page.exception and not page.error
    other = run_page(PAGE, allowed="s3.kernel:3", **TIED)  # another tab watches the same draws
    other.button(key="resampling-stop").click().run()
    assert not other.exception and not other.error
    assert "Stopped after 3 of 200 draws" in said(other)
    let_go.set()
    page, run = resample(other, shipped)
    assert run.state == "finished"
    assert not page.exception and not page.error and "drawn 5 times" in said(page)
    # The result is kept for whoever looks next.
    assert "drawn 5 times" in said(run_page(PAGE, allowed="s3.kernel:3", **TIED))


def test_pinned_choices_hold_for_the_front_and_all_it_says(shipped):
    page = run_page(PAGE, budget="0.06", allowed="s2.kernel:3,input.resolution:28", **TIED)
    assert not page.exception and not page.error
    pins = {f"s2b{block}_kernel": (3,) for block in (1, 2, 3)} | {"resolution": (28,)}
    fits = fit_all(shipped.table(), targets=("accuracy", "latency_ms"))
    optimum = cost_front(*fits.values(), allowed=pins).within(0.06)
    text = said(page)
    kept = "Optimum under 0.06 ms, with the choices kept"
    assert f"{kept}: subnet **{optimum.architecture.id}" in text
    ties = next(d.value for d in page.dataframe if "saves (%)" in d.value)
    assert ties["id"].iloc[0] == optimum.architecture.id


def test_further_limits_hold_for_the_whole_front(shipped):
    page = run_page(PAGE, budget="0.06", limits="parameters:20000", **TIED)
    assert not page.exception and not page.error
    fits = fit_all(shipped.table(), targets=("accuracy", "latency_ms", "parameters"))
    problem = search_problem(
        fits, {"latency_ms": 0.06, "parameters": 20_000.0}, objective="accuracy"
    )
    optimum = solve(problem).candidate
    text = said(page)
    assert "Optimum under 0.06 ms, at most 20.0 k parameters: subnet" in text
    assert optimum.architecture.id in text
    assert "take the further limits off" in text
    assert "resample" not in {button.key for button in page.button}
    assert page.number_input(key="most-parameters").value == 20_000


@pytest.mark.parametrize("why", ["too many points", "No architecture"])
def test_where_there_is_no_front_under_the_limits_they_can_be_taken_off(shipped, monkeypatch, why):
    if why == "too many points":
        monkeypatch.setattr(exact, "MOST_COMPARED", 10)
    most = "22000" if why == "too many points" else "10"
    page = run_page(PAGE, limits=f"parameters:{most}")
    assert not page.exception
    [error] = page.error
    assert why in error.value
    page.multiselect(key="limited").set_value([]).run()
    assert not page.exception and not page.error and "Optimum under" in said(page)


@pytest.mark.parametrize("wrong", [{"cost": "<b>"}, {"cost": "macs", "unit": "ms"}, {"count": "x"}])
def test_a_nonsense_cost_in_the_address_is_left_aside(shipped, wrong):
    page = run_page(PAGE, **wrong)
    assert not page.exception and not page.error and "Optimum under" in said(page)


def test_an_infeasible_budget_is_one_sentence(shipped):
    page = run_page(PAGE, budget="0.000001")
    assert not page.exception
    [error] = page.error
    assert "smallest that can be reached" in error.value


def test_without_latency_the_counts_are_left(studies):
    demo = open_study(studies / "demo")
    frame = demo.table().frame
    new = create_study(studies / "counts", demo.space, name="Counts")
    dropped = [c for c in frame if "latency" in c or c == "macs"]
    new.add_table(table_from_frame(demo.space, frame.drop(columns=dropped)))
    page = run_page(PAGE, study="counts")
    assert not page.exception and not page.error
    assert "k parameters" in said(page)


def test_without_accuracies_the_size_of_networks_is_traded(studies):
    demo = open_study(studies / "demo")
    new = create_study(studies / "new", demo.space, name="New")
    kept = demo.table().frame[["id", *demo.space.by_name, "latency_ms"]]
    new.add_table(table_from_frame(demo.space, kept))
    page = run_page(PAGE, study="new")
    assert not page.exception and not page.error
    assert "MACs" in said(page)


def test_what_is_missing_is_said(studies):
    create_study(studies / "new", open_study(studies / "demo").space, name="New")
    page = run_page(PAGE, study="new")
    assert not page.exception
    [error] = page.error
    assert "needs a measured accuracy and a cost" in error.value


def test_a_damaged_table_is_one_sentence(studies):
    (studies / "demo" / "measurements.parquet").write_bytes(b"PAR1 nonsense")
    page = run_page(PAGE)
    assert not page.exception
    [error] = page.error
    assert "parquet" in error.value
