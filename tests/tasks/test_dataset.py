import gzip
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from PIL import Image

from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.tasks.dataset import (
    FASHION_MNIST_FOLDER,
    ImageSet,
    check_apart,
    check_first_pictures,
    check_packed,
    fashion_mnist,
    image_folder,
    load_dataset,
    pack_images,
    read_picture,
    unpack_images,
)


def idx(array: np.ndarray) -> bytes:
    header = np.array([2048 + array.ndim, *array.shape], dtype=">u4").tobytes()
    return gzip.compress(header + array.astype(np.uint8).tobytes(), 1)


@pytest.fixture
def idx_folder(tmp_path):
    """Files in Fashion-MNIST's format, of 10,007 and 5 images; pixel 0 is the image's number."""
    for part, count in (("train", 10_007), ("t10k", 5)):
        images = np.zeros((count, 2, 2))
        images[:, 0, 0] = np.arange(count) % 251
        (tmp_path / f"{part}-images-idx3-ubyte.gz").write_bytes(idx(images))
        (tmp_path / f"{part}-labels-idx1-ubyte.gz").write_bytes(idx(np.arange(count) % 10))
    return tmp_path


def test_the_last_ten_thousand_training_images_are_set_aside(idx_folder):
    dataset = load_dataset(idx_folder, side=28)
    assert len(dataset.training) == 7 and len(dataset.held_out) == 10_005
    assert dataset.training.images[:, 0, 0].tolist() == list(range(7))
    assert dataset.held_out.images[0, 0, 0] == 7
    assert dataset.held_out.labels[-5:].tolist() == [0, 1, 2, 3, 4]


@pytest.mark.skipif(
    not FASHION_MNIST_FOLDER.exists(), reason="dataset-fashion-mnist is not installed"
)
def test_the_real_files():
    dataset = fashion_mnist()
    assert dataset.training.images.shape == (50_000, 28, 28)
    assert dataset.held_out.images.shape == (20_000, 28, 28)
    assert np.bincount(dataset.held_out.labels[10_000:]).tolist() == [1000] * 10
    mean, std = dataset.pixel_statistics()
    assert 0.25 < mean < 0.32 and 0.32 < std < 0.38


@pytest.mark.parametrize("damage", ["cut", "garbage", "magic", "gone"])
def test_a_damaged_file_is_named(idx_folder, damage):
    path = idx_folder / "train-labels-idx1-ubyte.gz"
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(
            {
                "cut": path.read_bytes()[:-20],
                "garbage": b"garbage",
                "magic": idx(np.zeros((3, 3))),
            }[damage]
        )
    with pytest.raises(InvalidInput, match="train-labels-idx1-ubyte.gz"):
        fashion_mnist(idx_folder)


def flipped(content: bytes) -> bytes:
    return content[:30] + bytes([content[30] ^ 0xFF]) + content[31:]


def header_of(*numbers: int) -> bytes:
    """A gzip of an IDX header whose dimensions are these, and no pixels."""
    return gzip.compress(np.array(numbers, dtype=">u4").tobytes())


@pytest.mark.parametrize(
    "content",
    [
        flipped(idx(np.arange(4000).reshape(1000, 2, 2))),
        gzip.compress(b"")[:3],
        gzip.compress(b"")[:6],
        header_of(2051, 1 << 22, 1 << 21, 1 << 21),  # 2**64, which wraps to 0
        header_of(2051, 0, 28, 28),
        # An eighth of a gigabyte in some kilobytes, behind one picture's header, and too many.
        gzip.compress(np.array([2051, 1, 2, 2], dtype=">u4").tobytes() + bytes(1 << 27), 1),
        header_of(2051, 1 << 20, 1 << 10, 1 << 10),
    ],
    ids=["flipped", "3 bytes", "6 bytes", "wrapping", "none", "bomb", "too many"],
)
def test_a_hostile_gzip_is_one_sentence_and_unfolds_no_further_than_it_says(idx_folder, content):
    (idx_folder / "train-images-idx3-ubyte.gz").write_bytes(content)
    tracemalloc.start()
    with pytest.raises(InvalidInput, match="train-images-idx3-ubyte.gz"):
        fashion_mnist(idx_folder)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 50 << 20


