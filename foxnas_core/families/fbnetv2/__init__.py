"""The family of FBNetV2's space with Split-Attention blocks: stages of elastic width and depth."""

from collections.abc import Mapping
from typing import Any

from foxnas_core.families.family import Extreme, Family, Place
from foxnas_core.families.fbnetv2.counts import network_counts
from foxnas_core.families.fbnetv2.places import network_places
from foxnas_core.families.fbnetv2.space import space_from_settings
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.coding.terms import Lookup
from foxnas_core.space.search_space import SearchSpace


class FBNetV2(Family):
    """Every list of choices goes from what costs least to what costs most."""

    name = "fbnetv2"
    supernet = "foxnas_core.families.fbnetv2.supernet:FBNetV2Supernet"
    network = "foxnas_core.families.fbnetv2.network:FBNetV2Network"

    def space(self, name: str, settings: Mapping[str, Any]) -> SearchSpace:
        return space_from_settings(name, settings)

    def extremes(self, space: SearchSpace) -> dict[Extreme, Architecture]:
        """All first choices, and all last ones."""
        if space.size == 1:
            return {}
        return {
            "smallest": space.architecture({d.name: d.choices[0] for d in space.decisions}),
            "largest": space.architecture({d.name: d.choices[-1] for d in space.decisions}),
        }

    def counts(self, space: SearchSpace, column: str) -> tuple[Lookup, ...]:
        return network_counts(space, column)

    def places(self, space: SearchSpace) -> tuple[Place, ...]:
        return network_places(space)
