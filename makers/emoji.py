"""Emoji as several vendors drew them: `python -m makers.emoji PACKAGES FOLDER`.

PACKAGES is a folder `node_modules/@iconify-json` with the packages of `VENDORS`. What is written to
FOLDER: `images.npz` and `domains.json`, as studies keep them, and `sources.csv`, which names each
concept with its category and part. Needs `resvg-py` (requirements-emoji.txt).
"""

import argparse
import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from foxnas_core.errors import MissingPart
from foxnas_core.tasks.domain_folder import Pictures, apart
from foxnas_core.tasks.domain_split import DomainSplit
from makers.writing import write_dataset

SIDE = 24  # pixels
VENDORS = ("noto", "twemoji", "noto-v1", "fluent-emoji-flat")
"""The packages @iconify-json/NAME: Apache-2.0, CC BY 4.0, Apache-2.0 and MIT."""
CLASSES = (
    "Activities", "Animals & Nature", "Food & Drink", "Objects", "Smileys & Emotion", "Symbols",
    "Travel & Places",
)  # fmt: skip
"""Categories of Unicode; people come in many skins and hair, flags in no other style."""
_EACH = 3  # one concept of so many is held out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("packages", type=Path, help="the folder @iconify-json")
    parser.add_argument("folder", type=Path, help="what to write to")
    options = parser.parse_args()
    sets = {vendor: icons_of(options.packages / vendor) for vendor in VENDORS}
    concepts = concepts_in(options.packages / VENDORS[0], sets)
    held_out = tuple(sorted(concepts)[::_EACH])
    split = DomainSplit(
        training=VENDORS[:2],
        selection=VENDORS[2:3],
        test=VENDORS[3:],
        held_out=held_out,
        classes=CLASSES,
        name="emoji",
        licence="Noto Emoji, Apache-2.0; Twemoji, CC BY 4.0; Fluent Emoji, MIT; see data/README.md",
    )
    names = list(concepts)
    pictures = Pictures(
        np.stack([drawn(sets[vendor], name) for vendor in VENDORS for name in names]),
        np.tile([CLASSES.index(concepts[name]) for name in names], len(VENDORS)),
        np.repeat(VENDORS, len(names)),
        np.tile(names, len(VENDORS)),
    )
    write_dataset(options.folder, *apart(pictures, split), split)
    with (options.folder / "sources.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("concept", "category", "part"))
        for name, category in concepts.items():
            part = "held out" if name in held_out else "training"
            writer.writerow((name, category, part))


def icons_of(package: Path) -> dict[str, Any]:
    """A vendor's drawings; raises `MissingPart` where the package is not there."""
    if not (package / "icons.json").exists():
        raise MissingPart(f"There is no {package}; run 'make emoji-packages' for it.")
    return dict(json.loads((package / "icons.json").read_text()))


def concepts_in(package: Path, sets: dict[str, dict[str, Any]]) -> dict[str, str]:
    """The concepts that every vendor drew, by name, each with its category."""
    categories = json.loads((package / "metadata.json").read_text())["categories"]
    return {
        name: category
        for category in CLASSES
        for name in sorted(categories[category])
        if all(name in icons["icons"] for icons in sets.values())
    }


def drawn(icons: dict[str, Any], name: str) -> np.ndarray:
    """A drawing on white, (SIDE, SIDE, 3)."""
    import resvg_py

    icon = icons["icons"][name]
    width, height = (icon.get(side, icons.get(side, 16)) for side in ("width", "height"))
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="{icon.get("left", 0)} {icon.get("top", 0)} {width} {height}">'
        f"{icon['body']}</svg>"
    )
    png = resvg_py.svg_to_bytes(
        svg_string=svg, width=4 * SIDE, height=4 * SIDE, background="#ffffff",
        skip_system_fonts=True,
    )  # fmt: skip
    picture = Image.open(io.BytesIO(bytes(png))).convert("RGB")
    return np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS))


if __name__ == "__main__":
    main()
