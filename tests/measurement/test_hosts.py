"""Hosts: a process of this machine, and a device behind a real SSH server on it."""

import json
import os
import stat
import sys
from pathlib import Path

import pytest

from foxnas_core.errors import FoxnasError, InvalidInput, MissingPart
from foxnas_core.measurement.campaign import prepare
from foxnas_core.measurement.hosts import DeviceFailed, LocalHost, SshHost, checked_result

from . import sshd


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    # Not skipped without sshd: `make sshd` installs it, as the whole suite's target does.
    with sshd.serve(tmp_path_factory.mktemp("sshd")) as server:
        yield server


@pytest.fixture
def ssh(server, monkeypatch, tmp_path):
    """The server's ssh and scp in front, and a folder of its own for temporary folders there."""
    monkeypatch.setenv("PATH", f"{server.programs}:{os.environ['PATH']}")
    return server


@pytest.fixture(scope="module")
def onnx(tiny_checkpoint, tiny_dataset):
    space = tiny_checkpoint.supernet.space
    return prepare(tiny_checkpoint, space.extreme("smallest"), tiny_dataset.training)


def job_in(folder: Path, prepared, **changes) -> dict:
    (folder / "a.onnx").write_bytes(prepared.onnx)
    size = prepared.subnet.input_shape[-1]
    entry = {"name": "a", "file": "a.onnx", "shape": [1, 1, size, size], "precision": "fp32"}
    return {
        "runtime": "onnxruntime", "models": [entry], "references": {"fp32": entry}, "runs": 20,
        "warm_up_runs": 2, "rounds": 2, "seed": 0, "threads": 1, "settle": 1,
        "looks": 2,
    } | changes  # fmt: skip


def temporary_folders() -> set[Path]:
    return set(Path("/tmp").glob("tmp.*"))


def test_a_python_of_this_machine(onnx, tmp_path):
    result = LocalHost(Path(sys.executable)).run(tmp_path, job_in(tmp_path, onnx))
    assert [(row["model"], row["round"]) for row in result["rows"]] == [("a", 0), ("a", 1)]


def test_a_device_over_ssh_gives_rows_and_keeps_nothing(ssh, onnx, tmp_path):
    before = temporary_folders()
    result = SshHost(sshd.HOST, python=sys.executable).run(tmp_path, job_in(tmp_path, onnx))
    assert [(row["model"], row["round"]) for row in result["rows"]] == [("a", 0), ("a", 1)]
    assert result["settled_ms"]["fp32"] > 0
    assert temporary_folders() <= before


def test_what_a_device_lacks_is_one_sentence_and_cleaned_up(ssh, onnx, tmp_path):
    before = temporary_folders()
    host = SshHost(sshd.HOST, python=sys.executable)
    with pytest.raises(DeviceFailed, match="^openvino is not installed for .*on that device.$"):
        host.run(tmp_path, job_in(tmp_path, onnx, runtime="openvino"))
    with pytest.raises(DeviceFailed, match="^board could not time the models .*no-such-python"):
        SshHost(sshd.HOST, python="no-such-python").run(tmp_path, job_in(tmp_path, onnx))
    assert temporary_folders() <= before


def test_an_unknown_host_key_is_refused(ssh, onnx, tmp_path):
    kept = ssh.known_hosts.read_text()
    ssh.known_hosts.write_text("")
    try:
        with pytest.raises(DeviceFailed, match="^SSH can't reach board .*verification failed"):
            SshHost(sshd.HOST).run(tmp_path, job_in(tmp_path, onnx))
        assert ssh.known_hosts.read_text() == ""
    finally:
        ssh.known_hosts.write_text(kept)


@pytest.mark.parametrize(
    "host",
    ["", "-oProxyCommand=touch", "a b", "a;b", "$(a)", "a\nb", "@a", "a@b@c", "a/b", "a:b", "`a`"],
)
def test_a_host_is_a_name_and_nothing_more(host):
    with pytest.raises(InvalidInput, match="is no host"):
        SshHost(host)


@pytest.mark.parametrize("python", ["", "python3 -c x", "a;b", "-x", "$HOME/x", "a'b"])
def test_a_python_is_a_path_and_nothing_more(python):
    with pytest.raises(InvalidInput, match="is no Python"):
        SshHost("board", python=python)


def test_a_machine_without_ssh_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingPart, match="apt-get install openssh-client"):
        SshHost("board")


@pytest.mark.parametrize("answer", ["", "Welcome!", "/tmp/a b", "/tmp/$(x)", "/tmp/a\\n/tmp/b"])
def test_a_chatty_shell_is_not_taken_for_a_folder(answer, onnx, tmp_path, monkeypatch):
    for name in ("ssh", "scp"):
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\nprintf '{answer}'\n")
        program.chmod(program.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(DeviceFailed, match="answered .* to 'mktemp -d'"):
        SshHost("board").run(tmp_path, job_in(tmp_path, onnx))


ROW = {
    "model": "a", "round": 0, "tenth_ms": 1.0, "minimum_ms": 0.9, "count": 3, "clock_mhz": None,
    "temperature_c": 40.0, "reference_ms": 1.0, "reference_low_ms": 1.0, "reference_high_ms": 1.0,
}  # fmt: skip
GOOD = {"rows": [ROW], "settled_ms": {"fp32": 1.0}, "circumstances": {}}


@pytest.mark.parametrize(
    "result",
    [
        {},
        [],
        {**GOOD, "rows": []},
        {**GOOD, "rows": [{**ROW, "tenth_ms": 0}]},
        {**GOOD, "rows": [{**ROW, "tenth_ms": float("nan")}]},
        {**GOOD, "rows": [{**ROW, "clock_mhz": "fast"}]},
        {**GOOD, "rows": [{**ROW, "model": "b"}]},
        {**GOOD, "settled_ms": None},
        {**GOOD, "circumstances": 3},
    ],
)
def test_what_a_device_writes_is_checked(result):
    job = {"models": [{"name": "a"}], "references": {"fp32": {}}, "rounds": 1, "settle": 1}
    assert checked_result(json.dumps(GOOD), job, "board") == GOOD
    with pytest.raises(FoxnasError, match="^board gave no usable result"):
        checked_result(json.dumps(result), job, "board")
    with pytest.raises(FoxnasError, match="no usable result"):
        checked_result("{", job, "board")
