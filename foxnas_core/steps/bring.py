"""Rows of a file brought into a study: those that it does not hold yet, unless asked otherwise."""

from dataclasses import dataclass

import pandas as pd

from foxnas_core.errors import InvalidInput
from foxnas_core.families import load_shipped
from foxnas_core.study import Study
from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.table.whole import already_in

SAMPLED = "foxnas-mini"  # the shipped space that a table is begun in where there is no study


@dataclass(frozen=True)
class Brought:
    """How many rows were `added`, how many the study had `already`, and how many it has now."""

    added: int
    already: int
    rows: int

    def sentence(self) -> str:
        """What was left out; empty where nothing was."""
        if not self.already:
            return ""
        return (
            f"{self.already:,} further {'row is' if self.already == 1 else 'rows are'} in the "
            "study already, with the same values, and left out."
        )


def bring(study: Study, table: MeasurementTable, *, again: bool = False) -> Brought:
    """Append a table's rows to a study; with `again` also those that it has already.

    Raises `InvalidInput` where it has all of them, and as `Study.add_table`.
    """
    already = 0

    def new(existing: MeasurementTable) -> MeasurementTable:
        nonlocal already
        held = already_in(existing, table)
        if held.all():
            raise InvalidInput(all_sentence(len(table)))
        already = int(held.sum())
        return table.rows(~held)

    rows = len(study.add_table(table, None if again else new))
    return Brought(len(table) - already, already, rows)


def sample_rows(study: Study | None, count: int = 5) -> pd.DataFrame:
    """A table as `import` takes it: the first subnets that are measured with their objective and
    cost, or some of the space, a shipped one's without a study, with these columns to fill in."""
    space = load_shipped(SAMPLED) if study is None else study.space
    columns = [*space.by_name, "accuracy", "latency_ms"]
    if study is not None:
        columns[-2:] = [study.objective.column, study.cost.column]
        frame = study.table().frame.head(count)
        if len(frame):
            return frame.reindex(columns=columns)
    frame = pd.DataFrame([a.to_dict() for a in space.sample(count, seed=0)])
    return frame.reindex(columns=columns)


def known_sentence(rows: int) -> str:
    """That none of so many rows of a file is new."""
    every = "The row is" if rows == 1 else f"All {rows:,} rows are"
    return f"{every} in the study already, with the same values."


def all_sentence(rows: int) -> str:
    """Why nothing of a file was added, and how to add it all the same."""
    return (
        f"{known_sentence(rows).removesuffix('.')}, so nothing was added; where they are further "
        "measurements of their own, ask for them to be added again (--again)."
    )
