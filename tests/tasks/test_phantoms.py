import numpy as np
import pytest
from conftest import REPOSITORY

from foxnas_core.errors import InvalidInput
from foxnas_core.study import open_study
from foxnas_core.tasks.phantoms import ACROSS, WITHIN, phantoms

SIDES = (8, 16, 16)


def levels(told: str) -> tuple[np.ndarray, np.ndarray]:
    part = phantoms(SIDES, phantoms=told).training
    return part.images.astype(float), part.labels == 1


def test_a_slice_alone_tells_nothing_where_depth_does():
    images, inside = levels(ACROSS)
    assert images[inside].mean() == pytest.approx(images[~inside].mean(), rel=0.01)
    assert images[inside].std() == pytest.approx(images[~inside].std(), rel=0.01)
    # Nor do neighbours within it.
    beside = images[..., 1:] == images[..., :-1]
    both = inside[..., 1:] & inside[..., :-1]
    assert beside[both].mean() == pytest.approx(beside[~both].mean(), abs=0.01)


def test_neighbouring_slices_tell_all_where_depth_does():
    images, inside = levels(ACROSS)
    first, second = images[:, 1:-1:2], images[:, 2::2]
    assert (first == second)[inside[:, 2::2]].all()
    assert (first == second)[~inside[:, 2::2]].mean() == pytest.approx(1 / 8, abs=0.01)
    # Averages of two slices, as pooling makes them, say no more than a slice.
    pooled = (images[:, ::2] + images[:, 1::2]) / 2
    both = inside[:, ::2] & inside[:, 1::2]
    assert pooled[both].std() == pytest.approx(pooled[~both].std(), rel=0.01)


def test_each_slice_tells_its_own_part_where_depth_does_not_help():
    images, inside = levels(WITHIN)
    assert images[inside].mean() - images[~inside].mean() == pytest.approx(100, abs=2)
    first, second = images[:, 1:-1:2], images[:, 2::2]
    assert (first == second)[inside[:, 2::2]].mean() < 0.2


def test_phantoms_follow_from_their_seed():
    one, same, other = (phantoms(SIDES, phantom_seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(one.training.images, same.training.images)
    assert not np.array_equal(one.training.images, other.training.images)
    assert "phantoms" in one.name and one.settings == {"phantoms": ACROSS, "phantom_seed": 1}
    with pytest.raises(InvalidInput, match="'across' or 'within', not 'along'"):
        phantoms(SIDES, phantoms="along")


def test_what_ships_says_where_depth_is_needed():
    frame = open_study(REPOSITORY / "data" / "volumes").table().frame
    seeing = (frame.filter(regex=r"^cell\d$") != "2D").sum(axis=1)
    assert len(frame) >= 300
    assert frame["dice"][seeing == 0].max() < 0.7 and frame["dice"][seeing == 6].min() > 0.85
    by_first = frame.groupby("cell1", observed=True)["dice"].mean()
    assert by_first["3D"] - by_first["2D"] > 0.1
