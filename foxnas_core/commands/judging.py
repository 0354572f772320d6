"""The commands that hold claims against measurements: trust, verify, handmade."""

import argparse
import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from tqdm import tqdm

from foxnas_core.commands.shared import given, named_architecture, opened, say, stoppable
from foxnas_core.errors import InvalidInput
from foxnas_core.records import document_of
from foxnas_core.steps.claims import current_trials
from foxnas_core.steps.tally import Report, TrainingProgress
from foxnas_core.study import open_study


@contextmanager
def _bar() -> Iterator[Report]:
    """What shows the progress of training several networks."""
    shown = "{percentage:.0f} % |{bar}| {n_fmt}/{total_fmt} steps, {elapsed}{postfix}"
    with tqdm(delay=1, file=sys.stderr, bar_format=shown) as bar:

        def report(progress: TrainingProgress) -> None:
            bar.total = progress.total_steps
            bar.set_postfix_str(progress.sentence(), refresh=False)
            bar.update(progress.steps - bar.n)

        yield report


def trust(options: argparse.Namespace) -> dict[str, Any]:
    """Train sampled subnets alone and compare them with what they inherit."""
    from foxnas_core.evidence.trust.pairs import TrustSettings, spread_sample
    from foxnas_core.evidence.trust.report import report_document, trust_report
    from foxnas_core.steps.trust import measure_trust

    study = open_study(options.study)
    settings = TrustSettings(**given(options, TrustSettings))
    with _bar() as report:
        record = measure_trust(
            study,
            settings,
            count=options.count,
            seed=options.seed,
            data=options.data,
            workers=options.workers,
            report=report,
        )
    sample = spread_sample(study.space, options.count, seed=options.seed)
    elsewhere = len({a.id for a in sample} - record.ids)
    if elsewhere:
        say(f"{elsewhere} subnets are with another process, which adds their pairs.")
    found = trust_report(record.pairs, seed=options.seed)
    say(found.sentence())
    return {
        "study": str(study.folder),
        "pairs": len(record.pairs),
        "parents": record.parents,
        "settings": asdict(record.settings),
        **report_document(found),
    }


def verify(options: argparse.Namespace) -> dict[str, Any]:
    """Measure subnets and judge what was claimed of them before."""
    from foxnas_core.evidence.verification.scoreboard import scoreboard, scoreboard_document
    from foxnas_core.steps import verify

    study = opened(options)
    if (options.random is None) == (options.architecture is None):
        raise InvalidInput("Give --architecture FILE or ID to test one subnet, or --random N.")
    if options.random is not None and options.against:
        raise InvalidInput("--random draws its own pairs; leave --against out.")
    with stoppable() as stop, tqdm(unit="trial", delay=1, file=sys.stderr) as bar:

        def report(progress: verify.VerifyProgress) -> None:
            bar.total = progress.total
            bar.set_postfix_str(progress.stage)
            bar.update(progress.done - bar.n)

        how: dict[str, Any] = {
            "images": options.images,
            "seed": options.seed,
            "report": report,
            "stop": stop.is_set,
        }
        if options.random is not None:
            trials = verify.verify_random(study, options.random, **how)
        else:
            named = [options.against] if options.against else []
            subnets = [named_architecture(study, name) for name in [*named, options.architecture]]
            trials = [verify.verify(study, subnets, **how)]
    for trial in trials:
        for sentence in trial.sentences():
            say(f"{trial.title}: {sentence}")
    if not all(trial.done for trial in trials):
        say("Stopped; what was measured is kept, and the same command goes on.")
    board = scoreboard(current_trials(study))
    for sentence in board.sentences():
        say(sentence)
    return {
        "study": str(study.folder),
        "rows": len(study.table()),
        "trials": [document_of(trial) for trial in trials],
        **scoreboard_document(board),
    }


def handmade(options: argparse.Namespace) -> dict[str, Any]:
    """Train networks designed by hand and searched ones alone, and time them all."""
    from foxnas_core.evidence.handmade.claims import WAYS, compare, comparison_document
    from foxnas_core.evidence.handmade.record import PRECISIONS
    from foxnas_core.steps.handmade import ComparisonSettings, compare_handmade

    study = open_study(options.study)
    with _bar() as report:
        record = compare_handmade(
            study,
            ComparisonSettings(**given(options, ComparisonSettings)),
            seed=options.seed,
            data=options.data,
            report=report,
        )
    comparisons = [
        compare(record, way=way, precision=precision, seed=record.seeds[0])
        for precision in PRECISIONS
        for way in WAYS
    ]
    for comparison in comparisons:
        say(comparison.sentence())
    return {
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
