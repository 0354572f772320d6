"""Tables of what blocks cost, whose sums are what networks cost as far as costs add up."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from foxnas_core.families import family_of
from foxnas_core.families.family import Place
from foxnas_core.space.architecture import Architecture, Value
from foxnas_core.space.coding.counts import added
from foxnas_core.space.coding.terms import Lookup
from foxnas_core.space.decisions import MOST_CHOICES, Decision
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.table.latency_verdicts import without_failed
from foxnas_core.table.measurements import MeasurementTable

BLOCK = "block"
"""The one decision of a space of blocks."""


@dataclass(frozen=True, eq=False)
class AdditiveTable:
    """By column, what each block of a space's `places` costs; one that is not in `costs`, or is
    NaN, is not known, and no more is the sum of what has it."""

    space: SearchSpace
    places: tuple[Place, ...]
    costs: Mapping[str, Mapping[str, float]]

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(self.costs)

    @cached_property
    def blocks(self) -> tuple[str, ...]:
        """The distinct blocks, in the order of the places."""
        return blocks_of(self.places)

    def parts(self, column: str) -> tuple[Lookup, ...]:
        """What each place adds to a column, as parts of one term that are summed."""
        return self._parts[column]

    def sums(self, codes: np.ndarray, column: str) -> np.ndarray:
        """Sums (rows,) of a column for codes (rows, decisions) of `SearchSpace.encode`."""
        codes = codes.astype(np.intp)
        return np.hstack([part.columns(codes) for part in self.parts(column)]).sum(axis=1)

    def of(self, architecture: Architecture) -> dict[str, float]:
        """The sum of each column."""
        codes = self.space.encode([architecture])
        return {column: float(self.sums(codes, column)[0]) for column in self.costs}

    @cached_property
    def _parts(self) -> dict[str, tuple[Lookup, ...]]:
        return {
            column: tuple(self._part(place, column, costs) for place in self.places)
            for column, costs in self.costs.items()
        }

    def _part(self, place: Place, column: str, costs: Mapping[str, float]) -> Lookup:
        def cost(*chosen: Value) -> float:
            block = place.blocks.get(chosen)
            return 0.0 if block is None else costs.get(block, np.nan)

        decisions = [self.space.by_name[name] for name in place.decisions]
        return added(self.space, decisions, cost, column)


def blocks_of(places: Sequence[Place]) -> tuple[str, ...]:
    """The distinct blocks of places, in their order."""
    return tuple(dict.fromkeys(block for place in places for block in place.blocks.values()))


def named_places(space: SearchSpace, names: Collection[str]) -> tuple[Place, ...]:
    """The places of a space's networks, with the names of blocks of which `names` has most; empty
    where networks are no chains of blocks."""
    family = family_of(space)
    ways = [family.places(space), *family.keyed_places(space)]
    return max(
        filter(None, ways),
        key=lambda places: sum(block in names for block in blocks_of(places)),
        default=(),
    )


def block_space(space: SearchSpace) -> SearchSpace | None:
    """The space whose architectures are the blocks of another's networks, so that what was measured
    of them is a table like any; None where those are no chains of blocks, or of too many kinds."""
    blocks = blocks_of(family_of(space).places(space))
    if not 0 < len(blocks) <= MOST_CHOICES:
        return None
    decision = Decision(BLOCK, BLOCK, BLOCK, blocks)
    return SearchSpace(f"blocks of {space.name}"[:100], "listed", (decision,))


def additive_table(space: SearchSpace, blocks: MeasurementTable) -> AdditiveTable:
    """The costs of a space's blocks by what was measured of them: of each the mean of its rows
    that can be relied on, or of all where none can."""
    columns = [target.column for target in blocks.targets]
    sound, every = (
        table.frame.groupby(BLOCK)[columns].mean() for table in (without_failed(blocks), blocks)
    )
    known = sound.fillna(every)
    costs = {
        c: dict(zip(own.index, own, strict=True)) for c in columns if len(own := known[c].dropna())
    }
    return AdditiveTable(space, family_of(space).places(space), costs)
