"""The command that selects an architecture by a method: select."""

import argparse

from foxnas_core.cards.card import Card
from foxnas_core.commands.printing import Answer
from foxnas_core.commands.shared import bar
from foxnas_core.errors import InvalidInput
from foxnas_core.progress import Progress
from foxnas_core.space.in_words import choice_lines
from foxnas_core.study import Study, open_study


def select(options: argparse.Namespace) -> Answer:
    """Select an architecture by a method, or tell which methods there are."""
    from foxnas_core.methods import Question, method_of
    from foxnas_core.methods.resuming import run_kept
    from foxnas_core.search.restriction import allowed_choices

    study = open_study(options.study)
    if options.method is None:
        return _listed(study)
    method = method_of(options.method)
    columns = [column for column, _ in options.limit]
    for column in columns:
        if columns.count(column) > 1:
            raise InvalidInput(f"{column} is limited twice; keep the tighter limit.")
    question = Question(
        options.objective or study.objective.column,
        dict(options.limit),
        allowed_choices(study.space, options.allow, options.forbid),
    )
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
    }
    card = Card(
        title=f"{method.title}: subnet {found.architecture.id}",
        sentence=found.sentence,
        points=tuple(choice_lines(study.space, found.architecture)),
        table=found.evidence,
    )
    return Answer(document, (card,))


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
