import json

import numpy as np
import pandas as pd
import pytest
from conftest import run_page, sentences

from foxnas_core.cards import machine
from foxnas_core.families import load_shipped
from foxnas_core.study import Study, create_study, open_study
from pages.shared.verifications import Verification

PAGE = "pages/1_Coefficients.py?view=explanations"


def panels(page) -> list[str]:
    return [title.value for title in page.header]


def table_with(page, *columns: str) -> pd.DataFrame:
    [found] = [d.value for d in page.dataframe if [*d.value.columns] == [*columns]]
    return found


def scope(page, name: str):
    [control] = [w for w in page.get("button_group") if w.key == "explained-scope"]
    return control.set_value(name).run()


def part(page, name: str):
    return page.segmented_control(key="explained-part").set_value(name).run()


def remeasured(studies, rows: int, **targets) -> Study:
    """The demo's study with its first rows only, and some targets replaced."""
    study = open_study(studies / "demo")
    table = study.table()
    (studies / "demo" / "measurements.parquet").unlink()
    kept = table.frame[["accuracy", "latency_ms"]].head(rows).assign(**targets)
    study.append(table.architectures()[:rows], kept.to_dict("records"))
    return study


def test_the_space_is_explained_by_the_quick_lenses_at_once(studies):
    page = run_page(PAGE)
    assert not page.exception and not page.error
    assert panels(page) == ["Blocks by lens", "Agreement", "Shapley values"]
    said = sentences(page).replace("\\", "")
    assert "Not computed yet: permutation importance and the second opinion" in said
    assert "Kendall's tau" in said
    assert not page.info and not page.get("doc_string")
    assert len(page.get("plotly_chart")) == 3
    assert len(page.get("download_button")) == len(page.dataframe) == 3
    part(page, "Coefficients and permutation")
    assert panels(page)[2:] == ["Regression coefficients", "Permutation importance"]
    assert len(page.info) == 1
    part(page, "Partial dependence")
    assert not page.exception and panels(page)[2:] == ["Partial dependence"]


def test_values_are_those_of_the_core(studies):
    from foxnas_core.explanation.shapley import block_shapley
    from foxnas_core.regression import fit

    table = open_study(studies / "demo").table()
    every = table.architectures()
    expected = block_shapley(
        fit(table, "accuracy"), architectures=every, background=every
    ).importance()
    page = run_page(PAGE)
    shown = table_with(page, "block", "lens", "value", "low", "high", "rank")
    own = shown[shown["lens"] == "Shapley values"].set_index("block")["value"]
    np.testing.assert_allclose(own[expected.index], expected, rtol=1e-3)
    swarm = table_with(page, "id", "block", "value", "state")
    assert len(swarm) == 800 * len(expected)


def test_the_slower_lenses_come_when_they_are_switched_on(studies):
    page = run_page(PAGE, **{"explained-part": "Second opinion"})
    page.toggle(key="lens-permutation").set_value(True).run()
    assert not page.exception and not page.error and len(page.info) == 1
    assert "Not computed yet: the second opinion." in sentences(page).replace("\\", "")
    assert len(table_with(page, "first", "second", "kendall", "spearman")) == 3
    page.toggle(key="lens-second-opinion").set_value(True).run()
    assert not page.exception and not page.error and not page.info
    assert panels(page)[-2:] == ["Interactions", "What the trees would choose"]
    said = sentences(page)
    # Which of two errors that are equal to two places is smaller hangs on the machine.
    assert "Not computed yet" not in said and "error than the regression's" in said
    agreement = table_with(page, "first", "second", "kendall", "spearman")
    assert len(agreement) == 6
    assert agreement["kendall"].min() > 0.7
    pairs = table_with(page, "pair", "where", "strength", "in a sum over stages")
    assert len(pairs) == 10
    # They hold when one comes back, and explain one subnet from the same fit.
    page.switch_page("app.py").run()
    page.switch_page(PAGE.partition("?")[0]).run()
    assert page.toggle(key="lens-second-opinion").value and not page.info
    scope(page, "One subnet")
    assert not page.exception and not page.error and not page.info
    lenses = table_with(page, "block", "lens", "value", "low", "high", "rank")
    assert set(lenses["lens"]) == {
        "coefficients", "Shapley values", "partial dependence", "second opinion",
    }  # fmt: skip


def test_what_both_find_is_measured_where_that_can_be_done(studies, monkeypatch):
    begun = []

    class Noted(Verification):
        def _work(self) -> None:
            begun.append(self.finds)

    monkeypatch.setattr(machine, "can_measure", lambda given: None)
    monkeypatch.setattr("pages.views.coefficients.explanations.Verification", Noted)
    page = run_page(PAGE, **{"explained-part": "Second opinion"})
    page.toggle(key="lens-second-opinion").set_value(True).run()
    page.button(key="measure-finds").click().run()
    assert not page.exception and not page.error
    [finds] = begun
    [found] = [d.value for d in page.dataframe if "found by" in d.value]
    assert [own.id for own in finds.values()] == found["subnet"].tolist()
    assert set(finds) == {"regression", "trees"}


