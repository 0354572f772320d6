"""The time of each layer of one subnet, beside the latency of the whole."""

from collections.abc import Sequence

import numpy as np
import onnx
import onnxruntime

from foxnas_core.measurement.runner import device_name, one_core
from foxnas_core.networks import Network
from foxnas_core.profiling.attribution import (
    QUANTIZING,
    Attribution,
    attribute,
    mark_of,
    marked,
    node_origins,
)
from foxnas_core.profiling.layers import layers_of, path_of, place_of
from foxnas_core.profiling.result import LayerProfile, NodeTime, ProfileRow
from foxnas_core.profiling.timing import Operator, latency_of, profiled, profiler_work
from foxnas_core.space.search_space import SearchSpace

ROUNDS = 5
# Runs of one round without the profiler, as the latency meter makes them, and the most with it.
_RUNS, _PROFILED_RUNS = 400, 100
# An event of the profiler is more than half a kilobyte of text, and a slow network takes its time.
_EVENTS, _ROUND_MS = 20_000, 1000.0


def profile_network(
    network: Network,
    space: SearchSpace,
    *,
    fp32: bytes,
    model: bytes,
    precision: str,
    seed: int = 0,
    rounds: int = ROUNDS,
) -> LayerProfile:
    """Profile `model`, the network in `precision`, whose fp32 model `fp32` tells the layers.

    Each round runs the model without the profiler, with it, and the chains that tell the
    profiler's own work, in an order of its own, each in a session of its own; a time is the median
    over rounds of the 10th percentile of a round's runs. One thread, held to one core.
    """
    first, source = onnx.load_from_string(fp32), onnx.load_from_string(model)
    measured = marked(source).SerializeToString()
    shape = (1, *network.input_shape)
    image = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    rng = np.random.default_rng(seed)
    latencies, times, works = [], [], []
    operators: tuple[Operator, ...] = ()
    with one_core() as held:
        roughly = latency_of(measured, image, 10)
        runs = max(10, min(_RUNS, round(_ROUND_MS / roughly)))
        events = len(source.graph.node)
        few = max(10, min(_PROFILED_RUNS, _EVENTS // events, round(_ROUND_MS / roughly)))
        for _ in range(rounds):
            for task in rng.permutation(3):
                if task == 0:
                    latencies.append(latency_of(measured, image, runs))
                elif task == 1:
                    found = profiled(measured, image, few)
                    operators = found.operators
                    times.append(found.ms)
                else:
                    works.append(profiler_work(_PROFILED_RUNS))
    inputs = [operator.inputs for operator in operators]
    taken = np.array(times)
    middle = np.median(taken, axis=0)
    # At most an operator's time.
    work = np.minimum(np.median([own(inputs) for own in works], axis=0), middle)
    origins = node_origins(source, first)
    marks = [mark_of(o.kind, o.name, o.gives) for o in operators]
    nodes = [None if mark is None else origins[mark] for mark in marks]
    left = {
        node
        for node, operator in zip(nodes, operators, strict=True)
        if node is not None and operator.kind not in QUANTIZING
    }
    attribution = _attribution(network, space, first, left)
    groups = [attribution.group_of(node) for node in nodes]
    return LayerProfile(
        precision,
        _rows(attribution, operators, groups, taken, work),
        float(np.median(latencies)),
        min(latencies),
        max(latencies),
        {
            "device": device_name(),
            "runtime": f"ONNX Runtime {onnxruntime.__version__}",
            "threads": 1,
            "pinned": held,
            "rounds": rounds,
            "runs": runs,
            "profiled_runs": few,
        },
        _node_times(len(first.graph.node), nodes, middle - work, attribution),
    )


def _attribution(
    network: Network, space: SearchSpace, model: onnx.ModelProto, left: set[int]
) -> Attribution:
    names = [layer.name for layer in layers_of(network, space)]
    modules = dict(network.named_modules())

    def layer_of(node: onnx.NodeProto) -> str | None:
        block, part = place_of(network, path_of(node.name, modules), space)
        name = f"{block} {part}".strip()
        return name if name in names else None

    return attribute(model, [layer_of(node) for node in model.graph.node], names, left)


def _node_times(
    count: int, nodes: Sequence[int | None], ms: np.ndarray, attribution: Attribution
) -> tuple[NodeTime, ...]:
    """Of the fp32 model's `count` nodes, from the times `ms` of operators and the nodes that these
    do the work of; what only quantizes for a node that is gone is its time all the same."""
    sums: dict[int, float] = {}
    for node, own in zip(nodes, ms.tolist(), strict=True):
        if node is not None:
            sums[node] = sums.get(node, 0.0) + own
    return tuple(NodeTime(sums.get(n), attribution.hosts.get(n)) for n in range(count))


def _rows(
    attribution: Attribution,
    operators: Sequence[Operator],
    groups: Sequence[int | None],
    times: np.ndarray,
    work: np.ndarray,
) -> tuple[ProfileRow, ...]:
    """`times` (rounds, operators) and `work` (operators,), which is at most an operator's time."""
    middle = np.median(times, axis=0)
    rows = []
    for number, layers in [*enumerate(attribution.groups), (None, ())]:
        own = [i for i, group in enumerate(groups) if group == number]
        if not own and not layers:
            continue
        ms, spent = float((middle - work)[own].sum()), float(work[own].sum())
        sums = times[:, own].sum(axis=1) - spent
        rows.append(
            ProfileRow(
                tuple(layers),
                tuple(operators[i].kind for i in own),
                ms,
                tuple(sums.tolist()),
                spent,
            )
        )
    return tuple(rows)
