"""The same subnets on two devices: what costs more on one than on the other, which subnets swap
their order. Compared are the devices of the cost and of `against`.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pandas as pd

from foxnas_core.cards.analysis import Options, analysis
from foxnas_core.cards.card import Card
from foxnas_core.cards.coefficients import OVER_CONTEXTS, repeated
from foxnas_core.cards.given import Given
from foxnas_core.cards.sharing import shared
from foxnas_core.devices.common import architectures_of, device_columns, device_of, fit_pair
from foxnas_core.devices.comparison import UNITS, DeviceComparison, compare_devices
from foxnas_core.devices.reversals import RankReversals, rank_reversals
from foxnas_core.errors import FoxnasError
from foxnas_core.figures import devices as figures
from foxnas_core.figures.calibration import number
from foxnas_core.figures.coefficients import heatmap_figure, interval_figure
from foxnas_core.regression import Predictor
from foxnas_core.space.architecture import Architecture
from foxnas_core.table.metrics import Metric, metric_of

_ADJUSTED = 0.05


def columns_of(given: Given) -> list[str]:
    """The columns of the devices."""
    return device_columns(given.table, given.study.cost)


def measure_of(given: Given) -> Metric:
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
    measure = measure_of(given)
    return (
        f"This study has one {measure.word} column, {columns[0]}, so there is nothing to compare; "
        "measure some of its subnets on another device, or import a table with a column "
        f"{measure.column}:NAME."
    )


def where(made: Callable[[Given], Any]) -> Callable[[Given], str | None]:
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


def names_of(given: Given) -> tuple[str, ...]:
    """What the two devices are called."""
    return tuple(device_of(metric_of(column)) for column in pair_of(given))


@shared(spinner="Fitting both devices …")
def _fits(given: Given, first: str, second: str) -> tuple[Predictor, Predictor]:
    return fit_pair(given.table, first, second)


# Which subnets swap their order


@shared(spinner="Comparing every pair of subnets …")
def _reversals(given: Given, first: str, second: str) -> RankReversals:
    residual_sds = None
    with suppress(FoxnasError):  # the measurements' own noise needs no fit
        one, other = _fits(given, first, second)
        residual_sds = one.residual_variance**0.5, other.residual_variance**0.5
    return rank_reversals(given.table, first, second, residual_sds=residual_sds)


def _swapped(given: Given) -> RankReversals:
    return _reversals(given, *pair_of(given))


_ordered = where(_swapped)


@analysis("Devices", "subnets", "Measured subnets on both devices", _ordered)
def subnets(given: Given) -> Card:
    """How far one device's order can be trusted on another."""
    found = _swapped(given)
    part = f"A random sample of {found.rows:,} of the {found.available:,} subnets."
    return Card(
        sentence=found.sentence(),
        table=found.subnets,
        draw=lambda: figures.subnet_figure(found),
        cautions=tuple(
            finding.sentence
            for finding in given.findings()
            if finding.code == "multiples" and set(finding.columns) & set(columns_of(given))
        ),
        notes=(
            "Each point is a subnet, the more orange, the more of its pairs swap. A line that "
            f"falls joins a pair of which one is {found.first.better} on {found.names[0]}, "
            f"the other on {found.names[1]}.",
            *([part] if found.rows < found.available else []),
        ),
    )


@analysis("Devices", "map", "Rank-reversal map", _ordered)
def reversal_map(given: Given) -> Card:
    found = _swapped(given)
    return Card(
        sentence=f"Equal shares of the subnets by their {measure_of(given).word} on "
        f"{found.names[0]}: the share (%) of pairs whose order turns round on {found.names[1]}. 50 "
        "would be a coin's toss.",
        table=found.grid,
        draw=lambda: figures.map_figure(found),
    )


@analysis("Devices", "gaps", "How far apart is far enough", _ordered)
def gaps(given: Given) -> Card:
    found = _swapped(given)
    table = figures.gap_table(found)
    return Card(
        sentence=found.gap_sentence(),
        table=table,
        draw=lambda: figures.gap_figure(table, found),
    )


@analysis("Devices", "pairs", "The clearest reversed pairs", _ordered)
def pairs(given: Given) -> Card:
    found, fits = _swapped(given), None
    if not len(found.pairs):
        said = "No pair swaps its order by more than the noise of measurement."
        return Card(sentence=said, tone="info")
    try:
        fits = _fits(given, *pair_of(given))
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
    found = _swapped(given).pairs
    ends = zip(found["quick_first"], found["quick_second"], strict=True)
    return dict(enumerate(f"{one} → {other}" for one, other in ends))


