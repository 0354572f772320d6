"""Images that a study shares with another one of its folder."""

import io
import json

import numpy as np
import pytest

from foxnas_core.cards.analysis import analysis_of
from foxnas_core.cards.given import Given
from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.study import check_parts, create_study, file_hash, open_study
from foxnas_core.study.library.archive import bring_in, pack
from foxnas_core.tasks.dataset import ImageSet


def images(seed: int = 0) -> ImageSet:
    rng = np.random.default_rng(seed)
    return ImageSet(rng.integers(0, 256, (6, 4, 4)).astype(np.uint8), np.arange(6) % 2)


def share(folder, **sibling):
    told = json.loads((folder / "study.json").read_text())
    (folder / "study.json").write_text(json.dumps(told | {"sibling": sibling}))


@pytest.fixture
def sharing(tiny_space, tmp_path):
    """A study without images of its own beside one that has some."""
    owner = create_study(tmp_path / "owner", tiny_space, name="Owner")
    owner.save_images(images(1), images(2))
    study = create_study(tmp_path / "sharing", tiny_space, name="Sharing")
    share(study.folder, study="owner", images=file_hash(owner.images_file))
    return open_study(study.folder)


def holds(study) -> str:
    return " ".join(analysis_of("study-holds").compute(Given(study)).points)


def test_images_of_a_sibling_are_read_as_if_they_were_its_own(sharing):
    calibration, held_out = sharing.images()
    assert (calibration.images == images(1).images).all()
    assert (held_out.labels == images(2).labels).all()
    check_parts(sharing)
    sharing.save_images(images(1), images(2))  # the same: not stored twice
    assert not (sharing.folder / "images.npz").exists()
    sharing.save_images(images(3), images(2))
    assert (sharing.images()[0].images == images(3).images).all()


def test_a_packed_study_has_the_images_that_it_shared(sharing, tmp_path):
    packed = io.BytesIO(pack(sharing))
    alone = bring_in(tmp_path / "elsewhere", packed, label="the file")
    assert alone.images_file == alone.folder / "images.npz"
    assert (alone.images()[1].images == images(2).images).all()


def test_a_sibling_that_is_gone_or_another_is_named_with_what_to_do(sharing, tmp_path):
    owner = open_study(tmp_path / "owner")
    owner.save_images(images(7), images(8))
    with pytest.raises(MissingPart, match=r"'owner'.* are others .*put that study there as it was"):
        sharing.images()
    assert "are others" in holds(sharing) or not sharing.checkpoint_file.exists()
    owner.images_file.unlink()
    with pytest.raises(MissingPart, match=r"'owner'.* are not there; .*copy its images.npz"):
        sharing.images()
    assert "images.npz" not in io.BytesIO(pack(sharing)).getvalue().decode("latin-1")
    # As the sentence says.
    sharing.save_images(images(1), images(2))
    assert len(sharing.images()) == 2


@pytest.mark.parametrize(
    "sibling", [{"study": "../owner", "images": "0"}, {"study": "owner"}, {"study": 3, "images": 4}]
)
def test_a_sibling_that_could_be_a_path_is_refused(sharing, sibling):
    share(sharing.folder, **sibling)
    with pytest.raises(InvalidInput, match="sibling|can't name"):
        check_parts(sharing)
    with pytest.raises(InvalidInput, match="sibling|can't name"):
        sharing.images()
