"""The same subnets on two devices: what costs more on one than on the other, which subnets swap
their order, and a new device that is calibrated from few measurements.

Compared are the devices of the cost and of `against`; a new device is the target's, and what it is
calibrated from the one of `against`.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from foxnas_core.cards.analysis import Options, analysis
from foxnas_core.cards.card import Card
from foxnas_core.cards.given import Given
from foxnas_core.devices.common import architectures_of, device_columns, device_of, read_rows
from foxnas_core.devices.comparison import UNITS
from foxnas_core.devices.transfer import LEAST_ROWS, source_values, spread_rows, transfer
from foxnas_core.errors import FoxnasError
from foxnas_core.figures import calibration
from foxnas_core.figures import devices as figures
from foxnas_core.figures.coefficients import heatmap_figure, interval_figure
from foxnas_core.regression import Predictor
from foxnas_core.space.architecture import Architecture
from foxnas_core.table.metrics import Metric, metric_of

MOST_SHOWN, USUAL = 50, 15
_ADJUSTED = 0.05


def columns_of(given: Given) -> list[str]:
    """The columns of the devices."""
    return device_columns(given.table, given.study.cost)


def _measure(given: Given) -> Metric:
    """What is compared, without a device."""
    return metric_of(metric_of(columns_of(given)[0]).head)


def not_measured(given: Given) -> str | None:
    """Why there is no device to speak of."""
    if columns_of(given) and len(given.table):
        return None
    cost = given.study.cost
    measure = metric_of(cost.head if cost.suffix == "DEVICE" else "latency_ms")
    return (
        f"This study has no measured {measure.word} yet; measure subnets with 'python -m "
        f"foxnas_core measure' or import a table with a column {measure.column}."
    )


def one_device(given: Given) -> str | None:
    """Why there is nothing to compare."""
    columns, lacking = columns_of(given), not_measured(given)
    if lacking or len(columns) > 1:
        return lacking
    measure = _measure(given)
    return (
        f"This study has one {measure.word} column, {columns[0]}, so there is nothing to compare; "
        "measure some of its subnets on another device, or import a table with a column "
        f"{measure.column}:NAME."
    )


def _where(made: Callable[[Given], Any]) -> Callable[[Given], str | None]:
    """Nothing lacks where there are two devices; raises what keeps something from being made."""

    def lacks(given: Given) -> str | None:
        sentence = one_device(given)
        if sentence is None:
            made(given)
        return sentence

    return lacks


def pair_of(given: Given) -> tuple[str, str]:
    """The columns of the two devices, which by default are the first ones."""
    columns = columns_of(given)
    first = given.cost if given.cost in columns else next(c for c in columns if c != given.against)
    second = given.against if given.against in columns else None
    return first, second or next(c for c in columns if c != first)


# Which subnets swap their order

_ordered = _where(lambda given: given.reversals(*pair_of(given)))


@analysis("Devices", "subnets", "Measured subnets on both devices", _ordered)
def subnets(given: Given) -> Card:
    """How far one device's order can be trusted on another."""
    found = given.reversals(*pair_of(given))
    part = f"A random sample of {found.rows:,} of the {found.available:,} subnets."
    return Card(
        sentence=found.sentence(),
        table=found.subnets,
        draw=lambda: figures.subnet_figure(found),
        notes=(
            "Each point is a subnet, redder the more of its pairs swap. A line that falls joins a "
            f"pair of which one is {found.first.better} on {found.names[0]}, the other on "
            f"{found.names[1]}.",
            *([part] if found.rows < found.available else []),
        ),
    )


@analysis("Devices", "map", "Rank-reversal map", _ordered)
def reversal_map(given: Given) -> Card:
    found = given.reversals(*pair_of(given))
    return Card(
        sentence=f"Equal shares of the subnets by their {_measure(given).word} on "
        f"{found.names[0]}: the share (%) of pairs whose order turns round on {found.names[1]}. 50 "
        "would be a coin's toss.",
        table=found.grid,
        draw=lambda: figures.map_figure(found),
    )


@analysis("Devices", "gaps", "How far apart is far enough", _ordered)
def gaps(given: Given) -> Card:
    found = given.reversals(*pair_of(given))
    table = figures.gap_table(found)
    return Card(
        sentence=found.gap_sentence(),
        table=table,
        draw=lambda: figures.gap_figure(table, found),
    )


