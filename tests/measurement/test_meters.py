"""Accuracy, cost and latency meters against hand counts."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import DEMO
from torch import nn

from foxnas_core.errors import InvalidInput
from foxnas_core.measurement.campaign import prepare
from foxnas_core.measurement.cost import CostMeter, cost_of
from foxnas_core.measurement.latency import FP32, INT8, LatencyMeter
from foxnas_core.measurement.meter import Prepared
from foxnas_core.measurement.score import ScoreMeter
from foxnas_core.progress import Stopped
from foxnas_core.study import open_study
from foxnas_core.supernet.onnx import INPUT, session_of
from foxnas_core.tasks.classification import Classification
from foxnas_core.tasks.dataset import ImageSet
from foxnas_core.testing.meters import check_meter


@pytest.fixture(scope="module")
def prepared(tiny_checkpoint, tiny_dataset) -> Prepared:
    architecture = tiny_checkpoint.supernet.space.extreme("largest")
    return prepare(tiny_checkpoint, architecture, tiny_dataset.training)


def test_accuracy_and_entropy_are_torchs(prepared, tiny_checkpoint, tiny_dataset):
    task = tiny_checkpoint.task
    held_out = tiny_dataset.held_out
    meter = ScoreMeter(held_out, tiny_dataset.training, task=task, batch=70)
    row = meter.measure([prepared])[0]
    with torch.no_grad():
        logits = prepared.subnet(task.batch(held_out.images, (1, 12, 12)))
    labels = torch.from_numpy(held_out.labels)
    right = (logits.argmax(1) == labels).double()
    losses = nn.functional.cross_entropy(logits, labels, reduction="none").double()
    assert row["accuracy"] == pytest.approx(100 * right.mean().item(), abs=1e-9)
    assert row["accuracy_even"] == pytest.approx(100 * right[::2].mean().item(), abs=1e-9)
    assert row["accuracy_odd"] == pytest.approx(100 * right[1::2].mean().item(), abs=1e-9)
    p = right.mean().item()
    assert row["accuracy_std_error"] == pytest.approx(100 * np.sqrt(p * (1 - p) / 299), abs=1e-9)
    assert row["cross_entropy"] == pytest.approx(losses.mean().item(), rel=1e-4)
    assert row["cross_entropy_std_error"] == pytest.approx(
        losses.std().item() / np.sqrt(300), rel=1e-4
    )


def test_int8_is_scored_on_the_same_images_and_its_loss_is_paired(
    prepared, tiny_checkpoint, tiny_dataset
):
    task = tiny_checkpoint.task
    rng, training = np.random.default_rng(0), tiny_dataset.training
    # Noise, of which each precision names another class now and then.
    noise = rng.integers(0, 256, (300, 12, 12), dtype=np.uint8)
    held_out = ImageSet(noise, rng.integers(0, 3, 300))
    row = ScoreMeter(held_out, training, task=task).measure([prepared])[0]
    x = task.batch(held_out.images, (1, 12, 12)).numpy()
    right = {
        name: session_of(model).run(None, {INPUT: x})[0].argmax(1) == held_out.labels
        for name, model in (("fp32", prepared.onnx), ("int8", prepared.int8(training, task)))
    }
    assert row["accuracy:int8"] == pytest.approx(100 * right["int8"].mean())
    assert row["accuracy_even:int8"] == pytest.approx(100 * right["int8"][::2].mean())
    assert row["accuracy_odd:int8"] == pytest.approx(100 * right["int8"][1::2].mean())
    assert row["accuracy_drop:int8"] == pytest.approx(row["accuracy"] - row["accuracy:int8"])
    lost = (right["fp32"] & ~right["int8"]).sum()
    won = (right["int8"] & ~right["fp32"]).sum()
    # Of the differences +1, -1 and 0, by hand.
    variance = ((lost + won) - (lost - won) ** 2 / 300) / 299
    assert lost + won > 0
    assert row["accuracy_drop:int8_std_error"] == pytest.approx(100 * np.sqrt(variance / 300))
    # Two samples of images would differ by the root of the sum of both variances.
    assert row["accuracy_drop:int8_std_error"] < row["accuracy_std_error"]


def test_without_calibration_images_fp32_alone_is_scored(prepared, tiny_dataset):
    meters = [
        ScoreMeter(tiny_dataset.held_out, c, task=Classification(0.5, 0.25))
        for c in (None, tiny_dataset.training)
    ]
    alone, both = (meter.measure([prepared])[0] for meter in meters)
    assert not [name for name in alone if "int8" in name]
    assert alone.items() <= both.items()


def test_the_int8_model_is_made_once_for_all_meters(prepared, tiny_checkpoint, tiny_dataset):
    task = tiny_checkpoint.task
    first = prepared.int8(tiny_dataset.training, task)
    assert prepared.int8(tiny_dataset.training, task) is first
    assert prepared.int8(tiny_dataset.training, replace(task, mean=3 * task.mean)) is not first


def test_int8_is_never_calibrated_on_held_out_images(tiny_dataset):
    mixed = ImageSet(tiny_dataset.training.images.copy(), tiny_dataset.training.labels)
    mixed.images[7] = tiny_dataset.held_out.images[20]
    with pytest.raises(InvalidInput, match="^1 of 200 training images are held out as well"):
        ScoreMeter(tiny_dataset.held_out, mixed, task=Classification(0.5, 0.25))


def test_each_subnet_is_scored_at_its_own_resolution(tiny_checkpoint, tiny_dataset):
    space = tiny_checkpoint.supernet.space
    task = tiny_checkpoint.task
    both = [
        prepare(tiny_checkpoint, space.extreme(w), tiny_dataset.training)
        for w in ("smallest", "largest")
    ]
    meter, again = (
        ScoreMeter(tiny_dataset.held_out, tiny_dataset.training, task=task) for _ in range(2)
    )
    together = meter.measure(both)
    apart = [again.measure([p])[0] for p in both]
    assert together == apart


def test_costs_by_hand(prepared):
    """Largest tiny subnet at 12 px: stem 4, stages of 4 and 8, kernel 5, expand 2, two blocks."""
    row = CostMeter().measure([prepared])[0]

    def block(in_width, out_width, size_in, size_out):
        mid = 2 * in_width
        convolutions = [
            (in_width * mid, size_in),
            (25 * mid, size_out),
            (mid * out_width, size_out),
        ]
        norms = 2 * (mid + mid + out_width)
        return sum(w for w, _ in convolutions) + norms, sum(w * s * s for w, s in convolutions)

    blocks = [block(4, 4, 12, 6), block(4, 4, 6, 6), block(4, 8, 6, 3), block(8, 8, 3, 3)]
    stem = (9 * 4 + 2 * 4, 9 * 4 * 12 * 12)
    head = (8 * 8 + 2 * 8 + 8 * 3 + 3, 8 * 8 * 3 * 3 + 8 * 3)
    parts = [stem, *blocks, head]
    assert row == {
        "parameters": sum(p for p, _ in parts),
        "macs": sum(m for _, m in parts),
    }


def test_latency_has_both_precisions_within_their_rounds(prepared, tiny_checkpoint, tiny_dataset):
    task = tiny_checkpoint.task
    meter = LatencyMeter(prepared, tiny_dataset.training, task=task, seed=0, runs=50, rounds=3)
    rows = meter.measure([prepared, prepared])
    for row in rows:
        for column in (FP32, INT8):
            assert 0 < row[f"low_{column}"] <= row[column] <= row[f"high_{column}"]
            assert row[f"minimum_{column}"] > 0
            assert row[f"drift_{column}"] > 0 and row[f"drift_range_{column}"] >= 0
    record = meter.record()
    assert record["warm_up_runs"] == 10 and record["pinned"] in (True, None)
    assert record["threads"] == record["batch"] == 1
    assert record["reference_baseline_ms"] == meter.baselines[FP32] > 0
    assert record["reference_baselines_ms"] == meter.baselines and set(meter.baselines) == {
        FP32, INT8,
    }  # fmt: skip
    assert record["device"]


def test_latency_is_held_to_the_baseline_of_the_study(prepared, tiny_checkpoint, tiny_dataset):
    """A machine on which the reference takes three times as long is not three times as slow a
    subnet: times are divided by the drift."""
    options = {"task": tiny_checkpoint.task, "seed": 0, "runs": 200, "rounds": 3}
    plain = LatencyMeter(prepared, tiny_dataset.training, **options)
    factors = {FP32: 3, INT8: 9}
    baselines = {column: factors[column] * plain.baselines[column] for column in factors}
    held = LatencyMeter(prepared, tiny_dataset.training, baselines=baselines, **options)
    [own], [row] = plain.measure([prepared]), held.measure([prepared])
    for column, factor in factors.items():
        assert 0.67 < row[column] / own[column] / factor < 1.5
        # The reference itself measures as its baseline.
        assert own[column] / plain.baselines[column] == pytest.approx(1, abs=0.35)


def test_what_waits_for_latencies_ends_the_measuring(prepared, tiny_checkpoint, tiny_dataset):
    """Before a visit, so that none has to be waited for."""
    called = []

    def waiting() -> None:
        called.append(True)
        if len(called) == 3:
            raise Stopped

    options = {"task": tiny_checkpoint.task, "seed": 0, "runs": 5, "waiting": waiting}
    with pytest.raises(Stopped):
        LatencyMeter(prepared, tiny_dataset.training, **options)
    assert len(called) == 3


def test_accuracy_of_chance_labels_is_chance(prepared, tiny_dataset):
    rng = np.random.default_rng(0)
    noise = ImageSet(rng.integers(0, 256, (600, 12, 12), dtype=np.uint8), rng.integers(0, 3, 600))
    meter = ScoreMeter(noise, tiny_dataset.training, task=Classification(0.5, 0.25))
    row = meter.measure([prepared])[0]
    assert abs(row["accuracy"] - 100 / 3) < 4 * row["accuracy_std_error"]


def test_costs_of_the_shipped_study_are_those_of_its_table():
    """Counted when the study was measured, by torch's counter over whole networks."""
    study = open_study(DEMO)
    supernet = study.load_checkpoint()
    table = study.table()
    for row in (0, 1, 2):
        architecture = study.space.decode(table.codes[row : row + 1])[0]
        cost = cost_of(supernet.extract(architecture))
        measured = table.frame.iloc[row]
        assert cost == {"parameters": measured["parameters"], "macs": measured["macs"]}


