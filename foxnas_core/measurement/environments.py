"""Runtimes that models run in, each in a Python environment of its own; loads none of them."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from foxnas_core.errors import MissingPart
from foxnas_core.table.metrics import RUNTIMES as TITLES

REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True)
class Runtime:
    """A runtime by its name, what its files end in, and how its int8 models come about.

    `own` says whether it has an environment of its own, which `make runtime-NAME` makes and which
    also converts; others take the ONNX files.
    """

    name: str
    suffix: str
    int8: str
    own: bool = True

    @property
    def title(self) -> str:
        return TITLES[self.name]

    @property
    def converts(self) -> bool:
        return self.suffix != ".onnx"

    def python(self) -> Path:
        """The interpreter that has the runtime; raises `MissingPart` where it isn't installed.

        Environments are looked for in the folder that `FOXNAS_RUNTIMES` names, by default where
        this product lies.
        """
        if not self.own:
            return Path(sys.executable)
        folder = Path(os.environ.get("FOXNAS_RUNTIMES", REPOSITORY)) / f".venv-{self.name}"
        python = folder / "bin" / "python"
        if not python.exists():
            raise MissingPart(
                f"{self.title} is not installed ({folder} is missing); run 'make "
                f"runtime-{self.name}', which installs it in an environment of its own."
            )
        return python


_QDQ = "static QDQ, per channel, unsigned activations"
RUNTIMES: Mapping[str, Runtime] = {
    runtime.name: runtime
    for runtime in (
        Runtime("onnxruntime", ".onnx", _QDQ, own=False),
        Runtime("openvino", ".onnx", _QDQ),
        Runtime("executorch", ".pte", "static, symmetric, per channel (torchao pt2e)"),
        Runtime("litert", ".tflite", "static, per channel (AI Edge Quantizer)"),
    )
}
