"""What a file of measured subnets holds, how it is stored, and what became of its rows."""

from collections.abc import Sequence

from foxnas_core.cards.card import Card
from foxnas_core.steps.bring import Brought, known_sentence
from foxnas_core.study import Study
from foxnas_core.table.importing import ColumnsRead
from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.table.whole import Finding

PREVIEWED = 5
PUBLISHED = Card(
    key="published",
    sentence="These are FOX-NAS's published columns: the space is its CPU space at 256 px, "
    "accuracy is in percent and latency in ms. The order of blocks in a stage is not known.",
    tone="good",
)


def held(study: Study, rows: int) -> Card:
    """How much a study has before anything is brought in."""
    return Card(key="held", sentence=f"The study {study.name} has {rows:,} measured subnets.")


def stored(table: MeasurementTable, read: ColumnsRead, found: Sequence[Finding]) -> Card:
    """How the rows that a file's `table` has are stored: first what was converted, so that a wrong
    unit is seen; what became of its columns, and what was `found` in it as a whole."""
    first = ["id", *(target.column for target in table.targets)]
    rows = table.frame.head(PREVIEWED)
    return Card(
        key="stored",
        title="As it will be stored",
        sentence=f"The first {len(rows)} of {len(table):,} rows.",
        table=rows[[*first, *rows.columns.difference(first, sort=False)]],
        points=tuple(read.sentences()),
        cautions=tuple(finding.sentence for finding in found),
    )


def nothing_new(rows: int) -> Card:
    """That a study has all of so many rows already."""
    return Card(key="nothing-new", sentence=known_sentence(rows), tone="info")


def brought(name: str, done: Brought) -> Card:
    """How many rows were added to the study called `name`."""
    return Card(
        key="brought",
        sentence=f"Added {done.added:,} rows to {name}, which now has {done.rows:,}.",
        points=tuple(filter(None, [done.sentence()])),
        tone="good",
    )