@pytest.fixture(scope="module")
def pair(tiny_checkpoint, tiny_dataset) -> list[Prepared]:
    space = tiny_checkpoint.supernet.space
    ends = [space.extreme("smallest"), space.extreme("largest")]
    return [prepare(tiny_checkpoint, end, tiny_dataset.training) for end in ends]


def test_meters_keep_the_contract(pair, tiny_checkpoint, tiny_dataset):
    small, large = check_meter(CostMeter(), pair)
    assert small["macs"] < large["macs"]
    task = tiny_checkpoint.task
    check_meter(ScoreMeter(tiny_dataset.held_out, tiny_dataset.training, task=task), pair)
    options = {"task": task, "seed": 0, "runs": 50, "rounds": 3}
    check_meter(LatencyMeter(pair[1], tiny_dataset.training, **options), pair)


class Broken(CostMeter):
    """Measures right, but for one thing."""

    def __init__(self, fault: str) -> None:
        self.fault, self.calls = fault, 0

    def measure(self, subnets):
        rows, self.calls = super().measure(subnets), self.calls + 1
        if self.fault == "weights" and subnets:
            next(subnets[0].subnet.parameters()).data += 1
        return {
            "order": rows[::-1],
            "short": rows[1:],
            "infinite": [{**row, "macs": np.inf} for row in rows],
            "drifts": [{**row, "macs": row["macs"] + self.calls} for row in rows],
            "error alone": [{**row, "accuracy_std_error": 1.0} for row in rows],
        }.get(self.fault, rows)


@pytest.mark.parametrize(
    "fault", ["order", "short", "infinite", "drifts", "error alone", "weights"]
)
def test_the_suite_finds_what_is_broken(fault, tiny_checkpoint, tiny_dataset):
    space = tiny_checkpoint.supernet.space
    ends = [space.extreme("smallest"), space.extreme("largest")]
    own = [prepare(tiny_checkpoint, end, tiny_dataset.training) for end in ends]
    with pytest.raises(AssertionError):
        check_meter(Broken(fault), own)
