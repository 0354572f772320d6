"""How what was found stands to what was measured, in words."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from foxnas_core.cards.quest import Quest
from foxnas_core.errors import FoxnasError
from foxnas_core.search.guard import in_measurements
from foxnas_core.search.limits import noun_of
from foxnas_core.search.problem import Candidate
from foxnas_core.search.standing import Standing, standing
from foxnas_core.table.measurements import empty_table
from foxnas_core.table.metrics import Metric, metric_of
from foxnas_core.table.readings import Readings


def standing_of(quest: Quest, candidate: Candidate) -> Standing:
    """How an answer stands to what was measured within the limits as they were chosen."""
    given, found = quest.given, {**quest.calibrations, **quest.told}.get(quest.objective)
    optima = empty_table(given.study.space)
    with suppress(FoxnasError):  # damaged, of which the page that shows them tells
        optima = given.optima()
    return standing(
        quest.problem,
        candidate,
        given.table,
        optima,
        bounds={target.column: bound for target, bound, _ in quest.asked},
        as_searched=None if found is None else found.interval(candidate.value)[0],
    )


def in_order(found: Standing, targets: Sequence[Metric], *told: str) -> str:
    """The sentences of an answer: first what was measured better, then what is `told` of what was
    found, what that measured, and that it is predicted beyond anything measured."""
    first = first_sentence(found, targets)
    return " ".join(
        filter(None, (first, *told, own_sentence(found, targets), beyond_sentence(found)))
    )


def measured_text(readings: Readings, targets: Sequence[Metric]) -> str:
    """What was measured of targets, each with its unit: "69.15 % and 3.51 ms"; "" for nothing."""
    known = [t for t in targets if t.column in readings]
    told = [f"{t.text(readings[t.column].value)} {t.unit or noun_of(t)}" for t in known]
    return " and ".join([", ".join(told[:-1]), told[-1]] if told[1:] else told)


def source_of(found: Standing) -> str:
    """What answers: the "table" that holds every architecture, a "measured" row that is better than
    what was found, or the "regression"."""
    if found.whole:
        return "table"
    return "measured" if found.measured_first else "regression"


def first_sentence(found: Standing, targets: Sequence[Metric]) -> str:
    """That the answer is the table's, or that a measured architecture is better; "" where neither
    is so."""
    if found.whole:
        return found.whole.sentence
    best, target = found.incumbent, found.objective
    if best is None or not found.measured_first:
        return ""
    column = target.column
    luck = ""
    if target.text(found.rival) != target.text(best.readings[column].value):
        luck = (
            f" ({target.value_text(found.rival)} is expected when it is measured again, since the "
            "best of many was lucky)"
        )
    elif not best.readings[column].error > 0 and best.rivals > 1:
        luck = " (the table tells no errors of measuring, so part of its lead may be luck)"
    again = ""
    if found.rival_keeps not in (None, 1.0):  # which what is counted keeps by no chance
        again = f"; measured again it keeps them in {in_measurements(found.rival_keeps)}"
    own = found.readings.get(column)
    value = target.value_text(found.expected if own is None else own.value)
    broken = _broken(found)
    return (
        f"Measured already, and better: subnet {best.architecture.id} with "
        f"{measured_text(best.readings, targets)}, the best of {best.rivals:,} measured within the "
        f"limits{luck}{again}. The search's own, {found.candidate.architecture.id}, "
        f"{'is expected at' if own is None else 'measured'} {value}{broken}."
    )


def own_sentence(found: Standing, targets: Sequence[Metric]) -> str:
    """What was measured of what was found, where that is not said first; "" where nothing was."""
    said = found.whole or found.measured_first
    told = "" if said else measured_text(found.readings, targets)
    return f"It was measured already: {told}{_broken(found)}." if told else ""


def _broken(found: Standing) -> str:
    """That what was found measured beyond a limit, after a comma."""
    told = [
        f"{noun_of(metric)} of {metric.value_text(found.readings[column].value)}"
        for column in found.broken
        for metric in (metric_of(column),)
    ]
    return f", but breaks a limit by a measured {' and '.join(told)}" if told else ""


def beyond_sentence(found: Standing) -> str:
    """That what was found is predicted beyond anything measured; "" where it is not."""
    told = [
        f"{metric.compared(better=True)} than anything measured ({metric.value_text(value)})"
        for column, value in found.beyond.items()
        for metric in (metric_of(column),)
    ]
    return f"It is predicted to be {' and '.join(told)}: measure it before you rely on it." if (
        told
    ) else ""  # fmt: skip


def incumbent_sentence(found: Standing, targets: Sequence[Metric]) -> str:
    """The best that was measured within the limits."""
    best = found.incumbent
    if best is None:
        return "No measured subnet keeps the limits."
    if best.architecture == found.candidate.architecture:
        return f"It is the best of {best.rivals:,} measured within the limits."
    return (
        f"The best measured of {best.rivals:,} within the limits is {best.architecture.id}: "
        f"{measured_text(best.readings, targets)}."
    )


def standing_document(found: Standing, targets: Sequence[Metric]) -> Mapping[str, Any]:
    """What `search --json` tells of it."""
    best = found.incumbent
    told = None if best is None else {
        "id": best.architecture.id,
        "architecture": best.architecture.to_dict(),
    }  # fmt: skip
    metrics = {} if best is None else {c: own.to_dict() for c, own in best.readings.items()}
    return {
        "source": source_of(found),
        "headline": first_sentence(found, targets) or beyond_sentence(found) or None,
        "best_measured": told and told | {"metrics": metrics, "chance": found.rival_keeps},
        "measured": told and told | metrics,
    }
