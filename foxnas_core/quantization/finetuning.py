"""Fine-tuning one subnet, aware of int8 or not, and what that does to its accuracy.

The subnet inherits its weights; a few epochs on the training images then fit them to this one
architecture and, where the forward pass rounds as int8 does, to its rounding (quantization-aware
training; Jacob et al., arXiv 1712.05877).
"""

import copy
import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
import torch
from safetensors.torch import save
from torch.nn import functional as F

from foxnas_core.errors import InvalidInput
from foxnas_core.export.exporter import ExportedModel
from foxnas_core.measurement.accuracy import AccuracyMeter
from foxnas_core.measurement.meter import INT8_IMAGES, Prepared
from foxnas_core.measurement.runner import device_name
from foxnas_core.quantization.fake import FakeQuantized
from foxnas_core.supernet.images import Level, to_batch
from foxnas_core.tasks.dataset import ImageSet

_RANGES_EVERY = 50  # steps
_NORMAL = 1.959964  # the 97.5 % quantile


@dataclass(frozen=True)
class FineTuning:
    """How to fine-tune; `quantization_aware` rounds as int8 does in the forward pass."""

    epochs: int = 2
    batch: int = 128
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    quantization_aware: bool = False
    seed: int = 0


@dataclass(frozen=True)
class FineTuningProgress:
    """Steps done of all, the mean loss (nats) since the last report, and the seconds left."""

    step: int
    steps: int
    loss: float
    seconds_left: float


@dataclass(frozen=True)
class FineTuned:
    """The subnet after `steps` of `planned` steps, which are fewer where it was stopped."""

    prepared: Prepared
    recipe: FineTuning
    steps: int
    planned: int
    seconds: float

    def sentence(self, dataset: str) -> str:
        """What was done, on the training images of the dataset of that name."""
        recipe = self.recipe
        rounding = " with int8's rounding in the forward pass" if recipe.quantization_aware else ""
        return (
            f"The inherited weights were fine-tuned{rounding}: {self.steps:,} steps of "
            f"{recipe.batch} training images of {dataset}, learning rate "
            f"{recipe.learning_rate:g}, seed {recipe.seed}."
        )


@dataclass(frozen=True)
class Effect:
    """What fine-tuning did, all on the same held-out images, in percent and points.

    `before` and `after` hold `accuracy`, `accuracy:int8` and `accuracy_drop:int8`, `gain` the
    difference of each (after less before): value, low and high of a 95 % interval, from the
    standard error of the mean over images, for differences the paired one.
    """

    images: int
    before: Mapping[str, Mapping[str, float]]
    after: Mapping[str, Mapping[str, float]]
    gain: Mapping[str, Mapping[str, float]]

    def sentence(self) -> str:
        before, after = self.before["accuracy:int8"], self.after["accuracy:int8"]
        gain = self.gain["accuracy:int8"]
        return (
            f"Accuracy in int8 was {before['value']:.2f} % and is {after['value']:.2f} %: "
            f"{gain['value']:+.2f} points [{gain['low']:+.2f}, {gain['high']:+.2f}] on "
            f"{self.images:,} held-out images. Int8 loses "
            f"{self.after['accuracy_drop:int8']['value']:.2f} points against fp32, before it lost "
            f"{self.before['accuracy_drop:int8']['value']:.2f}."
        )


