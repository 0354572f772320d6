"""How many subnets' accuracies a core scores in an hour: `python -m benchmarks.evaluation`.

Each way prepares the same random subnets and scores them on the study's held-out images, for
the cost of extraction, batch-norm recalibration and evaluation. The first is the naive loop: torch,
images as (N, C, H, W), batches of 250. Times are processor seconds of this process, so that other
work of the machine counts little; images of all resolutions are resized beforehand. "images that
differ" counts held-out images that are named otherwise than by the naive loop, over all subnets.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from foxnas_core.measurement.preparing import prepare, prepare_all
from foxnas_core.networks import Network
from foxnas_core.space.architecture import Architecture
from foxnas_core.study import open_study
from foxnas_core.supernet.checkpoint import Checkpoint
from foxnas_core.supernet.onnx import INPUT, session_of
from foxnas_core.supernet.sharing import SharedSessions
from foxnas_core.tasks.dataset import ImageSet

NAIVE = "torch, NCHW, batch 250"
Way = Callable[[Sequence[Architecture]], list[np.ndarray]]


class Bench:
    """A study's supernet and images; what the ways have in common."""

    def __init__(self, checkpoint: Checkpoint, calibration: ImageSet, held_out: ImageSet) -> None:
        self.checkpoint, self.calibration = checkpoint, calibration
        resolutions = checkpoint.supernet.settings.resolutions
        self.images = {r: checkpoint.task.batch(held_out.images, (1, r, r)) for r in resolutions}

    def named(
        self, run: Callable[[torch.Tensor], np.ndarray], subnet: Network, size: int
    ) -> np.ndarray:
        """Classes (…, images) that `run`, of batches, says images are of."""
        batches = self.images[subnet.input_shape[-1]].split(size)
        return np.concatenate([np.asarray(run(batch)) for batch in batches], axis=-2).argmax(-1)

    def naive_subnet(self, architecture: Architecture) -> Network:
        """Recalibrated in the plainest way: images and weights as they come."""
        subnet = self.checkpoint.supernet.extract(architecture)
        norms = [m for m in subnet.modules() if isinstance(m, torch.nn.BatchNorm2d)]
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None
        subnet.train()
        with torch.no_grad():
            task = self.checkpoint.task
            for batch in task.batches(self.calibration.images, subnet.input_shape):
                subnet(batch)
        return subnet.eval()

    def recalibrated(self, architecture: Architecture) -> Network:
        return prepare(self.checkpoint, architecture, self.calibration).subnet

    def by_torch(
        self, size: int, make: Callable[[Architecture], Network], layout: torch.memory_format
    ) -> Way:
        @torch.inference_mode()
        def of(architecture: Architecture) -> np.ndarray:
            subnet = make(architecture).to(memory_format=layout)
            return self.named(
                lambda batch: subnet(batch.contiguous(memory_format=layout)).numpy(), subnet, size
            )

        return lambda architectures: [of(architecture) for architecture in architectures]

    def by_onnx(self, size: int) -> Way:
        def of(architecture: Architecture) -> np.ndarray:
            prepared = prepare(self.checkpoint, architecture, self.calibration)
            run = session_of(prepared.onnx).run
            return self.named(
                lambda batch: run(None, {INPUT: batch.numpy()})[0], prepared.subnet, size
            )

        return lambda architectures: [of(architecture) for architecture in architectures]

    def shared(self, size: int, together: int) -> Way:
        def score(architectures: Sequence[Architecture]) -> list[np.ndarray]:
            found: dict[int, np.ndarray] = {}
            for start in range(0, len(architectures), together):
                part = architectures[start : start + together]
                subnets = [p.subnet for p in prepare_all(self.checkpoint, part, self.calibration)]
                for shape in {subnet.input_shape for subnet in subnets}:
                    own = [i for i, s in enumerate(subnets) if s.input_shape == shape]
                    logits = SharedSessions([subnets[i] for i in own]).logits
                    classes = self.named(lambda b: logits(b.numpy()), subnets[own[0]], size)  # noqa: B023
                    found |= {start + i: row for i, row in zip(own, classes, strict=True)}
            return [found[i] for i in range(len(architectures))]

        return score

    def ways(self) -> dict[str, Way]:
        plain, last = torch.contiguous_format, torch.channels_last
        return {
            NAIVE: self.by_torch(250, self.naive_subnet, plain),
            "torch, channels last, batch 250": self.by_torch(250, self.recalibrated, last),
            "ONNX Runtime, batch 250": self.by_onnx(250),
            "ONNX Runtime, batch 50": self.by_onnx(50),
            "ONNX Runtime, batch 50, 12 subnets share": self.shared(50, 12),
            "ONNX Runtime, batch 50, 48 subnets share": self.shared(50, 48),
        }


def compare(bench: Bench, architectures: Sequence[Architecture], repeats: int) -> pd.DataFrame:
    """Seconds of a subnet, subnets an hour and times the naive loop, by way; the least of
    `repeats` passes that visit all ways in turn."""
    ways = bench.ways()
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    named: dict[str, np.ndarray] = {}
    for _ in range(repeats):
        for name, score in ways.items():
            begin = time.process_time()
            named[name] = np.stack(score(architectures))
            seconds[name].append((time.process_time() - begin) / len(architectures))
    best = pd.Series({name: min(own) for name, own in seconds.items()})
    differ = {name: int((own != named[NAIVE]).sum()) for name, own in named.items()}
    return pd.DataFrame(
        {
            "seconds a subnet": best.round(3),
            "subnets a core-hour": (3600 / best).round().astype(int),
            "times naive": (best[NAIVE] / best).round(2),
            "images that differ": pd.Series(differ),
        }
    )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--study", type=Path, default=Path("data/demo"))
    parser.add_argument("--subnets", type=int, default=48)
    parser.add_argument("--repeats", type=int, default=2)
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    study = open_study(options.study)
    calibration, held_out = study.images()
    bench = Bench(study.load_checkpoint(), calibration, held_out)
    architectures = study.space.sample(options.subnets, seed=0)
    print(
        f"{options.subnets} random subnets of {study.space.name}, {len(calibration):,} images to "
        f"recalibrate, {len(held_out):,} held out, one thread"
    )
    print(compare(bench, architectures, options.repeats).to_string())


if __name__ == "__main__":
    sys.exit(main())
