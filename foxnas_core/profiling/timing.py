"""How long each operator of a model takes, by ONNX Runtime's profiler.

The profiler writes whole microseconds, and its own work on an operator, some microseconds, is in
the operator's time: more than a small operator takes. It grows with the number of inputs, so it is
measured on chains of operators that do next to nothing, as the difference between their times with
the profiler and without.
"""

import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper

from foxnas_core.measurement.latency import warm_up_of
from foxnas_core.measurement.runner import bound_session, onnxruntime_options, timed
from foxnas_core.supernet.onnx import session_of

_EVENT = "_kernel_time"
# Inputs of a chain's operators, and how many of these it has.
_FEW, _MANY, _LENGTH = 2, 9, 20


@dataclass(frozen=True)
class Operator:
    """An operator of the graph that runs, what it is named by and the tensors that it gives."""

    kind: str
    name: str
    gives: tuple[str, ...]
    inputs: int


@dataclass(frozen=True)
class Profiled:
    """Operators in the order in which they run, and the time of each (operators,) in ms, the
    profiler's own work in it."""

    operators: tuple[Operator, ...]
    ms: np.ndarray


def latency_of(model: bytes, image: np.ndarray, runs: int) -> float:
    """The 10th percentile of a run's time (ms), without the profiler, as the latency meter takes
    it."""
    run = bound_session(session_of(model), image)
    return timed(run, runs, warm_up_of(runs)).tenth


def profiled(model: bytes, image: np.ndarray, runs: int) -> Profiled:
    """The 10th percentile of each operator's time over `runs`, in a session of its own."""
    with tempfile.TemporaryDirectory() as folder:
        options = onnxruntime_options(1)
        options.enable_profiling = True
        options.profile_file_prefix = str(Path(folder) / "profile")
        session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        run = bound_session(session, image)
        warm_up = warm_up_of(runs)
        for _ in range(warm_up + runs):
            run()
        events = json.loads(Path(session.end_profiling()).read_text())
    nodes = [e for e in events if e.get("cat") == "Node" and e["name"].endswith(_EVENT)]
    # Operators run in one order always.
    count = len(nodes) // (warm_up + runs)
    assert count * (warm_up + runs) == len(nodes)
    times = np.array([e["dur"] for e in nodes], dtype=float).reshape(-1, count)[warm_up:]
    gives = _gives(model)
    operators = tuple(
        Operator(
            e["args"]["op_name"],
            name := e["name"].removesuffix(_EVENT),
            gives.get(name, ()),
            len(e["args"]["input_type_shape"]),
        )
        for e in nodes[:count]
    )
    return Profiled(operators, np.array([tenth(t) for t in times.T]) / 1000)


def tenth(times: np.ndarray) -> float:
    """The 10th percentile of times that were cut down to whole numbers.

    A time of n is taken to lie anywhere from n to n + 1 alike, as is usual for grouped values.
    """
    values, counts = np.unique(times, return_counts=True)
    shares = np.cumsum(counts) / len(times)
    place = int(np.searchsorted(shares, 0.1))
    below = shares[place - 1] if place else 0.0
    return float(values[place] + (0.1 - below) / (shares[place] - below))


def profiler_work(runs: int) -> Callable[[Sequence[int]], np.ndarray]:
    """What the profiler adds to operators (ms), by how many inputs each has; measured now."""
    costs = []
    for inputs in (_FEW, _MANY):
        model, image = chain(inputs), np.ones((1, 8, 1, 1), dtype=np.float32)
        found = profiled(model, image, runs)
        costs.append((found.ms.sum() - latency_of(model, image, runs)) / len(found.operators))
    slope = max(0.0, (costs[1] - costs[0]) / (_MANY - _FEW))
    base = costs[0] - _FEW * slope
    return lambda inputs: (base + slope * np.asarray(inputs)).clip(0)


def chain(inputs: int) -> bytes:
    """A model of operators that each take `inputs` tensors of eight numbers."""
    ones = [
        numpy_helper.from_array(np.ones((1, 8, 1, 1), dtype=np.float32), f"one{i}")
        for i in range(inputs - 1)
    ]
    nodes = [
        helper.make_node("Min", [f"x{i}", *(one.name for one in ones)], [f"x{i + 1}"], f"min{i}")
        for i in range(_LENGTH)
    ]
    float32 = onnx.TensorProto.FLOAT
    ends = [
        helper.make_tensor_value_info(name, float32, [1, 8, 1, 1]) for name in ("x0", f"x{_LENGTH}")
    ]
    graph = helper.make_graph(nodes, "chain", ends[:1], ends[1:], ones)
    opset = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()


def _gives(model: bytes) -> dict[str, tuple[str, ...]]:
    """The tensors that each named operator of the graph that runs gives."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "optimized.onnx"
        options = onnxruntime_options(1)
        options.optimized_model_filepath = str(file)
        onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        nodes = onnx.load(file).graph.node
    return {node.name: tuple(node.output) for node in nodes if node.name}
