"""What every `Task` keeps: a record of which it is made again, a loss that falls where outputs do
as the labels say, and a score that is the mean over cases."""

import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from foxnas_core.tasks.dataset import Dataset
from foxnas_core.tasks.task import Task

_CASES = 16


def check_task(kind: type[Task], dataset: Dataset, input_shape: Sequence[int]) -> None:
    """Check a task on some of its own data, at the shape of one case that networks take."""
    task = kind.of(dataset)
    assert kind.name and kind.objective, f"{kind.__name__} has no name or objective"
    record = json.loads(json.dumps(task.record(), allow_nan=False))
    again = kind.from_record(record)
    assert again.record() == task.record(), f"{kind.name}: a record that does not give it back"

    training = dataset.training.take(slice(0, _CASES))
    batch = task.batch(training.images, input_shape)
    assert tuple(batch.shape) == (_CASES, *input_shape), f"{kind.name}: {tuple(batch.shape)}"
    assert batch.dtype == torch.float32 and bool(torch.isfinite(batch).all())
    assert torch.equal(batch, again.batch(training.images, input_shape))
    parts = list(task.batches(training.images, input_shape, 5))
    assert torch.allclose(torch.cat(parts), batch, atol=1e-6), f"{kind.name}: cases are mixed"
    check_variation(task, dataset)


def check_variation(task: Task, dataset: Dataset) -> None:
    """Variation follows from the generator alone, case by case, and leaves its cases alone."""
    cases = dataset.training.take(slice(0, _CASES))
    before = cases.images.copy()
    drawn = [task.variation(np.random.default_rng(seed), _CASES) for seed in (0, 0, 1)]
    assert np.array_equal(drawn[0], drawn[1]), f"{task.name}: chance beyond the generator"
    assert all(len(values) == _CASES for values in drawn), f"{task.name}: not one a case"
    varied = task.varied(cases, drawn[0])
    assert np.array_equal(cases.images, before), f"{task.name}: variation changes what is stored"
    assert varied.images.shape == cases.images.shape
    half = task.varied(cases.take(slice(0, None, 2)), drawn[0][::2])
    assert np.array_equal(varied.images[::2], half.images), f"{task.name}: cases are not apart"


def check_judging(task: Task, outputs: np.ndarray, right: np.ndarray, dataset: Dataset) -> None:
    """Check loss and score on outputs (N, …) for the first held-out cases, any and right ones."""
    held_out = dataset.held_out.take(slice(0, len(outputs)))
    cases = task.cases(outputs, held_out.labels)
    assert next(iter(cases)) == task.objective, f"{task.name}: the objective does not come first"
    scores = task.score(outputs, held_out)
    assert list(scores) == list(cases)
    for name, values in cases.items():
        assert values.shape == (len(outputs),), f"{task.name}: {name} is not one a case"
        assert np.isclose(scores[name].value, values.mean()), f"{task.name}: {name} is no mean"
        expected = values.std(ddof=1) / np.sqrt(len(values))
        assert np.isclose(scores[name].std_error, expected), f"{task.name}: error of {name}"
    domains = np.arange(len(outputs)) % 2
    apart = task.score(outputs, replace(held_out, domains=domains), ("a", "b"))
    for name, values in cases.items():
        for number, domain in enumerate("ab"):
            own = apart[f"{name}:{domain}"].value
            assert np.isclose(own, values[domains == number].mean()), (
                f"{task.name}: {name}:{domain}"
            )

    given = torch.from_numpy(outputs).requires_grad_()
    loss = task.loss(given, held_out.labels)
    loss.backward()
    assert loss.ndim == 0 and bool(torch.isfinite(given.grad).all()), f"{task.name}: no gradient"  # type: ignore[arg-type]
    best = task.loss(torch.from_numpy(right), held_out.labels)
    assert float(best) < float(loss.detach()), f"{task.name}: right outputs cost as much as others"
    imitated = task.imitation(given, given.detach())
    other = task.imitation(given, torch.from_numpy(right))
    assert float(imitated.detach()) < float(other.detach()), f"{task.name}: no imitation"
    assert (task.agreement(outputs, outputs) == 1).all(), f"{task.name}: at odds with itself"
