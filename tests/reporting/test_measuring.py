import shutil
from dataclasses import replace

import pandas as pd
import pytest
from conftest import DEMO
from reports import TABLE, fitted, study_of

from foxnas_core.cards.subject import ReportRequest, subject_of
from foxnas_core.quantization.comparison import compare_precisions
from foxnas_core.reporting.measuring import measurement_section
from foxnas_core.study import create_study, open_study
from foxnas_core.table.latency_verdicts import judge


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The shipped table and trust record, without fits, which this section does not read."""
    folder = tmp_path_factory.mktemp("demo") / "demo"
    folder.mkdir()
    for name in ("study.json", "space.json", "measurements.parquet", "trust.json"):
        shutil.copy(DEMO / name, folder / name)
    return open_study(folder)


def panels_of(study) -> dict:
    subject = subject_of(study, ReportRequest(), {})
    return {panel.title: panel for panel in measurement_section(subject).panels}


def test_badges_trust_and_int8_are_those_of_the_study(demo):
    panels = panels_of(demo)
    badges = judge(demo.table(), "latency_ms")
    relied = panels["Whether the latencies can be relied on"]
    counts = [f"{badges.count(v):,}" for v in ("passed", "failed", "unknown")]
    assert [row[1] for row in relied.tables[0].rows[1:]] == counts
    assert len(relied.figures) == 1
    trust = panels["Whether the supernet's ranking can be trusted"]
    assert trust.sentences[0].startswith("Kendall's tau")
    int8 = panels["What int8 costs and wins"]
    assert list(int8.points) == compare_precisions([("demo", demo.table())]).sentences()


def test_trust_beside_other_weights_says_so(demo, tmp_path):
    folder = tmp_path / "other"
    shutil.copytree(demo.folder, folder)
    (folder / "supernet.safetensors").write_bytes(b"other weights")
    said = panels_of(open_study(folder))["Whether the supernet's ranking can be trusted"].points
    assert any("another one now" in sentence for sentence in said)


def test_a_damaged_trust_record_is_a_sentence(demo, tmp_path):
    folder = tmp_path / "damaged"
    shutil.copytree(demo.folder, folder)
    (folder / "trust.json").write_text("{")
    [said] = panels_of(open_study(folder))[
        "Whether the supernet's ranking can be trusted"
    ].sentences
    assert "trust.json" in said


def test_a_plain_table_has_no_more_than_it_has(tmp_path):
    panels = panels_of(study_of(tmp_path))
    assert list(panels) == ["What was measured", "Whether the latencies can be relied on"]
    [table] = panels["What was measured"].tables
    median = float(pd.Series(TABLE.values("accuracy")).median())
    assert table.rows[0][:3] == ("Top-1 accuracy", "%", "150")
    assert table.rows[0][4] == f"{median:.2f}"


def test_unknown_order_of_blocks_is_said(tmp_path):
    subject = subject_of(study_of(tmp_path), ReportRequest(), fitted())
    table = replace(TABLE, ordered=False)
    silent = create_study(tmp_path / "silent", TABLE.space, name="Silent", table=table)
    unordered = subject_of(silent, ReportRequest(), {})
    assert not any("order" in s for s in measurement_section(subject).sentences)
    assert any("order of the blocks" in s for s in measurement_section(unordered).sentences)
