"""Whether the supernet ranks subnets as training each of them alone does."""

import math

from foxnas_core.cards.analysis import Options, analysis
from foxnas_core.cards.card import Card, Tone
from foxnas_core.cards.given import Given, known
from foxnas_core.cards.sharing import shared
from foxnas_core.evidence.trust.agreement import INHERITED, METHOD, TRAINED
from foxnas_core.evidence.trust.pairs import TRUST, TrustRecord, TrustSettings
from foxnas_core.evidence.trust.report import ENOUGH, TrustReport, trust_report
from foxnas_core.figures import trust as figures

USUAL = 16


@shared("trust.json", table=False)
def _record(given: Given) -> TrustRecord | None:
    return given.study.record(TRUST)


@shared("trust.json", table=False)
def report_of(given: Given) -> TrustReport:
    """What the subnets that were trained alone tell; raises as the study's record."""
    record = _record(given)
    pairs = record.pairs if record else ()
    # The seed of the run, so that everybody says the same of it.
    seed = pairs[0].seed if pairs else 0
    return trust_report(pairs, seed=seed, quality=given.study.objective)


def no_pairs(given: Given) -> str | None:
    """Why there is nothing to compare yet."""
    record = _record(given)
    if record is not None and record.pairs:
        return None
    if not given.study.checkpoint_file.exists():
        return (
            "This study has no supernet whose ranking could be looked into; train one with "
            "'python -m foxnas_core train', or copy its weights into the study's folder."
        )
    return (
        "No subnet of this study was trained alone yet. 'python -m foxnas_core trust' trains some, "
        "from scratch and from what they inherit, and goes on where it was after a stop; each "
        "takes minutes to hours, and what is done shows here at once."
    )


def _ways(given: Given) -> Options:
    return {"trained": TRAINED}


def _both_ways(given: Given) -> Options:
    return {"trained": TRAINED, "inherited": INHERITED}


@analysis("Trust", "verdict", "Whether the supernet's ranking can be trusted", no_pairs)
def verdict(given: Given) -> Card:
    """The numbers that decide, and what follows from them."""
    record, report = known(_record(given)), report_of(given)
    main, offset, quality = report.agreement(), report.offset(), report.quality
    tones: dict[str, Tone] = {"holds": "good", "fails": "bad", "open": "warning", "few": "info"}
    own = record.parents["checkpoint"]
    others = given.weights() not in ("", own)
    further = (
        report.resolution_sentence(),
        report.noise_sentence(),
        report.recalibration_sentence(),
    )
    return Card(
        sentence=report.sentence(),
        tone=tones[report.verdict()],
        table=figures.agreement_table(report),
        facts={
            "Kendall's tau": f"{main.tau:.2f}" if math.isfinite(main.tau) else "none yet",
            "Pairs in the same order": f"{100 * (1 - report.reversed_share['alone']):.0f} %",
            "Training adds, mean": quality.difference_text(offset.mean, signed=True),
            "Lost by its first choice": quality.difference_text(report.regret["alone"]),
        },
        points=tuple(sentence for sentence in further if sentence),
        notes=(
            f"{report.count} subnets, inherited {quality.word} with recalibration against training "
            "from scratch. Lost by its first choice: how much worse the subnet that the supernet "
            "ranks first is, when trained, than the best of these; of 95 % of resampled subnets at "
            f"most {quality.difference_text(report.regret_high['alone'])}.",
        ),
        cautions=(
            f"These subnets were compared with checkpoint {own}, and the study has another one "
            "now; move trust.json away and run the command anew.",
        )
        if others
        else (),
    )


@analysis("Trust", "advice", "What would raise it", no_pairs)
def advice(given: Given) -> Card:
    advice = report_of(given).advice()
    return Card(
        sentence="What is known to make a supernet rank better, by what these subnets show."
        if advice
        else "Nothing that these subnets show asks for another training of the supernet.",
        points=tuple(advice),
    )


