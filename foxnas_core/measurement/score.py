"""How well subnets do their task on held-out cases, in fp32 and int8."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from foxnas_core.measurement.meter import INT8_IMAGES, Prepared
from foxnas_core.space.architecture import Architecture
from foxnas_core.supernet.onnx import INPUT, session_of
from foxnas_core.supernet.sharing import SharedSessions
from foxnas_core.table.metrics import STD_ERROR, is_metric
from foxnas_core.tasks.dataset import ImageSet, check_apart
from foxnas_core.tasks.task import Task, mean_of


def not_told(architecture: Architecture, precision: str, cases: np.ndarray) -> None:
    """What is done with each case's score unless a caller asks for it."""


class ScoreMeter:
    """The metrics of a task, with their standard errors.

    All are those of the fp32 model; of its objective, such as the accuracy, `accuracy:int8` is that
    of the quantized one too, and `accuracy_drop:int8`, where that is a metric, the first less the
    second. Both are scored on the same cases, so its standard error is that of the mean paired
    difference. The even and the odd cases are also scored apart (`accuracy_even`, `accuracy_odd`,
    each also `:int8`, and in each domain): their agreement over subnets is the reliability of the
    study. Runs in ONNX Runtime, which gives the same outputs as torch in less time, in batches that
    stay in the processor's cache; what the fp32 subnets of one call have in common is computed
    once.

    Without calibration cases, fp32 alone is scored. `domains` names those that the cases are of.
    `scored` is told, as soon as it is known, of a subnet and a precision ("" or ":int8") the
    objective of each case (cases,). Raises `InvalidInput` where a case that int8 is calibrated on
    is held out.
    """

    on_device = False

    def __init__(
        self,
        held_out: ImageSet,
        calibration: ImageSet | None = None,
        *,
        task: Task,
        domains: Sequence[str] = (),
        batch: int = 50,
        scored: Callable[[Architecture, str, np.ndarray], None] = not_told,
    ) -> None:
        if calibration is not None:
            check_apart(calibration.take(slice(0, INT8_IMAGES)), held_out)
        self._held_out, self._calibration = held_out, calibration
        self._task, self._domains, self._batch = task, domains, batch
        self._scored = scored
        self._batches: dict[tuple[int, ...], list[np.ndarray]] = {}

    def measure(self, subnets: Sequence[Prepared]) -> list[dict[str, float]]:
        outputs: dict[int, np.ndarray] = {}
        for shape in {prepared.subnet.input_shape for prepared in subnets}:
            own = [i for i, p in enumerate(subnets) if p.subnet.input_shape == shape]
            sessions = SharedSessions([subnets[i].subnet for i in own])
            parts = [sessions.logits(batch) for batch in self._of_shape(shape)]
            for place, i in enumerate(own):
                outputs[i] = np.concatenate([part[place] for part in parts])
        return [self._score(prepared, outputs[i]) for i, prepared in enumerate(subnets)]

    def record(self) -> dict[str, Any]:
        return {"held_out_images": len(self._held_out)}

    def outputs(self, model: bytes, shape: Sequence[int]) -> np.ndarray:
        """What the ONNX model of this input shape says of all held-out cases, (cases, …)."""
        session = session_of(model)
        batches = self._of_shape(tuple(shape))
        return np.concatenate([session.run(None, {INPUT: batch})[0] for batch in batches])

    def objective(self, model: bytes, shape: Sequence[int]) -> np.ndarray:
        """The task's objective of each case (cases,) by the ONNX model of this input shape."""
        return self.cases(self.outputs(model, shape))[self._task.objective]

    def cases(self, outputs: np.ndarray) -> dict[str, np.ndarray]:
        """As `Task.cases`, of outputs for the held-out cases."""
        return self._task.cases(outputs, self._held_out.labels)

    def _score(self, prepared: Prepared, outputs: np.ndarray) -> dict[str, float]:
        name = self._task.objective
        fp32 = self.cases(outputs)[name]
        self._scored(prepared.architecture, "", fp32)
        scores = self._task.score(outputs, self._held_out, self._domains)
        found = {column: score.value for column, score in scores.items()}
        found |= {f"{column}{STD_ERROR}": score.std_error for column, score in scores.items()}
        for half, own in (("even", slice(0, None, 2)), ("odd", slice(1, None, 2))):
            apart = self._task.score(outputs[own], self._held_out.take(own), self._domains)
            for column, score in apart.items():
                head, colon, domain = column.partition(":")
                if head == name:
                    found[f"{name}_{half}{colon}{domain}"] = score.value
        if self._calibration is None:
            return found
        model = prepared.int8(self._calibration, self._task)
        int8 = self.objective(model, prepared.subnet.input_shape)
        self._scored(prepared.architecture, ":int8", int8)
        found |= _with_error(f"{name}:int8", int8)
        if is_metric(f"{name}_drop:int8"):
            found |= _with_error(f"{name}_drop:int8", fp32 - int8)
        return {**found, **_halves(name, int8, ":int8")}

    def _of_shape(self, shape: tuple[int, ...]) -> list[np.ndarray]:
        """The batches of one input shape, kept, as making them costs more than scoring."""
        if shape not in self._batches:
            inputs = self._held_out.images
            self._batches[shape] = [
                batch.numpy() for batch in self._task.batches(inputs, shape, self._batch)
            ]
        return self._batches[shape]


def _with_error(column: str, cases: np.ndarray) -> Mapping[str, float]:
    score = mean_of(cases)
    return {column: score.value, f"{column}{STD_ERROR}": score.std_error}


def _halves(name: str, cases: np.ndarray, precision: str) -> Mapping[str, float]:
    return {
        f"{name}_even{precision}": float(cases[::2].mean()),
        f"{name}_odd{precision}": float(cases[1::2].mean()),
    }
