"""What was chosen: in three sentences, and block by block with reasons."""

from dataclasses import replace

from foxnas_core.cards import decided
from foxnas_core.cards.subject import Subject
from foxnas_core.reporting.layout import Section, panel_of


def summary_section(subject: Subject) -> Section:
    """What was chosen, what it is expected to measure, and how far it is from the optimum."""
    card = decided.summary(subject)
    told = panel_of("", replace(card, sentence="", points=()))
    return Section("summary", "Summary", (card.sentence, *card.points), (told,))


def chosen_section(subject: Subject) -> Section | None:
    """The chosen subnet as a grid, and what each of its blocks does in it."""
    chosen = subject.chosen
    if chosen is None:
        return None
    panels = [panel_of("", *decided.drawn(subject, chosen))]
    if subject.main:
        panels.append(panel_of("Why these blocks", *decided.brings(subject, chosen)))
    if subject.optimum is not None and not subject.is_optimum:
        ways = decided.differences(subject, chosen, subject.optimum.architecture)
        panels.append(panel_of("From the optimum to the chosen subnet", *ways))
    return Section(
        "subnet",
        "The chosen subnet, block by block",
        (f"Subnet {chosen.id} of space {subject.study.space.name}.",),
        tuple(panels),
    )
