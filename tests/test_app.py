import numpy as np
import pytest
from conftest import run_page, sentences
from places import PLACES

from foxnas_core.families import load_shipped
from foxnas_core.study import create_study, open_study
from foxnas_core.table.measurements import table_from_frame
from foxnas_core.table.metrics import metric_of


def test_the_best_subnet_stands_there_with_its_reasons_before_any_click(studies):
    page = run_page("app.py")
    assert not page.exception and not page.error
    accuracy, latency, *facts = page.metric
    assert [accuracy.label, latency.label] == ["Top-1 accuracy (%)", "Latency (ms)"]
    assert [m.value for m in facts] == ["foxnas\\-mini", "2.01 × 10¹⁰", "800", "none", "none"]
    said = sentences(page)
    assert "exact optimum" in said and "Most top" in said and " measurements; " in said
    assert "Reliability" in said
    assert "no supernet" in said  # the copy has no weights
    *_, reasons, fits = [element.value for element in page.dataframe]
    assert reasons["why"].str.contains("worth it|no clear effect|and faster|and slower").any()
    assert len(fits) == 10


def test_another_budget_has_another_answer(studies):
    page = run_page("app.py")
    before = [m.value for m in page.metric]
    page.slider(key="budget").set_value(0.04).run()
    assert not page.exception and not page.error
    after = [m.value for m in page.metric]
    assert float(after[0]) < float(before[0]) and float(after[1]) < 0.05
    assert after[2:] == before[2:]


def test_a_budget_that_none_keeps_says_so_and_leaves_the_rest(studies):
    page = run_page("app.py", budget="0.0001")
    assert not page.exception
    assert len(page.error) == 1 and "raise the budget" in page.error[0].value
    assert len(page.metric) == 5 and len(page.dataframe) == 1


def test_a_study_of_listed_operations_has_an_answer_too(cells):
    page = run_page("app.py", study="cells")
    assert not page.exception and not page.error
    assert "edge" in page.dataframe[0].value["row"].iloc[0]
    assert "Most top" in sentences(page)


@pytest.mark.parametrize("column", ["accuracy", "latency_ms"])
def test_without_accuracy_or_latency_there_is_no_answer_but_a_sentence(cells, column):
    frame = cells.table().frame.drop(columns=column)
    table = table_from_frame(cells.space, frame)
    create_study(cells.folder.parent / "half", cells.space, name="Half", table=table)
    page = run_page("app.py", study="half")
    assert not page.exception and not page.error
    assert f"A search needs {metric_of(column).word} measured" in sentences(page)
    assert len(page.dataframe[0].value) == 1  # the other is fitted all the same


def test_too_few_rows_to_fit_are_told(cells):
    few = cells.table().rows(np.arange(120) < 3)
    create_study(cells.folder.parent / "few", cells.space, name="Few", table=few)
    page = run_page("app.py", study="few")
    assert not page.exception and not page.error
    [warning] = page.warning
    assert "are too few for a regression" in warning.value and len(page.metric) == 5
    assert "Further targets that are not fitted: 1" in [part.label for part in page.expander]


def test_too_few_rows_are_told_once_beside_what_is_counted(studies):
    demo = open_study(studies / "demo")
    few = demo.table().rows(np.arange(len(demo.table())) < 20)
    create_study(studies / "few", demo.space, name="Few", table=few)
    page = run_page("app.py", study="few")
    assert not page.exception and not page.error
    assert sentences(page).count("accuracy are too few for a regression") == 1
    assert "Parameters" in page.dataframe[0].value["target"].tolist()


def test_the_best_subnet_can_be_taken_to_what_if(studies):
    page = run_page("app.py")
    page.button(key="home-what-if").click().run()
    assert not page.exception


@pytest.mark.parametrize("name", PLACES)
def test_every_page_says_one_sentence_about_an_empty_study(studies, name):
    create_study(studies / "empty", load_shipped("foxnas-mini"), name="Empty")
    page = run_page(name, study="empty")
    assert not page.exception
    assert "measure" in sentences(page) or name in OF_NO_TABLE
    # An empty study can be told of, imported into, and handled as a whole.
    useful = ("app.py", "pages/20_Studies.py")
    if name.partition("?")[0] in useful:
        assert not page.error
    else:
        assert len(page.error or page.info) == 1


# These rest on weights, not on the table.
OF_WEIGHTS = ("pages/12_Trust.py?view=ranking", "pages/7_Devices.py?view=handmade")
# These on what is beside the study, or was kept with it.
OF_NO_TABLE = (
    "pages/3_Search.py?view=kept",
    "pages/20_Studies.py?view=bring",
    "pages/20_Studies.py?view=trash",
    *(place for place in PLACES if place.startswith("pages/21_Select.py")),
)


@pytest.mark.parametrize("name", [n for n in PLACES if n not in OF_WEIGHTS + OF_NO_TABLE])
def test_every_page_says_one_sentence_about_a_broken_table(studies, name):
    path = studies / "demo" / "measurements.parquet"
    path.write_bytes(path.read_bytes()[:5000])
    page = run_page(name)
    assert not page.exception
    assert len(page.error) == 1
    assert "measurements" in page.error[0].value and "Traceback" not in page.error[0].value


@pytest.mark.parametrize("name", PLACES)
def test_every_page_says_one_sentence_about_a_broken_space(studies, name):
    (studies / "demo" / "space.json").write_text('{"format": 1, "name": "x"}')
    page = run_page(name)
    assert not page.exception
    assert len(page.error) == 1 and "space" in page.error[0].value


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("http://x.org/abc?study=demo", "'abc'"),
        ("http://x.org/a%20b", "'a b'"),
        ("http://x.org", ""),
    ],
)
def test_an_unknown_page_is_answered_in_a_sentence(studies, url, asked):
    page = run_page("app.py")
    page.context["url"] = url
    told = [warning.value for warning in page.run().warning]
    assert [asked in sentence and "no page" in sentence for sentence in told] == [True] * bool(
        asked
    )


def test_no_study_at_all_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("FOXNAS_STUDIES", str(tmp_path))
    page = run_page("app.py")
    assert not page.exception
    assert "import" in page.error[0].value


@pytest.mark.parametrize("study", ["../demo", "/etc", "none", "<b>x</b>"])
def test_only_listed_studies_are_opened(studies, study):
    page = run_page("app.py", study=study)
    assert not page.exception
    assert page.selectbox(key="study").value == "demo"
    assert "There is no study" in page.warning[0].value
