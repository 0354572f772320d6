"""Selections judged by training what they select from scratch."""

import pandas as pd

from foxnas_core.cards.analysis import analysis
from foxnas_core.cards.card import Card
from foxnas_core.cards.given import Given, known
from foxnas_core.cards.sharing import shared
from foxnas_core.evidence.judged import (
    BEST,
    JUDGED,
    LARGEST,
    MAGNITUDE,
    PERTURBATION,
    RANDOM,
    JudgedRecord,
    gain_over_cases,
    judged_table,
    paired,
    ranks,
)
from foxnas_core.families import family_of
from foxnas_core.table.metrics import metric_of

ENOUGH = 4
"""Paired seeds from which a median is said to tell something."""


@shared("judged.json", table=False)
def judged_record(given: Given) -> JudgedRecord | None:
    return given.study.record(JUDGED)


def not_judged(given: Given) -> str | None:
    """Why there is nothing to judge by yet."""
    record = judged_record(given)
    if record and record.networks and not record.outside:
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

    record = known(judged_record(given))
    table, metric = _sized(given, judged_table(record), record), metric_of(record.objective)
    return Card(
        sentence=_verdict(given, record),
        table=table,
        draw=lambda: judged_figure(table, metric),
        points=tuple(filter(None, (*_others(record), _by_truth(record)))),
        notes=_notes(record),
        cautions=_outdated(given, record),
        command=f"judge --study {given.folder}",
    )


def _sizes(given: Given, record: JudgedRecord) -> dict[str, float]:
    """The parameters of each network, as it is written, where they can be counted."""
    space = given.study.space
    codes = space.encode([own.architecture for own in record.networks])
    counts = family_of(space).totals(space, codes, "parameters")
    written = [own.written for own in record.networks]
    return {} if counts is None else dict(zip(written, map(float, counts), strict=True))


def _sized(given: Given, table: pd.DataFrame, record: JudgedRecord) -> pd.DataFrame:
    sizes = _sizes(given, record)
    return table.assign(parameters=table["network"].map(sizes).astype(int)) if sizes else table


def _notes(record: JudgedRecord) -> tuple[str, ...]:
    by_seed = ["the supernet"]
    by_seed += ["the order in which its edges were decided"] * (PERTURBATION in record.choices)
    by_seed += ["the random network"] * (RANDOM in record.choices)
    notes = [
        f"Every network that was trained is shown: {record.recipe['epochs']:g} epochs over "
        f"{record.training_images:,} images of {record.dataset}, scored on "
        f"{record.held_out_images:,} others. A seed gives {', '.join(by_seed)}, and how all of its "
        "networks were trained; bars are two standard errors of the images, not of training anew.",
        "Best inherited is the measured network that scores best by the supernet's weights, "
        "largest that of the whole space."
        if {BEST, LARGEST} <= {*record.choices}
        else "",
        "Intervals (95 %) are of the mean paired difference over held-out cases, each the mean of "
        "its seeds: of other cases, not of training anew."
        if any(own.cases for own in record.networks)
        else "",
    ]
    return tuple(filter(None, notes))


def _judged_choice(record: JudgedRecord) -> str:
    """The selection that others are held against."""
    return next(own for own in (PERTURBATION, *record.choices) if own in record.choices)


def _verdict(given: Given, record: JudgedRecord) -> str:
    if PERTURBATION not in record.choices:
        return _by_cases(given, record)
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


def _by_cases(given: Given, record: JudgedRecord) -> str:
    """How one selection stands to each other network, case by case."""
    own, sign = _judged_choice(record), metric_of(record.objective).sign
    told: dict[str, list[str]] = {"better than": [], "worse than": [], "not told apart from": []}
    for other in record.choices:
        gain = gain_over_cases(record, own, other)
        if gain is not None and other != own:
            how = "better" if sign * gain.mean > 0 else "worse"
            told[f"{how} than" if gain.told_apart else "not told apart from"].append(other)
    said = "; ".join(f"{how} {', '.join(names)}" for how, names in told.items() if names)
    if not said:
        return f"No other network was trained beside what {own} selects yet."
    return f"What {own} selects is, on the same cases, {said}{_smaller(given, record, own)}."


def _smaller(given: Given, record: JudgedRecord, own: str) -> str:
    """Of the networks of a choice, how many parameters they have, beside all others'."""
    sizes, metric = _sizes(given, record), metric_of("parameters")
    if not sizes:
        return ""
    each = {
        choice: [sizes[one.written] for one in record.networks if one.choice == choice]
        for choice in record.choices
    }
    told = ", ".join(
        f"{choice} {metric.text(sum(found) / len(found))}"
        for choice, found in each.items()
        if choice != own
    )
    mean = metric.text(sum(each[own]) / len(each[own]))
    return f"; it has {mean} parameters in the mean ({told})"


def _others(record: JudgedRecord) -> list[str]:
    metric, found, one = metric_of(record.objective), [], _judged_choice(record)
    for other in record.choices:
        gains = paired(record, one, other)
        if other == one or gains.empty or (one, other) == (PERTURBATION, MAGNITUDE):
            continue
        each = ", ".join(metric.difference_text(gain, signed=True) for gain in gains)
        cases = gain_over_cases(record, one, other)
        interval = ","
        if cases is not None:
            mean = metric.difference_text(cases.mean, signed=True)
            ends = metric.interval_text(cases.low, cases.high, signed=True)
            interval = f": {mean} ({ends}) over {cases.cases} cases;"
        found.append(f"{one[:1].upper()}{one[1:]} less {other}{interval} seed by seed: {each}.")
    return found


def _by_truth(record: JudgedRecord) -> str:
    if not record.truth:
        return ""
    told = "; ".join(
        f"{choice} {', '.join(f'{rank:,}' for rank in own)}"
        for choice in record.choices
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
