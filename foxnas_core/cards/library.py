"""What a folder of studies holds, and what was deleted from it."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pandas as pd

from foxnas_core.cards.card import Card
from foxnas_core.study.library import Entry, Trashed

_TIME = "%Y-%m-%d %H:%M"


def shelf(entries: Sequence[Entry]) -> Card:
    """What each study holds, when it was changed and whether it can be used."""
    rows = [
        {
            "study": entry.folder.name,
            "name": entry.name,
            "state": "damaged" if entry.problem else "being written" if entry.in_use else "",
            "rows": entry.rows,
            "space": entry.space,
            "weights": "yes" if entry.has_weights else "no",
            "size (MB)": round(entry.size / 1e6, 2),
            "last change (UTC)": f"{datetime.fromtimestamp(entry.changed, UTC):{_TIME}}",
        }
        for entry in entries
    ]
    return Card(
        key="shelf",
        title="What there is",
        sentence="Rows are measured subnets; a study without weights predicts and searches, and "
        "can neither measure nor export.",
        table=pd.DataFrame(rows),
    )


def trash(items: Sequence[Trashed]) -> Card:
    """Deleted studies, the last first."""
    rows = [
        {
            "study": item.name,
            "name": item.entry.name,
            "rows": item.entry.rows,
            "size (MB)": round(item.entry.size / 1e6, 2),
            "deleted (UTC)": f"{item.when:{_TIME}}",
        }
        for item in items
    ]
    said = "Deleted studies, the last first."
    return Card(key="trash", title="Trash", sentence=said, table=pd.DataFrame(rows))


def trash_names(items: Sequence[Trashed]) -> dict[str, str]:
    """What lies in the trash by its key, each with what it is called."""
    return {item.key: f"{item.name}, deleted {item.when:{_TIME}}" for item in items}
