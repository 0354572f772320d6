"""The commands that hold claims against measurements: trust, judge, verify, handmade."""

import argparse
import math
from dataclasses import asdict, replace
from itertools import chain, product
from typing import Any

from foxnas_core.cards.given import Given
from foxnas_core.commands.printing import Answer
from foxnas_core.commands.shared import (
    bar,
    cards_of,
    check_bound,
    given,
    named_architecture,
    opened,
    say,
    stoppable,
)
from foxnas_core.errors import InvalidInput
from foxnas_core.evidence.verification.claims import Chosen
from foxnas_core.measurement.here import machine_here
from foxnas_core.progress import Progress
from foxnas_core.records import document_of
from foxnas_core.space.architecture import Architecture
from foxnas_core.steps.claims import current_trials
from foxnas_core.study import Study, open_study


def trust(options: argparse.Namespace) -> Answer:
    """Train sampled subnets alone and compare them with what they inherit."""
    from foxnas_core.evidence.trust.pairs import TRUST, TrustSettings, spread_sample
    from foxnas_core.evidence.trust.report import report_document, trust_report
    from foxnas_core.steps.trust import measure_trust

    study = open_study(options.study)
    # What is there is gone on with as it was begun.
    stored = study.record(TRUST)
    begun = stored.settings if stored else TrustSettings()
    settings = replace(begun, **given(options, TrustSettings))
    seed = options.seed
    if seed is None:
        seed = stored.pairs[0].seed if stored and stored.pairs else 0
    with bar("step") as report:
        record = measure_trust(
            study,
            settings,
            count=options.count,
            seed=seed,
            data=options.data,
            workers=options.workers,
            report=report,
        )
    sample = spread_sample(study.space, options.count, seed=seed)
    elsewhere = len({a.id for a in sample} - record.ids)
    if elsewhere:
        say(f"{elsewhere} subnets are with another process, which adds their pairs.")
    document = {
        "study": str(study.folder),
        "pairs": len(record.pairs),
        "parents": record.parents,
        "settings": asdict(record.settings),
        **report_document(trust_report(record.pairs, seed=seed, quality=study.objective)),
    }
    return Answer(document, cards_of(study, "trust-verdict", "trust-advice", "trust-reversals"))


def judge(options: argparse.Namespace) -> Answer:
    """Train selected networks from scratch, beside others."""
    from foxnas_core.evidence.judged import JUDGED, MAGNITUDE, PERTURBATION
    from foxnas_core.steps.judge import JudgingSettings
    from foxnas_core.steps.judge import judge as train_all

    study = open_study(options.study)
    stored = study.record(JUDGED)
    begun: dict[str, Any] = {}
    if stored:
        begun["epochs"] = int(stored.recipe["epochs"])
        own = [c for c in stored.choices if c.split()[0] not in (PERTURBATION, MAGNITUDE)]
        begun["beside"] = own
    with bar("step") as report:
        record = train_all(
            study,
            JudgingSettings(**begun | given(options, JudgingSettings)),
            selected=[open_study(folder) for folder in options.selected],
            truth=open_study(options.truth) if options.truth else None,
            data=options.data,
            report=report,
        )
    document = {"study": str(study.folder), **JUDGED.document(record)}
    card = "select-judged-outside" if record.outside else "select-judged"
    return Answer(document, cards_of(study, card))


def verify(options: argparse.Namespace) -> Answer:
    """Measure subnets and judge what was claimed of them before."""
    from foxnas_core.evidence.verification.scoreboard import scoreboard, scoreboard_document
    from foxnas_core.steps import verify

    study = opened(options)
    asked = (options.random is not None, options.architecture is not None, options.second_opinion)
    if sum(asked) != 1:
        raise InvalidInput(
            "Give --architecture FILE or ID to test one subnet, --random N, or --second-opinion."
        )
    if options.architecture is None and options.against:
        raise InvalidInput("--against goes with --architecture alone; leave it out.")
    whose = list(cards_of(study, "verify-machine"))
    with stoppable() as stop, bar("trial") as report:

        def told(progress: Progress) -> None:
            # Once it is sure that something is going to be measured.
            while whose:
                say(whose.pop().sentence)
            report(progress)

        how: dict[str, Any] = {
            "images": options.images,
            "seed": options.seed,
            "report": told,
            "stop": stop.is_set,
        }
        if options.second_opinion:
            trials = verify.verify_finds(study, _finds(study, options), **how)
        elif options.random is not None:
            trials = verify.verify_random(study, options.random, **how)
        else:
            named = [options.against] if options.against else []
            subnets = [named_architecture(study, name) for name in [*named, options.architecture]]
            trials = [verify.verify(study, subnets, **how)]
    if not all(trial.done for trial in trials):
        say("Stopped; what was measured is kept, and the same command goes on.")
    cards = [cards_of(study, "verify-verdict", trial=trial.id) for trial in trials if trial.done]
    document = {
        "study": str(study.folder),
        "rows": len(study.table()),
        "machine": _machines(study),
        "trials": [document_of(trial) for trial in trials],
        **scoreboard_document(scoreboard(current_trials(study))),
    }
    return Answer(document, (*chain(*cards), *cards_of(study, "verify-board")))


def _finds(study: Study, options: argparse.Namespace) -> dict[Chosen, Architecture]:
    """What the regression and the trees find under the options' limit."""
    from foxnas_core.cards.trees_find import finds_of

    check_bound(options.cost or study.cost.column, options.budget)
    return finds_of(
        Given(study, options.objective, options.cost, budget=options.budget, guard=options.guard)
    )


def _machines(study: Study) -> dict[str, Any]:
    """Whose the latencies are that were claimed, and whether that is this machine; null where the
    table has none."""
    from foxnas_core.steps.make_device import standing, timed_columns

    table = study.table()
    column = next(filter(table.known, timed_columns(table)), None)
    seat = standing(table, column) if column else None
    return {
        "latencies": seat and (seat.machine.name if seat.machine.known else None),
        "here": machine_here().name,
        "same": seat and seat.is_here,
    }


def handmade(options: argparse.Namespace) -> Answer:
    """Train networks designed by hand and searched ones alone, and time them all."""
    from foxnas_core.evidence.handmade.claims import WAYS, compare, comparison_document
    from foxnas_core.evidence.handmade.record import HANDMADE, PRECISIONS
    from foxnas_core.steps.handmade import ComparisonSettings, compare_handmade, complete

    study = open_study(options.study)
    asked = given(options, ComparisonSettings)
    stored = study.record(HANDMADE)
    seed = options.seed
    if seed is None:
        seed = next(iter(stored.seeds), 0) if stored else 0
    record = complete(study, asked, seed=seed)
    if record is None:
        with bar("step") as report:
            record = compare_handmade(
                study,
                ComparisonSettings(**asked),
                seed=seed,
                data=options.data,
                report=report,
            )
    ways = list(product(PRECISIONS, WAYS))
    comparisons = [
        compare(record, way=way, precision=precision, seed=record.seeds[0])
        for precision, way in ways
    ]
    document = {
        "study": str(study.folder),
        "parents": record.parents,
        "recipe": record.recipe,
        "seeds": record.seeds,
        "seed_spread": {
            name: spread if math.isfinite(spread := record.seed_spread(precision)) else None
            for precision, name in PRECISIONS.items()
        },
        "comparisons": comparison_document(comparisons),
    }
    verdicts = (
        cards_of(study, "hand-designed-verdict", precision=precision, way=way)
        for precision, way in ways
    )
    others = cards_of(study, "hand-designed-networks", "hand-designed-ratios", "hand-designed-how")
    return Answer(document, (*chain(*verdicts), *others))
