from dataclasses import replace

import pytest
from hand import table_of
from reports import SPACE, TABLE, fitted, points_of, study_of

from foxnas_core.cards import counterfactuals
from foxnas_core.cards.subject import ReportRequest, subject_of
from foxnas_core.diagnostics.diagnosis import diagnose
from foxnas_core.diagnostics.warnings import beyond_measured, cautions
from foxnas_core.regression import fit
from foxnas_core.regression.inference import KINDS
from foxnas_core.reporting.evidence import (
    coefficient_section,
    diagnostics_section,
    explanation_section,
)
from foxnas_core.reporting.layout import number
from foxnas_core.study import create_study


def about(tmp_path, **request):
    return subject_of(study_of(tmp_path), ReportRequest(**request), fitted())


def test_every_coefficient_is_there_with_its_interval(tmp_path):
    section = coefficient_section(about(tmp_path))
    assert [panel.title for panel in section.panels] == [
        "What each choice changes", "Top-1 accuracy", "Latency",
    ]  # fmt: skip
    for panel, predictor in zip(section.panels[1:], fitted().values(), strict=True):
        [table] = panel.tables
        expected = predictor.coefficients()
        assert [row[1] for row in table.rows] == expected["label"].tolist()
        for row, low, high in zip(table.rows, expected["low"], expected["high"], strict=True):
            assert row[-2:] == (number(low), number(high))
        assert not panel.folded
    [figure] = section.panels[0].figures
    # A point each of the blocks' choices and target; the resolution is drawn elsewhere.
    assert sum(points_of(figure)) == 2 * 7
    assert len(figure.table.rows) == 2 * 7


def test_the_chosen_subnet_is_explained_and_what_would_have_to_change_is_told(tmp_path):
    subject = about(tmp_path)
    section = explanation_section(subject)
    why, change = section.panels
    assert why.title == "Why this subnet is predicted so" and "Predicted" in why.sentences[0]
    assert change.title == "What would have to change"
    said = counterfactuals.answer.compute(subject.given).sentence
    assert said in (*change.sentences, *(figure.caption for figure in change.figures))
    assert explanation_section(replace(subject, chosen=None)) is None


def test_other_targets_are_folded(tmp_path):
    cost = TABLE.values("latency_ms")
    table = table_of(
        SPACE,
        TABLE.codes,
        accuracy=TABLE.values("accuracy"),
        **{"latency_ms": cost, "latency_ms:int8": cost * 1.5 + TABLE.codes[:, 1]},
    )
    study = create_study(tmp_path / "two", SPACE, name="Two", table=table)
    predictors = {t.column: fit(table, t.column, "per_layer") for t in table.targets}
    subject = subject_of(study, ReportRequest(cost="latency_ms:int8"), predictors)
    folded = {p.title: p.folded for p in coefficient_section(subject).panels[1:]}
    assert folded == {"Top-1 accuracy": False, "Latency (int8)": False, "Latency": True}


def test_the_kind_of_interval_is_the_one_asked_for(tmp_path):
    ordinary, together = (
        coefficient_section(about(tmp_path, intervals=kind))
        for kind in ("ordinary", "simultaneous")
    )
    said = [section.panels[0].figures[0].caption for section in (ordinary, together)]
    assert KINDS["ordinary"] in said[0] and KINDS["simultaneous"] in said[1]
    rows = [section.panels[1].tables[0].rows for section in (ordinary, together)]
    assert [row[2] for row in rows[0]] == [row[2] for row in rows[1]]
    assert [row[-1] for row in rows[0]] != [row[-1] for row in rows[1]]


def test_the_fit_is_told_in_words(tmp_path):
    predictor = replace(fitted()["accuracy"], left_out=7)
    subject = subject_of(study_of(tmp_path), ReportRequest(), {"accuracy": predictor})
    said = " ".join(coefficient_section(subject).panels[1].sentences)
    assert "150 rows" in said and f"R² {predictor.cv.r2:.3f}" in said
    assert f"saturating at {predictor.ceiling.value:.2f} %" in said
    assert "7 measured rows failed" in said


def test_diagnostics_say_what_the_checks_say(tmp_path):
    subject = about(tmp_path)
    section = diagnostics_section(subject)
    for panel, predictor in zip(section.panels, fitted().values(), strict=True):
        diagnosis = diagnose(predictor, subject.table)
        found = [*cautions(diagnosis), *beyond_measured(diagnosis, [subject.chosen])]
        assert panel.points[: len(found)] == tuple(caution.sentence for caution in found)
        assert len(panel.figures) == 3
        for figure in panel.figures:
            assert sum(points_of(figure)) >= 150
            assert "60 of 150 rows" in figure.table.caption
        assert diagnosis.normality.sentence in panel.figures[2].caption
        assert [row[0] for row in panel.tables[0].rows] == [
            test.name for test in diagnosis.specification.tests
        ]


def test_an_exact_fit_says_that_there_is_nothing_to_look_into(tmp_path):
    exact = table_of(
        SPACE,
        TABLE.codes,
        accuracy=TABLE.values("accuracy"),
        latency_ms=5.0 + TABLE.codes[:, 4],
    )
    study = create_study(tmp_path / "exact", SPACE, name="Exact", table=exact)
    predictors = {
        "accuracy": fit(exact, "accuracy", "per_layer", "none"),
        "latency_ms": fit(exact, "latency_ms", "block_state"),
    }
    latency = replace(predictors["latency_ms"], residual_variance=0.0)
    subject = subject_of(study, ReportRequest(), predictors | {"latency_ms": latency})
    [_, panel] = diagnostics_section(subject).panels
    assert "exactly" in panel.sentences[0] and not panel.figures


def test_without_fits_there_is_no_evidence(tmp_path):
    subject = subject_of(study_of(tmp_path), ReportRequest(), {})
    assert coefficient_section(subject) is None and diagnostics_section(subject) is None


@pytest.mark.parametrize("column", ["accuracy", "latency_ms"])
def test_one_target_alone_has_its_own_evidence(tmp_path, column):
    subject = subject_of(study_of(tmp_path), ReportRequest(), {column: fitted()[column]})
    panels = coefficient_section(subject).panels
    assert len(panels) == 2 and len(diagnostics_section(subject).panels) == 1
