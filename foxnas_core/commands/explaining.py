"""The commands that tell what can be told of a study: explain, query."""

import argparse
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import pandas as pd

from foxnas_core.cards.analysis import Analysis, analyses, analysis_of
from foxnas_core.cards.card import Card
from foxnas_core.cards.given import Given
from foxnas_core.commands.printing import Answer
from foxnas_core.commands.shared import check_bound, named_architecture, say
from foxnas_core.errors import InvalidInput
from foxnas_core.families import family_of
from foxnas_core.study import open_study
from foxnas_core.table.metrics import metric_of
from foxnas_core.table.sums import Costs


def explain(options: argparse.Namespace) -> Answer:
    """The card of one analysis, or without any named all that there are."""
    study = open_study(options.study)
    check_bound(options.cost or study.cost.column, options.budget)
    given = Given(
        study,
        options.objective,
        options.cost,
        options.target,
        options.form,
        options.link,
        options.intervals,
        options.budget,
        options.architecture and named_architecture(study, options.architecture),
        options.beside and Given(open_study(options.beside)),
        options.campaign,
        options.against,
        options.start and named_architecture(study, options.start),
        effects=options.effects,
        at=options.at,
        guard=options.guard,
    )
    if options.analysis is None:
        return _every(given)
    found = analysis_of(options.analysis)
    card = found.compute(given, **_picked(found, given, options.option))
    return Answer({"analysis": found.key, "page": found.page} | card.to_dict(), (card,))


def query(options: argparse.Namespace) -> Answer:
    """What is known of one architecture, in every column or in those that are asked for, or what
    each choice adds to them."""
    from foxnas_core.steps.query import Asked

    study = open_study(options.study)
    asked = Asked(study)
    if options.costs:
        return _costs(asked.all_costs(options.metric))
    architecture = named_architecture(study, options.architecture)
    found = asked.known(architecture, options.metric)
    for sentence in found.refused:
        say(sentence)
    rows = []
    for column, known in found.metrics.items():
        metric = metric_of(column)
        numbers, source = (known.value, known.low, known.high), str(known.source)
        if known.expected is not None:
            source = f"expected of what is searched for; predicted {metric.text(known.value)}"
            numbers = (known.expected, known.expected_low, known.expected_high)
        told = [None if number is None else metric.text(number) for number in numbers]
        rows.append((metric.named, *told, source))
    number = "" if found.index is None else f", number {found.index:,} of the published benchmark"
    written = f": {found.string}" if found.string else ""
    cards = [
        Card(
            sentence=f"Architecture {found.architecture.id}{number}{written}.",
            table=pd.DataFrame(rows, columns=["metric", "value", "low", "high", "source"]),
        )
    ]
    document = found.to_dict()
    if options.network:
        network = family_of(study.space).configuration(study.space, architecture)
        lines = pd.DataFrame((network or {}).items(), columns=["field", "value"]).astype(str)
        none = "" if network else "No benchmark published the space, so none says its networks."
        cards.append(Card(title="Network", sentence=none, table=lines))
        document["network"] = network
    return Answer(document, tuple(cards))


def _costs(found: Mapping[str, Costs]) -> Answer:
    """Tables of costs, by column."""
    cards = [
        Card(title=metric_of(column).named, sentence=own.sentence, table=own.frame())
        for column, own in found.items()
    ]
    return Answer({"costs": {c: own.to_dict() for c, own in found.items()}}, tuple(cards))


def _every(given: Given) -> Answer:
    """The analyses, and why some can't run yet."""
    rows: list[dict[str, Any]] = []
    for key, one in analyses().items():
        needs = one.needs(given)
        values = {name: [str(v) for v in own] for name, own in one.options(given).items()}
        rows.append({"analysis": key, "title": one.title, "options": values, "needs": needs})
    lacking: dict[str, list[str]] = {}
    for row in rows:
        if row["needs"] is not None:
            lacking.setdefault(row["needs"], []).append(row["analysis"])
    ready = [row for row in rows if row["needs"] is None]
    card = Card(
        title="Analyses",
        sentence=f"{len(ready)} of {len(rows)} can be asked of this study by --analysis. Options "
        "are given by --option NAME=VALUE; a value that there isn't is answered with all there "
        "are.",
        table=pd.DataFrame(
            [{**row, "options": ", ".join(row["options"])} for row in ready],
            columns=["analysis", "title", "options"],
        ),
        points=tuple(f"{', '.join(keys)}: {needs}" for needs, keys in lacking.items()),
    )
    return Answer({"analyses": rows}, (card,))


def _picked(
    analysis: Analysis, given: Given, options: Sequence[tuple[str, str]]
) -> dict[str, Hashable]:
    """The options of an analysis by the values that they may have.

    Raises `InvalidInput` for what is none of those.
    """
    known = {name: {str(v): v for v in own} for name, own in analysis.options(given).items()}
    picked = {}
    for name, value in options:
        if value not in known.get(name, {}):
            may = "; ".join(f"{n}={'|'.join(own)}" for n, own in known.items()) or "no option"
            raise InvalidInput(f"{analysis.key} has no {name}={value}; it takes {may}.")
        picked[name] = known[name][value]
    return picked
