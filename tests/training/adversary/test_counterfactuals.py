"""Made pictures beside what others drew: what goes their way, and what does not."""

import numpy as np
import torch

from foxnas_core.tasks.dataset import ImageSet, check_packed, pack_images, unpack_images
from foxnas_core.training.adversary.counterfactuals import paired, towards


def test_who_draws_as_the_other_goes_all_its_way_and_who_changes_by_chance_none():
    draw = torch.Generator().manual_seed(0)
    real, drawn, noise = (torch.rand(40, 1, 8, 8, generator=draw) for _ in range(3))
    found = towards(real, drawn, drawn)
    assert found.pictures == 40 and found.nearer == 1
    assert np.isclose(found.cosine.value, 1) and found.gain.value > 20 * found.gain.std_error
    by_chance = towards(real, noise, drawn)
    # Noise leaves the picture as any other does, which is the way to none in particular.
    assert by_chance.cosine.value > 0.3
    assert abs(by_chance.gain.value) < 3 * by_chance.gain.std_error
    assert towards(real, real, drawn).cosine.value == 0


def test_things_are_paired_and_kept_with_images(tmp_path):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, (4, 2, 2)).astype(np.uint8)
    labels, domains = np.array([0, 1, 0, 1]), np.zeros(4, int)
    one = ImageSet(images, labels, domains, np.array([5, 2, 9, 1]))
    other = ImageSet(images, labels, domains, np.array([7, 2, 5, 9]))
    rows, others = paired(one, other)
    assert [one.things[row] for row in rows] == [2, 5]  # 9 is of another class there
    assert [other.things[row] for row in others] == [2, 5]
    assert not len(paired(one, ImageSet(images, labels, domains))[0])
    file = tmp_path / "images.npz"
    file.write_bytes(pack_images({"calibration": one, "held_out": other}))
    check_packed(file, {"calibration", "held_out"})
    assert (unpack_images(file)["held_out"].things == other.things).all()
