"""Which layers the operators that ONNX Runtime runs come from.

ONNX Runtime rewrites a graph before it runs it: it fuses a convolution with the activation and the
addition after it, quantizes pairs of operators into one, and adds changes of layout. So each node
of the graph it is given gets a mark, as its name and as the name of what it gives, and what runs in
the end is told by the marks that are left. An operator without a mark is of no layer; a node whose
mark is gone was fused into a neighbour, and where that is another layer's, the two have one time.
"""

import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import onnx

_MARK = re.compile(r"#(\d+)#")
QUANTIZING = ("QuantizeLinear", "DequantizeLinear")
# What ONNX Runtime adds where operators want their tensors laid out differently.
_LAYOUT = ("ReorderInput", "ReorderOutput", "Transpose")
# What may give a fused operator its body, while the rest are what comes after.
_BODIES = ("Conv", "ConvTranspose", "Gemm", "MatMul", "Pad")


def node_origins(model: onnx.ModelProto, first: onnx.ModelProto) -> tuple[int | None, ...]:
    """The node of `first` that each node of `model`, a rewritten form of it, does the work of.

    What quantizes a tensor, or undoes it, belongs to the node that gave the tensor, and to none
    where that is the image. A node whose result `first` lacks belongs to the next result that it
    has.
    """
    known = {t: number for number, node in enumerate(first.graph.node) for t in node.output}
    nodes = list(model.graph.node)
    images = {entry.name for entry in model.graph.input}
    quantized: dict[str, str] = {}
    found: list[int | None] = []
    for node in nodes:
        told = list(node.output)
        if node.op_type in QUANTIZING:
            tensor = quantized[node.output[0]] = quantized.get(node.input[0], node.input[0])
            told.insert(0, tensor)
        found.append(next((known[tensor] for tensor in told if tensor in known), None))
    readers = _readers(nodes)
    for number in reversed(range(len(nodes))):
        outputs = nodes[number].output
        if found[number] is None and not any(quantized.get(t) in images for t in outputs):
            after = [found[reader] for tensor in outputs for reader in readers.get(tensor, [])]
            found[number] = next((origin for origin in after if origin is not None), None)
    return tuple(found)


def marked(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy of the model whose nodes, and the tensors they give, are named by their number."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    graph, names = copy.graph, dict[str, str]()
    for number, node in enumerate(graph.node):
        node.name = f"#{number}#"
    if any(a.HasField("g") or a.graphs for node in graph.node for a in node.attribute):
        return copy  # branches and loops may read any tensor by its name
    del graph.value_info[:]
    for number, node in enumerate(graph.node):
        for place, tensor in enumerate(node.output):
            if tensor:
                names[tensor] = f"#{number}#" + (f"_{place}" if place else "")
        node.input[:] = [names.get(tensor, tensor) for tensor in node.input]
        node.output[:] = [names.get(tensor, tensor) for tensor in node.output]
    for entry in graph.output:
        entry.name = names.get(entry.name, entry.name)
    return copy


def mark_of(kind: str, name: str, gives: Sequence[str]) -> int | None:
    """The number of the node that an operator of this kind does: its name tells, or else what it
    gives; None for changes of layout that ONNX Runtime added."""
    for told in (name, *(() if kind in _LAYOUT else gives)):
        if match := _MARK.search(told):
            return int(match[1])
    return None


@dataclass(frozen=True)
class Attribution:
    """`groups` are the layers in order, those together that some operator computes together;
    `group_of` tells the group of a node, None where it is of no layer. `hosts` are, by nodes that
    are gone, the nodes that do what they did."""

    groups: tuple[tuple[str, ...], ...]
    hosts: Mapping[int, int]
    _layers: tuple[str | None, ...]

    def group_of(self, node: int | None) -> int | None:
        layer = None if node is None else self._layers[node]
        if layer is None:
            return None
        return next(i for i, group in enumerate(self.groups) if layer in group)


def attribute(
    model: onnx.ModelProto,
    layers: Sequence[str | None],
    order: Sequence[str],
    left: set[int],
) -> Attribution:
    """Join the layers that ONNX Runtime computes together.

    `layers` are those of the nodes of `model`, `order` all layers of the network and `left` the
    nodes that still run. A node that is gone was fused with nodes of its own layer
    where one that still runs is next to it; else an activation, a norm or an addition was fused
    into what it follows, and a convolution into what follows it. A layer without any node in
    `model` was folded into the layer before it when the model was written, as norms are.
    """
    graph = _Graph(model, layers, left)
    leader = {name: name for name in order}

    def root(name: str) -> str:
        while leader[name] != name:
            name = leader[name]
        return name

    def join(one: str, other: str) -> None:
        first, second = sorted((root(one), root(other)), key=list(order).index)
        leader[second] = first

    gone = [number for number in range(len(layers)) if number not in left]
    hosts = {number: host for number in gone if (host := graph.host(number)) is not None}
    for number, host in hosts.items():
        if (own := layers[number]) is not None and (theirs := layers[host]):
            join(own, theirs)
    present = set(layers)
    for before, name in itertools.pairwise(order):
        if name not in present:
            join(before, name)
    groups: dict[str, list[str]] = {}
    for name in order:
        groups.setdefault(root(name), []).append(name)
    return Attribution(tuple(map(tuple, groups.values())), hosts, tuple(layers))


class _Graph:
    def __init__(
        self, model: onnx.ModelProto, layers: Sequence[str | None], left: set[int]
    ) -> None:
        self._nodes, self._layers, self._left = list(model.graph.node), layers, left
        self._givers = {t: i for i, node in enumerate(self._nodes) for t in node.output}
        self._readers = _readers(self._nodes)
        # What comes of weights alone is computed when the model is loaded, and never runs.
        images = {entry.name for entry in model.graph.input}
        self._running: set[int] = set()
        for number, node in enumerate(self._nodes):
            if images & set(node.input) or any(g in self._running for g in self._before(number)):
                self._running.add(number)

    def host(self, number: int) -> int | None:
        """The node that still runs and does what node `number`, which is gone, did."""
        kind = self._nodes[number].op_type
        if number not in self._running or kind == "Identity":
            return None
        ahead, behind = self._reached(number, self._after), self._reached(number, self._before)
        near = [n for n in (*behind, *ahead) if self._layers[n] == self._layers[number]]
        if near:
            return near[0]
        return next(iter(ahead + behind if kind in _BODIES else behind + ahead), None)

    def _reached(self, number: int, step: Callable[[int], list[int]]) -> list[int]:
        """The nodes left that are next to node `number`, over such as are gone."""
        found: list[int] = []
        seen, waiting = {number}, [number]
        while waiting:
            for other in step(waiting.pop(0)):
                if other in seen or other not in self._running:
                    continue
                seen.add(other)
                if other in self._left:
                    found.append(other)
                else:
                    waiting.append(other)
        return found

    def _before(self, number: int) -> list[int]:
        """Nodes whose results it reads: those that nobody else reads, which alone can be fused
        with it, first, and the later before the earlier."""
        givers = {self._givers[t] for t in self._nodes[number].input if t in self._givers}
        return sorted(givers, key=lambda g: (len(self._after(g)), -g))

    def _after(self, number: int) -> list[int]:
        return [r for t in self._nodes[number].output for r in self._readers.get(t, [])]


def _readers(nodes: Sequence[onnx.NodeProto]) -> dict[str, list[int]]:
    readers: dict[str, list[int]] = {}
    for number, node in enumerate(nodes):
        for tensor in node.input:
            readers.setdefault(tensor, []).append(number)
    return readers
