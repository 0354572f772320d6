"""The family of spaces whose decisions are simply listed."""

from collections.abc import Mapping
from typing import Any

from foxnas_core.families.family import Family
from foxnas_core.families.listed.space import space_from_settings
from foxnas_core.space.search_space import SearchSpace


class Listed(Family):
    """Nothing is known of its decisions but what the space says."""

    name = "listed"

    def space(self, name: str, settings: Mapping[str, Any]) -> SearchSpace:
        return space_from_settings(name, settings)
