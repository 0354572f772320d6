"""This machine beside the one that a study's latencies are of."""

import importlib.util

import pandas as pd

from foxnas_core.cards.analysis import analysis
from foxnas_core.cards.card import Card
from foxnas_core.cards.given import Given
from foxnas_core.devices.common import latency_columns
from foxnas_core.devices.transfer import median_error
from foxnas_core.steps.make_device import (
    USUAL,
    Standing,
    columns_here,
    made_columns,
    standing,
    timed_columns,
)
from foxnas_core.table.machine import device_columns


def looked_at(given: Given) -> Standing | None:
    """Whose the cost is where a clock measured it, else the first column that one did; None
    without any."""
    columns = [c for c in latency_columns(given.table) if given.table.known(c)]
    if not columns:
        return None
    cost = given.cost or given.study.cost.column
    return standing(given.table, cost if cost in columns else columns[0])


def can_measure(given: Given) -> str | None:
    """What keeps this study from measuring, and how to get it."""
    train = "train a supernet with 'python -m foxnas_core train', which stores both"
    if not given.study.checkpoint_file.exists():
        return (
            "This study has no supernet weights, so nothing can be measured here; "
            f"{train}, or copy yours to supernet.safetensors. What is claimed can be read all the "
            "same."
        )
    if not given.study.images_file.exists():
        return given.study.no_images("on which subnets are recalibrated and scored")
    if not all(map(importlib.util.find_spec, ("torch", "onnxruntime"))):
        return (
            "torch and onnxruntime, which measuring needs, are not installed; run 'pip install -r "
            "requirements.txt' and start the app again."
        )
    return None


_HOW = (
    f"{USUAL} of the measured subnets, timed here in fp32 and int8, make it a device of the study: "
    "the predictors are calibrated by them, and every page and command then takes its latencies by "
    "name."
)


def _nothing_timed(given: Given) -> str | None:
    if looked_at(given) is None:
        return (
            "This study has no latency yet; measure subnets with 'python -m foxnas_core measure' "
            "or import a table with a column latency_ms."
        )
    return None


@analysis("Devices", "this-machine", "This machine", _nothing_timed)
def this_machine(given: Given) -> Card:
    """Whose latencies are read, whether they hold on this machine, and what makes them."""
    seat = looked_at(given)
    assert seat is not None
    if made_columns(given.table) not in (None, device_columns(None)):
        return _made(given, seat)
    if seat.is_here:
        return Card(sentence=seat.sentence(), tone="good")
    lacking, command = can_measure(given), f"make-device --study {given.folder}"
    return Card(
        sentence=f"{seat.sentence()} {lacking or _HOW}",
        tone="info",
        command="" if lacking else command,
    )


def _made(given: Given, seat: Standing) -> Card:
    columns = columns_here(given.table)
    rows, said = [], list[str]()
    for column in columns:
        found = given.predictor(column)
        rows.append(
            {
                "latency": column,
                "rows": found.rows,
                "median error (%)": 100 * median_error(found, given.table),
                "RMSE": found.cv.rmse,
                "tau": found.cv.tau,
            }
        )
        said += found.warnings if found.transferred else ()
    table = pd.DataFrame(rows)
    errors = dict(zip(("fp32", "int8"), table["median error (%)"], strict=True))
    return Card(
        sentence=f"This machine is {seat.here.short}, and a device of this study: take "
        f"{' or '.join(columns)} as the cost on any page. Errors are of rows left out in turn.",
        tone="good",
        facts={f"Median error in {name}": f"{error:.1f} %" for name, error in errors.items()},
        points=tuple(said),
        table=table,
    )


def _nothing_claimed(given: Given) -> str | None:
    columns = [c for c in timed_columns(given.table) if given.table.known(c)]
    return None if columns else "No latency is claimed, as the table has none of this machine."


@analysis("Verify", "machine", "Whose latencies are claimed", _nothing_claimed)
def claimed(given: Given) -> Card:
    """Whose latencies the claims are of, whether they can be tested on this machine, and what to do
    where they can't."""
    column = next(c for c in timed_columns(given.table) if given.table.known(c))
    seat = standing(given.table, column)
    if seat.is_here:
        return Card(sentence=f"{seat.sentence()} What is measured of them counts.", tone="good")
    word = given.study.objective.word
    return Card(
        sentence=f"{seat.sentence()} What is measured of them is shown, but does not count; what "
        f"is measured of the {word} does. {can_measure(given) or _HOW}",
        tone="warning",
        command="" if can_measure(given) else f"make-device --study {given.folder}",
    )
