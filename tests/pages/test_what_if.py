import json

import pytest
from conftest import run_page, sentences

from foxnas_core.storage import open_study

PAGE = "pages/2_What_if.py"


def metrics(page) -> dict[str, str]:
    return {m.label: m.value for m in page.metric}


def key_of(page, decision: str) -> str:
    [key] = [
        w.key for w in page.get("button_group") if w.key and w.key.startswith(f"edit-{decision}-")
    ]
    return key


def choose(page, decision: str, value):
    [widget] = [w for w in page.get("button_group") if w.key == key_of(page, decision)]
    widget.set_value([value]).run()
    return page


def link(studies, which="smallest", **changes) -> str:
    space = open_study(studies / "demo").space
    choices = {d.name: d.choices[0] for d in space.decisions} | changes
    return json.dumps(space.architecture(choices).to_dict())


def test_it_starts_from_the_best_under_the_budget(studies):
    page = run_page(PAGE)
    assert not page.exception and not page.error
    assert set(metrics(page)) >= {"Top-1 accuracy (%)", "Latency (ms)", "Latency (int8) (ms)"}
    assert "Nothing yet" in sentences(page)


def test_a_link_opens_its_architecture(studies):
    page = run_page(PAGE, architecture=link(studies))
    assert not page.exception
    best = run_page(PAGE)
    assert float(metrics(page)["Top-1 accuracy (%)"]) < float(metrics(best)["Top-1 accuracy (%)"])


def test_predictions_are_those_of_the_core(studies):
    from foxnas_core.regression import fit

    study = open_study(studies / "demo")
    page = run_page(PAGE, architecture=link(studies))
    predicted = fit(study.table(), "accuracy").predict([study.space.extreme("smallest")])
    assert metrics(page)["Top-1 accuracy (%)"] == f"{predicted['value'].iloc[0]:.2f}"


@pytest.mark.parametrize("button", ["pick-largest", "pick-smallest", "pick-best"])
def test_buttons_choose_the_start(studies, button):
    page = run_page(PAGE, architecture=link(studies, resolution=18))
    before = metrics(page)
    page.button(key=button).click().run()
    assert not page.exception
    assert metrics(page) != before


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"resolution": 28}', "nonsense", '{"resolution": 29}']
)
def test_a_broken_link_is_left_aside_with_a_sentence(studies, text):
    page = run_page(PAGE, architecture=text)
    assert not page.exception and not page.error
    assert len(page.warning) == (1 if text else 0)
    assert metrics(page)


def test_shapley_values_are_shown_when_asked_for(studies):
    page = run_page(PAGE)
    charts = len(page.get("plotly_chart"))
    page.toggle(key="shapley").set_value(True).run()
    assert not page.exception and not page.error
    assert len(page.get("plotly_chart")) == charts + 2


def test_a_published_table_without_order_or_resolution(studies):
    from conftest import REPOSITORY

    from foxnas_core.__main__ import main

    published = REPOSITORY.parent / "shared" / "data" / "foxnas_cpu_256.csv"
    if not published.exists():
        pytest.skip(f"{published} is not here")
    assert main(["import", str(published), "--study", str(studies / "published")]) == 0
    for name in (
        "app.py",
        "pages/1_Coefficients.py",
        PAGE,
        "pages/3_Search.py",
        "pages/4_Export.py",
    ):
        page = run_page(name, study="published")
        assert not page.exception and not page.error, (name, [e.value for e in page.error])
