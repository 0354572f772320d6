import json

import pytest
from conftest import run_page, sentences

from foxnas_core.storage import open_study

PAGE = "pages/2_What_if.py"


def metrics(page) -> dict[str, str]:
    return {m.label: m.value for m in page.metric}


def choose(page, decision: str, value):
    [widget] = [w for w in page.get("button_group") if w.key == f"edit-{decision}"]
    widget.set_value(value).run()
    return page


def edits(page) -> list[str]:
    """The rows of the table of edits of accuracy."""
    return page.dataframe[0].value["edit"].tolist()


def chosen(page, decision: str):
    [widget] = [w for w in page.get("button_group") if w.key == f"edit-{decision}"]
    return widget.value


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


def test_an_edit_moves_the_predictions_and_says_what_it_costs(studies):
    from foxnas_core.explanation.edits import edit_effects
    from foxnas_core.regression import fit

    study = open_study(studies / "demo")
    page = choose(run_page(PAGE, architecture=link(studies)), "s1b1_kernel", 7)
    assert not page.exception and not page.error
    predictor = fit(study.table(), "accuracy")
    before = study.space.extreme("smallest")
    after = study.space.architecture({**before.to_dict(), "s1b1_kernel": 7})
    effects = edit_effects(predictor, before, after)
    assert edits(page) == ["s1b1_kernel 3 → 7", "together"]
    assert page.dataframe[0].value["effect"].tolist() == pytest.approx(
        [effects.total] * 2, abs=1e-3
    )
    accuracy = page.metric[0]
    assert float(accuracy.value) == pytest.approx(predictor.predict([after])["value"][0], abs=0.005)
    assert float(accuracy.delta) == pytest.approx(effects.total, abs=0.005)
    assert json.loads(page.query_params["architecture"]) == after.to_dict()


def test_more_depth_opens_a_block_and_less_closes_it(studies):
    page = run_page(PAGE, architecture=link(studies))
    assert "s1b2: off" in sentences(page)
    choose(page, "s1_depth", 2)
    assert "s1b2: off" not in sentences(page)
    assert chosen(page, "s1b2_kernel") == 3
    choose(page, "s1_depth", 1)
    assert "s1b2: off" in sentences(page) and "Nothing yet" in sentences(page)


def test_edits_are_held_against_the_start(studies):
    page = run_page(PAGE, architecture=link(studies))
    choose(page, "s1b1_kernel", 7)
    choose(page, "s2b1_expand", 4)
    assert edits(page) == ["s1b1_kernel 3 → 7", "s2b1_expand 1 → 4", "together"]
    page.button(key="pick-largest").click().run()
    assert "Nothing yet" in sentences(page)
    assert chosen(page, "s1_depth") == 3


def test_the_budget_picks_the_best_within_it(studies):
    page = run_page(PAGE)
    slider = page.slider(key="budget")
    slider.set_value(slider.min).run()
    assert not page.exception and not page.error
    assert float(metrics(page)["Latency (ms)"]) <= slider.min
    assert "Nothing yet" in sentences(page)


def test_a_budget_that_nothing_meets_is_one_sentence(studies):
    page = run_page(PAGE, budget="0.000001")
    assert not page.exception
    [error] = page.error
    assert "smallest that can be reached" in error.value
    page.slider(key="budget").set_value(0.05).run()
    assert not page.error and metrics(page)


def test_a_measured_subnet_can_be_the_start(studies):
    page = run_page(PAGE)
    picker = page.selectbox(key="pick-measured")
    assert len(picker.options) == 800
    frame = open_study(studies / "demo").table().frame
    best = frame.loc[frame["accuracy"].idxmax(), "id"]
    picker.select(best).run()
    assert not page.exception
    assert page.selectbox(key="pick-measured").value == best
    study = open_study(studies / "demo")
    now = study.space.architecture(json.loads(page.query_params["architecture"]))
    assert now.id == best


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("{", "no valid JSON"), ('{"resolution": 29}', "'resolution' is 29"), ("[1]", "JSON object")],
)
def test_pasted_json_is_checked(studies, text, sentence):
    page = run_page(PAGE)
    before = metrics(page)
    page.text_area(key="pasted").set_value(text)
    page.button(key="use-pasted").click().run()
    assert not page.exception
    assert sentence in page.error[0].value.replace("\\", "")
    assert metrics(page) == before


def test_pasted_json_becomes_the_start(studies):
    page = run_page(PAGE)
    page.text_area(key="pasted").set_value(link(studies, s1b1_kernel=5))
    page.button(key="use-pasted").click().run()
    assert not page.exception and not page.error
    assert chosen(page, "s1b1_kernel") == 5 and "Nothing yet" in sentences(page)


def test_a_space_of_listed_operations(cells):
    for name in ("app.py", "pages/1_Coefficients.py", PAGE):
        page = run_page(name, study="cells")
        assert not page.exception and not page.error and not page.warning, name
    page.selectbox(key="edit-edge2").select("none").run()
    assert not page.exception
    assert json.loads(page.query_params["architecture"])["edge2"] == "none"


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
        "pages/6_Explanations.py",
    ):
        page = run_page(name, study="published")
        assert not page.exception and not page.error, (name, [e.value for e in page.error])
