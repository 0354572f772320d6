"""The pickers of latency column and budget, the same on every page."""

from typing import TYPE_CHECKING

import streamlit as st

from foxnas_core.errors import MissingPart
from foxnas_core.table import MeasurementTable
from pages.shared import choices

if TYPE_CHECKING:
    from foxnas_core.search.exact import Front

_NAMES = {"latency_ms": "fp32, this study's device", "latency_ms:int8": "int8, the same device"}


def latency_picker(table: MeasurementTable) -> str:
    """Draw the picker and return the chosen column.

    Raises `MissingPart` where the table has no latency.
    """
    columns = [t.column for t in table.targets if t.column.partition(":")[0] == "latency_ms"]
    if not columns or not len(table):
        raise MissingPart(
            "This study has no measured latency yet; measure subnets with 'python -m foxnas_core "
            "measure' or import a table with a column latency_ms."
        )
    chosen = choices.current().latency
    if chosen not in columns:
        chosen = columns[0]
    # Another latency has another range, so the budget starts anew.
    return st.selectbox(
        "Latency of",
        columns,
        index=columns.index(chosen),
        format_func=lambda c: _NAMES.get(c, c.partition(":")[2]),
        key="latency",
        on_change=choices.on_change("latency", lambda c: choices.update(latency=c, budget=None)),
    )


def budget_of(front: "Front") -> float:
    """The chosen budget, or the middle of the front where none was chosen (ms)."""
    chosen = choices.current().budget
    return chosen if chosen is not None else float((front.costs[0] + front.costs[-1]) / 2)


def budget_slider(front: "Front") -> float:
    """Draw the slider over the front's range and return the budget (ms)."""
    low, high = float(front.costs[0]), float(front.costs[-1])
    step = (high - low) / 200 or 1e-6
    # A budget from an address may lie outside; the search then says what can be reached.
    budget = budget_of(front)
    return st.slider(
        "Latency budget (ms)",
        min_value=min(low, budget),
        max_value=max(high, budget),
        value=budget,
        step=step,
        format="%.4g",
        key="budget",
        on_change=choices.on_change("budget", lambda b: choices.update(budget=b)),
    )
