"""Capitals in Debian's fonts, by kind of face: `python -m makers.letters FONTS FOLDER`.

FONTS is where the packages of `PACKAGES` are unpacked, each below a folder of its name. What is
written to FOLDER: `images.npz` and `domains.json`, as studies keep them, and `sources.csv`, which
names each face with its package, family and part.
"""

import argparse
import csv
import string
from collections.abc import Iterator
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from foxnas_core.errors import MissingPart
from foxnas_core.tasks.domain_folder import Pictures, apart
from foxnas_core.tasks.domain_split import DomainSplit
from makers.writing import write_dataset

SIDE, INK = 28, 22  # pixels: of an image, and of the highest or widest letter of a face
CLASSES = tuple(string.ascii_uppercase)
PACKAGES = {
    "sans": ("lato", "karla", "cabin", "b612"),
    "book": ("cmu", "linuxlibertine", "vollkorn", "ebgaramond"),
    "typewriter": ("courier-prime", "compagnon", "anonymous-pro"),
    "hand": ("bwht", "dkg-handwriting", "breip", "comic-neue", "kristi", "humor-sans"),
    "script": ("dancingscript", "kaushanscript", "lobstertwo", "leckerli-one"),
    "display": (
        "gotico-antiqua", "klaudia-berenika", "ferrite-core", "cabinsketch", "georgewilliams",
        "solide-mirage", "le-murmure",
    ),
}  # fmt: skip
"""Debian's packages fonts-NAME by the domain that their faces are of; all under the SIL Open Font
License."""
SPLIT = DomainSplit(
    training=("sans", "book"),
    selection=("typewriter",),
    test=("hand", "script", "display"),
    held_out=("cabin", "b612", "ebgaramond"),
    classes=CLASSES,
    name="letters",
    licence="drawn from fonts under the SIL Open Font License 1.1; see data/README.md",
)
# Faces of text in a package of display faces, initials that are no letters, and other scripts.
_LEFT_OUT = (
    "Caliban",
    "CaslonRoman",
    "CaslonItalic",
    "CaslonBold",
    "GWMono",
    "KarlaTamil",
    "[wght]",
)


@dataclass(frozen=True)
class Face:
    """One face: where it is from, and the part of the data that it is in."""

    package: str
    family: str
    style: str
    file: str
    domain: str
    part: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("fonts", type=Path, nargs="?", help="where the packages' files are")
    parser.add_argument("folder", type=Path, nargs="?", help="what to write to")
    parser.add_argument("--packages", action="store_true", help="name them alone")
    options = parser.parse_args()
    if options.packages:
        print(*(f"fonts-{name}" for own in PACKAGES.values() for name in own))
        return
    if options.folder is None:
        parser.error("both FONTS and FOLDER are needed")
    faces, drawn = [], []
    for path, face in faces_in(options.fonts):
        if (letters := letters_of(path)) is not None:
            faces.append(face)
            drawn.append(letters)
    check_families(faces)
    of = np.repeat(np.arange(len(faces)), len(CLASSES))
    pictures = Pictures(
        np.concatenate(drawn),
        np.tile(np.arange(len(CLASSES)), len(faces)),
        np.array([face.domain for face in faces])[of],
        np.array([face.package for face in faces])[of],
    )
    write_dataset(options.folder, *apart(pictures, SPLIT), SPLIT)
    with (options.folder / "sources.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(field.name for field in fields(Face))
        writer.writerows(map(astuple, faces))


def faces_in(fonts: Path) -> Iterator[tuple[Path, Face]]:
    """Every face of the packages; raises `MissingPart` for a package that is not there."""
    for domain, packages in PACKAGES.items():
        for package in packages:
            root = fonts / f"fonts-{package}"
            files = sorted(
                p for p in root.rglob("*") if p.suffix.lower() in (".otf", ".ttf") and p.is_file()
            )
            if not files:
                raise MissingPart(f"{root} has no font; run 'make fonts' for it.")
            named: dict[str, Path] = {}
            for path in files:  # what a package has in both formats counts once
                named.setdefault(path.stem.replace(" ", ""), path)
            for path in named.values():
                if path.stem.startswith(_LEFT_OUT) or _LEFT_OUT[-1] in path.stem:
                    continue
                family, style = ImageFont.truetype(path, 12).getname()
                part = "training" if domain in SPLIT.training else domain
                part = "held out" if package in SPLIT.held_out else part
                yield path, Face(package, family or "", style or "", path.name, domain, part)


def letters_of(path: Path) -> np.ndarray | None:
    """The capitals (26, SIDE, SIDE), bright on black, each in the middle of its image; None for a
    face that lacks one of them."""
    large = ImageFont.truetype(path, 100)
    boxes = [large.getbbox(letter) for letter in CLASSES]
    most = max(max(right - left, bottom - top) for left, top, right, bottom in boxes)
    font = ImageFont.truetype(path, max(1, int(100 * INK / most)))
    missing = font.getmask("\U0010fffd").getbbox(), bytes(font.getmask("\U0010fffd"))
    images = []
    for letter in CLASSES:
        mask = font.getmask(letter)
        if mask.getbbox() is None or (mask.getbbox(), bytes(mask)) == missing:
            return None
        left, top, right, bottom = font.getbbox(letter)
        image = Image.new("L", (SIDE, SIDE))
        corner = ((SIDE - right - left) / 2, (SIDE - bottom - top) / 2)
        ImageDraw.Draw(image).text(tuple(map(round, corner)), letter, font=font, fill=255)
        images.append(np.asarray(image))
    return np.stack(images)


def check_families(faces: list[Face]) -> None:
    """Raise `ValueError` where a family or a package is in two parts."""
    for name in ("family", "package"):
        parts: dict[str, str] = {}
        for face in faces:
            own = getattr(face, name)
            if parts.setdefault(own, face.part) != face.part:
                raise ValueError(f"{own} is in {parts[own]} and {face.part}; leave one out.")


if __name__ == "__main__":
    main()
