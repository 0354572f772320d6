"""How the latencies were measured, and which of them can be relied on."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from foxnas_core.cards.analysis import Options, analysis
from foxnas_core.cards.card import Card
from foxnas_core.cards.given import Given
from foxnas_core.errors import MissingPart
from foxnas_core.figures import measurements as figures
from foxnas_core.figures import subnets as subnet_figures
from foxnas_core.table.equals import has_keys, is_shared
from foxnas_core.table.latency_verdicts import (
    FAILED,
    MOST_SPREAD,
    PASSED,
    UNKNOWN,
    badge_table,
    judge,
)
from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.table.metrics import metric_of
from foxnas_core.table.refusals import told_refusals
from foxnas_core.table.reliability import reliability_of
from foxnas_core.table.whole import CODES
from foxnas_core.tasks.domain_split import OOD

# What campaigns are called where all of them are looked at, and rows that are of none.
ALL = "all campaigns"
OWN = "no campaign"
ORDERLESS = (
    "The table does not tell the order of the blocks in a stage: forms with one term a block slot "
    "are not offered, and blocks are shown in one canonical order."
)


def campaigns(given: Given) -> list[str]:
    """All of them, and each; none where the table does not tell."""
    frame = given.table.frame
    if "campaign" not in frame:
        return []
    return [ALL, *dict.fromkeys(frame["campaign"].fillna(OWN).astype(str))]


def rows_of(given: Given) -> MeasurementTable:
    """The rows of the campaign that is looked at."""
    if given.campaign in (None, ALL) or "campaign" not in given.table.frame:
        return given.table
    names = given.table.frame["campaign"].fillna(OWN).astype(str)
    return given.table.rows((names == given.campaign).to_numpy())


def column_of(given: Given) -> str:
    """The cost where a clock measures it, else the first that one does; raises `MissingPart`."""
    timed = [target.column for target in given.table.targets if target.timed]
    if not timed or not len(given.table):
        raise MissingPart(
            "This study has no measured latency yet; measure subnets with 'python -m foxnas_core "
            "measure' or import a table with a column latency_ms."
        )
    cost = given.cost or given.study.cost.column
    return cost if cost in timed else timed[0]


def nothing_measured(given: Given) -> str | None:
    """Why there is nothing to count."""
    if len(given.table):
        return None
    return (
        "This study has no measurements yet; measure subnets with 'python -m foxnas_core measure' "
        "or import a table."
    )


@analysis("Measurements", "targets", "Measured targets", nothing_measured)
def targets(given: Given) -> Card:
    """How many rows tell each target, and between which values."""
    table = given.study.table()
    rows = [
        {"target": t.label, "unit": t.unit, "rows": table.known(t.column)}
        | {
            name: t.text(float(table.frame[t.column].agg(how)))
            for name, how in (("least", "min"), ("median", "median"), ("most", "max"))
        }
        for t in table.targets
    ]
    reliable = reliability_of(table, metric_of(given.traded[0]))
    return Card(
        sentence=f"{len(table):,} rows of {table.frame['id'].nunique():,} subnets.",
        table=pd.DataFrame(rows),
        points=(
            *([] if table.ordered else [ORDERLESS]),
            *_of_all_domains(table),
            *([reliable.sentence] if reliable else []),
        ),
    )


def _of_all_domains(table: MeasurementTable) -> list[str]:
    """What a quality tells that is known by domains too."""
    labels = {target.column: target.label for target in table.targets if target.quality}
    return [
        f"{label}, without a domain, counts all held-out images alike, of seen and unseen domains "
        f"together, so that it hangs on how many there are of each; {labels[unseen]} tells what "
        "holds outside."
        for column, label in labels.items()
        if (unseen := f"{column}:{OOD}") in labels
    ]


def no_rows(given: Given) -> str | None:
    """Why there is no latency to judge."""
    if len(badge_table(rows_of(given), column_of(given))):
        return None
    return "No row of this campaign has this latency; choose another campaign or latency."


@analysis("Measurements", "verdict", "Whether the latencies can be relied on", no_rows)
def verdict(given: Given) -> Card:
    """How many rows passed, what could not be checked and what the device could not measure."""
    own = rows_of(given)
    badges = judge(own, column_of(given))
    not_told = {
        f"{name.capitalize()}: {value.replace('on this device', 'on the device that measured')}."
        for circumstances in own.record.get("campaigns", {}).values()
        for name in ("energy", "memory")
        if (value := str(circumstances.get(name, ""))).startswith("not available")
    }
    counts = {
        "Measured rows": len(badge_table(own, column_of(given))),
        "Passed every check made": badges.count(PASSED),
        "Failed a check": badges.count(FAILED),
        "Nothing to check by": badges.count(UNKNOWN),
    }
    return Card(
        sentence="Rows that failed a check stay in the table and in every file, but no fit of this "
        "latency reads them. The checks that can be made decide; a figure that a campaign did not "
        "record leaves no row out. Accuracy is not touched.",
        facts={name: f"{count:,}" for name, count in counts.items()},
        points=(*badges.sentences(), *sorted(not_told), *told_refusals(own)),
    )


@analysis("Measurements", "checks", "What was checked", no_rows)
def checks(given: Given) -> Card:
    table = figures.check_table(judge(rows_of(given), column_of(given)))
    return Card(
        sentence="For each check, the rows that passed it, that failed it, and those for which its "
        "figures were not recorded; the badge is over all that could be made. The table says what "
        "each one asks, when a row fails it, and what is not told where it could not be made.",
        table=table,
        draw=lambda: figures.check_figure(table),
    )


def _without(
    told: Callable[[pd.DataFrame], pd.DataFrame], why: str
) -> Callable[[Given], str | None]:
    """What says `why` where the rows tell nothing of it."""

    def lacks(given: Given) -> str | None:
        rows = badge_table(rows_of(given), column_of(given))
        return no_rows(given) or (None if len(told(rows)) else why)

    return lacks


_no_spread = _without(
    figures.spread_table,
    "The table has no range of rounds for this latency; rows that 'python -m foxnas_core measure' "
    "appends have one.",
)
_no_drift = _without(
    figures.drift_table,
    "These campaigns did not record the drift of the reference network, so its check is unknown; "
    "rows measured from now on have it.",
)


@analysis("Measurements", "spread", "How far the rounds agree", _no_spread)
def spread(given: Given) -> Card:
    table = figures.spread_table(badge_table(rows_of(given), column_of(given)))
    return Card(
        sentence="A subnet is timed in rounds. Shown is by how much the highest round lies above "
        "the lowest, as a share of their median; beyond the dashed line "
        f"({100 * MOST_SPREAD:.0f} %) a row fails.",
        table=table,
        draw=lambda: figures.spread_figure(table),
    )


@analysis("Measurements", "drift", "How the machine drifted", _no_drift)
def drift(given: Given) -> Card:
    table = figures.drift_table(badge_table(rows_of(given), column_of(given)))
    return Card(
        sentence="The time of the reference network beside each row, over its time when the study "
        "was begun; latencies are divided by it. Bars: how far it differed meanwhile.",
        table=table,
        draw=lambda: figures.drift_figure(table),
    )


def _no_table(given: Given) -> str | None:
    if len(given.table):
        return None
    return (
        "This study has no measurements yet; measure subnets with 'python -m foxnas_core measure' "
        "or import a table."
    )


@analysis("Measurements", "whole", "The table as a whole", _no_table)
def whole(given: Given) -> Card:
    """What the rows say together: repeats, contradictions, units, copies."""
    found = given.findings()
    grave = [finding for finding in found if finding.grave]
    held = [what for code, what in CODES.items() if code not in {f.code for f in found}]
    return Card(
        sentence=f"Passed: {'; '.join(held)}." if held else "No check passed.",
        tone="plain" if found else "good",
        cautions=tuple(finding.sentence for finding in grave),
        points=tuple(finding.sentence for finding in found if not finding.grave),
        table=pd.DataFrame(
            [
                {
                    "finding": finding.code,
                    "columns": ", ".join(finding.columns),
                    "rows": ", ".join(str(row + 1) for row in finding.rows),
                }
                for finding in found
            ]
        ),
    )


def _no_equals(given: Given) -> str | None:
    metric, space = given.study.objective, given.study.space
    if not has_keys(space):
        return (
            f"Of family {space.family!r} no two architectures are known to be equal networks, so "
            "none is measured under another id."
        )
    if metric not in given.table.targets:
        return f"The table has no {metric.column} yet; measure it or import a table that has it."
    if not is_shared(metric):
        return f"{metric.title} is no quality, which alone equal networks share."
    return None


@analysis("Measurements", "equals", "Equal networks", _no_equals)
def equals(given: Given) -> Card:
    """How many rows are equal networks under another id, and how far those differ."""
    found = given.equals()
    return Card(
        sentence=found.sentence(),
        table=found.groups,
        notes=(
            "Equal networks compute the same from the same weights. They share their quality and "
            "stay in one fold of every cross-validation; their costs are their own, as a device "
            "may run what the output doesn't need.",
        ),
    )


BADGES = {"all": "All rows", FAILED: "Failed", PASSED: "Passed", UNKNOWN: "Unknown"}


def _badges(given: Given) -> Options:
    return {"badge": BADGES}


@analysis("Measurements", "rows", "The rows", no_rows, _badges)
def rows(given: Given, *, badge: str = "all") -> Card:
    every = badge_table(rows_of(given), column_of(given))
    listed = every if badge == "all" else every[every["badge"] == badge]
    again = (
        "To measure a subnet again, save its architecture on the page What-if and run 'python -m "
        "foxnas_core measure --architecture FILE'; its row is appended, and fits then read that "
        "one.",
    )
    return Card(
        key="measurements",
        sentence=f"{len(listed):,} of {len(every):,} rows. Spread and above minimum are in % of "
        "the latency (ms), drift is a factor, drift range in %; not checked names the checks that "
        "could not be made.",
        table=listed,
        notes=again if (every["badge"] == FAILED).any() else (),
    )


# Each measured subnet beside all others

BLOCKS = subnet_figures.BLOCKS
# Ranges by column, of each of which a subnet shall fall into any.
Ranges = tuple[tuple[str, tuple[tuple[float, float], ...]], ...]


def known(given: Given) -> pd.DataFrame:
    """One row a measured subnet, with what is known of it."""
    objective = given.objective or given.study.objective.column
    return subnet_figures.subnet_table(rows_of(given), cost_of(given), objective)


def cost_of(given: Given) -> str:
    """The column of the cost, where it was measured; raises as `column_of`."""
    cost = given.cost or given.study.cost.column
    return cost if cost in given.main else column_of(given)


def _one(given: Given) -> str | None:
    if len(known(given)) > 1:
        return None
    return "There is one measured subnet at most; several are drawn over each other here."


def _in(every: pd.DataFrame, ranges: Ranges) -> np.ndarray:
    """Which rows lie in a range of every column that ranges are given for, also more than once."""
    kept = np.ones(len(every), dtype=bool)
    for column, own in ranges:
        kept &= subnet_figures.brushed(every, {column: own})
    return kept


@analysis("Measurements", "parallel", "Everything known of each", _one)
def parallel(
    given: Given, *, ranges: Ranges = (), boxes: Ranges = (), subnet: str | None = None
) -> Card:
    """All subnets, a line each; `boxes` are drawn on the axes, and `subnet` above all."""
    every, best = known(given), given.traded[0]
    kept = _in(every, (*ranges, *boxes))
    coloured = f", coloured by {metric_of(best).word}" if best in every else ""
    return Card(
        sentence=f"A line a subnet{coloured}; {kept.sum():,} of {len(every):,} are kept. Draw a "
        "box over a part of an axis to keep what runs through it; one on another axis narrows that "
        "down.",
        table=every[kept],
        draw=lambda: subnet_figures.parallel_figure(
            every, kept, brush=dict(boxes), subnet=subnet, by=best
        ),
    )


def brush_of(given: Given, drawn: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """The ranges that boxes drawn over the axes mean, by column."""
    return subnet_figures.brush_of(known(given), drawn)


def planes(given: Given) -> dict[tuple[str, str], str]:
    """Pairs of columns that are worth drawing over each other, with what they are called."""
    axes, cost = subnet_figures.axes_of(known(given)), cost_of(given)
    best = given.study.objective.column
    # Where the cost is MACs themselves, two of them are one.
    pairs = dict.fromkeys([(cost, best), ("macs", cost), ("macs", best)])
    shown = [(x, y) for x, y in pairs if x != y and x in axes and y in axes][:2]
    return {(x, y): f"{axes[y]} over {axes[x]}" for x, y in shown}


def _no_plane(given: Given) -> str | None:
    return _one(given) or (
        None if planes(given) else "No two of the objective, the cost and the MACs are known."
    )


def _planes(given: Given) -> Options:
    return {"axes": planes(given)}


@analysis("Measurements", "plane", "One over the other", _no_plane, _planes)
def plane(
    given: Given,
    *,
    axes: tuple[str, str] | None = None,
    ranges: Ranges = (),
    budget: float | None = None,
) -> Card:
    """Two columns over each other, those in `ranges` in colour, and a budget of the cost."""
    x, y = axes or next(iter(planes(given)))
    every = known(given)
    kept, line = _in(every, ranges), budget if x == cost_of(given) else None
    return Card(
        key=f"{y}-{x}".replace(":", "-"),
        title=planes(given)[x, y],
        sentence="A click on a point highlights its subnet in all figures.",
        table=every[kept],
        draw=lambda: subnet_figures.plane_figure(every, x, y, kept, line),
    )


@analysis("Measurements", "kept", "Those kept", _one)
def kept(given: Given, *, ranges: Ranges = ()) -> Card:
    every = known(given)
    said = "A click at the left of a row highlights its subnet."
    return Card(sentence=said, table=every[_in(every, ranges)])