@analysis("Devices", "pairs", "The clearest reversed pairs", _ordered)
def pairs(given: Given) -> Card:
    found, fits = given.reversals(*pair_of(given)), None
    if not len(found.pairs):
        said = "No pair swaps its order by more than the noise of measurement."
        return Card(sentence=said, tone="info")
    try:
        fits = given.device_fits(*pair_of(given))
        notes = []
    except FoxnasError:
        notes = ["Without a fit of both devices the list does not say which blocks are behind."]
    return Card(
        sentence="Those that swap by the largest margin on both devices, each subnet twice at "
        "most. Margin: the smaller of the two devices' differences.",
        table=figures.pair_table(found, given.table, fits),
        notes=tuple(notes),
    )


def pairs_of(given: Given) -> dict[int, str]:
    """The clearest pairs by their number: from the one that is better on the first device."""
    found = given.reversals(*pair_of(given)).pairs
    ends = zip(found["quick_first"], found["quick_second"], strict=True)
    return dict(enumerate(f"{one} → {other}" for one, other in ends))


def ends_of(given: Given, pair: int) -> list[Architecture]:
    """The two subnets of one of `pairs_of`."""
    row = given.reversals(*pair_of(given)).pairs.iloc[pair]
    return architectures_of(given.table, row[["quick_first", "quick_second"]])


def _no_steps(given: Given) -> str | None:
    sentence = _where(lambda own: own.device_fits(*pair_of(own)))(given)
    return sentence or (None if pairs_of(given) else "No pair swaps its order beyond noise.")


def _pairs(given: Given) -> Options:
    return {"pair": pairs_of(given)}


@analysis("Devices", "steps", "What makes the devices disagree", _no_steps, _pairs)
def steps(given: Given, *, pair: int = 0) -> Card:
    """What each block adds or takes on either device between the subnets of a pair."""
    columns = pair_of(given)
    found = given.reversals(*columns)
    table = figures.step_table(given.device_fits(*columns), *ends_of(given, pair))
    better, (one, other) = found.first.better, found.names
    return Card(
        sentence=f"From the subnet that is {better} on {one} to the one that is {better} on "
        f"{other}: {found.pairs['differs'].iloc[pair]}. What each block adds or takes on either "
        "device, by the regressions; the blocks that the devices disagree about most come first.",
        table=table,
        draw=lambda: figures.step_figure(table, list(zip(found.names, columns, strict=True))),
    )


# What costs more


def _compared(given: Given) -> str | None:
    try:
        return _where(lambda own: own.device_comparison(*pair_of(own)))(given)
    except FoxnasError as error:
        return f"Both devices need a fit of their own on the same subnets. {error}"


def units(given: Given) -> dict[str, str]:
    """The units that effects may be compared in, each with what it is called."""
    measure = _measure(given)
    own, percent = UNITS
    return {percent: f"percent of the mean {measure.word}", own: measure.unit or measure.word}


def _units(given: Given) -> Options:
    return {"unit": units(given)}


@analysis("Devices", "difference", "The largest differences", _compared, _units)
def difference(given: Given, *, unit: str = "percent") -> Card:
    """What costs more on one device than on the other."""
    found, measure = given.device_comparison(*pair_of(given)), _measure(given)
    (one, other), slower = found.names, f"a device that is {measure.worse} throughout"
    means = [f"{calibration.number(mean)} {measure.unit}".strip() for mean in found.means]
    heatmaps = figures.difference_heatmaps(found, unit)
    said = found.sentences(unit)
    none = "" if said else " No choice differs beyond the uncertainty of the fits."
    reading = (
        f"{other} less {one}: orange where {other} pays more for it, blue where it pays less. "
        "Numbers in parentheses: the 95 % interval spans 0."
    )
    return Card(
        sentence=f"{found.rows:,} subnets measured on both; their mean {measure.word} is "
        f"{means[0]} on {one} and {means[1]} on {other}. "
        + (
            f"In percent of its own mean, {slower} counts as equal.{none}"
            if unit == "percent"
            else f"In {units(given)[unit]}, {slower} differs in every choice.{none}"
        ),
        points=tuple(said),
        table=found.effects(unit) if heatmaps else pd.DataFrame(),
        draw=(lambda: heatmap_figure(heatmaps)) if heatmaps else None,
        notes=(reading,) if heatmaps else (),
    )


