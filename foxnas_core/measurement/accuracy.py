"""Top-1 accuracy and cross-entropy on held-out images."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from foxnas_core.dataset import ImageSet
from foxnas_core.measurement.meter import Prepared
from foxnas_core.supernet.images import Level, to_batch
from foxnas_core.supernet.onnx import INPUT, session_of


class AccuracyMeter:
    """Accuracy in percent and cross-entropy in nats, with their standard errors.

    The even and the odd images are also scored apart (`accuracy_even`, `accuracy_odd`): their
    agreement over subnets is the reliability of the study. Runs in ONNX Runtime, which gives
    the same logits as torch in less time.
    """

    def __init__(self, held_out: ImageSet, *, mean: Level, std: Level, batch: int = 250) -> None:
        self._images = held_out
        self._mean, self._std, self._batch = mean, std, batch
        self._batches: dict[int, list[np.ndarray]] = {}

    def measure(self, subnets: Sequence[Prepared]) -> list[dict[str, float]]:
        return [self._score(prepared) for prepared in subnets]

    def record(self) -> dict[str, Any]:
        return {"held_out_images": len(self._images)}

    def _score(self, prepared: Prepared) -> dict[str, float]:
        session = session_of(prepared.onnx)
        batches = self._of_resolution(prepared.subnet.resolution)
        logits = np.concatenate([session.run(None, {INPUT: batch})[0] for batch in batches])
        right = 100.0 * (logits.argmax(1) == self._images.labels)
        shifted = logits - logits.max(1, keepdims=True)
        log_sum = np.log(np.exp(shifted).sum(1))
        entropy = log_sum - shifted[np.arange(len(logits)), self._images.labels]
        root = np.sqrt(len(logits))
        return {
            "accuracy": float(right.mean()),
            "accuracy_std_error": float(right.std(ddof=1) / root),
            "cross_entropy": float(entropy.mean()),
            "cross_entropy_std_error": float(entropy.std(ddof=1) / root),
            "accuracy_even": float(right[::2].mean()),
            "accuracy_odd": float(right[1::2].mean()),
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
