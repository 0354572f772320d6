"""A study of cells, from the command line: everything that needs no supernet."""

import json

import numpy as np
import pandas as pd
import pytest
from cell_study import true_values

from foxnas_core.__main__ import main
from foxnas_core.families import family_of
from foxnas_core.families.nasbench201.space import (
    cell_number,
    cell_string,
    numbered_cells,
    operations_of,
)
from foxnas_core.study import open_study


def ask(capsys, *arguments) -> dict:
    assert main([*map(str, arguments), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_search_finds_the_best_cell_of_the_true_law(cell_study, capsys):
    space = cell_study.space
    every = space.encode(list(map(space.architecture, space.group_options("cell"))))
    truth = true_values(every)
    found = ask(capsys, "search", "--study", cell_study.folder, "--latency-budget", 2.5)
    assert found["exact"] is not None
    chosen = true_values(space.encode([space.architecture(found["best"]["architecture"])]))
    allowed = truth["latency_ms"] <= 2.52
    assert chosen["accuracy"][0] >= truth["accuracy"][allowed].max() - 0.15
    assert chosen["latency_ms"][0] <= 2.52


def test_effects_are_those_of_the_true_law(cell_study, capsys):
    found = ask(capsys, "fit", "--study", cell_study.folder)["targets"]
    assert set(found) == {"accuracy", "latency_ms"}
    assert all(target["cv"]["r2"] > 0.99 for target in found.values())


@pytest.mark.parametrize("way", ["string", "number", "json", "id"])
def test_a_cell_is_named_as_one_likes(cell_study, capsys, way):
    one = cell_study.table().architectures()[3]
    cell = operations_of(one)
    named = {
        "string": cell_string(cell), "number": cell_number(cell), "id": one.id,
        "json": json.dumps(one.to_dict()),
    }[way]  # fmt: skip
    command = ("counterfactual", "--study", cell_study.folder, "--architecture", named)
    assert ask(capsys, *command, "--gain", 1)["id"] == one.id


def test_what_names_no_cell_is_told_why(cell_study, capsys):
    command = ["counterfactual", "--study", str(cell_study.folder), "--gain", "1"]
    assert main([*command, "--architecture", "|conv~0|"]) == 2
    said = capsys.readouterr().err
    assert "neither a file nor the id" in said and "is no cell" in said


def test_a_report_is_written_of_a_cell(cell_study, tmp_path, capsys):
    text = family_of(cell_study.space).write(
        cell_study.space, cell_study.table().architectures()[0]
    )
    out = tmp_path / "report.html"
    command = ("report", "--study", cell_study.folder, "--out", out, "--architecture", text)
    ask(capsys, *command)
    assert "skip_connect" in out.read_text()


def test_the_benchmark_is_imported_by_its_strings(tmp_path, capsys):
    cells = numbered_cells()[:60]
    file = tmp_path / "bench.csv"
    noise = np.random.default_rng(0).normal(0, 0.1, 60)
    pd.DataFrame(
        {"arch": map(cell_string, cells), "acc": 70 + noise, "latency_ms": 2 + noise / 10}
    ).to_csv(file, index=False)
    study = tmp_path / "bench"
    ask(
        capsys, "import", file, "--study", study, "--space", "nasbench201",
        "--map", "architecture=arch", "--map", "accuracy=acc", "--accuracy-unit", "percent",
    )  # fmt: skip
    table = open_study(study).table()
    assert [operations_of(a) for a in table.architectures()] == list(cells)
