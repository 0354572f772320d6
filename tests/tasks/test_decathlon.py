"""Scans come in as they lie in space, and what can't is told by its file."""

import json
from itertools import islice

import nibabel
import numpy as np
import pytest
from conftest import REPOSITORY
from scans import small_cases, write_small

from benchmarks.scans import cases_of, write_scans
from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.tasks.decathlon import decathlon

SIDES = (12, 8, 8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_small(tmp_path_factory.mktemp("scans"))


def all_cases(dataset) -> dict[bytes, np.ndarray]:
    return {
        image.tobytes(): mask
        for part in (dataset.training, dataset.held_out)
        for image, mask in zip(part.images, part.labels, strict=True)
    }


def test_a_third_of_the_scans_is_held_out_whole(folder):
    dataset = decathlon(folder, SIDES)
    assert (len(dataset.training), len(dataset.held_out)) == (4, 2)
    assert dataset.name == "blocks" and dataset.classes == ("background", "block")
    assert dataset.training.images.shape == (4, *SIDES)
    assert dataset.training.images.dtype == np.uint8
    assert len(all_cases(dataset)) == 6
    # Each block is 2 × 3 × 4 voxels, and at its own spacing nothing is resampled.
    assert dataset.settings == {"spacing": [1.0, 1.0, 1.0]}
    assert all((mask == 1).sum() == 24 for mask in all_cases(dataset).values())


def test_slices_lie_along_the_first_axis_whatever_the_order_in_the_file(folder, tmp_path):
    straight = decathlon(folder, SIDES)
    turned = write_small(tmp_path)
    for path in sorted(turned.rglob("*.nii.gz")):
        file = nibabel.load(path)
        values, affine = np.asarray(file.dataobj), file.affine
        # Stored from front to back, head to foot and right to left; the affine says so.
        stored = np.ascontiguousarray(values.transpose(1, 2, 0)[::-1, ::-1, ::-1])
        axes = np.zeros((4, 4))
        for new, old in enumerate((1, 2, 0)):
            axes[:, new] = -affine[:, old]
        axes[:, 3] = affine @ [*(np.array(values.shape) - 1), 1]
        nibabel.Nifti1Image(stored, axes).to_filename(path)
    again = decathlon(turned, SIDES)
    assert np.array_equal(again.training.images, straight.training.images)
    assert np.array_equal(again.held_out.labels, straight.held_out.labels)


def test_intensities_do_not_depend_on_a_scans_own_scale(folder, tmp_path):
    cases = [
        (name, (image * (3 + i) + 70 * i).astype(np.int16), mask)
        for i, (name, image, mask) in enumerate(small_cases())
    ]
    scaled = decathlon(write_small(tmp_path, cases), SIDES)
    plain = decathlon(folder, SIDES)
    difference = scaled.training.images.astype(int) - plain.training.images
    assert np.abs(difference).max() <= 1


def test_scans_of_other_spacing_are_read_at_the_asked_one(tmp_path):
    thick = [(n, image[:, :, ::2], mask[:, :, ::2]) for n, image, mask in small_cases()]
    folder = write_small(tmp_path, thick, spacing=(1, 1, 2))
    by_itself = decathlon(folder, SIDES)
    assert by_itself.settings == {"spacing": [2.0, 1.0, 1.0]}
    asked = decathlon(folder, SIDES, spacing=[1, 1, 1])
    volumes = [np.mean([(m == 1).sum() for m in d.training.labels]) for d in (by_itself, asked)]
    assert volumes == [12, 24]


def test_a_mask_that_would_be_cut_off_is_refused(folder):
    with pytest.raises(InvalidInput, match=r"scan\d.nii.gz marks voxels that would be cut off"):
        decathlon(folder, (4, 8, 8))
    coarse = decathlon(folder, (4, 8, 8), spacing=[3, 1, 1])
    assert coarse.training.images.shape[1:] == (4, 8, 8)


def test_what_a_folder_must_have(tmp_path):
    with pytest.raises(MissingPart, match=r"no .*dataset.json; name a folder"):
        decathlon(tmp_path, SIDES)
    (tmp_path / "dataset.json").write_text('{"training": []}')
    with pytest.raises(InvalidInput, match='needs "labels"'):
        decathlon(tmp_path, SIDES)
    with pytest.raises(MissingPart, match="lists 2 cases; .* needs 6"):
        decathlon(write_small(tmp_path, small_cases(2)), SIDES)
    document = json.loads((tmp_path / "dataset.json").read_text())
    document["training"][0]["image"] = "../elsewhere.nii.gz"
    (tmp_path / "dataset.json").write_text(json.dumps(document))
    with pytest.raises(InvalidInput, match="no file of its folder"):
        decathlon(tmp_path, SIDES)


def broken(case):
    name, image, mask = case
    several = np.stack([image] * 2, -1)
    return {
        "but its mask": (name, image[:, :, :5], mask),
        "a single slice": (name, image[:, :, :1], mask[:, :, :1]),
        "marks no voxel": (name, image, 0 * mask),
        "other numbers than the 2 classes": (name, image, 3 * mask),
        "holds no image": (name, 0 * image, mask),
        "has 4 axes": (name, several, mask),
    }


@pytest.mark.parametrize("sentence", broken(small_cases(1)[0]))
def test_a_scan_that_says_nothing_is_named(sentence, tmp_path):
    cases = small_cases()
    cases[2] = broken(cases[2])[sentence]
    with pytest.raises(InvalidInput, match=f"scan2.nii.gz .*{sentence}"):
        decathlon(write_small(tmp_path, cases), SIDES)


def test_a_broken_file_is_named(tmp_path):
    image = write_small(tmp_path) / "imagesTr" / "scan3.nii.gz"
    image.write_bytes(image.read_bytes()[:200])
    with pytest.raises(InvalidInput, match=r"scan3.nii.gz can't be read as NIfTI"):
        decathlon(tmp_path, SIDES)
    image.write_bytes(b"a picture")
    with pytest.raises(InvalidInput, match=r"scan3.nii.gz can't be read as NIfTI"):
        decathlon(tmp_path, SIDES)
    image.unlink()
    with pytest.raises(InvalidInput, match=r"no .*scan3.nii.gz, which"):
        decathlon(tmp_path, SIDES)


def test_an_image_and_a_mask_lie_in_one_place(tmp_path):
    path = write_small(tmp_path) / "labelsTr" / "scan1.nii.gz"
    values = np.asarray(nibabel.load(path).dataobj)
    nibabel.Nifti1Image(values, np.diag([1, 1, 3, 1])).to_filename(path)
    with pytest.raises(InvalidInput, match=r"scan1.nii.gz lie otherwise in space"):
        decathlon(tmp_path, SIDES)


def test_real_scans_keep_the_volume_of_what_is_marked(tmp_path):
    archive = REPOSITORY.parent / "shared" / "data" / "hippocampus_200.npz"
    if not archive.exists():
        pytest.skip("the hippocampus's scans are not there")
    cases = list(islice(cases_of(archive), 6))
    write_scans(tmp_path, cases, name="Hippocampus", classes=["Anterior", "Posterior"])
    dataset = decathlon(tmp_path, (24, 32, 24), spacing=[2, 2, 2])
    labels = np.concatenate([dataset.training.labels, dataset.held_out.labels])
    for number in (1, 2):
        marked = sum(int((mask == number).sum()) for _, _, mask in cases)
        assert 8 * (labels == number).sum() == pytest.approx(marked, rel=0.05)
    with pytest.raises(InvalidInput, match="would be cut off: at 1×1×1 mm"):
        decathlon(tmp_path, (24, 32, 24))
