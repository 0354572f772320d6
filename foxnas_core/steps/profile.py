"""The layers and operators of a subnet, and where its time goes."""

from typing import TYPE_CHECKING

from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.families import family_of
from foxnas_core.space.architecture import Architecture
from foxnas_core.steps.measure import PRECISIONS, parts_of
from foxnas_core.study import Study

if TYPE_CHECKING:
    from foxnas_core.networks import Network
    from foxnas_core.profiling.result import Layer, LayerProfile, NetworkGraph

TRAINED, NOT_CALIBRATED, RANDOM = (
    "the supernet's, norms recalibrated",
    "the supernet's, norms not recalibrated: there are no images",
    "random: there is no supernet",
)
"""Where a network's weights are from."""
# Images of noise that int8 ranges of random weights are taken from.
_CASES = 16


def subnet_layers(study: Study, architecture: Architecture) -> "tuple[Layer, ...]":
    """The layers of a subnet; a space whose family builds networks needs no weights.

    Raises `InvalidInput` for weights of somebody's own code that was not named, `MissingPart` where
    the space is of another family and there are no weights.
    """
    network = _network(study, architecture)

    from foxnas_core.profiling.layers import layers_of

    return layers_of(network, study.space)


def subnet_graph(study: Study, architecture: Architecture) -> "NetworkGraph":
    """The operators of a subnet as it is exported; raises as `subnet_layers`."""
    if study.checkpoint_file.exists() and study.images_file.exists():
        from foxnas_core.measurement.preparing import prepare

        checkpoint, calibration, _ = parts_of(study)
        network, weights = prepare(checkpoint, architecture, calibration).subnet, TRAINED
    else:
        network = _network(study, architecture)
        weights = NOT_CALIBRATED if study.checkpoint_file.exists() else RANDOM

    from foxnas_core.profiling.operators import network_graph
    from foxnas_core.supernet.onnx import onnx_model

    return network_graph(network, study.space, onnx_model(network), weights=weights)


def _network(study: Study, architecture: Architecture) -> "Network":
    if study.checkpoint_file.exists():
        return study.load_checkpoint().extract(architecture)
    if not family_of(study.space).network:
        raise MissingPart(
            f"Space {study.space.name!r} lists decisions without saying what network they make, so "
            "its layers are not known; bring the supernet's weights and code with 'python -m "
            "foxnas_core measure --supernet'."
        )
    from foxnas_core.supernet.building import build_network

    return build_network(study.space, architecture, seed=0)


def profile_subnet(
    study: Study, architecture: Architecture, precision: str = "fp32"
) -> "tuple[tuple[Layer, ...], LayerProfile]":
    """The layers of a subnet and where its time goes on this machine, in fp32 or int8.

    Without weights the network has random ones, which time does not read. Raises `InvalidInput` for
    another precision, `MissingPart` where the study has weights and no images, and as
    `subnet_layers`.
    """
    if precision not in PRECISIONS:
        raise InvalidInput(f"{precision!r} is no precision; choose {' or '.join(PRECISIONS)}.")
    if study.checkpoint_file.exists():
        checkpoint, calibration, _ = parts_of(study)

        from foxnas_core.measurement.preparing import prepare

        prepared = prepare(checkpoint, architecture, calibration)
        network, fp32 = prepared.subnet, prepared.onnx
        model = prepared.int8(calibration, checkpoint.task) if precision == "int8" else fp32
    else:
        network = _network(study, architecture)

        import numpy as np

        from foxnas_core.supernet.onnx import onnx_model, quantized_model

        model = fp32 = onnx_model(network)
        if precision == "int8":
            noise = np.random.default_rng(0).standard_normal((_CASES, *network.input_shape))
            model = quantized_model(fp32, noise.astype(np.float32))

    from foxnas_core.profiling.layers import layers_of
    from foxnas_core.profiling.profile import profile_network

    profile = profile_network(network, study.space, fp32=fp32, model=model, precision=precision)
    return layers_of(network, study.space), profile