def fine_tune(
    prepared: Prepared,
    training: ImageSet,
    recipe: FineTuning,
    *,
    calibration: ImageSet,
    mean: Level,
    std: Level,
    report: Callable[[FineTuningProgress], None] = lambda progress: None,
    stop: Callable[[], bool] = lambda: False,
    report_every: int = 20,
) -> FineTuned:
    """Train a copy of the subnet's weights on training images; batch norms keep their statistics.

    Ranges of activations are those on the images that int8 is calibrated on, taken anew as weights
    move. `stop` is asked after every step; what was learnt so far is then returned. Raises
    `InvalidInput` where there are fewer images than a batch.
    """
    per_epoch = len(training) // recipe.batch
    planned = per_epoch * recipe.epochs
    if not planned:
        raise InvalidInput(
            f"{len(training)} training images are fewer than one batch of {recipe.batch}."
        )
    torch.manual_seed(recipe.seed)
    subnet = copy.deepcopy(prepared.subnet).eval()
    model = FakeQuantized(subnet)
    observed = to_batch(calibration.images[:INT8_IMAGES], subnet.input_shape[-1], mean, std)
    parameters = [p for p in subnet.parameters() if p.requires_grad]
    # No decay on norms and biases, as in the supernet's training.
    groups: list[dict[str, Any]] = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=recipe.learning_rate)
    started, done, losses = time.monotonic(), 0, [0.0]
    order = np.empty(0, dtype=int)
    while done < planned and not stop():
        epoch, position = divmod(done, per_epoch)
        rng = np.random.default_rng([recipe.seed, 1, done])
        if position == 0:
            losses.clear()
            order = np.random.default_rng([recipe.seed, 0, epoch]).permutation(len(training))
        rows = order[position * recipe.batch : (position + 1) * recipe.batch]
        x = to_batch(training.images[rows], subnet.input_shape[-1], mean, std)
        flips = torch.from_numpy(rng.random(len(rows)) < 0.5)
        x = torch.where(flips[:, None, None, None], x.flip(3), x)
        for group in optimizer.param_groups:
            group["lr"] = recipe.learning_rate * 0.5 * (1 + math.cos(math.pi * done / planned))
        if recipe.quantization_aware and done % _RANGES_EVERY == 0:
            model.observe(observed)
        logits = model(x) if recipe.quantization_aware else model.plain(x)
        loss = F.cross_entropy(logits, torch.from_numpy(training.labels[rows]))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        done += 1
        if done % report_every == 0 or done == planned:
            rate = (time.monotonic() - started) / done
            mean_loss = float(np.mean(losses[-report_every:]))
            report(FineTuningProgress(done, planned, mean_loss, rate * (planned - done)))
    seconds = time.monotonic() - started
    return FineTuned(Prepared(prepared.architecture, subnet), recipe, done, planned, seconds)


def effect_of(
    before: Prepared, after: Prepared, meter: AccuracyMeter, int8: Callable[[Prepared], bytes]
) -> Effect:
    """Score both in both precisions; `int8` makes the quantized model of either."""
    resolution = before.subnet.input_shape[-1]
    scores = []
    for prepared in (before, after):
        right = 100.0 * meter.right(prepared.onnx, resolution)
        rounded = 100.0 * meter.right(int8(prepared), resolution)
        scores.append(
            {"accuracy": right, "accuracy:int8": rounded, "accuracy_drop:int8": right - rounded}
        )
    first, second = scores
    return Effect(
        len(first["accuracy"]),
        {name: _interval(values) for name, values in first.items()},
        {name: _interval(values) for name, values in second.items()},
        {name: _interval(second[name] - first[name]) for name in first},
    )


def fine_tuned_files(
    tuned: FineTuned,
    effect: Effect,
    int8: bytes,
    *,
    record: Mapping[str, Any],
    parents: Mapping[str, str],
) -> ExportedModel:
    """The tuned subnet as safetensors, as ONNX in both precisions, and what was done as JSON.

    `record` is the checkpoint's training record, `parents` the hashes of what it came from.
    """
    architecture = tuned.prepared.architecture
    document = {
        "format": 1,
        "id": architecture.id,
        "architecture": architecture.to_dict(),
        "parents": dict(parents),
        "recipe": asdict(tuned.recipe),
        "dataset": record["dataset"],
        "steps": tuned.steps,
        "planned_steps": tuned.planned,
        "seconds": round(tuned.seconds, 1),
        "device": device_name(),
        "torch": torch.__version__,
        "onnxruntime": version("onnxruntime"),
        "preprocessing": {
            "resolution": tuned.prepared.subnet.input_shape[-1],
            "mean": record["pixel_mean"],
            "std": record["pixel_std"],
        },
        **asdict(effect),
    }
    tensors = {name: t.contiguous() for name, t in tuned.prepared.subnet.state_dict().items()}
    text = json.dumps(document, indent=2, allow_nan=False) + "\n"
    files = {
        "subnet.safetensors": save(tensors, {"foxnas": json.dumps(document, sort_keys=True)}),
        "fine_tuning.json": text.encode(),
        "model.onnx": tuned.prepared.onnx,
        "model_int8.onnx": int8,
    }
    return ExportedModel(architecture.id, files, ())


def _interval(values: np.ndarray) -> Mapping[str, float]:
    half = _NORMAL * float(values.std(ddof=1)) / math.sqrt(len(values))
    middle = float(values.mean())
    return {"value": middle, "low": middle - half, "high": middle + half}
