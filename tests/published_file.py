"""A file in HW-NAS-Bench's published layout, of numbers of our own."""

import pickle
from functools import cache
from typing import Any

import numpy as np

from foxnas_core.families import family_of, load_shipped
from foxnas_core.families.fbnet.published import published_keys
from foxnas_core.families.fbnet.space import configuration_of

CELLS = 40
SPACES = {
    "cifar10": "nasbench201",
    "cifar100": "nasbench201-cifar100",
    "ImageNet16-120": "nasbench201-imagenet16",
}
_FBNET = ("edgegpu_latency", "edgegpu_energy", "raspi4_latency", "pixel3_latency",
          "eyeriss_latency", "eyeriss_energy", "fpga_latency", "fpga_energy")  # fmt: skip
_CELLS = (*_FBNET, "edgetpu_latency", "eyeriss_arithmetic_intensity")


@cache
def document() -> dict[str, Any]:
    """The first cells on each data set, of which the edge TPU could not compile number 7, and every
    block of FBNet's networks on both."""
    rng = np.random.default_rng(0)
    cells: dict[str, Any] = {}
    for dataset, name in SPACES.items():
        space = load_shipped(name)
        family = family_of(space)
        numbered = [family.read(space, str(number)) for number in range(CELLS)]
        cells[dataset] = {"config": [family.configuration(space, one) for one in numbered]}
        for metric in _CELLS:
            cells[dataset][metric] = rng.uniform(1, 20, CELLS).tolist()
        cells[dataset]["edgetpu_latency"][7] = -1
    keys = [
        key
        for name in ("fbnet-cifar100", "fbnet-imagenet")
        for key in published_keys(configuration_of(load_shipped(name))).values()
    ]
    layers = {
        m: dict(zip(keys, rng.uniform(0.1, 2, len(keys)).tolist(), strict=True)) for m in _FBNET
    }
    return {"nasbench201": cells, "fbnet": layers}


def pickled(protocol: int = 4, *, arrays: bool = False) -> bytes:
    found = document()
    if arrays:
        cells = {
            dataset: {m: v if m == "config" else np.array(v) for m, v in own.items()}
            for dataset, own in found["nasbench201"].items()
        }
        found = {**found, "nasbench201": cells}
    return pickle.dumps(found, protocol=protocol)
