import shutil

import pytest
from conftest import DEMO, run_page, sentences

from foxnas_core import methods
from foxnas_core.methods import CompleteTable

PAGE = "pages/21_Select.py"


def said(page) -> str:
    assert not page.exception and not page.error
    return sentences(page).replace("\\", "")


@pytest.fixture
def weights(studies):
    shutil.copy(DEMO / "supernet.safetensors", studies / "demo")


@pytest.fixture
def registered(monkeypatch):
    """A method that selects by a supernet; it asks the table, which it needs to be complete."""

    class Own(CompleteTable):
        name, title, on_supernet = "own", "A method of one's own", True

    monkeypatch.setattr(methods, "_methods", {"own": Own()})


def test_without_a_supernet_it_says_how_to_get_one(studies, registered):
    assert "train one with" in said(run_page(PAGE))


def test_it_says_what_each_method_needs(studies):
    page = run_page(PAGE)
    [table] = [d.value for d in page.dataframe if "method" in d.value]
    told = dict(zip(table["short name"], table["in words"], strict=True))
    assert told["regression"] == "Can run on this study." and "table" in told
    assert "of" in said(page) and "methods can run on this study" in said(page)


def test_a_method_has_its_view_which_says_what_it_needs(weights, registered):
    page = run_page(PAGE)
    [control] = [group for group in page.get("button_group") if group.key == "view"]
    assert control.value == "own"
    assert page.query_params["view"] in ("own", ["own"])
    assert "take the method 'regression'" in said(page) and not page.code


def test_a_method_that_can_run_is_named_with_its_command(weights, registered, studies, monkeypatch):
    monkeypatch.setattr(CompleteTable, "lacks", lambda self, study, question=None: None)
    page = run_page(PAGE)
    assert "A method of one's own can run" in said(page)
    assert "/demo --method own" in page.code[0].value
