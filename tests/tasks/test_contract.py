"""Every task of ours keeps its contract."""

import numpy as np
import pytest

from foxnas_core.errors import InvalidInput
from foxnas_core.tasks import register_task, task_named, task_of, tasks
from foxnas_core.tasks.classification import Classification
from foxnas_core.tasks.dataset import Dataset
from foxnas_core.testing.tasks import check_judging, check_task

# What a task of its own kind of data is checked on beside its own tests.
OF_OTHER_DATA = {"domains", "segmentation"}


@pytest.mark.parametrize("name", [name for name in tasks() if name not in OF_OTHER_DATA])
def test_a_task_keeps_its_contract(name, tiny_dataset):
    check_task(task_named(name), tiny_dataset, (1, 12, 12))
    check_task(task_named(name), tiny_dataset, (1, 8, 8))


def test_classification_judges_by_its_contract(tiny_dataset):
    task = Classification.of(tiny_dataset)
    rng = np.random.default_rng(0)
    right = 5 * np.eye(3, dtype=np.float32)[tiny_dataset.held_out.labels[:40]]
    check_judging(task, rng.normal(size=(40, 3)).astype(np.float32), right, tiny_dataset)
    scores = task.score(right, tiny_dataset.held_out.take(slice(0, 40)))
    assert scores["accuracy"].value == 100 and scores["accuracy"].std_error == 0


class Sloppy(Classification):
    """Breaks the contract: what it scores by is not what comes first."""

    name = "sloppy"

    def cases(self, outputs, labels):
        return dict(reversed(super().cases(outputs, labels).items()))


def test_the_suite_finds_a_broken_task(tiny_dataset):
    task = Sloppy.of(tiny_dataset)
    outputs = np.eye(3, dtype=np.float32)[tiny_dataset.held_out.labels[:40]]
    with pytest.raises(AssertionError, match="objective does not come first"):
        check_judging(task, outputs, 5 * outputs, tiny_dataset)


def test_a_task_from_outside_is_known_by_its_name(monkeypatch):
    monkeypatch.setattr("foxnas_core.tasks._tasks", {"classification": Classification})
    register_task(Sloppy)
    register_task(Sloppy)
    assert tasks() == ("classification", "sloppy")
    own = task_of({"task": "sloppy", "pixel_mean": 0.5, "pixel_std": 0.25})
    assert isinstance(own, Sloppy) and own.record() == {"pixel_mean": 0.5, "pixel_std": 0.25}
    with pytest.raises(InvalidInput, match="a task 'sloppy' already"):
        register_task(type("Other", (Classification,), {"name": "sloppy"}))
    with pytest.raises(InvalidInput, match="no task 'magic'; known: classification, sloppy"):
        task_named("magic")


def test_a_dataset_is_divided_into_parts_that_share_no_image(tiny_dataset):
    one, two = tiny_dataset.training.divided(2, seed=0)
    images = [{image.tobytes() for image in part.images} for part in (one, two)]
    assert len(one) == len(two) == 200 and not images[0] & images[1]
    assert tiny_dataset.training.divided(1, seed=0) == [tiny_dataset.training]
    assert isinstance(tiny_dataset, Dataset) and tiny_dataset.domains == ()
