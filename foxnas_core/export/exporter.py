"""Export: each file is written, run again, and compared with the subnet it came from."""

import io
import json
import platform
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.export import Dim

from foxnas_core.errors import FoxnasError
from foxnas_core.export.formats import (
    FORMATS,
    INT8_FLOOR,
    SCORING,
    FileCheck,
    Format,
    step_seconds,
)
from foxnas_core.export.model_card import Estimate, model_card
from foxnas_core.export.trying import trying_of
from foxnas_core.export.written import ExportedModel
from foxnas_core.measurement.meter import Prepared
from foxnas_core.measurement.runtimes import answers_of, write_models
from foxnas_core.measurement.score import ScoreMeter
from foxnas_core.progress import Steps
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.supernet.onnx import INPUT, session_of
from foxnas_core.table.metrics import is_metric, metric_of
from foxnas_core.tasks import task_of
from foxnas_core.tasks.dataset import ImageSet

TOLERANCE = 1e-4
"""Greatest logit difference between the subnet and an fp32 file of it that is still accepted, where
the subnet's own logits reach 10 at most; above, in proportion to the greatest one."""


class ExportMismatch(FoxnasError):
    """A written file gives other answers than the subnet it came from."""


def export_subnet(
    prepared: Prepared,
    *,
    space: SearchSpace,
    record: Mapping[str, Any],
    calibration: ImageSet,
    held_out: ImageSet,
    estimates: Sequence[Estimate],
    parents: Mapping[str, str],
    formats: Sequence[Format] = tuple(FORMATS.values()),
    steps: Steps | None = None,
    tuning: str = "",
    int8_floor: float = INT8_FLOOR,
    images: int = 256,
) -> ExportedModel:
    """The subnet in each format with the script that runs it, its architecture as JSON,
    preprocessing, labels, a held-out case to try, and a model card.

    `record` is the checkpoint's training record, `parents` the hashes of what the subnet was
    chosen from, `calibration` training images, `steps` those of `step_seconds`, `tuning` as in
    `model_card`. Of `estimates`, accuracies are those that the files score.

    Every fp32 file is run again on the first `images` held-out images, by its own runtime; the int8
    file on all. Raises `ExportMismatch` where one differs from the subnet by more than `TOLERANCE`,
    or int8 names the same class on less than `int8_floor` percent; and as `write_models`.
    """
    steps = steps or Steps(step_seconds(formats))
    steps.begin(SCORING)
    checker = _Checker(prepared, record, calibration, held_out, images, int8_floor, steps)
    models, checks = {}, []
    for own in formats:
        steps.begin(own.title)
        models[own.file], check = checker.written(own)
        checks.append(check)
    trying = checker.trying
    preprocessing = trying.preprocessing(prepared.subnet, record, held_out)
    labels = [" ".join(str(name).split()) for name in record["classes"]]
    sample, logits = checker.sample()
    card = model_card(
        prepared.architecture,
        space=space,
        record=record,
        estimates=_with_scores(estimates, checker.scores),
        held_out_images=len(held_out),
        tuning=tuning,
        formats=formats,
        checks=checks,
        trying=trying,
        answer=trying.answer(logits, labels),
        preprocessing=preprocessing,
        parents=parents,
        versions=checker.versions,
    )
    files = {
        **models,
        **{own.runner.script: trying.script(own.runner) for own in formats},
        trying.sample: sample,
        "labels.txt": ("\n".join(labels) + "\n").encode(),
        "preprocessing.json": json_bytes(preprocessing),
        "architecture.json": architecture_file(space, prepared.architecture),
        "model_card.md": card.encode(),
    }
    return ExportedModel(prepared.architecture.id, files, tuple(checks))


