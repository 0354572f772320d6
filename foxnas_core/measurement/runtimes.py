"""Models as files of a runtime, and their answers, made in the runtime's own environment."""

import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from foxnas_core.errors import FoxnasError
from foxnas_core.measurement.environments import Runtime
from foxnas_core.measurement.meter import INT8_IMAGES, Prepared
from foxnas_core.tasks.dataset import ImageSet
from foxnas_core.tasks.task import Batching

CONVERTER = Path(__file__).with_name("convert.py")
ANSWERER = Path(__file__).with_name("answer.py")
PRECISIONS = ("fp32", "int8")


class ConversionFailed(FoxnasError):
    """A runtime's own tools refused a subnet."""


def wait_silently() -> None:
    """What is done while a runtime works, unless a caller has something to do."""


def write_models(
    runtime: Runtime,
    subnets: Mapping[str, Prepared],
    *,
    calibration: ImageSet,
    task: Batching,
    folder: Path,
    precisions: Sequence[str] = PRECISIONS,
    waiting: Callable[[], None] = wait_silently,
) -> list[dict[str, Any]]:
    """Write each subnet's file of each precision to `folder`; returns the runner's job entries,
    named NAME-PRECISION.

    `calibration` are training images, of which the first `INT8_IMAGES` give int8 its ranges.
    `waiting` is called twice a second while another environment converts; what it raises ends
    that. Raises `MissingPart` where the runtime isn't installed, and `ConversionFailed`.
    """
    entries = [
        {
            "name": f"{name}-{precision}",
            "file": f"{name}-{precision}{runtime.suffix}",
            "shape": [1, *p.subnet.input_shape],
            "precision": precision,
        }
        for name, p in subnets.items()
        for precision in precisions
    ]
    if runtime.converts:
        images = calibration.images[:INT8_IMAGES]
        batches = {
            shape: task.batch(images, shape).numpy()
            for shape in sorted({p.subnet.input_shape for p in subnets.values()})
        }
        _convert(runtime, subnets, batches, folder, precisions, waiting)
        return entries
    for name, p in subnets.items():
        for precision in precisions:
            model = p.onnx if precision == "fp32" else p.int8(calibration, task)
            (folder / f"{name}-{precision}{runtime.suffix}").write_bytes(model)
    return entries


def _convert(
    runtime: Runtime,
    subnets: Mapping[str, Prepared],
    calibration: Mapping[tuple[int, ...], np.ndarray],
    folder: Path,
    precisions: Sequence[str],
    waiting: Callable[[], None],
) -> None:
    """Let the runtime's own environment convert the subnets, as exported programs."""
    described = []
    for name, p in subnets.items():
        images = f"calibration-{'x'.join(map(str, p.subnet.input_shape))}.npy"
        torch.export.save(_exported(p), folder / f"{name}.pt2")
        np.save(folder / images, calibration[p.subnet.input_shape])
        described.append(
            {
                "name": name,
                "program": f"{name}.pt2",
                "precisions": list(precisions),
                "calibration": images,
            }
        )
    job = {"runtime": runtime.name, "subnets": described}
    (folder / "subnets.json").write_text(json.dumps(job))
    failed = _call(runtime, CONVERTER, folder, waiting)
    if failed:
        raise ConversionFailed(
            f"{runtime.title} could not convert a subnet ({failed}); run 'make "
            f"runtime-{runtime.name}' to renew its environment, or leave it out."
        )


def answers_of(
    runtime: Runtime,
    model: bytes,
    images: np.ndarray,
    *,
    waiting: Callable[[], None] = wait_silently,
) -> tuple[np.ndarray, str]:
    """Logits (N, classes) of a model file of a runtime with an environment of its own, which reads
    it there, and the runtime's version.

    `images` (N, C, H, W), float32, are normalised; `waiting` as in `write_models`. Raises
    `MissingPart` where the runtime isn't installed, and `ConversionFailed` where it can't run the
    file.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / f"model{runtime.suffix}").write_bytes(model)
        np.save(folder / "images.npy", images)
        question = {
            "runtime": runtime.name,
            "file": f"model{runtime.suffix}",
            "images": "images.npy",
        }
        (folder / "question.json").write_text(json.dumps(question))
        failed = _call(runtime, ANSWERER, folder, waiting)
        if failed:
            raise ConversionFailed(
                f"{runtime.title} can't run the file that it wrote ({failed}); run 'make "
                f"runtime-{runtime.name}' to renew its environment, or leave it out."
            )
        version = str(json.loads((folder / "answer.json").read_text())["version"])
        return np.load(folder / "logits.npy", allow_pickle=False), version


def _call(runtime: Runtime, script: Path, folder: Path, waiting: Callable[[], None]) -> str:
    """Run a script of ours in the runtime's environment; returns why it failed, "" if it didn't."""
    with subprocess.Popen(
        [str(runtime.python()), str(script), str(folder)],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    ) as process:
        try:
            while True:
                try:
                    _, said = process.communicate(timeout=0.5)
                    break
                except subprocess.TimeoutExpired:
                    waiting()
        except BaseException:
            process.kill()
            raise
    return last_line(said) if process.returncode else ""


def _exported(prepared: Prepared) -> torch.export.ExportedProgram:
    """The subnet at batch 1, which is how it is timed."""
    p = prepared.subnet
    return torch.export.export(p, (p.example(),))


def last_line(text: str) -> str:
    """The last line that says something, as a part of a sentence."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1].rstrip(".")[:300] if lines else "it said nothing"
