import json

import numpy as np
import onnx
import pytest

from foxnas_core.__main__ import main
from foxnas_core.export.exporter import run_onnx
from foxnas_core.export.untrained import FILE
from foxnas_core.families import family_of, load_shipped
from foxnas_core.study import create_study

SPACE = load_shipped("nasbench201")


@pytest.fixture
def weightless(tmp_path):
    return create_study(tmp_path / "cells", SPACE, name="Cells")


def test_a_network_without_weights_is_exported_with_random_ones_that_say_so(
    weightless, tmp_path, capsys
):
    cell = family_of(SPACE).extremes(SPACE)["smallest"]
    out = tmp_path / "out"
    command = ["export", "--study", str(weightless.folder), "--out", str(out), "--random-weights"]
    named = ["--architecture", family_of(SPACE).write(SPACE, cell)]
    assert main([*command, *named, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["files"] == ["architecture.json", FILE] and "random" in FILE
    assert json.loads((out / "architecture.json").read_text())["architecture"] == cell.to_dict()
    content = (out / FILE).read_bytes()
    properties = {p.key: p.value for p in onnx.load_from_string(content).metadata_props}
    assert properties["weights"].startswith("random") and properties["architecture"] == cell.id
    assert run_onnx(content, np.zeros((2, 3, 32, 32), np.float32)).shape == (2, 10)
    command[4] = str(tmp_path / "other")
    assert main([*command, *named, "--formats", "torch"]) == 2
    assert "--random-weights writes one file" in capsys.readouterr().err


def test_what_lacks_weights_is_told_of_random_ones(weightless, tmp_path, capsys):
    command = ["export", "--study", str(weightless.folder), "--out", str(tmp_path / "out")]
    assert main([*command, "--architecture", "3"]) == 2
    assert "--random-weights" in capsys.readouterr().err
