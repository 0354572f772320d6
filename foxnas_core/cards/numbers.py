"""All that is known of an architecture, as a query tells it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from foxnas_core.cards.analysis import analysis
from foxnas_core.cards.card import Card
from foxnas_core.cards.devices import columns_of
from foxnas_core.cards.every_device import devices_of
from foxnas_core.cards.expected import searched_for
from foxnas_core.cards.given import Given
from foxnas_core.cards.sharing import once, shared
from foxnas_core.errors import MissingPart
from foxnas_core.families import family_of
from foxnas_core.space.architecture import Architecture
from foxnas_core.steps.query import Asked, Known, Queried
from foxnas_core.table.metrics import SIZES, Metric, metric_of


@shared("optima.parquet", entries=4)
def _asked(given: Given) -> Asked:
    """The study, its table read once."""
    return Asked(given.study, given.predictor, lambda own: searched_for(given, own))


@once
def queried(given: Given, architecture: Architecture) -> Queried:
    """What the study knows of an architecture; raises as `steps.query.query`."""
    return _asked(given).known(architecture)


def _nothing_known(given: Given) -> str | None:
    try:
        queried(given, given.subnet)
    except MissingPart as error:
        return str(error)
    return None


def is_looked_up(given: Given) -> bool:
    """Whether networks of the study are asked for by a line of text, as a benchmark's are, so that
    what is known of one comes before what is predicted."""
    return bool(family_of(given.study.space).notation)


@dataclass(frozen=True)
class Headline:
    """One number of an architecture, its `change` from what it is held against, and what is told of
    it; `longer` where that is more than an interval."""

    target: Metric
    value: float
    change: float
    told: str
    longer: bool = False


def known_headlines(given: Given) -> list[Headline]:
    """What is known of the objective and of the cost."""
    found = queried(given, given.subnet).metrics
    before = queried(given, given.start or given.subnet).metrics
    return [
        Headline(metric_of(column), own.value, own.value - before[column].value, _told(own, column))
        for column in given.main
        if (own := found.get(column)) and column in before
    ]


def _told(known: Known, column: str) -> str:
    """Where a number is from, or how sure it is."""
    if known.source != "predicted" or known.low is None or known.high is None:
        return known.source
    return metric_of(column).interval_text(known.low, known.high)


@analysis("What-if", "numbers", "On every device", _nothing_known)
def numbers(given: Given) -> Card:
    """Every number of it, those of devices by their names, and its change from the start."""
    found = queried(given, given.subnet)
    start = given.start if given.start != given.subnet else None
    before = queried(given, start).metrics if start else {}
    names = devices_of(given) if columns_of(given) else {}
    rows = []
    for column, known in found.metrics.items():
        if column in SIZES:  # which are counted costs by another name
            continue
        metric = metric_of(column)
        unit = f" ({metric.unit})" if metric.unit else ""
        row = {
            "of": f"{names[column]}{unit}" if len(names) > 1 and column in names else metric.named,
            "value": known.value,
        }
        if start:
            row["change"] = known.value - before[column].value if column in before else np.nan
        exact = known.source in ("summed", "counted")
        ends = (None, None) if exact else (known.low, known.high)
        rows.append(row | {"from": known.source} | dict(zip(("low", "high"), ends, strict=True)))
    table = pd.DataFrame(rows).dropna(axis="columns", how="all")
    sources = " and ".join(dict.fromkeys(known.source for known in found.metrics.values()))
    number = "" if found.index is None else f", number {found.index:,} of the benchmark"
    return Card(
        sentence=f"Subnet {found.architecture.id}{number}: {sources}.",
        table=table,
        points=found.refused,
        notes=("Low and high: the 95 % interval, of a prediction that of one measurement.",)
        if "low" in table
        else (),
    )
