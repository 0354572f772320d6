import json

import numpy as np
import pytest
from conftest import run_page, sentences

from foxnas_core.study import create_study, open_study
from foxnas_core.table.latency_verdicts import FAILED, judge
from foxnas_core.table.measurements import table_from_frame

PAGE = "pages/14_Measurements.py"
QUALITY = f"{PAGE}?view=quality"


def titles(page) -> list[str]:
    return [t.value.replace("\\", "") for t in page.header if not t.divider]


def frame(page, key: str):
    """The table, whose rows can be chosen, of the panel of that key."""
    [found] = [f.value for f in page.dataframe if f.key == f"{key}-table"]
    return found


def metrics(page) -> dict[str, str]:
    return {m.label: m.value for m in page.metric}


def test_badges_spread_and_rows_of_the_shipped_study(studies):
    page = run_page(PAGE)
    assert not page.exception and not page.error
    assert titles(page) == [
        "Everything known of each", "Top-1 accuracy (%) over Latency (ms)",
        "Latency (ms) over MACs", "Those kept",
    ]  # fmt: skip
    assert len(page.get("plotly_chart")) == 3
    page = run_page(QUALITY)
    assert not page.exception and not page.error
    assert titles(page) == [
        "The table as a whole",
    ]
    table = open_study(studies / "demo").table()
    failed = judge(table, "latency_ms").count(FAILED)
    assert metrics(page)["Failed a check"] == str(failed)
    assert metrics(page)["Passed every check made"] == str(len(table) - failed)
    assert "Clock could not be checked for 800 of 800 rows" in sentences(page)
    assert "did not record the drift" not in sentences(page)
    assert len(page.get("plotly_chart")) == 1
    page.segmented_control(key="quality-shown").set_value("Rounds and drift").run()
    assert titles(page)[1:] == ["How far the rounds agree", "How the machine drifted"]
    page.segmented_control(key="quality-shown").set_value("The rows").run()
    page.segmented_control(key="badges").set_value(FAILED).run()
    assert not page.exception and not page.error
    listed = next(f.value for f in page.dataframe if "badge" in f.value)
    assert len(listed) == failed and set(listed["badge"]) == {FAILED}


def test_campaigns_without_drift_are_told(studies):
    table = open_study(studies / "demo").table()
    old = table.frame.drop(columns=[c for c in table.frame if c.startswith("drift_")])
    create_study(studies / "old", table.space, name="Old", table=table_from_frame(table.space, old))
    page = run_page(QUALITY, study="old")
    assert not page.exception and not page.error
    page.segmented_control(key="quality-shown").set_value("Rounds and drift").run()
    assert "did not record the drift" in sentences(page)


def test_the_coefficients_say_how_many_rows_were_left_out(studies):
    failed = judge(open_study(studies / "demo").table(), "latency_ms").count(FAILED)
    page = run_page("pages/1_Coefficients.py")
    page.segmented_control(key="effects-shown").set_value("Fit and tests").run()
    assert not page.exception and not page.error
    assert f"{failed} measured rows failed a check" in sentences(page)


@pytest.fixture
def recorded(studies):
    """The shipped study with ten more rows of a campaign that recorded everything."""
    study = open_study(studies / "demo")
    rng = np.random.default_rng(0)
    rows = [
        {"latency_ms": v, "low_latency_ms": 0.99 * v, "high_latency_ms": 1.02 * v,
         "minimum_latency_ms": 0.98 * v, "drift_latency_ms": 1.1, "drift_range_latency_ms": 0.03,
         "campaign": "search-1-new"}
        for v in rng.uniform(0.03, 0.1, 10)
    ]  # fmt: skip
    circumstances = {
        "runs": 400, "rounds": 5, "warm_up_runs": 40, "pinned": True, "governor": "performance",
        "memory": "not available on this device: the system does not tell",
    }  # fmt: skip
    study.append(study.space.sample(10, seed=9), rows, {"search-1-new": circumstances})
    return study


