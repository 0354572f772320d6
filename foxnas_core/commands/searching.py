"""The commands that ask the regression: fit, search, counterfactual."""

import argparse
from collections.abc import Mapping
from dataclasses import replace

from foxnas_core.cards.given import Fitted
from foxnas_core.cards.standing import standing_document
from foxnas_core.commands.answers import counterfactual_card, search_card
from foxnas_core.commands.printing import Answer
from foxnas_core.commands.shared import (
    asked_goals,
    bar,
    cards_of,
    check_bound,
    given,
    named_architecture,
    opened,
    say,
)
from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.regression.counting import with_counted
from foxnas_core.search.limits import AdditivePredictor
from foxnas_core.steps.calibrate import told_by_optima
from foxnas_core.steps.fit import fit_all
from foxnas_core.steps.kept_fits import kept_fits
from foxnas_core.steps.rounds import search_rounds
from foxnas_core.steps.search import search_problem
from foxnas_core.study import Study, open_study
from foxnas_core.study.goals import stand_in_sentence
from foxnas_core.table.machine import device_names, devices_sentence
from foxnas_core.table.metrics import Metric, unknown_sentence
from foxnas_core.table.whole import findings


def fit(options: argparse.Namespace) -> Answer:
    """Fit every target of a study's table, or the one that the options name."""
    from foxnas_core.cards import coefficients
    from foxnas_core.regression import predictor_summary
    from foxnas_core.regression.picker import better_across

    study = open_study(options.study)
    table = study.table()
    targets = [options.target] if options.target else None
    predictors = fit_all(
        table,
        options.form,
        options.link,
        targets=targets,
        kept=kept_fits(study),
        counted=options.form == "auto",
    )
    for target in table.targets:
        if targets is None and target.column not in predictors:
            say(f"{target.label}: too few rows have it for a fit; measure more subnets.")
    for column, predictor in predictors.items():
        for warning in predictor.warnings:
            say(f"{column}: {warning}")
    main = predictors.get(study.objective.column) if options.form == "auto" else None
    if main is not None and (said := better_across(table, main)):
        say(said)
    if table.unknown:
        say(unknown_sentence(table.unknown))
    found = findings(table)
    for finding in found:
        if finding.code in (
            "machines",
            "rare choices",
            "multiples",
        ):  # a fit's warnings tell the others
            say(finding.sentence)
    if said := devices_sentence(table):
        say(said)
    asked = Fitted(
        study, target=options.target, form=options.form, link=options.link, predictors=predictors
    )
    told = {
        column: predictor_summary(p) | {"average_effects": coefficients.told(asked, column)}
        for column, p in predictors.items()
    }
    document = {
        "targets": told,
        "devices": device_names(table),
        "unknown_columns": list(table.unknown),
        "findings": [finding.to_dict() for finding in found],
    }
    own = (coefficients.fit, coefficients.terms) if options.target else ()
    return Answer(document, tuple(one.compute(asked) for one in (coefficients.fits, *own)))


def search(options: argparse.Namespace) -> Answer:
    """Anneal under limits, beside the exact optimum."""
    from foxnas_core.search.annealing import search as run
    from foxnas_core.search.chance import chance_kept
    from foxnas_core.search.guard import chance_of_all, guarded, share_of
    from foxnas_core.search.lookup import check_known, whole_table
    from foxnas_core.search.restriction import allowed_choices
    from foxnas_core.search.result import SEARCHES, search_document
    from foxnas_core.search.schedule import AnnealingSettings
    from foxnas_core.search.solving import solve
    from foxnas_core.search.standing import standing
    from foxnas_core.search.suggestion import affordable_restarts
    from foxnas_core.table.readings import readings_of

    study = opened(options)
    if options.rounds:
        return _search_rounds(study, options)
    table, optima = with_counted(study.table()), study.optima()
    objective, cost = asked_goals(study, options)
    if said := stand_in_sentence(objective):
        say(said)
    asked = _bounds(options, objective, cost)
    allowed = allowed_choices(study.space, options.allow, options.forbid)
    goals = (objective.column, cost.column)
    columns = list(dict.fromkeys([*goals, *asked]))
    whole, fitted = whole_table(table, columns), {}
    if whole is None:
        kept = kept_fits(study)
        fitted = fit_all(table, options.form, options.link, targets=columns, kept=kept)
    elif options.guard:
        raise MissingPart(whole.sentence)
    predictors: Mapping[str, AdditivePredictor] = whole.predictors() if whole else fitted
    found = {} if whole else told_by_optima(
        table, optima, fitted, *goals, limited=asked, needed=bool(options.guard)
    )  # fmt: skip
    searched = objective if options.floor is None else cost
    wanted = search_problem(predictors, asked, objective=searched.column, allowed=allowed)
    problem = guarded(wanted, options.guard, found, strict=options.guard is not None)
    is_guarded = bool(share_of(options.guard)) and not found.keys().isdisjoint(asked)
    check_known(problem)
    settings = AnnealingSettings(**given(options, AnnealingSettings))
    if options.steps is None and options.restarts is None:
        settings = replace(settings, restarts=affordable_restarts(problem, settings))
    result = run(problem, settings)
    if options.save:
        say(f"Saved search {study.keep(SEARCHES, result)}.")
    best, center = result.best.architecture, found.get(searched.column)
    beside = standing(
        problem,
        result.best,
        table,
        optima,
        bounds=asked,
        as_searched=None if center is None else center.interval(result.best.value)[0],
    )
    readings = {best.id: beside.readings}
    if result.exact is not None:
        own = result.exact.architecture
        readings[own.id] = readings_of([table, optima], own)
    unguarded = solve(wanted).candidate if is_guarded else None
    targets = [predictor.target for predictor in problem.predictors]
    document = {
        **search_document(result, predictors, objective, cost, found, readings, asked, unguarded),
        **standing_document(beside, targets),
        "budget": {"asked": asked[cost.column], "searched": dict(result.limits)[cost.column]}
        if cost.column in asked
        else None,
        "chances": {
            limit.column: chance_kept(limit, best, found.get(limit.column))
            for limit in wanted.limits
        },
        "chance": beside.rival_keeps
        if beside.measured_first
        else chance_of_all(wanted.limits, best, found),
        "best_chance": chance_of_all(wanted.limits, best, found),
        "guard": share_of(options.guard) if is_guarded else None,
        "device": device_names(table).get(cost.column) if cost.timed else None,
    }
    return Answer(document, (search_card(document, study.space, objective, cost, beside),))


