"""The space of V-NAS (Zhu et al., arXiv 1906.02817): an encoder of residual cells and a decoder, in
each cell of which a convolution is flat, deep, or first one and then the other.

A case is (channels, D, H, W), where D counts the slices: the third axis. Cells are numbered from
the image to the masks; cell 3 is the slot and the decision `cell3`. Groups are the encoder's stages
and the decoder. A network is written as its cells' choices with commas between them.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import Any

from foxnas_core.errors import InvalidInput
from foxnas_core.families.family import whole_settings
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.decisions import Decision
from foxnas_core.space.mixture import Mixture, MixtureEdge
from foxnas_core.space.search_space import SearchSpace

Sides = tuple[int, int, int]
"""Along D, H and W."""
FLAT, PSEUDO, DEEP = "2D", "P3D", "3D"
CHOICES = (FLAT, PSEUDO, DEEP)
KERNELS: Mapping[str, tuple[Sides, Sides]] = {
    FLAT: ((1, 3, 3), (1, 1, 1)),
    PSEUDO: ((1, 3, 3), (3, 1, 1)),
    DEEP: ((3, 3, 3), (1, 1, 1)),
}
"""By choice, how far each of its two convolutions reaches along D, H and W."""
DECODER = "decoder"
# Of the stem that halves, as of the residual networks that the published encoder is built on.
_WIDE_STEM = 7


@dataclass(frozen=True)
class Settings:
    """Sizes of the networks, by default those published but for their widths: `cells` of each stage
    of the encoder and its channels (`widths`), and as many halvings of the image as the `decoder`
    has cells. Between stages there is one; what is left is the stem's. The last `deep_halvings`
    halve D as well as H and W. `pools` are the sides of the pyramid's poolings, in pixels.
    """

    cells: tuple[int, ...] = (3, 4, 6, 3)
    widths: tuple[int, ...] = (64, 128, 256, 512)
    decoder: int = 5
    deep_halvings: int = field(default=5, metadata={"least": 0})
    pools: tuple[int, ...] = (8, 16, 32)
    input_shape: tuple[int, ...] = (64, 96, 96)
    input_channels: int = 1
    classes: int = 2


@dataclass(frozen=True)
class CellPlan:
    """A cell: its slot and group, its channels, and the D, H and W that it sees and leaves."""

    slot: str
    group: str
    width: int
    shape: Sides


@dataclass(frozen=True)
class Plan:
    """A space's networks, whatever their cells compute.

    `stem` is the kernel and the stride of the first convolution, and `widths` and `shapes` are by
    level, from the image's own size down: each is the one before it, halved along the axes that
    `factors` says. Stage n of the encoder stands at level `first` + n, and `encoder` has its cells;
    `decoder` has a cell a level, from the last but one up. `skips` are the levels at which a
    decoder cell reads what the encoder left there.
    """

    how: Settings
    stem: tuple[Sides, Sides]
    first: int
    widths: tuple[int, ...]
    shapes: tuple[Sides, ...]
    factors: tuple[Sides, ...]
    encoder: tuple[tuple[CellPlan, ...], ...]
    decoder: tuple[CellPlan, ...]
    skips: tuple[int, ...]

    @property
    def cells(self) -> tuple[CellPlan, ...]:
        """All, in the order of computation."""
        return (*(cell for stage in self.encoder for cell in stage), *self.decoder)

    @property
    def deepest(self) -> int:
        """The level of the encoder's last stage."""
        return len(self.shapes) - 1


@lru_cache(maxsize=16)
def plan_of(space: SearchSpace) -> Plan:
    return plan_with(settings_of(space))


