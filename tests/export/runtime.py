"""An environment that stands for ExecuTorch's or LiteRT's: its files are exported programs under
the runtime's suffix, and the app's own Python runs them."""

import json
import sys
import time
from pathlib import Path

SUFFIXES = {"executorch": ".pte", "litert": ".tflite"}


def install(folder: Path, runtime: str, *, error: float = 0.0, seconds: float = 0.0) -> None:
    """Make the environment in `folder`; its answers are off by `error`, its work takes longer."""
    python = folder / f".venv-{runtime}" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec {sys.executable} {__file__} "$1" "$2" {error} {seconds}\n')
    python.chmod(0o755)


def main(script: Path, folder: Path, error: float, seconds: float) -> None:
    time.sleep(seconds)
    if script.name == "convert.py":
        job = json.loads((folder / "subnets.json").read_text())
        [own] = job["subnets"]
        [(precision, file)] = own["files"].items()
        assert precision == "fp32" and Path(file).suffix == SUFFIXES[job["runtime"]]
        Path(file).write_bytes((folder / own["program"]).read_bytes())
        return
    assert script.name == "answer.py"
    # Imported late, as it takes seconds and copying a file needs none of it.
    import numpy as np
    import torch

    question = json.loads((folder / "question.json").read_text())
    program = torch.export.load(folder / question["file"]).module()
    images = torch.from_numpy(np.load(folder / question["images"]))
    with torch.no_grad():
        logits = torch.cat([program(image[None]) for image in images]).numpy()
    np.save(folder / "logits.npy", logits + error)
    (folder / "answer.json").write_text(json.dumps({"version": "7.8.9"}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4]))
