"""The family of DARTS's cells: its space, its genotypes, and where its supernet mixes."""

from collections.abc import Mapping
from typing import Any

from foxnas_core.families.darts.space import (
    CELLS,
    GIVEN,
    MIXTURE,
    NONE,
    OWN_NODES,
    READ,
    edge_name,
    genotype,
    inputs_name,
    parse_genotype,
    read_by,
    space_from_settings,
)
from foxnas_core.families.family import Family, Graph
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.mixture import Mixture
from foxnas_core.space.search_space import SearchSpace


class DARTS(Family):
    """Operations have no order, so it has no extremes."""

    name = "darts"
    notation = "normal=[('sep_conv_3x3', 0), …], reduce=[…], as DARTS writes a genotype"
    network = "foxnas_core.families.darts.network:DARTSNetwork"
    supernet = "foxnas_core.families.darts.supernet:DARTSSupernet"

    def space(self, name: str, settings: Mapping[str, Any]) -> SearchSpace:
        return space_from_settings(name, settings)

    def reference(self, space: SearchSpace) -> Architecture:
        """Separable convolutions of kernel 3 from the two cells before, at every node."""
        choices: dict[str, str] = {}
        for cell in CELLS:
            for node in OWN_NODES:
                choices |= {edge_name(cell, source, node): "sep_conv_3x3" for source in range(READ)}
                if node > READ:
                    choices[inputs_name(cell, node)] = "0,1"
        return space.architecture(choices)

    def graphs(self, space: SearchSpace, architecture: Architecture | None) -> tuple[Graph, ...]:
        nodes = ("in 0", "in 1", *map(str, OWN_NODES))
        found = []
        for cell in CELLS:
            edges = [
                (source, node, edge_name(cell, source, node), operation)
                for node in OWN_NODES
                for source, operation in (
                    read_by(architecture, cell, node)
                    if architecture
                    else dict.fromkeys(range(node), "")
                ).items()
            ]
            found.append(
                Graph.of(
                    nodes,
                    edges,
                    none=NONE,
                    title=f"{cell} cell",
                    inputs=GIVEN,
                    outputs=len(OWN_NODES),
                )
            )
        return tuple(found)

    def mixture(self, space: SearchSpace) -> Mixture:
        return MIXTURE

    def write(self, space: SearchSpace, architecture: Architecture) -> str:
        return genotype(architecture)

    def read(self, space: SearchSpace, text: str) -> Architecture:
        return parse_genotype(space, text)
