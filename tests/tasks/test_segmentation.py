import numpy as np
import pytest
import torch
from scans import write_small

from foxnas_core.errors import InvalidInput
from foxnas_core.tasks import task_of
from foxnas_core.tasks.dataset import Dataset, ImageSet, check_packed, pack_images, unpack_images
from foxnas_core.tasks.dice import overlaps, soft_loss
from foxnas_core.tasks.segmentation import Segmentation
from foxnas_core.tasks.task import read_settings
from foxnas_core.testing.tasks import check_judging, check_task

SHAPE = (1, 8, 8, 8)


@pytest.fixture(scope="module")
def three_classes() -> Dataset:
    """Volumes of which each voxel's level tells its class, 0 to 2."""
    rng = np.random.default_rng(0)

    def drawn(count: int) -> ImageSet:
        labels = rng.integers(0, 3, (count, *SHAPE[1:]))
        return ImageSet((100 * labels).astype(np.uint8), labels)

    return Dataset("noise", "made here", ("background", "head", "long tail"), drawn(20), drawn(8))


def logits(labels: np.ndarray) -> np.ndarray:
    return np.moveaxis(8 * np.eye(3, dtype=np.float32)[labels], -1, 1)


def test_it_keeps_its_contract(three_classes):
    check_task(Segmentation, three_classes, SHAPE)
    check_task(Segmentation, Segmentation.load(None, SHAPE), SHAPE)


def test_it_judges_by_its_contract(three_classes):
    task, labels = Segmentation.of(three_classes), three_classes.held_out.labels
    outputs = np.random.default_rng(1).normal(size=(8, 3, *SHAPE[1:])).astype(np.float32)
    check_judging(task, outputs, logits(labels), three_classes)
    perfect = task.cases(logits(labels), labels)
    assert list(perfect) == ["dice", "dice:head", "dice:long-tail"]
    assert all((values == 1).all() for values in perfect.values())


def test_dice_by_hand():
    wanted, found = np.zeros((2, 4, 1, 1), int), np.zeros((2, 4, 1, 1), int)
    wanted[0, :3], found[0, 1:] = 1, 1  # 2 of 3 and 3 voxels
    found[0, 0] = 2  # a class that is not there
    assert overlaps(found, wanted, 3).tolist() == [[pytest.approx(2 / 3), 0], [1, 1]]


def test_the_loss_of_sure_outputs_is_that_of_their_dice(three_classes):
    labels = torch.from_numpy(three_classes.held_out.labels)
    sure = torch.from_numpy(100 * logits(three_classes.held_out.labels))
    assert float(soft_loss(sure, labels)) == pytest.approx(0, abs=1e-6)
    # A class that is nowhere, and is not found, costs nothing.
    empty = torch.zeros_like(labels)
    nothing = torch.from_numpy(100 * logits(empty.numpy()))
    assert float(soft_loss(nothing, empty)) == pytest.approx(0, abs=1e-6)


def test_images_and_masks_vary_alike(three_classes):
    task, cases = Segmentation.of(three_classes), three_classes.training
    drawn = task.variation(np.random.default_rng(3), len(cases))
    drawn[:, 3:5] = 0.5  # neither brighter nor darker
    varied = task.varied(cases, drawn)
    assert np.array_equal(varied.images, 100 * varied.labels)
    assert not np.array_equal(varied.images, cases.images)


def test_patches_are_parts_of_their_volumes(three_classes):
    dataset = Segmentation.load(None, (1, 8, 16, 16), patch=[8, 8, 8], mirrored=False)
    task = Segmentation.of(dataset)
    assert task.patch == (8, 8, 8) and not task.mirrored
    assert task_of({"task": "segmentation", **task.record()}) == task
    cases = dataset.training.take(slice(0, 3))
    drawn = np.full((3, 8), 0.5)
    drawn[:, 5:] = 0
    part = task.varied(cases, drawn)
    assert np.array_equal(part.images, cases.images[:, :8, :8, :8])
    assert np.array_equal(part.labels, cases.labels[:, :8, :8, :8])
    with pytest.raises(InvalidInput, match="multiples of 8 that are no larger"):
        Segmentation.load(None, SHAPE, patch=[8, 8, 16])


def test_settings_are_read_and_given_again(tmp_path):
    given = [("spacing", "2"), ("patch", "8,8,8"), ("mirrored", "no")]
    settings = read_settings(Segmentation, given)
    assert settings == {"spacing": [2, 2, 2], "patch": [8, 8, 8], "mirrored": False}
    folder = write_small(tmp_path)
    dataset = Segmentation.load(folder, SHAPE, **settings)
    assert dataset.settings == settings
    again = Segmentation.load(folder, SHAPE, **dataset.settings)
    assert np.array_equal(again.training.images, dataset.training.images)


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("spacing", "0", "'spacing' can't be '0'; it is millimetres"),
        ("patch", "8,8", "'patch' can't be '8,8'"),
        ("mirrored", "perhaps", "'mirrored' can't be 'perhaps'; it is yes or no"),
        ("magic", "1", "no setting 'magic'; known: spacing"),
    ],
)
def test_a_wrong_setting_is_told(name, text, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        read_settings(Segmentation, [(name, text)])


def test_settings_of_scans_and_phantoms_are_kept_apart(tmp_path):
    with pytest.raises(InvalidInput, match="Phantoms have no spacing"):
        Segmentation.load(None, SHAPE, spacing=[1, 1, 1])
    with pytest.raises(InvalidInput, match="holds scans; leave phantoms out"):
        Segmentation.load(tmp_path, SHAPE, phantoms="within")


def test_what_does_not_suit_a_space_is_told(three_classes):
    check = Segmentation.check
    check(three_classes, SHAPE, (3, 8, 8, 8), "own")
    with pytest.raises(InvalidInput, match="volumes of noise are .* 'own' take"):
        check(three_classes, (1, 8, 8, 16), (3, 8, 8, 16), "own")
    with pytest.raises(InvalidInput, match="not a class of each voxel"):
        check(three_classes, SHAPE, (3,), "own")
    with pytest.raises(InvalidInput, match="have 3 classes, but space 'own' is for 2"):
        check(three_classes, SHAPE, (2, 8, 8, 8), "own")
    with pytest.raises(InvalidInput, match="take a space of volumes"):
        Segmentation.load(None, (1, 28, 28))


def test_volumes_are_stored_with_a_study(three_classes, tmp_path):
    parts = {"calibration": three_classes.training, "held_out": three_classes.held_out}
    path = tmp_path / "images.npz"
    path.write_bytes(pack_images(parts))
    check_packed(path, set(parts))
    for name, part in unpack_images(path).items():
        assert np.array_equal(part.images, parts[name].images)
        assert np.array_equal(part.labels, parts[name].labels)


def test_what_one_tensor_holds_is_bounded(three_classes):
    task, inputs = Segmentation.of(three_classes), np.zeros((3, 64, 64, 64), np.uint8)
    assert [len(batch) for batch in task.batches(inputs, (1, 64, 64, 64))] == [1, 1, 1]
