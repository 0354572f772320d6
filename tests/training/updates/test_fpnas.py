"""A supernet that learns with a distribution over its subnets."""

import numpy as np
import torch

from foxnas_core.sampling.adaptive import SamplingSettings
from foxnas_core.supernet.adapter import supernet_of
from foxnas_core.tasks.classification import Classification
from foxnas_core.training.loop import Batches, Training, run
from foxnas_core.training.recipe import Recipe
from foxnas_core.training.updates.fpnas import FPNAS

RECIPE = Recipe(epochs=2, batch=20, learning_rate=1e-2, seed=1)
SETTINGS = SamplingSettings(first=6, switch=4, hottest=True)


def made(space, dataset, *, settings=SETTINGS, over=None) -> FPNAS:
    torch.manual_seed(0)
    model, task = supernet_of(space).train(), Classification.of(dataset)
    return FPNAS(model, task, RECIPE, settings=settings, over=over)


def test_each_step_draws_by_the_entropy_and_joining_keeps_it(tiny_space, tiny_dataset):
    update = made(tiny_space, tiny_dataset)
    run(update, tiny_dataset.training)
    told = update.steps
    λ = update.sampler.samples_per_nat
    assert [step.k for step in told] == [max(2, round(λ * step.entropy)) for step in told]
    assert [step.joint for step in told[:6]] == [False] * 4 + [True] * 2
    assert told[0].k == 6 and 1 <= told[0].ess <= 6


def test_weights_learn_from_subnets_as_likely_as_they_are(tiny_space, tiny_dataset):
    """The gradient is Σ ω ∇ loss over what is drawn, a repeated draw counting twice."""
    update = made(tiny_space, tiny_dataset)
    parts = Batches(update, tiny_dataset.training).of_step(0)
    codes = update.sampler.draw()
    alone = made(tiny_space, tiny_dataset)
    losses = torch.stack([loss for row in codes for loss in alone._losses(row[None], parts[0])])
    update.step(0, parts)
    omega = torch.softmax(-losses.detach() / update.sampler.temper, dim=0)
    (omega * losses).sum().backward()
    for name, parameter in alone.model.named_parameters():
        expected, found = parameter.grad, dict(update.model.named_parameters())[name].grad
        assert (expected is None) == (found is None), name
        if expected is not None:
            torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-5)


def test_what_costs_too_much_is_left(tiny_space, tiny_dataset):
    """With the cost term alone, what is drawn at the end keeps within."""
    columns = [i for i, d in enumerate(tiny_space.decisions) if d.role == "kernel"]

    def over(codes):
        return (codes[:, columns] > 0).sum(axis=1).astype(float)

    settings = SamplingSettings(first=12, cost_weight=50.0, rate=0.5, hottest=True)
    update = made(tiny_space, tiny_dataset, settings=settings, over=over)
    begun = over(update.sampler.distribution.draw(np.random.default_rng(0), 200)).mean()
    run(update, tiny_dataset.training)
    ended = over(update.sampler.distribution.draw(np.random.default_rng(0), 200)).mean()
    assert ended < 0.5 * begun


def test_a_stopped_training_draws_on_as_if_it_had_not(tiny_space, tiny_dataset, tmp_path):
    given = {"state_file": tmp_path / "state.safetensors", "resume": True}
    whole = made(tiny_space, tiny_dataset)
    run(whole, tiny_dataset.training)
    for stop in (3, 5):
        half = Training(
            made(tiny_space, tiny_dataset), tiny_dataset.training, **given | {"resume": stop > 3}
        )
        while half.step < stop:
            half.advance()
        half.save()
    again = made(tiny_space, tiny_dataset)
    run(again, tiny_dataset.training, **given)
    assert again.steps == whole.steps
    np.testing.assert_equal(again.sampler.state(), whole.sampler.state())
