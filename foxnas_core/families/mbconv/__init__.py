"""The once-for-all MBConv family: stages of inverted residual blocks."""

from collections.abc import Mapping
from typing import Any, ClassVar

from foxnas_core.families.family import Family, FamilyForm, Place
from foxnas_core.families.mbconv.counts import subnet_counts
from foxnas_core.families.mbconv.forms import published_parts
from foxnas_core.families.mbconv.keys import keyed_places
from foxnas_core.families.mbconv.lists import LISTS, choices_of
from foxnas_core.families.mbconv.space import space_from_settings
from foxnas_core.families.mbconv.steps import cost_step_parts, step_parts
from foxnas_core.space.coding.terms import Lookup
from foxnas_core.space.search_space import SearchSpace


class MBConv(Family):
    """Its sizes are whole numbers, so it has a smallest and a largest subnet."""

    name = "mbconv"
    supernet = "foxnas_core.families.mbconv.supernet:Supernet"
    network = "foxnas_core.families.mbconv.subnet:subnet_of"
    lists = LISTS
    forms: ClassVar = {
        "foxnas": FamilyForm("FOX-NAS, as published", published_parts, order_free=True),
        "steps": FamilyForm("Steps, shrunk together", step_parts, costs=cost_step_parts),
    }

    def space(self, name: str, settings: Mapping[str, Any]) -> SearchSpace:
        return space_from_settings(name, settings)

    def counts(self, space: SearchSpace, column: str) -> tuple[Lookup, ...]:
        return subnet_counts(space, column)

    def keyed_places(self, space: SearchSpace) -> tuple[tuple[Place, ...], ...]:
        return keyed_places(space)

    def from_lists(self, space: SearchSpace, lists: Mapping[str, Any]) -> dict[str, Any]:
        return choices_of(space, lists)
