"""Models that a runtime's environment converted, kept under a hash of what they are made of.

Nothing kept is ever brought up to date: what changed has another name. They may be deleted at any
time.
"""

import hashlib
import shutil
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from foxnas_core.measurement.environments import Runtime
from foxnas_core.measurement.here import machine_here
from foxnas_core.measurement.meter import Prepared

CONVERTER = Path(__file__).with_name("convert.py")
FOLDER = ".models"
"""Where a study keeps them until they are measured."""
_FAILED = ".failed"


@dataclass(frozen=True)
class KeptModels:
    """The models in a folder, and for each that can't be converted why."""

    folder: Path

    def path(
        self, runtime: Runtime, prepared: Prepared, precision: str, images: np.ndarray
    ) -> Path:
        """Where the model of a network is kept, whether it is there or not; int8's ranges are of
        `images`."""
        network = prepared.subnet
        digest = hashlib.sha256(_maker(runtime).encode())
        for said in (precision, prepared.architecture.id, str(network), str(network.input_shape)):
            digest.update(f"{said}\0".encode())
        for name, values in network.state_dict().items():
            digest.update(f"{name} {tuple(values.shape)} {values.dtype}\0".encode())
            digest.update(values.detach().contiguous().numpy().tobytes())
        if precision == "int8":
            digest.update(images.tobytes())
        return self.folder / f"{digest.hexdigest()[:32]}{runtime.suffix}"

    def forget_failures(self) -> None:
        """Let what failed be tried again."""
        for path in self.folder.glob(f"*{_FAILED}"):
            path.unlink()

    def clear(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def failure(path: Path) -> str | None:
    """Why a model can't be converted, where that is known."""
    told = _told(path)
    return told.read_text(errors="replace") if told.exists() else None


def tell_failure(path: Path, why: str) -> None:
    _told(path).write_text(why)


def forget_failure(path: Path) -> None:
    _told(path).unlink(missing_ok=True)


def settled(path: Path) -> bool:
    """Whether a model is there, or why it can't be."""
    return path.exists() or _told(path).exists()


def _told(path: Path) -> Path:
    return path.with_name(path.name + _FAILED)


@lru_cache
def _maker(runtime: Runtime) -> str:
    """What else a model depends on: the runtime, its version and the code that converts."""
    return f"{runtime.name} {machine_here(runtime.name).version} {CONVERTER.read_text()}\0"
