"""The names of HW-NAS-Bench's published API (arXiv 2103.10584), for scripts that were written for
it: `from foxnas_core.hw_nas_bench_api import HWNASBenchAPI` in place of their own import.

The file may be the published pickle, read as plain data, or the folder of a study, whose numbers
are then measured, summed or predicted.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from foxnas_core.errors import InvalidInput
from foxnas_core.families import family_of, space_from_dict
from foxnas_core.families.fbnet.published import published_keys
from foxnas_core.families.fbnet.space import DATASETS as FBNET_DATASETS
from foxnas_core.families.fbnet.space import configuration_of
from foxnas_core.families.nasbench201.space import DATASETS as CELL_DATASETS
from foxnas_core.pickles import read_pickle
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.steps.query import Asked
from foxnas_core.study import open_study
from foxnas_core.table.files import content_of
from foxnas_core.table.importing.hw_nas_bench import CONFIG, metric_name
from foxnas_core.table.sums import ChoiceCosts

if TYPE_CHECKING:
    from foxnas_core.networks import Network

# The published metrics, of which FBNet lacks some.
METRICS = (
    "edgegpu_latency", "edgegpu_energy", "raspi4_latency", "edgetpu_latency", "pixel3_latency",
    "eyeriss_latency", "eyeriss_energy", "eyeriss_arithmetic_intensity", "fpga_latency",
    "fpga_energy",
)  # fmt: skip
_OF_CELLS = ("edgetpu_latency", "eyeriss_arithmetic_intensity")
_AVERAGE = "average_hw_metric"
_NOT_IN_IT = "eyeriss_arithmetic_intensity"
_SIDES = {"ImageNet16-120": 16}


class HWNASBenchAPI:
    """Costs of one search space, "nasbench201" or "fbnet"; raises `InvalidInput` for what is none.

    `file_path_or_dict` is the published pickle or what it holds, or a study's folder. Architectures
    are numbers of NAS-Bench-201, or lists of FBNet's 22 operations from 0 to 8; data sets
    "cifar10", "cifar100" and "ImageNet16-120", or "cifar100" and "ImageNet".
    """

    def __init__(
        self, file_path_or_dict: "str | Path | Mapping[str, Any]", search_space: str = "nasbench201"
    ) -> None:
        if search_space not in _SPACES:
            raise InvalidInput(
                f"{search_space!r:.80} is no search space here; give 'nasbench201' or 'fbnet'."
            )
        self.search_space = search_space
        self.HW_metrics: Mapping[str, Any] = {}
        self._study: Asked | None = None
        if isinstance(file_path_or_dict, Mapping):
            self.HW_metrics = file_path_or_dict
        elif (path := Path(file_path_or_dict)).is_dir():
            self._study = Asked(open_study(path))
        else:
            found = read_pickle(str(path), content_of(path))
            self.HW_metrics = found if isinstance(found, dict) else {}

    def query_by_index(self, arch_index: "int | Sequence[int]", dataname: str) -> dict[str, float]:
        """Each metric there is of an architecture, in ms and mJ, and the product of the published
        ones, where all of these are there."""
        space = self._space(dataname)
        architecture = _architecture(space, arch_index)
        if self._study is not None:
            known = self._study.known(architecture).metrics
            found = {metric_name(column): one.value for column, one in known.items()}
        elif self.search_space == "fbnet":
            keys = _keys_of(space, architecture)
            tables = self.get_op_lookup_tables(dataname)
            found = {name: math.fsum(own[key] for key in keys) for name, own in tables.items()}
        else:
            number = _number(space, architecture)
            found = {
                name: float(own[number])
                for name, own in self._held(dataname).items()
                if name != CONFIG
            }
        wanted = [m for m in METRICS if self.search_space != "fbnet" or m not in _OF_CELLS]
        first = {name: found.pop(name) for name in wanted if name in found}
        if set(first) | {_NOT_IN_IT} >= set(wanted):
            average = math.prod(value for name, value in first.items() if name != _NOT_IN_IT)
            first[_AVERAGE] = average
        return first | found

    def get_net_config(self, arch_index: "int | Sequence[int]", dataname: str) -> dict[str, Any]:
        """What tells the network of an architecture."""
        space = self._space(dataname)
        architecture = _architecture(space, arch_index)
        if self._study is None and CONFIG in (held := self._held(dataname)):
            return dict(held[CONFIG][_number(space, architecture)])
        found = family_of(space).configuration(space, architecture)
        assert found is not None
        return found

    def get_op_lookup_tables(self, dataname: str = "") -> dict[str, dict[str, float]]:
        """By metric, what each block of FBNet's networks costs, by the published keys.

        Of a study `dataname` may be left out. Where its table was recovered from whole networks,
        what all of them have stands under the stem's key, and the cheapest block of each layer is
        0: sums are the networks' costs all the same.
        """
        if self.search_space != "fbnet":
            raise InvalidInput(
                "Only FBNet's costs are sums over operations; ask a cell's by index."
            )
        if self._study is None:
            return {name: dict(own) for name, own in self._object("fbnet").items()}
        return _tables_of(self._study)

    def _held(self, dataname: str) -> Mapping[str, Any]:
        """What the file has of the cells on a data set."""
        return {} if self.search_space == "fbnet" else self._object("nasbench201").get(dataname, {})

    def _object(self, name: str) -> Mapping[str, Any]:
        found = self.HW_metrics.get(name)
        if not isinstance(found, Mapping):
            raise InvalidInput(f"The file has nothing of {name!r}; name another search space.")
        return found

    def _space(self, dataname: str) -> SearchSpace:
        if self._study is None:
            return _SPACES[self.search_space](dataname)
        space = self._study.study.space
        own = family_of(space).dataset(space)
        if (space.family, own) != (self.search_space, dataname):
            raise InvalidInput(
                f"{self._study.study.folder} is of {space.family} on {own!r}, not of "
                f"{self.search_space} on {dataname!r:.80}."
            )
        return space


def get_cell_based_tiny_net(config: Mapping[str, Any]) -> "Network":
    """The network of a configuration of NAS-Bench-201, with random weights; it gives logits."""
    from foxnas_core.supernet.building import build_network

    space = _cells(CELL_DATASETS.get(config["num_classes"], ""), config["C"], config["N"])
    return build_network(space, family_of(space).read(space, config["arch_str"]), seed=0)


def FBNet_Infer(config: Mapping[str, Any]) -> "Network":  # noqa: N802  # as published
    """The network of a configuration of FBNet, with random weights; it gives logits."""
    from foxnas_core.supernet.building import build_network

    space = _layers(config["dataset"])
    return build_network(space, _architecture(space, config["op_idx_list"]), seed=0)


def _cells(dataname: str, channels: int = 16, cells: int = 5) -> SearchSpace:
    classes = {name: count for count, name in CELL_DATASETS.items()}
    settings = {"channels": channels, "cells": cells, "resolution": _SIDES.get(dataname, 32)}
    return _space("nasbench201", dataname, classes, "classes", settings)


def _layers(dataname: str) -> SearchSpace:
    return _space("fbnet", dataname, {n: own for own, n in FBNET_DATASETS.items()}, "dataset", {})


def _space(
    family: str, dataname: str, known: Mapping[str, Any], field: str, settings: dict[str, Any]
) -> SearchSpace:
    if dataname not in known:
        raise InvalidInput(f"{dataname!r:.80} is no data set of {family}: {', '.join(known)}.")
    named = {"format": 1, "family": family, "name": f"{family} {dataname}"}
    return space_from_dict({**named, field: known[dataname], **settings})


_SPACES = {"nasbench201": _cells, "fbnet": _layers}


def _architecture(space: SearchSpace, index: "int | Sequence[int]") -> Architecture:
    written = str(index) if isinstance(index, str) else str(_plain(index))
    return family_of(space).read(space, written)


def _plain(index: Any) -> Any:
    """Whole numbers, of NumPy's too, as Python writes them."""
    return [int(one) for one in index] if isinstance(index, Sequence) else int(index)


def _number(space: SearchSpace, architecture: Architecture) -> int:
    number = family_of(space).number(space, architecture)
    assert number is not None
    return number


def _keys_of(space: SearchSpace, architecture: Architecture) -> list[str]:
    """The published keys of an architecture's blocks, from the stem to the classifier."""
    keys = published_keys(configuration_of(space))
    blocks = [place.block(architecture) for place in family_of(space).places(space)]
    return [keys[block] for block in blocks if block is not None]


def _tables_of(asked: Asked) -> dict[str, dict[str, float]]:
    space = asked.study.space
    places, keys = family_of(space).places(space), published_keys(configuration_of(space))
    found = {}
    for column in asked.targets:
        if not isinstance(costs := asked.costs(column), ChoiceCosts):
            continue
        own = dict.fromkeys(keys.values(), 0.0)
        own[keys[places[0].blocks[()]]] = costs.fixed
        for place in places:
            for chosen, block in place.blocks.items():
                if chosen:
                    own[keys[block]] = costs.cost(place.decisions[0], chosen[0])
        found[metric_name(column)] = own
    return found
