"""A benchmark is measured once, batch by batch, and its blocks are summed."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from foxnas_core.__main__ import main
from foxnas_core.cards.analysis import analysis_of
from foxnas_core.cards.given import Given
from foxnas_core.devices.blocks import judged_blocks
from foxnas_core.errors import InvalidInput
from foxnas_core.families import family_of, load_shipped, space_from_dict
from foxnas_core.measurement import device_meters, random_weights
from foxnas_core.measurement.cost import cost_of
from foxnas_core.measurement.here import machine_here
from foxnas_core.progress import Stopped
from foxnas_core.steps.bench import bench
from foxnas_core.steps.bench_networks import planned_networks, sample_size
from foxnas_core.steps.fit import fit_all
from foxnas_core.steps.query import query
from foxnas_core.study import create_study, open_study
from foxnas_core.table.additive import additive_table
from foxnas_core.table.latency_verdicts import usable
from foxnas_core.table.refusals import told_refusals

CALL = 0.01  # ms that each call takes


class Counting:
    """In place of a clock: 1 ms for 100 million MACs, and a call, times `level`; rounds differ by a
    tenth, or by half where `wide` has a column and an id."""

    def __init__(self, columns, runtime="onnxruntime"):
        self.columns, self.measured, self.refused = columns, [], {}
        self.level, self.wide = 1.0, set()
        self.here = machine_here(runtime)

    def measure(self, subnets):
        self.measured += [p.architecture for p in subnets]
        values = [self.level * (CALL + cost_of(p.subnet)["macs"] / 1e8) for p in subnets]
        return [
            {
                name: level
                for c in self.columns
                if p.architecture.id not in self.refused.get(c, ())
                for name, level in self.told(c, p.architecture.id, value).items()
            }
            for p, value in zip(subnets, values, strict=True)
        ]

    def told(self, column, name, value):
        half = 0.25 if (column, name) in self.wide else 0.05
        low, high = (1 - half) * value, (1 + half) * value
        return {column: value, f"low_{column}": low, f"high_{column}": high}

    def record(self):
        return {
            "device": self.here.processor, "threads": 1,
            "runtime": f"{self.here.runtime} {self.here.version}",
            "latency_columns": list(self.columns), "rounds": 5,
        }  # fmt: skip


@pytest.fixture
def meters(monkeypatch):
    """The meters that were asked for, by the first column."""
    made = {}

    def meter_of(device, reference, **how):
        return made.setdefault(device.columns[0], Counting(device.columns, device.runtime.name))

    monkeypatch.setattr(device_meters, "meter_of", meter_of)
    return made


def test_blocks_are_measured_once_and_summed(tmp_path, meters):
    space = load_shipped("fbnet-cifar100")
    study = create_study(tmp_path / "own", space, name="own")
    seen = []

    def stop(progress):
        seen.append(progress)
        if progress.done >= 60:
            raise Stopped

    with pytest.raises(Stopped):
        bench(study, ["onnxruntime"], count=8, report=stop)
    assert len(study.blocks()) == 60 and not len(study.table())
    bench(study, ["onnxruntime"], count=8, report=seen.append)
    meter = meters["latency_ms"]
    assert len(meter.measured) == len(set(meter.measured)) == seen[-1].total == 112 + 8
    assert seen[-1].done == seen[-1].total and 0 <= seen[-1].seconds_left < 60

    study = open_study(study.folder)
    additive = additive_table(space, study.blocks())
    [judged] = [
        own for c, own in judged_blocks(study.table(), study.blocks()).items() if c == "latency_ms"
    ]
    # Of 26 parts whole networks are spared all calls but one.
    assert judged.constant.value == pytest.approx(-25 * CALL)
    assert judged.factor.value == pytest.approx(1) and judged.near_line == 1
    assert judged.call == pytest.approx(CALL) == judged.least
    other = space.sample(1, seed=9)[0]
    known = query(study, other).metrics["latency_ms"]
    assert known.source == "summed" and known.value == pytest.approx(
        additive.of(other)["latency_ms"]
    )
    assert fit_all(study.table(), targets=["latency_ms"])["latency_ms"].predict([other])["value"][
        0
    ] == (pytest.approx(known.value))


def test_networks_lead_from_the_smallest_to_the_largest():
    space = load_shipped("fbnet-imagenet")
    study = SimpleNamespace(space=space)
    planned = planned_networks(study, 40, 0)
    ends = family_of(space).extremes(space)
    assert len(set(planned)) == 40 and planned == planned_networks(study, 40, 0)
    assert planned[:2] == [ends["smallest"], ends["largest"]]
    parts = family_of(space).counts(space, "macs")
    macs = np.hstack([part.columns(space.encode(planned)) for part in parts]).sum(axis=1)
    assert macs[2:10].max() < macs[15:25].mean() < macs[-10:].min()


def test_a_further_device_is_measured_on_the_same_cells(tmp_path, meters):
    space = space_from_dict({
        "format": 1, "name": "cells", "family": "nasbench201", "channels": 4, "cells": 1,
    })  # fmt: skip
    study = create_study(tmp_path / "cells", space, name="cells")
    bench(study, ["onnxruntime"], count=3)
    bench(study, ["onnxruntime", "openvino"], count=4)
    table = study.table()
    assert len(table) == 4 and not study.blocks_file.exists()
    assert len(meters["latency_ms"].measured) == len(meters["latency_ms:openvino"].measured) == 4
    assert not table.lacking("latency_ms:openvino-int8")
    assert {own["weights"] for own in table.record["campaigns"].values()} == {"random"}
    assert sample_size(space) > 12 * 6 * 4


def test_what_the_table_has_is_measured_before_the_seed_s_sample(tmp_path):
    space = load_shipped("nasbench201")
    study = create_study(tmp_path / "cells", space, name="cells")
    known = space.sample(3, seed=9)
    study.append(known, [{"accuracy": 60.0 + i} for i in range(3)])
    assert planned_networks(study, 2, 0) == known[:2]
    planned = planned_networks(study, 5, 0)
    assert planned[:3] == known and len(set(planned)) == 5
    assert set(planned[3:]) <= set(space.sample(5, seed=0))


def test_what_a_runtime_refuses_costs_its_cell_alone(tmp_path, meters, capsys):
    space = space_from_dict({
        "format": 1, "name": "cells", "family": "nasbench201", "channels": 4, "cells": 1,
    })  # fmt: skip
    study = create_study(tmp_path / "cells", space, name="cells")
    fp32, int8 = columns = ("latency_ms:openvino", "latency_ms:openvino-int8")
    meter = meters[fp32] = Counting(columns, "openvino")
    first, second, _ = (a.id for a in planned_networks(study, 3, 0))
    meter.refused = {fp32: {first: "no pooling"}, int8: {first: "no pooling", second: "too wide"}}
    command = ["bench", "--study", str(study.folder), "--count", "3", "--device", "openvino"]
    assert main(command) == 0
    assert "1 of 3 networks are missing" in capsys.readouterr().err
    table = study.table()
    assert table.known(fp32) == 2 and table.known(int8) == 1
    assert "could not convert or load them: no pooling (1)" in told_refusals(table)[0]
    assert "no pooling" in " ".join(
        analysis_of("measurements-verdict").compute(Given(study)).points
    )
    meter.measured.clear()
    assert main(command) == 0 and not meter.measured
    meter.refused = {}
    assert main([*command, "--again"]) == 0
    assert {a.id for a in meter.measured} == {first, second}
    table = study.table()
    assert table.known(fp32) == table.known(int8) == 3 and not told_refusals(table)


def test_what_failed_a_check_is_measured_again_where_asked(tmp_path, meters):
    study = create_study(tmp_path / "cells", load_shipped("nasbench201"), name="cells")
    fp32, int8 = columns = ("latency_ms", "latency_ms:int8")
    meter = meters[fp32] = Counting(columns)
    ids = [a.id for a in planned_networks(study, 3, 0)]
    meter.wide = {(fp32, ids[0])}
    bench(study, ["onnxruntime"], count=3)
    table = study.table()
    assert set(table.frame["id"][~usable(table, fp32)]) == {ids[0]}
    meter.measured.clear()
    bench(study, ["onnxruntime"], count=3)
    assert not meter.measured

    # Another runtime measures its own again, and leaves alone what failed in this one.
    other = meters["latency_ms:openvino"] = Counting(
        ("latency_ms:openvino", "latency_ms:openvino-int8"), "openvino"
    )
    other.wide = {("latency_ms:openvino", ids[0])}
    bench(study, ["openvino"], count=3)
    bench(study, ["openvino"], count=3, again=True)
    before = study.table().frame.set_index("id")
    assert before[fp32].notna().all()

    meter.level, meter.wide = 2.0, set()
    bench(study, ["onnxruntime"], count=3, again=True)
    assert [a.id for a in meter.measured] == [ids[0]]
    after = study.table().frame.set_index("id")
    assert after.loc[ids[0], fp32] == 2 * before.loc[ids[0], fp32]
    assert usable(study.table(), fp32).all()
    pd.testing.assert_frame_equal(after.drop(ids[0]), before.drop(ids[0]))
    # What passed stays as it was.
    assert after.loc[ids[0], int8] == before.loc[ids[0], int8]


def test_models_can_be_made_before_anything_is_measured(tmp_path, meters, monkeypatch):
    asked = []

    def write_models(runtime, subnets, *, kept, **how):
        asked.append((runtime.name, len(subnets), kept.folder))

    monkeypatch.setattr(random_weights, "write_models", write_models)
    study = create_study(tmp_path / "own", load_shipped("fbnet-cifar100"), name="own")
    seen = []
    how = dict(count=2, models=tmp_path / "models", models_only=True)
    bench(study, ["litert", "onnxruntime"], report=seen.append, **how)
    assert sum(count for _, count, _ in asked) == 112 + 2 and not meters
    assert {(n, f) for n, _, f in asked} == {("litert", tmp_path / "models")}
    assert seen[-1].done == seen[-1].total == 2 * 114 and not len(study.blocks())
    with pytest.raises(InvalidInput, match="--device litert"):
        bench(study, ["onnxruntime"], **how)


def test_the_command_begins_a_study_and_tells_its_columns(tmp_path, meters, capsys):
    (tmp_path / "space.json").write_text(json.dumps({
        "format": 1, "name": "cells", "family": "nasbench201", "channels": 4, "cells": 1,
    }))  # fmt: skip
    command = ["bench", "--study", str(tmp_path / "own"), "--count", "2", "--json"]
    assert main(command) == 2 and "--space" in capsys.readouterr().err
    assert main([*command, "--space", str(tmp_path / "space.json"), "--energy"]) == 0
    said = capsys.readouterr()
    document = json.loads(said.out)
    assert document["columns"] == ["latency_ms", "latency_ms:int8"] and document["rows"] == 2
    assert document["sums"] == {} and "Energy is not available" in said.err


def test_what_can_not_be_built_is_refused(tmp_path, meters):
    listed = space_from_dict({
        "format": 1, "name": "own", "family": "listed",
        "decisions": [{"name": "a", "group": "a", "role": "a", "choices": [1, 2]}],
    })  # fmt: skip
    study = create_study(tmp_path / "listed", listed, name="listed")
    with pytest.raises(InvalidInput, match="can't be built"):
        bench(study, ["onnxruntime"])
    cells = create_study(tmp_path / "cells", load_shipped("nasbench201"), name="cells")
    with pytest.raises(InvalidInput, match="one --device"):
        bench(cells, ["onnxruntime", "openvino"], name="mine")
    assert not meters
