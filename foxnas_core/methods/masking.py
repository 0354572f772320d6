"""Selection by perturbation at work: operations are masked one at a time, what is missed most
stays, and the supernet is fine-tuned before the next decision (arXiv 2108.04392, algorithm 1)."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from foxnas_core.errors import InvalidInput
from foxnas_core.methods.method import Selection
from foxnas_core.methods.on_supernet import (
    OnSupernet,
    mixture_file,
    mixture_of,
    selection_of,
    strength,
)
from foxnas_core.networks import MixtureSupernet
from foxnas_core.records import document_of, value_of
from foxnas_core.search.selections import EdgeDecision, MaskedOperation
from foxnas_core.space.mixture import Weights
from foxnas_core.study import Study
from foxnas_core.supernet.checkpoint import load_checkpoint
from foxnas_core.supernet.recalibration import recalibrate
from foxnas_core.table.metrics import metric_of
from foxnas_core.tasks.dataset import ImageSet
from foxnas_core.tasks.task import Task, mean_of
from foxnas_core.training.loop import run
from foxnas_core.training.recipe import Recipe
from foxnas_core.training.updates.mixtures import FixedMixture
from foxnas_core.training.updates.single import laid_out

# The recipe's learning rate, as a share, with which the supernet is fine-tuned.
_RATE = 0.1


class _Mixed(nn.Module):
    """A supernet with the weights that it is mixed by."""

    def __init__(self, supernet: MixtureSupernet, weights: Weights) -> None:
        super().__init__()
        self.supernet, self.weights = supernet, weights

    def forward(self, x: Tensor) -> Tensor:
        return self.supernet.mixed(x, self.weights)


class Bench:
    """What a mixture scores on held-out cases, with norms that are re-estimated for it, since they
    belong to no other mixture."""

    def __init__(
        self, supernet: MixtureSupernet, task: Task, calibration: ImageSet, held_out: ImageSet
    ) -> None:
        self.supernet, self.task, self.calibration = supernet, task, calibration
        self._labels = held_out.labels
        self._calibration, self._held_out = (
            [laid_out(x, supernet.layout) for x in task.batches(cases.images, supernet.shape)]
            for cases in (calibration, held_out)
        )
        self._sign = 1.0 if metric_of(task.objective).direction == "max" else -1.0

    @torch.no_grad()
    def cases(self, weights: Weights) -> np.ndarray:
        """The objective of each case (cases,)."""
        mixed = _Mixed(self.supernet, weights)
        recalibrate(mixed, self._calibration)
        outputs = np.concatenate([mixed(batch).numpy() for batch in self._held_out])
        return self.task.cases(outputs, self._labels)[self.task.objective]

    def lost(self, base: np.ndarray, masked: np.ndarray) -> tuple[float, float]:
        """How much worse the second is than the first, and the standard error of that, paired."""
        found = mean_of(self._sign * (base - masked))
        return found.value, found.std_error

    def tune(self, weights: Weights, recipe: Recipe) -> None:
        """Train the weights of the supernet on, mixed so."""
        if recipe.epochs:
            update = FixedMixture(self.supernet.train(), self.task, recipe, weights=weights)
            run(update, self.calibration)
            self.supernet.eval()


class PerturbationRun:
    """A selection at work. Steps are the scores of masked supernets and, at the end of each
    decision, its fine-tuning; its state is that of the last decision that was made."""

    def __init__(
        self,
        method: OnSupernet,
        study: Study,
        seed: int,
        state: bytes | None,
        *,
        epochs: int,
        images: int,
    ) -> None:
        checkpoint = load_checkpoint(mixture_file(study), space=study.space)
        supernet = checkpoint.supernet
        assert isinstance(supernet, MixtureSupernet), "lacks says so"
        supernet.laid_out(supernet.layout)
        calibration, held_out = study.images()
        self._method, self._study, self._seed, self._epochs = method, study, seed, epochs
        self._bench = Bench(supernet, checkpoint.task, calibration, held_out.take(slice(0, images)))
        self._recipe = checkpoint.record.get("recipe", {})
        self._mixture = mixture_of(study)
        self._start = supernet.numbers()
        self._order = _order(self._mixture, seed)
        self._decided: list[EdgeDecision] = []
        self._base: np.ndarray | None = None
        self._state = state or b""
        if state:
            self._take_up(state)
        # A decision of one candidate more takes one step more, for what is done once it is made.
        sizes = [len(self._candidates(name)) + 1 for name in self._order]
        self.total = 1 + sum(sizes)
        self.done = 0 if self._base is None else 1 + sum(sizes[: len(self._decided)])
        self._work = self._working()

    def advance(self, steps: int) -> None:
        for _ in range(min(steps, self.total - self.done)):
            next(self._work)
            self.done += 1

    def state(self) -> bytes:
        return self._state

    def selection(self) -> Selection:
        decided = self._decided
        chance = sum(decision.by_chance for decision in decided)
        said = (
            f"What the supernet misses most stays, edge by edge; {chance} of {len(decided)} "
            f"decisions had a margin under two standard errors, so that chance made them. Its "
            f"{metric_of(self._bench.task.objective).word} went from "
            f"{decided[0].base:.2f} before the first decision to {decided[-1].after:.2f} after "
            "the last."
        )
        return selection_of(self._method, self._study, self._seed, decided, said)

    # One decision after another

    def _working(self) -> Iterator[None]:
        bench = self._bench
        if self._base is None:
            self._base = bench.cases(self._weights())
            self._keep()
            yield
        for name in self._order[len(self._decided) :]:
            masked: list[np.ndarray] = []
            for candidate in self._candidates(name):
                masked.append(bench.cases(self._without(name, candidate)))
                yield
            decision = self._decision(name, masked)
            self._decided.append(decision)
            bench.tune(self._weights(), self._tuning())
            self._base = bench.cases(self._weights())
            after = float(self._base.mean())
            self._decided[-1] = replace(decision, after=after)
            self._keep()
            yield

    def _decision(self, name: str, masked: Sequence[np.ndarray]) -> EdgeDecision:
        assert self._base is not None
        edge = self._mixture.by_name.get(name)
        candidates = []
        for operation, cases in zip(self._candidates(name), masked, strict=True):
            drop, error = self._bench.lost(self._base, cases)
            weight = self._weight(name, operation)
            candidates.append(MaskedOperation(operation, weight, float(cases.mean()), error, drop))
        never = edge.mixed_only if edge else ()
        ranked = sorted(
            (i for i, one in enumerate(candidates) if one.operation not in never),
            key=lambda i: (-(candidates[i].drop or 0.0), -candidates[i].weight),
        )
        keeps = 1 if edge else self._junction(name).keeps
        kept = [candidates[i].operation for i in ranked[:keeps]]
        last, next_ = ranked[keeps - 1], ranked[keeps]
        margin, error = self._bench.lost(masked[next_], masked[last])
        choice = kept[0] if edge else str(self._junction(name).choice(kept))
        base = float(self._base.mean())
        return EdgeDecision(name, choice, tuple(candidates), base, None, margin, error)

    def _candidates(self, name: str) -> tuple[str, ...]:
        edge = self._mixture.by_name.get(name)
        return edge.operations if edge else self._junction(name).edges

    def _junction(self, name: str) -> Any:
        return next(own for own in self._mixture.junctions if own.name == name)

    def _weight(self, name: str, operation: str) -> float:
        edge = self._mixture.by_name.get(name)
        if edge is None:
            return strength(self._mixture, self._start, operation)
        return self._start[name][edge.operations.index(operation)]

    def _without(self, name: str, candidate: str) -> Weights:
        if name in self._mixture.by_name:
            return self._mixture.masked(self._weights(), name, candidate)
        return self._mixture.removed(self._weights(), candidate)

    def _weights(self) -> Weights:
        """The mixture as it is after the decisions so far, the other weights as they were."""
        weights: Weights = self._start
        for decision in self._decided:
            if decision.edge in self._mixture.by_name:
                alone = self._mixture.alone(decision.edge, decision.kept)
                weights = {**weights, decision.edge: alone}
                continue
            junction = self._junction(decision.edge)
            for edge in set(junction.edges) - set(junction.options[decision.kept]):
                weights = self._mixture.removed(weights, edge)
        return weights

    def _tuning(self) -> Recipe:
        cases = len(self._bench.calibration)
        rate = float(self._recipe.get("learning_rate", Recipe.learning_rate))
        return Recipe(
            epochs=self._epochs,
            batch=min(int(self._recipe.get("batch", 64)), cases),
            learning_rate=_RATE * rate,
            weight_decay=float(self._recipe.get("weight_decay", 0.0)),
            warmup=0.0,
            seed=1000 * self._seed + len(self._decided),
        )

    # What a killed selection goes on from

    def _keep(self) -> None:
        assert self._base is not None
        told = json.dumps([document_of(decision) for decision in self._decided]).encode()
        tensors = {
            f"model.{n}": t.contiguous() for n, t in self._bench.supernet.state_dict().items()
        }
        self._state = save(
            tensors
            | {
                "base": torch.from_numpy(self._base),
                "decided": torch.tensor(list(told), dtype=torch.uint8),
            }
        )

    def _take_up(self, state: bytes) -> None:
        try:
            tensors = load(state)
            told = json.loads(bytes(tensors.pop("decided").tolist()))
            self._base = tensors.pop("base").numpy()
            self._decided = [value_of(EdgeDecision, one) for one in told]
            own = {name.removeprefix("model."): tensor for name, tensor in tensors.items()}
            self._bench.supernet.load_state_dict(own)
            if [one.edge for one in self._decided] != self._order[: len(self._decided)]:
                raise ValueError("another order")
        except (SafetensorError, RuntimeError, KeyError, ValueError) as error:
            raise InvalidInput("The kept state is damaged; begin anew without it.") from error


def _order(mixture: Any, seed: int) -> list[str]:
    """All edges in an order drawn by the seed, then all nodes that keep some of theirs."""
    rng = np.random.default_rng([seed, 18])
    names = [[own.name for own in part] for part in (mixture.edges, mixture.junctions)]
    return [part[i] for part in names for i in rng.permutation(len(part))]
