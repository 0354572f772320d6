"""What is told of one subnet's layers: plain values, without torch and ONNX Runtime."""

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

SQUEEZE = "squeeze-excitation"
IMAGE = -1
"""What a node reads that reads the network's input."""


@dataclass(frozen=True)
class Layer:
    """`block` is the slot of the search space that the layer is in, where it is in one, and `part`
    its place within; `kind` says in words what it is. Shapes are (channels, height, width), or
    what else the tensors have, without the batch; `macs` are those of one image."""

    block: str
    part: str
    kind: str
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    parameters: int
    macs: float

    @property
    def name(self) -> str:
        return f"{self.block} {self.part}".strip()


@dataclass(frozen=True)
class Weight:
    """One tensor of weights in numbers; `zeros` is the share of those that are 0."""

    shape: tuple[int, ...]
    mean: float
    std: float
    least: float
    greatest: float
    zeros: float


@dataclass(frozen=True)
class Node:
    """An operator of an exported network.

    `number` is its place in the model, `block` and `part` are as in `Layer`; `reads` are the places
    in `NetworkGraph.nodes` of what gives its inputs, or `IMAGE`. `parameters` are those trained, so
    what was folded into it is counted with it; `macs` are those of one image, and shapes are
    without the batch.
    """

    number: int
    kind: str
    block: str
    part: str
    reads: tuple[int, ...]
    output_shape: tuple[int, ...]
    parameters: int = 0
    macs: float = 0.0
    attributes: tuple[tuple[str, str], ...] = ()
    weights: tuple[Weight, ...] = ()


@dataclass(frozen=True)
class NetworkGraph:
    """The operators of an exported network, each after what it reads; `weights` says where its
    weights are from."""

    nodes: tuple[Node, ...]
    input_shape: tuple[int, ...]
    weights: str

    @cached_property
    def names(self) -> tuple[str, ...]:
        """A name for each node, of its own: "s1b1 expand Conv"."""
        counts: Counter[str] = Counter()
        found = []
        for node in self.nodes:
            name = " ".join(filter(None, (node.block, node.part, node.kind)))
            counts[name] += 1
            found.append(name if counts[name] == 1 else f"{name} ({counts[name]})")
        return tuple(found)

    def shape_of(self, place: int) -> tuple[int, ...]:
        """What a node gives, or the network's input."""
        return self.input_shape if place == IMAGE else self.nodes[place].output_shape


@dataclass(frozen=True)
class NodeTime:
    """What a node of a model takes, less the profiler's own work: None where ONNX Runtime computes
    it `within` that of another number, or never."""

    ms: float | None
    within: int | None = None


@dataclass(frozen=True)
class ProfileRow:
    """Operators whose time belongs together: those of one layer, of several that are computed
    together, or (`layers` empty) of none.

    `ms` is their time less the profiler's own work on them, `profiler_ms`: the sum of their
    medians over rounds. `rounds_ms` is their time in each round.
    """

    layers: tuple[str, ...]
    operators: tuple[str, ...]
    ms: float
    rounds_ms: tuple[float, ...]
    profiler_ms: float


@dataclass(frozen=True)
class LayerProfile:
    """Where the time of one subnet goes on this machine.

    `rows` are in the order of the layers, those of no layer last, and hold each operator once;
    `nodes` tell the same by the nodes of the fp32 model, in its order.
    `latency_ms` is that of the whole without the profiler: the median over rounds, between the
    rounds' least and greatest.
    """

    precision: str
    rows: tuple[ProfileRow, ...]
    latency_ms: float
    low_ms: float
    high_ms: float
    circumstances: dict[str, Any] = field(default_factory=dict)
    nodes: tuple[NodeTime, ...] = ()

    @property
    def layers_ms(self) -> float:
        return sum(row.ms for row in self.rows if row.layers)

    @property
    def elsewhere_ms(self) -> float:
        """What operators of no layer take: changes of layout, the image's conversion."""
        return sum(row.ms for row in self.rows if not row.layers)

    @property
    def profiler_ms(self) -> float:
        """What the profiler's own work adds to the operators' times."""
        return sum(row.profiler_ms for row in self.rows)

    @property
    def profiled_ms(self) -> float:
        """The sum of the operators' times as the profiler tells them."""
        return self.layers_ms + self.elsewhere_ms + self.profiler_ms

    @property
    def unattributed_ms(self) -> float:
        """The latency less the operators' times: the way from operator to operator, and, where it
        is below 0, what the profiler adds beyond what is known of its own work."""
        return self.latency_ms - self.layers_ms - self.elsewhere_ms
