import numpy as np
import pytest
import torch

from foxnas_core.supernet.adapter import supernet_of
from foxnas_core.tasks.classification import Classification
from foxnas_core.training.recipe import Recipe
from foxnas_core.training.updates.sandwich import Sandwich


def test_the_sandwich_as_published_has_both_extremes_in_every_step(tiny_supernet, tiny_space):
    update = Sandwich(
        tiny_supernet,
        Classification(0.5, 0.25),
        Recipe(largest_share=1, smallest_share=1, random_subnets=2),
    )
    for step in range(20):
        subnets = update.subnets(step)
        assert len(subnets) == 4
        assert subnets[0] == tiny_space.extreme("largest")
        assert subnets[-1] == tiny_space.extreme("smallest")


def test_shares_of_the_extremes_are_those_of_the_recipe(tiny_supernet, tiny_space):
    update = Sandwich(
        tiny_supernet, Classification(0.5, 0.25), Recipe(largest_share=0.3, smallest_share=0.1)
    )
    steps = [update.subnets(step) for step in range(1000)]
    largest = np.mean([s[0] == tiny_space.extreme("largest") for s in steps])
    # Chance draws the largest now and then: 1 of 2 · 20 · 20 architectures, and not uniformly.
    assert abs(largest - 0.3) < 0.06
    assert steps[17] == update.subnets(17)


def gradients_of(space, task, images, names, weight):
    """Of the classifier, after a step on these extremes with this weight of distillation."""
    torch.manual_seed(1)
    update = Sandwich(supernet_of(space).train(), task, Recipe(distillation=weight))
    update.subnets = lambda step: [space.extreme(name) for name in names]
    update.step(0, [images])
    return update.model.head.classifier.weight.grad.clone()


def test_distillation_weighs_the_soft_predictions_beside_the_labels(tiny_space, tiny_dataset):
    """Without it labels alone teach, with all weight on it the smallest subnet's labels don't."""
    images = tiny_dataset.training.take(slice(0, 40))
    given, both = (tiny_space, Classification.of(tiny_dataset), images), ("largest", "smallest")
    none, some, all_ = (gradients_of(*given, both, weight) for weight in (0.0, 0.25, 1.0))
    by_labels = [gradients_of(*given, (name,), 0.5) for name in both]
    close = {"rtol": 1e-4, "atol": 1e-6}
    assert torch.allclose(none, sum(by_labels), **close)
    assert torch.allclose(some, 0.75 * none + 0.25 * all_, **close)
    assert not torch.allclose(all_, none, rtol=0.05)


@pytest.mark.parametrize(
    ("inputs", "share"), [("pixels", 144 / 208), ("sides", 12 / 20), ("equal", 0.5)]
)
def test_larger_inputs_are_drawn_as_the_recipe_says(tiny_supernet, tiny_space, inputs, share):
    update = Sandwich(
        tiny_supernet,
        Classification(0.5, 0.25),
        Recipe(largest_share=0, smallest_share=0, random_subnets=4, inputs=inputs),
    )
    drawn = [s for step in range(500) for s in update.subnets(step)]
    large = np.mean([architecture["resolution"] == 12 for architecture in drawn])
    assert abs(large - share) < 0.04  # four standard errors; the nearest other is 0.09 off
