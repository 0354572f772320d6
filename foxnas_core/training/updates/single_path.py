"""One subnet a step, drawn uniformly (Guo et al., arXiv 1904.00420): what subnets then inherit is
no mixture's."""

from typing import ClassVar

from foxnas_core.families.family import Extreme
from foxnas_core.networks import SupernetAdapter
from foxnas_core.space.architecture import Architecture
from foxnas_core.tasks.task import Task
from foxnas_core.training.recipe import Recipe
from foxnas_core.training.updates.sandwich import Sandwich


class SinglePath(Sandwich):
    """The sandwich without its ends."""

    name: ClassVar[str] = "single-path"
    columns: ClassVar[tuple[str, ...]] = ("loss",)

    def __init__(self, model: SupernetAdapter, task: Task, recipe: Recipe) -> None:
        super().__init__(model, task, recipe)
        self._ends: dict[Extreme, Architecture] = {}
