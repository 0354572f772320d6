"""Training, scoring and timing the networks of a comparison, whoever designed them."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from foxnas_core.evidence.handmade.designs import DESIGNS, design_named, plan_of
from foxnas_core.evidence.handmade.networks import HandmadeNetwork
from foxnas_core.evidence.handmade.record import (
    ALONE,
    INHERITED,
    PRECISIONS,
    SEARCHED,
    Contender,
    Latency,
    Result,
    Way,
)
from foxnas_core.families.mbconv.space import MBConvSettings, resolution_of, settings_of
from foxnas_core.families.mbconv.subnet import Subnet
from foxnas_core.measurement.campaign import prepare, reference_architecture
from foxnas_core.measurement.cost import cost_of
from foxnas_core.measurement.latency import FP32, LatencyMeter
from foxnas_core.measurement.meter import Prepared
from foxnas_core.measurement.runner import device_name
from foxnas_core.measurement.score import ScoreMeter
from foxnas_core.networks import Network
from foxnas_core.space.architecture import Architecture
from foxnas_core.supernet.checkpoint import Checkpoint, load_tensors, save_tensors
from foxnas_core.supernet.recalibration import recalibrate
from foxnas_core.table.metrics import STD_ERROR
from foxnas_core.tasks.dataset import Dataset, ImageSet
from foxnas_core.tasks.task import Score
from foxnas_core.training.networks import train_network
from foxnas_core.training.recipe import Recipe

ROUNDS = 9
"""Rounds of the campaign, each of which visits every network in both precisions."""


@dataclass(frozen=True)
class HandmadeBench:
    """What all networks of a comparison share: images, recipe and meters."""

    checkpoint: Checkpoint
    dataset: Dataset
    calibration: ImageSet
    held_out: ImageSet

    @property
    def settings(self) -> MBConvSettings:
        return settings_of(self.checkpoint.supernet.space)

    def handmade(self, widths: Sequence[float]) -> list[Contender]:
        """Every design at every width, untrained; raises as `plan_of`."""
        found = []
        for design in DESIGNS:
            for width in sorted(set(widths)):
                bare = Contender(
                    name=f"{design.name}-{width:g}",
                    family=design.name,
                    width=width,
                    resolution=self.settings.resolutions[-1],
                )
                found.append(self._costed(bare))
        return found

    def searched(self, found: Mapping[Architecture, str]) -> list[Contender]:
        """Subnets with how each was chosen, untrained."""
        return [
            self._costed(
                Contender(
                    name=f"{SEARCHED}-{architecture.id}",
                    family=SEARCHED,
                    architecture=architecture,
                    chosen=chosen,
                    resolution=resolution_of(self.settings, architecture),
                )
            )
            for architecture, chosen in found.items()
        ]

    def train(
        self,
        contender: Contender,
        recipe: Recipe,
        *,
        state: Path,
        weights: Path,
        report: Callable[[int], None] = lambda step: None,
    ) -> Result:
        """Train a network alone, write its recalibrated weights and score it; see `train_network`,
        which goes on from `state`."""
        task = self.checkpoint.task
        network, seconds = train_network(
            lambda: self.build(contender),
            contender.name,
            task,
            self.dataset,
            recipe,
            state_file=state,
            report=lambda progress: report(int(progress.done)),
        )
        recalibrate(network, task.batches(self.calibration.images, network.input_shape))
        save_tensors(weights, dict(network.state_dict()), {"network": contender.name})
        return self._scored(contender, network, ALONE, recipe.seed, seconds)

    def inherited(self, contender: Contender) -> Result:
        """A searched network with the supernet's weights."""
        assert contender.architecture is not None
        prepared = prepare(self.checkpoint, contender.architecture, self.calibration)
        seed = int(self.checkpoint.record["recipe"]["seed"])
        return self._scored(contender, prepared.subnet, INHERITED, seed, 0.0)

    def timed(
        self, contenders: Mapping[str, tuple[Contender, Path]], *, seed: int
    ) -> tuple[dict[str, dict[str, Latency]], dict[str, Any]]:
        """Latencies by name and precision, of the weights at each path, and the circumstances of
        the campaign: all networks in every round, in a fresh order. Raises as `load_tensors`."""
        task = self.checkpoint.task
        reference = reference_architecture(self.checkpoint.supernet.space)
        meter = LatencyMeter(
            prepare(self.checkpoint, reference, self.calibration),
            self.calibration,
            task=task,
            seed=seed,
            rounds=ROUNDS,
        )
        subnets = []
        for contender, weights in contenders.values():
            network = self.build(contender)
            network.load_state_dict(load_tensors(weights)[0])
            subnets.append(Prepared(_architecture_of(contender), network.eval()))
        measured = meter.measure(subnets)
        latencies = {
            name: {
                precision: Latency(
                    value=values[f"{FP32}{precision}"],
                    low=values[f"low_{FP32}{precision}"],
                    high=values[f"high_{FP32}{precision}"],
                    drift_range=values[f"drift_range_{FP32}{precision}"],
                )
                for precision in PRECISIONS
            }
            for name, values in zip(contenders, measured, strict=True)
        }
        return latencies, meter.record() | {"seed": seed, "measured": time.strftime("%Y-%m-%d")}

    def build(self, contender: Contender) -> Network:
        """The network with random weights."""
        settings = self.settings
        if contender.architecture is not None:
            return Subnet(settings, contender.architecture)
        assert contender.width is not None
        return HandmadeNetwork(
            plan_of(
                design_named(contender.family),
                contender.width,
                resolution=contender.resolution,
                stem_stride=settings.stem_stride,
                input_channels=settings.input_channels,
                classes=settings.classes,
                divisor=settings.channel_divisor,
            )
        )

    def _costed(self, contender: Contender) -> Contender:
        costs = cost_of(self.build(contender).eval())
        return replace(contender, parameters=costs["parameters"], macs=costs["macs"])

    def _scored(
        self, contender: Contender, network: Network, way: Way, seed: int, seconds: float
    ) -> Result:
        task = self.checkpoint.task
        meter = ScoreMeter(self.held_out, self.calibration, task=task)
        values = meter.measure([Prepared(_architecture_of(contender), network)])[0]
        columns = {p: f"{task.objective}{p}" for p in PRECISIONS}
        accuracy = {p: Score(values[c], values[f"{c}{STD_ERROR}"]) for p, c in columns.items()}
        return Result(way, seed, accuracy, round(seconds, 1), device_name(), torch.__version__)


def _architecture_of(contender: Contender) -> Architecture:
    return contender.architecture or Architecture.from_mapping({"network": contender.name})
