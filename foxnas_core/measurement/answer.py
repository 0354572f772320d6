"""Runs a model file on images, in its runtime's own environment: `python answer.py FOLDER`.

FOLDER holds `question.json`, `{"runtime": executorch | litert, "file", "images": FILE.npy}`, with
images (N, C, H, W), float32, that are run one by one; `logits.npy` (N, classes) and `answer.json`,
`{"version"}`, are written. Like the runner it stands alone, as that environment has none of the
app's packages.
"""

import importlib.metadata
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

Answer = Callable[[np.ndarray], np.ndarray]


def in_executorch(path: Path) -> Answer:
    import torch
    from executorch.runtime import Runtime

    method = Runtime.get().load_program(path).load_method("forward")

    def logits(image: np.ndarray) -> np.ndarray:
        # The runtime overwrites its output at the next call.
        return method.execute([torch.from_numpy(image)])[0].numpy().copy()

    return logits


def in_litert(path: Path) -> Answer:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(path), num_threads=1)
    interpreter.allocate_tensors()
    [entry], [exit_] = interpreter.get_input_details(), interpreter.get_output_details()

    def logits(image: np.ndarray) -> np.ndarray:
        interpreter.set_tensor(entry["index"], image)
        interpreter.invoke()
        return interpreter.get_tensor(exit_["index"])

    return logits


# Of each runtime: the package whose version is told, and what runs a file.
RUNTIMES: dict[str, tuple[str, Callable[[Path], Answer]]] = {
    "executorch": ("executorch", in_executorch),
    "litert": ("ai-edge-litert", in_litert),
}


def answer(folder: Path) -> None:
    question = json.loads((folder / "question.json").read_text())
    package, load = RUNTIMES[question["runtime"]]
    run = load(folder / question["file"])
    images = np.load(folder / question["images"])
    np.save(folder / "logits.npy", np.concatenate([run(image[None]) for image in images]))
    told = {"version": importlib.metadata.version(package)}
    (folder / "answer.json").write_text(json.dumps(told))


if __name__ == "__main__":
    answer(Path(sys.argv[1]))
