import json

import numpy as np
import pandas as pd
import pytest
from conftest import REPOSITORY, run_page
from conftest import sentences as marked

from foxnas_core.study import create_study, open_study

PAGE = "pages/5_Diagnostics.py"
# What stands under each part of the page.
PARTS = {
    "Row by row": ["Predicted and measured", "Residuals", "Rows to look into"],
    "Errors and influence": ["Are errors normal? (QQ)", "Leverage and influence"],
    "Terms and form": ["Overlap of terms", "Does the form fit? (RESET and equal variance)"],
    "More rows": ["How many more rows?"],
}
FIRST = PARTS["Row by row"]


def panels(page) -> list[str]:
    return [title.value.replace("\\", "") for title in page.header]


def sentences(page) -> str:
    return marked(page).replace("\\", "")


def tables(page) -> list[pd.DataFrame]:
    return [frame.value for frame in page.dataframe]


def with_rows(studies, rows: pd.DataFrame, architectures) -> None:
    """Give the demo study this table instead of its own."""
    (studies / "demo" / "measurements.parquet").unlink()
    open_study(studies / "demo").append(architectures, rows.to_dict("records"))


def part(page, name: str):
    return page.segmented_control(key="diagnosed").set_value(name).run()


@pytest.mark.parametrize(("name", "charts"), list(zip(PARTS, (2, 2, 1, 1), strict=True)))
def test_every_panel_is_drawn_with_its_table(studies, name, charts):
    page = run_page(PAGE, diagnosed=name)
    assert not page.exception and not page.error
    assert panels(page) == PARTS[name]
    assert len(page.get("plotly_chart")) == charts
    assert len(page.dataframe) == len(PARTS[name])
    rows = "row" in [box.key for box in page.selectbox]  # of which every residual is offered
    assert len(page.get("download_button")) == len(PARTS[name]) + rows


def test_the_numbers_are_those_of_the_core(studies):
    from foxnas_core.diagnostics.diagnosis import diagnose
    from foxnas_core.diagnostics.residuals import offending_rows
    from foxnas_core.diagnostics.warnings import cautions
    from foxnas_core.regression import fit

    table = open_study(studies / "demo").table()
    predictor = fit(table, "accuracy")
    page = run_page(PAGE)
    offending = offending_rows(diagnose(predictor, table).residuals)
    assert tables(page)[2]["row"].tolist() == offending["row"].tolist()
    assert tables(page)[2]["cook"].tolist() == pytest.approx(offending["cook"].tolist(), rel=1e-2)
    said = [warning.value.replace("\\", "") for warning in page.warning]
    expected = [caution.sentence for caution in cautions(diagnose(predictor, table))]
    assert expected and said[: len(expected)] == expected
    assert f"R² {predictor.cv.r2:.3f}" in sentences(page)


@pytest.mark.parametrize("column", ["latency_ms:int8"])
def test_each_target_can_be_diagnosed(studies, column):
    page = run_page(PAGE)
    before = sentences(page)
    page.selectbox(key="target").select(column).run()
    assert not page.exception and not page.error
    assert panels(page) == FIRST and sentences(page) != before


def test_the_chosen_target_and_form_hold_over_pages(studies):
    page = run_page("pages/1_Coefficients.py")
    page.selectbox(key="form").select("foxnas").run()
    page.switch_page(PAGE).run()
    assert page.metric[0].value == "FOX-NAS, as published"
    assert "variance inflation factor above 10" in sentences(page)
    page.selectbox(key="target").select("latency_ms").run()
    page.switch_page("app.py").run()
    page.switch_page(PAGE).run()
    assert not page.exception and page.selectbox(key="target").value == "latency_ms"


def test_an_exact_fit_is_one_sentence(studies):
    page = run_page(PAGE)
    page.selectbox(key="target").select("parameters").run()
    assert not page.exception and not page.error
    [info] = page.info
    assert "are counted, not fitted" in info.value
    assert panels(page) == []


def test_an_offending_row_opens_in_what_if(studies):
    page = run_page(PAGE)
    frame = open_study(studies / "demo").table().frame
    row = tables(page)[2]["row"].iloc[3]
    page.selectbox(key="row").select(row).run()
    page.button(key="open-row").click().run()
    assert not page.exception
    assert page.title[0].value == "What-if"
    study = open_study(studies / "demo")
    opened = study.space.architecture(json.loads(page.query_params["architecture"]))
    assert opened.id == frame["id"].iloc[row - 1]


def test_the_chosen_subnet_is_held_against_the_measured_range(studies):
    largest = open_study(studies / "demo").space.extreme("largest")
    page = run_page(PAGE, architecture=json.dumps(largest.to_dict()), form="per_layer")
    [warning] = [w for w in page.warning if "above the largest measured value" in w.value]
    assert largest.id in warning.value
    assert "the one chosen in What-if" in sentences(page)
    page.selectbox(key="target").select("latency_ms").run()
    assert any("farther from the measured subnets" in w.value for w in page.warning)


@pytest.mark.parametrize(("share", "gains"), [(0.9, True), (0.96, False)])
def test_interactions_that_gain_are_warned_of(studies, monkeypatch, share, gains):
    from dataclasses import replace

    from pages.shared import cache

    kept = cache.Cached.kept

    def with_interactions(given, method, *arguments):
        if method.__name__ != "_predictor" or arguments[1] != "interactions":
            return kept(given, method, *arguments)
        plain = kept(given, method, arguments[0], "per_layer", "auto")
        return replace(plain, cv=replace(plain.cv, rmse=share * plain.cv.rmse))

    monkeypatch.setattr(cache.Cached, "kept", with_interactions)
    page = run_page(PAGE, form="per_layer")
    assert not page.exception and not page.error
    assert any("Interactions lower" in w.value for w in page.warning) == gains
    assert ("interactions that gain at most 5 %" in sentences(page)) == (not gains)