def test_a_campaign_alone_can_be_looked_at(recorded):
    page = run_page(QUALITY)
    page.selectbox(key="campaign").select("search-1-new").run()
    assert not page.exception and not page.error
    assert metrics(page)["Passed every check made"] == metrics(page)["Measured rows"] == "10"
    assert len(page.get("plotly_chart")) == 1
    assert "Memory: not available on the device that measured:" in sentences(page).replace("\\", "")
    page.selectbox(key="latency").select("latency_ms:int8").run()
    assert not page.exception and not page.error
    assert "No row of this campaign has this latency" in sentences(page)


def test_a_table_without_campaigns_or_ranges_is_unknown_and_says_what_is_missing(cells):
    page = run_page(QUALITY, study="cells")
    assert not page.exception and not page.error
    assert metrics(page)["Nothing to check by"] == "120"
    page.segmented_control(key="quality-shown").set_value("Rounds and drift").run()
    assert "no range of rounds" in sentences(page)


def test_filters_and_the_brush_keep_the_same_subnets_everywhere(studies):
    table = open_study(studies / "demo").table()
    page = run_page(PAGE)
    assert len(frame(page, "kept")) == np.isfinite(table.values("latency_ms")).sum()
    page.toggle(key="feasible").set_value(True).run()
    page.slider(key="budget").set_value(0.04).run()
    page.select_slider(key="only-resolution").set_value((18, 28)).run()
    scope, brushed = ("demo", "latency_ms"), table.frame["accuracy"].quantile([0.3, 0.7]).tolist()
    page.session_state["remembered-brush"] = (scope, {"accuracy": [tuple(brushed)]})
    page.run()
    assert not page.exception and not page.error
    kept = frame(page, "kept")
    resolution = table.frame["resolution"].astype(int)
    wanted = (
        (table.frame["latency_ms"] <= 0.04)
        & resolution.between(18, 28)
        & table.frame["accuracy"].between(*brushed)
    )
    assert set(kept["id"]) == set(table.frame["id"][wanted]) and len(kept) == wanted.sum() > 5
    assert f"{len(kept)} of " in sentences(page)
    page.button(key="no-brush").click().run()
    assert len(frame(page, "kept")) > len(kept)


def test_a_subnet_is_highlighted_in_every_figure_and_on_other_pages(studies):
    subnet = open_study(studies / "demo").table().frame["id"].iloc[7]

    def rings(page) -> list[int]:
        figures = [json.loads(c.proto.spec) for c in page.get("plotly_chart")]
        return [sum(t.get("name") == subnet for t in f["data"]) for f in figures]

    page = run_page(PAGE, subnet=subnet)
    assert not page.exception and not page.error
    assert rings(page) == [1, 1, 1]
    assert f"Highlighted here and on the other pages: {subnet}" in sentences(page)
    assert sum(rings(run_page("pages/5_Diagnostics.py", subnet=subnet))) == 2
    explained = run_page(PAGE, subnet=subnet).button(key="explain-subnet").click().run()
    assert not explained.exception and not explained.error
    assert explained.title[0].value == "What-if" and f"Subnet **{subnet}**" in sentences(explained)
    page.button(key="no-subnet").click().run()
    assert sum(rings(page)) == 0 and "subnet" not in page.query_params


@pytest.mark.parametrize("subnet", ["no such", "<b>", "%s"])
def test_a_subnet_that_is_none_is_told(studies, subnet):
    page = run_page(PAGE, subnet=subnet)
    assert not page.exception and not page.error
    assert "is none of these subnets" in sentences(page)


def test_operations_have_an_axis_each_beside_what_was_measured(cells):
    page = run_page(PAGE, study="cells")
    assert not page.exception and not page.error
    counted = [f"operation {name}" for name in cells.space.decisions[0].choices]
    assert list(frame(page, "kept").columns) == ["row", "id", *counted, "accuracy", "latency_ms"]
