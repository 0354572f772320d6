from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from reports import SPACE, TABLE, fitted, study_of

from foxnas_core.cards.record import fit_hash
from foxnas_core.cards.subject import ReportRequest, subject_of
from foxnas_core.reporting.record import record_section
from foxnas_core.search.default_budget import WHY
from foxnas_core.search.limits import Limit
from foxnas_core.search.problem import SearchProblem
from foxnas_core.search.result import SEARCHES, TRACE_COLUMNS, SearchResult
from foxnas_core.search.schedule import AnnealingSettings
from foxnas_core.study import create_study, file_hash
from foxnas_core.table.measurements import table_from_frame


def record_of(subject) -> dict:
    return {panel.title: panel for panel in record_section(subject).panels}


def about(tmp_path, **request):
    return subject_of(study_of(tmp_path), ReportRequest(**request), fitted())


def cells(panel) -> dict[str, str]:
    [table] = panel.tables
    return {row[0]: row[1] for row in table.rows}


def test_hashes_are_those_of_the_study(tmp_path):
    subject = about(tmp_path)
    (subject.study.folder / "images.npz").write_bytes(b"images")
    found = cells(record_of(subject)["Hashes"])
    assert found["Search space"] == SPACE.fingerprint
    assert found["Measurement table"] == TABLE.fingerprint
    assert found["Images"] == file_hash(subject.study.images_file)
    assert found["Supernet weights"] == "none"
    for column, predictor in fitted().items():
        assert found[f"Fit of {column}"] == fit_hash(predictor)


def test_the_hash_of_a_fit_changes_with_each_of_its_numbers():
    predictor = fitted()["accuracy"]
    moved = predictor.estimates.copy()
    moved[-1] = np.nextafter(moved[-1], np.inf)
    others = [
        replace(predictor, estimates=moved),
        replace(predictor, covariance=predictor.covariance * (1 + 1e-12)),
        replace(predictor, residual_variance=predictor.residual_variance + 1e-9),
        replace(predictor, link=replace(predictor.link, rate=predictor.link.rate * 1.01)),
    ]
    assert len({fit_hash(p) for p in (predictor, *others)}) == 5
    assert fit_hash(replace(predictor)) == fit_hash(predictor)


def test_reasons_are_kept_line_by_line(tmp_path):
    said = record_of(about(tmp_path, rationale="First.\n\n  Second. \n"))["Reasons"].sentences
    assert said == ("First.", "Second.")
    assert record_of(about(tmp_path))["Reasons"].sentences == ("No reasons were written down.",)


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        ({}, WHY),
        ({"architecture": SPACE.extreme("largest")}, "what the chosen subnet keeps"),
    ],
)
def test_a_budget_that_nobody_asked_for_says_where_it_is_from(tmp_path, request_, why):
    assert cells(record_of(about(tmp_path, **request_))["What was asked"])[
        "Budget of latency_ms"
    ].endswith(why)


def test_circumstances_are_told_once_where_campaigns_agree(tmp_path):
    campaigns = {
        "a": {"device": "AMD EPYC", "seed": 1, "odd": {"x": [1]}, "governor": None},
        "b": {"device": "AMD EPYC", "seed": 2, "governor": None},
        "not a campaign": 7,
    }
    table = table_from_frame(SPACE, TABLE.frame.drop(columns="id"), record={"campaigns": campaigns})
    study = create_study(tmp_path / "told", SPACE, name="Told", table=table)
    found = cells(
        record_of(subject_of(study, ReportRequest(), {}))["The device and how it measured"]
    )
    assert found == {
        "device": "AMD EPYC",
        "seed": "1 (a); 2 (b)",
        "odd": '{"x": [1]} (a); not recorded (b)',
        "governor": "not told",
    }


@pytest.mark.parametrize("record", [{}, {"campaigns": [1]}, {"campaigns": {}}])
def test_a_table_without_campaigns_tells_no_device(tmp_path, record):
    table = table_from_frame(SPACE, TABLE.frame.drop(columns="id"), record=record)
    study = create_study(tmp_path / "silent", SPACE, name="Silent", table=table)
    titles = record_of(subject_of(study, ReportRequest(), {}))
    assert "The device and how it measured" not in titles


def test_kept_searches_are_listed_and_told_apart_by_their_table(tmp_path):
    subject = about(tmp_path)
    problem = SearchProblem(fitted()["accuracy"], (Limit(fitted()["latency_ms"], subject.budget),))
    best = subject.optimum
    course = pd.DataFrame([], columns=list(TRACE_COLUMNS))
    result = SearchResult.of(problem, AnnealingSettings(seed=3), best, best, 200, course)
    kept = subject.study.keep(SEARCHES, result)
    old = subject.study.keep(
        SEARCHES, replace(result, fingerprints={**result.fingerprints, "accuracy": "0" * 12})
    )
    (subject.study.folder / "searches" / f"{'0' * 12}.json").write_text("{")
    panel = record_of(subject)["What else was considered"]
    assert "2 searches are kept" in panel.sentences[0]
    assert panel.points == ("Damaged and left out: 1.",)
    [table] = panel.tables
    current = {row[0]: row[-1] for row in table.rows}
    assert current == {kept: "yes", old: "no"}


def test_no_search_kept_is_said(tmp_path):
    [said] = record_of(about(tmp_path))["What else was considered"].sentences
    assert "No search was kept" in said


def test_what_could_not_be_fitted_stands_with_the_fits(tmp_path):
    subject = subject_of(study_of(tmp_path), ReportRequest(), {}, ["Energy: too few rows."])
    assert record_of(subject)["Fits"].points == ("Energy: too few rows.",)


def test_a_damaged_checkpoint_is_a_sentence(tmp_path):
    subject = about(tmp_path)
    subject.study.checkpoint_file.write_bytes(b"no tensors")
    found = cells(record_of(subject)["Seeds and versions"])
    assert "damaged" in found["Supernet"]
