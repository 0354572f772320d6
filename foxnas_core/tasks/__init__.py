"""What networks are trained for and judged by, by name.

`register_task` adds one from outside; training, meters and export then know it.
"""

from collections.abc import Mapping
from typing import Any

from foxnas_core.registry import add_named, named
from foxnas_core.tasks.task import Task

CLASSIFICATION, DOMAINS, SEGMENTATION = "classification", "domains", "segmentation"
# Modules are named, not imported: tasks compute with torch.
_tasks: dict[str, type[Task] | str] = {
    CLASSIFICATION: "foxnas_core.tasks.classification:Classification",
    DOMAINS: "foxnas_core.tasks.domains:Domains",
    SEGMENTATION: "foxnas_core.tasks.segmentation:Segmentation",
}


def register_task(task: type[Task]) -> None:
    """Make a task known by its name; raises `InvalidInput` where another class has the name."""
    add_named(_tasks, task, "a task")


def task_named(name: str) -> type[Task]:
    """The task of that name; raises `InvalidInput` where it is not known here."""
    return named(_tasks, name, "a task")


def tasks() -> tuple[str, ...]:
    """Names of all that are known, the first registered first."""
    return tuple(_tasks)


def task_of(record: Mapping[str, Any]) -> Task:
    """The task that a checkpoint's record tells, classification where it tells none.

    Raises `InvalidInput` as `task_named`.
    """
    return task_named(record.get("task", CLASSIFICATION)).from_record(record)
