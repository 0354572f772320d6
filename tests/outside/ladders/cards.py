"""The card: what a further rung is worth, by the rows alone."""

from foxnas_core.cards.analysis import Analysis
from foxnas_core.cards.card import Card
from foxnas_core.cards.given import Given


def no_rungs(given: Given) -> str | None:
    if "rungs" not in given.study.space.by_name:
        return "This space has no rungs; open a study of ladders."
    return (
        None
        if len(given.table)
        else "Nothing is measured yet; run 'python -m foxnas_core measure'."
    )


def worth(given: Given) -> Card:
    """The mean of every metric by number of rungs."""
    columns = [target.column for target in given.table.targets]
    table = given.table.frame.groupby("rungs", observed=True)[columns].mean().reset_index()
    return Card(sentence="Means over the measured ladders of each number of rungs.", table=table)


def widest(given: Given) -> Card:
    """The widths that were measured."""
    widths = given.table.frame["width"].value_counts().sort_index().reset_index()
    return Card(sentence=f"{len(widths)} widths were measured.", table=widths)


RUNGS = Analysis("rungs", "What a rung is worth", "Coefficients", worth, no_rungs)
# The page of that name is a view of another by now.
WIDTHS = Analysis("widths", "How wide ladders are", "Model graph", widest, no_rungs)
