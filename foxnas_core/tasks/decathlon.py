"""Scans in the layout of the Medical Segmentation Decathlon (Antonelli et al., Nature
Communications 13, 2022): `dataset.json`, which lists cases and names classes, and NIfTI files in
`imagesTr` and `labelsTr`."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from foxnas_core.documents import parse_json
from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.tasks.dataset import Dataset, ImageSet
from foxnas_core.tasks.volumes import fitted, resampled, resampled_mask

LIST = "dataset.json"
_HELD_OUT = 3  # one of so many cases
_FEWEST = 6
_PERCENTILES = (0.5, 99.5)


@dataclass(frozen=True)
class Scan:
    """The two files of a case, and the millimetres between its voxels along D, H and W."""

    image: Path
    mask: Path
    spacing: tuple[float, ...]


def decathlon(
    folder: Path, sides: Sequence[int], *, spacing: Sequence[float] | None = None, seed: int = 0
) -> Dataset:
    """The cases of a folder as volumes of `sides` (D, H, W), a third of them held out.

    Each scan is turned so that W runs to the patient's right, H to the front and D upwards (RAS),
    read at one `spacing` in mm (by default the median of all, axis by axis), its intensities
    rescaled so that those between its .5th and 99.5th percentile are 0…255, and cut or padded with
    zeros around its middle. Raises `MissingPart` where there are no or too few cases, and
    `InvalidInput` naming the file that can't be read, lies otherwise than its mask, has a single
    slice, no labelled voxel or an unknown class, or whose labelled voxels would be cut off.
    """
    document, classes = _document(folder)
    scans = [_scan(folder, entry) for entry in document["training"]]
    if len(scans) < _FEWEST:
        raise MissingPart(
            f"{folder / LIST} lists {len(scans)} cases; training on some and holding out others "
            f"needs {_FEWEST}."
        )
    if spacing is None:
        spacing = np.median([scan.spacing for scan in scans], axis=0).round(4).tolist()
    read = [_case(scan, sides, spacing, len(classes)) for scan in scans]
    images, labels = (np.stack(arrays) for arrays in zip(*read, strict=True))
    order = np.random.default_rng(seed).permutation(len(scans))
    held_out, training = np.split(order, [len(scans) // _HELD_OUT])
    cases = ImageSet(images, labels)
    return Dataset(
        str(document.get("name") or folder.resolve().name),
        str(document.get("licence") or "as the folder's owner says"),
        classes,
        cases.take(training),
        cases.take(held_out),
        settings={"spacing": list(spacing)},
    )


def _document(folder: Path) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """What the list says, and the names of its classes, the background first."""
    path = folder / LIST
    if not path.is_file():
        raise MissingPart(
            f"There is no {path}; name a folder in the Medical Segmentation Decathlon's layout "
            f"({LIST}, imagesTr, labelsTr) with --data."
        )
    try:
        document = parse_json(path.read_text("utf-8"))
        classes = tuple(str(document["labels"][str(i)]) for i in range(len(document["labels"])))
        entries = [(entry["image"], entry["label"]) for entry in document["training"]]
        if len(classes) < 2 or not all(isinstance(name, str) for both in entries for name in both):
            raise ValueError("no classes, or no names")
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise InvalidInput(
            f'{path} needs "labels", names of classes by their numbers from 0, and "training", a '
            'list of objects with an "image" and a "label".'
        ) from error
    return document, classes


def _scan(folder: Path, entry: Mapping[str, str]) -> Scan:
    image, mask = (_within(folder, entry[part]) for part in ("image", "label"))
    for path in (image, mask):
        if not path.is_file():
            raise InvalidInput(
                f"There is no {path}, which {folder / LIST} lists; put it there, or take its case "
                "out of the list."
            )
    shapes, places = [], []
    for path in (image, mask):
        with _reading(path):
            opened = _opened(path)
            shapes.append(opened.shape)
            places.append(opened.affine)
    if len(shapes[0]) != 3:
        raise InvalidInput(
            f"{image} has {len(shapes[0])} axes, {shapes[0]}; only scans of one channel, of three "
            "axes, are read: write one channel of each as a file of its own."
        )
    if shapes[0] != shapes[1]:
        raise InvalidInput(
            f"{image} has {shapes[0]} voxels, but its mask {mask} has {shapes[1]}; mend one, or "
            f"take the case out of {LIST}."
        )
    if not np.allclose(places[0], places[1], atol=0.01):
        raise InvalidInput(
            f"{image} and its mask {mask} lie otherwise in space (their affines differ); mend one, "
            f"or take the case out of {LIST}."
        )
    if min(shapes[0]) < 2:
        raise InvalidInput(
            f"{image} has a single slice ({shapes[0]} voxels), so there is nothing to see across "
            f"slices; take its case out of {LIST}."
        )
    spacing = np.sqrt((places[0][:3, :3] ** 2).sum(0))[::-1]
    if not (np.isfinite(spacing).all() and (spacing > 0).all()):
        raise InvalidInput(f"{image} has no distance between its voxels; mend its affine.")
    return Scan(image, mask, tuple(map(float, spacing)))


def _within(folder: Path, name: str) -> Path:
    """The file that the list calls so; raises `InvalidInput` where it isn't of the folder."""
    parts = PurePosixPath(name).parts
    if not parts or ".." in parts or PurePosixPath(name).is_absolute():
        raise InvalidInput(f"{folder / LIST} lists {name!r}, which is no file of its folder.")
    return folder.joinpath(*parts)


