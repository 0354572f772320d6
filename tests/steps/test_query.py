"""What is known of one architecture, measured before predicted."""

import json
from dataclasses import replace

import numpy as np
import pytest
from cell_study import COSTS, SPACE, cell_study, true_values
from conftest import DEMO

from foxnas_core.__main__ import main
from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.families import family_of
from foxnas_core.steps.query import Asked, query
from foxnas_core.study import create_study, open_study
from foxnas_core.table.metrics import COUNTABLE
from foxnas_core.table.sums import all_choice_costs, with_sums

MAIN = ("accuracy", "latency_ms")


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    return cell_study(tmp_path_factory.mktemp("cells") / "cells")


def lookup(capsys, *options) -> dict:
    assert main(["query", "--json", *map(str, options)]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_measured_architecture_has_its_row(cells):
    row = cells.table().frame.iloc[3]
    architecture = cells.table().architectures()[3]
    found = query(cells, architecture, MAIN)
    assert {known.source for known in found.metrics.values()} == {"measured"}
    assert {c: known.value for c, known in found.metrics.items()} == {
        "accuracy": row["accuracy"],
        "latency_ms": row["latency_ms"],
    }


def test_any_other_is_predicted_within_its_interval(cells):
    measured = set(cells.table().frame["id"])
    others = [a for a in SPACE.sample(60, seed=77) if a.id not in measured][:40]
    truth = true_values(SPACE.encode(others))
    held = []
    for at, architecture in enumerate(others):
        for column, known in query(cells, architecture, MAIN).metrics.items():
            assert known.source == "predicted"
            held.append(known.low <= truth[column][at] <= known.high)
    assert np.mean(held) > 0.9


def test_a_cell_is_asked_for_by_string_number_and_file(cells, capsys, tmp_path):
    architecture = cells.table().architectures()[0]
    family = family_of(SPACE)
    string, number = family.write(SPACE, architecture), family.number(SPACE, architecture)
    file = tmp_path / "one.json"
    file.write_text(json.dumps(architecture.to_dict()))
    told = [
        lookup(capsys, "--study", cells.folder, "--architecture", named)
        for named in (string, number, file, architecture.id)
    ]
    assert all(one == told[0] for one in told)
    assert set(told[0]) == {"id", "index", "string", "architecture", "metrics"}
    assert (told[0]["string"], told[0]["index"]) == (string, number)
    for known in told[0]["metrics"].values():
        ends = {"expected", "expected_low", "expected_high"}
        assert set(known) == {"value", "source", "low", "high", *ends}
        assert all(known[end] is None for end in ends)


def test_a_number_means_the_index_that_came_with_the_table(capsys, tmp_path):
    row = '{{"architecture": "{}", "index": {}, "accuracy": {}}}'
    cells = [family_of(SPACE).write(SPACE, a) for a in SPACE.sample(3, seed=1)]
    file = tmp_path / "t.jsonl"
    file.write_text("\n".join(row.format(c, 70 + n, 71.5 + n) for n, c in enumerate(cells)))
    asked = ("--study", str(tmp_path / "s"))
    assert main(["import", str(file), *asked, "--space", "nasbench201", "--json"]) == 0
    capsys.readouterr()
    found = lookup(capsys, *asked, "--architecture", "71")
    assert found["string"] == cells[1] and found["metrics"]["accuracy"]["value"] == 72.5


def test_columns_can_be_asked_for_alone(cells, capsys):
    asked = ("--study", cells.folder, "--architecture", "0")
    assert list(lookup(capsys, *asked, "--metric", "latency_ms")["metrics"]) == ["latency_ms"]
    with pytest.raises(InvalidInput, match=r"'energy_mj' is no column of .*: accuracy, lat"):
        query(cells, cells.table().architectures()[0], ["energy_mj"])


def test_people_read_the_cell_and_where_each_number_is_from(cells, capsys):
    family, architecture = family_of(SPACE), cells.table().architectures()[0]
    command = ["query", "--study", str(cells.folder), "--architecture", architecture.id]
    assert main(command) == 0
    told = capsys.readouterr().out
    assert f"Architecture {architecture.id}, number " in told
    assert family.write(SPACE, architecture) in told and "measured" in told


def test_a_family_without_a_notation_has_neither_string_nor_number(capsys):
    row = open_study(DEMO).table().frame.iloc[0]
    found = lookup(capsys, "--study", DEMO, "--architecture", row["id"])
    assert found["string"] is None and found["index"] is None
    latency = found["metrics"]["latency_ms"]
    assert latency["value"] == row["latency_ms"]
    assert (latency["low"], latency["high"]) == (row["low_latency_ms"], row["high_latency_ms"])


def test_a_study_without_measurements_says_what_to_do(tmp_path):
    study = create_study(tmp_path / "empty", SPACE, name="Empty")
    with pytest.raises(MissingPart, match="has no measurements.*import a table"):
        query(study, family_of(SPACE).reference(SPACE))


def test_what_is_counted_is_told_as_counted_whether_the_table_has_it_or_not(tmp_path):
    demo = open_study(DEMO)
    rows = demo.table().rows(np.arange(800) < 120)
    known = set(rows.frame["id"])
    architecture = next(a for a in demo.space.sample(20, seed=77) if a.id not in known)
    lacking = replace(
        rows, frame=rows.frame.drop(columns=["macs", "parameters"]),
        targets=tuple(t for t in rows.targets if t.column not in COUNTABLE),
    )  # fmt: skip
    told = []
    for name, table in (("whole", rows), ("lacking", lacking)):
        study = create_study(tmp_path / name, demo.space, name=name, table=table)
        told.append(query(study, architecture, COUNTABLE).metrics)
    assert told[0] == told[1]
    for known_of in told[0].values():
        assert known_of.source == "counted" and known_of.low == known_of.value == known_of.high


def test_what_is_a_sum_is_summed_for_whatever_was_not_measured(tmp_path):
    table = cell_study(tmp_path / "noisy", rows=60).table()
    truth = true_values(table.codes)["latency_ms"]
    exact = replace(table, frame=table.frame.assign(latency_ms=truth))
    [costs] = all_choice_costs(exact).values()
    measured = table.architectures()[0]
    other = next(a for a in SPACE.sample(20, seed=5) if a.id not in set(table.frame["id"]))
    want = true_values(SPACE.encode([measured, other]))["latency_ms"]
    # Recovered from the rows, or kept with them: a row that is its sum was never measured then.
    kept = with_sums(exact, replace(costs, rows=0, rank=0))
    for name, own, sources in (
        ("rows", exact, ["measured", "summed"]),
        ("kept", kept, ["summed", "summed"]),
        ("both", with_sums(table, replace(costs, rows=0, rank=0)), ["measured", "summed"]),
    ):
        study = create_study(tmp_path / name, SPACE, name=name, table=own)
        found = [query(study, a, ["latency_ms"]).metrics["latency_ms"] for a in (measured, other)]
        assert [known.source for known in found] == sources
        assert found[1].value == pytest.approx(want[1], abs=1e-9)
        assert (found[1].low is None) == (name != "rows")


def test_costs_of_choices_and_the_network_are_told(tmp_path, capsys):
    table = cell_study(tmp_path / "noisy", rows=60).table()
    truth = true_values(table.codes)["latency_ms"]
    exact = replace(table, frame=table.frame.assign(latency_ms=truth))
    create_study(tmp_path / "exact", SPACE, name="exact", table=exact)
    [(column, told)] = lookup(capsys, "--study", tmp_path / "exact", "--costs")["costs"].items()
    assert (column, told["rank"], told["rows"]) == ("latency_ms", 25, 60)
    np.testing.assert_allclose(told["costs"]["edge_0_1"], COSTS, atol=1e-9)
    asked = ("--study", tmp_path / "exact", "--architecture", "0", "--network")
    assert lookup(capsys, *asked)["network"] == {
        "name": "infer.tiny", "C": 16, "N": 5, "num_classes": 10,
        "arch_str": "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+"
        "|nor_conv_1x1~0|skip_connect~1|skip_connect~2|",
    }  # fmt: skip
    with pytest.raises(MissingPart, match="accuracy is no sum over the choices"):
        Asked(open_study(tmp_path / "exact")).all_costs(["accuracy"])
