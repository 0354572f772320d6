"""Models as files of a runtime, and their answers, made in the runtime's own environment."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.fx.experimental.optimization import fuse

from foxnas_core.errors import FoxnasError
from foxnas_core.measurement.environments import Runtime
from foxnas_core.measurement.kept_models import (
    CONVERTER,
    KeptModels,
    failure,
    forget_failure,
    settled,
    tell_failure,
)
from foxnas_core.measurement.meter import INT8_IMAGES, Prepared
from foxnas_core.tasks.dataset import ImageSet
from foxnas_core.tasks.task import Batching

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
    kept: KeptModels | None = None,
    refused: dict[str, str] | None = None,
) -> list[dict[str, Any]]:
    """Write each subnet's file of each precision to `folder`; returns the runner's job entries,
    named NAME-PRECISION.

    `calibration` are training images, of which the first `INT8_IMAGES` give int8 its ranges.
    `waiting` is called twice a second while another environment converts; what it raises ends
    that. What is converted is taken from `kept`, and kept there as soon as it is made. Where
    `refused` is given, a model that can't be made has no entry, and its reason is put there by its
    name. Raises `MissingPart` where the runtime isn't installed, and `ConversionFailed`.
    """
    images = calibration.images[:INT8_IMAGES]
    batches: dict[tuple[int, ...], np.ndarray] = {}
    paths: dict[tuple[str, str], Path] = {}
    for name, p in subnets.items():
        shape = tuple(p.subnet.input_shape)
        if runtime.converts and shape not in batches:
            batches[shape] = task.batch(images, shape).numpy()
        for precision in precisions:
            paths[name, precision] = (
                kept.path(runtime, p, precision, batches[shape])
                if runtime.converts and kept is not None
                else folder / f"{name}-{precision}{runtime.suffix}"
            )
    lenient = refused is not None
    if runtime.converts:
        _convert(runtime, subnets, batches, folder, paths, waiting, lenient)
    else:
        _write_onnx(subnets, calibration, task, paths, lenient)
    entries = []
    for (name, precision), path in paths.items():
        entry = f"{name}-{precision}"
        if refused is not None and (why := failure(path)) is not None:
            refused[entry] = why
            continue
        file = f"{entry}{runtime.suffix}"
        if path.parent != folder:
            shutil.copyfile(path, folder / file)
        size = [1, *subnets[name].subnet.input_shape]
        entries.append({"name": entry, "file": file, "shape": size, "precision": precision})
    return entries


def _write_onnx(
    subnets: Mapping[str, Prepared],
    calibration: ImageSet,
    task: Batching,
    paths: Mapping[tuple[str, str], Path],
    lenient: bool,
) -> None:
    for (name, precision), path in paths.items():
        own = subnets[name]
        try:
            model = own.onnx if precision == "fp32" else own.int8(calibration, task)
        except Exception as error:
            if not lenient:
                raise
            tell_failure(path, _reason(error))
        else:
            path.write_bytes(model)


def _convert(
    runtime: Runtime,
    subnets: Mapping[str, Prepared],
    calibration: Mapping[tuple[int, ...], np.ndarray],
    folder: Path,
    paths: Mapping[tuple[str, str], Path],
    waiting: Callable[[], None],
    lenient: bool,
) -> None:
    """Let the runtime's own environment convert what isn't there, as exported programs."""
    runtime.python()
    for path in paths.values():
        path.parent.mkdir(parents=True, exist_ok=True)
        if not lenient:
            forget_failure(path)
    described: dict[str, dict[str, str]] = {}
    for name in dict.fromkeys(name for (name, _), path in paths.items() if not settled(path)):
        own = subnets[name].subnet
        images = f"calibration-{'x'.join(map(str, own.input_shape))}.npy"
        try:
            torch.export.save(_exported(subnets[name]), folder / f"{name}.pt2")
        except Exception as error:
            if not lenient:
                raise
            for precision in PRECISIONS:
                if (name, precision) in paths:
                    tell_failure(paths[name, precision], _reason(error))
            continue
        np.save(folder / images, calibration[tuple(own.input_shape)])
        described[name] = {"program": f"{name}.pt2", "calibration": images}
    while left := {key: path for key, path in paths.items() if not settled(path)}:
        files: dict[str, dict[str, str]] = {}
        for (name, precision), path in left.items():
            files.setdefault(name, {})[precision] = str(path.resolve())
        job = {
            "runtime": runtime.name,
            "lenient": lenient,
            "subnets": [described[name] | {"files": own} for name, own in files.items()],
        }
        (folder / "subnets.json").write_text(json.dumps(job))
        failed = _call(runtime, CONVERTER, folder, waiting)
        undone = [path for path in left.values() if not settled(path)]
        if undone and (not lenient or not failed):
            raise ConversionFailed(
                f"{runtime.title} could not convert a subnet ({failed or 'no file came'}); run "
                f"'make runtime-{runtime.name}' to renew its environment, or leave it out."
            )
        if undone:  # it ended at the first of these, which may come of native code
            tell_failure(undone[0], failed)


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
    if process.returncode in (-signal.SIGKILL, -signal.SIGTERM):
        raise ConversionFailed(
            f"{runtime.title}'s process was ended from outside, as where memory runs out; end what "
            "else takes memory, and start again."
        )
    return last_line(said) if process.returncode else ""


def _exported(prepared: Prepared) -> torch.export.ExportedProgram:
    """The subnet at batch 1, which is how it is timed."""
    p = prepared.subnet
    return torch.export.export(_folded(p), (p.example(),))


def _folded(network: nn.Module) -> nn.Module:
    """The network with its norms folded into convolutions, as each runtime does too: converters
    trace a program a dozen times over, and this halves its operators. Where its own tracing fails,
    it stays as it is.
    """
    try:
        return fuse(network)
    except Exception:
        return network


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {last_line(str(error))}"


def last_line(text: str) -> str:
    """The last line that says something, as a part of a sentence."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1].rstrip(".")[:300] if lines else "it said nothing"
