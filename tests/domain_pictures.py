"""Pictures in domains, drawn here: a bright half tells the class, a hue the domain."""

from pathlib import Path

import numpy as np
from PIL import Image

from foxnas_core.tasks.dataset import Dataset
from foxnas_core.tasks.domain_folder import Pictures, apart
from foxnas_core.tasks.domain_split import DomainSplit

SPLIT = DomainSplit(training=("here", "near"), selection=("between",), test=("far", "farther"))
CLASSES = ("left", "right")
_HUES = {name: 40 * number for number, name in enumerate(SPLIT.names)}


def pictures(things: int = 10, side: int = 6, seed: int = 0) -> Pictures:
    """One picture (side, side, 3) of each thing, of either class in turn, in each domain."""
    rng = np.random.default_rng(seed)
    images, labels, domains, names = [], [], [], []
    for thing in range(things):
        noise = rng.integers(0, 60, (side, side))
        for domain, hue in _HUES.items():
            image = np.stack([noise, np.full_like(noise, hue), noise], -1)
            half = slice(0, side // 2) if thing % 2 == 0 else slice(side // 2, None)
            image[:, half, 0] += 150
            images.append(image)
            labels.append(thing % 2)
            domains.append(domain)
            names.append(f"t{thing}")
    return Pictures(
        np.array(images, np.uint8), np.array(labels, np.int64), np.array(domains), np.array(names)
    )


def coloured(things: int = 60, side: int = 6) -> Dataset:
    training, held_out = apart(pictures(things, side), SPLIT)
    return Dataset("coloured", "made here", CLASSES, training, held_out, SPLIT)


def draw_folder(folder: Path) -> Path:
    """The pictures as a folder DOMAIN/CLASS/THING.png, which says nothing of roles."""
    drawn = pictures()
    for image, label, domain, thing in zip(
        drawn.images, drawn.labels, drawn.domains, drawn.things, strict=True
    ):
        path = folder / domain / CLASSES[label] / f"{thing}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)
    return folder
