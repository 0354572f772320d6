"""The decision record: what the choice rests on, so that it can be questioned and made again."""

from dataclasses import replace

from foxnas_core.cards import coefficients, record
from foxnas_core.cards.card import Card
from foxnas_core.cards.subject import Subject
from foxnas_core.reporting.layout import Panel, Section, panel_of


def record_section(subject: Subject) -> Section:
    """Reasons in the user's words, hashes, seeds, the device's state, fits, and what else was
    considered."""
    fits = Panel("Fits")
    if subject.predictors:
        fits = panel_of("Fits", coefficients.fits.compute(subject.given))
    told: dict[str, Card | None] = {
        "Seeds and versions": record.seeds(subject),
        "The device and how it measured": record.circumstances(subject.table.record),
        "What else was considered": record.considered(subject),
    }
    panels = (
        panel_of("Reasons", record.rationale(subject)),
        panel_of("What was asked", record.asked(subject)),
        panel_of("Hashes", record.hashes(subject)),
        replace(fits, points=subject.refused),
        *(panel_of(title, card) for title, card in told.items() if card is not None),
    )
    return Section("record", "Decision record", (), panels)
