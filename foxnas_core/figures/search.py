"""Tables of what a search page draws: the trace, an architecture's cells, the front and cloud."""

import pandas as pd

from foxnas_core.architecture import Architecture
from foxnas_core.search.problem import Candidate
from foxnas_core.search_space import SearchSpace
from foxnas_core.table import MeasurementTable


def trace_table(trace: pd.DataFrame) -> pd.DataFrame:
    """A trace as rows of proposals, line ("current" or "best") and value, without gaps."""
    long = trace.melt("proposals", ["current_value", "best_value"], "line", "value").dropna()
    return long.assign(line=long["line"].str.removesuffix("_value"))


def architecture_cells(space: SearchSpace, architecture: Architecture) -> pd.DataFrame:
    """One row a block slot: group, position within it, its first decision's choice as `level`
    (0 to 1 by its place among the choices, NaN where off), and `text` with all its choices."""
    rows = []
    for group in space.additive_groups:
        slots = list(dict.fromkeys(d.slot for d in space.in_group(group) if d.slot))
        for position, slot in enumerate(slots, start=1):
            members = [d for d in space.in_slot(slot) if d.name in architecture]
            text = " · ".join(f"{d.role[0]}{architecture[d.name]}" for d in members) or "off"
            level = float("nan")
            if members:
                first = members[0]
                place = first.choices.index(architecture[first.name])
                level = place / max(1, len(first.choices) - 1)
            rows.append((group, position, text, level))
    return pd.DataFrame(rows, columns=["group", "position", "text", "level"])


def context_text(space: SearchSpace, architecture: Architecture) -> str:
    """The context's choices in words: "resolution 28"."""
    names = [d.name for d in space.decisions if d.group in space.context]
    return ", ".join(f"{name} {architecture[name]}" for name in names)


def cloud_table(table: MeasurementTable, latency: str) -> pd.DataFrame:
    """The measured subnets: id, latency, accuracy, those without either left out."""
    frame = table.frame[["id", latency, "accuracy"]].dropna()
    return frame.set_axis(["id", "latency", "accuracy"], axis="columns")


def points_table(candidates: dict[str, Candidate | None]) -> pd.DataFrame:
    """Named candidates as rows of point, latency and accuracy, those not found left out."""
    rows = [(name, c.costs[0], c.value) for name, c in candidates.items() if c is not None]
    return pd.DataFrame(rows, columns=["point", "latency", "accuracy"])
