"""Images and labels: the Fashion-MNIST files, an image folder of one's own, and stored splits."""

import gzip
import io
import math
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.files import check_file, open_zip
from foxnas_core.tasks.domain_split import DomainSplit

if TYPE_CHECKING:
    from PIL import Image

FASHION_MNIST = "Fashion-MNIST"
FASHION_MNIST_FOLDER = Path("/usr/share/datasets/fashion-mnist")
FASHION_MNIST_CLASSES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
    "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
_NUMBERS = ("domains", "things")
_IDX_IMAGES, _IDX_LABELS = 2051, 2049
_MOST_PIXELS = 1 << 28  # of an IDX file, five times Fashion-MNIST's
_MOST_PICTURE = 50_000_000  # pixels of one picture
_PICTURES = {".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}
_MOST_UNPACKED = 4 << 30  # bytes of images that come from elsewhere


@dataclass(frozen=True)
class ImageSet:
    """Images (N, H, W) or (N, H, W, 3), uint8, and their labels (N,), int64; of volumes (N, D, H,
    W), the class numbers of all voxels, (N, D, H, W).

    `domains` (N,) numbers the domain that each comes from, where a dataset has some, and `things`
    (N,) what it shows, where several domains show the same; `taught` (N, classes), float32, is what
    a teacher says of each, where training is to imitate one.
    """

    images: np.ndarray
    labels: np.ndarray
    domains: np.ndarray | None = None
    things: np.ndarray | None = None
    taught: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: slice | np.ndarray) -> "ImageSet":
        known = (self.domains, self.things, self.taught)
        further = (None if own is None else own[rows] for own in known)
        return ImageSet(self.images[rows], self.labels[rows], *further)

    def divided(self, parts: int, seed: int) -> "list[ImageSet]":
        """So many parts of one size that share no image: to train on, and to search by. What is
        left over of a division belongs to none; one part is the set as it is."""
        if parts == 1:
            return [self]
        rows, size = np.random.default_rng(seed).permutation(len(self)), len(self) // parts
        return [self.take(rows[i * size : (i + 1) * size]) for i in range(parts)]


@dataclass(frozen=True)
class Dataset:
    """Training and held-out images that share no image, with class names and a licence note.

    `split` names what the numbers of domains in the sets stand for, where they have some.
    `settings`, plain values, say how the cases were read, see `Task.load`.
    """

    name: str
    licence: str
    classes: tuple[str, ...]
    training: ImageSet
    held_out: ImageSet
    split: DomainSplit | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def domains(self) -> tuple[str, ...]:
        """The names of the domains, in the order of their numbers."""
        return self.split.names if self.split else ()

    def pixel_statistics(self) -> tuple[float, float]:
        """Mean and standard deviation of the training pixels, scaled to 0…1; raises `MissingPart`
        where there are none."""
        if not len(self.training):
            raise MissingPart(f"Of the images of {self.name} none is left to train on; give more.")
        sample = self.training.images[:10_000].astype(np.float32) / 255
        return float(sample.mean()), float(sample.std())


def load_dataset(path: Path | None, *, side: int, channels: int = 3) -> Dataset:
    """Fashion-MNIST from `path` (default: Debian's folder), or a folder of images.

    A folder that holds `train-images-idx3-ubyte.gz` is read as Fashion-MNIST, any other as one
    folder of pictures a class, each resized to `side` pixels, in grey for one channel and in
    colour for three. Raises `MissingPart` where nothing is there.
    """
    folder = path or FASHION_MNIST_FOLDER
    if not folder.is_dir():
        how = (
            "run 'make data' (it installs Debian's package dataset-fashion-mnist) or name a "
            "folder with --data"
            if path is None
            else "name an existing folder with --data"
        )
        raise MissingPart(f"No images at {folder}; {how}.")
    if has_fashion_mnist(folder):
        return fashion_mnist(folder)
    return image_folder(folder, side=side, channels=channels)


def has_fashion_mnist(folder: Path = FASHION_MNIST_FOLDER) -> bool:
    """Whether a folder holds Fashion-MNIST's files."""
    return (folder / "train-images-idx3-ubyte.gz").exists()


def fashion_mnist(folder: Path = FASHION_MNIST_FOLDER) -> Dataset:
    """Fashion-MNIST: 50,000 training images; 20,000 held out.

    Held out are the 10,000 test images and the last 10,000 of the training file. Raises
    `InvalidInput` for a damaged file.
    """
    training = _idx_pair(folder, "train")
    test = _idx_pair(folder, "t10k")
    cut = len(training) - 10_000
    set_aside = training.take(slice(cut, None))
    held_out = ImageSet(
        np.concatenate([set_aside.images, test.images]),
        np.concatenate([set_aside.labels, test.labels]),
    )
    return Dataset(
        FASHION_MNIST,
        "MIT licence, Copyright 2017 Zalando SE",
        FASHION_MNIST_CLASSES,
        training.take(slice(0, cut)),
        held_out,
    )


