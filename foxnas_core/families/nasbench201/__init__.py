"""The family of NAS-Bench-201's cells: its space, its graph, its notation, and when cells meet."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from foxnas_core.errors import InvalidInput
from foxnas_core.families.family import Extreme, Family, Graph
from foxnas_core.families.nasbench201.canonical import canonical_key, live_key
from foxnas_core.families.nasbench201.counts import network_counts
from foxnas_core.families.nasbench201.forms import CODINGS, FORMS, counting_codes
from foxnas_core.families.nasbench201.space import (
    DATASETS,
    EDGES,
    MIXTURE,
    NODES,
    NONE,
    OPERATIONS,
    SKIP,
    cell_number,
    cell_of,
    cell_string,
    edge_name,
    operations_of,
    parse_cell,
    settings_of,
    space_from_settings,
)
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.coding.terms import Lookup
from foxnas_core.space.mixture import Mixture
from foxnas_core.space.search_space import SearchSpace


class NASBench201(Family):
    """Operations have no order, so its extremes are named."""

    name = "nasbench201"
    forms: ClassVar = FORMS
    codings: ClassVar = CODINGS
    notation = "|op~0|+|op~0|op~1|+|op~0|op~1|op~2|, or its number in NAS-Bench-201"
    numbered = True
    network = "foxnas_core.families.nasbench201.network:CellNetwork"
    supernet = "foxnas_core.families.nasbench201.supernet:CellSupernet"

    def space(self, name: str, settings: Mapping[str, Any]) -> SearchSpace:
        return space_from_settings(name, settings)

    def extremes(self, space: SearchSpace) -> dict[Extreme, Architecture]:
        """The least cell that hands its input on, and the cell of 3×3 convolutions only."""
        # That of `none` only is smaller, but the network would not see its image.
        least = [SKIP if edge == (0, NODES - 1) else NONE for edge in EDGES]
        most = ["nor_conv_3x3"] * len(EDGES)
        return {"smallest": cell_of(space, least), "largest": cell_of(space, most)}

    def mixture(self, space: SearchSpace) -> Mixture:
        return MIXTURE

    def canonical(self, space: SearchSpace, architecture: Architecture) -> str:
        return canonical_key(operations_of(architecture))

    def keys(self, space: SearchSpace, codes: np.ndarray) -> list[str | None]:
        cells, member = np.unique(counting_codes(codes, "live"), axis=0, return_inverse=True)
        found = [live_key(tuple(OPERATIONS[code] for code in cell)) for cell in cells.tolist()]
        return [found[number] for number in member.reshape(-1).tolist()]

    def counts(self, space: SearchSpace, column: str) -> tuple[Lookup, ...]:
        return network_counts(space, column)

    def graphs(self, space: SearchSpace, architecture: Architecture | None) -> tuple[Graph, ...]:
        operations = operations_of(architecture) if architecture else [""] * len(EDGES)
        nodes = ("in", *(str(node) for node in range(1, NODES - 1)), "out")
        edges = zip(EDGES, operations, strict=True)
        return (Graph.of(nodes, ((*e, edge_name(*e), own) for e, own in edges), none=NONE),)

    def write(self, space: SearchSpace, architecture: Architecture) -> str:
        return cell_string(operations_of(architecture))

    def read(self, space: SearchSpace, text: str) -> Architecture:
        return cell_of(space, parse_cell(text))

    def from_list(self, space: SearchSpace, values: Sequence[Any]) -> dict[str, Any]:
        """By the names of its operations: their numbers are not the same in all tools."""
        if len(values) != len(EDGES) or not all(value in OPERATIONS for value in values):
            raise InvalidInput(
                f"{values!r:.80} is no cell; give the names of its {len(EDGES)} operations in the "
                f"order of the edges, of {', '.join(OPERATIONS)}."
            )
        return cell_of(space, tuple(values)).to_dict()

    def number(self, space: SearchSpace, architecture: Architecture) -> int:
        return cell_number(operations_of(architecture))

    def dataset(self, space: SearchSpace) -> str:
        return DATASETS.get(settings_of(space).classes, "")

    def configuration(self, space: SearchSpace, architecture: Architecture) -> dict[str, Any]:
        how = settings_of(space)
        return {
            "name": "infer.tiny", "C": how.channels, "N": how.cells,
            "arch_str": self.write(space, architecture), "num_classes": how.classes,
        }  # fmt: skip
