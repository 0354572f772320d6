"""What recipes of a supernet give in as much time: how it ranks subnets, and how far they lie below
what they reach trained alone.

    python -m benchmarks.recipes [--study data/demo] [--minutes 8] [--seed 1] [--only NAME …]

Held against the study's subnets that were trained alone (`trust`), which are here to choose a
recipe by, so a supernet of the recipe that is chosen is to be judged by others. Of each recipe as
many epochs are trained as take so many minutes of a processor, by a few steps timed beforehand.
The teacher is the largest subnet of the study's own supernet.

One row a recipe: epochs, minutes, tau over all and within a resolution, the mean of alone less
inherited, over all and by resolution, and the standard deviation of that within a resolution, which
is what reverses orders.
"""

import argparse
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from benchmarks.common import DEMO
from foxnas_core.errors import MissingPart
from foxnas_core.evidence.trust.agreement import WITHIN
from foxnas_core.evidence.trust.alone import TrustBench, recipe_of
from foxnas_core.evidence.trust.pairs import TRUST, TrustPair
from foxnas_core.evidence.trust.report import trust_report
from foxnas_core.measurement.campaign import prepare
from foxnas_core.space.architecture import Architecture
from foxnas_core.steps.trust import images_of
from foxnas_core.study import Study, open_study
from foxnas_core.supernet.adapter import supernet_of
from foxnas_core.supernet.checkpoint import Checkpoint
from foxnas_core.tasks.dataset import Dataset
from foxnas_core.training.loop import Training
from foxnas_core.training.recipe import Recipe
from foxnas_core.training.supernets import train
from foxnas_core.training.teaching import taught_by
from foxnas_core.training.updates import SANDWICH, register_update, update_named
from foxnas_core.training.updates.sandwich import Sandwich

_TIMED = 30


class _Partly(Sandwich):
    """The sandwich, its random subnets free in some roles and else as the largest."""

    free: Collection[str]

    def _draw(self, rng: np.random.Generator) -> Architecture:
        drawn, space = super()._draw(rng).to_dict(), self.model.space
        fixed = {n: v for n, v in self._ends["largest"].choices if self._is_fixed(n)}
        return space.architecture({**self._ends["largest"].to_dict(), **drawn, **fixed})

    def _is_fixed(self, name: str) -> bool:
        return self.model.space.by_name[name].role not in {"resolution", *self.free}


class ElasticKernels(_Partly):
    name, free = "elastic-kernels", ("kernel",)


class ElasticDepths(_Partly):
    name, free = "elastic-depths", ("kernel", "depth")


class LeaningDeep(Sandwich):
    """Deeper stages more often, so that later blocks, which a shallow one leaves out, are seen as
    often as first ones."""

    name = "leaning-deep"

    def _draw(self, rng: np.random.Generator) -> Architecture:
        resolution = super()._draw(rng)["resolution"]
        drawn = self.model.space.draw(rng, "balanced").to_dict()
        return self.model.space.architecture({**drawn, "resolution": resolution})


@dataclass(frozen=True)
class Trial:
    """What differs from the study's own recipe, and the updates that share its epochs, each with a
    learning rate that begins anew."""

    change: dict[str, float | str] = field(default_factory=dict)
    taught: bool = False
    updates: tuple[str, ...] = (SANDWICH,)


_TAUGHT: dict[str, float | str] = {"largest_share": 0.1}
_BY_SIDES = _TAUGHT | {"inputs": "sides"}
TRIALS = {
    "as shipped": Trial(),
    "by sides": Trial({"inputs": "sides"}),
    "taught": Trial(_TAUGHT, taught=True),
    "taught, equal": Trial(_TAUGHT | {"inputs": "equal"}, taught=True),
    "taught, by sides": Trial(_BY_SIDES, taught=True),
    "two random": Trial(_BY_SIDES | {"random_subnets": 2}, taught=True),
    "no extremes": Trial(_BY_SIDES | {"largest_share": 0.0, "smallest_share": 0.0}, taught=True),
    "leaning deep": Trial(_BY_SIDES, taught=True, updates=(LeaningDeep.name,)),
    "restarts": Trial(_BY_SIDES, taught=True, updates=(SANDWICH,) * 3),
    "shrinking": Trial(
        _BY_SIDES, taught=True, updates=(ElasticKernels.name, ElasticDepths.name, SANDWICH)
    ),
}
"""The last five are taught, by sides, too."""


