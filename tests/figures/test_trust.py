import numpy as np
import pytest
from conftest import tiny_document
from hand import choice_space
from trust_pairs import pairs_of

from foxnas_core.evidence.trust.report import trust_report
from foxnas_core.families import space_from_dict
from foxnas_core.figures import trust as figures
from foxnas_core.space.in_words import choice_lines
from foxnas_core.table.metrics import metric_of

SPACE = space_from_dict(tiny_document())
PAIRS = pairs_of(
    SPACE, [80, 84, 81, 85, 82, 83], [90, 95, 91, 96, 93, 94],
    fine_tuned=[85, 86, 87, 88, 89, 84], unrecalibrated=[50, 60, 40, 55, 45, 30],
)  # fmt: skip
REPORT = trust_report(PAIRS, seed=0, resamples=100)


def test_a_row_a_subnet_in_the_supernets_order():
    table = figures.pair_table(REPORT, PAIRS, SPACE, "alone")
    assert table["rank inherited"].tolist() == [1, 2, 3, 4, 5, 6]
    assert table["trained"].tolist() == [96, 95, 94, 93, 91, 90]
    assert (table["trained less inherited"] == table["trained"] - table["inherited"]).all()
    assert figures.pair_table(REPORT, PAIRS, SPACE, "fine_tuned")["trained"].tolist() == [
        88, 86, 84, 89, 87, 85,
    ]  # fmt: skip


@pytest.mark.parametrize(("inherited", "x"), [("inherited", 85), ("unrecalibrated", 55)])
def test_every_subnet_is_a_point_with_its_architecture(inherited, x):
    table = figures.pair_table(REPORT, PAIRS, SPACE, "alone")
    line, *points = figures.pair_figure(table, inherited, "alone", REPORT.quality).data
    assert line.name == "equal" and [trace.name for trace in points] == ["8 px", "12 px"]
    assert sum(len(trace.x) for trace in points) == 6
    best = PAIRS[3].architecture
    [place] = [k for k, row in enumerate(points[1].customdata) if row[0] == best.id]
    assert (points[1].x[place], points[1].y[place]) == (x, 96)
    assert points[1].customdata[place][1] == "<br>".join(choice_lines(SPACE, best))
    assert points[1].error_y.array[place] == pytest.approx(0.2)


def test_agreements_are_drawn_by_set_of_subnets_where_there_are_any():
    table = figures.agreement_table(REPORT)
    assert len(table) == 2 * 2 * 4
    assert np.allclose(table["same order (%)"], 50 * (1 + table["tau"]))
    figure = figures.agreement_figure(table, "alone")
    assert list(figure.layout.yaxis.ticktext) == [
        "resolution 12", "resolution 8", "within a resolution", "all subnets",
    ]  # fmt: skip
    with_it, without = figure.data
    assert with_it.x[0] == 1 and without.x[0] < 1
    assert (np.asarray(with_it.error_x.array) >= 0).all()
    lone = trust_report(PAIRS[:2], seed=0, resamples=20)
    empty = figures.agreement_figure(figures.agreement_table(lone), "alone")
    assert all(len(trace.x) == 0 for trace in empty.data)


def test_offsets_are_those_of_the_report():
    table = figures.offset_table(REPORT, "fine_tuned")
    assert table["subnets"].tolist() == ["all subnets", "resolution 8", "resolution 12"]
    assert table["mean"].iloc[0] == pytest.approx(np.mean([5, 2, 6, 3, 7, 1]))
    pairs = figures.pair_table(REPORT, PAIRS, SPACE, "fine_tuned")
    drawn = figures.offset_figure(pairs, REPORT.quality).data
    assert sorted(y for trace in drawn for y in trace.y) == [1, 2, 3, 5, 6, 7]


def test_reversals_are_listed_in_words():
    assert len(figures.reversal_table(REPORT, "alone")) == 0
    table = figures.reversal_table(REPORT, "fine_tuned")
    assert len(table) and set(table["beyond noise"]) <= {"yes", "no"}
    assert (table["by (points)"] > 0).all() and (table["by, trained (points)"] > 0).all()


def test_a_space_without_resolutions_is_drawn_in_one_colour():
    space = choice_space({"a": ("x", "y", "z"), "b": ("x", "y")})
    pairs = pairs_of(space, [1, 2, 3], [2, 3, 4])
    report = trust_report(pairs, seed=0, resamples=20)
    table = figures.pair_table(report, pairs, space, "alone")
    drawn = figures.pair_figure(table, "inherited", "alone", report.quality)
    assert [trace.name for trace in drawn.data] == ["equal", "a subnet"]
    assert len(figures.offset_figure(table, report.quality).data) == 1


def test_scores_are_told_in_the_unit_of_what_was_scored():
    report = trust_report(PAIRS, seed=0, resamples=20, quality=metric_of("dice"))
    assert "inherited dice by" in report.recalibration_sentence()
    assert "points" not in report.recalibration_sentence()
    assert {"by", "by, trained"} <= set(figures.reversal_table(report, "fine_tuned"))
    table = figures.pair_table(report, PAIRS, SPACE, "alone")
    axes = figures.pair_figure(table, "inherited", "alone", report.quality).layout
    assert axes.xaxis.title.text == "Inherited dice"
    assert "points" not in figures.offset_figure(table, report.quality).to_json()
