"""Numbers that stand for measured ones: the same on every machine, however fast or busy it is."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from foxnas_core.measurement.cost import cost_of
from foxnas_core.measurement.here import machine_here
from foxnas_core.measurement.meter import Prepared
from foxnas_core.measurement.runner import Timing
from foxnas_core.networks import Network
from foxnas_core.table.latency_verdicts import LEAST_ROUNDS, LEAST_RUNS
from foxnas_core.table.machine import device_columns

IMAGES = 300
BASELINE = 0.02


class FixedMeter:
    """Accuracies and latencies (ms) by formulas of depth and MACs, with some noise that the
    architecture alone decides: each latency's front has several subnets, and the two differ."""

    on_device = False

    def measure(self, subnets: Sequence[Prepared]) -> list[dict[str, float]]:
        return [fixed_values(p) for p in subnets]

    def record(self) -> dict[str, Any]:
        """As the meters that these numbers stand for; the device is this one, whose later rows
        are to join them."""
        here = machine_here()
        return {
            "held_out_images": IMAGES, "device": here.processor,
            "runtime": f"ONNX Runtime {here.version}", "threads": 1, "batch": 1,
            "runs": LEAST_RUNS, "rounds": LEAST_ROUNDS, "warm_up_runs": 10,
            "pinned": True, "governor": None, "reference_baseline_ms": BASELINE,
            "int8": "none", "calibration_images": 100,
        }  # fmt: skip


def fixed_visit(meter: object, model: bytes, subnet: Network, share: float) -> Callable[[], Timing]:
    """Stands for `LatencyMeter._visit`: a time that the network's size alone decides, another one
    in int8, with some noise of its own."""
    cost, int8 = cost_of(subnet), b"QuantizeLinear" in model
    macs, parameters = int(cost["macs"]), int(cost["parameters"])
    noise = np.random.default_rng((macs, parameters, int8)).normal()
    level = 0.008 + 1e-8 * macs if int8 else 0.004 + 4e-8 * macs
    time = (1 + 0.02 * noise) * level
    return lambda: Timing(time, time, LEAST_RUNS)


def fixed_latencies(meter: object, subnets: Sequence[Prepared]) -> list[dict[str, float]]:
    """Stands for `LatencyMeter.measure`, for rows beside those of `FixedMeter`."""
    return [{k: v for k, v in fixed_values(p).items() if "latency_ms" in k} for p in subnets]


def fixed_values(prepared: Prepared) -> dict[str, float]:
    """All that the meters of accuracy and of latency give."""
    values = prepared.architecture.to_dict()
    depth = sum(value for name, value in values.items() if name.endswith("_depth"))
    macs = cost_of(prepared.subnet)["macs"] / 1e4
    noise = np.random.default_rng(int(prepared.architecture.id, 16)).normal(0, 1, 5)
    fp32 = 55 + 6 * np.log2(macs) + 5 * depth + 0.4 * noise[0]
    found = {
        **_scores("", fp32),
        **_scores(":int8", fp32 - 3 / macs + 0.4 * noise[1]),
        **_times("", 0.004 + 0.002 * depth + 0.004 * macs, 1 + 0.02 * noise[2]),
        **_times(":int8", 0.008 + 0.005 * depth + 0.001 * macs, 1 + 0.02 * noise[3]),
        "cross_entropy": 1 - fp32 / 100 + 0.01 * abs(noise[4]),
        "cross_entropy_std_error": 0.02,
    }
    found["accuracy_drop:int8"] = found["accuracy"] - found["accuracy:int8"]
    found["accuracy_drop:int8_std_error"] = 0.5
    return found


def _scores(precision: str, accuracy: float) -> dict[str, float]:
    """An accuracy (%) as that of so many images, some more of the even ones right than of the
    odd."""
    right = round(IMAGES * accuracy / 100)
    share = right / IMAGES
    return {
        f"accuracy{precision}": 100 * share,
        f"accuracy{precision}_std_error": 100 * (share * (1 - share) / (IMAGES - 1)) ** 0.5,
        f"accuracy_even{precision}": 100 * ((right + 1) // 2) / (IMAGES // 2),
        f"accuracy_odd{precision}": 100 * (right // 2) / (IMAGES // 2),
    }


def _times(precision: str, level: float, noise: float) -> dict[str, float]:
    """A latency (ms) as that of a machine at rest."""
    column = f"latency_ms{precision}"
    latencies = dict.fromkeys(("", "minimum_", "low_", "high_"), float(level * noise))
    steady = {"drift_": 1.0, "drift_range_": 0.0}
    return {f"{prefix}{column}": value for prefix, value in {**latencies, **steady}.items()}


class FixedDevice:
    """Latencies of a device by the formulas of `FixedMeter`, twice as long; stands for
    `DeviceMeter`, on whichever machine it is asked."""

    def __init__(self, device: Any, *_: Any, **__: Any) -> None:
        self.columns = device.columns

    def measure(self, subnets: Sequence[Prepared]) -> list[dict[str, float]]:
        own = dict(zip(device_columns(None), self.columns, strict=True))
        return [
            {
                name.removesuffix(first) + column: value * (1 if "drift" in name else 2)
                for first, column in own.items()
                for name, value in values.items()
                if name.endswith(f"_{first}") or name == first
            }
            for values in fixed_latencies(self, subnets)
        ]

    def record(self) -> dict[str, Any]:
        return FixedMeter().record() | {
            "latency_columns": list(self.columns), "reference_baseline_ms": 2 * BASELINE,
        }  # fmt: skip
