import json
import math
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import REPOSITORY, tiny_document
from optimizers import kernels, learning_rates, reached, shrunk_alone

from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.families import space_from_dict
from foxnas_core.study import open_study
from foxnas_core.supernet.adapter import supernet_of
from foxnas_core.tasks import task_of
from foxnas_core.tasks.classification import Classification
from foxnas_core.training.recipe import Recipe
from foxnas_core.training.supernets import score_of, train, weights_fingerprint
from tests.test_main import write_images
from tests.training import two_processes

RECIPE = Recipe(epochs=2, batch=40, learning_rate=1e-2, seed=5)  # 10 steps an epoch


def run(space, dataset, path, **options):
    torch.set_num_threads(1)
    recipe = options.pop("recipe", RECIPE)
    task = Classification.of(dataset)
    return train(space, task, dataset, recipe, state_file=path / "state.safetensors", **options)


def same_weights(one, two) -> bool:
    a, b = one.supernet.state_dict(), two.supernet.state_dict()
    return all(torch.equal(a[name], b[name]) for name in a)


def test_training_learns_what_the_labels_say(tiny_space, tiny_dataset, tmp_path):
    trained = run(tiny_space, tiny_dataset, tmp_path, recipe=Recipe(20, 40, 2e-2))
    for architecture in [tiny_space.extreme("largest"), *tiny_space.sample(3, seed=0)]:
        scores = score_of(trained.supernet, architecture, task_of(trained.record), tiny_dataset)
        assert scores["accuracy"].value > 60  # chance is 33


def test_equal_seeds_give_equal_weights_and_others_do_not(tiny_space, tiny_dataset, tmp_path):
    first = run(tiny_space, tiny_dataset, tmp_path)
    assert same_weights(first, run(tiny_space, tiny_dataset, tmp_path))
    other = run(tiny_space, tiny_dataset, tmp_path, recipe=Recipe(2, 40, 1e-2, seed=6))
    assert not same_weights(first, other)


@pytest.mark.parametrize("step", [3, 10, 17])
def test_a_resumed_run_ends_as_an_unbroken_one(tiny_space, tiny_dataset, tmp_path, step):
    whole = run(tiny_space, tiny_dataset, tmp_path)
    run(tiny_space, tiny_dataset, tmp_path, stop=reached(step))
    resumed = run(tiny_space, tiny_dataset, tmp_path, resume=True)
    assert same_weights(whole, resumed)


def test_resuming_goes_on_from_the_last_saved_step(tiny_space, tiny_dataset, tmp_path):
    run(tiny_space, tiny_dataset, tmp_path, stop=reached(7))
    seen = []
    run(
        tiny_space, tiny_dataset, tmp_path, resume=True,
        report=lambda p: seen.append(p.done), report_every=1,
    )  # fmt: skip
    assert seen == list(range(8, 21))


def test_another_recipe_can_not_resume(tiny_space, tiny_dataset, tmp_path):
    run(tiny_space, tiny_dataset, tmp_path, stop=reached(3))
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
    assert [r.done for r in reports] == [5, 10, 15, 20]
    assert all(r.total == 20 and math.isfinite(r.values["loss"]) for r in reports)
    assert reports[-1].seconds_left == 0


def test_alone_trains_that_subnet_and_no_other(tiny_space, tiny_dataset, tmp_path):
    smallest = tiny_space.extreme("smallest")
    recipe = Recipe(1, 40, alone=smallest.to_dict())
    trained = run(tiny_space, tiny_dataset, tmp_path, recipe=recipe)
    torch.manual_seed(recipe.seed)
    fresh = supernet_of(tiny_space).state_dict()
    moved = {n for n, t in trained.supernet.state_dict().items() if not torch.equal(t, fresh[n])}
    assert any(name.startswith("blocks.s1b1") for name in moved)
    assert not any("s1b2" in name or "s2b2" in name for name in moved)