def row_of(
    study: Study,
    bench: TrustBench,
    datasets: dict[bool, Dataset],
    pairs: Sequence[TrustPair],
    trial: Trial,
    *,
    minutes: float,
    seed: int,
) -> dict[str, float]:
    """Train by one recipe and hold it against the pairs."""
    checkpoint, dataset = bench.checkpoint, datasets[trial.taught]
    own = replace(recipe_of(checkpoint), seed=seed, **trial.change)  # type: ignore[arg-type]
    total, begun, supernet = 0, time.process_time(), None
    for update in trial.updates:
        an_epoch = _seconds_of_epoch(study, checkpoint, dataset, own, update)
        epochs = max(1, round(60 * minutes / len(trial.updates) / an_epoch))
        with TemporaryDirectory() as folder:
            trained = train(
                study.space, checkpoint.task, dataset, replace(own, epochs=epochs),
                state_file=Path(folder) / "state.safetensors", update=update, start=supernet,
            )  # fmt: skip
        supernet, total = trained.supernet, total + epochs
    seconds = time.process_time() - begun
    assert supernet is not None
    found = Checkpoint(supernet, checkpoint.record)
    scored = [
        replace(p, inherited=bench.score(prepare(found, p.architecture, bench.calibration)))
        for p in pairs
    ]
    report = trust_report(scored, seed=0)
    gap = report.subnets["alone_offset"]
    by = gap.groupby(report.subnets["resolution"])
    return {
        "epochs": total,
        "minutes": seconds / 60,
        "tau": report.agreement().tau,
        "within": report.agreement(scope=WITHIN).tau,
        "gap": gap.mean(),
        **{f"gap at {resolution}": value for resolution, value in by.mean().items()},
        "scatter": float(np.sqrt(np.mean((gap - by.transform("mean")) ** 2))),
    }


def _seconds_of_epoch(
    study: Study, checkpoint: Checkpoint, dataset: Dataset, recipe: Recipe, update: str
) -> float:
    """Of a processor, by the first steps."""
    supernet = supernet_of(study.space).train()
    supernet.laid_out(supernet.layout)
    kind = update_named(update)
    training = Training(kind.on(supernet, checkpoint.task, recipe, dataset), dataset.training)
    training.advance()
    begun = time.process_time()
    for _ in range(_TIMED):
        training.advance()
    steps = len(dataset.training) // recipe.batch
    return steps * (time.process_time() - begun) / _TIMED


def main(arguments: Sequence[str] | None = None) -> None:
    import torch

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--study", type=Path, default=DEMO)
    parser.add_argument("--minutes", type=float, default=8)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="+", choices=TRIALS, default=list(TRIALS))
    asked = parser.parse_args(arguments)
    torch.set_num_threads(1)
    for kind in (ElasticKernels, ElasticDepths, LeaningDeep):
        register_update(kind)
    study = open_study(asked.study)
    record = study.record(TRUST)
    if record is None:
        raise MissingPart("There is nothing to choose a recipe by; run 'trust' first.")
    checkpoint = study.load_checkpoint()
    dataset = images_of(study, checkpoint, None)
    bench = TrustBench.of(checkpoint, dataset, *study.images())
    datasets = {False: dataset, True: taught_by(checkpoint.supernet, checkpoint.task, dataset)}
    rows = {}
    for name in asked.only:
        rows[name] = row_of(
            study, bench, datasets, record.pairs, TRIALS[name],
            minutes=asked.minutes, seed=asked.seed,
        )  # fmt: skip
        print(
            f"{name}: " + ", ".join(f"{key} {value:.3g}" for key, value in rows[name].items()),
            flush=True,
        )
    print(pd.DataFrame(rows).T.round(2).to_string())


if __name__ == "__main__":
    main()
