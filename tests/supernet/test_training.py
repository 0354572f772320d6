import math
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import REPOSITORY, stripes, tiny_document
from optimizers import kernels, learning_rates, shrunk_alone

from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.families import space_from_dict
from foxnas_core.supernet import training
from foxnas_core.supernet.training import Recipe, accuracy_of, train
from foxnas_core.tasks.dataset import Dataset

RECIPE = Recipe(epochs=2, batch=40, learning_rate=1e-2, seed=5)  # 10 steps an epoch


def run(space, dataset, path, **options):
    torch.set_num_threads(1)
    recipe = options.pop("recipe", RECIPE)
    return train(space, dataset, recipe, state_file=path / "state.safetensors", **options)


def same_weights(one, two) -> bool:
    a, b = one.supernet.state_dict(), two.supernet.state_dict()
    return all(torch.equal(a[name], b[name]) for name in a)


def test_training_learns_what_the_labels_say(tiny_space, tiny_dataset, tmp_path):
    trained = run(tiny_space, tiny_dataset, tmp_path, recipe=Recipe(20, 40, 2e-2))
    for architecture in [tiny_space.extreme("largest"), *tiny_space.sample(3, seed=0)]:
        accuracy = accuracy_of(
            trained.supernet, architecture, tiny_dataset,
            mean=trained.record["pixel_mean"], std=trained.record["pixel_std"],
        )  # fmt: skip
        assert accuracy > 60  # chance is 33


def test_equal_seeds_give_equal_weights_and_others_do_not(tiny_space, tiny_dataset, tmp_path):
    first = run(tiny_space, tiny_dataset, tmp_path)
    assert same_weights(first, run(tiny_space, tiny_dataset, tmp_path))
    other = run(tiny_space, tiny_dataset, tmp_path, recipe=Recipe(2, 40, 1e-2, seed=6))
    assert not same_weights(first, other)


@pytest.mark.parametrize("step", [3, 10, 17])
def test_a_resumed_run_ends_as_an_unbroken_one(tiny_space, tiny_dataset, tmp_path, step):
    whole = run(tiny_space, tiny_dataset, tmp_path)
    run(tiny_space, tiny_dataset, tmp_path, stop_after=step)
    resumed = run(tiny_space, tiny_dataset, tmp_path, resume=True)
    assert same_weights(whole, resumed)


def test_resuming_goes_on_from_the_last_saved_step(tiny_space, tiny_dataset, tmp_path):
    run(tiny_space, tiny_dataset, tmp_path, stop_after=7)
    seen = []
    run(
        tiny_space, tiny_dataset, tmp_path, resume=True,
        report=lambda p: seen.append(p.step), report_every=1,
    )  # fmt: skip
    assert seen == list(range(8, 21))


def test_another_recipe_can_not_resume(tiny_space, tiny_dataset, tmp_path):
    run(tiny_space, tiny_dataset, tmp_path, stop_after=3)
    with pytest.raises(InvalidInput, match="another recipe"):
        run(tiny_space, tiny_dataset, tmp_path, recipe=Recipe(3, 40, 1e-2, seed=5), resume=True)


def test_resuming_what_was_never_begun_says_so(tiny_space, tiny_dataset, tmp_path):
    with pytest.raises(MissingPart, match="no checkpoint"):
        run(tiny_space, tiny_dataset, tmp_path, resume=True)


def test_too_few_images_for_a_batch_says_so(tiny_space, tiny_dataset, tmp_path):
    with pytest.raises(InvalidInput, match="400 training images are fewer"):
        run(tiny_space, tiny_dataset, tmp_path, recipe=Recipe(1, 500))


def test_progress_ends_at_the_last_step_with_no_time_left(tiny_space, tiny_dataset, tmp_path):
    reports = []
    run(tiny_space, tiny_dataset, tmp_path, report=reports.append, report_every=5)
    assert [r.step for r in reports] == [5, 10, 15, 20]
    assert all(r.steps == 20 and math.isfinite(r.loss) for r in reports)
    assert reports[-1].seconds_left == 0


