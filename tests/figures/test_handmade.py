import math

import pytest
from conftest import tiny_document
from handmade_records import record_of, usual_record

from foxnas_core.evidence.handmade.claims import PUBLISHED, WAYS, compare
from foxnas_core.evidence.handmade.record import PRECISIONS
from foxnas_core.families import space_from_dict
from foxnas_core.figures import handmade as figures

SPACE = space_from_dict(tiny_document())
RECORD = usual_record(SPACE)


def held(way="alone", precision="", record=RECORD):
    return compare(record, way=way, precision=precision, seed=0, resamples=100)


def test_a_row_a_network_and_way():
    table = figures.network_table(RECORD)
    assert len(table) == 6 + 2 * 4
    assert set(table["way"]) == set(WAYS)
    first = table.iloc[0]
    assert (first["family"], first["width"], first["accuracy fp32"]) == ("MobileNetV2", 0.1, 88.0)
    assert first["accuracy int8"] == 87.0 and first["latency int8 (ms)"] == 0.08
    assert first["accuracy fp32 high"] - 88 == pytest.approx(1.96 * 0.2, rel=1e-3)
    assert first["accuracy fp32"] - first["accuracy fp32 low"] == pytest.approx(0.392, rel=1e-2)
    assert table["width"].isna().sum() == 8 and table["chosen"].iloc[-1].startswith("best")


@pytest.mark.parametrize("precision", PRECISIONS)
def test_every_network_is_a_point_of_its_family(precision):
    table = figures.network_table(RECORD)
    line, *points = figures.network_figure(table, held(precision=precision)).data
    assert [(x, y) for x, y in zip(line.x, line.y, strict=True)] == list(
        held(precision=precision).front
    )
    assert [trace.name for trace in points] == [
        "MobileNetV2", "MobileNetV3-Small", "EfficientNet-Lite0", "Searched, trained alone",
        "Searched, inherited weights",
    ]  # fmt: skip
    assert [len(trace.x) for trace in points] == [2, 2, 2, 4, 4]
    assert len({trace.marker.symbol for trace in points}) == 5
    less = 1 if precision else 0
    assert list(points[0].y) == [88 - less, 92 - less]
    assert points[0].error_y.array[0] == pytest.approx(0.392, rel=1e-2)
    assert points[0].error_x.array[0] == pytest.approx(0.0016)


def test_a_network_without_latency_is_no_point():
    table = figures.network_table(RECORD)
    table.loc[0, "latency fp32 (ms)"] = math.nan
    assert len(figures.network_figure(table, held()).data[1].x) == 1


def test_ratios_stand_beside_the_papers():
    comparison = held()
    table = figures.claim_table(comparison)
    assert table["ratio"].tolist()[:2] == [pytest.approx(2.0), 0.0]
    assert table["searched are"].tolist()[:2] == ["faster", "slower"]
    ours, papers = figures.claim_figure(comparison).data
    assert list(ours.x) == table["ratio"].tolist()
    assert list(ours.marker.symbol) == ["circle", "x"] * 3
    assert ours.y[0] == "MobileNetV2 0.1"
    # The paper says nothing of MobileNetV3-Small.
    assert len(papers.x) == 4 and papers.x[0] == PUBLISHED["mobilenet-v2"].ratio
    assert "MobileNetV3-Small 0.1" not in papers.y


def test_a_ratio_that_is_a_bound_has_a_mark_of_its_own():
    record = record_of(SPACE, [(0.1, 80), (0.2, 90)], {"mobilenet-v3-small": [(0.1, 70)]})
    ours, papers = figures.claim_figure(held(record=record)).data
    assert list(ours.marker.symbol) == ["triangle-right"] and len(papers.x) == 0