class _Checker:
    """Writes the files of one subnet and runs each again; `scores` are what the task measures."""

    def __init__(
        self,
        prepared: Prepared,
        record: Mapping[str, Any],
        calibration: ImageSet,
        held_out: ImageSet,
        images: int,
        int8_floor: float,
        steps: Steps,
    ) -> None:
        self._prepared, self._steps, self._floor = prepared, steps, int8_floor
        self._calibration, self._held_out = calibration, held_out
        self._task = task_of(record)
        self._objective = self._task.objective
        self.trying = trying_of(prepared.subnet)
        shape = prepared.subnet.input_shape
        self._batch = self._task.batch(held_out.images[:images], shape)
        with torch.no_grad():
            self._expected = prepared.subnet(self._batch).numpy()
        self._meter = ScoreMeter(held_out, calibration, task=self._task)
        self._outputs = self._meter.outputs(prepared.onnx, shape)
        self.scores = {
            name: float(cases.mean()) for name, cases in self._meter.cases(self._outputs).items()
        }
        self.versions = {
            "Python": platform.python_version(),
            "PyTorch": torch.__version__,
            "ONNX": version("onnx"),
            "ONNX Runtime": version("onnxruntime"),
            "NumPy": np.__version__,
        }

    def written(self, own: Format) -> tuple[bytes, FileCheck]:
        """The file of a format, and how it compared; raises as `export_subnet`."""
        if own.name == "onnx-int8":
            return self._int8(own)
        if own.name == "onnx":
            model = self._prepared.onnx
            return model, replace(
                compared(own.file, run_onnx(model, self._batch.numpy()), self._expected),
                score=self.scores[self._objective],
            )
        if own.name == "torch":
            model = _torch_export(self._prepared)
            return model, compared(own.file, _run_torch_export(model, self._batch), self._expected)
        model = self._converted(own)
        logits, self.versions[own.runtime.title] = answers_of(
            own.runtime, model, self._batch.numpy(), waiting=self._steps.tick
        )
        return model, compared(own.file, logits, self._expected)

    def sample(self) -> tuple[bytes, np.ndarray]:
        """A held-out case as a file, the first of those that the subnet does best, and the logits
        (classes, …) that it gives."""
        labels = self._held_out.labels[: len(self._expected)]
        row = int(self._task.cases(self._expected, labels)[self._objective].argmax())
        return self.trying.file(self._held_out.images[row]), self._expected[row]

    def _int8(self, own: Format) -> tuple[bytes, FileCheck]:
        model = self._prepared.int8(self._calibration, self._task)
        outputs = self._meter.outputs(model, self._prepared.subnet.input_shape)
        agreement = 100 * float(self._task.agreement(outputs, self._outputs).mean())
        score = float(self._meter.cases(outputs)[self._objective].mean())
        of_fp32 = self.scores[self._objective]
        if not agreement >= self._floor:
            agrees = self.trying.agree.format(share=agreement, count=len(outputs))
            metric = metric_of(self._objective)
            raise ExportMismatch(
                f"{own.file} {agrees} (asked for: {self._floor:g} %), and its {metric.word} is "
                f"{metric.value_text(score)} instead of {metric.value_text(of_fp32)}, so nothing "
                "was exported; "
                "fine-tune the subnet for int8's rounding (--quantization-aware), leave onnx-int8 "
                "out (--formats) or ask for less (--int8-floor)."
            )
        name = self._objective
        self.scores[f"{name}:int8"] = score
        if is_metric(f"{name}_drop:int8"):
            self.scores[f"{name}_drop:int8"] = of_fp32 - score
        logits = run_onnx(model, self._batch.numpy())
        difference = float(np.abs(logits - self._expected).max())
        return model, FileCheck(own.file, len(outputs), difference, agreement, score)

    def _converted(self, own: Format) -> bytes:
        with tempfile.TemporaryDirectory() as temporary:
            [entry] = write_models(
                own.runtime,
                {"model": self._prepared},
                calibration=self._calibration,
                task=self._task,
                folder=Path(temporary),
                precisions=("fp32",),
                waiting=self._steps.tick,
            )
            return (Path(temporary) / entry["file"]).read_bytes()


def _with_scores(estimates: Sequence[Estimate], scores: Mapping[str, float]) -> list[Estimate]:
    """The estimates with measured accuracies, and those that nothing was predicted for."""
    known = [
        replace(own, measured=scores.get(own.target.column, own.measured)) for own in estimates
    ]
    columns = [own.target.column for own in estimates]
    return known + [
        Estimate(metric_of(column), None, None, None, value)
        for column, value in scores.items()
        if column not in columns
    ]


def _torch_export(prepared: Prepared) -> bytes:
    subnet = prepared.subnet
    # A batch of one would be taken for a constant, so the example has two.
    example = subnet.example(2)
    program = torch.export.export(
        subnet, (example,), dynamic_shapes=({0: Dim("batch", min=1, max=512)},)
    )
    buffer = io.BytesIO()
    torch.export.save(program, buffer)
    return buffer.getvalue()


def _run_torch_export(content: bytes, batch: torch.Tensor) -> np.ndarray:
    program = torch.export.load(io.BytesIO(content))
    with torch.no_grad():
        return program.module()(batch).numpy()


def run_onnx(content: bytes, batch: np.ndarray) -> np.ndarray:
    return session_of(content).run(None, {INPUT: batch})[0]


def architecture_file(space: SearchSpace, architecture: Architecture) -> bytes:
    """What is told of an architecture beside its models, as JSON."""
    return json_bytes(
        {
            "id": architecture.id,
            "space": space.name,
            "space_fingerprint": space.fingerprint,
            "architecture": architecture.to_dict(),
        }
    )


def compared(file: str, logits: np.ndarray, expected: np.ndarray) -> FileCheck:
    difference = float(np.abs(logits - expected).max())
    agreement = 100 * float((logits.argmax(1) == expected.argmax(1)).mean())
    allowed = TOLERANCE * max(1.0, float(np.abs(expected).max()) / 10)
    # Written so that a NaN fails too.
    if not difference <= allowed:
        raise ExportMismatch(
            f"{file} differs from the subnet by up to {difference:.2g} (allowed: {allowed:.2g}), "
            "so nothing was exported; report this with the architecture."
        )
    return FileCheck(file, len(expected), difference, agreement)


def json_bytes(document: Mapping[str, Any]) -> bytes:
    return (json.dumps(document, indent=2) + "\n").encode()
