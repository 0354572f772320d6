import math
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import REPOSITORY, stripes, tiny_document
from optimizers import kernels, learning_rates, reached, shrunk_alone

from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.families import space_from_dict
from foxnas_core.supernet.adapter import supernet_of
from foxnas_core.tasks import task_of
from foxnas_core.tasks.classification import Classification
from foxnas_core.tasks.dataset import Dataset
from foxnas_core.training.recipe import Recipe
from foxnas_core.training.supernets import score_of, train, weights_fingerprint

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
    script = tmp_path / "run.py"
    script.write_text(
        "import json, sys, torch\n"
        "from pathlib import Path\n"
        "sys.path[:0] = [sys.argv[1], sys.argv[1] + '/tests']\n"
        "import conftest\n"
        "from mixtures import space_of_cells\n"
        "from training.updates import test_fpnas as fpnas\n"
        "from foxnas_core.families import space_from_dict\n"
        "from foxnas_core.tasks.classification import Classification\n"
        "from foxnas_core.tasks.dataset import Dataset\n"
        "from foxnas_core.training.distributed import average_gradients, is_first\n"
        "from foxnas_core.training.recipe import Recipe\n"
        "from foxnas_core.training.loop import run as steps\n"
        "from foxnas_core.training.supernets import train\n"
        "torch.set_num_threads(1)\n"
        "d = Dataset('stripes', '', tuple('abc'), conftest.stripes(1600, 1), conftest.stripes(9))\n"
        "space = space_from_dict(conftest.tiny_document())\n"
        "t = train(space, Classification.of(d), d, Recipe(6, 320, 1e-2),\n"
        "          state_file=Path(sys.argv[2]) / 's', report_every=3)\n"
        "own = torch.nn.Linear(2, 1)\n"
        "own.weight.grad = torch.full((1, 2), 1.0 + 2 * torch.distributed.get_rank())\n"
        "average_gradients(own, 2)\n"
        "t.record['averaged'] = own.weight.grad.tolist()\n"
        "cells, sums = space_of_cells('nasbench201', resolution=12), [None, None]\n"
        "m = train(cells, Classification.of(d), d, Recipe(1, 80, .02), update='darts',\n"
        "          state_file=Path(sys.argv[2]) / 'm').supernet\n"
        "own = [p.detach().double().sum().item() for p in m.parameters()]\n"
        "torch.distributed.all_gather_object(sums, own)\n"
        "f, drawn = fpnas.made(space, d), [None, None]\n"
        "steps(f, d.training.take(slice(0, 160)))\n"
        "own = [f.sampler.draw().tolist(), [s.k for s in f.steps], f.sampler.temper]\n"
        "torch.distributed.all_gather_object(drawn, own)\n"
        "t.record.update(drawn=drawn)\n"
        "t.record.update(sums=sums, alpha=[a.tolist() for a in m.alpha.values()])\n"
        "if is_first():\n"
        "    Path(sys.argv[2], 'out.json').write_text(json.dumps(t.record))\n"
        "torch.distributed.destroy_process_group()\n"
    )
    command = [
        sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
        str(script), str(REPOSITORY), str(tmp_path),
    ]  # fmt: skip
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    import json

    two = json.loads((tmp_path / "out.json").read_text())
    space = space_from_dict(tiny_document())
    dataset = Dataset("stripes", "", tuple("abc"), stripes(1600, 1), stripes(9))
    one = run(space, dataset, tmp_path, recipe=Recipe(6, 320, 1e-2), report_every=3)
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