def png(width: int, height: int, *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG that says it is so large, with further chunks and no pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        total = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", total)

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = [chunk(b"IHDR", head), *(chunk(*own) for own in chunks), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (png(13_000, 13_000), "has 13,000 by 13,000 pixels, more than 50 million; make it smaller"),
        (png(60_000, 60_000), "can't be read as a picture"),
        (
            png(28, 28, (b"zTXt", b"a\0\0" + zlib.compress(bytes(1 << 26)))),
            "can't be read as a picture",
        ),
        (b"GIF89a", "can't be read as a picture"),
    ],
    ids=["large", "larger", "text bomb", "cut"],
)
def test_a_hostile_picture_is_one_sentence_and_is_not_unfolded(tmp_path, content, said):
    path = tmp_path / "x.png"
    path.write_bytes(content)
    tracemalloc.start()
    with pytest.raises(InvalidInput, match=said):
        read_picture(path, side=28, channels=1)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 50 << 20


def test_a_missing_folder_says_what_to_do(tmp_path):
    with pytest.raises(MissingPart, match="--data"):
        load_dataset(tmp_path / "none", side=28)


def test_an_image_folder_becomes_square_rgb_classes(tmp_path):
    for label, colour in (("blue", (0, 0, 255)), ("red", (255, 0, 0))):
        (tmp_path / label).mkdir()
        for i in range(10):
            Image.new("RGB", (20 + i, 11), colour).save(tmp_path / label / f"{i}.png")
    dataset = load_dataset(tmp_path, side=8)
    assert dataset.classes == ("blue", "red")
    assert dataset.training.images.shape == (16, 8, 8, 3)
    assert dataset.held_out.images.shape == (4, 8, 8, 3)
    for part in (dataset.training, dataset.held_out):
        assert (part.images[part.labels == 1] == [255, 0, 0]).all()
        assert (part.images[part.labels == 0] == [0, 0, 255]).all()


def test_an_image_folder_is_grey_for_one_channel(tmp_path):
    for label, shade in (("dark", 10), ("light", 200)):
        (tmp_path / label).mkdir()
        for i in range(5):
            Image.new("RGB", (9, 9), (shade, shade, shade)).save(tmp_path / label / f"{i}.png")
    dataset = load_dataset(tmp_path, side=8, channels=1)
    assert dataset.training.images.shape == (8, 8, 8)
    assert (dataset.training.images[dataset.training.labels == 0] == 10).all()


def test_the_first_training_pictures_are_of_all_classes(tmp_path):
    for label in range(4):
        (tmp_path / str(label)).mkdir()
        for i in range(50):
            Image.new("RGB", (4, 4)).save(tmp_path / str(label) / f"{i}.png")
    dataset = load_dataset(tmp_path, side=4)
    for part in (dataset.training, dataset.held_out):
        assert set(part.labels[:20].tolist()) == {0, 1, 2, 3}
    again = load_dataset(tmp_path, side=4)
    assert again.training.labels.tolist() == dataset.training.labels.tolist()


def test_an_unreadable_picture_is_named(tmp_path):
    for label in ("a", "b"):
        (tmp_path / label).mkdir()
        (tmp_path / label / "x.png").write_bytes(b"no picture")
    with pytest.raises(InvalidInput, match=r"a/x\.png"):
        image_folder(tmp_path, side=8)


def test_one_class_is_too_few(tmp_path):
    (tmp_path / "only").mkdir()
    with pytest.raises(MissingPart, match="2 or more classes"):
        image_folder(tmp_path, side=8)


def test_packed_images_round_trip_and_repeat_to_the_byte(tmp_path):
    rng = np.random.default_rng(0)
    parts = {
        name: ImageSet(rng.integers(0, 256, (n, 4, 4), dtype=np.uint8), rng.integers(0, 9, n))
        for name, n in (("calibration", 3), ("held_out", 5))
    }
    (tmp_path / "images.npz").write_bytes(pack_images(parts))
    back = unpack_images(tmp_path / "images.npz")
    assert list(back) == list(parts)
    for name, part in parts.items():
        assert (back[name].images == part.images).all()
        assert (back[name].labels == part.labels).all()
        assert back[name].labels.dtype == np.int64
    assert pack_images(parts) == pack_images(parts)


