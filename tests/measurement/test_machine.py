import os

import pytest

from foxnas_core.measurement.machine import clock_mhz, governor, one_core

LINUX = pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no such call here")


@LINUX
def test_a_thread_is_held_to_one_core_and_let_go():
    before = os.sched_getaffinity(0)
    with pytest.raises(KeyError), one_core() as held:
        assert held is True and len(os.sched_getaffinity(0)) == 1
        assert os.sched_getaffinity(0) <= before
        raise KeyError
    assert os.sched_getaffinity(0) == before


@LINUX
def test_a_refusal_is_said_and_nothing_is_changed(monkeypatch):
    def refuse(*_):
        raise PermissionError

    before = os.sched_getaffinity(0)
    monkeypatch.setattr(os, "sched_setaffinity", refuse)
    with one_core() as held:
        assert held is False
    assert os.sched_getaffinity(0) == before


def test_a_system_without_the_call_says_nothing(monkeypatch):
    monkeypatch.delattr(os, "sched_setaffinity", raising=False)
    with one_core() as held:
        assert held is None


def test_governor_and_clock_are_read_where_the_system_tells_them(tmp_path):
    assert governor(tmp_path) is None and clock_mhz(tmp_path) is None
    for core in range(os.cpu_count() or 1):
        folder = tmp_path / f"cpu{core}" / "cpufreq"
        folder.mkdir(parents=True)
        (folder / "scaling_governor").write_text("performance\n")
        (folder / "scaling_cur_freq").write_text("2400000\n")
    assert governor(tmp_path) == "performance" and clock_mhz(tmp_path) == 2400.0
    for path in tmp_path.glob("*/cpufreq/scaling_cur_freq"):
        path.write_text("<unknown>\n")
    assert clock_mhz(tmp_path) is None
