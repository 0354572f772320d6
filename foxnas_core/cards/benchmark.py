"""What a benchmark of blocks says of whole networks."""

import numpy as np
import pandas as pd

from foxnas_core.cards.analysis import analysis
from foxnas_core.cards.card import Card
from foxnas_core.cards.given import Given
from foxnas_core.cards.sharing import shared
from foxnas_core.devices.blocks import LEAST_NETWORKS, NEAR, Bounded, SumsOfBlocks, judged_blocks
from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.table.metrics import Metric, metric_of
from foxnas_core.table.refusals import told_refusals


@shared("blocks.parquet")
def _judged(given: Given) -> dict[str, SumsOfBlocks]:
    return judged_blocks(given.study.table(), given.study.blocks())


def no_blocks(given: Given) -> str | None:
    """Why there is nothing to judge yet."""
    study = given.study
    if study.blocks_file.exists() and _judged(given):
        return None
    return (
        f"No block of this study was measured by itself, or fewer than {LEAST_NETWORKS} whole "
        f"networks beside them; 'python -m foxnas_core bench --study {given.folder}' measures both "
        "where networks of the space are chains of blocks."
    )


@analysis("Devices", "block-sums", "Whole networks and the sums of their blocks", no_blocks)
def blocks(given: Given) -> Card:
    """How far each column's sums are off."""
    return judged_card(list(_judged(given).values()), given.study.blocks())


def judged_card(judged: list[SumsOfBlocks], measured: MeasurementTable) -> Card:
    """The verdict on each column, and what each of `measured` blocks was timed by."""
    return Card(
        sentence="A whole network, held against the sum of its blocks, each measured by itself. A "
        "call of the runtime is counted with each block, which shows as a constant; what it fuses "
        "or keeps in its cache across blocks shows as a factor.",
        points=tuple(_sentence(own, measured) for own in judged),
        table=pd.DataFrame([_row(own, measured) for own in judged]),
        notes=(
            f"Near: within {NEAR:.0%} of what was measured. Intervals are 95 % bootstraps over "
            "networks; the line near which networks are counted is that of all others.",
            *told_refusals(measured, "blocks"),
        ),
    )


def _row(own: SumsOfBlocks, measured: MeasurementTable) -> dict[str, object]:
    metric = metric_of(own.column)
    return {
        "column": metric.named,
        "verdict": own.verdict,
        "blocks": len(measured.frame),
        "rounds": _rounds(measured, own.column),
        "spread of a block (%)": round(_spread(measured, own.column), 1),
        "networks": own.networks,
        "measured / sum": _told(own.ratio, ".3f"),
        "near the sum (%)": round(100 * own.near),
        f"constant ({metric.unit})": _told(own.constant, ".3g"),
        "factor": _told(own.factor, ".3f"),
        "near the line (%)": round(100 * own.near_line),
        f"a call ({metric.unit})": f"{own.call:.2g}",
        f"cheapest block ({metric.unit})": f"{own.least:.2g}",
    }


def _sentence(own: SumsOfBlocks, measured: MeasurementTable) -> str:
    metric: Metric = metric_of(own.column)
    constant, unit = own.constant, metric.unit
    said = "minus" if constant.value < 0 else "plus"
    return (
        f"{metric.named}: {own.verdict}. {own.networks} networks take {_told(own.ratio, '.3f')} of "
        f"their sums in the median, and {own.near:.0%} are within {NEAR:.0%} of them. Measured is "
        f"{_told(own.factor, '.3f')} × sum {said} {abs(constant.value):.2g} {unit}, near which "
        f"{own.near_line:.0%} are: {own.call:.2g} {unit} a call of the runtime, where the cheapest "
        f"block takes {own.least:.2g}."
    )


def _told(own: Bounded, form: str) -> str:
    return f"{own.value:{form}} ({own.low:{form}} to {own.high:{form}})"


def _rounds(measured: MeasurementTable, column: str) -> int | None:
    names = measured.frame.get(f"campaign_{column}", pd.Series(dtype=object)).dropna()
    campaigns = measured.record.get("campaigns", {})
    told = [campaigns.get(name, {}).get("rounds") for name in names.unique()]
    return next((int(rounds) for rounds in told if isinstance(rounds, int)), None)


def _spread(measured: MeasurementTable, column: str) -> float:
    """The median over blocks of the range of their rounds, in percent; NaN where not told."""
    frame, ends = measured.frame, [f"{side}_{column}" for side in ("low", "high")]
    if not set(ends) <= set(frame.columns):
        return np.nan
    return float(100 * ((frame[ends[1]] - frame[ends[0]]) / frame[column]).median())