@analysis("Devices", "blocks", "Which blocks differ", _compared, _units)
def blocks(given: Given, *, unit: str = "percent") -> Card:
    found = given.device_comparison(*pair_of(given))
    table = figures.block_table(found, unit)
    differ = int((found.blocks[f"adjusted_{unit}"] < _ADJUSTED).sum())
    what = f"the same share of the mean {_measure(given).word} on both"
    return Card(
        sentence="Wald test that all terms of a block are "
        f"{what if unit == 'percent' else 'equal on both devices'}; p is adjusted for the number "
        f"of blocks (Benjamini-Hochberg). {differ} of {len(table)} differ at 5 %.",
        table=table,
    )


@analysis("Devices", "effects", "Every choice on both devices", _compared, _units)
def effects(given: Given, *, unit: str = "percent") -> Card:
    found = given.device_comparison(*pair_of(given))
    table = figures.effect_table(found, unit)
    share = f", in percent of each device's mean {_measure(given).word},"
    return Card(
        sentence=f"Mean change against the first choice{share if unit == 'percent' else ''} and "
        "the difference of the two, with 95 % confidence intervals. That of the difference takes "
        "into account that both fits read the same subnets. Hollow where it spans 0.",
        table=table,
        draw=lambda: interval_figure(table, figures.effect_targets(found, unit)),
    )


# A new device


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


@analysis("Devices", "calibrated", "Predicted and measured", _where(_calibrated), _counts)
def calibrated(given: Given, *, rows: int = 0) -> Card:
    """A device's predictor from another's and `rows` of its own."""
    (found, used), source = _calibrated(given, rows), device_of(metric_of(new_of(given)[1]))
    name, count = device_of(found.target), len(read_rows(given.table, found.target.column))
    table = calibration.calibration_table(found, given.table, used)
    unseen = table[~table["used"]]
    judged = unseen if len(unseen) > 1 else table
    whose = "subnets not used" if judged is unseen else "each row left out in turn"
    errors = calibration.calibration_errors(judged)._asdict()
    names = calibration.error_names(found.target)
    notes = (
        f"{count} rows have {name}; here it is as if only {len(used)} of them had been measured, "
        "and the others judge the result.",
        f"{count} rows are too few for a fit of {name} of its own, so What-if, Search and Export "
        "use such a calibration from all of them.",
    )
    true = len(used) < count, given.predictor(found.target.column).df is not None
    return Card(
        sentence=f"{found.warnings[0]} The {len(used)} rows used are spread evenly over the "
        f"{_measure(given).word} on {source}; the errors are of {whose}.",
        facts={names[error]: calibration.number(value) for error, value in errors.items()}
        | {"Judged by": f"{len(judged)} rows"},
        table=table,
        draw=lambda: calibration.calibration_figure(table, found.target),
        cautions=tuple(found.warnings[1:]),
        notes=tuple(note for note, told in zip(notes, true, strict=True) if told),
    )


def errors(given: Given) -> dict[str, str]:
    """The errors that a curve may show, each with what it is called."""
    return calibration.error_names(_measure(given))


def _errors(given: Given) -> Options:
    return {"error": errors(given)}


_courses = _where(lambda given: given.transfer_curve(*reversed(new_of(given))))


@analysis("Devices", "curve", "Error by the number of rows", _courses, _errors)
def curve(given: Given, *, error: str = "rmse", rows: int = 0) -> Card:
    """How many measurements of a new device suffice."""
    found = given.transfer_curve(*reversed(new_of(given)))
    return Card(
        sentence=f"{found.sentence(rows or shown_rows(given)[2])} Random rows, 50 draws of each "
        "number; bands hold 90 % of the draws.",
        table=found.table,
        draw=lambda: calibration.curve_figure(found, error),
    )


@analysis("Devices", "terms", "Coefficients when calibrated", _where(_calibrated), _counts)
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
    (known, *_), measure, table = columns_of(given), _measure(given), given.table
    first_of_id = ~table.frame["id"].duplicated().to_numpy()
    rows = spread_rows(np.where(first_of_id, table.values(known), np.nan), USUAL)
    wanted = table.frame.iloc[rows][["id", *table.space.by_name]]
    return Card(
        sentence=f"Measure these {len(rows)} subnets on it, fill in the last column (rename it to "
        f"{measure.column}:NAME) and import the file with 'python -m foxnas_core import FILE "
        f"--study {given.folder}', or on the page Import. They are spread evenly over the "
        f"{measure.word} on {device_of(metric_of(known))}; 10 to 20 will do.",
        table=pd.DataFrame(wanted).assign(**{f"{measure.column}:NEW": ""}),
    )
