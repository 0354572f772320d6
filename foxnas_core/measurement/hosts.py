"""Where a runner's job is run: a Python of this machine, or one that SSH reaches."""

import json
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from foxnas_core.errors import FoxnasError, InvalidInput, MissingPart
from foxnas_core.measurement import runner
from foxnas_core.measurement.runtimes import last_line

RUNNER = Path(runner.__file__)
_HOST = re.compile(r"(?:[A-Za-z_][A-Za-z0-9_.-]{0,63}@)?[A-Za-z0-9][A-Za-z0-9_.-]{0,252}")
_PYTHON = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./+-]*")
_FOLDER = re.compile(r"/[A-Za-z0-9_./-]+")
_CONNECT_SECONDS = 15


class DeviceFailed(FoxnasError):
    """A device could not be reached, or did not do what it was asked."""


class Host(Protocol):
    """Runs jobs of `runner`."""

    def run(self, folder: Path, job: Mapping[str, Any]) -> dict[str, Any]:
        """The result of the job, whose files lie in `folder`; raises `DeviceFailed`."""


class LocalHost:
    """A Python of this machine, in a process of its own."""

    def __init__(self, python: Path) -> None:
        self._python = python

    def run(self, folder: Path, job: Mapping[str, Any]) -> dict[str, Any]:
        (folder / "job.json").write_text(json.dumps(job))
        done = subprocess.run(
            [str(self._python), str(RUNNER), str(folder)], capture_output=True, text=True
        )
        if done.returncode:
            raise DeviceFailed(_of_runner(done.stderr, str(self._python)))
        return checked_result((folder / "rows.json").read_text(), job, str(self._python))


class SshHost:
    """A device that the system's own ssh and scp reach, by a name of the user's configuration.

    Keys, ports and jumps are the configuration's, and host keys are checked as it says; nothing is
    ever asked (BatchMode). The runner and the models go to a temporary folder there, which is
    removed whatever happens. Raises `InvalidInput` for names that could be taken for more than
    names, and `MissingPart` without an SSH client.
    """

    def __init__(self, host: str, *, python: str = "python3") -> None:
        if not _HOST.fullmatch(host):
            raise InvalidInput(
                f"{host!r} is no host; give HOST or USER@HOST of letters, digits, dots, hyphens "
                "and underscores, and put ports and the like into ~/.ssh/config."
            )
        if not _PYTHON.fullmatch(python):
            raise InvalidInput(
                f"{python!r} is no Python; give its name or path, without spaces and quotes."
            )
        for program in ("ssh", "scp"):
            if shutil.which(program) is None:
                raise MissingPart(
                    f"There is no {program} on this machine; install one with 'apt-get install "
                    "openssh-client'."
                )
        self._host, self._python = host, python

    def run(self, folder: Path, job: Mapping[str, Any]) -> dict[str, Any]:
        (folder / "job.json").write_text(json.dumps(job))
        names = {entry["file"] for entry in [*job["models"], *job["references"].values()]}
        files = [folder / name for name in [*sorted(names), "job.json"]]
        remote = self._ssh("mktemp -d").strip()
        # It goes into further command lines, so it must be a plain path.
        if not _FOLDER.fullmatch(remote):
            raise DeviceFailed(
                f"{self._host} answered {remote[:80]!r} to 'mktemp -d'; let its shell print "
                "nothing of its own when it isn't interactive."
            )
        try:
            self._scp([str(RUNNER), *map(str, files)], f"{self._host}:{remote}/")
            self._ssh(f"{self._python} {remote}/{RUNNER.name} {remote}")
            self._scp([f"{self._host}:{remote}/rows.json"], str(folder))
        finally:
            self._ssh(f"rm -rf {remote}", check=False)
        return checked_result((folder / "rows.json").read_text(), job, self._host)

    def _ssh(self, command: str, *, check: bool = True) -> str:
        done = self._client(["ssh", *_OPTIONS, "--", self._host, command])
        if done.returncode and check:
            raise DeviceFailed(
                _unreachable(self._host, done.stderr)
                if done.returncode == 255
                else _of_runner(done.stderr, self._host)
            )
        return done.stdout

    def _scp(self, sources: Sequence[str], target: str) -> None:
        done = self._client(["scp", "-q", *_OPTIONS, "--", *sources, target])
        if done.returncode:
            raise DeviceFailed(_unreachable(self._host, done.stderr))

    def _client(self, command: list[str]) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)


_OPTIONS = (
    "-o", "BatchMode=yes", "-o", f"ConnectTimeout={_CONNECT_SECONDS}",
    # A device that goes away while it measures is noticed within a minute.
    "-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=4",
)  # fmt: skip


def checked_result(text: str, job: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The result that a device wrote; raises `DeviceFailed` where it isn't one of this job."""
    try:
        result = json.loads(text)
        rows = result["rows"]
        for row in rows:
            for name in ("tenth_ms", "minimum_ms", "reference_ms"):
                if not 0 < float(row[name]) < float("inf"):
                    raise ValueError(f"{name} is {row[name]}")
            for name in ("reference_low_ms", "reference_high_ms", "clock_mhz", "temperature_c"):
                if not isinstance(row[name], (float, int, type(None))):
                    raise ValueError(f"{name} is no number")
        refused = {str(name): str(why) for name, why in result.get("refused", {}).items()}
        expected = {
            (m["name"], r)
            for m in job["models"]
            for r in range(job["rounds"])
            if m["name"] not in refused
        }
        if {(row["model"], row["round"]) for row in rows} != expected:
            raise ValueError("rows are missing")
        if not isinstance(result["circumstances"], dict):
            raise ValueError("it has no circumstances")
        settled = result["settled_ms"]
        if job["settle"] and not all(float(settled[name]) > 0 for name in job["references"]):
            raise ValueError("the reference took no time")
    except (ValueError, KeyError, TypeError) as error:
        raise DeviceFailed(
            f"{where} gave no usable result ({error}); measure again, and keep the device free of "
            "other work."
        ) from error
    return result


def _of_runner(stderr: str, where: str) -> str:
    last = last_line(stderr)
    if " is not installed for " in last:  # already a whole sentence
        return last + "."
    return f"{where} could not time the models ({last}); see docs/devices.md for what it needs."


def _unreachable(host: str, stderr: str) -> str:
    return (
        f"SSH can't reach {host} ({last_line(stderr)}); try 'ssh -o BatchMode=yes {host}' until "
        "it logs in without a question."
    )
