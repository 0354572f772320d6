"""Training one subnet by itself, from scratch and from what it inherits, and scoring all of it.

Both trainings follow the supernet's own recipe, kernel transforms included, but for the number of
epochs, for a teacher, whom neither has, and, in fine-tuning, for the learning rate: what differs
between inherited and alone is else that weights are shared, and how long they were trained.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from foxnas_core.errors import InvalidInput
from foxnas_core.evidence.trust.alone_networks import AloneNetwork
from foxnas_core.evidence.trust.pairs import TrustPair, TrustSettings
from foxnas_core.measurement.campaign import prepare
from foxnas_core.measurement.cost import CostMeter
from foxnas_core.measurement.meter import Prepared
from foxnas_core.measurement.runner import device_name
from foxnas_core.measurement.score import ScoreMeter
from foxnas_core.networks import SupernetAdapter
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


def steps_of(
    checkpoint: Checkpoint, dataset: Dataset, settings: TrustSettings, seeds: int = 1
) -> int:
    """How many steps training one subnet takes, from scratch by so many seeds, and fine-tuned."""
    epochs = seeds * settings.epochs + settings.fine_tune_epochs
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


def train_alone(
    bench: TrustBench,
    architecture: Architecture,
    settings: TrustSettings,
    *,
    seed: int,
    state: Path,
    report: Callable[[int], None] = lambda steps: None,
    save_every: int = 200,
) -> AloneNetwork:
    """Train one subnet from scratch.

    What a kill leaves in the file `state` is gone on from. `report` is told the steps that were
    done. Raises as `train`.
    """
    recipe = replace(
        recipe_of(bench.checkpoint), seed=seed, alone=architecture.to_dict(), epochs=settings.epochs
    )
    score, seconds = _trained(bench, architecture, recipe, None, state, report, save_every)
    return AloneNetwork(architecture, seed, score, seconds, device_name(), torch.__version__)


def train_pair(
    bench: TrustBench,
    settings: TrustSettings,
    alone: Sequence[AloneNetwork],
    *,
    state: Path,
    report: Callable[[int], None] = lambda steps: None,
    save_every: int = 200,
) -> TrustPair:
    """Fine-tune the subnet that is `alone`, by one seed or more, and score it in all ways; see
    `TrustPair`. Of the rest, as `train_alone`."""
    begun = time.monotonic()
    first, *others = alone
    checkpoint, architecture = bench.checkpoint, first.architecture
    own, supernet = recipe_of(checkpoint), bench.checkpoint.supernet
    inherited = prepare(checkpoint, architecture, bench.calibration)
    raw = Prepared(architecture, supernet.extract(architecture))
    recipe = replace(
        own,
        seed=first.seed,
        alone=architecture.to_dict(),
        epochs=settings.fine_tune_epochs,
        learning_rate=own.learning_rate * settings.fine_tune_rate,
    )
    tuned, seconds = _trained(bench, architecture, recipe, supernet, state, report, save_every)
    costs = CostMeter().measure([inherited])[0]
    return TrustPair(
        architecture,
        parameters=costs["parameters"],
        macs=costs["macs"],
        inherited=bench.score(inherited),
        unrecalibrated=bench.score(raw),
        alone=first.score,
        fine_tuned=tuned,
        seed=first.seed,
        seconds=round(
            max(seconds, time.monotonic() - begun) + sum(own.seconds for own in alone), 1
        ),
        device=device_name(),
        torch=torch.__version__,
        again=tuple(other.score for other in others),
    )


def _trained(
    bench: TrustBench,
    architecture: Architecture,
    recipe: Recipe,
    start: SupernetAdapter | None,
    state: Path,
    report: Callable[[int], None],
    save_every: int,
) -> tuple[Score, float]:
    """What a subnet scores that was trained alone, and the seconds that training took."""
    checkpoint = bench.checkpoint
    if checkpoint.supernet.foreign:
        raise InvalidInput(
            "Subnets of a supernet of your own cannot be trained alone by our recipe; train them "
            "by yours and compare the accuracies."
        )
    trained = train(
        checkpoint.supernet.space,
        checkpoint.task,
        bench.dataset,
        recipe,
        state_file=state,
        start=start,
        resume=state.exists(),
        report=lambda progress: report(int(progress.done)),
        save_every=save_every,
    )
    own_weights = Checkpoint(trained.supernet, checkpoint.record)
    score = bench.score(prepare(own_weights, architecture, bench.calibration))
    return score, trained.record["seconds"]
