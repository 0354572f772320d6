import numpy as np
import pytest
from conftest import run_page, sentences

from foxnas_core.badges import FAILED, judge
from foxnas_core.storage import create_study, open_study
from foxnas_core.table import table_from_frame

PAGE = "pages/14_Measurements.py"


def titles(page) -> list[str]:
    return [t.value for t in page.subheader]


def metrics(page) -> dict[str, str]:
    return {m.label: m.value for m in page.metric}


def test_badges_spread_and_rows_of_the_shipped_study(studies):
    page = run_page(PAGE)
    assert not page.exception and not page.error
    assert titles(page) == [
        "What was checked", "How far the rounds agree", "How the machine drifted", "The rows",
    ]  # fmt: skip
    table = open_study(studies / "demo").table()
    failed = judge(table, "latency_ms").count(FAILED)
    assert metrics(page)["Failed a check"] == str(failed)
    assert "did not record the drift" not in sentences(page)
    assert len(page.get("plotly_chart")) == 3
    page.segmented_control(key="badges").set_value(FAILED).run()
    assert not page.exception and not page.error
    listed = page.dataframe[-1].value
    assert len(listed) == failed and set(listed["badge"]) == {FAILED}


def test_campaigns_without_drift_are_told(studies):
    table = open_study(studies / "demo").table()
    old = table.frame.drop(columns=[c for c in table.frame if c.startswith("drift_")])
    create_study(studies / "old", table.space, name="Old", table=table_from_frame(table.space, old))
    page = run_page(PAGE, study="old")
    assert not page.exception and not page.error
    assert "did not record the drift" in sentences(page)


def test_the_coefficients_say_how_many_rows_were_left_out(studies):
    failed = judge(open_study(studies / "demo").table(), "latency_ms").count(FAILED)
    page = run_page("pages/1_Coefficients.py")
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
    page = run_page(PAGE)
    page.selectbox(key="campaign").select("search-1-new").run()
    assert not page.exception and not page.error
    assert metrics(page)["Passed every check"] == metrics(page)["Measured rows"] == "10"
    assert len(page.get("plotly_chart")) == 3
    assert "Memory: not available on this device" in sentences(page).replace("\\", "")
    page.selectbox(key="latency").select("latency_ms:int8").run()
    assert not page.exception and not page.error
    assert "No row of this campaign has this latency" in sentences(page)


def test_a_table_without_campaigns_or_ranges_is_unknown_and_says_what_is_missing(cells):
    page = run_page(PAGE, study="cells")
    assert not page.exception and not page.error
    assert metrics(page)["Not all known"] == "120"
    assert "no range of rounds" in sentences(page)