def test_one_subnet_is_explained_by_a_waterfall(studies):
    from foxnas_core.explanation.shapley import block_shapley
    from foxnas_core.regression import fit

    study = open_study(studies / "demo")
    smallest = study.space.extreme("smallest")
    page = run_page(PAGE, architecture=json.dumps(smallest.to_dict()))
    scope(page, "One subnet")
    assert not page.exception and not page.error
    assert panels(page) == ["Blocks by lens", "Agreement", "Shapley values"]
    table = study.table()
    predictor = fit(table, "accuracy")
    found = block_shapley(
        predictor, architectures=[smallest], background=table.architectures()
    ).values.iloc[0]
    shown = table_with(page, "what", "effect").set_index("what")["effect"]
    np.testing.assert_allclose(shown[found.index], found, rtol=1e-3, atol=1e-6)
    value = predictor.predict([smallest])["value"].iloc[0]
    assert f"{value:.2f} %" in sentences(page).replace("\\", "")
    page.button(key="pick-largest").click().run()
    assert not page.exception
    assert (table_with(page, "what", "effect").set_index("what")["effect"] > shown).any()
    part(page, "Coefficients and dependence")
    assert panels(page)[2:] == ["Regression coefficients", "Partial dependence"]


@pytest.mark.parametrize("column", ["latency_ms", "latency_ms:int8"])
def test_a_latency_can_be_explained(studies, column):
    page = run_page(PAGE)
    page.selectbox(key="explained-target").select(column).run()
    assert not page.exception and not page.error
    assert "have the same values here" not in sentences(page)
    scope(page, "One subnet")
    assert not page.exception and not page.error
    assert page.selectbox(key="explained-target").value == column


def test_the_swarm_can_be_coloured_by_another_choice(studies):
    page = run_page(PAGE)
    [control] = [w for w in page.get("button_group") if w.key == "role"]
    control.set_value("expand").run()
    assert not page.exception
    states = set(table_with(page, "id", "block", "value", "state")["state"])
    assert "expand 4" in states and "kernel 7" not in states


def test_too_few_rows_are_one_sentence(studies):
    remeasured(studies, 20)
    page = run_page(PAGE)
    assert not page.exception
    [error] = page.error
    assert "smallest form" in error.value and "measure 16 subnets more" in error.value


def test_a_constant_accuracy_is_one_sentence_and_leaves_the_latency(studies):
    remeasured(studies, 800, accuracy=90.0)
    page = run_page(PAGE)
    assert not page.exception
    [error] = page.error
    assert "nothing to explain" in error.value
    page.selectbox(key="explained-target").select("latency_ms").run()
    assert not page.exception and not page.error


def test_a_study_without_measurements_says_what_to_do(studies):
    create_study(studies / "empty", load_shipped("foxnas-mini"), name="Empty")
    page = run_page(PAGE, study="empty")
    assert not page.exception
    [error] = page.error
    assert "measure" in error.value


def test_a_study_without_latency_explains_the_largest_subnet(studies):
    study = open_study(studies / "demo")
    table = study.table()
    (studies / "demo" / "measurements.parquet").unlink()
    study.append(table.architectures(), table.frame[["accuracy"]].to_dict("records"))
    page = scope(run_page(PAGE), "One subnet")
    assert not page.exception and not page.error
    assert "the largest subnet" in sentences(page)


def test_a_space_of_listed_operations(cells):
    page = run_page(PAGE, study="cells")
    # Lenses that are the same by definition are shown once, and one alone agrees with none.
    assert "are shown once" in sentences(page)
    assert "one lens so far" in "".join(info.value for info in page.info)
    assert page.segmented_control(key="explained-part").options == [
        "Shapley values", "Partial dependence", "Permutation", "Second opinion", "Near the budget",
    ]  # fmt: skip
    page.toggle(key="lens-permutation").set_value(True).run()
    assert not page.exception and not page.error
    assert len(table_with(page, "first", "second", "kendall", "spearman")) == 1
    scope(page, "One subnet")
    assert not page.exception and not page.error
    assert len(page.segmented_control(key="explained-part").options) == 3


def test_what_matters_near_the_budget_is_told_on_demand(studies):
    page = run_page(PAGE, **{"explained-part": "Near the budget"})
    assert not page.exception and not page.error
    assert panels(page)[-1] == "What matters near the budget"
    assert "against" in sentences(page) and "over the whole space" in sentences(page)
    shown = table_with(page, "decision", "share", "low", "high", "everywhere")
    assert (shown["low"] <= shown["share"]).all() and (shown["share"] <= shown["high"]).all()