def image_folder(folder: Path, *, side: int, channels: int = 3, seed: int = 0) -> Dataset:
    """One sub-folder of pictures a class; a fifth of each class is held out.

    Pictures are converted to grey (1 channel) or RGB (3), cropped to their central square and
    resized to `side` pixels. Raises `MissingPart` for fewer than two classes, `InvalidInput`
    naming an unreadable picture.
    """
    classes = [path.name for path in folders_in(folder)]
    if len(classes) < 2:
        raise MissingPart(
            f"{folder} needs one sub-folder of pictures for each of 2 or more classes."
        )
    rng = np.random.default_rng(seed)
    parts: dict[bool, list[tuple[np.ndarray, int]]] = {True: [], False: []}
    for label, name in enumerate(classes):
        files = sorted(p for p in (folder / name).iterdir() if p.is_file())
        for position, index in enumerate(rng.permutation(len(files))):
            square = read_picture(files[index], side=side, channels=channels)
            parts[position < len(files) / 5].append((square, label))
    if not parts[True] or not parts[False]:
        raise MissingPart(f"{folder} holds too few pictures to train on some and hold out others.")
    sets = {}
    for held, rows in parts.items():
        # Of a class after the other, the first few, on which norms are recalibrated, would be one.
        images, labels = zip(*(rows[i] for i in rng.permutation(len(rows))), strict=True)
        sets[held] = ImageSet(np.stack(images), np.array(labels, dtype=np.int64))
    return Dataset(
        folder.name, "as the folder's owner says", tuple(classes), sets[False], sets[True]
    )


def folders_in(folder: Path) -> list[Path]:
    """The folders within one, by name, hidden ones left out."""
    return sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))


def read_picture(path: Path, *, side: int, channels: int) -> np.ndarray:
    """The central square of a picture, resized to (side, side) in grey for one channel, else to
    (side, side, 3) in RGB, uint8; raises `InvalidInput` naming one that can't be read."""
    from PIL import ImageOps

    with _opened(path) as picture:
        square = ImageOps.fit(picture.convert("L" if channels == 1 else "RGB"), (side, side))
        return np.asarray(square)


def check_first_pictures(folder: Path) -> None:
    """Look at the headers of the first few pictures in the folders of a folder; raises
    `InvalidInput` naming one that can't be read. What else is there, what is hidden, and a file are
    not looked at."""
    found = (
        path
        for own in (folders_in(folder) if folder.is_dir() else ())
        for path in own.rglob("*")
        if path.suffix.lower() in _PICTURES
        and not any(part.startswith(".") for part in path.relative_to(own).parts)
    )
    for path in islice(found, 8):
        with _opened(path):
            pass


@contextmanager
def _opened(path: Path) -> Iterator["Image.Image"]:
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            # Of large pictures, which are refused in a sentence.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            opened = Image.open(path)
        with opened as picture:
            if picture.width * picture.height > _MOST_PICTURE:
                raise InvalidInput(
                    f"{path} has {picture.width:,} by {picture.height:,} pixels, more than "
                    f"{_MOST_PICTURE // 10**6} million; make it smaller."
                )
            yield picture
    except (
        UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, SyntaxError,
        EOFError,
    ) as error:  # fmt: skip
        raise InvalidInput(f"{path} can't be read as a picture; remove or mend it.") from error


def check_apart(training: ImageSet, held_out: ImageSet) -> None:
    """Raises `InvalidInput` where an image of the one stands, pixel for pixel, in the other."""
    known = {image.tobytes() for image in held_out.images}
    shared = sum(image.tobytes() in known for image in training.images)
    if shared:
        raise InvalidInput(
            f"{shared} of {len(training)} training images are held out as well, so an accuracy "
            "would be measured on images that the model has seen; remove the copies and train "
            "again."
        )


def _idx_pair(folder: Path, part: str) -> ImageSet:
    images = _read_idx(folder / f"{part}-images-idx3-ubyte.gz", _IDX_IMAGES)
    labels = _read_idx(folder / f"{part}-labels-idx1-ubyte.gz", _IDX_LABELS)
    if len(images) != len(labels):
        raise InvalidInput(f"{folder}: {len(images)} {part} images but {len(labels)} labels.")
    return ImageSet(images, labels.astype(np.int64))


