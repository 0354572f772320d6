"""Selections judged by training what they select from scratch."""

from foxnas_core.cards.analysis import analysis
from foxnas_core.cards.card import Card
from foxnas_core.cards.given import Given, known
from foxnas_core.cards.sharing import shared
from foxnas_core.evidence.judged import (
    BEST,
    CHOICES_OF_A_SEED,
    JUDGED,
    LARGEST,
    MAGNITUDE,
    PERTURBATION,
    RANDOM,
    JudgedRecord,
    judged_table,
    paired,
    ranks,
)
from foxnas_core.table.metrics import metric_of

ENOUGH = 4
"""Paired seeds from which a median is said to tell something."""


@shared("judged.json", table=False)
def _record(given: Given) -> JudgedRecord | None:
    return given.study.record(JUDGED)


def not_judged(given: Given) -> str | None:
    """Why there is nothing to judge by yet."""
    record = _record(given)
    if record and record.networks:
        return None
    return (
        "No selected network was trained from scratch yet. 'python -m foxnas_core judge' trains "
        "those of each seed's selections beside the best measured one, the largest and a random "
        "one, and goes on where it was after a stop."
    )


@analysis("Select", "judged", "Judged by training alone", not_judged)
def judged(given: Given) -> Card:
    """What selected networks reach when each is trained from scratch by one recipe."""
    from foxnas_core.figures.judged import judged_figure

    record = known(_record(given))
    table, metric = judged_table(record), metric_of(record.objective)
    return Card(
        sentence=_verdict(record),
        table=table,
        draw=lambda: judged_figure(table, metric),
        points=tuple(filter(None, (*_others(record), _by_truth(record)))),
        notes=(
            f"Every network that was trained is shown: {record.recipe['epochs']:g} epochs over "
            f"{record.training_images:,} images of {record.dataset}, scored on "
            f"{record.held_out_images:,} others. A seed gives the supernet, the order in which "
            "its edges were decided, the random network, and how all five were trained; bars are "
            "two standard errors of the images, not of training anew.",
            "Best inherited is the measured network that scores best by the supernet's weights, "
            "largest that of the whole space.",
        ),
        cautions=_outdated(given, record),
        command=f"judge --study {given.folder}",
    )


def _verdict(record: JudgedRecord) -> str:
    gains = paired(record, PERTURBATION, MAGNITUDE)
    if gains.empty:
        return "No seed has a network of both selections yet."
    metric = metric_of(record.objective)
    median, better = float(gains.median()), int((gains > 0).sum())
    verdict = "better" if median > 0 else "no better"
    few = "" if len(gains) >= ENOUGH else f", of which {ENOUGH} are needed to tell"
    return (
        f"What perturbation selects is {verdict} than what magnitude does in the median of "
        f"{len(gains)} paired seeds{few}: by {metric.difference_text(median, signed=True)}, and "
        f"in {better} of them."
    )


def _others(record: JudgedRecord) -> list[str]:
    metric, found = metric_of(record.objective), []
    for other in (BEST, LARGEST, RANDOM):
        gains = paired(record, PERTURBATION, other)
        if len(gains):
            each = ", ".join(metric.difference_text(gain, signed=True) for gain in gains)
            found.append(f"Perturbation less {other}, seed by seed: {each}.")
    return found


def _by_truth(record: JudgedRecord) -> str:
    if not record.truth:
        return ""
    told = "; ".join(
        f"{choice} {', '.join(f'{rank:,}' for rank in own)}"
        for choice in CHOICES_OF_A_SEED
        if (own := ranks(record, choice))
    )
    return (
        f"Ranks among {record.cells:,} cells by {record.truth}, which is another data set's and "
        f"another recipe's: {told}."
    )


def _outdated(given: Given, record: JudgedRecord) -> tuple[str, ...]:
    from foxnas_core.steps.judge import best_measured

    judged = {own.architecture for own in record.networks if own.choice == BEST}
    if not judged or best_measured(given.study) in (None, *judged):
        return ()
    return (
        "More was measured since, and another network inherits most by now; the command below "
        "trains that one too.",
    )
