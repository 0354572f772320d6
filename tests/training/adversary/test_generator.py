"""A gradient turned round against two separate losses, and what a generator may make."""

import numpy as np
import torch
from torch import nn

from foxnas_core.tasks.classification import Classification
from foxnas_core.tasks.dataset import ImageSet
from foxnas_core.training.adversary.generator import Generator, Pixels, reversed_gradient


def test_one_reversed_loss_is_two_separate_ones():
    """What comes before ascends and what comes after descends, as with a loss of each's own."""
    torch.manual_seed(0)
    before, after = nn.Linear(3, 4), nn.Linear(4, 2)
    x = torch.randn(5, 3)

    def loss(hidden):
        return after(hidden.tanh()).square().mean()

    up = torch.autograd.grad(-loss(before(x)), list(before.parameters()))
    down = torch.autograd.grad(loss(before(x).detach()), list(after.parameters()))
    loss(reversed_gradient(before(x))).backward()
    learnt = [*before.parameters(), *after.parameters()]
    for found, expected in zip(learnt, [*up, *down], strict=True):
        torch.testing.assert_close(found.grad, expected)
    assert torch.equal(reversed_gradient(x), x)


def test_it_begins_close_to_what_is_and_makes_pixels_by_both_domains():
    torch.manual_seed(0)
    generator, pixels = Generator(3, 4), torch.rand(6, 3, 5, 5)
    here, there = torch.zeros(6, dtype=torch.int64), torch.full((6,), 2)
    assert (generator(pixels, here, there) - pixels).abs().max() < 0.1
    for parameter in generator.parameters():
        nn.init.normal_(parameter)
    made = generator(pixels, here, there)
    assert made.min() >= 0 and made.max() <= 1 and made.shape == pixels.shape
    assert not torch.equal(made, generator(pixels, here, there + 1))
    assert not torch.equal(made, generator(pixels, here + 1, there))


def test_pixels_are_what_a_task_was_given():
    images = np.random.default_rng(0).integers(0, 256, (4, 6, 6, 3)).astype(np.uint8)
    task = Classification((0.4, 0.5, 0.6), (0.2, 0.3, 0.1))
    x = task.batch(images, (3, 6, 6))
    pixels = Pixels(task, ImageSet(images, np.zeros(4, np.int64)), (3, 6, 6))
    expected = torch.from_numpy(images.transpose(0, 3, 1, 2).astype(np.float32) / 255)
    torch.testing.assert_close(pixels.of(x), expected, rtol=0, atol=1e-5)
    torch.testing.assert_close(pixels.back(pixels.of(x)), x, rtol=0, atol=1e-5)
