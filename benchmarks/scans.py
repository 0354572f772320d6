"""Scans written in the layout of the Medical Segmentation Decathlon: those of an archive.

`python -m benchmarks.scans ARCHIVE.npz FOLDER --name Hippocampus --classes Anterior,Posterior`
writes what `train --task segmentation --data FOLDER` reads. The archive holds `images` and `labels`
(N, W, H, D), uint8, `ids` and `shapes` (N, 3), the sizes of the scans before they were padded on
both sides.
"""

import argparse
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import nibabel
import numpy as np

from foxnas_core.tasks.volumes import fitted

Case = tuple[str, np.ndarray, np.ndarray]
"""A name, an image and a mask (W, H, D), that is from left to right, back to front, and upwards."""


def write_scans(
    folder: Path,
    cases: Iterable[Case],
    *,
    name: str,
    classes: Sequence[str],
    licence: str = "as its owner says",
    spacing: Sequence[float] = (1.0, 1.0, 1.0),
) -> None:
    """Write NIfTI files and their list; `classes` leaves the background out, `spacing` is in mm."""
    affine = np.diag([*spacing, 1.0])
    listed = []
    for case, image, mask in cases:
        entry = {"image": f"./imagesTr/{case}.nii.gz", "label": f"./labelsTr/{case}.nii.gz"}
        for part, values in (("image", image), ("label", mask)):
            path = folder / entry[part]
            path.parent.mkdir(parents=True, exist_ok=True)
            nibabel.Nifti1Image(values, affine).to_filename(path)
        listed.append(entry)
    document = {
        "name": name,
        "licence": licence,
        "labels": {str(i): label for i, label in enumerate(["background", *classes])},
        "training": listed,
    }
    (folder / "dataset.json").write_text(json.dumps(document, indent=1))


def cases_of(archive: Path) -> Iterable[Case]:
    with np.load(archive) as held:
        arrays = [held[part] for part in ("ids", "images", "labels", "shapes")]
    for number, image, mask, shape in zip(*arrays, strict=True):
        yield f"case_{number:03d}", fitted(image, shape), fitted(mask, shape)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("archive", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--name", required=True)
    parser.add_argument("--classes", required=True)
    parser.add_argument("--licence", default="as its owner says")
    given = parser.parse_args()
    write_scans(
        given.folder,
        cases_of(given.archive),
        name=given.name,
        classes=given.classes.split(","),
        licence=given.licence,
    )
