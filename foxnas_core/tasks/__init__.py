"""What networks are trained for and judged by, by name.

`register_task` adds one from outside; training, meters and export then know it.
"""

import importlib
from collections.abc import Mapping
from typing import Any

from foxnas_core.errors import InvalidInput
from foxnas_core.tasks.task import Task

CLASSIFICATION = "classification"
# Modules are named, not imported: tasks compute with torch.
_tasks: dict[str, type[Task] | str] = {
    CLASSIFICATION: "foxnas_core.tasks.classification:Classification"
}


def register_task(task: type[Task]) -> None:
    """Make a task known by its name; raises `InvalidInput` where another class has the name."""
    known = _tasks.get(task.name)
    if known is not None and known is not task:
        raise InvalidInput(f"There is a task {task.name!r} already; give yours another name.")
    _tasks[task.name] = task


def task_named(name: str) -> type[Task]:
    """The task of that name; raises `InvalidInput` where it is not known here."""
    known = _tasks.get(name)
    if known is None:
        raise InvalidInput(f"There is no task {name!r}; known: {', '.join(_tasks)}.")
    if isinstance(known, str):
        module, _, of_module = known.partition(":")
        return getattr(importlib.import_module(module), of_module)
    return known


def tasks() -> tuple[str, ...]:
    """Names of all that are known, the first registered first."""
    return tuple(_tasks)


def task_of(record: Mapping[str, Any]) -> Task:
    """The task that a checkpoint's record tells, classification where it tells none.

    Raises `InvalidInput` as `task_named`.
    """
    return task_named(record.get("task", CLASSIFICATION)).from_record(record)
