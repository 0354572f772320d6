"""What it rests on: how the subnets were measured, whether the supernet ranks them, and int8."""

from dataclasses import replace

from foxnas_core.cards import (
    decisions,
    devices,
    handmade,
    measurements,
    mixtures,
    operations,
    quantization,
    trust,
)
from foxnas_core.cards.analysis import Analysis
from foxnas_core.cards.given import Given
from foxnas_core.cards.subject import Subject
from foxnas_core.reporting.layout import Section, analysed, panel_of


def measurement_section(subject: Subject) -> Section:
    """The measured table, its badges, the trust meter and what int8 does, where the study has
    them."""
    card, panels = measurements.targets.compute(subject.given), []
    panels.append(panel_of("What was measured", replace(card, sentence="", points=())))
    for analyses in (
        (measurements.verdict, measurements.checks),
        (trust.verdict, trust.advice, trust.agreement),
        (quantization.costs, quantization.variants),
        (devices.difference, devices.gaps, devices.blocks),
        (handmade.verdict, handmade.networks, handmade.ratios, handmade.how),
        (operations.claim, *_ways(subject.given), operations.agreement),
        (decisions.other_orders,),
        (mixtures.parameters,),
        (mixtures.selected,),
    ):
        title = "Two devices" if analyses[0] is devices.difference else analyses[0].title
        panel = analysed(subject.given, title, *analyses)
        if panel is not None:
            panels.append(panel)
    return Section("measurements", "Measurements", (card.sentence, *card.points), tuple(panels))


def _ways(given: Given) -> tuple[Analysis, ...]:
    """The maps of what operations are worth that there are."""
    return tuple(one for one in operations.maps.values() if one.needs(given) is None)
