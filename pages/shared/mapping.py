"""The form that asks what the columns of a file mean, and in which units they are."""

from collections.abc import Mapping
from itertools import chain

import pandas as pd
import streamlit as st

from foxnas_core.families import family_of
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.table.importing import ARCHITECTURE, ColumnMapping, ForeignFile, needs_unit
from foxnas_core.table.metrics import (
    COUNTABLE,
    KNOWN,
    STD_ERROR,
    bare_columns,
    is_metric,
    metric_of,
    units_of,
)
from pages.shared.text import plain

ACROSS = 3
UNITS = {
    "percent": "percent (71.3)",
    "fraction": "fraction (0.713)",
    "ms": "milliseconds",
    "s": "seconds",
    "us": "microseconds",
    "1": "one by one",
    "k": "thousands",
    "M": "millions",
    "G": "billions",
}


def map_columns(
    foreign: ForeignFile, space: SearchSpace, *, key: str
) -> tuple[ColumnMapping, list[str]]:
    """Draw the form and return what it says, and a sentence for each answer that is missing.

    `key` tells files and spaces apart.
    """
    form = _Form(foreign, space, key)
    st.header("Choices")
    form.ask_choices()
    st.header("Targets")
    for target in bare_columns():
        form.ask_target(target)
    form.ask_further()
    return ColumnMapping(form.columns, form.units, _ask_decimal(foreign, key)), form.missing


def _ask_decimal(foreign: ForeignFile, key: str) -> str:
    """The mark before decimals, where cells hold commas that may be that."""
    if not foreign.has_commas:
        return ""
    marks = {"": "as the numbers tell", "comma": "a comma (4,07)", "point": "a point (4.07)"}
    return st.radio(
        "Before decimals stands", list(marks), format_func=marks.__getitem__, horizontal=True,
        key=f"decimal-{key}",
    )  # fmt: skip


class _Form:
    """One drawing of the form; answers gather in `columns`, `units` and `missing`."""

    def __init__(self, foreign: ForeignFile, space: SearchSpace, key: str) -> None:
        columns = foreign.columns
        self._space, self._key, self._given = space, key, columns
        names = {ARCHITECTURE, *space.by_name}
        self._free = [
            c for c in columns if c not in names and not is_metric(c.removesuffix(STD_ERROR))
        ]
        self._suggested: Mapping[str, str] = foreign.suggested(space).columns
        notation = family_of(space).notation
        self._written = "architectures written out" if notation else "JSON objects of choices"
        self.columns: dict[str, str] = {}
        self.units: dict[str, str] = {}
        self.missing: list[str] = []

    def ask_choices(self) -> None:
        decisions = self._space.decisions
        asked = [d for d in decisions if d.name not in self._given]
        if ARCHITECTURE in self._given and ARCHITECTURE not in self._space.by_name:
            st.caption(f"Found: {self._written} in the column architecture.")
            return
        if not asked:
            st.caption(f"Found: a column for each of the {len(decisions)} decisions, by its name.")
            return
        layouts = {"columns": "one column a decision", "json": f"one column of {self._written}"}
        layout = st.radio(
            "They stand in", list(layouts), index=int(ARCHITECTURE in self._suggested),
            format_func=layouts.__getitem__, horizontal=True, key=f"layout-{self._key}",
        )  # fmt: skip
        if layout == "json":
            if self._ask_column(ARCHITECTURE, f"Column of {self._written}") is None:
                self.missing.append(f"Choose the column that holds the {self._written}.")
            return
        found = [d.name for d in decisions if d.name in self._given]
        st.caption(f"Found by their names: {len(found)} of {len(decisions)} decisions.")
        if found:
            with st.expander("Those found"):
                st.dataframe(pd.DataFrame({"decision and column": found}), hide_index=True)
        lacking = []
        rows = (st.columns(ACROSS) for _ in range(0, len(asked), ACROSS))
        for place, decision in zip(chain.from_iterable(rows), asked, strict=False):
            with place:
                chosen = self._ask_column(decision.name, decision.name)
            if chosen is None and not decision.conditions:
                lacking.append(decision.name)
        if lacking:
            self.missing.append(f"Choose the columns of {', '.join(lacking)}.")

    def ask_target(self, target: str) -> None:
        """Its column, where it is not there by name, its unit and its standard error."""
        left, middle, right = st.columns(3)
        with left:
            column = self._found_or_asked(target, metric_of(target).label)
        if column is None:
            return
        with middle:
            units = list(units_of(target))
            # The page asks even where the name would tell: shares are given either way.
            if "fraction" in units or needs_unit(target, column):
                self._ask_unit(target, column)
            elif target in COUNTABLE:
                self._ask_unit(target, column, index=0)
            elif units:
                st.caption(f"In {units[0]}, by its name.")
        with right:
            self._found_or_asked(f"{target}{STD_ERROR}", "Its standard error (same unit)")

    def ask_further(self) -> None:
        """Columns of what is measured on further devices, in further precisions and the like, each
        with its measure, a name and a unit."""
        if by_name := [c for c in self._given if ":" in c and is_metric(c)]:
            st.caption(f"Found, in their own units by their names: {plain(', '.join(by_name))}.")
        measures = {name: metric for name, metric in KNOWN.items() if metric.suffix}
        if not self._free or not measures:
            return
        timed = next((name for name, metric in measures.items() if metric.timed), None)
        for column in st.multiselect(
            "Columns of further devices, precisions or classes",
            self._free,
            key=f"further-{self._key}",
        ):
            left, middle, right = st.columns(3)
            measure = left.selectbox(
                plain(f"What {column} holds"), list(measures),
                index=list(measures).index(timed) if timed else 0,
                format_func=lambda name: measures[name].label.format("…"),
                key=f"measure-{self._key}-{column}",
            )  # fmt: skip
            what = measures[measure].suffix.lower()
            name = middle.text_input(
                plain(f"Name of the {what} of {column}"),
                column,
                max_chars=64,
                key=f"device-{self._key}-{column}",
            ).strip()
            target = f"{measure}:{name}"
            if not name:
                self.missing.append(f"Name the {what} of {column!r}.")
            elif target in self.columns or target in self._given:
                self.missing.append(f"Give {column!r} another {what} than {name!r}, it is taken.")
            else:
                self.columns[target] = column
                with right:
                    if needs_unit(target, column) or "fraction" in units_of(target):
                        self._ask_unit(target, column)

    def _found_or_asked(self, name: str, label: str) -> str | None:
        if name in self._given:
            st.caption(plain(f"{label}: found in the column {name}."))
            return name
        return self._ask_column(name, label) if self._free else None

    def _ask_column(self, name: str, label: str) -> str | None:
        suggested = self._suggested.get(name)
        column = st.selectbox(
            plain(label),
            self._free,
            index=self._free.index(suggested) if suggested else None,
            placeholder="not in the file",
            key=f"map-{name}-{self._key}",
        )
        if column is not None:
            self.columns[name] = column
        return column

    def _ask_unit(self, target: str, column: str, index: int | None = None) -> None:
        unit = st.radio(
            plain(f"Unit of {column}"), list(units_of(target)), index=index, horizontal=True,
            format_func=lambda unit: UNITS.get(unit, unit), key=f"unit-{target}-{self._key}",
        )  # fmt: skip
        if unit is None:
            self.missing.append(f"Say the unit of {column!r}.")
        elif index is None or unit != list(units_of(target))[index]:
            self.units[target] = unit
