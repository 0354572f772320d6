import subprocess
import sys

import pytest
from conftest import REPOSITORY, run_page, sentences

from foxnas_core.families import load_shipped
from foxnas_core.storage import create_study

EVERY_PAGE = ["app.py", *sorted(f"pages/{p.name}" for p in (REPOSITORY / "pages").glob("*.py"))]


def test_the_study_is_told_with_its_reliability_and_its_best_subnet(studies):
    page = run_page("app.py")
    assert not page.exception and not page.error
    assert [m.value for m in page.metric] == ["foxnas\\-mini", "2.01 × 10¹⁰", "800", "none", "none"]
    said = sentences(page)
    assert "Reliability" in said and "exact optimum of the regression" in said
    assert "no supernet" in said  # the copy has no weights
    assert len(page.dataframe[0].value) == 10


def test_the_best_subnet_can_be_taken_to_what_if(studies):
    page = run_page("app.py")
    page.button(key="home-what-if").click().run()
    assert not page.exception


@pytest.mark.parametrize("name", EVERY_PAGE)
def test_every_page_says_one_sentence_about_an_empty_study(studies, name):
    create_study(studies / "empty", load_shipped("foxnas-mini"), name="Empty")
    page = run_page(name, study="empty")
    assert not page.exception
    assert "measure" in sentences(page)
    # An empty study can be told of, imported into, and handled as a whole.
    useful = ("app.py", "pages/8_Import.py", "pages/20_Studies.py")
    assert len(page.error) == (0 if name in useful else 1)


# These rest on weights, not on the table.
OF_WEIGHTS = ("pages/12_Trust.py", "pages/19_Handmade.py")


@pytest.mark.parametrize("name", [n for n in EVERY_PAGE if n not in OF_WEIGHTS])
def test_every_page_says_one_sentence_about_a_broken_table(studies, name):
    path = studies / "demo" / "measurements.parquet"
    path.write_bytes(path.read_bytes()[:5000])
    page = run_page(name)
    assert not page.exception
    assert len(page.error) == 1
    assert "measurements" in page.error[0].value and "Traceback" not in page.error[0].value


@pytest.mark.parametrize("name", EVERY_PAGE)
def test_every_page_says_one_sentence_about_a_broken_space(studies, name):
    (studies / "demo" / "space.json").write_text('{"format": 1, "name": "x"}')
    page = run_page(name)
    assert not page.exception
    assert len(page.error) == 1 and "space" in page.error[0].value


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


@pytest.mark.parametrize("name", ["app.py", *EVERY_PAGE[1:]])
def test_pages_do_not_load_torch(name):
    # Shapley values are among what one of them shows at once, and layers what another does.
    at_once = {
        "pages/6_Explanations.py": {"shap"},
        "pages/17_Model_graph.py": {"torch", "onnxruntime"},
    }
    allowed = at_once.get(name, set())
    code = (
        "import sys\nsys.path[:0] = ['.', 'tests']\nfrom conftest import run_page\n"
        f"page = run_page({name!r})\nassert not page.exception\nassert page.title\n"
        "heavy = {'torch', 'shap', 'interpret', 'onnxruntime'} & set(sys.modules)\n"
        f"assert heavy <= {allowed}, heavy"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr[-2000:]
