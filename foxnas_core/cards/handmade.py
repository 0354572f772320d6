"""Networks designed by hand beside searched ones: same recipe, same meter."""

import math

from foxnas_core.cards.analysis import Options, analysis
from foxnas_core.cards.card import Card
from foxnas_core.cards.given import Given, known
from foxnas_core.cards.sharing import shared
from foxnas_core.evidence.handmade.claims import WAYS, Comparison, compare
from foxnas_core.evidence.handmade.record import ALONE, HANDMADE, PRECISIONS, HandmadeRecord
from foxnas_core.figures import handmade as figures
from foxnas_core.steps.handmade import ComparisonSettings

INT8 = ":int8"


@shared("handmade.json", table=False)
def _record(given: Given) -> HandmadeRecord | None:
    return given.study.record(HANDMADE)


@shared("handmade.json", table=False, entries=32)
def _comparison(given: Given, way: str, precision: str) -> Comparison:
    record = known(_record(given))
    # The seed of the command line's first run, so that both say the same.
    seed = record.seeds[0] if record.seeds else 0
    return compare(record, way=way, precision=precision, seed=seed)


def not_begun(given: Given) -> str | None:
    """Why there is nothing to tell yet."""
    if _record(given) is not None:
        return None
    return _no_weights(given) or (
        "No network designed by hand was trained on this study's images yet. 'python -m "
        "foxnas_core handmade' trains some beside searched ones, goes on where it was after a "
        "stop, and measures all when the last is done; it takes an hour or more."
    )


def _no_weights(given: Given) -> str | None:
    if _record(given) is not None or given.study.checkpoint_file.exists():
        return None
    return (
        "This study has no supernet whose subnets and recipe networks designed by hand could be "
        "held against; train one with 'python -m foxnas_core train', or copy its weights into the "
        "study's folder."
    )


def not_timed(given: Given) -> str | None:
    """Why networks can't be held against each other yet."""
    if (lacking := not_begun(given)) is not None:
        return lacking
    record = known(_record(given))
    if record.timed:
        return None
    trained = sum(bool(c.of(ALONE)) for c in record.contenders)
    return (
        f"{trained} of {len(record.contenders)} networks are trained. Latencies are measured when "
        "all are, so that one campaign visits them all; until then there is only accuracy."
    )


def _both(given: Given) -> Options:
    return {"precision": PRECISIONS, "way": WAYS}


@analysis("Hand-designed", "verdict", "Whether searched networks are faster", not_timed, _both)
def verdict(given: Given, *, precision: str = INT8, way: str = ALONE) -> Card:
    """How many are beaten, and a sentence a family with the paper's figure."""
    comparison = _comparison(given, way, precision)
    return Card(
        sentence=comparison.sentence(),
        tone="info",
        points=tuple(comparison.family_sentence(family) for family in comparison.families()),
    )


@analysis("Hand-designed", "networks", "Accuracy against latency", not_timed, _both)
def networks(given: Given, *, precision: str = INT8, way: str = ALONE) -> Card:
    table = figures.network_table(known(_record(given)))
    return Card(
        sentence="Up and to the left is better. Bars are 95 % intervals of accuracy, and the least "
        "and greatest round of latency; the dotted line is the front of the searched networks, "
        f"{WAYS[way]}.",
        table=table,
        draw=lambda: figures.network_figure(table, _comparison(given, way, precision)),
    )


@analysis("Hand-designed", "ratios", "How much faster at equal accuracy", not_timed, _both)
def ratios(given: Given, *, precision: str = INT8, way: str = ALONE) -> Card:
    comparison = _comparison(given, way, precision)
    return Card(
        sentence="Latency of the hand-designed network over that of the searched front at its "
        "accuracy: right of 1 the searched are faster. A triangle is at least that, a cross at 0 "
        "means that no searched network reaches the accuracy. Bars are 95 % intervals.",
        table=figures.claim_table(comparison),
        draw=lambda: figures.claim_figure(comparison),
    )


@analysis("Hand-designed", "trained", "Trained so far", not_begun)
def trained(given: Given) -> Card:
    return Card(
        key="networks",
        sentence="Accuracy (%) of what is done, with its 95 % interval.",
        table=figures.network_table(known(_record(given))),
    )


@analysis("Hand-designed", "how", "How it was measured", not_begun)
def how(given: Given) -> Card:
    """How all of it was trained and measured, and what that leaves open."""
    record = known(_record(given))
    recipe, told, own = record.recipe, record.circumstances, record.parents["checkpoint"]
    chosen = sum(c.searched for c in record.contenders)
    lines = [
        "MobileNetV2, MobileNetV3-Small and EfficientNet-Lite0 are those of their papers' tables, "
        "every width scaled alike. The stem has the stride of this study's; further strides are "
        "the tables' own until the map would have fewer than 4 pixels a side.",
    ]
    if told:
        lines.append(
            f"Latencies are of one campaign on {told['device']}, {told['runtime']}, "
            f"{told['threads']} thread, {told['rounds']} rounds that each visit all networks in "
            "both precisions, in a new order."
        )
    spread = record.seed_spread("")
    lines.append(
        f"One network's accuracy in fp32 differs from seed to seed by {spread:.2f} points "
        "(standard deviation), which the intervals hold."
        if math.isfinite(spread)
        else "Each was trained once: what another seed would change is in no interval; the command "
        "below with another --seed tells."
    )
    others = (
        f"These networks stand beside subnets of checkpoint {own}, and the study has another one "
        "now; move handmade.json away and run the command anew.",
    )
    return Card(
        sentence=f"Every network was trained alone on {record.training_images:,} images of "
        f"{record.dataset} for {recipe['epochs']:g} epochs by one recipe (batch "
        f"{recipe['batch']:g}, learning rate {recipe['learning_rate']:g}); the {chosen} searched "
        "ones also stand with the weights they inherit from the supernet.",
        points=tuple(lines),
        cautions=others if given.weights() not in ("", own) else (),
    )


@analysis("Hand-designed", "more", "Train by another seed", _no_weights)
def more(given: Given) -> Card:
    """The command that trains the networks, or goes on."""
    record, command = _record(given), f"handmade --study {given.folder}"
    if record is None:
        return Card(
            title="Train some",
            sentence=not_begun(given) or "",
            tone="info",
            command=f"{command} --epochs {ComparisonSettings.epochs} --seed 1",
        )
    widths = sorted({c.width for c in record.contenders if c.width is not None})
    said = " ".join(f"{width:g}" for width in widths)
    seeds, timed = record.seeds, record.timed
    seed = seeds[-1] + 1 if timed and seeds else (seeds or (1,))[-1]
    return Card(
        title="Train by another seed" if timed else "Go on",
        sentence="Another seed tells what training differs by."
        if timed
        else "What is done is kept; the command goes on from there.",
        command=f"{command} --widths {said} --epochs {record.recipe['epochs']:g} --seed {seed}",
    )
