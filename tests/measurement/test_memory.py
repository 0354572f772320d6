import onnx
import pytest
from onnx import TensorProto, helper

from foxnas_core.measurement import memory, peak
from foxnas_core.measurement.campaign import prepare
from foxnas_core.measurement.memory import MemoryMeter, peak_of
from foxnas_core.tasks.classification import Classification

TELLS = pytest.mark.skipif(not peak.can_tell(), reason="the system tells no peak memory")


def padded(shape: tuple[int, int], mib: int) -> bytes:
    """A model whose middle holds `mib` MiB of floats: its input repeated, then summed up."""
    times = helper.make_tensor("times", TensorProto.INT64, [2], [1, mib * 2**18 // shape[1]])
    axes = helper.make_tensor("axes", TensorProto.INT64, [1], [1])
    ends = [
        helper.make_tensor_value_info("image", TensorProto.FLOAT, shape),
        helper.make_tensor_value_info("logits", TensorProto.FLOAT, (shape[0], 1)),
    ]
    nodes = [
        helper.make_node("Tile", ["image", "times"], ["tiled"]),
        helper.make_node("ReduceSum", ["tiled", "axes"], ["logits"]),
    ]
    graph = helper.make_graph(nodes, "padded", ends[:1], ends[1:], [times, axes])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString()


@TELLS
def test_the_peak_is_what_the_model_holds():
    small, large = (peak_of(padded((1, 1024), mib), (1, 1024)) for mib in (8, 64))
    # The runtime takes memory in blocks that it doubles.
    assert 0.9 < (large - small) / (56 * 1024) < 2.5


@TELLS
def test_both_precisions_are_measured_and_recorded(tiny_checkpoint, tiny_dataset):
    task = tiny_checkpoint.task
    largest = tiny_checkpoint.supernet.space.extreme("largest")
    prepared = prepare(tiny_checkpoint, largest, tiny_dataset.training)
    meter = MemoryMeter(tiny_dataset.training, task=task)
    [row] = meter.measure([prepared])
    assert set(row) == {"memory_kib", "memory_kib:int8"}
    # More than nothing, and less than the runtime itself.
    assert all(1 < value < 20_000 for value in row.values())
    assert "not available" not in meter.record()["memory"]


def test_a_system_that_tells_nothing_has_no_column(tiny_dataset, monkeypatch):
    monkeypatch.setattr(memory, "can_tell", lambda: False)
    meter = MemoryMeter(tiny_dataset.training, task=Classification(0.5, 0.25))
    assert meter.measure([None]) == [{}]
    assert "not available on this device" in meter.record()["memory"]


def test_whether_the_system_tells_is_found_out_by_trying(monkeypatch, tmp_path):
    monkeypatch.setattr(peak, "_OWN", tmp_path)
    assert not peak.can_tell()
    (tmp_path / "status").write_text("VmHWM:\t 20 kB\nVmRSS:\t 12 kB\n")
    assert peak.can_tell() and peak._kib("VmHWM") == 20
    (tmp_path / "status").write_text("Name:\tpython\n")
    assert not peak.can_tell()
