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
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from foxnas_core.families.mbconv.subnet import Subnet
from foxnas_core.measurement.preparing import prepare, prepare_all
from foxnas_core.space.architecture import Architecture
from foxnas_core.study import open_study
from foxnas_core.supernet.checkpoint import Checkpoint
from foxnas_core.supernet.onnx import INPUT, session_of
from foxnas_core.supernet.sharing import SharedSessions
from foxnas_core.tasks.dataset import ImageSet

NAIVE = "torch, NCHW, batch 250"


class Bench:
    """A study's supernet and images; what the ways have in common."""

    def __init__(self, checkpoint: Checkpoint, calibration: ImageSet, held_out: ImageSet) -> None:
        self.checkpoint, self.calibration = checkpoint, calibration
        resolutions = checkpoint.supernet.settings.resolutions
        self.images = {r: checkpoint.task.batch(held_out.images, (1, r, r)) for r in resolutions}

    def split(self, subnet: Subnet, size: int) -> Iterator[torch.Tensor]:
        yield from self.images[subnet.input_shape[-1]].split(size)

    def naive_subnet(self, architecture: Architecture) -> Subnet:
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

    def by_torch(
        self, size: int, make: Callable[[Architecture], Subnet], *, channels_last: bool
    ) -> Callable[[Sequence[Architecture]], list[np.ndarray]]:
        layout = torch.channels_last if channels_last else torch.contiguous_format

        def score(architectures: Sequence[Architecture]) -> list[np.ndarray]:
            found = []
            for architecture in architectures:
                subnet = make(architecture).to(memory_format=layout)
                with torch.inference_mode():
                    parts = [
                        subnet(batch.contiguous(memory_format=layout)).argmax(1).numpy()
                        for batch in self.split(subnet, size)
                    ]
                found.append(np.concatenate(parts))
            return found

        return score

    def by_onnx(self, size: int) -> Callable[[Sequence[Architecture]], list[np.ndarray]]:
        def score(architectures: Sequence[Architecture]) -> list[np.ndarray]:
            found = []
            for architecture in architectures:
                prepared = prepare(self.checkpoint, architecture, self.calibration)
                session = session_of(prepared.onnx)
                parts = [
                    session.run(None, {INPUT: batch.numpy()})[0].argmax(1)
                    for batch in self.split(prepared.subnet, size)
                ]
                found.append(np.concatenate(parts))
            return found

        return score

    def shared(
        self, size: int, together: int
    ) -> Callable[[Sequence[Architecture]], list[np.ndarray]]:
        def score(architectures: Sequence[Architecture]) -> list[np.ndarray]:
            named: dict[int, np.ndarray] = {}
            for start in range(0, len(architectures), together):
                part = architectures[start : start + together]
                prepared = prepare_all(self.checkpoint, part, self.calibration)
                for resolution in {p.subnet.input_shape[-1] for p in prepared}:
                    own = [
                        i for i, p in enumerate(prepared) if p.subnet.input_shape[-1] == resolution
                    ]
                    sessions = SharedSessions([prepared[i].subnet for i in own])
                    logits = [
                        sessions.logits(batch.numpy())
                        for batch in self.images[resolution].split(size)
                    ]
                    for place, i in enumerate(own):
                        named[start + i] = np.concatenate([part[place] for part in logits]).argmax(
                            1
                        )
            return [named[i] for i in range(len(architectures))]

        return score

    def ways(self) -> dict[str, Callable[[Sequence[Architecture]], list[np.ndarray]]]:
        def recalibrated(architecture: Architecture) -> Subnet:
            return prepare(self.checkpoint, architecture, self.calibration).subnet

        return {
            NAIVE: self.by_torch(250, self.naive_subnet, channels_last=False),
            "torch, channels last, batch 250": self.by_torch(250, recalibrated, channels_last=True),
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
