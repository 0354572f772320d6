"""Cells that stay missing because a device's runtime could not convert or load the model."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.table.metrics import metric_of

REFUSED = "refused"
"""Where a table's record keeps why, by column and id."""


def refused_ids(table: MeasurementTable, column: str) -> Mapping[str, str]:
    """Why there is no value in a column, by id."""
    own: Mapping[str, str] = table.record.get(REFUSED, {}).get(column, {})
    return own


def with_refusals(
    table: MeasurementTable, refused: Mapping[str, Mapping[str, str]]
) -> MeasurementTable:
    """The table that keeps these too, by column and id, and none of a cell that has a value."""
    known = table.record.get(REFUSED, {})
    told = {}
    for column in [*known, *(c for c in refused if c not in known)]:
        lacking = {architecture.id for architecture in table.lacking(column)}
        every = {**known.get(column, {}), **refused.get(column, {})}
        told[column] = {id_: why for id_, why in every.items() if id_ in lacking}
    told = {column: own for column, own in told.items() if own}
    record = {name: value for name, value in table.record.items() if name != REFUSED}
    return replace(table, record=record | ({REFUSED: told} if told else {}))


def told_refusals(table: MeasurementTable, noun: str = "networks") -> list[str]:
    """A sentence for each column that has some: how many, and why."""
    found = []
    for column, own in table.record.get(REFUSED, {}).items():
        reasons = Counter(own.values()).most_common(3)
        why = "; ".join(f"{reason} ({count:,})" for reason, count in reasons)
        found.append(
            f"{metric_of(column).named}: {len(own):,} of {len(table.frame):,} {noun} are missing, "
            f"as the runtime could not convert or load them: {why}."
        )
    return found
