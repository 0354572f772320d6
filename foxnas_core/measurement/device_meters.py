"""The meters of devices that `devices` names, apart from it, since they import torch."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from foxnas_core.measurement.devices import Device
from foxnas_core.measurement.elsewhere import DeviceMeter
from foxnas_core.measurement.hosts import Host, LocalHost, SshHost
from foxnas_core.measurement.latency import LatencyMeter
from foxnas_core.measurement.meter import Prepared


def meter_of(
    device: Device,
    reference: Callable[[], Prepared],
    *,
    python: str = "python3",
    program: Path | None = None,
    **how: Any,
) -> LatencyMeter | DeviceMeter:
    """The meter of a device; `how` is the rest of what `LatencyMeter` and `DeviceMeter` take.

    `reference` makes the network that tells the drift, once it is known that nothing is missing.
    `python` is the one of an SSH device, `program` the benchmark_model of an Android device. Raises
    as `DeviceMeter` and the hosts.
    """
    hosts: dict[str, Callable[[], Host]] = {
        "local": lambda: LocalHost(device.runtime.python()),
        "ssh": lambda: SshHost(device.address, python=python),
        "adb": lambda: _adb(device.address, program),
    }
    # What is missing is told before any work is done.
    if device.runtime.converts:
        device.runtime.python()
    host = hosts[device.scheme]()
    if device.name is None:
        return LatencyMeter(reference(), **how)
    return DeviceMeter(device.name, device.runtime, host, reference=reference(), **how)


def _adb(serial: str, program: Path | None) -> Host:
    from foxnas_core.measurement.android import AdbHost

    return AdbHost(serial, program=program)
