"""What a further device measured, joined to the rows that a study has."""

from collections.abc import Mapping, Sequence
from pathlib import PurePath

import numpy as np
import pandas as pd

from foxnas_core.errors import InvalidInput
from foxnas_core.table.importing.plain import OTHER_ID, has_own_ids, is_missing, with_plain_rest
from foxnas_core.table.measurements import MeasurementTable, table_from_frame
from foxnas_core.table.metrics import is_metric, metric_of

KEYS = ("id", OTHER_ID)


def latencies_of(source: str, frame: pd.DataFrame, table: MeasurementTable) -> list[str]:
    """The latencies of a file that the study lacks; raises `InvalidInput` without any."""
    found = [
        name
        for name in frame.columns
        if is_metric(name) and metric_of(name).timed and table.known(name) < len(table)
    ]
    if not found:
        raise InvalidInput(
            f"{source} has no latency that the study lacks; name a column latency_ms:DEVICE, or "
            "map one (--map latency_ms:DEVICE=COLUMN)."
        )
    return found


def goes_along(name: str, latencies: Sequence[str]) -> bool:
    """Whether a column tells which row is meant, or goes with one of these latencies."""
    return name == "id" or any(metric_of(column).has_along(name) for column in latencies)


def with_ids(
    source: str, row_word: str, frame: pd.DataFrame, table: MeasurementTable
) -> pd.DataFrame:
    """The frame with the study's ids in `id`: those it has, those of its choices, or those of the
    rows that the study holds under the same key of the user's own.

    That key is in `id` or `original_id`, or in one further column of both. Raises `InvalidInput`
    where there is none, or where one is none of the study's.
    """
    if "id" in frame and has_own_ids(frame["id"]):
        return frame
    space = table.space
    if all(d.name in frame for d in space.decisions if not d.conditions):
        choices = frame[[name for name in space.by_name if name in frame]]
        own = table_from_frame(space, choices, source=source, row_word=row_word, drop_inactive=True)
        return frame.assign(id=own.frame["id"].to_numpy())
    key = next((name for name in KEYS if name in frame), None) or _shared_key(frame, table)
    if key is None:
        raise InvalidInput(
            f"{source} has no column 'id' to join by; add one with the study's ids or those of the "
            "table that was imported, map one to it (--map id=COLUMN), or give each row's choices."
        )
    name = key if key in table.frame and key != "id" else OTHER_ID
    if name not in table.frame:
        return frame
    known = _by_key(source, name, table)
    found = []
    for number, cell in zip(frame.index, frame[key].tolist(), strict=True):
        own_id = known.get(_key(cell))
        if own_id is None:
            raise InvalidInput(
                f"{source}, {row_word} {number}, has the {key} {cell!r:.80}, which no row of the "
                "study has; leave the row out, or import it with its choices and without --join."
            )
        found.append(own_id)
    return frame.drop(columns=key).assign(id=found)


def joined_table(
    source: str,
    row_word: str,
    frame: pd.DataFrame,
    table: MeasurementTable,
    *,
    names: Mapping[str, str],
    units: Mapping[str, str],
) -> tuple[MeasurementTable, list[str]]:
    """The study's table with a file's latencies, where it had none, and which these are.

    The frame has the study's ids. Raises `InvalidInput` naming file, row and column.
    """
    latencies = latencies_of(source, frame, table)
    along = [name for name in frame.columns if goes_along(name, latencies)]
    own = with_plain_rest(frame[along], table.space)
    given = own[latencies].apply(lambda cells: [not is_missing(c) for c in cells])
    # Named, so that no latency is taken for one of the row's own campaign.
    name = PurePath(source).name
    own = own.assign(**{f"campaign_{column}": f"joined-{name}" for column in latencies})
    campaigns = {**table.record.get("campaigns", {}), f"joined-{name}": {"imported_from": name}}
    return table.with_cells(
        own[given.any(axis=1)],
        record={**table.record, "campaigns": campaigns},
        source=source,
        row_word=row_word,
        names=names,
        units=units,
    ), latencies


def _shared_key(frame: pd.DataFrame, table: MeasurementTable) -> str | None:
    """The one further column of both that tells the study's subnets apart."""
    shared = [n for n in frame if n in table.unknown or (n == "index" and n in table.frame)]
    keys = [
        name
        for name in shared
        if _tells_apart(table.frame[name], table)
        and {*map(_key, frame[name])} <= {*map(_key, table.frame[name])}
    ]
    return keys[0] if len(keys) == 1 else None


def _tells_apart(cells: pd.Series, table: MeasurementTable) -> bool:
    """Whether each subnet has a value of its own."""
    return bool(
        cells.notna().all() and table.frame["id"].groupby(cells.to_numpy()).nunique().max() == 1
    )


def _by_key(source: str, key: str, table: MeasurementTable) -> dict[str, str]:
    """The id of each of the study's own keys; raises `InvalidInput` for one of several subnets."""
    found: dict[str, str] = {}
    for cell, own in zip(table.frame[key].tolist(), table.frame["id"].tolist(), strict=True):
        if is_missing(cell):
            continue
        if found.setdefault(_key(cell), own) != own:
            raise InvalidInput(
                f"{source} can't be joined by {key!r}: the study has {cell!r:.80} for several "
                "subnets; give each row's choices, or the study's ids, instead."
            )
    return found


def _key(cell: object) -> str:
    """A key as text: 3, 3.0 and "3" are one."""
    if isinstance(cell, float | np.floating) and float(cell).is_integer():
        return str(int(cell))
    return str(cell).strip()
