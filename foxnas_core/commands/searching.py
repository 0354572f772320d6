"""The commands that ask the regression: fit, search, counterfactual."""

import argparse
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from foxnas_core.commands.answers import fit_cards, search_card
from foxnas_core.commands.printing import Answer
from foxnas_core.commands.shared import (
    given,
    measured_document,
    named_architecture,
    opened,
    say,
)
from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.steps.calibrate import calibrations
from foxnas_core.steps.fit import fit_all
from foxnas_core.steps.rounds import search_rounds
from foxnas_core.steps.search import search_problem
from foxnas_core.study.storage import Study, open_study
from foxnas_core.table.measurements import MeasurementTable

if TYPE_CHECKING:
    from foxnas_core.measurement.campaign import CampaignProgress


def fit(options: argparse.Namespace) -> Answer:
    """Fit every target of a study's table, or the one that the options name."""
    from foxnas_core.regression import predictor_summary

    table = open_study(options.study).table()
    targets = [options.target] if options.target else None
    predictors = fit_all(table, options.form, options.link, targets=targets)
    for target in table.targets:
        if targets is None and target.column not in predictors:
            say(f"{target.column}: too few rows have it for a fit; measure more subnets.")
    for column, predictor in predictors.items():
        for warning in predictor.warnings:
            say(f"{column}: {warning}")
    told = {column: predictor_summary(p) for column, p in predictors.items()}
    return Answer({"targets": told}, tuple(fit_cards(told, options.target)))


def search(options: argparse.Namespace) -> Answer | dict[str, Any]:
    """Anneal under limits, beside the exact optimum."""
    from foxnas_core.search.annealing import search as run
    from foxnas_core.search.chance import chance_kept
    from foxnas_core.search.restriction import allowed_choices
    from foxnas_core.search.result import search_document
    from foxnas_core.search.rounds.outcome import best_row
    from foxnas_core.search.schedule import AnnealingSettings

    study = opened(options)
    if options.rounds:
        return _search_rounds(study, options)
    table, latency_column = study.table(), options.latency_target
    asked = _bounds(options)
    columns = dict.fromkeys(["accuracy", latency_column, *asked])
    allowed = allowed_choices(study.space, options.allow, options.forbid)
    predictors = fit_all(table, targets=list(columns))
    accuracy, latency = predictors["accuracy"], predictors[latency_column]
    bounds, found = dict(asked), {}
    try:
        found = calibrations(table, study.optima(), [accuracy, latency], latency_column)
    except MissingPart:
        if options.guard is not None:
            raise
    if options.guard is not None:
        if latency_column not in bounds:
            raise InvalidInput("--guard needs a latency budget to keep; give --latency-budget.")
        bounds[latency_column] = found[latency_column].guarded(asked[latency_column], options.guard)
        say(
            f"Searching under {bounds[latency_column]:.4g} ms, so that the budget holds when "
            "measured."
        )
    objective = "accuracy" if options.accuracy_floor is None else latency_column
    problem = search_problem(predictors, bounds, objective=objective, allowed=allowed)
    result = run(problem, AnnealingSettings(**given(options, AnnealingSettings)))
    if options.save:
        say(f"Saved search {study.save_search(result)}.")
    best = result.best.architecture
    row = best_row(table, objective, asked)
    document = search_document(result, predictors, latency_column, found) | {
        "budget": {"asked": asked[latency_column], "searched": bounds[latency_column]}
        if latency_column in asked
        else None,
        "chances": {
            limit.column: chance_kept(limit.at(asked[limit.column]), best, found.get(limit.column))
            for limit in problem.limits
        },
        "measured": None if row is None else _measured_row(table, row),
    }
    return Answer(document, (search_card(document, study.space, latency_column),))


def _measured_row(table: MeasurementTable, row: int) -> dict[str, Any]:
    values = {str(name): value for name, value in table.frame.iloc[row].dropna().items()}
    return measured_document(table.space.decode(table.codes[[row]])[0], values)


