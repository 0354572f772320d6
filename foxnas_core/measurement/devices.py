"""Devices by what the command line calls them: `onnxruntime`, `openvino`, `executorch`, `litert`,
`ssh:HOST`, `ssh:HOST/RUNTIME`, `adb:SERIAL`."""

import re
from dataclasses import dataclass

from foxnas_core.errors import InvalidInput
from foxnas_core.measurement.environments import RUNTIMES, Runtime
from foxnas_core.table.machine import device_columns, device_name_of

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True)
class Device:
    """What a specification stands for: the runtime and, where columns are named after it, the
    device's name; `scheme` is "local", "ssh" or "adb", `address` the host or the serial."""

    scheme: str
    address: str
    runtime: Runtime
    name: str | None

    @property
    def columns(self) -> tuple[str, str]:
        """The fp32 and the int8 column."""
        return device_columns(self.name)


def device_of(spec: str, name: str | None = None) -> Device:
    """The device of a specification, its columns called `name` where given.

    Raises `InvalidInput` naming what is allowed.
    """
    scheme, colon, address = spec.partition(":")
    if not colon and scheme in RUNTIMES:
        own = None if scheme == "onnxruntime" else scheme
        return Device("local", "", RUNTIMES[scheme], _checked(name) or own)
    if scheme == "ssh" and address:
        host, slash, runtime = address.partition("/")
        if slash and runtime not in RUNTIMES:
            raise InvalidInput(
                f"{runtime!r} is no runtime; ssh:HOST/RUNTIME takes {', '.join(RUNTIMES)}."
            )
        plain = host.rpartition("@")[2]
        called = f"{plain}-{runtime}" if slash else plain
        return Device(
            "ssh", host, RUNTIMES[runtime or "onnxruntime"], _checked(name) or _checked(called)
        )
    if scheme == "adb" and address:
        return Device(
            "adb", address, RUNTIMES["litert"], _checked(name) or _checked(_plain(address))
        )
    raise InvalidInput(
        f"{spec!r} is no device; give {', '.join(RUNTIMES)}, ssh:HOST, ssh:HOST/RUNTIME or "
        "adb:SERIAL, or import a table of another device (import --join)."
    )


def _checked(name: str | None) -> str | None:
    if name is not None and (not _NAME.fullmatch(name) or device_name_of(f":{name}") != name):
        raise InvalidInput(
            f"{name!r} can't name a device's columns; take letters, digits, dots, hyphens and "
            "underscores, and no int8 at the end."
        )
    return name


def _plain(serial: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]", "-", serial)
