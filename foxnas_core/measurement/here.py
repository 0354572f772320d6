"""The machine that this runs on, as campaigns record it; loads no runtime."""

from importlib import metadata
from pathlib import Path

from foxnas_core.errors import MissingPart
from foxnas_core.measurement import runner
from foxnas_core.measurement.environments import RUNTIMES
from foxnas_core.table.machine import Machine

THREADS = 1
"""How many threads networks are timed on."""


def machine_here(runtime: str = "onnxruntime") -> Machine:
    """This machine with one of `RUNTIMES`; with no version where that isn't installed."""
    package, title = runner.PACKAGES[runtime]
    return Machine(runner.device_name(), title, _version(runtime, package), THREADS)


def _version(runtime: str, package: str) -> str:
    try:
        if not RUNTIMES[runtime].own:
            return metadata.version(package)
        environment = RUNTIMES[runtime].python().parents[1]
        folders = [str(path) for path in Path(environment).glob("lib/python*/site-packages")]
        return next((d.version for d in metadata.distributions(name=package, path=folders)), "")
    except (MissingPart, metadata.PackageNotFoundError):
        return ""
