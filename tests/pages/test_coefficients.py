import json
import re

import pytest
from conftest import run_page, sentences

from foxnas_core.families import load_shipped
from foxnas_core.regression.features import forms_of
from foxnas_core.study import open_study

PAGE = "pages/1_Coefficients.py"


def panels(page) -> list[str]:
    return [title.value.replace("\\", "") for title in page.header]


FITS = "Fit and tests"


def part(name: str, **query):
    """The page with that part of it shown."""
    page = run_page(PAGE, **query)
    return page.segmented_control(key="effects-shown").set_value(name).run()


def test_intervals_come_first_and_one_part_is_shown_at_a_time(studies):
    page = run_page(PAGE)
    expected = {
        "Intervals": (["Every choice with its interval", "Input"], 2, 2),
        "Maps": ([f"{role} by stage and block" for role in ("Kernel", "Expand", "Depth")], 3, 3),
        "In words": (
            ["In plain words",
             *(f"Where a choice is worth more: {what}" for what in ("top-1 accuracy", "latency"))],
            0, 3,
        ),
        FITS: (
            ["Top-1 accuracy", "Latency", "Does a block matter at all?", "Terms of the regression"],
            0, 4,
        ),
    }  # fmt: skip
    for name, (titles, figures, tables) in expected.items():
        page.segmented_control(key="effects-shown").set_value(name).run()
        assert not page.exception and not page.error
        assert panels(page) == titles and "intervals span 0" in sentences(page)
        assert len(page.get("plotly_chart")) == figures
        assert len(page.get("download_button")) == len(page.dataframe) == tables
    assert "800 rows" in sentences(page)


def test_the_terms_are_those_of_the_fit(studies):
    from foxnas_core.regression import fit

    page = part(FITS)
    expected = fit(open_study(studies / "demo").table(), "accuracy").coefficients()
    shown = page.dataframe[-2].value
    assert shown["term"].tolist() == [
        term.replace("_", " ").replace("*", " × ") for term in expected["term"]
    ]
    assert shown["estimate"].tolist() == pytest.approx(
        expected["estimate"].tolist(), rel=1e-3, abs=1e-6
    )


@pytest.mark.parametrize("form", forms_of(load_shipped("foxnas-mini")))
def test_every_form_is_drawn(studies, form):
    page = part(FITS)
    before = sentences(page)
    page.selectbox(key="form").select(form).run()
    assert not page.exception and not page.error
    assert sentences(page) != before


@pytest.mark.parametrize("kind", ["simultaneous", "hc3", "bootstrap"])
def test_every_kind_of_interval_is_drawn_and_stands_in_the_address(studies, kind):
    page = part(FITS)
    before = page.dataframe[-2].value
    page.selectbox(key="intervals").select(kind).run()
    assert not page.exception and not page.error
    assert page.query_params["intervals"] == kind
    after = page.dataframe[-2].value
    assert after["estimate"].tolist() == before["estimate"].tolist()
    assert (after["high"] - after["low"]).tolist() != (before["high"] - before["low"]).tolist()


def test_effects_are_said_in_words(studies):
    page = part("In words")
    words, *others = [d.value for d in page.dataframe if "in words" in d.value]
    assert len(words) and words["in words"].str.contains(" instead of ").all()
    assert others and all(t["in words"].str.contains("pays|costs|is worth").all() for t in others)
    assert (words["in words"].str.contains("points per ms")).any()
    assert set(words["Top-1 accuracy stars"]) <= {"", "*", "**", "***"}


def test_effects_are_averages_first_and_the_forms_at_one_resolution_on_demand(studies):
    page = run_page(PAGE)
    said = sentences(page)
    assert "Averages over subnets drawn at random" in said
    assert "averaged over the resolutions" in said and "at the largest resolution" not in said
    page.selectbox(key="effects").select("form").run()
    page.selectbox(key="at").select("resolution 28").run()
    assert not page.exception and not page.error
    assert page.query_params["effects"] == "form" and page.query_params["at"] == "resolution 28"
    said = sentences(page)
    assert "By the regression's form, at resolution 28" in said
    page.selectbox(key="form").select("choice_counts").run()
    page.segmented_control(key="effects-shown").set_value("Maps").run()
    said = sentences(page)
    assert "accuracy and latency the form counts the blocks" in said and "one number" in said