def test_the_sandwich_as_published_has_both_extremes_in_every_step(tiny_space):
    recipe = Recipe(largest_share=1, smallest_share=1, random_subnets=2)
    for step in range(20):
        subnets = training._subnets_of_step(tiny_space, recipe, step)
        assert len(subnets) == 4
        assert subnets[0] == tiny_space.extreme("largest")
        assert subnets[-1] == tiny_space.extreme("smallest")


def test_shares_of_the_extremes_are_those_of_the_recipe(tiny_space):
    recipe = Recipe(largest_share=0.3, smallest_share=0.1)
    steps = [training._subnets_of_step(tiny_space, recipe, step) for step in range(1000)]
    largest = np.mean([s[0] == tiny_space.extreme("largest") for s in steps])
    # Chance draws the largest now and then: 1 of 2 · 20 · 20 architectures, and not uniformly.
    assert abs(largest - 0.3) < 0.06
    assert steps[17] == training._subnets_of_step(tiny_space, recipe, 17)


def test_alone_trains_that_subnet_and_no_other(tiny_space, tiny_dataset, tmp_path):
    smallest = tiny_space.extreme("smallest")
    recipe = Recipe(1, 40, alone=smallest.to_dict())
    trained = run(tiny_space, tiny_dataset, tmp_path, recipe=recipe)
    torch.manual_seed(recipe.seed)
    fresh = training.supernet_of(tiny_space).state_dict()
    moved = {n for n, t in trained.supernet.state_dict().items() if not torch.equal(t, fresh[n])}
    assert any(name.startswith("blocks.s1b1") for name in moved)
    assert not any("s1b2" in name or "s2b2" in name for name in moved)


def test_weights_can_begin_as_anothers_which_are_left_as_they_are(
    tiny_space, tiny_dataset, tiny_checkpoint, tmp_path
):
    before = training.weights_fingerprint(tiny_checkpoint.supernet)
    still = Recipe(1, 40, 0.0, 0.0)  # no step moves a weight
    trained = run(tiny_space, tiny_dataset, tmp_path, recipe=still, start=tiny_checkpoint.supernet)
    old, new = tiny_checkpoint.supernet.state_dict(), trained.supernet.state_dict()
    assert all(torch.equal(old[name], new[name]) for name in old if name.endswith("weight"))
    run(
        tiny_space, tiny_dataset, tmp_path, recipe=RECIPE, start=tiny_checkpoint.supernet,
        stop_after=3,
    )  # fmt: skip
    assert training.weights_fingerprint(tiny_checkpoint.supernet) == before
    with pytest.raises(InvalidInput, match="another recipe"):
        run(tiny_space, tiny_dataset, tmp_path, resume=True)


def gradients_of(space, images, names, weight):
    """Of the classifier, after a step on these extremes with this weight of distillation."""
    torch.manual_seed(1)
    supernet = training.supernet_of(space).train()
    subnets = [space.extreme(name) for name in names]
    training._accumulate(supernet, subnets, images, weight, 0.5, 0.25)
    return supernet.head.classifier.weight.grad.clone()


def test_distillation_weighs_the_soft_predictions_beside_the_labels(tiny_space, tiny_dataset):
    """Without it labels alone teach, with all weight on it the smallest subnet's labels don't."""
    images = tiny_dataset.training.take(slice(0, 40))
    none, some, all_ = (
        gradients_of(tiny_space, images, ("largest", "smallest"), w) for w in (0.0, 0.25, 1.0)
    )
    by_labels = [gradients_of(tiny_space, images, (name,), 0.5) for name in ("largest", "smallest")]
    close = {"rtol": 1e-4, "atol": 1e-6}
    assert torch.allclose(none, sum(by_labels), **close)
    assert torch.allclose(some, 0.75 * none + 0.25 * all_, **close)
    assert not torch.allclose(all_, none, rtol=0.05)


def test_larger_inputs_are_drawn_in_proportion_to_their_pixels(tiny_space):
    recipe = Recipe(largest_share=0, smallest_share=0, random_subnets=4)
    drawn = [s for step in range(500) for s in training._subnets_of_step(tiny_space, recipe, step)]
    large = np.mean([architecture["resolution"] == 12 for architecture in drawn])
    assert (
        abs(large - 144 / (144 + 64)) < 0.03
    )  # four standard errors are 0.041; a half is 0.19 off


