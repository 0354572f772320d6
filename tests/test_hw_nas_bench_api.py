"""Scripts written for HW-NAS-Bench's published API, on its file's layout and on studies."""

import json
import math

import numpy as np
import pytest
import torch
from conftest import REPOSITORY

from foxnas_core.__main__ import main
from foxnas_core.errors import FoxnasError
from foxnas_core.hw_nas_bench_api import FBNet_Infer, HWNASBenchAPI, get_cell_based_tiny_net
from foxnas_core.study import open_study
from tests.published_file import CELLS, SPACES, document, pickled

DATA = REPOSITORY.parent / "shared" / "data"


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("published") / "HW-NAS-Bench-v1_0.pickle"
    path.write_bytes(pickled(arrays=True))
    return path


@pytest.fixture(scope="module")
def studies(file, tmp_path_factory):
    """A study of each data set, imported from the file."""
    folder = tmp_path_factory.mktemp("studies")
    for name in ("nasbench201", "nasbench201-imagenet16", "fbnet-cifar100", "fbnet-imagenet"):
        assert main(["import", str(file), "--study", str(folder / name), "--space", name]) == 0
    return folder


def test_cells_are_looked_up_as_by_the_published_code(file):
    api = HWNASBenchAPI(str(file), search_space="nasbench201")
    for dataset in SPACES:
        own = document()["nasbench201"][dataset]
        for number in (0, np.int64(7), CELLS - 1):
            found = api.query_by_index(number, dataset)
            average = found.pop("average_hw_metric")
            assert found == {metric: own[metric][number] for metric in found}
            assert set(found) == set(own) - {"config"}
            kept = [v for name, v in found.items() if name != "eyeriss_arithmetic_intensity"]
            assert average == pytest.approx(math.prod(kept))
            assert api.get_net_config(number, dataset) == own["config"][number]


def test_layers_are_summed_by_their_keys(file):
    api = HWNASBenchAPI(str(file), "fbnet")
    tables = api.get_op_lookup_tables()
    assert tables == document()["fbnet"]
    index = [0] * 21 + [8]
    assert api.get_net_config(index, "cifar100") == {
        "dataset": "cifar100", "num_classes": 100, "op_idx_list": index,
        "arch_str": ["k3_e1"] * 21 + ["skip"],
    }  # fmt: skip
    own = tables["fpga_latency"]
    # Of ImageNet's first layers, as the published code names them.
    first = "ConvBlock_H112_W112_Cin16_Cout16_exp1_kernel3_stride1_group1"
    changed = "ConvBlock_H112_W112_Cin16_Cout16_exp6_kernel5_stride1_group1"
    one, other = (api.query_by_index([op] + [0] * 21, "ImageNet") for op in (0, 7))
    assert other["fpga_latency"] - one["fpga_latency"] == pytest.approx(own[changed] - own[first])
    assert "edgetpu_latency" not in one and "average_hw_metric" in one


def test_an_imported_study_answers_as_its_file(file, studies):
    for space, dataset, name in (
        ("nasbench201", "cifar10", "nasbench201"),
        ("nasbench201", "ImageNet16-120", "nasbench201-imagenet16"),
        ("fbnet", "cifar100", "fbnet-cifar100"),
        ("fbnet", "ImageNet", "fbnet-imagenet"),
    ):
        own, study = HWNASBenchAPI(file, space), HWNASBenchAPI(studies / name, space)
        indices = (
            [0, CELLS - 1] if space == "nasbench201" else [[0] * 22, [*range(8)] * 2 + [8] * 6]
        )
        for index in indices:
            want, found = own.query_by_index(index, dataset), study.query_by_index(index, dataset)
            want.pop("eyeriss_arithmetic_intensity", None)
            assert {n: found[n] for n in want} == pytest.approx(want, rel=1e-9)
            assert study.get_net_config(index, dataset) == own.get_net_config(index, dataset)
        if space == "fbnet":
            tables = study.get_op_lookup_tables(dataset)
            total = HWNASBenchAPI({"fbnet": tables}, "fbnet").query_by_index(indices[1], dataset)
            assert {n: total[n] for n in want} == pytest.approx(want, rel=1e-9)


