"""A card: what an analysis found, in words, as a table and as a figure."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

Tone = Literal["plain", "good", "bad", "warning", "info"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Card:
    """All text is plain, no markup.

    - `key` names its table's file; cards that are shown together have keys of their own. It and
      `title` are the analysis's where it has made a card without.
    - `sentence` says what was found; `stress` are the parts of it that weigh most, and `tone` how
      it is meant. `facts` are its few headline numbers, by what each is called, and `asides` what
      is said beside one.
    - `table` is what the figure is drawn from, or what there is to read; it may be empty where the
      words say all. `draw` makes the figure, asked once somebody wants to see it.
    - `points` are further sentences of equal rank, `notes` say how it was made, `cautions` what to
      beware of.
    - `command` is what goes on from here, as arguments of `python -m foxnas_core`; where it reads
      the table alone, it is `light`, else it needs weights and images.
    """

    sentence: str
    key: str = ""
    title: str = ""
    table: pd.DataFrame = field(default_factory=pd.DataFrame)
    draw: "Callable[[], Figure] | None" = None
    stress: tuple[str, ...] = ()
    tone: Tone = "plain"
    facts: Mapping[str, str] = field(default_factory=dict)
    asides: Mapping[str, str] = field(default_factory=dict)
    points: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()
    command: str = ""
    light: bool = False

    def figure(self) -> "Figure | None":
        """The figure, drawn anew at each call; None where there is none."""
        return None if self.draw is None else self.draw()

    def to_dict(self) -> dict[str, Any]:
        """All but the figure, as JSON; what is no number is null."""
        told = {
            "key": self.key, "title": self.title, "sentence": self.sentence,
            "facts": dict(self.facts), "asides": dict(self.asides), "points": list(self.points),
            "notes": list(self.notes), "cautions": list(self.cautions), "command": self.command,
        }  # fmt: skip
        rows = self.table.to_json(orient="records", double_precision=15, default_handler=str)
        return {name: value for name, value in told.items() if value} | {"table": json.loads(rows)}