def test_weight_decay_is_for_kernels_alone(tiny_space, tiny_dataset, tmp_path):
    """After one step, of which weight decay is no part of the gradient's."""
    one, two = (
        run(
            tiny_space, tiny_dataset, tmp_path, stop_after=1,
            recipe=Recipe(1, 40, 1e-2, decay, largest_share=1, smallest_share=1),
        ).supernet
        for decay in (0.0, 0.5)
    )  # fmt: skip
    assert shrunk_alone(one, two) == kernels(one)


def test_each_image_is_flipped_half_of_the_times(tiny_dataset):
    recipe = replace(RECIPE, epochs=20)
    mirrored, seen = [], np.zeros(len(tiny_dataset.training))
    for step in range(200):
        given = training.StepImages(tiny_dataset.training, recipe).step(step)
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


def test_the_rate_warms_up_then_falls_to_nothing(tiny_space, tiny_dataset, tmp_path):
    with learning_rates() as rates:
        run(tiny_space, tiny_dataset, tmp_path, recipe=replace(RECIPE, warmup=0.2))
    assert rates[:4] == pytest.approx([0.0025, 0.005, 0.0075, 0.01])
    assert np.all(np.diff(rates[4:]) < 0) and rates[4] == pytest.approx(0.01)
    assert rates[12] == pytest.approx(0.005) and 0 < rates[-1] < 2e-4


def test_two_processes_share_the_batches_of_one(tmp_path):
    """Under torchrun each process takes half of every batch, and its gradients are averaged with
    the other's; the loss curves agree."""
    script = tmp_path / "run.py"
    script.write_text(
        "import json, sys, torch\n"
        "from pathlib import Path\n"
        "sys.path[:0] = [sys.argv[1], sys.argv[1] + '/tests']\n"
        "import conftest\n"
        "from foxnas_core.families import space_from_dict\n"
        "from foxnas_core.tasks.dataset import Dataset\n"
        "from foxnas_core.supernet import training\n"
        "from foxnas_core.supernet.training import Recipe, train, is_first\n"
        "torch.set_num_threads(1)\n"
        "d = Dataset('stripes', '', tuple('abc'), conftest.stripes(1600, 1), conftest.stripes(9))\n"
        "t = train(space_from_dict(conftest.tiny_document()), d, Recipe(6, 320, 1e-2),\n"
        "          state_file=Path(sys.argv[2]) / 's', report_every=3)\n"
        "own = torch.nn.Linear(2, 1)\n"
        "rank = torch.distributed.get_rank()\n"
        "own.weight.grad = torch.full((1, 2), 1.0 + 2 * rank)\n"
        "training._average_gradients(own, 2)\n"
        "t.record['averaged'] = own.weight.grad.tolist()\n"
        "if is_first():\n"
        "    Path(sys.argv[2], 'out.json').write_text(json.dumps(t.record))\n"
        "torch.distributed.destroy_process_group()\n"
    )
    command = [
        sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
        str(script), str(REPOSITORY), str(tmp_path),
    ]  # fmt: skip
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    import json

    two = json.loads((tmp_path / "out.json").read_text())
    space = space_from_dict(tiny_document())
    dataset = Dataset("stripes", "", tuple("abc"), stripes(1600, 1), stripes(9))
    one = run(space, dataset, tmp_path, recipe=Recipe(6, 320, 1e-2), report_every=3)
    # Not their sum, which Adam, indifferent to a gradient's scale, would not show in the losses.
    assert two["averaged"] == [[2.0, 2.0]]
    assert two["processes"] == 2 and one.record["processes"] == 1
    losses = [[row[1] for row in record["history"]["rows"]] for record in (two, one.record)]
    # Batch norm sees half a batch in each process, so they agree to hundredths, not to digits.
    assert np.corrcoef(losses)[0, 1] > 0.99
    assert np.allclose(losses[0], losses[1], atol=0.05)
    assert losses[1][0] - losses[1][-1] > 0.2
