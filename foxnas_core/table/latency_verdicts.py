"""Whether a measured latency can be relied on: a verdict a check, and a badge over all of them.

Judged from the figures that the table holds (the spread of rounds, the drift of the reference, the
circumstances of the campaign), a row at a time, and never stored, so that a limit may change. A
figure that is not there makes a verdict unknown, and speaks neither for nor against a row: the
checks that can be made decide, as on a virtual machine, which tells no clock. Rows that failed stay
in the table, but no fit of that latency reads them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd

from foxnas_core.errors import InvalidInput
from foxnas_core.table.measurements import (
    MeasurementTable,
    campaign_names,
    campaigns_of,
    once_a_table,
)
from foxnas_core.table.metrics import metric_of

PASSED, FAILED, UNKNOWN = "passed", "failed", "unknown"

# Two campaigns shall agree on a subnet within 5 %. The median of five rounds that range over R has
# a standard error of .24 R where rounds are normal, so that two campaigns differ by .23 R in half
# of the cases: 5 % at R = .22. How far those of the shipped studies range is told in
# docs/measurements.md; on a busier machine 5 to 15 % are usual, and such rows do repeat within 5 %
# (benchmarks/repeatability.py).
MOST_SPREAD = 0.2
# A steady subnet's least single run lies 1.2 % below the level of its rounds, and up to 19 % on a
# busy machine, where rows do repeat within 5 %. Subnets that run in two states have been seen to
# have them 1.37 apart, which is 27 %.
MOST_ABOVE_MINIMUM = 0.2
# What the reference differs around a visit is what dividing by its drift may be wrong by; beside
# other work 3 to 7 % are usual. As for the subnets' rounds.
MOST_DRIFT_RANGE = 0.2
# Beyond a factor of two it is another machine or clock, which does not slow all operators alike.
MOST_DRIFT = 2.0
# Time is the reciprocal of the clock, so what holds for one range holds for the other.
MOST_CLOCK_RANGE = 0.2
# The first run allocates its memory, the next few still fill caches.
LEAST_WARM_UP = 10
# A tenth percentile that rests on at least ten runs below it.
LEAST_RUNS = 100
# The median of three is the least that one bad round can't move away.
LEAST_ROUNDS = 3


@dataclass(frozen=True)
class LatencyCheck:
    """One thing to check: its name, the question it answers, what makes a row fail, what is not
    told of a row that can't be checked, and the verdicts on rows: 1 passed, -1 failed, 0 not
    known."""

    name: str
    question: str
    fails: str
    lacks: str
    verdict: "Callable[[_Figures], np.ndarray]"


@dataclass(frozen=True, eq=False)
class Badges:
    """The verdicts on the n measured rows of one latency column.

    `rows` (n,) are positions in the table; `verdicts` has a column for each of `CHECKS`, and
    `badge`: failed where any check failed, passed where all that could be made passed, unknown
    where none could.
    """

    column: str
    rows: np.ndarray
    verdicts: pd.DataFrame

    def count(self, verdict: str) -> int:
        return int((self.verdicts["badge"] == verdict).sum())

    def sentences(self) -> list[str]:
        """Which checks could not be made, of rows of which others could, and why."""
        some = self.verdicts["badge"] != UNKNOWN
        missed = {
            check: int((self.verdicts[check.name][some] == UNKNOWN).sum()) for check in CHECKS
        }
        return [
            f"{check.name.capitalize()} could not be checked for {count:,} of {some.sum():,} rows: "
            f"{check.lacks}. The other checks decide."
            for check, count in missed.items()
            if count
        ]

    @property
    def counts(self) -> pd.DataFrame:
        """One row a check and one for the badge: check, passed, failed, unknown."""
        names = [PASSED, FAILED, UNKNOWN]
        counts = {
            name: own.value_counts().reindex(names, fill_value=0)
            for name, own in self.verdicts.items()
        }
        return pd.DataFrame(counts).T.rename_axis("check").reset_index()


@once_a_table
def judge(table: MeasurementTable, column: str) -> Badges:
    """The badges of a latency column's measured rows.

    Raises `InvalidInput` where `column` is no latency, and as `MeasurementTable.values`.
    """
    if not metric_of(column).timed:
        raise InvalidInput(f"{column} is no latency, so it has no badges; name a latency column.")
    kept = _JUDGED.setdefault(table, {})
    if column not in kept:
        kept[column] = _judged(table, column)
    return kept[column]


# Of each table, which never changes, its badges by column: whatever reads a latency asks for them.
_JUDGED: WeakKeyDictionary[MeasurementTable, dict[str, Badges]] = WeakKeyDictionary()


def _judged(table: MeasurementTable, column: str) -> Badges:
    rows = np.flatnonzero(np.isfinite(table.values(column)))
    figures = _Figures(table, column, rows)
    codes = {check.name: check.verdict(figures) for check in CHECKS}
    every = np.stack(list(codes.values()))
    codes["badge"] = np.where((every < 0).any(0), -1, (every > 0).any(0))
    words = np.array([UNKNOWN, PASSED, FAILED])
    return Badges(column, rows, pd.DataFrame({name: words[own] for name, own in codes.items()}))


def usable(table: MeasurementTable, target: str) -> np.ndarray:
    """Which rows (rows,) a fit of `target` reads: where it was measured and, for a latency, did
    not fail. Raises as `MeasurementTable.values`."""
    measured = np.isfinite(table.values(target))
    if metric_of(target).timed:
        badges = judge(table, target)
        measured[badges.rows[(badges.verdicts["badge"] == FAILED).to_numpy()]] = False
    return measured


def failed_rows(table: MeasurementTable, target: str) -> int:
    """How many measured rows of `target` no fit reads, as their latency failed a check."""
    return int(np.isfinite(table.values(target)).sum() - usable(table, target).sum())


@once_a_table
def without_failed(
    table: MeasurementTable,
    ids: frozenset[str] | None = None,
    columns: frozenset[str] | None = None,
) -> MeasurementTable:
    """The table with the latencies that failed, and what belongs to them, taken out; of `ids` and
    in `columns` alone, where these are given."""
    frame = table.frame
    others = False if ids is None else ~frame["id"].isin(ids)
    for target in table.targets:
        asked = columns is None or target.column in columns
        if target.timed and asked and judge(table, target.column).count(FAILED):
            sound = usable(table, target.column) | others
            own = filter(target.has_along, map(str, frame.columns))
            frame = frame.assign(**{name: frame[name].where(sound) for name in own})
    return table if frame is table.frame else replace(table, frame=frame)


def badge_table(table: MeasurementTable, column: str) -> pd.DataFrame:
    """One row a measured latency: row (from 1), id, campaign, the latency (ms), `spread` (high less
    low) and `above_minimum`, in % of it, the reference's `drift` (a factor) and `drift_range` (%),
    the badge, `not_checked`, the checks that could not be made, then a verdict a check, such as
    `drift?`. Figures that are not known are missing. Raises as `judge`."""
    badges = judge(table, column)
    figures = _Figures(table, column, badges.rows)
    campaigns = table.frame.get("campaign", pd.Series(None, index=table.frame.index, dtype=object))
    verdicts = badges.verdicts
    shown = pd.DataFrame(
        {
            "row": badges.rows + 1,
            "id": table.frame["id"].to_numpy()[badges.rows],
            "campaign": campaigns.astype(object).to_numpy()[badges.rows],
            column: figures.value,
            "spread": 100 * figures.spread,
            "above_minimum": 100 * figures.above_minimum,
            "drift": figures.of_row("drift"),
            "drift_range": 100 * figures.of_row("drift_range"),
            "badge": verdicts["badge"],
            "not_checked": [
                ", ".join(check.name for check in CHECKS if row[check.name] == UNKNOWN)
                for row in verdicts.to_dict("records")
            ],
        }
    )
    # Some checks are named as the figure that they read.
    asked = verdicts.drop(columns="badge").rename(columns="{}?".format)
    return pd.concat([shown, asked], axis=1)


class _Figures:
    """The figures of some rows of one latency column, NaN where they are not known."""

    def __init__(self, table: MeasurementTable, column: str, rows: np.ndarray) -> None:
        self._frame, self._column, self._rows = table.frame, column, rows
        self._campaigns = campaigns_of(table)
        self._names = campaign_names(table, column)[rows]
        self.value = table.values(column)[rows]

    def of_row(self, prefix: str) -> np.ndarray:
        """The column of that prefix (n,)."""
        name = f"{prefix}_{self._column}"
        if name not in self._frame:
            return np.full(len(self._rows), np.nan)
        numbers = pd.to_numeric(self._frame[name], errors="coerce")
        return numbers.to_numpy(dtype=float, na_value=np.nan)[self._rows]

    def of_campaign(self, name: str) -> np.ndarray:
        """The number, 1 or 0 for yes or no, that the rows' campaigns recorded under `name` (n,)."""
        positions, names = pd.factorize(self._names)
        told = [self._campaigns.get(campaign) for campaign in names]
        values = [_number(own.get(name)) if isinstance(own, Mapping) else np.nan for own in told]
        # A row without a campaign has position -1.
        return np.array([*values, np.nan])[positions]

    @property
    def spread(self) -> np.ndarray:
        return (self.of_row("high") - self.of_row("low")) / self.value

    @property
    def above_minimum(self) -> np.ndarray:
        return 1 - self.of_row("minimum") / self.value