def _search_rounds(study: Study, options: argparse.Namespace) -> Answer:
    """Rounds of searching, measuring and fitting anew."""
    from foxnas_core.search.rounds.outcome import rounds_document
    from foxnas_core.search.rounds.record import Round

    if (options.form, options.link) != ("auto", "auto"):
        raise InvalidInput(
            "Rounds fit by the forms that are recommended for the rows of each; leave out --form "
            "and --link."
        )
    objective, cost = asked_goals(study, options)
    with study.in_use(), bar("subnet") as report:

        def finished(done: Round, number: int) -> None:
            say(f"Round {number}: {done.sentence((objective.column, cost.column))}")

        record = search_rounds(
            study,
            cost.column,
            options.rounds,
            objective=objective.column,
            per_round=options.per_round,
            shared=options.budget,
            seed=options.seed or 0,
            guard=options.guard,
            by=options.find_by,
            report=report,
            finished=finished,
        )
    document = {"study": str(study.folder), "rows": len(study.table()), **rounds_document(record)}
    rounds = (f"measure-next-{name}" for name in ("rounds", "best", "fits"))
    return Answer(document, cards_of(study, *rounds))


def _bounds(options: argparse.Namespace, objective: Metric, cost: Metric) -> dict[str, float]:
    """The number that each limited column is held to, in the order in which they are given."""
    pairs = list(options.limit)
    if options.budget is not None:
        pairs.insert(0, (cost.column, options.budget))
    if options.floor is not None:
        pairs.insert(0, (objective.column, options.floor))
    if not pairs:
        raise InvalidInput("A search needs a limit; give --budget, --limit or --floor.")
    names = [name for name, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            raise InvalidInput(f"{name} is limited twice; keep the tighter limit.")
    for name, bound in pairs:
        check_bound(name, bound)
    return dict(pairs)


def counterfactual(options: argparse.Namespace) -> Answer:
    """The cheapest and the fewest edits of an architecture that reach a goal."""
    from foxnas_core.explanation.reach import Goal, Reached, reach
    from foxnas_core.explanation.why_not import why_not
    from foxnas_core.search.guard import OFF, guarded_bound, share_of
    from foxnas_core.search.restriction import choices_that_keep, chosen_value, named_decisions

    study = open_study(options.study)
    table = study.table()
    base = named_architecture(study, options.architecture)
    goals = tuple(metric.column for metric in asked_goals(study, options))
    kept = kept_fits(study)
    predictors = fit_all(table, options.form, options.link, targets=goals, kept=kept)
    given = {
        name: getattr(options, name)
        for name in ("save", "gain", "budget", "floor")
        if getattr(options, name) is not None
    }
    [(aim, asked)] = given.items()
    relative = aim in ("save", "gain")
    amount, in_percent = asked if relative else (asked, False)
    objective, limited = goals if aim in ("save", "budget") else goals[::-1]
    found = told_by_optima(
        table, study.optima(), predictors, *goals, limited=[limited],
        needed=bool(options.guard) and not relative,
    )  # fmt: skip
    calibration = found.get(limited)
    allowed = choices_that_keep(
        study.space, base, [n for keep in options.keep for n in named_decisions(study.space, keep)]
    )
    problem = search_problem(predictors, {limited: amount}, objective=objective)

    def reached_by(guard: float | None) -> Reached:
        searched = None if relative else guarded_bound(problem, amount, guard, calibration, allowed)
        goal = Goal(amount, relative, searched, in_percent, share_of(guard))
        return reach(problem, base, goal, allowed=allowed, calibration=calibration)

    reached, share = reached_by(options.guard), share_of(options.guard)
    price = reached.price_of_guard(reached_by(OFF)) if reached.held else ""
    why = None
    if options.why_not:
        if aim != "budget":
            raise InvalidInput("--why-not asks within a budget; give --budget as the goal.")
        name, text = options.why_not
        within = problem.within(reached.goal.searched or amount)
        why = why_not(within, base, name, chosen_value(study.space, name, text), allowed=allowed)
    is_guarded = bool(share) if relative else bool(reached.held)
    document = {
        "study": str(study.folder),
        "id": base.id,
        "goal": reached.asked,
        "held": reached.held or None,
        "kept": reached.is_kept,
        "cheapest": reached.cheapest.to_dict(),
        "answers": [answer.to_dict() for answer in reached.answers],
        "why_not": why and why.to_dict(),
        "guard": share if is_guarded else None,
        "price": price or None,
    }
    return Answer(document, (counterfactual_card(reached, share, price, why),))
