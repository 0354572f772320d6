"""Phantoms: volumes that are drawn from a seed, of which it is known what tells the structure.

Nothing in them is of anybody. They say whether a network that sees across slices is found where
that is needed, and is not claimed where it isn't; they say nothing about scans.
"""

from collections.abc import Sequence

import numpy as np

from foxnas_core.errors import InvalidInput
from foxnas_core.tasks.dataset import Dataset, ImageSet

ACROSS, WITHIN = "across", "within"
TRAINING, HELD_OUT = 256, 48
"""How many phantoms there are to train on, and to judge by."""
# Grey levels of noise, how many more the structure has where it is brighter (which leaves one level
# to both), and their distance.
_LEVELS, _BRIGHTER, _STEP = {ACROSS: 8, WITHIN: 6}, 5, 20
# In half sides of the volume: how far centres lie off the middle, and radii.
_OFF, _RADII = 0.3, (0.45, 0.7)


def phantoms(sides: Sequence[int], *, phantoms: str = ACROSS, phantom_seed: int = 0) -> Dataset:
    """Ellipsoids (D, H, W) anywhere near the middle, in noise without a pattern.

    `phantoms` says what tells them. "across": noise inside goes on from each second slice to the
    next, outside each slice has its own. A slice alone is noise everywhere, so that whatever reads
    slices apart knows no more than where such structures usually are. "within": what is inside is
    brighter, so that each slice tells its own part. Raises `InvalidInput` for another word.
    """
    if phantoms not in (ACROSS, WITHIN):
        raise InvalidInput(f"Phantoms are {ACROSS!r} or {WITHIN!r}, not {phantoms!r}.")
    rng = np.random.default_rng(phantom_seed)
    return Dataset(
        f"phantoms told {phantoms} slices",
        "made here, from a seed",
        ("background", "structure"),
        _drawn(rng, TRAINING, sides, phantoms),
        _drawn(rng, HELD_OUT, sides, phantoms),
        settings={"phantoms": phantoms, "phantom_seed": phantom_seed},
    )


def _drawn(rng: np.random.Generator, count: int, sides: Sequence[int], told: str) -> ImageSet:
    masks = _ellipsoids(rng, count, sides)
    levels = rng.integers(0, _LEVELS[told], masks.shape)
    if told == ACROSS:
        # Pairs begin with the second slice: averaging slices two by two, as pooling does, parts
        # them.
        first, second = levels[:, 1:-1:2], levels[:, 2::2]
        np.copyto(second, first, where=masks[:, 2::2])
    else:
        levels += _BRIGHTER * masks
    return ImageSet((_STEP * levels).astype(np.uint8), masks.astype(np.int64))


def _ellipsoids(rng: np.random.Generator, count: int, sides: Sequence[int]) -> np.ndarray:
    """Masks (count, *sides)."""
    axes = [(np.arange(side) + 0.5) / side * 2 - 1 for side in sides]
    places = np.stack(np.meshgrid(*axes, indexing="ij"), -1)
    centres = rng.uniform(-_OFF, _OFF, (count, 1, 1, 1, 3))
    radii = rng.uniform(*_RADII, (count, 1, 1, 1, 3))
    return (((places - centres) / radii) ** 2).sum(-1) < 1
