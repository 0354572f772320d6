"""Peak memory that the runtime takes for one subnet, in a process of its own."""

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import onnx
from onnx import TensorProto, helper

from foxnas_core.measurement.meter import Prepared
from foxnas_core.measurement.peak import can_tell
from foxnas_core.measurement.precisions import models_of
from foxnas_core.supernet.onnx import INPUT, OUTPUT
from foxnas_core.table.machine import device_columns
from foxnas_core.tasks.dataset import ImageSet
from foxnas_core.tasks.task import Batching

_NOT = "not available on this device: the system does not tell a process's peak memory"
_OPSET, _IR = 17, 8  # as the subnets' own models have


class MemoryMeter:
    """`memory_kib` and `memory_kib:int8`, or the columns of a `device`: by how much loading and
    running a subnet at batch 1 raises the resident memory of a fresh process at its peak (KiB),
    beyond what the runtime took for a model that only hands its input on. No column where the
    system does not tell.
    """

    def __init__(self, calibration: ImageSet, *, task: Batching, device: str | None = None) -> None:
        self._calibration, self._task = calibration, task
        self._columns = device_columns(device, "memory_kib")
        self._can = can_tell()

    def measure(self, subnets: Sequence[Prepared]) -> list[dict[str, float]]:
        return [self._of(prepared) if self._can else {} for prepared in subnets]

    def record(self) -> dict[str, Any]:
        return {"memory": "peak resident, a fresh process a subnet" if self._can else _NOT}

    def _of(self, prepared: Prepared) -> dict[str, float]:
        shape = (1, *prepared.subnet.input_shape)
        models = models_of(prepared, self._calibration, task=self._task)
        return {
            column: peak_of(model, shape)
            for column, model in zip(self._columns, models, strict=True)
        }


def peak_of(model: bytes, shape: tuple[int, ...]) -> float:
    """Peak memory (KiB) of one ONNX model on an input of this shape, at least 1."""
    with tempfile.TemporaryDirectory() as folder:
        trivial, own = Path(folder) / "trivial.onnx", Path(folder) / "model.onnx"
        trivial.write_bytes(_trivial_model(shape))
        own.write_bytes(model)
        command = [sys.executable, "-m", "foxnas_core.measurement.peak", str(trivial), str(own)]
        command += [INPUT, *map(str, shape)]
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
        )
    return max(1.0, float(done.stdout))


def _trivial_model(shape: tuple[int, ...]) -> bytes:
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, shape) for n in (INPUT, OUTPUT)]
    graph = helper.make_graph(
        [helper.make_node("Identity", [INPUT], [OUTPUT])], "trivial", ends[:1], ends[1:]
    )
    opset = helper.make_opsetid("", _OPSET)
    model = helper.make_model(graph, opset_imports=[opset], ir_version=_IR)
    onnx.checker.check_model(model)
    return model.SerializeToString()
