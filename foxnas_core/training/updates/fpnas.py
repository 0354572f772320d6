"""Training a supernet with a distribution over its subnets (FP-NAS, Yan et al., arXiv 2011.10949,
algorithm 1): as many subnets a step as it is still uncertain."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from foxnas_core.networks import SupernetAdapter
from foxnas_core.sampling.adaptive import AdaptiveSampler, SamplingSettings, Step, softmax
from foxnas_core.sampling.distribution import Distribution
from foxnas_core.tasks.dataset import ImageSet
from foxnas_core.tasks.task import Task
from foxnas_core.training.distributed import averaged
from foxnas_core.training.update import Observed, Plan, Update
from foxnas_core.training.updates.single import laid_out

Over = Callable[[np.ndarray], np.ndarray]
"""How far subnets of these codes (rows, decisions) are over what they may cost (rows,), as a share
of that, 0 within."""
Watch = Callable[[Distribution], Mapping[str, Sequence[float]]]
"""What else there is to see of a distribution after each epoch, by names of no decision."""


_USUAL = SamplingSettings(hottest=True)


class FPNAS(Update):
    """The weights by one half of the cases, the distribution by the other; both by the same
    subnets, whose weights ω are their likelihoods' shares on that half.

    A subnet that is drawn twice is evaluated once. Columns: the loss of the cases that weights
    learn from, and of the others, both weighted by ω; entropy in nats, samples and what they are
    worth (see `sampling.adaptive.Step`).
    """

    name: ClassVar[str] = "fpnas"
    takes = SupernetAdapter
    columns: ClassVar[tuple[str, ...]] = ("loss", "search_loss", "entropy", "k", "ess")
    parts: ClassVar[int] = 2
    usual: ClassVar[Mapping[str, Any]] = {"epochs": 12, "batch": 64}
    model: SupernetAdapter

    def __init__(
        self,
        model: SupernetAdapter,
        task: Task,
        recipe: Plan,
        *,
        settings: SamplingSettings | None = None,
        over: Over | None = None,
        distribution: Distribution | None = None,
        watch: Watch | None = None,
    ) -> None:
        super().__init__(model, task, recipe)
        begun = distribution or Distribution.uniform(model.space)
        self.sampler = AdaptiveSampler(begun, settings or _USUAL, recipe.seed)
        self._over, self._watch = over, watch
        self.steps: list[Step] = []

    def remembered(self) -> dict[str, Tensor]:
        course = [[s.number, s.k, s.entropy, s.ess, s.joint] for s in self.steps]
        kept = {name: torch.from_numpy(array) for name, array in self.sampler.state().items()}
        return kept | {"course": torch.tensor(course, dtype=torch.float64).reshape(-1, 5)}

    def recall(self, tensors: Mapping[str, Tensor]) -> None:
        state = {name: tensor.numpy() for name, tensor in tensors.items()}
        self.steps = [
            Step(int(number), int(k), entropy, ess, bool(joint))
            for number, k, entropy, ess, joint in state.pop("course").tolist()
        ]
        self.sampler.recall(state)

    def watched(self) -> Mapping[str, Sequence[float]]:
        """How probable the choices of each decision are, where it is active, and what else is
        asked for."""
        now = self.sampler.distribution
        shares = {name: [round(p, 4) for p in own] for name, own in now.marginals().items()}
        return {**shares, **(self._watch(now) if self._watch else {})}

    def step(self, number: int, parts: Sequence[ImageSet]) -> Observed:
        training, searching = parts
        codes = self.sampler.draw()
        own, places = np.unique(codes, axis=0, return_inverse=True)
        places = places.reshape(-1)
        with torch.no_grad():
            searched = torch.stack(self._losses(own, searching))
        losses = self._losses(own, training)
        told = torch.stack([searched, torch.stack([loss.detach() for loss in losses])])
        found, trained = averaged(told).double().numpy()
        over = self._over(codes) if self._over else None
        step = self.sampler.learn(codes, -found[places], over)
        self.steps.append(step)
        omega = self._weights(-trained[places])
        shares = np.bincount(places, omega, len(own))
        torch.stack(losses).mul(torch.from_numpy(shares).float()).sum().backward()
        return [
            ("loss", float(shares @ trained)),
            ("search_loss", float(self._weights(-found[places]) @ found[places])),
            ("entropy", step.entropy), ("k", step.k), ("ess", step.ess),
        ]  # fmt: skip

    def _losses(self, codes: np.ndarray, cases: ImageSet) -> list[Tensor]:
        losses = []
        for architecture in self.model.space.decode(codes):
            x = self.task.batch(cases.images, self.model.input_shape(architecture))
            outputs = self.model(laid_out(x, self.model.layout), architecture)
            losses.append(self.task.loss(outputs, cases.labels))
        return losses

    def _weights(self, likelihoods: np.ndarray) -> np.ndarray:
        return softmax(likelihoods / (self.sampler.temper or 1.0))
