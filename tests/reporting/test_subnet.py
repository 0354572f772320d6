import numpy as np
import pytest
from cell_study import cell_study
from reports import SPACE, TABLE, fitted, measure_optima, points_of, study_of
from tricky import tricky_study

from foxnas_core.cards.decided import expectations, summary
from foxnas_core.cards.subject import ReportRequest, subject_of
from foxnas_core.cards.traded import compact, front_points
from foxnas_core.reporting.front import front_section
from foxnas_core.reporting.subnet import chosen_section
from foxnas_core.steps.fit import fit_all
from foxnas_core.table.metrics import metric_of


def said_of(subject) -> tuple[str, ...]:
    """What its summary says, sentence by sentence."""
    card = summary(subject)
    return (card.sentence, *card.points)


LARGEST, SMALLEST = SPACE.extreme("largest"), SPACE.extreme("smallest")


def about(tmp_path, **request):
    return subject_of(study_of(tmp_path), ReportRequest(**request), fitted())


def test_the_optimum_is_summed_up_in_four_sentences(tmp_path):
    subject = about(tmp_path)
    first, second, third, *own, fourth = said_of(subject)
    assert len(own) <= 1 and all("measured already" in said for said in own)
    assert subject.chosen.id in first and "the best within a latency of" in first
    row = fitted()["accuracy"].predict([subject.chosen]).iloc[0]
    said = f"{row['value']:.2f} % accuracy ({row['prediction_low']:.2f} to "
    assert said in second and "prediction intervals" in second
    assert "Nothing is promised" in third and "calibrate" in third
    assert "exact optimum" in fourth and "no architecture within the budget" in fourth


def test_another_subnet_is_told_how_far_it_is_from_the_optimum(tmp_path):
    accuracy = fitted()["accuracy"]
    budget = float(fitted()["latency_ms"].predict([LARGEST])["value"].iloc[0])
    # A search adds up options in another order, which may round up.
    subject = about(tmp_path, architecture=SMALLEST, budget=budget * (1 + 1e-9))
    first, _, third = said_of(subject)
    assert "by prediction keeps a latency of" in first
    best = subject.optimum
    gap = best.value - float(accuracy.predict([SMALLEST])["value"].iloc[0])
    assert f"predicted {gap:.2f} points less accurate than the exact optimum" in third
    assert best.architecture.id in third


def test_beyond_the_budget_a_subnet_may_be_the_more_accurate(tmp_path):
    budget = float(fitted()["latency_ms"].predict([SMALLEST])["value"].iloc[0]) * 1.05
    subject = about(tmp_path, architecture=LARGEST, budget=budget)
    first, _, third = said_of(subject)
    assert "goes beyond" in first and "points more accurate than the exact optimum" in third


def test_a_named_subnet_without_an_accuracy_is_described_all_the_same(tmp_path):
    latency = {"latency_ms": fitted()["latency_ms"]}
    subject = subject_of(study_of(tmp_path), ReportRequest(architecture=LARGEST), latency)
    assert said_of(subject)[0] == f"The chosen subnet is {LARGEST.id}."
    assert chosen_section(subject) is not None and front_section(subject) is None


def test_measured_optima_give_the_optimum_its_intervals(tmp_path):
    study = study_of(tmp_path)
    measure_optima(study)
    promised = subject_of(study, ReportRequest(), fitted())
    [accuracy, _] = expectations(promised, promised.chosen)
    found = promised.given.calibrations_of("latency_ms", "accuracy")
    assert accuracy.value == found["accuracy"].interval(accuracy.predicted)[0]
    better, *sentences = said_of(promised)
    assert better.startswith("Measured already, and better: subnet ")
    assert "by 8 other optima that were measured" in sentences[1]
    assert f"{accuracy.value:.2f} % accuracy" in sentences[1]
    assert "0 measurements; " in sentences[2] and "the unguarded best" in sentences[2]
    # They hold for an optimum alone.
    assert all(not each.optima for each in expectations(promised, SPACE.sample(9, seed=3)[4]))
    # What a chosen optimum keeps is the budget that it would be found under.
    named = subject_of(study, ReportRequest(architecture=promised.chosen), fitted())
    assert named.is_optimum and named.budget == pytest.approx(1.1 * named.searched, rel=0.03)
    off = subject_of(study, ReportRequest(guard=0.0), fitted())
    assert off.searched == off.budget == promised.budget > promised.searched


