"""The family of V-NAS's networks for volumes: their space, their graph, and what they cost."""

from collections.abc import Mapping
from typing import Any

from foxnas_core.families.family import Extreme, Family, Layout, Row
from foxnas_core.families.volumetric.counts import network_counts
from foxnas_core.families.volumetric.space import (
    CHOICES,
    DEEP,
    FLAT,
    choices_of,
    mixture_of,
    network_of,
    parse_choices,
    plan_of,
    space_from_settings,
    uniform,
)
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.coding.terms import Lookup
from foxnas_core.space.mixture import Mixture
from foxnas_core.space.search_space import SearchSpace


class Volumetric(Family):
    """Its choices are in order of what they cost, so that flat cells are the smallest."""

    name = "volumetric"
    task = "segmentation"
    notation = "2D,P3D,3D,…, the choices of all cells from the image to the masks"
    network = "foxnas_core.families.volumetric.network:VolumetricNetwork"
    supernet = "foxnas_core.families.volumetric.supernet:VolumetricSupernet"

    def space(self, name: str, settings: Mapping[str, Any]) -> SearchSpace:
        return space_from_settings(name, settings)

    def extremes(self, space: SearchSpace) -> dict[Extreme, Architecture]:
        return {"smallest": uniform(space, FLAT), "largest": uniform(space, DEEP)}

    def landmarks(self, space: SearchSpace) -> dict[str, Architecture]:
        """What is chosen by habit: one choice everywhere."""
        return {f"{choice} everywhere": uniform(space, choice) for choice in CHOICES}

    def mixture(self, space: SearchSpace) -> Mixture:
        return mixture_of(space)

    def counts(self, space: SearchSpace, column: str) -> tuple[Lookup, ...]:
        return network_counts(space, column)

    def layout(self, space: SearchSpace) -> Layout:
        """A row a size, the encoder's cells on the left and the decoder's on the right, with skip
        connections between them."""
        plan = plan_of(space)
        most = max(map(len, plan.encoder))
        rows = []
        for level, shape in enumerate(plan.shapes):
            stage = level - plan.first
            own = plan.encoder[stage] if stage >= 0 else ()
            places = [(cell.slot, column) for column, cell in enumerate(own, 1)]
            if level < plan.deepest:
                places.append((plan.decoder[-1 - level].slot, most + 1))
            title = f"{'×'.join(map(str, shape))}, {plan.widths[level]} channels"
            rows.append(Row(title, tuple(places), skip=level in plan.skips))
        return Layout((*(f"encoder {n}" for n in range(1, most + 1)), "decoder"), tuple(rows))

    def write(self, space: SearchSpace, architecture: Architecture) -> str:
        return ",".join(choices_of(architecture))

    def read(self, space: SearchSpace, text: str) -> Architecture:
        return network_of(space, parse_choices(space, text))
