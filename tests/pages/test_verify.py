import json
import shutil
import time

import pytest
from conftest import run_page, sentences
from trials import claim_of, trial_of

from foxnas_core.evidence.verification.claims import CLAIMS
from foxnas_core.evidence.verification.edits import editable
from foxnas_core.evidence.verification.judging import claims_on
from foxnas_core.steps import verify
from foxnas_core.steps.fit import fit_all
from foxnas_core.study import create_study, open_study
from pages.shared import cache, verifications

PAGE = "pages/12_Trust.py?view=verify"


@pytest.fixture
def tiny(measured_study, studies):
    """The tiny study, with weights, images and rows, where the app looks for studies."""
    shutil.copytree(measured_study.folder, studies / "tiny")
    yield open_study(studies / "tiny")
    for run in cache.works().runs(verifications.Verification):
        run.stop()
        run.wait(300)


def said(page) -> str:
    return sentences(page).replace("\\", "")


def claimed(page):
    """The table of what is claimed."""
    return next(
        d.value for d in page.dataframe if "claimed" in d.value and len(d.value.columns) < 5
    )


def address(study, which="smallest") -> str:
    return json.dumps(study.space.extreme(which).to_dict())


def finished(page, study):
    """The page once the verification that it started has ended."""
    job = cache.works().latest(verifications.Verification, str(study.folder))
    job.wait(300)
    page.run()
    assert not page.exception and not page.error, [e.value for e in page.error]
    return job


def test_an_edit_is_claimed_measured_and_judged(tiny):
    page = run_page(PAGE, study="tiny", architecture=address(tiny))
    assert not page.exception and not page.error
    assert "Nothing was measured yet" in said(page) and "No claim was tested yet" in said(page)

    before = tiny.space.extreme("smallest")
    name = page.selectbox(key="edit-decision").value
    value = page.selectbox(key=f"edit-value-{name}").value
    assert value in editable(tiny.space, before)[name]
    predictors = fit_all(tiny.table(), targets=["accuracy"])
    after = tiny.space.architecture({**before.to_dict(), name: value})
    [_, claim] = claims_on(predictors["accuracy"], [before, after], level=0.95)
    target = predictors["accuracy"].target
    told = claimed(page).set_index("claimed").loc["Top-1 accuracy"]
    for column, low, high in (
        ("the edit changes", claim.scatter_low, claim.scatter_high),
        ("the average edit", claim.low, claim.high),
    ):
        ends = " to ".join(target.text(end, signed=True) for end in (low, high))
        assert told[column] == f"{target.text(claim.value, signed=True)} points ({ends})"

    page.button(key="measure-now").click().run()
    job = finished(page, tiny)
    assert job.state == "finished"
    [trial] = tiny.record(CLAIMS).trials
    assert trial.subnets == (before, after) and trial.chosen == "picked"
    text = said(page)
    for sentence in trial.sentences():
        assert sentence in text
    tables = {frozenset(d.value.columns): d.value for d in page.dataframe}
    verdicts = next(
        t for c, t in tables.items() if {"claimed", "verdict"} <= c and "trial" not in c
    )
    assert len(verdicts) == 8
    board = next(t for c, t in tables.items() if "held" in c)
    assert (board["chosen"] == "picked by hand").all()
    assert {"verdict-download", "board-download", "claims-download"} <= {
        b.key for b in page.get("download_button")
    }
    # Another session finds it.
    assert trial.sentences()[0] in said(run_page(PAGE, study="tiny"))


def test_a_subnet_alone_on_some_of_the_images(tiny, monkeypatch):
    verify = verifications.verify
    asked = []
    monkeypatch.setattr(
        verifications, "verify", lambda *a, **how: asked.append(how["images"]) or verify(*a, **how)
    )
    page = run_page(PAGE, study="tiny", architecture=address(tiny))
    [picker] = [w for w in page.get("button_group") if w.key == "what"]
    picker.set_value("A subnet").run()
    assert "the edit changes" not in claimed(page) and "prediction intervals" in said(page)
    page.button(key="measure-now").click().run()
    finished(page, tiny)
    assert asked == [300]
    assert tiny.record(CLAIMS).trials[0].subnets == (tiny.space.extreme("smallest"),)