@pytest.mark.parametrize("keep", [0, 10, 400])
def test_a_cut_archive_is_one_sentence(tmp_path, keep):
    part = ImageSet(np.zeros((2, 4, 4), np.uint8), np.zeros(2, np.int64))
    (tmp_path / "images.npz").write_bytes(pack_images({"held_out": part})[:keep])
    with pytest.raises(InvalidInput, match=r"images\.npz is no complete archive"):
        unpack_images(tmp_path / "images.npz")


def test_pickled_arrays_are_refused(tmp_path):
    np.savez(tmp_path / "images.npz", held_out_images=np.array([{"a": 1}], dtype=object))
    with pytest.raises(InvalidInput):
        unpack_images(tmp_path / "images.npz")


def test_copies_of_held_out_images_among_the_training_ones_are_refused():
    images = np.random.default_rng(0).integers(0, 256, (8, 4, 4), dtype=np.uint8)
    training, held_out = ImageSet(images[:5], np.arange(5)), ImageSet(images[5:], np.arange(3))
    check_apart(training, held_out)
    with pytest.raises(InvalidInput, match="^2 of 5 training images are held out"):
        check_apart(training, ImageSet(images[3:], np.arange(5)))


PARTS = {"calibration", "held_out"}


def packed(**changes) -> dict[str, ImageSet]:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, (20, 8, 8), dtype=np.uint8)
    part = ImageSet(images, rng.integers(0, 3, 20))
    return {name: changes.get(name, part) for name in PARTS}


def test_packed_images_are_checked_by_their_headers(tmp_path):
    colour = ImageSet(np.zeros((5, 8, 8, 3), np.uint8), np.zeros(5, np.int64))
    for parts in (packed(), packed(held_out=colour)):
        (tmp_path / "images.npz").write_bytes(pack_images(parts))
        check_packed(tmp_path / "images.npz", PARTS)


@pytest.mark.parametrize("name", ["other", "shape", "size", "flipped", "cut", "pickle"])
def test_packed_images_that_can_not_be_read_are_one_sentence(tmp_path, name):
    path = tmp_path / "images.npz"
    content = pack_images(packed())
    if name == "other":
        content = pack_images({"calibration": packed()["calibration"]})
    elif name == "shape":
        flat = ImageSet(np.zeros((20, 64), np.uint8), np.zeros(20, np.int64))
        content = pack_images(packed(held_out=flat))
    elif name == "size":
        short = ImageSet(np.zeros((20, 8, 8), np.uint8), np.zeros(19, np.int64))
        content = pack_images(packed(held_out=short))
    elif name == "flipped":
        content = content.replace(b"PK\x01\x02", b"PK\x01\x03", 1)
    elif name == "cut":
        content = content[:-1]
    path.write_bytes(content)
    if name == "pickle":
        objects = np.array([{}], dtype=object)
        names = [f"{part}_{field}" for part in PARTS for field in ("images", "labels")]
        np.savez(path, **dict.fromkeys(names, objects))
    with pytest.raises(InvalidInput, match=r"images\.npz is no complete archive of images"):
        check_packed(path, PARTS)


def test_first_pictures_are_looked_at_wherever_they_lie(tmp_path):
    (tmp_path / "sketch" / "cat").mkdir(parents=True)
    Image.new("L", (4, 4)).save(tmp_path / "sketch" / "cat" / "1.png")
    (tmp_path / "scan.nii.gz").write_bytes(b"none of ours")
    for nobodys in (tmp_path / "cover.png", tmp_path / "sketch" / "cat" / "._1.png"):
        nobodys.write_bytes(b"text")
    (tmp_path / ".cache").mkdir()
    (tmp_path / ".cache" / "1.png").write_bytes(b"text")
    check_first_pictures(tmp_path)
    check_first_pictures(tmp_path / "scan.nii.gz")
    (tmp_path / "sketch" / "cat" / "2.JPG").write_bytes(b"text")
    with pytest.raises(InvalidInput, match=r"2\.JPG can't be read as a picture"):
        check_first_pictures(tmp_path)
