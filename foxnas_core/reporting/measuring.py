"""What it rests on: how the subnets were measured, whether the supernet ranks them, and int8."""

import pandas as pd

from foxnas_core.cards import devices, handmade, measurements, quantization, trust
from foxnas_core.reporting.layout import Panel, Section, analysed, table_of
from foxnas_core.reporting.subject import Subject
from foxnas_core.table.metrics import metric_of
from foxnas_core.table.reliability import reliability_of


def measurement_section(subject: Subject) -> Section:
    """The measured table, its badges, the trust meter and what int8 does, where the study has
    them."""
    table = subject.table
    counted = pd.DataFrame(
        [
            {"target": t.label, "unit": t.unit, "rows": table.known(t.column)}
            | {
                name: t.text(float(table.frame[t.column].agg(how)))
                for name, how in (("least", "min"), ("median", "median"), ("most", "max"))
            }
            for t in table.targets
        ]
    )
    sentences = [
        f"{len(table):,} rows of {table.frame['id'].nunique():,} subnets.",
    ]
    if not table.ordered:
        sentences.append(
            "The table does not tell the order of the blocks in a stage: forms with one term a "
            "block slot are not offered, and blocks are shown in one canonical order."
        )
    found = reliability_of(table, metric_of(subject.objective))
    if found:
        sentences.append(found.sentence)
    panels = [Panel("What was measured", tables=(table_of(counted, "Measured targets"),))]
    for analyses in (
        (measurements.verdict, measurements.checks),
        (trust.verdict, trust.advice, trust.agreement),
        (quantization.costs, quantization.variants),
        (devices.difference, devices.gaps, devices.blocks),
        (handmade.verdict, handmade.networks, handmade.ratios, handmade.how),
    ):
        title = "Two devices" if analyses[0] is devices.difference else analyses[0].title
        panel = analysed(subject.given, title, *analyses)
        if panel is not None:
            panels.append(panel)
    return Section("measurements", "Measurements", tuple(sentences), tuple(panels))