def test_what_was_edited_on_what_if_is_offered(tiny):
    page = run_page(PAGE, study="tiny", architecture=address(tiny))
    page.button(key="pick-largest").click().run()
    assert page.selectbox(key="edit-decision").options[0] != "as edited on What-if"

    what_if = run_page("pages/2_What_if.py", study="tiny", architecture=address(tiny))
    [scope] = [w for w in what_if.selectbox if w.key.startswith("scope-")]
    scope.select("s1b1").run()
    [control] = [w for w in what_if.get("button_group") if w.key.startswith("set-kernel-")]
    control.set_value(5).run()
    what_if.query_params["view"] = "verify"
    what_if.switch_page("pages/12_Trust.py").run()
    assert what_if.selectbox(key="edit-decision").value == "as edited on What-if"
    assert "s1b1 kernel 3 → 5" in said(what_if)


def test_random_claims_run_to_a_scoreboard_and_the_next_seed_is_offered(tiny):
    page = run_page(PAGE, study="tiny")
    page.number_input(key="random-count").set_value(2)
    page.button(key="measure-random").click().run()
    finished(page, tiny)
    trials = tiny.record(CLAIMS).trials
    assert [(t.chosen, t.seed, t.done) for t in trials] == [("random", 0, True)] * 2
    assert "tested claims held" in said(page)
    assert page.number_input(key="random-seed-1").value == 1
    assert len(page.selectbox(key="trial").options) == 2
    page.selectbox(key="trial").set_value(trials[0].id).run()
    assert trials[0].sentences()[0] in said(page)


def test_a_running_one_is_found_again_can_be_stopped_and_goes_on(tiny, monkeypatch):
    let_go = []

    def slow(study, count, **how):
        while not let_go and not how["stop"]():
            time.sleep(0.01)
        return verify.verify_random(study, count, **how)

    monkeypatch.setattr(verifications, "verify_random", slow)
    page = run_page(PAGE, study="tiny")
    page.button(key="measure-random").click().run()
    # Who comes back, or looks from elsewhere, finds it; nobody can start another.
    other = run_page(PAGE, study="tiny")
    assert {b.key for b in other.button} >= {"verification-stop"}
    assert "measure-now" not in {b.key for b in other.button}
    other.button(key="verification-stop").click().run()
    cache.works().latest(verifications.Verification, str(tiny.folder)).wait(300)
    other.run()
    assert not other.exception and not other.error
    assert "Stopped." in said(other) and "stated and are not measured yet" in said(other)
    assert {t.done for t in tiny.record(CLAIMS).trials} == {False} and len(
        tiny.record(CLAIMS).trials
    ) == 10
    # The seed with claims that wait is offered.
    assert other.number_input(key="random-seed-0").value == 0


def test_without_weights_claims_are_read_and_the_page_says_how_to_measure(studies):
    page = run_page(PAGE, study="demo")
    assert not page.exception and not page.error
    text = said(page)
    assert "no supernet weights" in text and "python -m foxnas_core train" in text
    assert "measure-now" not in {b.key for b in page.button}
    assert any("verify --study" in c.value for c in page.code)
    assert "the edit changes" in claimed(page)


def test_without_images_or_torch_the_page_says_how_to_get_them(tiny, monkeypatch):
    import importlib.util

    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "torch" else find(name)
    )
    assert "pip install -r" in said(run_page(PAGE, study="tiny"))
    tiny.images_file.unlink()
    assert "no images" in said(run_page(PAGE, study="tiny"))


def test_a_damaged_claims_file_is_one_card(tiny):
    tiny.file(CLAIMS).write_text("{")
    page = run_page(PAGE, study="tiny")
    assert not page.exception and len(page.error) == 1
    assert "claims.json is damaged" in page.error[0].value.replace("\\", "")


def test_a_failing_measurement_says_why(tiny, monkeypatch):
    def broken(*a, **how):
        raise verify.InvalidInput("The disk is full; make room.")

    monkeypatch.setattr(verifications, "verify", broken)
    page = run_page(PAGE, study="tiny")
    page.button(key="measure-now").click().run()
    cache.works().latest(verifications.Verification, str(tiny.folder)).wait(300)
    page.run()
    assert [e.value for e in page.error] == ["The disk is full; make room\\."]


def test_listed_spaces_and_studies_of_nothing_work_too(cells, studies):
    page = run_page(PAGE, study="cells")
    assert not page.exception and not page.error
    cells.change(
        CLAIMS,
        lambda kept: kept.with_stated(
            [trial_of(cells.space, "one", [claim_of()], [80.5], reason="elsewhere")]
        ),
    )
    page = run_page(PAGE, study="cells")
    assert "some that do not count" in said(page)
    create_study(studies / "new", cells.space, name="New")
    page = run_page(PAGE, study="new")
    assert not page.exception and len(page.error) == 1
    assert "no measured latency yet" in page.error[0].value and "No claim was tested" in said(page)
