"""Selection by a study's supernet, from end to end: a run that can be stopped and gone on with, and
what is kept of it."""

import time
from collections.abc import Callable
from pathlib import Path

from foxnas_core.errors import MissingPart
from foxnas_core.methods.method import Method, Question, Run, Selection
from foxnas_core.methods.resuming import run_kept
from foxnas_core.progress import Pace, Report, not_told
from foxnas_core.search.selections import SELECTIONS
from foxnas_core.study import Study

# So many that a run is told of and may be stopped at each of its steps.
_PARTS = 10**6


def state_file(study: Study, method: Method, seed: int) -> Path:
    """What a selection under way goes on from."""
    return study.folder / "select" / f"{method.name}-{seed}.json"


def select_kept(
    study: Study,
    method: Method,
    question: Question,
    *,
    seed: int = 0,
    file: Path | None = None,
    report: Report = not_told,
    watch: Callable[[Run], None] = lambda run: None,
) -> tuple[Selection, str]:
    """Select by a method that works on a supernet and keep the selection with the study; returns
    it and its id.

    Its state is in `file` on the way, by default `state_file`: where it was stopped, the same call
    goes on. `watch` is given the run after each step, and may take its time. Raises as `run_kept`,
    and `MissingPart` with what the method `needs`.
    """
    if sentence := method.needs(study, question):
        raise MissingPart(sentence)
    begun: list[Pace] = []

    def tell(run: Run) -> None:
        if not begun:
            begun.append(Pace(run.total, report))
            begun[0].skip(run.done - 1)
        looked = time.monotonic()
        watch(run)
        begun[0].rested(time.monotonic() - looked)
        begun[0].at(run.done)

    with study.in_use():
        file = file or state_file(study, method, seed)
        file.parent.mkdir(parents=True, exist_ok=True)
        found = run_kept(
            method, study, question, seed=seed, file=file, report=tell, parts=_PARTS
        )  # fmt: skip
        kept = study.keep(SELECTIONS, SELECTIONS.value({"format": 1, **found.document}))
    return found, kept