def test_what_was_measured_stands_beside_what_is_predicted(tmp_path):
    [first, *_] = TABLE.architectures()
    subject = about(tmp_path, architecture=first)
    table = summary(subject).table
    assert table.columns[-1] == "Measured"
    mean = float(TABLE.frame.loc[TABLE.frame["id"] == first.id, "latency_ms"].mean())
    assert table.iloc[1, -1].startswith(f"{metric_of('latency_ms').text(mean)} ms")


def test_each_block_has_a_reason(tmp_path):
    subject = about(tmp_path, architecture=SMALLEST)
    _, reasons, differences = chosen_section(subject).panels
    [table] = reasons.tables
    assert [row[0] for row in table.rows] == ["resolution", "p1", "p2", "q1"]
    # The resolution outweighs all blocks, so it is not drawn beside them.
    assert sum(points_of(reasons.figures[0])) == 2 * 3
    assert all(row[-1] for row in table.rows)
    # The smallest choices are faster and less accurate: what they give up has a price. Few rows
    # leave open what the resolution does to the latency.
    assert all("gives up" in row[-1] for row in table.rows[1:])
    tables = [figure.table for figure in differences.figures]
    assert [table.caption for table in tables] == ["Top-1 accuracy", "Latency"]
    now = fitted()["accuracy"].predict([SMALLEST])["value"].iloc[0]
    assert f"{now:.4g}" in tables[0].rows[-1]


def test_the_optimum_needs_no_way_to_itself(tmp_path):
    titles = [panel.title for panel in chosen_section(about(tmp_path)).panels]
    assert titles == ["", "Why these blocks"]


def test_the_front_has_both_its_ends_and_its_points_are_optimal(tmp_path):
    subject = about(tmp_path)
    points = front_points(subject.front, 5)
    assert points[0] == 0 and points[-1] == len(subject.front) - 1 and len(points) <= 5
    panel, read_off = front_section(subject).panels
    assert read_off.figures and read_off.sentences
    [table] = panel.tables
    ids = [subject.front.candidate(p).architecture.id for p in front_points(subject.front)]
    assert [row[2] for row in table.rows] == ids
    [figure] = panel.figures
    assert f"chosen {subject.chosen.id}" in figure.caption
    assert "chosen subnet" in figure.drawn
    assert "optimum within the budget" not in figure.drawn


def test_an_architecture_is_written_in_one_line():
    assert compact(SPACE, SMALLEST) == "12 | 3 | 3"
    assert compact(SPACE, LARGEST) == "24 | 7 7 | 7"


def test_a_cell_is_drawn_as_its_graph_and_blocks_are_a_table(tmp_path):
    study = cell_study(tmp_path / "cells")
    architecture = study.table().architectures()[0]
    subject = subject_of(study, ReportRequest(architecture=architecture), {})
    [figure] = chosen_section(subject).panels[0].figures
    assert "dotted" in figure.caption
    assert set(architecture.to_dict().values()) <= set(figure.drawn.replace('"', " ").split())
    assert chosen_section(about(tmp_path)).panels[0].figures == ()


@pytest.mark.parametrize("whole", [True, False])
def test_what_was_measured_better_begins_the_report(tmp_path, whole):
    study = tricky_study(tmp_path / "study", None if whole else np.arange(81) != 80)
    frame = study.table().frame
    best = frame[frame["latency_ms"] <= 4.3].nlargest(1, "accuracy").iloc[0]
    subject = subject_of(study, ReportRequest(budget=4.3), fit_all(study.table()))
    first, *further = said_of(subject)
    said = " ".join((first, *further))
    if whole:
        assert first.startswith("All 81 architectures of space 'choices' are measured")
        assert subject.chosen.id == best["id"] and "No architecture within the budget" in said
        assert f"It measured {best['accuracy']:.2f} % accuracy and" in said
        assert "predict" not in said.replace("nothing is predicted", "")
        assert "best that was measured" in front_section(subject).sentences[0]
    else:
        assert f"Measured already, and better: subnet {best['id']}" in first
        assert f"The search's own, {subject.chosen.id}, measured" in first
        assert "the regression predicts" in front_section(subject).sentences[0]
