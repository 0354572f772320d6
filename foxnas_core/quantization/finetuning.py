"""Fine-tuning one subnet, aware of int8 or not, and what that does to its accuracy.

The subnet inherits its weights; a few epochs on the training images then fit them to this one
architecture and, where the forward pass rounds as int8 does, to its rounding (quantization-aware
training; Jacob et al., arXiv 1712.05877).
"""

import copy
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
import torch
from safetensors.torch import save

from foxnas_core.export.written import ExportedModel
from foxnas_core.measurement.meter import INT8_IMAGES, Prepared
from foxnas_core.measurement.runner import device_name
from foxnas_core.measurement.score import ScoreMeter
from foxnas_core.progress import Report, not_told
from foxnas_core.table.metrics import metric_of
from foxnas_core.tasks.dataset import ImageSet
from foxnas_core.tasks.task import Task
from foxnas_core.training.loop import run
from foxnas_core.training.updates.quantization import QuantizationAware

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

    @property
    def warmup(self) -> float:
        """None: the weights were trained before."""
        return 0.0


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
    """What fine-tuning did, all on the same held-out images, in the unit of the task's objective.

    `before` and `after` hold it in fp32, in int8 and what int8 loses of it, such as `accuracy`,
    `accuracy:int8` and `accuracy_drop:int8`; `gain` is the difference of each (after less before):
    value, low and high of a 95 % interval, from the standard error of the mean over images, for
    differences the paired one.
    """

    images: int
    before: Mapping[str, Mapping[str, float]]
    after: Mapping[str, Mapping[str, float]]
    gain: Mapping[str, Mapping[str, float]]

    def sentence(self) -> str:
        name, int8, drop = self.before
        metric, gain = metric_of(name), self.gain[int8]
        was, now = (metric.value_text(found[int8]["value"]) for found in (self.before, self.after))
        ends = ", ".join(metric.text(gain[end], signed=True) for end in ("low", "high"))
        return (
            f"{metric.title} in int8 was {was} and is {now}: "
            f"{metric.difference_text(gain['value'], signed=True)} [{ends}] on {self.images:,} "
            f"held-out images. Int8 loses {metric.difference_text(self.after[drop]['value'])} "
            f"against fp32, before it lost {metric.text(self.before[drop]['value'])}."
        )


def fine_tune(
    prepared: Prepared,
    task: Task,
    training: ImageSet,
    recipe: FineTuning,
    *,
    calibration: ImageSet,
    report: Report = not_told,
    stop: Callable[[], bool] = lambda: False,
    report_every: int = 20,
) -> FineTuned:
    """Train a copy of the subnet's weights on training images; batch norms keep their statistics.

    Ranges of activations are those on the images that int8 is calibrated on, taken anew as weights
    move. `stop` is asked before every step; what was learnt so far is then returned. Raises
    `InvalidInput` where there are fewer images than a batch.
    """
    torch.manual_seed(recipe.seed)
    subnet = copy.deepcopy(prepared.subnet)
    update = QuantizationAware(
        subnet,
        task,
        recipe,
        observed=task.batch(calibration.images[:INT8_IMAGES], subnet.input_shape),
        rounded=recipe.quantization_aware,
    )
    done = run(update, training, report=report, report_every=report_every, stop=lambda step: stop())
    return FineTuned(
        Prepared(prepared.architecture, subnet), recipe, done.step, done.steps, done.seconds
    )


def effect_of(
    before: Prepared,
    after: Prepared,
    meter: ScoreMeter,
    int8: Callable[[Prepared], bytes],
    objective: str,
) -> Effect:
    """Score both in both precisions by the task's `objective`; `int8` makes the quantized model of
    either."""
    shape, sign = before.subnet.input_shape, metric_of(objective).sign
    names = (objective, f"{objective}:int8", f"{objective}_drop:int8")
    scores = []
    for prepared in (before, after):
        right = meter.objective(prepared.onnx, shape)
        rounded = meter.objective(int8(prepared), shape)
        scores.append(dict(zip(names, (right, rounded, sign * (right - rounded)), strict=True)))
    first, second = scores
    return Effect(
        len(first[objective]),
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
