import pytest
from conftest import run_page, sentences

PAGE = "pages/1_Coefficients.py"


def test_accuracy_and_latency_stand_side_by_side(studies):
    page = run_page(PAGE)
    assert not page.exception and not page.error
    assert [h.value for h in page.header] == ["Top-1 accuracy", "Latency"]
    said = sentences(page)
    assert "660 rows" in said and "intervals span 0" in said
    # Three heatmaps and one interval plot for each of the two.
    assert len(page.get("plotly_chart")) == 8


def test_every_panel_offers_its_table(studies):
    page = run_page(PAGE)
    assert len(page.get("download_button")) == len(page.get("plotly_chart"))


@pytest.mark.parametrize("form", ["per_layer", "foxnas"])
def test_another_form_gives_other_coefficients(studies, form):
    page = run_page(PAGE)
    before = sentences(page)
    page.selectbox(key="form").select(form).run()
    assert not page.exception and not page.error
    assert sentences(page) != before


def test_int8_latency_can_be_chosen(studies):
    page = run_page(PAGE)
    page.selectbox(key="latency").select("latency_ms:int8").run()
    assert not page.exception
    assert page.header[1].value == "Latency (int8)"


def test_a_form_that_the_rows_can_not_carry_is_one_sentence(studies):
    import pandas as pd

    path = studies / "demo" / "measurements.parquet"
    from foxnas_core.storage import open_study

    table = open_study(studies / "demo").table()
    few = table.frame.head(30).drop(columns="id")
    path.unlink()
    study = open_study(studies / "demo")
    study.append(
        table.architectures()[:30],
        few[["accuracy", "latency_ms"]].to_dict("records"),
    )
    assert isinstance(few, pd.DataFrame)
    page = run_page(PAGE)
    assert not page.exception
    assert len(page.error) == 2 and all("row" in e.value for e in page.error)
