"""The command that selects an architecture by a method: select."""

import argparse
from dataclasses import fields, is_dataclass, replace
from typing import TYPE_CHECKING

from foxnas_core.cards.card import Card
from foxnas_core.cards.standing import in_order, standing_document
from foxnas_core.commands.printing import Answer
from foxnas_core.commands.shared import bar, check_bound
from foxnas_core.errors import FoxnasError, InvalidInput
from foxnas_core.progress import Progress
from foxnas_core.regression.counting import with_counted
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.in_words import choice_lines
from foxnas_core.study import Study, open_study
from foxnas_core.table.metrics import metric_of

if TYPE_CHECKING:
    from foxnas_core.methods import Method, Question
    from foxnas_core.search.standing import Standing


_SETTINGS = (
    "epochs", "images", "data", "samples_per_nat", "switch_step", "generator", "on_made", "cycle",
    "transport", "meaning", "candidates",
)  # fmt: skip
"""Of methods, as options give them."""


def select(options: argparse.Namespace) -> Answer:
    """Select an architecture by a method, or tell which methods there are."""
    from foxnas_core.methods import Question, method_of
    from foxnas_core.methods.resuming import run_kept
    from foxnas_core.search.restriction import allowed_choices

    study = open_study(options.study)
    if options.method is None:
        return _listed(study)
    method = _set(method_of(options.method), options)
    if options.budget is not None:
        options.limit.append((study.cost.column, options.budget))
    columns = [column for column, _ in options.limit]
    for column, bound in options.limit:
        check_bound(column, bound)
        if columns.count(column) > 1:
            raise InvalidInput(f"{column} is limited twice; keep the tighter limit.")
    question = Question(
        options.objective or study.objective.column,
        dict(options.limit),
        allowed_choices(study.space, options.allow, options.forbid),
        options.guard,
    )
    if method.on_supernet:
        return _by_supernet(study, method, question, options)
    with bar("step") as tell:
        found = run_kept(
            method,
            study,
            question,
            seed=options.seed,
            file=options.state,
            report=lambda run: tell(Progress(run.done, run.total)),
        )
    evidence = Card(table=found.evidence, sentence=found.sentence)
    beside = _standing(study, method, question, found.architecture)
    targets = [metric_of(column) for column in question.columns]
    document = {
        "study": str(study.folder),
        "method": method.name,
        "seed": options.seed,
        **question.to_dict(),
        "id": found.architecture.id,
        "architecture": found.architecture.to_dict(),
        "sentence": found.sentence,
        "evidence": evidence.to_dict()["table"],
        **found.document,
        **(standing_document(beside, targets) if beside else {}),
    }
    if beside and beside.measured_first:
        document["chance"] = beside.rival_keeps
    said = found.sentence
    if beside and not beside.whole:
        said = in_order(beside, targets, said)
    card = Card(
        title=f"{method.title}: subnet {found.architecture.id}",
        sentence=said,
        points=tuple(choice_lines(study.space, found.architecture)),
        table=found.evidence,
    )
    return Answer(document, (card,))


def _set(method: "Method", options: argparse.Namespace) -> "Method":
    """The method with the settings that the options give; raises `InvalidInput` for others'."""
    known: list[str] = [field.name for field in fields(method)] if is_dataclass(method) else []
    given = {name: getattr(options, name) for name in _SETTINGS}
    asked = {name: value for name, value in given.items() if value is not None}
    for name in sorted(asked.keys() - set(known)):
        option = name.replace("_", "-")
        raise InvalidInput(f"The method {method.name!r} has no --{option}; leave it out.")
    return replace(method, **asked) if asked else method  # type: ignore[type-var]


def _by_supernet(
    study: Study, method: "Method", question: "Question", options: argparse.Namespace
) -> Answer:
    """Select by the study's supernet; the selection is kept with the study, and where it was
    stopped on its way the same command goes on."""
    import torch

    from foxnas_core.methods.selecting import select_kept

    torch.set_num_threads(1)
    with bar("step") as report:
        found, _ = select_kept(
            study, method, question, seed=options.seed, file=options.state, report=report
        )
    card = Card(
        title=f"{method.title}: subnet {found.architecture.id}",
        sentence=found.sentence,
        points=tuple(choice_lines(study.space, found.architecture)),
        table=found.evidence,
    )
    document = dict(found.document)
    return Answer(document | document.pop("course", {}), (card,))


def _standing(
    study: Study, method: "Method", question: "Question", architecture: Architecture
) -> "Standing | None":
    """How what a method selected stands to what was measured; None where nothing predicts it."""
    from foxnas_core.methods.posing import posed, problem_of
    from foxnas_core.search.lookup import whole_table
    from foxnas_core.search.problem import Candidate
    from foxnas_core.search.standing import standing

    table, expected = with_counted(study.table()), None
    try:
        whole = whole_table(table, question.columns) if method.name == "table" else None
        if whole:
            problem = problem_of(whole.predictors(), question)
        else:
            asked = posed(study, question)
            problem = asked.problem
    except FoxnasError:
        return None
    first, *costs = (
        float(predictor.predict([architecture])["value"].iloc[0])
        for predictor in problem.predictors
    )
    found = Candidate(architecture, first, tuple(costs))
    if not whole:
        expected = asked.expected(found)[0].value
    return standing(
        problem, found, table, study.optima(), bounds=question.limits, as_searched=expected
    )


def _listed(study: Study) -> Answer:
    """Every method, and what it lacks."""
    from foxnas_core.methods import methods

    return Answer(
        {
            "study": str(study.folder),
            "methods": [
                {"method": method.name, "title": method.title, "needs": method.needs(study)}
                for method in methods()
            ],
        }
    )