def test_the_forms_are_compared_on_demand_with_the_reason(studies):
    page = part(FITS)
    page.toggle(key="compare-forms").set_value(True).run()
    assert not page.exception and not page.error
    assert {"Which form suits top-1 accuracy", "Which form suits latency"} <= set(panels(page))
    assert "nested cross" in sentences(page)


def test_a_link_and_form_from_the_address_are_taken_and_nonsense_left_aside(studies):
    page = part(FITS, form="per_layer", link="saturating", intervals="<b>no</b>")
    assert not page.exception and not page.error
    assert page.selectbox(key="form").value == "per_layer"
    assert "Fitted as saturating at" in sentences(page)
    assert page.selectbox(key="intervals").value == "ordinary"


def test_terms_can_be_shown_as_they_are_fitted(studies):
    from foxnas_core.regression import fit

    page = part(FITS, form="per_layer")
    page.toggle(key="as-fitted").set_value(True).run()
    expected = fit(open_study(studies / "demo").table(), "accuracy", "per_layer").estimates
    shown = page.dataframe[-2].value["estimate"]
    assert shown.tolist() == pytest.approx(expected.tolist(), rel=1e-3, abs=1e-6)


def test_int8_latency_can_be_chosen(studies):
    page = part(FITS)
    page.selectbox(key="latency").select("latency_ms:int8").run()
    assert not page.exception
    assert "Latency (int8)" in panels(page)
    assert page.query_params["latency"] == "latency_ms:int8"


def test_the_chosen_form_and_latency_hold_on_the_way_back(studies):
    page = run_page(PAGE)
    page.selectbox(key="latency").select("latency_ms:int8").run()
    page.selectbox(key="form").select("foxnas").run()
    page.switch_page("app.py").run()
    page.switch_page(PAGE).run()
    assert page.selectbox(key="latency").value == "latency_ms:int8"
    assert page.selectbox(key="form").value == "foxnas"


def test_one_target_that_can_not_be_fitted_leaves_the_other(studies):
    path = studies / "demo" / "measurements.parquet"
    study = open_study(studies / "demo")
    table = study.table()
    path.unlink()
    rows = table.frame[["accuracy", "latency_ms"]].assign(accuracy=90.0)
    study.append(table.architectures(), rows.to_dict("records"))
    page = run_page(PAGE)
    assert not page.exception
    [error] = page.error
    assert "same accuracy" in error.value
    assert "Every choice with its interval" in panels(page)


def test_too_few_rows_are_one_sentence_a_target(studies):
    path = studies / "demo" / "measurements.parquet"
    study = open_study(studies / "demo")
    table = study.table()
    path.unlink()
    rows = table.frame[["accuracy", "latency_ms"]].head(30)
    study.append(table.architectures()[:30], rows.to_dict("records"))
    page = run_page(PAGE)
    assert not page.exception
    told = [error.value for error in page.error]
    assert len(told) == 2
    assert all(re.search("too few.*measure|measure.*more", sentence) for sentence in told), told
    assert not page.get("plotly_chart")


def test_a_block_is_highlighted_here_and_on_other_pages(studies):
    def marked(page) -> list[int]:
        """Of each figure, the rings and frames."""
        figures = [json.loads(chart.proto.spec) for chart in page.get("plotly_chart")]
        return [
            sum(trace.get("name") == "s2b1" for trace in figure["data"])
            + sum(shape["line"].get("width") == 4 for shape in figure["layout"].get("shapes", ()))
            for figure in figures
        ]

    page = run_page("pages/1_Coefficients.py")
    assert not any(marked(page))
    page.selectbox(key="highlighted-block").select("s2b1").run()
    assert not page.exception and not page.error
    every, context = marked(page)
    assert context == 0 and every >= 10
    page.segmented_control(key="effects-shown").set_value("Maps").run()
    kernel, expand, depth = marked(page)
    assert kernel == expand == 2 and depth == 0
    assert page.query_params["block"] == "s2b1"
    other = run_page("pages/1_Coefficients.py?view=explanations", block="s2b1")
    assert not other.exception and not other.error
    assert other.selectbox(key="highlighted-block").value == "s2b1"
    assert marked(other)[0] == 2
    page.selectbox(key="highlighted-block").select("").run()
    assert not any(marked(page)) and "block" not in page.query_params


@pytest.mark.parametrize("block", ["no such", "<b>x</b>"])
def test_a_block_that_is_none_highlights_nothing(studies, block):
    page = run_page("pages/1_Coefficients.py", block=block)
    assert not page.exception and not page.error
    assert page.selectbox(key="highlighted-block").value == block