def _read_idx(path: Path, magic: int) -> np.ndarray:
    """An array from a gzipped IDX file (big-endian header: magic, then each dimension)."""
    dimensions = magic % 256
    try:
        with gzip.open(check_file(path)) as file:
            header = np.frombuffer(file.read(4 * (1 + dimensions)), dtype=">u4")
            size = math.prod(map(int, header[1:]))
            # A few kilobytes can unfold to more than the memory holds.
            content = file.read(size + 1) if size <= _MOST_PIXELS else b""
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise InvalidInput(f"{path} is missing or damaged; fetch the dataset again.") from error
    if len(header) < 1 + dimensions or header[0] != magic or not 0 < len(content) == size:
        raise InvalidInput(f"{path} is no complete IDX file; fetch the dataset again.")
    return np.frombuffer(content, dtype=np.uint8).reshape([int(n) for n in header[1:]])


def pack_images(parts: dict[str, ImageSet]) -> bytes:
    """Named image sets as one NPZ archive, compressed by LZMA."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_LZMA) as archive:
        for name, part in parts.items():
            arrays = {"images": part.images, "labels": part.labels.astype(np.uint16)}
            for field in _NUMBERS:
                if (numbers := getattr(part, field)) is not None:
                    arrays[field] = numbers.astype(np.uint16)
            for field, array in arrays.items():
                # A fixed date, so that equal images give equal bytes.
                info = zipfile.ZipInfo(f"{name}_{field}.npy", (1980, 1, 1, 0, 0, 0))
                info.compress_type = zipfile.ZIP_LZMA
                array_bytes = io.BytesIO()
                np.lib.format.write_array(array_bytes, array, allow_pickle=False)
                archive.writestr(info, array_bytes.getvalue())
    return buffer.getvalue()


def unpack_images(path: Path) -> dict[str, ImageSet]:
    """What `pack_images` wrote; raises `InvalidInput` for a damaged archive."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            names = dict.fromkeys(key.rpartition("_")[0] for key in archive.files)
            return {
                name: ImageSet(
                    archive[f"{name}_images"],
                    archive[f"{name}_labels"].astype(np.int64),
                    **{
                        field: archive[f"{name}_{field}"].astype(np.int64)
                        for field in _NUMBERS
                        if f"{name}_{field}" in archive.files
                    },
                )
                for name in names
            }
    except Exception as error:  # as below
        raise InvalidInput(f"{path} is no complete archive of images; restore it.") from error


def check_packed(path: Path, names: set[str]) -> None:
    """Raises `InvalidInput` where `unpack_images` would fail, or find other sets than `names`, or
    images beyond what the memory should hold; the pixels themselves are not read."""
    try:
        most = len(_NUMBERS) + 2
        with path.open("rb") as file, open_zip(file, most * len(names)) as archive:
            entries = archive.infolist()
            # All sets have numbers of the same kinds, things only where there are domains.
            fields = ("images", "labels", *_NUMBERS)[: max(2, len(entries) // len(names))]
            expected = [f"{n}_{field}.npy" for n in names for field in fields]
            if sorted(e.filename for e in entries) != sorted(expected):
                raise ValueError("other arrays")
            if sum(entry.file_size for entry in entries) > _MOST_UNPACKED:
                raise InvalidInput(
                    f"{path} unfolds to more than {_MOST_UNPACKED >> 30} GB; keep fewer images."
                )
            shapes = {entry.filename[:-4]: _packed_shape(archive, entry) for entry in entries}
        for name in names:
            images, labels = shapes[f"{name}_images"], shapes[f"{name}_labels"]
            numbers = {shapes.get(f"{name}_{field}", images[:1]) for field in _NUMBERS}
            pictures = labels == images[:1] and len(images) in (3, 4) and images[3:] in ((), (3,))
            volumes = labels == images and len(images) == 4
            if numbers != {images[:1]} or not (pictures or volumes):
                raise ValueError("arrays that do not belong together")
    except InvalidInput:
        raise
    except Exception as error:  # of zipfile, of what it unpacks by, and of numpy's headers
        raise InvalidInput(f"{path} is no complete archive of images; restore it.") from error


def _packed_shape(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> tuple[int, ...]:
    """The shape that an array says it has, where that and its size agree."""
    with archive.open(entry) as file:
        version = np.lib.format.read_magic(file)
        if version != (1, 0):
            raise ValueError("an array of another format")
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
        expected = ("|u1",) if entry.filename.endswith("_images.npy") else ("<u2", "<i8")
        size = math.prod(shape) * dtype.itemsize
        if dtype.str not in expected or file.tell() + size != entry.file_size:
            raise ValueError("an array of another kind or size")
    return shape
