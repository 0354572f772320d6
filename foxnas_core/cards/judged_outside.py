"""Selections for unseen domains, judged by training what they select from scratch."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from foxnas_core.cards.analysis import analysis
from foxnas_core.cards.card import Card
from foxnas_core.cards.given import Given, known
from foxnas_core.cards.judged import judged_record
from foxnas_core.evidence.cases import PairedGain, paired_gain
from foxnas_core.evidence.judged import (
    HELD_AT_SIZE,
    MADE,
    MADE_AT_SIZE,
    RANDOM_AT_SIZE,
    SEEN,
    JudgedRecord,
    judged_table,
    paired,
)
from foxnas_core.table.metrics import Metric, metric_of

_EQUAL = 1.0
"""Points by which an accuracy may be lower and yet be called equal."""


def not_judged(given: Given) -> str | None:
    """Why there is nothing to judge by yet."""
    record = judged_record(given)
    if record and record.outside:
        return None
    return (
        "No network that was selected for unseen domains was trained from scratch yet. Select with "
        f"'python -m foxnas_core select --study {given.folder} --method ood' by three seeds or "
        "more; 'python -m foxnas_core judge' then trains what made images, a held-out domain and "
        "seen domains select."
    )


@analysis("Select", "judged-outside", "Judged by training alone", not_judged)
def judged_outside(given: Given) -> Card:
    """What networks that were selected for unseen domains reach there when trained from scratch."""
    from foxnas_core.figures.judged import judged_figure

    record = known(judged_record(given))
    table, metric = judged_table(record), metric_of(record.objective)
    return Card(
        sentence=_verdict(record, metric),
        table=table,
        draw=lambda: judged_figure(table, metric),
        points=tuple((*_others(record, metric), *_fewer_weights(record, metric))),
        notes=(
            f"Every network that was trained is shown: {record.recipe['epochs']:g} epochs over "
            f"{record.training_images:,} images of {record.dataset}, by one recipe. A seed gives "
            "the supernet, the generator, the candidates, and how the networks were trained; bars "
            "are two standard errors over images, intervals are over seeds.",
            "Equal size: MACs within a tenth of those of what seen domains select. Unseen domains "
            "were looked at by no selection.",
        ),
        command=f"judge --study {given.folder}",
    )


def _verdict(record: JudgedRecord, metric: Metric) -> str:
    gains = paired(record, MADE_AT_SIZE, HELD_AT_SIZE)
    if len(gains) < 2:
        return "Fewer than two seeds have a network of both selections, so that nothing is told."
    gain = _over_seeds(gains)
    verdict = "is not told apart from"
    if gain.told_apart:
        verdict = "beats" if gain.mean > 0 else "does not beat"
    return (
        f"At equal size the game {verdict} selection by a held-out domain: "
        f"{_told(gains, metric)} in unseen domains over {len(gains)} seeds."
    )


def _others(record: JudgedRecord, metric: Metric) -> Iterator[str]:
    for one, other in (
        (MADE_AT_SIZE, SEEN),
        (HELD_AT_SIZE, SEEN),
        (MADE_AT_SIZE, RANDOM_AT_SIZE),
    ):
        gains = paired(record, one, other)
        if len(gains) > 1:
            each = ", ".join(metric.difference_text(gain, signed=True) for gain in gains)
            yield f"{one.capitalize()}, less {other}: {_told(gains, metric)}; by seed {each}."


def _fewer_weights(record: JudgedRecord, metric: Metric) -> Iterator[str]:
    """Whether made images select fewer weights at equal quality, as the paper claims."""
    gains = paired(record, MADE, SEEN)
    if len(gains) < 2 or not all("parameters" in own.columns for own in record.networks):
        return
    more = paired(record, MADE, SEEN, "parameters")
    gain = _over_seeds(metric.sign * gains)
    fewer = int((more < 0).sum())
    verdict = "not decided"
    if fewer == len(more) and gain.low > -_EQUAL:
        verdict = "shown"
    elif more.mean() >= 0 or gain.high < 0:
        verdict = "refuted"
    size = metric_of("parameters").difference_text(float(more.mean()), signed=True)
    yield (
        f"Fewer weights at equal {metric.bare.word} in unseen domains, which NAS-OoD claims, is "
        f"{verdict} here: of any size, what made images select has {size} on average than what "
        f"seen domains do (fewer in {fewer} of {len(more)} seeds) and {_told(gains, metric)}."
    )


def _over_seeds(gains: pd.Series) -> PairedGain:
    return paired_gain(gains.to_numpy(), np.zeros(len(gains)))


def _told(gains: pd.Series, metric: Metric) -> str:
    gain = _over_seeds(gains)
    return (
        f"{metric.difference_text(gain.mean, signed=True)} (95 % interval "
        f"{metric.interval_text(gain.low, gain.high, signed=True)})"
    )
