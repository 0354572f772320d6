import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from conftest import DEMO, run_page, sentences
from trust_pairs import begun, pairs_of

from foxnas_core.evidence.trust.pairs import TRUST, TrustSettings
from foxnas_core.study import create_study, file_hash, open_study

PAGE = "pages/12_Trust.py"
RISING = [80 + k for k in range(12)]
TITLES = [
    "Inherited and trained", "Agreement of the orders", "What training adds, by size",
    "What training adds, on average", "The largest reversals", "Train more",
]  # fmt: skip


@pytest.fixture
def weighed(studies):
    """The demo's study with its weights."""
    shutil.copy(DEMO / "supernet.safetensors", studies / "demo")
    return open_study(studies / "demo")


def keep(study, alone, **further) -> None:
    checkpoint = file_hash(study.checkpoint_file)
    parents = {"space": study.space.fingerprint, "checkpoint": checkpoint}
    record = replace(begun(study.space), parents=parents, settings=TrustSettings(10, 3))
    record = replace(record, pairs=tuple(pairs_of(study.space, RISING[: len(alone)], alone)))
    document = TRUST.document(replace(record, **further))
    study.file(TRUST).write_text(json.dumps(document))


def titles(page) -> list[str]:
    return [t.value for t in page.header]


def said_by(page) -> str:
    return sentences(page).replace("\\", "")


def test_a_ranking_that_holds_is_shown_in_every_panel(weighed):
    keep(weighed, np.add(RISING, [5, 5, 5, 5, 5, 6.5, 5, 5, 5, 5, 5, 5]))
    page = run_page(PAGE)
    assert not page.exception and not page.error and not page.warning
    assert titles(page) == [*TITLES[:2], "Train more"]
    shown, charts = [], 0
    for part in ("What training adds", "Reversals", "Orders"):
        [control] = [w for w in page.get("button_group") if w.key == "ranking-shown"]
        control.set_value(part).run()
        assert not page.exception and not page.error
        shown += [title for title in titles(page) if title != "Train more"]
        charts += len(page.get("plotly_chart"))
    assert sorted(shown) == sorted(TITLES[:-1]) and charts == 3
    [success] = page.success
    assert "can be searched by" in success.value
    metrics = {m.label: m.value for m in page.metric}
    assert metrics["Kendall's tau"] == "0.97" and metrics["Pairs in the same order"] == "98 %"
    assert metrics["Lost by its first choice"] == "0.00 points"
    assert "--count 24 --epochs 10 --fine-tune-epochs 3 --seed 0" in page.code[0].value
    # Widgets redraw the panels.
    for key, value in (("trained", "fine_tuned"), ("inherited", "unrecalibrated")):
        [widget] = [w for w in page.get("button_group") if w.key == key]
        widget.set_value(value).run()
        assert not page.exception and not page.error
    assert "trained for 3 epochs" in said_by(page)


def test_a_ranking_that_fails_says_what_would_raise_it(weighed):
    keep(weighed, RISING[::-1])
    page = run_page(PAGE)
    assert not page.exception
    [error] = page.error
    assert "mend the supernet" in error.value
    assert "What would raise it" in [expander.label for expander in page.expander]
    said = said_by(page)
    for remedy in ("--largest-share", "Shrink progressively", "distillation", "--epochs"):
        assert remedy in said


@pytest.mark.parametrize("count", [1, 2, 5])
def test_few_subnets_are_shown_without_a_verdict(weighed, count):
    keep(weighed, RISING[:count])
    page = run_page(PAGE)
    assert not page.exception and not page.error
    assert any("for a verdict" in info.value for info in page.info)
    assert "Inherited and trained" in titles(page)


def test_no_subnet_yet_names_the_command(weighed):
    page = run_page(PAGE)
    assert not page.exception and not page.error
    assert "No subnet of this study was trained alone yet" in page.info[0].value
    assert "foxnas_core trust --study" in page.code[0].value
    assert "has no images" in said_by(page)


def test_a_study_without_weights_says_so(studies):
    create_study(studies / "bare", open_study(studies / "demo").space, name="Bare")
    page = run_page(PAGE, study="bare")
    assert not page.exception and not page.error
    [info] = page.info
    assert "no supernet whose ranking" in info.value


def test_pairs_of_other_weights_are_marked(weighed):
    keep(weighed, RISING, parents={"space": "s", "checkpoint": "other"})
    page = run_page(PAGE)
    assert not page.exception and not page.error
    [warning] = page.warning
    assert "the study has another one now" in warning.value


@pytest.mark.parametrize("content", ["{", '{"format": 1}', "[]"])
def test_a_damaged_file_is_one_sentence(weighed, content):
    weighed.file(TRUST).write_text(content)
    page = run_page(PAGE)
    assert not page.exception
    [error] = page.error
    assert "trust.json" in error.value.replace("\\", "") and "damaged" in error.value
