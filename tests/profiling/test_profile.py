"""Real profiles of small networks: nothing is lost, nothing told twice."""

import functools
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pytest

from foxnas_core.families import load_shipped
from foxnas_core.profiling import profile as room
from foxnas_core.profiling.layers import layers_of
from foxnas_core.profiling.result import Layer, LayerProfile
from foxnas_core.profiling.timing import Profiled
from foxnas_core.supernet.onnx import onnx_model, quantized_model
from tests.profiling.nets import OwnNet, Plain, adapted, rich_space, subnet

PRECISIONS = ("fp32", "int8")
MINI = load_shipped("foxnas-mini")
NETWORKS = {
    "plain": (lambda: subnet(MINI, "largest"), MINI),
    "rich": (lambda: subnet(rich_space(), "largest"), rich_space()),
    "own": (lambda: adapted(OwnNet()), MINI),
    "functions": (lambda: adapted(Plain()), MINI),
}


@dataclass(frozen=True)
class Case:
    layers: tuple[Layer, ...]
    profile: LayerProfile
    told: list[Profiled]  # of the network, not of the chains


@functools.cache
def profiled(name: str, precision: str) -> Case:
    """One of the networks in one of the precisions, in few runs."""
    make, space = NETWORKS[name]
    network = make()
    model = fp32 = onnx_model(network)
    if precision == "int8":
        size = network.input_shape[-1]
        images = np.random.default_rng(0).standard_normal((8, 1, size, size)).astype("f4")
        model = quantized_model(fp32, images)
    told = []
    with pytest.MonkeyPatch.context() as patch:
        for constant in ("_RUNS", "_PROFILED_RUNS"):
            patch.setattr(room, constant, 12)
        original = room.profiled
        patch.setattr(room, "profiled", lambda *a: told.append(original(*a)) or told[-1])
        found = room.profile_network(
            network, space, fp32=fp32, model=model, precision=precision, rounds=3
        )
    return Case(layers_of(network, space), found, told)


@pytest.fixture(params=[(n, p) for n in NETWORKS for p in PRECISIONS], ids="-".join)
def case(request) -> Case:
    return profiled(*request.param)


def test_rows_add_up_to_all_operators(case: Case) -> None:
    profile = case.profile
    middle = np.median([t.ms for t in case.told], axis=0)
    assert profile.profiled_ms == pytest.approx(middle.sum())
    assert sum(r.ms + r.profiler_ms for r in profile.rows) == pytest.approx(middle.sum())
    told = Counter(o.kind for o in case.told[0].operators)
    assert Counter(kind for row in profile.rows for kind in row.operators) == told
    assert all(row.ms >= 0 and row.profiler_ms >= 0 for row in profile.rows)
    for number in range(3):
        own = sum(row.rounds_ms[number] for row in profile.rows)
        assert own + profile.profiler_ms == pytest.approx(case.told[number].ms.sum())


def test_parts_add_up_to_the_latency(case: Case) -> None:
    p = case.profile
    assert p.layers_ms + p.elsewhere_ms + p.unattributed_ms == pytest.approx(p.latency_ms)
    assert p.low_ms <= p.latency_ms <= p.high_ms


def test_each_layer_is_in_one_row_and_each_row_ran(case: Case) -> None:
    names = [name for row in case.profile.rows for name in row.layers]
    assert sorted(names) == sorted(layer.name for layer in case.layers)
    assert all(row.operators for row in case.profile.rows)


def test_layers_with_weights_ran_as_what_multiplies_and_no_other_row_did(case: Case) -> None:
    macs = {layer.name: layer.macs for layer in case.layers}
    multiplying = ("Conv", "FusedConv", "QLinearConv", "Gemm", "QGemm", "MatMul", "QLinearMatMul")
    for row in case.profile.rows:
        does = any(kind in multiplying for kind in row.operators)
        assert does == (sum(macs[name] for name in row.layers) > 0), row


def test_changes_of_layout_are_of_no_layer(case: Case) -> None:
    for row in case.profile.rows:
        if row.layers:
            assert not {"ReorderInput", "ReorderOutput"} & set(row.operators)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_sum_is_computed_in_the_convolution_before_it_in_fp32_only(precision: str) -> None:
    rows = {row.layers for row in profiled("plain", precision).profile.rows}
    assert (("s3b2 project", "s3b2 add") in rows) == (precision == "fp32")


@pytest.mark.parametrize("precision", PRECISIONS)
def test_norm_and_activation_of_ones_own_network_are_in_their_convolution(precision: str) -> None:
    rows = {row.layers for row in profiled("own", precision).profile.rows}
    assert ("s1b1 conv.0", "s1b1 conv.1", "s1b1 conv.2") in rows


def test_int8_runs_an_h_swish_beside_its_convolution() -> None:
    rows = {row.layers: row.operators for row in profiled("rich", "int8").profile.rows}
    assert rows["s2b1 expand",] == (
        "QLinearConv", "DequantizeLinear", "HardSigmoid", "QuantizeLinear", "QLinearMul",
    )  # fmt: skip
    assert set(rows[()]) == {"QuantizeLinear", "Transpose"}
