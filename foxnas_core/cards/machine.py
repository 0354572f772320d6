"""This machine beside the one that a study's latencies are of."""

import pandas as pd

from foxnas_core.cards.analysis import analysis
from foxnas_core.cards.card import Card
from foxnas_core.cards.given import Given
from foxnas_core.cards.verification import can_measure
from foxnas_core.devices.common import latency_columns
from foxnas_core.devices.transfer import LEAST_ROWS, median_error
from foxnas_core.steps.make_device import USUAL, Standing, columns_here, standing
from foxnas_core.table.machine import device_columns, device_name_of


def looked_at(given: Given) -> Standing | None:
    """Whose the cost is where a clock measured it, else the first column that one did; None
    without any."""
    columns = [c for c in latency_columns(given.table) if given.table.known(c)]
    if not columns:
        return None
    cost = given.cost or given.study.cost.column
    return standing(given.table, cost if cost in columns else columns[0])


def is_made(given: Given, seat: Standing) -> bool:
    """Whether this machine's latencies can be calibrated by what was measured on it."""
    columns = device_columns(device_name_of(seat.own)) if seat.own else ()
    return bool(columns) and all(given.table.known(c) >= LEAST_ROWS for c in columns)


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
    if seat.is_here:
        return Card(sentence=seat.sentence(), tone="good")
    if is_made(given, seat):
        return _made(given, seat)
    lacking = can_measure(given)
    return Card(
        sentence=f"{seat.sentence()} "
        + (
            lacking
            or f"{USUAL} of the measured subnets, timed here in fp32 and int8, make it a device of "
            "the study: the predictors are calibrated by them, and every page and command then "
            "takes its latencies by name."
        ),
        tone="info",
        command="" if lacking else f"make-device --study {given.folder}",
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
        said += found.warnings if found.df is not None else ()
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