def test_weights_can_begin_as_anothers_which_are_left_as_they_are(
    tiny_space, tiny_dataset, tiny_checkpoint, tmp_path
):
    before = weights_fingerprint(tiny_checkpoint.supernet)
    still = Recipe(1, 40, 0.0, 0.0)  # no step moves a weight
    trained = run(tiny_space, tiny_dataset, tmp_path, recipe=still, start=tiny_checkpoint.supernet)
    old, new = tiny_checkpoint.supernet.state_dict(), trained.supernet.state_dict()
    assert all(torch.equal(old[name], new[name]) for name in old if name.endswith("weight"))
    run(
        tiny_space, tiny_dataset, tmp_path, recipe=RECIPE, start=tiny_checkpoint.supernet,
        stop=reached(3),
    )  # fmt: skip
    assert weights_fingerprint(tiny_checkpoint.supernet) == before
    with pytest.raises(InvalidInput, match="another recipe"):
        run(tiny_space, tiny_dataset, tmp_path, resume=True)


def test_weight_decay_is_for_kernels_alone(tiny_space, tiny_dataset, tmp_path):
    """After one step, of which weight decay is no part of the gradient's."""
    one, two = (
        run(
            tiny_space, tiny_dataset, tmp_path, stop=reached(1),
            recipe=Recipe(1, 40, 1e-2, decay, largest_share=1, smallest_share=1),
        ).supernet
        for decay in (0.0, 0.5)
    )  # fmt: skip
    assert shrunk_alone(one, two) == kernels(one)


def test_the_rate_warms_up_then_falls_to_nothing(tiny_space, tiny_dataset, tmp_path):
    with learning_rates() as rates:
        run(tiny_space, tiny_dataset, tmp_path, recipe=replace(RECIPE, warmup=0.2))
    assert rates[:4] == pytest.approx([0.0025, 0.005, 0.0075, 0.01])
    assert np.all(np.diff(rates[4:]) < 0) and rates[4] == pytest.approx(0.01)
    assert rates[12] == pytest.approx(0.005) and 0 < rates[-1] < 2e-4


def test_two_processes_share_the_batches_of_one(tmp_path):
    """Under torchrun each process takes half of every batch, and its gradients are averaged with
    the other's; the loss curves agree."""
    write_images(tmp_path / "images")
    (tmp_path / "space.json").write_text(json.dumps(tiny_document()))
    command = [
        sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
        two_processes.__file__, str(tmp_path),
        "train", "--study", str(tmp_path / "study"), "--space", str(tmp_path / "space.json"),
        "--data", str(tmp_path / "images"), "--epochs", "1", "--batch", "8", "--json",
    ]  # fmt: skip
    own = {"OMP_NUM_THREADS": "1", "PYTHONPATH": f"{REPOSITORY}{os.pathsep}{REPOSITORY / 'tests'}"}
    done = subprocess.run(
        command, env=os.environ | own, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-2000:]
    # By the command line, too, where the first alone has something to say.
    assert json.loads(done.stdout)["steps"] > 0
    assert open_study(tmp_path / "study").load_checkpoint().record["processes"] == 2

    two = json.loads((tmp_path / "out.json").read_text())
    space = space_from_dict(tiny_document())
    one = run(
        space, two_processes.DATASET, tmp_path,
        recipe=two_processes.RECIPE, report_every=two_processes.EVERY,
    )  # fmt: skip
    # Not their sum, which Adam, indifferent to a gradient's scale, would not show in the losses.
    assert two["averaged"] == [[2.0, 2.0]]
    # A mixture and its architecture parameters are the same in both as well.
    assert two["sums"][0] == two["sums"][1] and all(np.std(own) > 0 for own in two["alpha"])
    # Both draw the same subnets, and learn from what both found of them.
    assert two["drawn"][0] == two["drawn"][1] and min(two["drawn"][0][1]) >= 2
    assert two["processes"] == 2 and one.record["processes"] == 1
    losses = [[row[1] for row in record["history"]["rows"]] for record in (two, one.record)]
    # Batch norm sees half a batch in each process, so they agree to hundredths, not to digits.
    assert np.corrcoef(losses)[0, 1] > 0.99
    assert np.allclose(losses[0], losses[1], atol=0.05)
    assert losses[1][0] - losses[1][-1] > 0.2
