"""What is done to volumes (N, D, H, W), D the axis across which slices are stacked: fitted to a
size, mirrored, shifted, cut into patches. Images and masks alike."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from foxnas_core.errors import InvalidInput
from foxnas_core.tasks.dataset import ImageSet

# Shares of each case: mirrored, its shift along H and W, gain, offset, the corner of a patch.
DRAWN = 8
_SHIFT = 2  # voxels at most
_GAIN, _OFFSET = 0.1, 12.0  # share of the intensity, and levels of 255, at most


def fitted(volume: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """A volume (D, H, W), each axis cut or padded with zeros on both sides to `shape`."""
    for axis, (has, wanted) in enumerate(zip(volume.shape, shape, strict=True)):
        before = abs(wanted - has) // 2
        if has > wanted:
            volume = np.take(volume, range(before, before + wanted), axis)
        elif has < wanted:
            around = [(0, 0)] * 3
            around[axis] = (before, wanted - has - before)
            volume = np.pad(volume, around)
    return volume


def resampled(volume: np.ndarray, factors: Sequence[float]) -> np.ndarray:
    """A volume (D, H, W) of `factors` as many voxels along each axis, float32, by antialiased
    linear interpolation."""
    for axis, factor in enumerate(factors):
        weights = _weights(volume.shape[axis], factor)
        volume = np.moveaxis(np.tensordot(weights, volume, (1, axis)), 0, axis)
    return volume.astype(np.float32)


def resampled_mask(mask: np.ndarray, factors: Sequence[float], classes: int) -> np.ndarray:
    """Class numbers (D, H, W), resampled: each voxel is of the class that most of it is."""
    shares = [resampled((mask == number).astype(np.float32), factors) for number in range(classes)]
    return np.argmax(shares, 0)


def _weights(size: int, factor: float) -> np.ndarray:
    """What each of round(size · factor) voxels is made of (new, old): a triangle around its
    middle, as wide as the larger of the two voxels on either side."""
    count = max(1, round(size * factor))
    middles = (np.arange(count)[:, None] + 0.5) * size / count
    reach = max(1.0, size / count)
    weights = np.maximum(0, 1 - np.abs(np.arange(size) + 0.5 - middles) / reach)
    return (weights / weights.sum(1, keepdims=True)).astype(np.float32)


def check_patch(patch: Sequence[int], sides: Sequence[int]) -> None:
    """Raise `InvalidInput` where a patch is no part of a volume of these sides that networks which
    halve it three times could take."""
    if any(part % 8 or part > side for part, side in zip(patch, sides, strict=True)):
        raise InvalidInput(
            f"A patch of {tuple(patch)} is no part of volumes of {tuple(sides)}; choose multiples "
            "of 8 that are no larger."
        )


def varied(
    cases: ImageSet, drawn: np.ndarray, *, mirrored: bool, patch: Sequence[int] | None
) -> ImageSet:
    """Volumes as `drawn` (N, DRAWN), shares from 0 to 1, says.

    Each is mirrored along W or not, shifted by up to 2 voxels along H and W, made brighter or
    darker and, with `patch` (D, H, W), cut to a part of that size at any place.
    """
    found = [
        _one(image, mask, shares, mirrored, patch)
        for image, mask, shares in zip(cases.images, cases.labels, drawn, strict=True)
    ]
    images, labels = zip(*found, strict=True)
    return replace(cases, images=np.stack(images), labels=np.stack(labels))


def _one(
    image: np.ndarray,
    mask: np.ndarray,
    drawn: np.ndarray,
    mirrored: bool,
    patch: Sequence[int] | None,
) -> tuple[np.ndarray, np.ndarray]:
    mirror, down, across, gain, offset, *corner = drawn
    if mirrored and mirror < 0.5:
        image, mask = image[:, :, ::-1], mask[:, :, ::-1]
    for axis, share in ((1, down), (2, across)):
        steps = int((2 * _SHIFT + 1) * share) - _SHIFT
        image, mask = _shifted(image, axis, steps), _shifted(mask, axis, steps)
    levels = image * (1 + _GAIN * (2 * gain - 1)) + _OFFSET * (2 * offset - 1)
    image = np.clip(np.rint(levels), 0, 255).astype(np.uint8)
    if patch is None:
        return image, mask
    starts = [
        int(share * (has - size + 1))
        for share, has, size in zip(corner, image.shape, patch, strict=True)
    ]
    part = tuple(slice(start, start + size) for start, size in zip(starts, patch, strict=True))
    return image[part], mask[part]


def _shifted(volume: np.ndarray, axis: int, steps: int) -> np.ndarray:
    """Moved by so many voxels along an axis; what comes in is 0."""
    if not steps:
        return volume
    moved = np.roll(volume, steps, axis)
    edge = slice(0, steps) if steps > 0 else slice(steps, None)
    moved[(slice(None),) * axis + (edge,)] = 0
    return moved
