"""Turns exported programs into a runtime's files, in that runtime's own environment:
`python convert.py FOLDER`.

FOLDER holds `subnets.json`, `{"runtime": executorch | litert, "lenient", "subnets": [{"program":
FILE.pt2, "files": {PRECISION: FILE}, "calibration": FILE.npy}]}`; each of these files is written,
by a rename. What can't be converted ends the job; a `lenient` one writes why to FILE.failed and
goes on. Like the runner it stands alone, as that environment has none of the app's packages.
"""

import json
import os
import sys
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch.export import ExportedProgram


def to_executorch(program: ExportedProgram, calibration: np.ndarray | None) -> bytes:
    """An ExecuTorch program that runs in XNNPACK; int8 where `calibration` (N, C, H, W) is given.

    Quantization: static, symmetric, weights per channel, by PyTorch 2 export.
    """
    from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
    from executorch.exir import to_edge_transform_and_lower

    if calibration is not None:
        from executorch.backends.xnnpack.quantizer.xnnpack_quantizer import (
            XNNPACKQuantizer,
            get_symmetric_quantization_config,
        )
        from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

        settings = get_symmetric_quantization_config(is_per_channel=True)
        prepared = prepare_pt2e(program.module(), XNNPACKQuantizer().set_global(settings))
        with torch.no_grad():
            for image in torch.from_numpy(calibration):
                prepared(image[None])
        program = torch.export.export(convert_pt2e(prepared), _example(program))
    lowered = to_edge_transform_and_lower(program, partitioner=[XnnpackPartitioner()])
    return lowered.to_executorch().buffer


def to_litert(program: ExportedProgram, calibration: np.ndarray | None) -> bytes:
    """A LiteRT flatbuffer; int8 where `calibration` (N, C, H, W) is given.

    Quantization: static, weights per channel, by AI Edge Quantizer, of the fp32 flatbuffer.
    """
    model = _in_fp32(program)
    if calibration is None:
        return model
    from ai_edge_litert.interpreter import Interpreter
    from ai_edge_quantizer import quantizer, recipe

    runner = Interpreter(model_content=model).get_signature_runner()
    [name] = runner.get_input_details()
    quantizing = quantizer.Quantizer(bytearray(model), recipe.static_wi8_ai8())
    images = [{name: image[None]} for image in calibration]
    ranges = quantizing.calibrate({"serving_default": images})
    return quantizing.quantize(ranges).quantized_model


@lru_cache(1)
def _in_fp32(program: ExportedProgram) -> bytes:
    import litert_torch

    return bytes(litert_torch.convert(program.module(), _example(program)).model_content())


CONVERTERS: dict[str, Callable[[ExportedProgram, np.ndarray | None], bytes]] = {
    "executorch": to_executorch,
    "litert": to_litert,
}


def convert(folder: Path) -> None:
    job = json.loads((folder / "subnets.json").read_text())
    converter = CONVERTERS[job["runtime"]]
    for own in job["subnets"]:
        program = torch.export.load(folder / own["program"])
        for precision, file in own["files"].items():
            calibration = np.load(folder / own["calibration"]) if precision == "int8" else None
            try:
                _write(folder / file, converter(program, calibration))
            except BrokenPipeError:  # who asked was killed, which says nothing of the model
                raise
            except Exception as error:
                if not job["lenient"]:
                    raise
                said = f"{type(error).__name__}: {error}".splitlines()[0]
                _write(folder / f"{file}.failed", said.encode())


def _write(path: Path, content: bytes) -> None:
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    unfinished.write_bytes(content)
    unfinished.replace(path)


def _example(program: ExportedProgram) -> tuple[torch.Tensor, ...]:
    assert program.example_inputs is not None
    return tuple(program.example_inputs[0])


if __name__ == "__main__":
    torch.set_num_threads(1)
    convert(Path(sys.argv[1]))
