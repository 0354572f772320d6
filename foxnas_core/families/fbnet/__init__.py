"""The family of FBNet's layers: its space and its notation."""

from collections.abc import Mapping
from typing import Any

from foxnas_core.families.family import Extreme, Family, Place
from foxnas_core.families.fbnet.counts import network_counts
from foxnas_core.families.fbnet.space import (
    DATASETS,
    LAYERS,
    OPERATIONS,
    SKIP,
    block_name,
    configuration_of,
    ends,
    layer_plans,
    network_of,
    operations_of,
    parse_operations,
    space_from_settings,
)
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.coding.terms import Lookup
from foxnas_core.space.search_space import SearchSpace


class FBNet(Family):
    """Operations have no order, so its extremes are named."""

    name = "fbnet"
    notation = f"{LAYERS} operations or their numbers, with commas between them"
    numbered = True
    network = "foxnas_core.families.fbnet.network:FBNetwork"

    def space(self, name: str, settings: Mapping[str, Any]) -> SearchSpace:
        return space_from_settings(name, settings)

    def extremes(self, space: SearchSpace) -> dict[Extreme, Architecture]:
        """Every layer skipped, and every layer of kernel 5 that expands sixfold."""
        return {
            "smallest": network_of(space, [SKIP] * LAYERS),
            "largest": network_of(space, ["k5_e6"] * LAYERS),
        }

    def counts(self, space: SearchSpace, column: str) -> tuple[Lookup, ...]:
        return network_counts(space, column)

    def places(self, space: SearchSpace) -> tuple[Place, ...]:
        """Stem, layers, header, pooling, classifier."""
        how = configuration_of(space)
        stem, *after = (Place(name, (), {(): block}) for name, block in ends(how).items())
        layers = (
            Place(
                d.slot,
                (d.name,),
                {(choice,): block_name(str(choice), plan) for choice in d.choices},
            )
            for d, plan in zip(space.decisions, layer_plans(how), strict=True)
        )
        return (stem, *layers, *after)

    def write(self, space: SearchSpace, architecture: Architecture) -> str:
        return ",".join(operations_of(architecture))

    def read(self, space: SearchSpace, text: str) -> Architecture:
        return network_of(space, parse_operations(text))

    def dataset(self, space: SearchSpace) -> str:
        return DATASETS[space.settings["dataset"]]

    def configuration(self, space: SearchSpace, architecture: Architecture) -> dict[str, Any]:
        operations = operations_of(architecture)
        return {
            "dataset": self.dataset(space), "num_classes": configuration_of(space).classes,
            "op_idx_list": [OPERATIONS.index(one) for one in operations],
            "arch_str": list(operations),
        }  # fmt: skip