def _case(
    scan: Scan, sides: Sequence[int], spacing: Sequence[float], classes: int
) -> tuple[np.ndarray, np.ndarray]:
    """Image, uint8, and mask, int64, of one scan as volumes of `sides`."""
    image, mask = _turned(scan.image), _turned(scan.mask)
    low, high = np.percentile(image, _PERCENTILES)
    if not (np.isfinite(image).all() and low < high):
        raise InvalidInput(
            f"{scan.image} holds no image: its voxels are all alike, or no numbers; restore it, or "
            f"take its case out of {LIST}."
        )
    numbers = np.rint(mask)
    if not np.isin(mask, range(classes)).all():
        raise InvalidInput(
            f"{scan.mask} holds other numbers than the {classes} classes that {LIST} names (0 to "
            f"{classes - 1}); mend one of the two."
        )
    if not numbers.any():
        raise InvalidInput(
            f"{scan.mask} marks no voxel, so nothing can be learnt or scored by it; take its case "
            f"out of {LIST}."
        )
    levels = 255 * np.clip((image - low) / (high - low), 0, 1)
    factors = [own / wanted for own, wanted in zip(scan.spacing, spacing, strict=True)]
    volume = np.rint(resampled(levels, factors)).astype(np.uint8)
    marked = resampled_mask(numbers.astype(np.int64), factors, classes)
    own = fitted(marked, sides)
    if np.count_nonzero(own) < np.count_nonzero(marked):
        raise InvalidInput(
            f"{scan.mask} marks voxels that would be cut off: at {_by(spacing)} mm it is "
            f"{_by(marked.shape)} voxels (D×H×W), and networks take {_by(sides)}; choose a larger "
            "spacing, or a space with a larger input_shape."
        )
    return fitted(volume, sides), own


def _turned(path: Path) -> np.ndarray:
    """The values of a file, (D, H, W), float32, turned as `decathlon` says."""
    with _reading(path):
        values = _opened(path).get_fdata(dtype=np.float32)
    return np.ascontiguousarray(values.transpose())


def _opened(path: Path) -> Any:
    """A NIfTI file, turned to RAS; its values are not read yet."""
    import nibabel

    return nibabel.as_closest_canonical(nibabel.load(path))


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Whatever nibabel, or what it unpacks by, raises for a broken file, as `InvalidInput`."""
    try:
        yield
    except Exception as error:
        raise InvalidInput(
            f"{path} can't be read as NIfTI; restore it, or take its case out of {LIST}."
        ) from error


def _by(numbers: Sequence[float]) -> str:
    return "×".join(f"{number:g}" for number in numbers)
