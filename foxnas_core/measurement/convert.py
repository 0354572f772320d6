"""Turns subnets into the files of a runtime, in that runtime's own environment:
`python -m foxnas_core.measurement.convert FOLDER`.

FOLDER holds `subnets.json`, `{"runtime": executorch | litert, "space", "subnets": [{"name",
"architecture", "weights": FILE.safetensors, "precisions", "calibration": FILE.npy}]}`; a file
NAME-PRECISION.pte or .tflite is written for each. Imports of ours must ask for no more than torch,
numpy and safetensors.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file

from foxnas_core.families import space_from_dict
from foxnas_core.families.mbconv import settings_of
from foxnas_core.supernet.subnet import Subnet


def subnet_of(space: dict[str, Any], architecture: dict[str, Any], weights: Path) -> Subnet:
    """The subnet rebuilt from its description and its weights, in evaluation mode."""
    own = space_from_dict(space)
    subnet = Subnet(settings_of(own), own.architecture(architecture))
    subnet.load_state_dict(load_file(weights))
    return subnet.eval()


def to_executorch(subnet: Subnet, calibration: np.ndarray | None) -> bytes:
    """An ExecuTorch program that runs in XNNPACK; int8 where `calibration` (N, C, H, W) is given.

    Quantization: static, symmetric, weights per channel, by PyTorch 2 export.
    """
    from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
    from executorch.exir import to_edge_transform_and_lower

    example = (_example(subnet),)
    program = torch.export.export(subnet, example)
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
        program = torch.export.export(convert_pt2e(prepared), example)
    lowered = to_edge_transform_and_lower(program, partitioner=[XnnpackPartitioner()])
    return lowered.to_executorch().buffer


def to_litert(subnet: Subnet, calibration: np.ndarray | None) -> bytes:
    """A LiteRT flatbuffer; int8 where `calibration` (N, C, H, W) is given.

    Quantization: static, weights per channel, by AI Edge Quantizer.
    """
    import litert_torch

    model = litert_torch.convert(subnet, (_example(subnet),)).model_content()
    if calibration is None:
        return model
    from ai_edge_litert.interpreter import Interpreter
    from ai_edge_quantizer import quantizer, recipe

    runner = Interpreter(model_content=bytes(model)).get_signature_runner()
    [name] = runner.get_input_details()
    quantizing = quantizer.Quantizer(bytearray(model), recipe.static_wi8_ai8())
    images = [{name: image[None]} for image in calibration]
    ranges = quantizing.calibrate({"serving_default": images})
    return quantizing.quantize(ranges).quantized_model


CONVERTERS: dict[str, tuple[str, Callable[[Subnet, np.ndarray | None], bytes]]] = {
    "executorch": (".pte", to_executorch),
    "litert": (".tflite", to_litert),
}


def convert(folder: Path) -> None:
    job = json.loads((folder / "subnets.json").read_text())
    suffix, converter = CONVERTERS[job["runtime"]]
    for own in job["subnets"]:
        subnet = subnet_of(job["space"], own["architecture"], folder / own["weights"])
        for precision in own["precisions"]:
            calibration = np.load(folder / own["calibration"]) if precision == "int8" else None
            model = converter(subnet, calibration)
            (folder / f"{own['name']}-{precision}{suffix}").write_bytes(model)


def _example(subnet: Subnet) -> torch.Tensor:
    return torch.zeros(1, subnet.input_channels, subnet.resolution, subnet.resolution)


if __name__ == "__main__":
    torch.set_num_threads(1)
    convert(Path(sys.argv[1]))
