"""Which columns a machine's measurements go to, and the sentence where those are another one's."""

import shlex
from collections.abc import Sequence

from foxnas_core.errors import InvalidInput
from foxnas_core.files import typed
from foxnas_core.measurement.here import machine_here
from foxnas_core.study import Study
from foxnas_core.table.machine import (
    Machine,
    device_columns,
    device_name_of,
    free_name,
    machine_of,
    own_columns,
)
from foxnas_core.table.metrics import metric_of

AUTO = "auto"
"""As the name of a device: the columns that it has, else new ones called after it."""
USUAL = 24
"""How many rows a machine's new columns begin with, by default: so many calibrate the predictors of
another machine's."""


class OtherMachine(InvalidInput):
    """Latencies of one machine may not join those of another."""


def columns_of(
    study: Study,
    machine: Machine,
    *,
    device: str | None = None,
    targets: Sequence[str] = (),
    spec: str = "onnxruntime",
    usual: tuple[str, str] = device_columns(None),
) -> tuple[str, str] | None:
    """The latency columns in fp32 and int8 that what a machine measures goes to.

    They are those of `device` where that is named, whose imported values are then taken to be this
    machine's, as nobody recorded theirs; else those of `targets`, which the measurements
    are to tell of; else those that the machine has; else the `usual` ones. None where these are
    another's, and the targets, such as MACs, are the same on any machine. Raises `OtherMachine`
    where what they come to is of another machine; `spec` is what the machine was asked for as.
    """
    table = study.table()
    asked = [t for t in targets if metric_of(t).suffix == "DEVICE" and table.known(t)]
    own, taken = own_columns(table, machine), any(map(table.known, usual))
    if device not in (None, AUTO):
        columns = device_columns(device)
    elif asked:
        columns = device_columns(device_name_of(asked[0]))
    elif own is not None or not taken:
        columns = own or usual
    elif device == AUTO:
        columns = device_columns(free_name(table, machine))
    elif targets:
        return None
    else:
        columns = usual
    for measured in (table, study.optima()):
        for column in dict.fromkeys([*columns, *asked]):
            other = machine_of(measured, column) or Machine()
            strange = other.known or (measured.known(column) and device in (None, AUTO))
            if strange and not other.same_as(machine):
                raise OtherMachine(_refusal(study, column, other, machine, spec))
    return columns


def timed_here(study: Study, *, targets: Sequence[str] = ()) -> tuple[str, str] | None:
    """`columns_of` this machine in ONNX Runtime."""
    return columns_of(study, machine_here(), targets=targets)


def _refusal(study: Study, column: str, other: Machine, machine: Machine, spec: str) -> str:
    """That a column is of another machine, and which one to take or how to open one."""
    own = own_columns(study.table(), machine)
    told = f"{column} is of {other.name}, and this is {machine.name}"
    if own is not None:
        return f"{told}, whose latencies are in {own[0]} and {own[1]}; name those."
    return f"{told}; open columns of its own with '{opening(study, machine, spec)}'."


def opening(study: Study, machine: Machine, spec: str = "onnxruntime") -> str:
    """The command that opens columns of a machine's own, of enough rows to calibrate by."""
    folder = typed(study.folder)
    if spec == "onnxruntime":
        return f"python -m foxnas_core make-device --study {folder} --count {USUAL}"
    return (
        f"python -m foxnas_core measure --study {folder} --device {shlex.quote(spec)} "
        f"--device-name {free_name(study.table(), machine)} --count {USUAL}"
    )
