"""What every `Method` keeps, on any study and question: a sentence why not, or a selection that is
the same however the run was divided, stopped and resumed."""

import json

import pandas as pd

from foxnas_core.errors import FoxnasError
from foxnas_core.methods.method import Method, Question, Run, Selection
from foxnas_core.study import Study
from foxnas_core.testing.analyses import check_sentence


def check_method(
    method: Method, study: Study, question: Question, *, seed: int = 0
) -> Selection | None:
    """Run it whole, in parts and resumed; returns what it selects.

    Where it can't run it says so in a sentence, and None is returned.
    """
    assert method.name == method.name.lower() and " " not in method.name, "no name to be typed"
    assert method.title.strip(), f"{method.name} has no title"
    sentence = method.needs(study, question)
    if sentence is not None:
        check_sentence(sentence, method.name)
        try:
            method.run(study, question, seed=seed)
        except FoxnasError as error:
            assert str(error) == sentence, f"{method.name} needs one thing and says another"
            return None
        raise AssertionError(f"{method.name} says why it can't run, and runs")

    steps: list[int] = []
    whole = method.run(study, question, seed=seed, report=lambda run: steps.append(run.done))
    assert steps == sorted(set(steps)), f"{method.name} does not go on: {steps}"
    _check_selection(whole, study, question, method.name)
    assert told(_resumed(method, study, question, seed)) == told(whole), (
        f"{method.name} selects otherwise where it was stopped and resumed"
    )
    return whole


def _resumed(method: Method, study: Study, question: Question, seed: int) -> Selection:
    """What is selected by a run that is stopped before it began, and twice on its way."""
    state = None
    for _ in range(3):
        run = method.begin(study, question, seed=seed, state=state)
        state = run.state()
        assert isinstance(state, bytes), f"{method.name} has no state to be kept"
        run.advance(max(1, run.total // 3))
        state = run.state()
    run = method.begin(study, question, seed=seed, state=state)
    while run.done < run.total:
        _advance(run, method.name)
    return run.selection()


def _advance(run: Run, name: str) -> None:
    before = run.done
    run.advance(max(1, run.total // 7))
    assert before < run.done <= run.total, f"{name}: {run.done} of {run.total} after {before}"


def _check_selection(found: Selection, study: Study, question: Question, name: str) -> None:
    space = study.space
    assert space.is_member(found.architecture), f"{name}: {found.architecture.id} is not of {space}"
    for decision, choices in question.allowed.items():
        assert found.architecture.get(decision, choices[0]) in choices, f"{name}: {decision}"
    check_sentence(found.sentence, name)
    assert isinstance(found.evidence, pd.DataFrame) and len(found.evidence), f"{name}: no evidence"
    assert found.evidence.columns.is_unique, f"{name}: two columns of one name"
    json.dumps(dict(found.document), allow_nan=False)


def told(found: Selection) -> str:
    """All of a selection as text."""
    return json.dumps(
        [
            found.architecture.to_dict(), found.sentence, dict(found.document),
            json.loads(found.evidence.to_json(orient="records", double_precision=15)),
        ]
    )  # fmt: skip
