"""Images in domains: a folder `DOMAIN/CLASS/THING.png`, or the images of a study."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.tasks.dataset import (
    Dataset,
    ImageSet,
    folders_in,
    read_picture,
    unpack_images,
)
from foxnas_core.tasks.domain_split import DOMAINS, DomainSplit, read_split, split_from_roles

_HELD_OUT = 5  # one thing of so many


@dataclass(frozen=True)
class Pictures:
    """Pictures (N, H, W) or (N, H, W, 3), uint8, each with the number of its class, and the names
    of its domain and of the thing that it shows (N,)."""

    images: np.ndarray
    labels: np.ndarray
    domains: np.ndarray
    things: np.ndarray


def load_domains(
    path: Path, *, side: int, channels: int, roles: Mapping[str, str] | None = None
) -> Dataset:
    """The images of a folder of domains, or of an archive as studies keep them.

    `domains.json` in the folder, or beside the archive, says which domain is for what; `roles`
    (domain to role) says it of a folder without one. Raises `MissingPart` where nothing is there,
    `InvalidInput` where it is not told, or can't be.
    """
    if not path.exists():
        raise MissingPart(f"No images at {path}; name an existing folder with --data.")
    if path.suffix == ".npz":
        return _archive(path)
    names = tuple(folder.name for folder in folders_in(path))
    split = split_from_roles(roles, names) if roles else read_split(path / DOMAINS.file)
    if split is None:
        raise MissingPart(
            f"{path} does not say which of its domains {', '.join(names) or '(it has none)'} are "
            f"trained on; put a {DOMAINS.file} there, or give the others with --domain."
        )
    if missing := set(split.names) - set(names):
        raise MissingPart(f"{path} has no folder {min(missing)!r}, which a role is given to.")
    classes = sorted({own.name for name in split.names for own in folders_in(path / name)})
    if len(classes) < 2:
        raise MissingPart(
            f"{path / split.names[0]} needs one sub-folder of pictures for each of 2 or more "
            "classes."
        )
    training, held_out = apart(_read(path, split, classes, side, channels), split)
    licence = split.licence or "as the folder's owner says"
    return Dataset(split.name or path.name, licence, tuple(classes), training, held_out, split)


def apart(pictures: Pictures, split: DomainSplit, *, seed: int = 0) -> tuple[ImageSet, ImageSet]:
    """Training and held-out images, shuffled, that share no thing and no image.

    What is neither to be learnt nor unseen, a thing that was learnt in another domain, belongs to
    none. Raises `InvalidInput` where a domain or a class has nothing left.
    """
    seen = np.isin(pictures.domains, split.training)
    set_aside = split.held_out or _drawn(pictures.things[seen], pictures.labels[seen], seed)
    learnt = seen & ~np.isin(pictures.things, set_aside)
    shown = {image.tobytes() for image in pictures.images[learnt]}
    asked = ~np.isin(pictures.things, pictures.things[learnt])
    asked &= [image.tobytes() not in shown for image in pictures.images]
    for name in split.names:
        if not (asked & (pictures.domains == name)).any():
            raise InvalidInput(
                f"Domain {name!r} has no picture of a thing that is not trained on; things of one "
                "name are the same in all domains, so add others, or name them otherwise."
            )
    if missing := set(range(int(pictures.labels.max()) + 1)) - set(pictures.labels[learnt]):
        raise InvalidInput(
            f"Class {min(missing)} has no picture to train on; each class needs some in the "
            "domains that are trained on."
        )
    numbers = {name: number for number, name in enumerate(split.names)}
    of_domain = np.array([numbers[name] for name in pictures.domains])
    of_thing = np.unique(pictures.things, return_inverse=True)[1]
    rng, sets = np.random.default_rng(seed), []
    for rows in (learnt, asked):
        order = rng.permutation(np.flatnonzero(rows))
        own = ImageSet(pictures.images, pictures.labels, of_domain, of_thing)
        sets.append(own.take(order))
    return sets[0], sets[1]


def _drawn(things: np.ndarray, labels: np.ndarray, seed: int) -> np.ndarray:
    """A fifth of the things, of all classes alike."""
    names, first = np.unique(things, return_index=True)
    order = np.random.default_rng(seed).permutation(len(names))
    by_class = order[np.argsort(labels[first][order], kind="stable")]
    return names[by_class[::_HELD_OUT]]


def _read(path: Path, split: DomainSplit, classes: list[str], side: int, channels: int) -> Pictures:
    images, labels, domains, things = [], [], [], []
    for domain in split.names:
        for label, name in enumerate(classes):
            own = path / domain / name
            files = sorted(f for f in own.iterdir() if f.is_file()) if own.is_dir() else []
            for file in files:
                images.append(read_picture(file, side=side, channels=channels))
                labels.append(label)
                domains.append(domain)
                things.append(file.name.partition(".")[0])
    if not images:
        raise MissingPart(f"{path} holds no pictures in DOMAIN/CLASS.")
    return Pictures(
        np.stack(images), np.array(labels, np.int64), np.array(domains), np.array(things)
    )


def _archive(path: Path) -> Dataset:
    """The images of a study: its training images are those to calibrate on."""
    split, parts = read_split(path.with_name(DOMAINS.file)), unpack_images(path)
    if split is None or set(parts) != {"calibration", "held_out"}:
        raise MissingPart(f"{path} lacks its {DOMAINS.file}, or training or held-out images.")
    for part in parts.values():
        if part.domains is None or int(part.domains.max(initial=0)) >= len(split.names):
            raise InvalidInput(f"{path} numbers other domains than {DOMAINS.file} names.")
    highest = max(int(part.labels.max(initial=0)) for part in parts.values())
    classes = split.classes or tuple(map(str, range(highest + 1)))
    name = split.name or path.resolve().parent.name
    licence = split.licence or "as the images' owner says"
    return Dataset(name, licence, classes, parts["calibration"], parts["held_out"], split)
