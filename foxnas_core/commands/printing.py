"""What a command answers, printed for people: cards, and plain documents as cards.

As wide as the terminal; where there is none, plain lines that are never cut. All of it is text:
nothing in a name, a path or a table is taken for markup or as a command to the terminal.
"""

import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

import pandas as pd

from foxnas_core.cards.card import Card
from foxnas_core.table.metrics import is_metric, metric_of

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

MOST_ROWS = 200
_ESTIMATE = {"value", "low", "high"}
# What an estimate says of itself where it has no interval.
_EXACTLY = {"summed", "counted"}
_ENDLESS = 100_000  # columns, where nothing is folded


@dataclass(frozen=True)
class Answer:
    """What a command answers: the document that `--json` prints, and cards that say the same to
    people, made of its values. Without cards the document itself is shown."""

    document: Mapping[str, Any]
    cards: tuple[Card, ...] = ()

    def shown(self) -> tuple[Card, ...]:
        return self.cards or tuple(document_cards(self.document))


def print_answer(answer: Answer, file: TextIO | None = None) -> None:
    """Print its cards to `file`, by default stdout."""
    # Half as long as a whole warm search, which with --json does without.
    from rich.console import Console

    file = file or sys.stdout
    wide = file.isatty()
    console = Console(
        file=file, width=None if wide else _ENDLESS, markup=False, highlight=False, emoji=False
    )
    for number, card in enumerate(answer.shown()):
        if number:
            console.print()
        for part in _parts(card, console):
            console.print(part)


def _parts(card: Card, console: "Console") -> "Iterator[RenderableType]":
    from rich.text import Text

    if card.title:
        yield Text(safe(card.title), style="bold")
    for sentence in (card.sentence, *card.points, *card.notes, *card.cautions):
        if sentence:
            yield Text(safe(sentence))
    if card.facts:
        yield _grid(card.facts.items())
    if len(card.table.columns):
        yield _table(card.table.head(MOST_ROWS), plain=not console.is_terminal)
        if (more := len(card.table) - MOST_ROWS) > 0:
            yield Text(f"… and {more:,} more rows, which --json prints.")
    if card.command:
        yield Text(f"python -m foxnas_core {safe(card.command)}", style="dim")


def _grid(facts: Any) -> "RenderableType":
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    for name, value in facts:
        grid.add_row(Text(safe(name), style="dim"), Text(safe(value)))
    return grid


def _table(frame: pd.DataFrame, *, plain: bool) -> "RenderableType":
    from rich import box
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=None if plain else box.SIMPLE_HEAD, padding=(0, 2, 0, 0), pad_edge=False)
    numeric = {
        name: all(isinstance(v, int | float) or v is None for v in frame[name].tolist())
        for name in frame
    }
    for name in frame:
        shown.add_column(
            Text(safe(heading(str(name)))),
            justify="right" if numeric[name] else "left",
            overflow="fold",
        )
    for row in frame.to_dict("records"):
        shown.add_row(*(Text(safe(told(value, str(name)))) for name, value in row.items()))
    return shown


def safe(text: str) -> str:
    """The text without what moves a terminal's cursor or changes its colours."""
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)


def heading(name: str) -> str:
    """A value's name in words: a metric's with its unit."""
    head, _, rest = name.partition(" ")
    if is_metric(head):
        return f"{metric_of(head).named} {rest.replace('_', ' ')}".strip()
    return name.replace("_", " ")


def exactly_of(estimate: Mapping[str, Any]) -> str:
    """How an estimate is told without a fit, as `Predictor.exactly`."""
    return next((word for word in ("summed", "counted") if estimate.get(word)), "")


def told(value: Any, name: str = "") -> str:
    """A document's value as one reads it; an estimate with its interval."""
    if isinstance(value, Mapping):
        if set(value) - _EXACTLY == _ESTIMATE:
            low, high = (told(value[side], name) for side in ("low", "high"))
            between = f" ({low} to {high})" if low or high else ""
            exactly = exactly_of(value)
            return told(value["value"], name) + (f" ({exactly})" if exactly else between)
        return ", ".join(f"{heading(str(k))} {told(v, str(k))}" for k, v in value.items())
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Sequence):
        return ", ".join(told(one, name) for one in value) or "none"
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    head = name.partition(" ")[0]
    if is_metric(head):
        return metric_of(head).text(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def document_cards(document: Mapping[str, Any]) -> Iterator[Card]:
    """A document as cards: its single values, then each list of objects as a table."""
    facts: dict[str, str] = {}
    points: list[str] = []
    tables: list[Card] = []
    for name, value in _flat(document):
        if _is_rows(value):
            frame = pd.DataFrame([dict(_flat(row)) for row in value], dtype=object)
            tables.append(Card(sentence="", title=heading(name), table=frame))
        elif isinstance(value, list) and any(str(one).endswith(".") for one in value):
            points += map(str, value)
        elif isinstance(value, str) and value.endswith("."):
            points.append(value)
        else:
            facts[heading(name)] = told(value, name)
    if facts or points:
        yield Card(sentence="", facts=facts, points=tuple(points))
    yield from tables


def _is_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)


def _flat(document: Mapping[str, Any], under: str = "") -> Iterator[tuple[str, Any]]:
    """Its values by name, those of objects within under both names; what an architecture chooses
    is left to its id."""
    for key, value in document.items():
        name = f"{under} {key}".strip()
        if key == "architecture":
            continue
        if isinstance(value, Mapping) and set(value) - _EXACTLY != _ESTIMATE:
            yield from _flat(value, name)
        else:
            yield name, value
