"""A new device calibrated from few measurements: the target's, by the device of `against`."""

import numpy as np
import pandas as pd

from foxnas_core.cards.analysis import Options, analysis
from foxnas_core.cards.card import Card
from foxnas_core.cards.devices import columns_of, measure_of, not_measured, where
from foxnas_core.cards.given import Given
from foxnas_core.cards.sharing import shared
from foxnas_core.devices.common import device_of, read_rows
from foxnas_core.devices.curve import TransferCurve, transfer_curve
from foxnas_core.devices.transfer import LEAST_ROWS, source_values, spread_rows, transfer
from foxnas_core.figures import calibration as figures
from foxnas_core.regression import Predictor
from foxnas_core.table.metrics import metric_of

MOST_SHOWN, USUAL = 50, 15


def new_of(given: Given) -> tuple[str, str]:
    """The new device's column and that of the one it is calibrated from: by default those of the
    fewest and of the most rows."""
    counts = {c: len(read_rows(given.table, c)) for c in columns_of(given)}
    new, source = (c if c in counts else None for c in (given.target, given.against))
    new = new or min([c for c in reversed(counts) if c != source], key=counts.__getitem__)
    return new, source or max([c for c in counts if c != new], key=counts.__getitem__)


def shown_rows(given: Given) -> tuple[int, int, int]:
    """Of how many rows of the new device a calibration may read: least, most, usually."""
    rows = len(read_rows(given.table, new_of(given)[0]))
    most = min(MOST_SHOWN, rows)
    return LEAST_ROWS, most, most if rows <= MOST_SHOWN else USUAL


def _calibrated(given: Given, rows: int = 0) -> tuple[Predictor, np.ndarray]:
    """The predictor by so many rows, and the positions of those in the table."""
    new, source = new_of(given)
    known, measured = given.predictor(source), read_rows(given.table, new)
    count = rows or shown_rows(given)[2]
    used = measured[spread_rows(source_values(known, given.table)[measured], count)]
    return transfer(known, table=given.table, target=new, rows=used), used


def _counts(given: Given) -> Options:
    least, most, usual = shown_rows(given)
    counts = {least, 10, 20, usual, most}
    return {"rows": {n: f"{n} rows" for n in sorted(counts) if least <= n <= most}}


@analysis("Devices", "calibrated", "Predicted and measured", where(_calibrated), _counts)
def calibrated(given: Given, *, rows: int = 0) -> Card:
    """A device's predictor from another's and `rows` of its own."""
    (found, used), source = _calibrated(given, rows), device_of(metric_of(new_of(given)[1]))
    name, count = device_of(found.target), len(read_rows(given.table, found.target.column))
    table = figures.calibration_table(found, given.table, used)
    unseen = table[~table["used"]]
    judged = unseen if len(unseen) > 1 else table
    whose = "subnets not used" if judged is unseen else "each row left out in turn"
    errors = figures.calibration_errors(judged)._asdict()
    names = figures.error_names(found.target)
    notes = (
        f"{count} rows have {name}; here it is as if only {len(used)} of them had been measured, "
        "and the others judge the result.",
        f"{count} rows are too few for a fit of {name} of its own, so What-if, Search and Export "
        "use such a calibration from all of them.",
    )
    true = len(used) < count, given.predictor(found.target.column).transferred
    return Card(
        sentence=f"{found.warnings[0]} The {len(used)} rows used are spread evenly over the "
        f"{measure_of(given).word} on {source}; the errors are of {whose}.",
        facts={names[error]: figures.number(value) for error, value in errors.items()}
        | {"Judged by": f"{len(judged)} rows"},
        table=table,
        draw=lambda: figures.calibration_figure(table, found.target),
        cautions=tuple(found.warnings[1:]),
        notes=tuple(note for note, told in zip(notes, true, strict=True) if told),
    )


def errors(given: Given) -> dict[str, str]:
    """The errors that a curve may show, each with what it is called."""
    return figures.error_names(measure_of(given))


def _errors(given: Given) -> Options:
    return {"error": errors(given)}


@shared(spinner="Calibrating from few rows, many times …")
def _course(given: Given, new: str, source: str) -> TransferCurve:
    return transfer_curve(given.predictor(source), table=given.table, target=new)


def _errs(given: Given) -> TransferCurve:
    return _course(given, *new_of(given))


@analysis("Devices", "curve", "Error by the number of rows", where(_errs), _errors)
def curve(given: Given, *, error: str = "rmse", rows: int = 0) -> Card:
    """How many measurements of a new device suffice."""
    found = _errs(given)
    return Card(
        sentence=f"{found.sentence(rows or shown_rows(given)[2])} Random rows, 50 draws of each "
        "number; bands hold 90 % of the draws.",
        table=found.table,
        draw=lambda: figures.curve_figure(found, error),
    )


@analysis("Devices", "terms", "Coefficients when calibrated", where(_calibrated), _counts)
def terms(given: Given, *, rows: int = 0) -> Card:
    found, used = _calibrated(given, rows)
    return Card(
        key="calibrated-terms",
        title=f"Coefficients of the calibrated predictor of {device_of(found.target)}",
        sentence=f"Those of {device_of(metric_of(new_of(given)[1]))}, scaled by {len(used)} rows.",
        table=found.coefficients(),
    )


@analysis("Devices", "to-measure", "Bring in a device of your own", not_measured)
def to_measure(given: Given) -> Card:
    """Which subnets to measure on a device that the table lacks, and how to bring them in."""
    (known, *_), measure, table = columns_of(given), measure_of(given), given.table
    first_of_id = ~table.frame["id"].duplicated().to_numpy()
    rows = spread_rows(np.where(first_of_id, table.values(known), np.nan), USUAL)
    wanted = table.frame.iloc[rows][["id", *table.space.by_name]]
    return Card(
        sentence=f"Measure these {len(rows)} subnets on it, fill in the last column (rename it to "
        f"{measure.column}:NAME) and import the file with 'python -m foxnas_core import FILE "
        f"--study {given.folder}', or on the page Studies. They are spread evenly over the "
        f"{measure.word} on {device_of(metric_of(known))}; 10 to 20 will do.",
        table=pd.DataFrame(wanted).assign(**{f"{measure.column}:NEW": ""}),
    )
