"""An architecture without weights: its network with random ones, for what it costs to run."""

import onnx
import torch

from foxnas_core.export.exporter import architecture_file, compared, run_onnx
from foxnas_core.export.written import ExportedModel
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.supernet.building import build_network
from foxnas_core.supernet.onnx import onnx_model

FILE = "random-weights.onnx"
_IMAGES = 4


def export_untrained(
    space: SearchSpace, architecture: Architecture, *, seed: int = 0
) -> ExportedModel:
    """The architecture as JSON, and as an ONNX model whose name and metadata say that its weights
    are random; it is run again on random images.

    Raises `InvalidInput` where the space's family builds no networks, and `ExportMismatch` where
    the file gives other answers than the network.
    """
    network = build_network(space, architecture, seed=seed)
    model = onnx.load_from_string(onnx_model(network))
    about = {
        "weights": f"random (seed {seed}), never trained: for its cost, not for its answers",
        "architecture": architecture.id,
        "space": f"{space.name} {space.fingerprint}",
    }
    onnx.helper.set_model_props(model, about)
    content = model.SerializeToString()
    images = torch.randn(
        (_IMAGES, *network.input_shape), generator=torch.Generator().manual_seed(seed)
    )
    with torch.no_grad():
        expected = network(images).numpy()
    check = compared(FILE, run_onnx(content, images.numpy()), expected)
    files = {FILE: content, "architecture.json": architecture_file(space, architecture)}
    return ExportedModel(architecture.id, files, (check,))