def ends_of(given: Given, pair: int) -> list[Architecture]:
    """The two subnets of one of `pairs_of`."""
    row = _swapped(given).pairs.iloc[pair]
    return architectures_of(given.table, row[["quick_first", "quick_second"]])


def _no_steps(given: Given) -> str | None:
    sentence = where(lambda own: _fits(own, *pair_of(own)))(given)
    return sentence or (None if pairs_of(given) else "No pair swaps its order beyond noise.")


def _pairs(given: Given) -> Options:
    return {"pair": pairs_of(given)}


@analysis("Devices", "steps", "What makes the devices disagree", _no_steps, _pairs)
def steps(given: Given, *, pair: int = 0) -> Card:
    """What each block adds or takes on either device between the subnets of a pair."""
    columns = pair_of(given)
    found = _swapped(given)
    table = figures.step_table(_fits(given, *columns), *ends_of(given, pair))
    better, (one, other) = found.first.better, found.names
    return Card(
        sentence=f"From the subnet that is {better} on {one} to the one that is {better} on "
        f"{other}: {found.pairs['differs'].iloc[pair]}. What each block adds or takes on either "
        "device, by the regressions; the blocks that the devices disagree about most come first.",
        table=table,
        draw=lambda: figures.step_figure(table, list(zip(found.names, columns, strict=True))),
    )


# What costs more


@shared()
def _comparison(given: Given, first: str, second: str) -> DeviceComparison:
    return compare_devices(*_fits(given, first, second), table=given.table)


def _compared(given: Given) -> str | None:
    try:
        return where(lambda own: _comparison(own, *pair_of(own)))(given)
    except FoxnasError as error:
        if all(given.is_told(column) for column in pair_of(given)):
            return (
                "On both devices a network costs what its blocks cost together, so there is no fit "
                "to compare: the view All devices shows, at 'What choices cost', each choice on "
                "each device."
            )
        return f"Both devices need a fit of their own on the same subnets. {error}"


def units(given: Given) -> dict[str, str]:
    """The units that effects may be compared in, each with what it is called."""
    measure = measure_of(given)
    own, percent = UNITS
    return {percent: f"percent of the mean {measure.word}", own: measure.unit or measure.word}


def _units(given: Given) -> Options:
    return {"unit": units(given)}


@analysis("Devices", "difference", "The largest differences", _compared, _units)
def difference(given: Given, *, unit: str = "percent") -> Card:
    """What costs more on one device than on the other."""
    found, measure = _comparison(given, *pair_of(given)), measure_of(given)
    (one, other), slower = found.names, f"a device that is {measure.worse} throughout"
    means = [f"{number(mean)} {measure.unit}".strip() for mean in found.means]
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
        notes=(reading, *repeated([found.first] if found.counts_blocks else []))
        if heatmaps
        else (),
    )


@analysis("Devices", "blocks", "Which blocks differ", _compared, _units)
def blocks(given: Given, *, unit: str = "percent") -> Card:
    found = _comparison(given, *pair_of(given))
    table = figures.block_table(found, unit)
    differ = int((found.blocks[f"adjusted_{unit}"] < _ADJUSTED).sum())
    what = f"the same share of the mean {measure_of(given).word} on both"
    return Card(
        sentence="Wald test that all terms of a block are "
        f"{what if unit == 'percent' else 'equal on both devices'}; p is adjusted for the number "
        f"of blocks (Benjamini-Hochberg). {differ} of {len(table)} differ at 5 %.",
        table=table,
    )


@analysis("Devices", "effects", "Every choice on both devices", _compared, _units)
def effects(given: Given, *, unit: str = "percent") -> Card:
    found = _comparison(given, *pair_of(given))
    table = figures.effect_table(found, unit)
    share = f", in percent of each device's mean {measure_of(given).word},"
    return Card(
        sentence=f"Mean change against the first choice{share if unit == 'percent' else ''} over "
        f"random subnets{OVER_CONTEXTS if len(given.contexts) > 1 else ''}, by the fits' form, and "
        "the difference of the two, with 95 % confidence intervals. That of the difference takes "
        "into account that both fits read the same subnets. Hollow where it spans 0.",
        table=table,
        draw=lambda: interval_figure(table, figures.effect_targets(found, unit)),
    )
