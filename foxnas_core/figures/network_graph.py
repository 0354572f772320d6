"""A network's operators as a graph from top to bottom, block by block; a block is one box until it
is opened. A page draws it (`pages/shared/network_graph.js`); what it shows is settled here."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from foxnas_core.figures.layer_tables import shape_text
from foxnas_core.figures.layered import Placed, layered
from foxnas_core.figures.model_graph import price_words
from foxnas_core.figures.operators import (
    BLOCK,
    COLUMNS,
    MACS,
    NODE,
    TIME,
    Box,
    boxes_of,
    measure_text,
    measured,
    operator_words,
    within,
)
from foxnas_core.figures.theme import colour_of
from foxnas_core.profiling.result import IMAGE, LayerProfile, NetworkGraph
from foxnas_core.table.metrics import metric_of, suffix_words

# Pixels: of a letter, of a line, beside and above what is written, of the frame of an open block.
_LETTER, _LINE, _ASIDE, _OVER, _FRAME = 6.6, 17.0, 24.0, 7.0, 14.0
_PORT = (10.0, 2.0)


def graph_data(
    graph: NetworkGraph,
    *,
    by: str = MACS,
    profile: LayerProfile | None = None,
    effects: Mapping[str, pd.DataFrame] | None = None,
    words: Mapping[str, str] | None = None,
    opened: Collection[str] = (),
    chosen: str = "",
    differing: Collection[str] = (),
) -> dict[str, Any]:
    """What the page's drawing reads: plain values, ready for JSON.

    `words` say by block what was chosen for it; `opened` names the boxes whose nodes are shown,
    `chosen` what is pointed at and `differing` the boxes to mark. Lines of text have a colour where
    they tell of a target, `share` is that of the greatest of all, opened or not; edges are points
    that they go through and, beside the first, the shape of what they carry.
    """
    drawing = _Drawing(graph, by, profile, effects or {}, words or {}, set(opened))
    placed = drawing.placed
    shown: list[dict[str, Any]] = []
    edges = list(drawing.edges())
    for number, (item, centre) in enumerate(zip(drawing.items, placed.centres, strict=True)):
        left, top = centre - drawing.sizes[number] / 2
        own = {
            "x": float(left), "y": float(top), "w": float(drawing.sizes[number][0]),
            "h": float(drawing.sizes[number][1]),
        }  # fmt: skip
        if not isinstance(item, Box):
            shown.append({**own, "id": "", "kind": "end", "lines": _lines([item]), "label": item})
            continue
        lines = drawing.box_lines(item)
        differs = item.name in differing
        shown.append(
            {
                **own, "id": BLOCK + item.name, "kind": "open" if drawing.is_open(item) else "box",
                "lines": lines, "value": drawing.value(item.nodes), "differs": differs,
                "label": "; ".join(line["text"] for line in lines)
                + ("; differs from the start" if differs else ""),
            }
        )  # fmt: skip
        shown += drawing.nodes(item, left, top)
    for entry in shown:
        entry["chosen"] = bool(chosen) and entry["id"] == chosen
        most = drawing.most.get(entry["kind"], 0.0)
        entry["share"] = entry.pop("value", 0.0) / most if most else 0.0
    return {
        "width": placed.width, "height": placed.height, "shown": shown, "edges": edges,
        "colour": colour_of(COLUMNS[by]), "line": _LINE,
    }  # fmt: skip


def _lines(texts: Sequence[str]) -> list[dict[str, str]]:
    return [{"text": text, "colour": ""} for text in texts]


def _size(lines: Sequence[Mapping[str, str]]) -> np.ndarray:
    longest = max(len(line["text"]) + 2 * bool(line["colour"]) for line in lines)
    return np.array([_ASIDE + _LETTER * longest, 2 * _OVER + _LINE * len(lines)])


class _Drawing:
    """Boxes between the image and the output, and inside of the open ones their nodes."""

    def __init__(
        self,
        graph: NetworkGraph,
        by: str,
        profile: LayerProfile | None,
        effects: Mapping[str, pd.DataFrame],
        words: Mapping[str, str],
        opened: Collection[str],
    ) -> None:
        self._graph, self._by, self._profile = graph, by, profile
        self._effects, self._words, self._opened = effects, words, opened
        self._values = measured(graph, by, profile)
        boxes = boxes_of(graph)
        self.most = {
            "box": max((self.value(box.nodes) for box in boxes), default=0.0),
            "node": float(self._values.max(initial=0.0)),
        }
        read = {place for node in graph.nodes for place in node.reads}
        ends = [place for place in range(len(graph.nodes)) if place not in read]
        out = ", ".join(shape_text(graph.nodes[place].output_shape) for place in ends)
        self.items: list[Box | str] = [
            f"image {shape_text(graph.input_shape)}", *boxes, f"output {out}",
        ]  # fmt: skip
        self._home = {place: n for n, box in enumerate(boxes, 1) for place in box.nodes}
        self._home[IMAGE] = 0
        between = [(p, t) for t, node in enumerate(graph.nodes) for p in node.reads]
        self._between = list(
            dict.fromkeys(
                [(p, self._home[p], self._home[t]) for p, t in between]
                + [(p, self._home[p], len(boxes) + 1) for p in ends]
            )
        )
        self._between = [edge for edge in self._between if edge[1] != edge[2]]
        self._inner = {
            number: self._laid_out(number, box)
            for number, box in enumerate(boxes, 1)
            if self.is_open(box)
        }
        self.sizes = [self._size_of(number, item) for number, item in enumerate(self.items)]
        self.placed = layered(
            np.array(self.sizes), [(source, target) for _, source, target in self._between]
        )

    def is_open(self, box: Box) -> bool:
        return box.name in self._opened

    def value(self, places: Sequence[int]) -> float:
        return float(self._values[list(places)].sum())

    def box_lines(self, box: Box) -> list[dict[str, str]]:
        """What is written on a block."""
        told = _lines([box.name])
        if words := self._words.get(box.block):
            told += _lines([words])
        count = f"{len(box.nodes)} operator{'s' if len(box.nodes) > 1 else ''}"
        told += [*_lines([f"{count}, {self._text(box.nodes)}"]), *self._prices(box.block)]
        return told

    def _prices(self, slot: str) -> list[dict[str, str]]:
        """What a slot brings in each target."""
        told = []
        for column, table in self._effects.items():
            for row in table.to_dict("records"):
                if slot in row["slots"]:
                    price = price_words(row, metric_of(column)).partition(" against ")[0]
                    # Beside the study's own latency one says whose it is.
                    device = suffix_words(column.partition(":")[2])
                    text = f"{price.removeprefix(f'{slot}: ')} {device}".strip()
                    told.append({"text": text, "colour": colour_of(column)})
        return told

    def nodes(self, box: Box, left: float, top: float) -> list[dict[str, Any]]:
        """The nodes of an open box that stands there."""
        if not self.is_open(box):
            return []
        inner = self._inner[self._home[box.nodes[0]]]
        dx, dy = left + inner.left, top + inner.top
        found = []
        for place in box.nodes:
            lines = self._node_lines(place)
            size = inner.sizes[inner.local[place]]
            x, y = inner.placed.centres[inner.local[place]] - size / 2
            found.append(
                {
                    "x": float(dx + x), "y": float(dy + y), "w": float(size[0]),
                    "h": float(size[1]), "id": f"{NODE}{place}", "kind": "node", "lines": lines,
                    "value": self.value([place]), "differs": False,
                    "label": f"{self._graph.names[place]}: "
                    + ", ".join(line["text"] for line in lines),
                }
            )  # fmt: skip
        return found

    def edges(self) -> list[dict[str, Any]]:
        """All edges as drawn, those inside of open boxes after those between."""
        found = []
        for (place, source, target), route in zip(self._between, self.placed.routes, strict=True):
            points = route.copy()
            for end, number, port in ((0, source, ("out", place)), (-1, target, ("in", place))):
                if number in self._inner:
                    points[end, 0] = self._corner(number)[0] + self._inner[number].port(port)
            found.append(self._edge(points, place, told=True))
        for number, inner in self._inner.items():
            corner = self._corner(number) + np.array([inner.left, inner.top])
            told: set[int] = set()
            for place, ends, route in zip(
                inner.carried, inner.ends, inner.placed.routes, strict=True
            ):
                # From a box's edge to its frame there is a way still.
                points = route + corner
                if ends[0]:
                    points[0, 1] = self._corner(number)[1]
                if ends[1]:
                    points[-1, 1] = self._corner(number)[1] + self.sizes[number][1]
                found.append(self._edge(points, place, told=not any(ends) and place not in told))
                told.add(place)
        return found

    def _edge(self, points: np.ndarray, place: int, *, told: bool) -> dict[str, Any]:
        shape = shape_text(self._graph.shape_of(place)) if told else ""
        return {"points": points.round(1).tolist(), "label": shape}

    def _corner(self, number: int) -> np.ndarray:
        corner: np.ndarray = self.placed.centres[number] - self.sizes[number] / 2
        return corner

    def _size_of(self, number: int, item: Box | str) -> np.ndarray:
        if not isinstance(item, Box):
            return _size(_lines([item]))
        head = _size(self.box_lines(item))
        if number not in self._inner:
            return head
        inner = self._inner[number].placed
        width = max(head[0], inner.width + 2 * _FRAME)
        self._inner[number].left = (width - inner.width) / 2
        self._inner[number].top = head[1]
        return np.array([width, head[1] + inner.height])

    def _laid_out(self, number: int, box: Box) -> "_Inner":
        graph = self._graph
        enter = list(dict.fromkeys(p for p, _, target in self._between if target == number))
        leave = list(dict.fromkeys(p for p, source, _ in self._between if source == number))
        sizes = [np.array(_PORT)] * len(enter)
        sizes += [_size(self._node_lines(place)) for place in box.nodes]
        sizes += [np.array(_PORT)] * len(leave)
        first = len(enter)
        local = {place: first + n for n, place in enumerate(box.nodes)}
        entry = {place: n for n, place in enumerate(enter)}
        exits = {place: first + len(local) + n for n, place in enumerate(leave)}
        carried, ends, edges = [], [], []
        for place in box.nodes:
            for source in dict.fromkeys(graph.nodes[place].reads):
                outside = source not in local
                carried.append(source)
                ends.append((outside, False))
                edges.append((entry[source] if outside else local[source], local[place]))
        for place, port in exits.items():
            carried.append(place)
            ends.append((False, True))
            edges.append((local[place], port))
        placed = layered(np.array(sizes), edges, last=tuple(exits.values()))
        ports = {("in", p): n for p, n in entry.items()} | {("out", p): n for p, n in exits.items()}
        return _Inner(placed, sizes, local, ports, carried, ends)

    def _node_lines(self, place: int) -> list[dict[str, str]]:
        node = self._graph.nodes[place]
        host = within(self._graph, place, self._profile) if self._by == TIME else None
        value = self._text([place]) if self._values[place] else ""
        if host is not None and not value:
            value = f"in {self._graph.nodes[host].kind}"
        lines = _lines([operator_words(node), value] if value else [operator_words(node)])
        # In a cell a part is what is decided on: its last operator tells of it.
        return lines + (self._prices(node.part) if self._is_last(place) else [])

    def _is_last(self, place: int) -> bool:
        node, rest = self._graph.nodes[place], self._graph.nodes[place + 1 :]
        return all((n.block, n.part) != (node.block, node.part) for n in rest)

    def _text(self, places: Sequence[int]) -> str:
        return measure_text(self.value(places), self._by)


@dataclass(eq=False)
class _Inner:
    """The inside of an open box: where its nodes stand, from its frame's `left` and `top`, and
    where edges come in and go out; edges carry what a node gives, and may begin or end outside."""

    placed: Placed
    sizes: list[np.ndarray]
    local: Mapping[int, int]
    ports: Mapping[tuple[str, int], int]
    carried: list[int]
    ends: list[tuple[bool, bool]]
    left: float = 0.0
    top: float = 0.0

    def port(self, port: tuple[str, int]) -> float:
        """How far from the box's left an edge meets it."""
        return self.left + float(self.placed.centres[self.ports[port], 0])
