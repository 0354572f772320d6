import json
from dataclasses import replace

import pytest
from conftest import REPOSITORY, run_page, sentences

from foxnas_core.cards import planning
from foxnas_core.cards.given import Given
from foxnas_core.search.rounds.record import IMPROVEMENT, ROUNDS
from foxnas_core.steps.plan import plan_measurements
from foxnas_core.study import create_study, open_study

PAGE = "pages/14_Measurements.py?view=next"
ROUNDS_PAGE = "pages/14_Measurements.py?view=rounds"
SHIPPED_ROUNDS = REPOSITORY / "data" / "demo-rounds"


def titles(page) -> list[str]:
    return [t.value.replace("\\", "") for t in page.header if not t.divider]


def metrics(page) -> dict[str, str]:
    return {m.label: m.value for m in page.metric}


def test_the_batch_and_what_it_will_tell_are_shown(studies):
    page = run_page(PAGE)
    assert not page.exception and not page.error
    assert titles(page) == ["What measuring is expected to tell", "Which effects gain", "The batch"]
    assert len(page.get("plotly_chart")) == 2
    study = open_study(studies / "demo")
    plan = plan_measurements(study, "accuracy", 24)
    assert metrics(page)["Intervals narrower by"] == f"{100 * plan.gain.narrower:.1f} %"
    shown = next(d.value for d in page.dataframe if len(d.value) == 24 and "id" in d.value)
    # What the command measures is what the page shows.
    assert shown["id"].tolist() == plan.table()["id"].tolist()
    said = "\n".join(c.value for c in page.code)
    assert "measure --study " in said and "demo --next 24" in said
    assert "has no weights and images, which the command needs" in sentences(page)
    before = metrics(page)["In a minute of measuring"]
    page.number_input(key="design-seconds").set_value(30.0).run()
    assert not page.exception and not page.error
    assert metrics(page)["In a minute of measuring"] != before
    page.select_slider(key="design-count").set_value(6)
    page.selectbox(key="design-target").select("latency_ms").run()
    assert not page.exception and not page.error
    assert any("--next 6 --target latency_ms" in c.value for c in page.code)


def test_without_rounds_it_is_said_how_to_run_some(studies):
    page = run_page(ROUNDS_PAGE)
    assert not page.exception and not page.error
    assert any("demo --rounds 3" in c.value for c in page.code)
    assert "No rounds were run" in sentences(page)
    page.radio(key="rounds-by").set_value(IMPROVEMENT).run()
    assert not page.exception
    assert any("demo --rounds 3 --find-by improvement" in c.value for c in page.code)


@pytest.fixture
def recorded(studies):
    """The shipped study with its rounds."""
    (studies / "rounds").mkdir()
    for path in SHIPPED_ROUNDS.iterdir():
        (studies / "rounds" / path.name).write_bytes(path.read_bytes())
    return open_study(studies / "rounds")


def test_recorded_rounds_are_shown_in_every_panel(recorded):
    page = run_page(ROUNDS_PAGE, study="rounds")
    assert not page.exception and not page.error
    assert titles(page) == [
        "Top-1 accuracy: error at the front", "Latency: error at the front",
        "Best measured subnet", "The fits, round by round",
    ]  # fmt: skip
    assert "3 rounds measured 24 subnets" in sentences(page)
    assert any("--rounds 4 --seed 1" in c.value for c in page.code) and not page.radio
    # The campaigns recorded how long a subnet took.
    page = run_page(PAGE, study="rounds")
    assert page.number_input(key="design-seconds").value != 3.0


def test_rounds_by_improvement_are_told_as_such(recorded):
    record = recorded.record(ROUNDS)
    assert " on the front of predicted" in planning.rounds.compute(Given(recorded)).sentence
    recorded.save(ROUNDS, replace(record, by=IMPROVEMENT))
    said = planning.rounds.compute(Given(recorded)).sentence
    assert " near the front of predicted" in said
    assert "each expected to improve most on the best measured within a budget." in said


def test_the_shipped_rounds_are_of_the_shipped_tables(recorded):
    """Every number of the record can be found again in the tables."""
    record, table = recorded.record(ROUNDS), recorded.table()
    demo = open_study(REPOSITORY / "data" / "demo").table()
    rows = len(demo.frame)
    assert record.rounds[0].parents["measurements"] == demo.fingerprint
    assert table.frame["id"].iloc[:rows].tolist() == demo.frame["id"].tolist()
    finds = [find for done in record.rounds for find in done.finds]
    assert [f.architecture.id for f in finds] == table.frame["id"].iloc[rows:].tolist()
    assert [f.measured["accuracy"] for f in finds] == table.values("accuracy")[rows:].tolist()
    assert table.of_origin("search").sum() == 24


def test_a_damaged_record_is_one_card_and_leaves_the_batch(recorded):
    recorded.file(ROUNDS).write_text("{")
    page = run_page(ROUNDS_PAGE, study="rounds")
    assert not page.exception and len(page.error) == 1
    assert "damaged" in page.error[0].value
    assert "The batch" in titles(run_page(PAGE, study="rounds"))


def test_a_round_that_is_only_planned_says_so(recorded):
    document = json.loads(recorded.file(ROUNDS).read_text())
    [first, *_] = document["rounds"]
    document["rounds"] = [first | {"after": {}, "best": [], "moved": {}}]
    recorded.file(ROUNDS).write_text(json.dumps(document))
    page = run_page(ROUNDS_PAGE, study="rounds")
    assert not page.exception and not page.error
    assert "planned and is not measured yet" in sentences(page)


def test_cells_without_rounds_or_weights_get_a_batch(cells):
    page = run_page(PAGE, study="cells")
    assert not page.exception and not page.error
    assert "The batch" in titles(page)


def test_a_study_of_nothing_says_what_to_do(studies):
    create_study(studies / "new", open_study(studies / "demo").space, name="New")
    page = run_page(PAGE, study="new")
    assert not page.exception and len(page.info) == 1
    assert "neither measurements nor a supernet" in page.info[0].value.replace("\\", "")
    (studies / "new" / "supernet.safetensors").write_bytes(b"")
    page = run_page(PAGE, study="new")
    assert not page.exception and not page.error
    assert "planned without a fit" in sentences(page) and "The batch" in titles(page)
