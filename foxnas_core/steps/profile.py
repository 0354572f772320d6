"""The layers of a subnet and where its time goes."""

from typing import TYPE_CHECKING

from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.space.architecture import Architecture
from foxnas_core.steps.measure import PRECISIONS, parts_of
from foxnas_core.study import Study

if TYPE_CHECKING:
    from foxnas_core.profiling.result import Layer, LayerProfile


def subnet_layers(study: Study, architecture: Architecture) -> "tuple[Layer, ...]":
    """The layers of a subnet; a space whose family has a supernet needs no weights.

    Raises `InvalidInput` for weights of somebody's own code that was not named, `MissingPart` where
    the space is of another family and there are no weights.
    """
    from foxnas_core.supernet.adapter import has_supernet, supernet_of

    if study.checkpoint_file.exists():
        network = study.load_checkpoint().extract(architecture)
    elif has_supernet(study.space):
        network = supernet_of(study.space).extract(architecture)
    else:
        raise MissingPart(
            f"Space {study.space.name!r} lists decisions without saying what network they make, so "
            "its layers are not known; bring the supernet's weights and code with 'python -m "
            "foxnas_core measure --supernet'."
        )
    from foxnas_core.profiling.layers import layers_of

    return layers_of(network, study.space)


def profile_subnet(
    study: Study, architecture: Architecture, precision: str = "fp32"
) -> "tuple[tuple[Layer, ...], LayerProfile]":
    """The layers of a subnet and where its time goes on this machine, in fp32 or int8.

    Raises `InvalidInput` for another precision, `MissingPart` where the study has no weights or
    images.
    """
    if precision not in PRECISIONS:
        raise InvalidInput(f"{precision!r} is no precision; choose {' or '.join(PRECISIONS)}.")
    checkpoint, calibration, _ = parts_of(study)

    from foxnas_core.measurement.preparing import prepare
    from foxnas_core.profiling.layers import layers_of
    from foxnas_core.profiling.profile import profile_network

    prepared = prepare(checkpoint, architecture, calibration)
    fp32 = prepared.onnx
    int8 = precision == "int8"
    model = prepared.int8(calibration, checkpoint.task) if int8 else fp32
    profile = profile_network(
        prepared.subnet, study.space, fp32=fp32, model=model, precision=precision
    )
    return layers_of(prepared.subnet, study.space), profile