@analysis("Trust", "pairs", "Inherited and trained", no_pairs, _both_ways)
def pairs(given: Given, *, trained: str = "alone", inherited: str = "inherited") -> Card:
    record, report = known(_record(given)), report_of(given)
    table = figures.pair_table(report, record.pairs, given.study.space, trained)
    epochs = record.settings.epochs if trained == "alone" else record.settings.fine_tune_epochs
    return Card(
        sentence=f"Each point is a subnet, trained for {epochs} epochs; bars are two standard "
        "errors. Where the order is the same, points rise from left to right.",
        table=table.drop(columns="architecture"),
        draw=lambda: figures.pair_figure(table, inherited, trained, report.quality),
    )


@analysis("Trust", "agreement", "Agreement of the orders", no_pairs, _ways)
def agreement(given: Given, *, trained: str = "alone") -> Card:
    table = figures.agreement_table(report_of(given))
    return Card(
        sentence="Kendall's tau: 1 is the same order, 0 none in common, -1 the opposite; from the "
        f"dotted line, {ENOUGH}, three of four pairs stand in the same order, which is taken as "
        f"enough to search by. Intervals (95 %) are by {METHOD}; those of a few are wide.",
        table=table,
        draw=lambda: figures.agreement_figure(table, trained),
    )


@analysis("Trust", "offset", "What training adds, by size", no_pairs, _ways)
def offset(given: Given, *, trained: str = "alone") -> Card:
    record, report = known(_record(given)), report_of(given)
    table = figures.pair_table(report, record.pairs, given.study.space, trained)
    return Card(
        sentence=f"Trained less inherited {report.quality.word}. A level cloud shifts all subnets "
        "alike, which keeps the order; a slope says that the supernet underrates one end.",
        table=table.drop(columns="architecture"),
        draw=lambda: figures.offset_figure(table, report.quality),
    )


@analysis("Trust", "offsets", "What training adds, on average", no_pairs, _ways)
def offsets(given: Given, *, trained: str = "alone") -> Card:
    report = report_of(given)
    unit = f" ({report.quality.difference_unit})" if report.quality.difference_unit else ""
    return Card(
        sentence=f"Mean of trained less inherited {report.quality.word}{unit} with its 95 % "
        "interval (Student's t).",
        table=figures.offset_table(report, trained),
    )


@analysis("Trust", "reversals", "The largest reversals", no_pairs, _ways)
def reversals(given: Given, *, trained: str = "alone") -> Card:
    report = report_of(given)
    table = figures.reversal_table(report, trained)
    share, certain = report.reversed_share[trained], report.certain_share[trained]
    return Card(
        sentence=f"{100 * share:.0f} % of the pairs of subnets swap their order, "
        f"{100 * certain:.0f} % by more than two standard errors in both scores. What one "
        "training differs from another by its seed is not in these errors."
        if len(table)
        else "No pair of subnets swaps its order.",
        table=table,
    )


def _no_weights(given: Given) -> str | None:
    lacking = no_pairs(given)
    return lacking if not given.study.checkpoint_file.exists() else None


@analysis("Trust", "more", "Train more", _no_weights)
def more(given: Given) -> Card:
    """The command that trains subnets, or more of them."""
    record = _record(given)
    command = f"trust --study {given.folder} --count "
    if record is None or not record.pairs:
        return Card(
            title="Train some", sentence=no_pairs(given) or "", tone="info",
            command=f"{command}{USUAL} --seed 1",
        )  # fmt: skip
    settings, seed = record.settings, record.pairs[-1].seed
    count = 2 * sum(pair.seed == seed for pair in record.pairs)
    usual = settings.fine_tune_rate == TrustSettings.fine_tune_rate
    rate = "" if usual else f" --fine-tune-rate {settings.fine_tune_rate:g}"
    return Card(
        sentence=f"Trained on {record.training_images:,} images of {record.dataset}: from scratch "
        f"for {settings.epochs} epochs and, from the inherited weights, for "
        f"{settings.fine_tune_epochs} at {settings.fine_tune_rate:g} times the recipe's learning "
        "rate. More subnets go on from here:",
        command=f"{command}{count} --epochs {settings.epochs} "
        f"--fine-tune-epochs {settings.fine_tune_epochs}{rate} --seed {seed}",
    )
