"""Top-1 accuracy and cross-entropy on held-out images, in fp32 and in int8."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from foxnas_core.measurement.meter import INT8_IMAGES, Prepared
from foxnas_core.space.architecture import Architecture
from foxnas_core.supernet.onnx import INPUT, session_of
from foxnas_core.supernet.sharing import SharedSessions
from foxnas_core.tasks.dataset import ImageSet, check_apart
from foxnas_core.tasks.images import Level, to_batch


def not_told(architecture: Architecture, precision: str, right: np.ndarray) -> None:
    """Tell nobody; by name, so that a meter can go to another process."""


class AccuracyMeter:
    """Accuracy in percent and cross-entropy in nats, with their standard errors.

    Accuracy is that of the fp32 model and, as `accuracy:int8`, that of the quantized one;
    `accuracy_drop:int8` is the first less the second, in points. Both are scored on the same
    images, so its standard error is that of the mean paired difference. The even and the odd
    images are also scored apart (`accuracy_even`, `accuracy_odd`, each also `:int8`): their
    agreement over subnets is the reliability of the study. Runs in ONNX Runtime, which gives
    the same logits as torch in less time, in batches that stay in the processor's cache; what the
    fp32 subnets of one call have in common is computed once.

    Without calibration images, fp32 alone is scored. `scored` is told, as soon as it is known, of a
    subnet and a precision ("" or ":int8") which images (images,) were right. Raises `InvalidInput`
    where an image that int8 is calibrated on is held out.
    """

    on_device = False

    def __init__(
        self,
        held_out: ImageSet,
        calibration: ImageSet | None = None,
        *,
        mean: Level,
        std: Level,
        batch: int = 50,
        scored: Callable[[Architecture, str, np.ndarray], None] = not_told,
    ) -> None:
        if calibration is not None:
            check_apart(calibration.take(slice(0, INT8_IMAGES)), held_out)
        self._images, self._calibration = held_out, calibration
        self._mean, self._std, self._batch = mean, std, batch
        self._scored = scored
        self._batches: dict[int, list[np.ndarray]] = {}

    def measure(self, subnets: Sequence[Prepared]) -> list[dict[str, float]]:
        logits: dict[int, np.ndarray] = {}
        for resolution in {prepared.subnet.input_shape[-1] for prepared in subnets}:
            own = [i for i, p in enumerate(subnets) if p.subnet.input_shape[-1] == resolution]
            sessions = SharedSessions([subnets[i].subnet for i in own])
            parts = [sessions.logits(batch) for batch in self._of_resolution(resolution)]
            for place, i in enumerate(own):
                logits[i] = np.concatenate([part[place] for part in parts])
        return [self._score(prepared, logits[i]) for i, prepared in enumerate(subnets)]

    def record(self) -> dict[str, Any]:
        return {"held_out_images": len(self._images)}

    def right(self, model: bytes, resolution: int) -> np.ndarray:
        """Whether (images,) the ONNX model of this input size names each held-out class."""
        return self.logits(model, resolution).argmax(1) == self._images.labels

    def logits(self, model: bytes, resolution: int) -> np.ndarray:
        """Logits (images, classes) of the ONNX model of this input size on all held-out images."""
        session = session_of(model)
        batches = self._of_resolution(resolution)
        return np.concatenate([session.run(None, {INPUT: batch})[0] for batch in batches])

    def _score(self, prepared: Prepared, logits: np.ndarray) -> dict[str, float]:
        right = logits.argmax(1) == self._images.labels
        self._scored(prepared.architecture, "", right)
        found = {
            **_with_error("accuracy", 100.0 * right),
            **_with_error("cross_entropy", cross_entropies(logits, self._images.labels)),
            **_halves(right, ""),
        }
        if self._calibration is None:
            return found
        model = prepared.int8(self._calibration, self._mean, self._std)
        int8 = self.right(model, prepared.subnet.input_shape[-1])
        self._scored(prepared.architecture, ":int8", int8)
        return {
            **found,
            **_with_error("accuracy:int8", 100.0 * int8),
            **_with_error("accuracy_drop:int8", 100.0 * right - 100.0 * int8),
            **_halves(int8, ":int8"),
        }

    def _of_resolution(self, resolution: int) -> list[np.ndarray]:
        """The normalised batches of one resolution, kept, as resizing costs more than scoring."""
        if resolution not in self._batches:
            images = self._images.images
            self._batches[resolution] = [
                to_batch(images[i : i + self._batch], resolution, self._mean, self._std).numpy()
                for i in range(0, len(images), self._batch)
            ]
        return self._batches[resolution]


def cross_entropies(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Cross-entropy (images,), in nats, of logits (images, classes) and class numbers."""
    shifted = logits - logits.max(1, keepdims=True)
    log_sum = np.log(np.exp(shifted).sum(1))
    return log_sum - shifted[np.arange(len(logits)), labels]


def _with_error(column: str, values: np.ndarray) -> Mapping[str, float]:
    """The mean over images (images,) and its standard error."""
    error = values.std(ddof=1) / np.sqrt(len(values))
    return {column: float(values.mean()), f"{column}_std_error": float(error)}


def _halves(right: np.ndarray, precision: str) -> Mapping[str, float]:
    return {
        f"accuracy_even{precision}": float(100.0 * right[::2].mean()),
        f"accuracy_odd{precision}": float(100.0 * right[1::2].mean()),
    }