def _search_rounds(study: Study, options: argparse.Namespace) -> dict[str, Any]:
    """Rounds of searching, measuring and fitting anew."""
    from foxnas_core.search.rounds.outcome import rounds_document
    from foxnas_core.search.rounds.record import Round

    if options.guard is not None:
        raise InvalidInput(
            "--guard makes one search's budget smaller; leave it out with --rounds, which measure "
            "what they find."
        )
    with study.in_use(), tqdm(unit="subnet", delay=1, file=sys.stderr) as bar:

        def report(progress: "CampaignProgress") -> None:
            bar.total = progress.total
            bar.update(progress.done - bar.n)

        def finished(done: Round, number: int) -> None:
            bar.clear()
            say(f"Round {number}: {done.sentence(options.latency_target)}")

        record = search_rounds(
            study,
            options.latency_target,
            options.rounds,
            per_round=options.per_round,
            shared=options.latency_budget,
            seed=options.seed or 0,
            report=report,
            finished=finished,
        )
    return {"study": str(study.folder), "rows": len(study.table()), **rounds_document(record)}


def _bounds(options: argparse.Namespace) -> dict[str, float]:
    """The number that each limited column is held to, in the order in which they are given."""
    pairs = list(options.limit)
    if options.latency_budget is not None:
        pairs.insert(0, (options.latency_target, options.latency_budget))
    if options.accuracy_floor is not None:
        pairs.insert(0, ("accuracy", options.accuracy_floor))
    if not pairs:
        raise InvalidInput(
            "A search needs a limit; give --latency-budget, --limit or --accuracy-floor."
        )
    names = [name for name, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            raise InvalidInput(f"{name} is limited twice; keep the tighter limit.")
    return dict(pairs)


def counterfactual(options: argparse.Namespace) -> dict[str, Any]:
    """The fewest and the cheapest edits of an architecture that reach a goal."""
    from foxnas_core.explanation.reach import Goal, reach
    from foxnas_core.explanation.why_not import why_not
    from foxnas_core.search.restriction import choices_that_keep, chosen_value, named_decisions

    study, latency = open_study(options.study), options.latency_target
    table = study.table()
    base = named_architecture(study, options.architecture)
    predictors = fit_all(table, targets=("accuracy", latency))
    given = {
        name: getattr(options, name)
        for name in ("save", "gain", "latency_budget", "accuracy_floor")
        if getattr(options, name) is not None
    }
    [(aim, amount)] = given.items()
    objective, limited = ("accuracy", latency) if aim in ("save", "latency_budget") else (
        latency, "accuracy"
    )  # fmt: skip
    calibration = None
    with suppress(MissingPart):
        found = calibrations(table, study.optima(), list(predictors.values()), latency)
        calibration = found[limited]
    allowed = choices_that_keep(
        study.space, base, [n for keep in options.keep for n in named_decisions(study.space, keep)]
    )
    problem = search_problem(predictors, {limited: amount}, objective=objective)
    reached = reach(
        problem,
        base,
        Goal(amount, relative=aim in ("save", "gain")),
        allowed=allowed,
        calibration=calibration,
    )
    why = None
    if options.why_not:
        if aim != "latency_budget":
            raise InvalidInput("--why-not asks within a budget; give --latency-budget as the goal.")
        name, text = options.why_not
        why = why_not(problem, base, name, chosen_value(study.space, name, text), allowed=allowed)
    for answer in reached.answers:
        prices = ", ".join(answer.price(target) for target in dict.fromkeys(reached.targets))
        say(f"{answer.counted}: {answer.words}. {prices}; kept with a chance of {answer.sure}.")
    if why:
        say(why.sentence())
    return {
        "study": str(study.folder),
        "id": base.id,
        "goal": reached.asked,
        "answers": [answer.to_dict() for answer in reached.answers],
        "why_not": why and why.to_dict(),
    }