def plan_with(how: Settings) -> Plan:
    """Of sizes that suit each other, see `space_from_settings`."""
    first = how.decoder - len(how.cells) + 1
    flat = how.decoder - how.deep_halvings
    factors = tuple((1 if level < flat else 2, 2, 2) for level in range(how.decoder))
    depth, height, width = how.input_shape
    shapes: list[Sides] = [(depth, height, width)]
    for by, _, _ in factors:
        depth, height, width = shapes[-1]
        shapes.append((depth // by, height // 2, width // 2))
    widths = (*(how.widths[:1] * first), *how.widths)
    total = sum(how.cells) + how.decoder
    names = iter(f"cell{number:0{len(str(total))}}" for number in range(1, total + 1))
    encoder = tuple(
        tuple(
            CellPlan(next(names), f"encoder{stage + 1}", width, shapes[first + stage])
            for _ in range(count)
        )
        for stage, (count, width) in enumerate(zip(how.cells, how.widths, strict=True))
    )
    levels = range(how.decoder - 1, -1, -1)
    decoder = tuple(CellPlan(next(names), DECODER, widths[n], shapes[n]) for n in levels)
    side = _WIDE_STEM if first else 3
    stem = (1, side, side), (1, 2, 2) if first else (1, 1, 1)
    # A stem that halves leaves nothing of the image's own size.
    skips = tuple(level for level in levels if level >= min(first, 1))
    return Plan(how, stem, first, widths, tuple(shapes), factors, encoder, decoder, skips)


def space_from_settings(name: str, settings: Mapping[str, Any]) -> SearchSpace:
    """The search space of a settings document, in which every field may be left out; raises
    `InvalidInput` naming the wrong field, or those that don't suit each other."""
    how = whole_settings(Settings, name, settings)
    if len(how.input_shape) != 3:
        raise InvalidInput(
            f"'input_shape' of space {name!r} has {len(how.input_shape)} numbers; give three: "
            "slices, rows, columns."
        )
    if not len(how.widths) == len(how.cells) <= how.decoder + 1:
        raise InvalidInput(
            f"Space {name!r} has 'cells' of {len(how.cells)} stages, 'widths' of "
            f"{len(how.widths)} and {how.decoder} cells of the decoder; give as many widths as "
            "stages, and at most one stage more than the decoder has cells."
        )
    if how.deep_halvings > how.decoder:
        raise InvalidInput(
            f"'deep_halvings' of space {name!r} is {how.deep_halvings}, but it halves only "
            f"{how.decoder} times; give at most that."
        )
    halved = (2**how.deep_halvings, 2**how.decoder, 2**how.decoder)
    pooled = max(how.pools)
    for axis, side, by in zip(("slices", "rows", "columns"), how.input_shape, halved, strict=True):
        steps = [by] if axis == "slices" else [by, *how.pools]
        if wrong := next((step for step in steps if side % step), 0):
            raise InvalidInput(
                f"'input_shape' of space {name!r} has {side} {axis}, which can't be divided by "
                f"{wrong} as its halvings and pools (the largest is {pooled}) divide them; give a "
                f"multiple of {wrong}, or other 'decoder', 'deep_halvings' or 'pools'."
            )
    decisions = tuple(
        Decision(cell.slot, cell.group, "convolution", CHOICES, cell.slot)
        for cell in plan_with(how).cells
    )
    written = json.dumps(asdict(how), sort_keys=True)
    return SearchSpace(name, "volumetric", decisions, settings_json=written)


def settings_of(space: SearchSpace) -> Settings:
    return whole_settings(Settings, space.name, space.settings)


def input_shape(how: Settings) -> tuple[int, ...]:
    return (how.input_channels, *how.input_shape)


def kept(kernel: Sides) -> Sides:
    """The padding with which a kernel of odd sides leaves D, H and W as they are."""
    depth, height, width = kernel
    return depth // 2, height // 2, width // 2


def mixture_of(space: SearchSpace) -> Mixture:
    """Every cell is an edge with its three ways side by side."""
    return Mixture(tuple(MixtureEdge(d.name, CHOICES) for d in space.decisions))


def uniform(space: SearchSpace, choice: str) -> Architecture:
    """The architecture with one choice everywhere."""
    return space.architecture({d.name: choice for d in space.decisions})


def choices_of(architecture: Architecture) -> tuple[str, ...]:
    """The choice of each cell, in the order of computation."""
    return tuple(str(choice) for _, choice in sorted(architecture.to_dict().items()))


def network_of(space: SearchSpace, choices: Sequence[str]) -> Architecture:
    """The architecture with these choices, cell by cell."""
    named = zip(space.decisions, choices, strict=True)
    return space.architecture({decision.name: choice for decision, choice in named})


def parse_choices(space: SearchSpace, text: str) -> tuple[str, ...]:
    """The choices of all cells, written with commas or spaces between them.

    Raises `InvalidInput` saying what is wrong.
    """
    written = tuple(re.split(r"[\s,]+", text.strip()))
    count = len(space.decisions)
    if len(written) != count:
        raise InvalidInput(
            f"{text!r:.80} are no {count} choices; write one of {', '.join(CHOICES)} for each "
            "cell, with commas between them."
        )
    for number, choice in enumerate(written, 1):
        if choice not in CHOICES:
            raise InvalidInput(f"Cell {number} is {choice!r:.40}; allowed: {', '.join(CHOICES)}.")
    return written