def test_a_sound_fit_says_what_was_checked(studies):
    from hand import noisy_table

    from foxnas_core.families import load_shipped

    space = load_shipped("foxnas-mini")
    table = noisy_table(space, 400, seed=1, noise=0.5)
    study = create_study(studies / "sound", space, name="Sound")
    study.append(
        table.architectures(),
        [{"cross_entropy": value} for value in table.values("accuracy")],
    )
    page = run_page(PAGE, study="sound", form="per_layer")
    assert not page.exception and not page.error and not page.warning
    [success] = page.success
    assert "No warning applies" in success.value and "condition number at most 30" in success.value
    # Without a latency there is no search whose find could be looked at.
    assert "measured range" not in success.value


def test_an_unordered_table_falls_back_to_a_form_it_can_have(studies):
    from foxnas_core.__main__ import main

    published = REPOSITORY.parent / "shared" / "data" / "foxnas_cpu_256.csv"
    if not published.exists():
        pytest.skip(f"{published} is not here")
    assert main(["import", str(published), "--study", str(studies / "published")]) == 0
    page = run_page(PAGE, study="published")
    assert not page.exception and not page.error
    assert panels(page) == FIRST


def test_large_tables_are_drawn_in_part_and_say_so(studies, monkeypatch):
    from foxnas_core.figures import diagnostics

    defaults = {"drawn_rows": (100,), "quantile_table": (100,)}
    for name, value in defaults.items():
        monkeypatch.setattr(getattr(diagnostics, name), "__defaults__", value)
    page = run_page(PAGE)
    assert not page.exception
    drawn = tables(page)[:2] + tables(part(page, "Errors and influence"))[:2]
    assert [len(table) for table in drawn] == [100] * 4
    assert "Drawn: 100 of 800 rows" in sentences(page)


def test_the_learning_curve_of_many_rows_waits_to_be_asked_for(studies):
    from hand import noisy_table

    from foxnas_core.families import load_shipped

    space = load_shipped("foxnas-mini")
    study = create_study(studies / "large", space, name="Large")
    table = noisy_table(space, 2500, seed=1)
    study.append(
        table.architectures(),
        [{"accuracy": value} for value in table.values("accuracy")],
    )
    page = run_page(PAGE, study="large", diagnosed="More rows")
    charts = len(page.get("plotly_chart"))
    assert not page.error and "would halve the intervals" not in sentences(page)
    page.toggle(key="curve").set_value(True).run()
    assert not page.exception and not page.error
    assert len(page.get("plotly_chart")) == charts + 1
    assert "would halve the intervals" in sentences(page)


def test_a_study_without_measurements_is_one_sentence(studies):
    (studies / "demo" / "measurements.parquet").unlink()
    page = run_page(PAGE)
    assert not page.exception
    [error] = page.error
    assert "no measurements yet" in error.value


def test_too_few_rows_are_one_sentence(studies):
    table = open_study(studies / "demo").table()
    rows = table.frame[["accuracy", "latency_ms"]].head(30)
    with_rows(studies, rows, table.architectures()[:30])
    page = run_page(PAGE)
    assert not page.exception
    [error] = page.error
    assert "too few" in error.value and "subnets more" in error.value
    assert not page.get("plotly_chart")


def test_few_rows_are_warned_of(studies):
    table = open_study(studies / "demo").table()
    rows = table.frame[["accuracy", "latency_ms"]].head(120)
    with_rows(studies, rows, table.architectures()[:120])
    page = run_page(PAGE, form="per_layer")
    assert not page.exception and not page.error
    assert any("120 rows for 54 parameters" in warning.value for warning in page.warning)


def test_a_constant_target_leaves_the_others(studies):
    table = open_study(studies / "demo").table()
    rows = table.frame[["accuracy", "latency_ms"]].assign(accuracy=90.0)
    with_rows(studies, rows, table.architectures())
    page = run_page(PAGE)
    assert not page.exception
    [error] = page.error
    assert "same accuracy" in error.value
    page.selectbox(key="target").select("latency_ms").run()
    assert not page.exception and not page.error
    assert panels(page) == FIRST


def test_rows_that_lack_the_target_keep_the_others_numbers(studies):
    table = open_study(studies / "demo").table()
    rows = table.frame[["accuracy", "latency_ms"]].copy()
    rows.loc[:9, "accuracy"] = np.nan
    kept = [
        {name: value for name, value in row.items() if not np.isnan(value)}
        for row in rows.to_dict("records")
    ]
    (studies / "demo" / "measurements.parquet").unlink()
    open_study(studies / "demo").append(table.architectures(), kept)
    page = run_page(PAGE)
    assert not page.exception and not page.error
    assert "Of 790 rows" in sentences(page)
    assert tables(page)[0]["row"].min() == 11


def test_a_damaged_table_is_one_sentence(studies):
    path = studies / "demo" / "measurements.parquet"
    path.write_bytes(path.read_bytes()[:1000])
    page = run_page(PAGE)
    assert not page.exception
    [error] = page.error
    assert "damaged" in error.value
