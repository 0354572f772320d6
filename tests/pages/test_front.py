import json
import shutil

import numpy as np
import pytest
from conftest import DEMO, run_page, sentences

from foxnas_core.search.prices import front_prices
from foxnas_core.storage import create_study, open_study
from foxnas_core.table import table_from_frame
from foxnas_core.workflow import calibrations, fit_all, latency_front

PAGE = "pages/9_Front.py"


@pytest.fixture(scope="module")
def copied(tmp_path_factory):
    """One copy of the demo's table for all tests that only read it, so that it is fitted once."""
    folder = tmp_path_factory.mktemp("front")
    (folder / "demo").mkdir()
    for name in ("study.json", "space.json", "measurements.parquet", "optima.parquet"):
        shutil.copy(DEMO / name, folder / "demo" / name)
    return folder


@pytest.fixture
def shipped(copied, monkeypatch):
    monkeypatch.setenv("FOXNAS_STUDIES", str(copied))
    return open_study(copied / "demo")


def said(page) -> str:
    return sentences(page).replace("\\", "")


def against(page, cost: str):
    [picker] = [w for w in page.get("button_group") if w.key == "front-cost"]
    return picker.set_value(cost).run()


def test_prices_choices_ties_and_chances_are_those_of_the_core(shipped):
    study = shipped
    page = run_page(PAGE, budget="0.06")
    assert not page.exception and not page.error
    predictors = fit_all(study.table(), targets=("accuracy", "latency_ms"))
    front = latency_front(*predictors.values())
    optimum, prices = front.within(0.06), front_prices(front)
    text = said(page)
    assert f"Optimum under 60 µs: subnet **{optimum.architecture.id}**" in text
    assert f"worth **{prices.at(0.06) / 1000:.3g} points per µs**" in text
    assert f"lies at **{1000 * front.costs[prices.knee]:.4g} µs**" in text
    found = calibrations(study.table(), study.optima(), list(predictors.values()), "latency_ms")
    chance = found["latency_ms"].chance(optimum.costs[0], 0.06)
    assert f"keeps 60 µs when measured with a chance of **{100 * chance:.0f} %**" in text
    assert "drawn 200 times" in text and "of resamples" in text
    assert "cannot be told from the optimum" in text and "not simultaneous" in text
    assert len(page.get("plotly_chart")) == 6
    assert len(page.get("download_button")) == 8


def test_the_budget_moves_everything(shipped):
    page = run_page(PAGE, budget="0.06")
    before = said(page)
    page.slider(key="budget").set_value(0.1).run()
    assert not page.exception and not page.error
    assert "Optimum under 100 µs" in said(page) and said(page) != before


def test_a_guarded_budget_is_searched_under_less_and_held_against_all_of_it(shipped):
    page = run_page(PAGE, budget="0.06", guard="0.95")
    assert not page.exception and not page.error
    text = said(page)
    assert "Optimum under 60 µs (searched under" in text
    chance = int(text.split("keeps 60 µs when measured with a chance of **")[1].split(" %")[0])
    assert chance >= 95


def test_parameters_and_macs_have_prices_of_their_own(shipped):
    page = against(run_page(PAGE), "parameters")
    assert not page.exception and not page.error
    assert "points per k parameters" in said(page)
    assert "predicts this cost exactly" in said(page)
    slider = page.slider(key="front-budget-parameters-k parameters")
    slider.set_value(10.0).run()
    assert "Optimum under 10 k parameters" in said(page)
    page.selectbox(key="front-unit-parameters").select("MB of fp32 weights").run()
    assert not page.exception and not page.error
    assert "Optimum under 0.04 MB" in said(page) and "points per MB" in said(page)
    page = against(page, "macs")
    assert not page.exception and not page.error
    assert "points per M MACs" in said(page) and "too hopeful of a searched one" in said(page)


def test_every_step_can_be_read(shipped):
    page = run_page(PAGE)
    [steps] = [w for w in page.get("button_group") if w.key == "steps"]

    def shown():
        [table] = [d.value for d in page.dataframe if "in words" in d.value]
        return table

    corners = shown()
    steps.set_value("Every step").run()
    assert not page.exception and not page.error
    assert len(shown()) > len(corners) and (shown()["blocks"] > 1).any()
    price = corners["price"].to_numpy()
    assert (np.diff(price) <= 0).all()


def test_a_tied_subnet_opens_in_what_if_beside_the_optimum(shipped):
    page = run_page(PAGE, budget="0.06")
    one = next(d.value for d in page.dataframe if "saves (%)" in d.value)
    cheapest = one.loc[one["saves (%)"].idxmax(), "id"]
    page.button(key="tied-what-if").click().run()
    page.switch_page("pages/2_What_if.py").run()
    assert not page.exception and not page.error
    opened = shipped.space.architecture(json.loads(page.query_params["architecture"]))
    assert opened.id == cheapest


def test_a_space_of_operations_has_a_front_too(cells):
    page = run_page(PAGE, study="cells")
    assert not page.exception and not page.error
    text = said(page)
    assert "is optimal in" in text and "edge" in text
    assert "too few to tell what searched subnets measure" in text


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


@pytest.mark.parametrize("dropped", ["accuracy", "everything"])
def test_what_is_missing_is_said(studies, dropped):
    demo = open_study(studies / "demo")
    new = create_study(studies / "new", demo.space, name="New")
    if dropped == "accuracy":
        frame = demo.table().frame
        kept = frame[["id", *demo.space.by_name, "latency_ms"]]
        new.add_table(table_from_frame(demo.space, kept))
    page = run_page(PAGE, study="new")
    assert not page.exception
    [error] = page.error
    assert "needs measured accuracies and a cost" in error.value


def test_a_damaged_table_is_one_sentence(studies):
    (studies / "demo" / "measurements.parquet").write_bytes(b"PAR1 nonsense")
    page = run_page(PAGE)
    assert not page.exception
    [error] = page.error
    assert "parquet" in error.value
