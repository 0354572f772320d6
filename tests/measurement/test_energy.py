import itertools
import sys
from types import ModuleType, SimpleNamespace

import pytest

from foxnas_core.measurement import energy
from foxnas_core.measurement.campaign import prepare
from foxnas_core.measurement.energy import EnergyMeter, package_counter


@pytest.fixture
def prepared(tiny_checkpoint, tiny_dataset):
    return prepare(
        tiny_checkpoint, tiny_checkpoint.supernet.space.extreme("largest"), tiny_dataset.training
    )


@pytest.fixture
def meter_of(tiny_checkpoint, tiny_dataset):
    task = tiny_checkpoint.task

    def meter(**options) -> EnergyMeter:
        return EnergyMeter(tiny_dataset.training, task=task, **options)

    return meter


def test_the_counters_difference_is_shared_out_over_the_runs(prepared, meter_of, monkeypatch):
    """A counter that gains 90 mJ between its readings, over exactly three runs."""
    clock = itertools.chain([0.0, 0.4, 0.8, 1.2] * 2)
    monkeypatch.setattr(energy.time, "monotonic", lambda: next(clock))
    meter = meter_of(counter=itertools.count(7, 90).__next__, seconds=1.0)
    [row] = meter.measure([prepared])
    # Read once at the beginning of the second, and after each run but the first.
    assert row == {"energy_mj": 30.0, "energy_mj:int8": 30.0}
    assert meter.record()["energy"].startswith("the processor package's counter")


def zeus(monkeypatch, get_cpus) -> type[Exception]:
    """A stand-in for the optional package, as its own modules are laid out."""
    broken = type("ZeusBaseError", (Exception,), {})
    names = ("zeus", "zeus.device", "zeus.device.cpu", "zeus.exception")
    modules = {name: ModuleType(name) for name in names}
    modules["zeus.device.cpu"].get_cpus = lambda: get_cpus(broken)
    modules["zeus.exception"].ZeusBaseError = broken
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    return broken


def test_the_packages_of_the_processor_are_added_up(monkeypatch):
    packages = [
        SimpleNamespace(get_total_energy_consumption=lambda mj=mj: SimpleNamespace(cpu_mj=mj))
        for mj in (2.0, 5.0)
    ]
    zeus(monkeypatch, lambda broken: SimpleNamespace(cpus=packages))
    read, why = package_counter()
    assert read() == 7.0 and not why


def refuse(broken):
    raise broken("RAPL")


@pytest.mark.parametrize("get_cpus", [refuse, lambda broken: SimpleNamespace(cpus=[])])
def test_a_device_without_a_counter_says_so_and_has_no_column(
    get_cpus, prepared, meter_of, monkeypatch
):
    zeus(monkeypatch, get_cpus)
    meter = meter_of()
    assert meter.measure([prepared]) == [{}]
    assert meter.record() == {"energy": energy._NO_COUNTER}
    assert "not available on this device" in energy._NO_COUNTER


def test_a_missing_package_says_how_to_install_it(prepared, meter_of, monkeypatch):
    monkeypatch.setitem(sys.modules, "zeus", None)
    monkeypatch.setitem(sys.modules, "zeus.device.cpu", None)
    meter = meter_of()
    assert meter.measure([prepared]) == [{}]
    said = meter.record()["energy"]
    assert said.startswith("not available") and "pip install zeus==" in said
