import numpy as np
import pytest

from foxnas_core.errors import InvalidInput
from foxnas_core.tasks.classification import Classification
from foxnas_core.training.loop import Batches, schedule, steps_of
from foxnas_core.training.recipe import Recipe
from foxnas_core.training.updates.sandwich import Sandwich


def test_each_image_is_flipped_half_of_the_times(tiny_supernet, tiny_dataset):
    recipe = Recipe(epochs=20, batch=40, seed=5)
    update = Sandwich(tiny_supernet, Classification(0.5, 0.25), recipe)
    batches = Batches(update, tiny_dataset.training)
    mirrored, seen = [], np.zeros(len(tiny_dataset.training))
    for step in range(200):
        [given] = batches.of_step(step)
        order = np.random.default_rng([recipe.seed, 1, step // 10]).permutation(400)
        rows = order[step % 10 * 40 : (step % 10 + 1) * 40]
        own = tiny_dataset.training.take(rows)
        straight = (given.images == own.images).all((1, 2))
        assert (straight | (given.images == own.images[:, :, ::-1]).all((1, 2))).all()
        assert np.array_equal(given.labels, own.labels)
        seen[rows] += 1
        mirrored.append(1 - straight.mean())
    assert (seen == 20).all()  # every image once an epoch
    assert abs(np.mean(mirrored) - 0.5) < 0.02
    assert len(set(mirrored)) > 5


def test_processes_share_a_batch_between_them(tiny_supernet, tiny_dataset):
    update = Sandwich(tiny_supernet, Classification(0.5, 0.25), Recipe(1, 40))
    [whole] = Batches(update, tiny_dataset.training).of_step(3)
    parts = [Batches(update, tiny_dataset.training).of_step(3, rank, 2)[0] for rank in range(2)]
    for rank, part in enumerate(parts):
        assert np.array_equal(part.images, whole.images[rank::2])
        assert np.array_equal(part.labels, whole.labels[rank::2])


class Divided(Sandwich):
    """Weights by one half of the cases, and what to search by another."""

    parts = 2


def test_cases_of_two_parts_never_meet(tiny_supernet, tiny_dataset):
    update = Divided(tiny_supernet, Classification(0.5, 0.25), Recipe(2, 40))
    batches = Batches(update, tiny_dataset.training)
    assert steps_of(400, update.recipe, update.parts) == 10  # 5 of each half an epoch
    seen = [set(), set()]
    for step in range(10):
        for own, part in zip(seen, batches.of_step(step), strict=True):
            for image in part.images:
                own.add(min(image.tobytes(), image[:, ::-1].tobytes()))  # flipped or not
    assert len(seen[0]) == len(seen[1]) == 200 and not seen[0] & seen[1]


def test_the_schedule_begins_at_once_without_a_warm_up():
    assert schedule(0, 10, 0.0) == 1 and schedule(5, 10, 0.0) == pytest.approx(0.5)
    assert schedule(0, 10, 0.1) == 1 and schedule(0, 10, 0.5) == 0.2


def test_no_step_is_one_sentence():
    with pytest.raises(InvalidInput, match="39 training images are fewer than one batch of 40"):
        steps_of(39, Recipe(1, 40))
