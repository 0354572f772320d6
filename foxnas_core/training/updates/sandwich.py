"""The sandwich rule with in-place distillation.

A step trains the largest subnet on the labels, random ones and the smallest on the labels and on
the largest one's soft predictions (Yu & Huang, arXiv 1903.05134; Yu et al., arXiv 2003.11142).
Where cases tell what a teacher said of them, all subnets learn from that instead. In a narrow
supernet the two extremes, trained in every step, crowd out the subnets between them, which then
score below the smallest. So a recipe says in which share of the steps each extreme takes part; a
step with neither the largest subnet nor a teacher trains on the labels alone.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from foxnas_core.families import family_of
from foxnas_core.networks import SupernetAdapter
from foxnas_core.space.architecture import Architecture, Value
from foxnas_core.space.decisions import Decision
from foxnas_core.tasks.dataset import ImageSet
from foxnas_core.tasks.task import Task
from foxnas_core.training.recipe import Recipe
from foxnas_core.training.update import Observed, Update
from foxnas_core.training.updates.single import laid_out

POWERS = {"pixels": 1.0, "sides": 0.5, "equal": 0.0}
"""How a resolution's share of the random subnets follows from its pixels."""


class Sandwich(Update):
    """A supernet's subnets by a recipe, or the one that the recipe trains alone.

    Columns: the loss with the labels (mean over subnets), and the latest training scores of the
    two extremes, in the unit of the task's objective.
    """

    name: ClassVar[str] = "sandwich"
    takes = SupernetAdapter
    imitates: ClassVar[bool] = True
    model: SupernetAdapter
    recipe: Recipe
    columns: ClassVar[tuple[str, ...]] = ("loss", "largest", "smallest")

    def __init__(self, model: SupernetAdapter, task: Task, recipe: Recipe) -> None:
        super().__init__(model, task, recipe)
        self._ends = dict(family_of(model.space).extremes(model.space))

    @classmethod
    def columns_for(cls, task: Task) -> list[str]:
        loss, *extremes = cls.columns
        return [loss, *(f"{extreme}_{task.objective}" for extreme in extremes)]

    def step(self, number: int, parts: Sequence[ImageSet]) -> Observed:
        [cases] = parts
        seen: list[tuple[str, float]] = []
        taught = None if cases.taught is None else torch.from_numpy(cases.taught)
        teacher: Tensor | None = taught
        weight = self.recipe.distillation
        for architecture in self.subnets(number):
            x = self.task.batch(cases.images, self.model.input_shape(architecture))
            outputs = self.model(laid_out(x, self.model.layout), architecture)
            hard = loss = self.task.loss(outputs, cases.labels)
            if teacher is not None:
                imitation = self.task.imitation(outputs, teacher)
                loss = (1 - weight) * hard + weight * imitation
            loss.backward()
            if taught is None and architecture == self._ends.get("largest"):
                teacher = outputs.detach()
            seen.append(("loss", hard.item()))
            scores = self.task.cases(outputs.detach().numpy(), cases.labels)
            mean = float(scores[self.task.objective].mean())
            seen += [(which, mean) for which, end in self._ends.items() if end == architecture]
        return seen

    def subnets(self, step: int) -> list[Architecture]:
        """The subnets of one step, the largest first; or the one trained alone."""
        space, recipe = self.model.space, self.recipe
        if recipe.alone is not None:
            return [space.architecture(recipe.alone)]
        rng = np.random.default_rng([recipe.seed, 3, step])
        subnets = [self._draw(rng) for _ in range(recipe.random_subnets)]
        if rng.random() < recipe.largest_share and "largest" in self._ends:
            subnets.insert(0, self._ends["largest"])
        if (rng.random() < recipe.smallest_share or not subnets) and "smallest" in self._ends:
            subnets.append(self._ends["smallest"])
        return subnets

    def _draw(self, rng: np.random.Generator) -> Architecture:
        """A random subnet, its resolution drawn as the recipe says.

        In a short training the larger inputs, which hold more to learn, end up behind smaller ones
        unless they are drawn in proportion to the number of pixels.
        """
        space, power = self.model.space, POWERS[self.recipe.inputs]
        architecture = space.draw(rng, "decisions")
        choices = architecture.to_dict()
        for decision in space.decisions:
            if decision.role == "resolution" and decision.name in choices:
                pixels = np.array([self._cells(choices, decision, r) for r in decision.choices])
                shares = pixels**power
                drawn = int(rng.choice(len(pixels), p=shares / shares.sum()))
                choices[decision.name] = decision.choices[drawn]
        return space.architecture(choices)

    def _cells(self, choices: Mapping[str, Value], decision: Decision, choice: Value) -> float:
        """Pixels, or voxels, of a case that an architecture takes with another resolution."""
        other = self.model.space.architecture({**choices, decision.name: choice})
        return float(np.prod(self.model.input_shape(other)[1:]))
