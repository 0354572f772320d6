"""The front of a report: what every budget could have had."""

from foxnas_core.cards import traded
from foxnas_core.cards.subject import Subject
from foxnas_core.reporting.layout import Section, panel_of


def front_section(subject: Subject) -> Section | None:
    """The front of best predictions with the chosen subnet, and some of its points."""
    front = subject.front
    if front is None or subject.budget is None or subject.chosen is None:
        return None
    card = traded.found(front)
    told = panel_of("What more would buy, and how sure that is", *traded.read_off(subject))
    shown = panel_of("", traded.shown(subject), traded.listed(front))
    return Section("front", card.title, (card.sentence, *card.notes), (shown, told))