def test_configurations_become_networks(file):
    cells = HWNASBenchAPI(file).get_net_config(3, "ImageNet16-120")
    layers = HWNASBenchAPI(file, "fbnet").get_net_config([8] * 22, "cifar100")
    for network, classes in ((get_cell_based_tiny_net(cells), 120), (FBNet_Infer(layers), 100)):
        with torch.no_grad():
            assert network(network.example()).shape == (1, classes)


@pytest.mark.parametrize(
    ("space", "index", "dataset", "said"),
    [
        ("nasbench201", 15_625, "cifar10", "no cell number 15625"),
        ("nasbench201", 0, "svhn", "'svhn' is no data set of nasbench201: cifar10"),
        ("fbnet", [0] * 21, "cifar100", "no 22 operations"),
        ("fbnet", [9] * 22, "cifar100", "Layer 0 is '9'"),
        ("darts", 0, "cifar10", "'darts' is no search space"),
    ],
)
def test_what_is_not_there_is_said(file, space, index, dataset, said):
    with pytest.raises(FoxnasError, match=said):
        HWNASBenchAPI(file, space).query_by_index(index, dataset)


def test_a_study_is_of_one_data_set(studies):
    with pytest.raises(FoxnasError, match="on 'cifar10', not of nasbench201 on 'cifar100'"):
        HWNASBenchAPI(studies / "nasbench201").query_by_index(0, "cifar100")


def test_a_failed_compile_is_missing_and_says_why(studies, capsys):
    frame = open_study(studies / "nasbench201").table().frame
    assert frame["latency_ms:edgetpu"].isna().tolist() == [at == 7 for at in range(CELLS)]
    assert frame["index"].tolist() == list(range(CELLS))
    asked = ["query", "--study", str(studies / "nasbench201"), "--architecture", "7"]
    capsys.readouterr()
    assert main([*asked, "--metric", "latency_ms:edgetpu", "--json"]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["metrics"] == {}
    assert "Latency (edgetpu): the network did not run there: -1 in the file" in told.err


def test_published_anchors_of_cells(tmp_path, capsys):
    source = DATA / "nb201_part.parquet"
    if not source.exists():
        pytest.skip(f"{source.name} is not beside the checkout")
    mapped = [f"latency_ms:{d}=lat_{d}" for d in ("raspi4", "pixel3", "fpga")]
    mapped += ["accuracy=test_acc_cifar10", "accuracy:cifar100=test_acc_cifar100"]
    maps = [part for one in mapped for part in ("--map", one)]
    command = ["import", str(source), "--study", str(tmp_path / "s"), "--space", "nasbench201"]
    units = ["--latency-unit", "ms", "--accuracy-unit", "percent"]
    assert main([*command, *maps, *units]) == 0
    assert "'lat_1080ti_1', 'lat_gold_6226' are no known metric" in capsys.readouterr().err
    api = HWNASBenchAPI(tmp_path / "s")
    found = api.query_by_index(0, "cifar10")
    assert api.query_by_index(9930, "cifar10")["accuracy:cifar100"] == pytest.approx(73.5133)
    assert found["raspi4_latency"] == pytest.approx(10.4820, abs=5e-5)
    assert found["pixel3_latency"] == pytest.approx(3.60585, abs=5e-6)
    assert found["fpga_latency"] == pytest.approx(2.57296, abs=5e-6)


def test_published_anchors_of_layers(tmp_path, capsys):
    source = DATA / "fbnet_part.parquet"
    if not source.exists():
        pytest.skip(f"{source.name} is not beside the checkout")
    maps = ["--map", "latency_ms:raspi4=lat_raspi4", "--map", "latency_ms:pixel3=lat_pixel3"]
    command = ["import", str(source), "--study", str(tmp_path / "s"), "--space", "fbnet-cifar100"]
    assert main([*command, *maps, "--latency-unit", "ms", "--json"]) == 0
    told = capsys.readouterr()
    assert told.err.count("5,000 rows, of rank 177, tell all of it") == 2
    for sums in json.loads(told.out)["sums"].values():
        assert sums["rank"] == 177 and sums["residual"] < 1e-11
    found = HWNASBenchAPI(tmp_path / "s", "fbnet").query_by_index([0] * 22, "cifar100")
    assert found["raspi4_latency"] == pytest.approx(17.6186, abs=5e-5)
    assert found["pixel3_latency"] == pytest.approx(7.7890, abs=5e-5)