def _number(value: Any) -> float:
    if value == "performance":  # the governor that holds the clock; others say nothing of it
        return 1.0
    return float(value) if isinstance(value, (int, float)) else np.nan


def _at_most(figure: np.ndarray, most: float) -> np.ndarray:
    return np.where(np.isnan(figure), 0, np.where(figure <= most, 1, -1))


def _at_least(figure: np.ndarray, least: float) -> np.ndarray:
    return _at_most(-figure, -least)


def _clock(figures: _Figures) -> np.ndarray:
    measured = _at_most(figures.of_row("clock_range"), MOST_CLOCK_RANGE)
    return np.where(measured != 0, measured, _at_least(figures.of_campaign("governor"), 1.0))


def _drift(figures: _Figures) -> np.ndarray:
    drift = figures.of_row("drift")
    away = _at_most(np.maximum(drift, 1 / drift), MOST_DRIFT)
    return np.minimum(away, _at_most(figures.of_row("drift_range"), MOST_DRIFT_RANGE))


# Of two verdicts the lesser: failed where one failed, passed where both passed.
CHECKS = (
    LatencyCheck(
        "warm-up",
        "Did enough runs go before those that were timed?",
        f"fewer than {LEAST_WARM_UP} runs went before the timed ones",
        "their campaign does not say how many runs went before",
        lambda figures: _at_least(figures.of_campaign("warm_up_runs"), LEAST_WARM_UP),
    ),
    LatencyCheck(
        "pinning",
        "Was the measuring thread held to one core?",
        "the system refused to hold the measuring thread to one core",
        "the system knows no such thing, or their campaign does not say",
        lambda figures: _at_least(figures.of_campaign("pinned"), 1.0),
    ),
    LatencyCheck(
        "clock",
        "Did the processor's clock stay the same?",
        f"the clock changed by more than {100 * MOST_CLOCK_RANGE:.0f} % within a round",
        "the system tells no clock, as virtual machines don't, or their campaign does not say",
        _clock,
    ),
    LatencyCheck(
        "drift",
        "Did the reference network take the same time meanwhile?",
        f"the reference differed by more than {100 * MOST_DRIFT_RANGE:.0f} % meanwhile, "
        f"or was {MOST_DRIFT:g} times as slow or as fast as at the study's beginning",
        "the reference network was not timed beside them",
        _drift,
    ),
    LatencyCheck(
        "spread",
        "Do the rounds agree?",
        f"the rounds differ by more than {100 * MOST_SPREAD:.0f} % of their median",
        "the range of their rounds is not known",
        lambda figures: _at_most(figures.spread, MOST_SPREAD),
    ),
    LatencyCheck(
        "one state",
        "Does the fastest run lie near the level of the rounds?",
        f"the level lies more than {100 * MOST_ABOVE_MINIMUM:.0f} % above the fastest run",
        "their fastest run is not known",
        lambda figures: _at_most(figures.above_minimum, MOST_ABOVE_MINIMUM),
    ),
    LatencyCheck(
        "repeats",
        "Was it timed often enough?",
        f"fewer than {LEAST_ROUNDS} rounds, or fewer than {LEAST_RUNS} runs in each",
        "their campaign does not say how many runs and rounds there were",
        lambda figures: np.minimum(
            _at_least(figures.of_campaign("runs"), LEAST_RUNS),
            _at_least(figures.of_campaign("rounds"), LEAST_ROUNDS),
        ),
    ),
)
