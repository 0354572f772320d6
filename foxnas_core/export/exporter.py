"""Export: each file is written, run again, and compared with the subnet it came from."""

import io
import json
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.export import Dim

from foxnas_core.dataset import ImageSet
from foxnas_core.errors import FoxnasError, InvalidInput
from foxnas_core.export.model_card import Estimate, model_card
from foxnas_core.measurement.meter import Prepared
from foxnas_core.search_space import SearchSpace
from foxnas_core.supernet.images import to_batch
from foxnas_core.supernet.onnx import INPUT, session_of

TOLERANCE = 1e-4
"""Greatest logit difference between the subnet and a file of it that is still accepted."""


class ExportMismatch(FoxnasError):
    """A written file gives other logits than the subnet it came from."""


@dataclass(frozen=True)
class Check:
    """A written file run on `images` real images: its greatest difference from the subnet's
    logits, and the share of images, in percent, on which both name the same class."""

    file: str
    images: int
    max_difference: float
    agreement: float


@dataclass(frozen=True)
class ExportedModel:
    """The exported files by name, and how each runnable one compared."""

    architecture_id: str
    files: Mapping[str, bytes]
    checks: tuple[Check, ...]


def export_subnet(
    prepared: Prepared,
    *,
    space: SearchSpace,
    record: Mapping[str, Any],
    held_out: ImageSet,
    estimates: Sequence[Estimate],
    parents: Mapping[str, str],
    images: int = 256,
) -> ExportedModel:
    """The subnet as architecture JSON, ONNX fp32 and `torch.export`, with preprocessing, labels
    and a model card.

    `record` is the checkpoint's training record, `parents` the hashes of what the subnet was
    chosen from. Both models are run again on held-out images; raises `ExportMismatch` where one
    differs from the subnet by more than `TOLERANCE`.
    """
    mean, std = record["pixel_mean"], record["pixel_std"]
    resolution = prepared.subnet.resolution
    batch = to_batch(held_out.images[:images], resolution, mean, std)
    with torch.no_grad():
        expected = prepared.subnet(batch).numpy()
    pt2 = _torch_export(prepared)
    checks = (
        _compare("model.onnx", _run_onnx(prepared.onnx, batch.numpy()), expected),
        _compare("model.pt2", _run_torch_export(pt2, batch), expected),
    )
    architecture = {
        "id": prepared.architecture.id,
        "space": space.name,
        "space_fingerprint": space.fingerprint,
        "architecture": prepared.architecture.to_dict(),
    }
    preprocessing = {
        "input": INPUT,
        "layout": "NCHW, float32",
        "channels": prepared.subnet.input_channels,
        "height": resolution,
        "width": resolution,
        "resize": "bilinear, antialiased",
        "scale": "pixels / 255",
        "mean": mean,
        "std": std,
    }
    card = model_card(
        prepared.architecture, space, record, estimates, checks, preprocessing, parents
    )
    files = {
        "architecture.json": _json_bytes(architecture),
        "model.onnx": prepared.onnx,
        "model.pt2": pt2,
        "preprocessing.json": _json_bytes(preprocessing),
        "labels.txt": ("\n".join(record["classes"]) + "\n").encode(),
        "model_card.md": card.encode(),
    }
    return ExportedModel(prepared.architecture.id, files, checks)


def write_export(exported: ExportedModel, folder: Path) -> None:
    """Write all files to a new folder, or none; raises `InvalidInput` where it has content."""
    check_new(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as temporary:
        ready = Path(temporary) / "export"
        ready.mkdir()
        for name, content in exported.files.items():
            (ready / name).write_bytes(content)
        ready.replace(folder)


def check_new(folder: Path) -> None:
    """Raises `InvalidInput` where a folder to write to has content."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InvalidInput(f"{folder} exists and is not empty; name a new folder for the export.")


def zip_export(exported: ExportedModel) -> bytes:
    """All files as one ZIP archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in exported.files.items():
            archive.writestr(f"{exported.architecture_id}/{name}", content)
    return buffer.getvalue()


def _torch_export(prepared: Prepared) -> bytes:
    subnet = prepared.subnet
    # A batch of one would be taken for a constant, so the example has two.
    example = torch.zeros(2, subnet.input_channels, subnet.resolution, subnet.resolution)
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


def _run_onnx(content: bytes, batch: np.ndarray) -> np.ndarray:
    return session_of(content).run(None, {INPUT: batch})[0]


def _compare(file: str, logits: np.ndarray, expected: np.ndarray) -> Check:
    difference = float(np.abs(logits - expected).max())
    agreement = 100 * float((logits.argmax(1) == expected.argmax(1)).mean())
    # Written so that a NaN fails too.
    if not difference <= TOLERANCE:
        raise ExportMismatch(
            f"{file} differs from the subnet by up to {difference:.2g} (allowed: {TOLERANCE:g}), "
            "so nothing was exported; report this with the architecture."
        )
    return Check(file, len(expected), difference, agreement)


def _json_bytes(document: Mapping[str, Any]) -> bytes:
    return (json.dumps(document, indent=2) + "\n").encode()
