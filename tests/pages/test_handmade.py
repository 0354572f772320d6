import json
import shutil
from dataclasses import replace

import pytest
from conftest import DEMO, run_page, sentences
from handmade_records import result, usual_record

from foxnas_core.evidence.handmade.record import HANDMADE
from foxnas_core.study import create_study, file_hash, open_study

PAGE = "pages/7_Devices.py?view=handmade"
TITLES = [
    "Accuracy against latency", "How much faster at equal accuracy", "How it was measured",
    "Train by another seed",
]  # fmt: skip


@pytest.fixture
def weighed(studies):
    """The demo's study with its weights."""
    shutil.copy(DEMO / "supernet.safetensors", studies / "demo")
    return open_study(studies / "demo")


@pytest.fixture
def record(weighed):
    """A record of its weights, not kept yet."""
    parents = {
        "space": weighed.space.fingerprint, "checkpoint": file_hash(weighed.checkpoint_file),
        "measurements": "m",
    }  # fmt: skip
    return replace(usual_record(weighed.space), parents=parents)


def titles(page) -> list[str]:
    return [t.value for t in page.header]


def said_by(page) -> str:
    return sentences(page).replace("\\", "")


def choose(page, key: str, value: str) -> None:
    [widget] = [w for w in page.get("button_group") if w.key == key]
    widget.set_value(value).run()


def test_what_was_measured_is_told_in_every_panel(weighed, record):
    weighed.save(HANDMADE, record)
    page = run_page(PAGE)
    assert not page.exception and not page.error and not page.warning
    assert titles(page) == TITLES
    assert len(page.get("plotly_chart")) == 2
    said = said_by(page)
    assert "In int8, searched networks trained alone reach the accuracy of 3 of 6" in said
    assert "not reached at width 0.2" in said
    assert "The paper's figures give 3.4 (115 ms" in said and "give 1.4 (132 ms" in said
    assert "what another seed would change is in no interval" in said
    assert "9 rounds" in said and "5 epochs" in said
    assert "--widths 0.1 0.2 --epochs 5 --seed 2" in page.code[0].value
    # Widgets redraw the panels.
    choose(page, "precision", "")
    assert "In fp32, searched networks trained alone" in said_by(page)
    choose(page, "way", "inherited")
    assert not page.exception and not page.error
    assert "In fp32, searched networks with inherited weights" in said_by(page)


def test_several_seeds_tell_their_spread(weighed, record):
    for contender in record.contenders:
        record = record.with_result(contender.name, result(87.5, seed=3))
    weighed.save(HANDMADE, record)
    page = run_page(PAGE)
    assert not page.exception and not page.error
    assert "differs from seed to seed by" in said_by(page)
    assert "--seed 4" in page.code[0].value


@pytest.mark.parametrize("trained", [0, 4])
def test_a_run_under_way_shows_what_is_done(weighed, record, trained):
    contenders = [
        replace(c, latency=None, results=c.results if k < trained else ())
        for k, c in enumerate(record.contenders)
    ]
    weighed.save(HANDMADE, replace(record, contenders=tuple(contenders), circumstances={}))
    page = run_page(PAGE)
    assert not page.exception and not page.error
    assert titles(page) == ["Trained so far", "How it was measured", "Go on"]
    assert f"{trained} of 10 networks are trained" in said_by(page)
    assert "--seed 1" in page.code[0].value


def test_no_record_yet_names_the_command(weighed):
    page = run_page(PAGE)
    assert not page.exception and not page.error
    assert "No network designed by hand was trained" in page.info[0].value
    assert "foxnas_core handmade --study" in page.code[0].value
    assert "has no images" in said_by(page)


def test_a_study_without_weights_says_so(studies, cells):
    create_study(studies / "bare", open_study(studies / "demo").space, name="Bare")
    for name in ("bare", "cells"):
        page = run_page(PAGE, study=name)
        assert not page.exception and not page.error
        [info] = page.info
        assert "no supernet whose subnets" in info.value


def test_networks_of_other_weights_are_marked(weighed, record):
    weighed.save(HANDMADE, replace(record, parents=record.parents | {"checkpoint": "other"}))
    page = run_page(PAGE)
    assert not page.exception and not page.error
    [warning] = page.warning
    assert "the study has another one now" in warning.value


@pytest.mark.parametrize("content", ["{", '{"format": 1}', "[]", "recipe", "circumstances"])
def test_a_damaged_file_is_one_sentence(weighed, record, content):
    if content in ("recipe", "circumstances"):
        content = json.dumps(HANDMADE.document(record) | {content: {"seed": 1}})
    weighed.file(HANDMADE).write_text(content)
    page = run_page(PAGE)
    assert not page.exception
    [error] = page.error
    assert "handmade.json" in error.value.replace("\\", "") and "damaged" in error.value
