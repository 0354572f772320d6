"""What a report is made of, before it is written as HTML."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from foxnas_core.cards.analysis import Analysis
from foxnas_core.cards.card import Card
from foxnas_core.cards.given import Given
from foxnas_core.errors import FoxnasError, MissingPart
from foxnas_core.figures.theme import as_text, is_wide
from foxnas_core.reporting.portable import embedded

if TYPE_CHECKING:
    from plotly.graph_objects import Figure as Drawing

# A cell of so many characters is a sentence.
_LONG = 30


@dataclass(frozen=True)
class Column:
    """`title` is text, or markup made here; numbers stand to the right, and sentences get a `wide`
    column."""

    title: str
    numeric: bool = False
    wide: bool = False

    @property
    def kind(self) -> str:
        """The class of its cells."""
        return "number" if self.numeric else "wide" if self.wide else "text"


@dataclass(frozen=True)
class Table:
    """Cells (rows, columns) are text, or markup made here; the first of a row names it."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Figure:
    """What Plotly draws, as JSON, a sentence on it, and the table that says the same, if no other
    does; `key` is its id in the file, where a script looks for it."""

    drawn: Markup
    caption: str
    table: Table | None = None
    wide: bool = False
    key: str = ""


@dataclass(frozen=True)
class Panel:
    """A title, what it shows in sentences and points, figures and tables; `folded` is closed at
    first, and on paper unless it was opened."""

    title: str
    sentences: tuple[str, ...] = ()
    points: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    tables: tuple[Table, ...] = ()
    folded: bool = False


@dataclass(frozen=True)
class Section:
    """`anchor` is its address within the file."""

    anchor: str
    title: str
    sentences: tuple[str, ...] = ()
    panels: tuple[Panel, ...] = ()


# Longer tables are cut.
_MOST_ROWS = 60


def figure_of(
    drawing: "Drawing", caption: str, table: Table | None = None, *, key: str = ""
) -> Figure:
    """A figure for the file: without WebGL, which compiles code from text, as no policy allows."""
    document = json.loads(as_text(drawing).to_json())
    for trace in document["data"]:
        trace["type"] = trace["type"].removesuffix("gl")
    return Figure(embedded(document), caption, table, is_wide(drawing), key)


def panel_of(title: str, *cards: Card, folded: bool = False) -> Panel:
    """Cards as one panel: what they say, then their figures, then the tables that no figure
    shows."""
    sentences: list[str] = []
    figures, tables = [], []
    for card in cards:
        cut = card.table.head(_MOST_ROWS)
        most = "" if len(cut) == len(card.table) else f", {len(cut)} of {len(card.table):,} rows"
        table = table_of(cut, f"{card.title}{most}") if len(cut) else None
        if (drawing := card.figure()) is not None:
            figures.append(figure_of(drawing, card.sentence, table))
        else:
            sentences += [card.sentence] if card.sentence else []
            tables += [table] if table else []
        sentences += card.notes
        if card.facts:
            tables.append(facts(card.title, tuple(card.facts.items())))
    points = [said for card in cards for said in (*card.cautions, *card.points)]
    return Panel(title, tuple(sentences), tuple(points), tuple(figures), tuple(tables), folded)


def number(value: Any) -> str:
    """A cell as it is read: four significant digits, a dash where there is nothing."""
    value = value.item() if isinstance(value, np.generic) else value
    if value is None or value is pd.NA or value != value:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.0f}" if 1e4 <= abs(value) < 1e15 else f"{value:.4g}"
    return str(value)


def table_of(
    frame: pd.DataFrame,
    caption: str,
    *,
    titles: Mapping[str, str] | None = None,
    formats: Mapping[str, Callable[[Any], str]] | None = None,
) -> Table:
    """A data frame as a table, its columns called by `titles` and written by `formats`."""
    titles, formats = titles or {}, formats or {}
    written = [[formats.get(str(name), number)(cell) for cell in frame[name]] for name in frame]
    return Table(
        caption,
        tuple(
            Column(
                titles.get(str(name), str(name)),
                pd.api.types.is_numeric_dtype(frame[name]),
                any(len(cell) > _LONG for cell in cells),
            )
            for name, cells in zip(frame, written, strict=True)
        ),
        tuple(zip(*written, strict=True)),
    )


def facts(caption: str, pairs: Sequence[tuple[str, Any]]) -> Table:
    """A table of names and values."""
    rows = tuple((name, number(value)) for name, value in pairs)
    return Table(caption, (Column("What"), Column("Value")), rows)


def analysed(given: Given, title: str, *analyses: Analysis) -> Panel | None:
    """What analyses tell in one panel; None where the study has nothing to tell, and a sentence
    where that can't be read."""
    try:
        if analyses[0].lacks(given):
            return None
        return panel_of(title, *(one.compute(given) for one in analyses))
    except MissingPart:
        return None
    except FoxnasError as error:
        return Panel(title, (str(error),))
