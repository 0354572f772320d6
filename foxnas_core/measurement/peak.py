"""The process whose memory is measured: it runs a trivial model, then the one in question.

    python -m foxnas_core.measurement.peak TRIVIAL.onnx MODEL.onnx INPUT SHAPE...

Prints the KiB by which the second raised the peak. The peak of getrusage(2) won't do: a process
that was forked from a large one inherits that one's, so the kernel's VmHWM is read, which Linux
lets a process set back to what it holds now (proc(5), clear_refs).
"""

import sys
from pathlib import Path

import numpy as np

_OWN = Path("/proc/self")
_RUNS = 5


def can_tell() -> bool:
    """Whether the system tells a process's peak memory and lets it be set back."""
    try:
        _reset()
        return _kib("VmHWM") > 0 and _kib("VmRSS") > 0
    except (OSError, StopIteration, ValueError):
        return False


def measure(trivial: str, model: str, name: str, shape: tuple[int, ...]) -> int:
    """KiB that loading and running the model adds at its peak."""
    kept = [_run(trivial, name, shape)]
    _reset()
    before = _kib("VmRSS")
    kept.append(_run(model, name, shape))
    return _kib("VmHWM") - before


def _run(model: str, name: str, shape: tuple[int, ...]) -> object:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.x64quantprecision", "1")
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    image = np.zeros(shape, np.float32)
    for _ in range(_RUNS):
        session.run(None, {name: image})
    return session


def _reset() -> None:
    (_OWN / "clear_refs").write_text("5")


def _kib(field: str) -> int:
    lines = (_OWN / "status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith(f"{field}:")))


if __name__ == "__main__":
    trivial, model, name, *shape = sys.argv[1:]
    print(measure(trivial, model, name, tuple(map(int, shape))))
