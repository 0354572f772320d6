"""Training one subnet by itself, from scratch and from what it inherits, and scoring all of it.

Both trainings follow the supernet's own recipe, kernel transforms included, but for the number of
epochs and, in fine-tuning, the learning rate: what differs between inherited and alone is then
that weights are shared, and how long they were trained.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from foxnas_core.errors import InvalidInput
from foxnas_core.evidence.trust.pairs import TrustPair, TrustSettings
from foxnas_core.measurement.campaign import prepare
from foxnas_core.measurement.cost import CostMeter
from foxnas_core.measurement.meter import Prepared
from foxnas_core.measurement.runner import device_name
from foxnas_core.measurement.score import ScoreMeter
from foxnas_core.progress import Progress
from foxnas_core.space.architecture import Architecture
from foxnas_core.supernet.checkpoint import Checkpoint
from foxnas_core.table.metrics import STD_ERROR
from foxnas_core.tasks.dataset import Dataset, ImageSet
from foxnas_core.tasks.task import Score
from foxnas_core.training.recipe import Recipe
from foxnas_core.training.supernets import train


@dataclass(frozen=True)
class TrustBench:
    """What every subnet of a run shares: weights, images and how to score."""

    checkpoint: Checkpoint
    dataset: Dataset
    calibration: ImageSet
    meter: ScoreMeter

    @classmethod
    def of(
        cls, checkpoint: Checkpoint, dataset: Dataset, calibration: ImageSet, held_out: ImageSet
    ) -> "TrustBench":
        task = checkpoint.task
        return cls(checkpoint, dataset, calibration, ScoreMeter(held_out, task=task))

    def score(self, subnet: Prepared) -> Score:
        values = self.meter.measure([subnet])[0]
        objective = self.checkpoint.task.objective
        return Score(values[objective], values[f"{objective}{STD_ERROR}"])


def steps_of(checkpoint: Checkpoint, dataset: Dataset, settings: TrustSettings) -> int:
    """How many steps training one subnet takes, both ways together."""
    epochs = settings.epochs + settings.fine_tune_epochs
    return epochs * (len(dataset.training) // recipe_of(checkpoint).batch)


def recipe_of(checkpoint: Checkpoint) -> Recipe:
    """The supernet's own recipe; raises `InvalidInput` where the checkpoint does not tell it."""
    try:
        return Recipe(**checkpoint.record["recipe"])
    except (KeyError, TypeError) as error:
        raise InvalidInput(
            "The checkpoint does not tell the recipe it was trained by, so that no subnet can be "
            "trained alike; train it with 'python -m foxnas_core train'."
        ) from error


def train_pair(
    bench: TrustBench,
    architecture: Architecture,
    settings: TrustSettings,
    *,
    seed: int,
    state: Path,
    report: Callable[[int], None] = lambda steps: None,
    save_every: int = 200,
) -> TrustPair:
    """Train one subnet both ways and score it in all four; see `TrustPair`.

    What a kill leaves in `state`, a path that the endings of both trainings are added to, is gone
    on from. `report` is told the steps that were done of `steps_of`. Raises as `train`.
    """
    begun = time.monotonic()
    checkpoint = bench.checkpoint
    own = recipe_of(checkpoint)
    supernet = checkpoint.supernet
    if supernet.foreign:
        raise InvalidInput(
            "Subnets of a supernet of your own cannot be trained alone by our recipe; train them "
            "by yours and compare the accuracies."
        )
    inherited = prepare(checkpoint, architecture, bench.calibration)
    raw = Prepared(architecture, supernet.extract(architecture))
    common = replace(own, seed=seed, alone=architecture.to_dict())
    recipes = {
        "alone": replace(common, epochs=settings.epochs),
        "fine-tuned": replace(
            common,
            epochs=settings.fine_tune_epochs,
            learning_rate=own.learning_rate * settings.fine_tune_rate,
        ),
    }
    scores, before, seconds = {}, 0, 0.0
    for name, recipe in recipes.items():
        path = state_file(state, name)

        def told(progress: Progress, before: int = before) -> None:
            report(before + int(progress.done))

        trained = train(
            supernet.space,
            checkpoint.task,
            bench.dataset,
            recipe,
            state_file=path,
            start=supernet if name == "fine-tuned" else None,
            resume=path.exists(),
            report=told,
            save_every=save_every,
        )
        before += trained.record["steps"]
        seconds += trained.record["seconds"]
        own_weights = Checkpoint(trained.supernet, checkpoint.record)
        scores[name] = bench.score(prepare(own_weights, architecture, bench.calibration))
    costs = CostMeter().measure([inherited])[0]
    return TrustPair(
        architecture,
        parameters=costs["parameters"],
        macs=costs["macs"],
        inherited=bench.score(inherited),
        unrecalibrated=bench.score(raw),
        alone=scores["alone"],
        fine_tuned=scores["fine-tuned"],
        seed=seed,
        seconds=round(max(seconds, time.monotonic() - begun), 1),
        device=device_name(),
        torch=torch.__version__,
    )


def state_file(state: Path, training: str) -> Path:
    return state.with_name(f"{state.name}-{training}.safetensors")


def forget_state(state: Path) -> None:
    """Remove what `train_pair` keeps to go on from."""
    for training in ("alone", "fine-tuned"):
        state_file(state, training).unlink(missing_ok=True)
