"""An environment that stands for ExecuTorch's or LiteRT's: its files are exported programs under
the runtime's suffix, and the app's own Python runs them."""

import json
import sys
import time
from pathlib import Path

SUFFIXES = {"executorch": ".pte", "litert": ".tflite"}


def install(folder: Path, runtime: str, *, wrong: bool = False, seconds: float = 0.0) -> None:
    """Make the environment in `folder`; its answers may be all the same, its work take longer."""
    python = folder / f".venv-{runtime}" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(
        f'#!/bin/sh\nexec {sys.executable} {__file__} "$1" "$2" {int(wrong)} {seconds}\n'
    )
    python.chmod(0o755)


def main(script: Path, folder: Path, wrong: bool, seconds: float) -> None:
    time.sleep(seconds)
    if script.name == "convert.py":
        job = json.loads((folder / "subnets.json").read_text())
        [own] = job["subnets"]
        [(precision, file)] = own["files"].items()
        assert precision == "fp32" and Path(file).suffix == SUFFIXES[job["runtime"]]
        Path(file).write_bytes((folder / own["program"]).read_bytes())
        return
    assert script.name == "answer.py"
    import numpy as np

    question = json.loads((folder / "question.json").read_text())
    images = np.load(folder / question["images"])
    logits = np.zeros((len(images), 3)) if wrong else logits_of(folder / question["file"], images)
    np.save(folder / "logits.npy", logits)
    (folder / "answer.json").write_text(json.dumps({"version": "7.8.9"}))


def logits_of(file: Path, images):
    # Imported late, as it takes seconds and all else here needs none of it.
    import torch

    program = torch.export.load(file).module()
    with torch.no_grad():
        return torch.cat([program(image[None]) for image in torch.from_numpy(images)]).numpy()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] == "1", float(sys.argv[4]))
