"""What it rests on: how the subnets were measured, whether the supernet ranks them, and int8."""

import pandas as pd

from foxnas_core.errors import FoxnasError
from foxnas_core.evidence.trust.report import (
    ALL,
    INHERITED,
    TRAINED,
    WITHIN,
    TrustReport,
    trust_report,
)
from foxnas_core.figures.measurements import check_table
from foxnas_core.figures.quantization import side_by_side
from foxnas_core.quantization.comparison import compare_precisions, has_both_precisions
from foxnas_core.reporting.layout import Panel, Section, table_of
from foxnas_core.reporting.subject import Subject
from foxnas_core.study.storage import Study, file_hash
from foxnas_core.table.latency_verdicts import judge
from foxnas_core.table.measurements import MeasurementTable
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
    found = reliability_of(table)
    if found:
        sentences.append(found.sentence)
    panels = [Panel("What was measured", tables=(table_of(counted, "Measured targets"),))]
    if subject.cost is not None:
        panels.append(_badges(table, subject.cost))
    for panel in (_trust(subject.study), _quantization(table, subject.study)):
        if panel is not None:
            panels.append(panel)
    return Section("measurements", "Measurements", tuple(sentences), tuple(panels))


def _badges(table: MeasurementTable, column: str) -> Panel:
    counts = check_table(judge(table, column))
    return Panel(
        "Whether the latencies can be relied on",
        (
            "For each check, the rows that passed it, failed it, and those for which its figures "
            "were not recorded; the badge is over all checks. No fit reads a latency that failed.",
        ),
        tables=(table_of(counts, f"Checks of {column}"),),
    )


def _trust(study: Study) -> Panel | None:
    title = "Whether the supernet's ranking can be trusted"
    try:
        record = study.trust()
        if record is None or not record.pairs:
            return None
        report = trust_report(record.pairs, seed=record.pairs[0].seed)
    except FoxnasError as error:
        return Panel(title, (str(error),))
    sentences = [
        report.sentence(), report.resolution_sentence(), report.recalibration_sentence(),
    ]  # fmt: skip
    if study.checkpoint_file.exists():
        own = file_hash(study.checkpoint_file)
        if own != record.parents["checkpoint"]:
            sentences.append(
                f"These subnets were trained beside other weights ({record.parents['checkpoint']}) "
                f"than the study has now ({own})."
            )
    if report.advice():
        sentences.append("What would raise it:")
    return Panel(
        title,
        tuple(sentence for sentence in sentences if sentence),
        tuple(report.advice()),
        tables=(table_of(_agreements(report), "Kendall's tau with its 95 % interval"),),
    )


def _agreements(report: TrustReport) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "inherited": INHERITED[a.inherited], "compared with": TRAINED[a.trained],
                "among": a.scope, "subnets": a.subnets, "tau": a.tau, "low": a.low, "high": a.high,
            }
            for a in report.agreements
            if a.scope in (ALL, WITHIN)
        ]
    )  # fmt: skip


def _quantization(table: MeasurementTable, study: Study) -> Panel | None:
    if not has_both_precisions(table):
        return None
    title = "What int8 costs and wins"
    try:
        comparison = compare_precisions([(study.folder.name, table)])
    except FoxnasError as error:
        return Panel(title, (str(error),))
    caption = "Means over subnets, and what int8 changes with its 95 % interval"
    return Panel(
        title,
        tuple(comparison.sentences()),
        tables=(table_of(side_by_side(comparison), caption),),
    )
