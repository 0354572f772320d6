"""Measuring what was claimed: claims are frozen and kept, then subnets measured, then judged.

Rows of verified subnets join the measurement table, whatever the verdict, in campaigns of origin
"verify": fits read them like any others, but the fit behind a claim never reads rows of the
claim's own subnets. Two things are left out of the table: rows of subnets that were scored on
fewer images than all, since its accuracies are all of the same images, and latencies that were
measured on another device than its own.
"""

import hashlib
import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.evidence.verification.claims import (
    CLAIMS,
    Chosen,
    Trial,
)
from foxnas_core.evidence.verification.edits import random_edits
from foxnas_core.evidence.verification.judging import claims_on
from foxnas_core.explanation.edits import changes
from foxnas_core.progress import Progress, Report, not_told
from foxnas_core.regression import Predictor
from foxnas_core.space.architecture import Architecture
from foxnas_core.steps.fit import fit_all
from foxnas_core.steps.kept_fits import kept_fits
from foxnas_core.steps.searched import told_of_searched
from foxnas_core.steps.trials import measured_trials, now, tested
from foxnas_core.study import Study, file_hash
from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.table.metrics import metric_of

LEVEL = 0.95
LEAST_IMAGES = 100


def verify(
    study: Study,
    subnets: Sequence[Architecture],
    *,
    images: int | None = None,
    seed: int = 0,
    report: Report = not_told,
    stop: Callable[[], bool] = lambda: False,
    alone: AbstractContextManager[Any] | None = None,
) -> Trial:
    """Measure a subnet, or the second of two beside the first, and judge what was claimed.

    The claims are kept before anything is measured; where the same were stated before and not
    measured, those stand. `images` are so many of the held-out images, drawn by `seed`, by default
    all. `alone` is held while latencies are timed. Stopped, it returns the trial without verdicts.
    Raises `MissingPart` where the study has no weights, images or rows to fit, and `InvalidInput`
    for subnets or images that can't be tested.
    """
    pair = tuple(subnets)
    if len(pair) == 2 and pair[0] == pair[1]:
        raise InvalidInput(
            "Both subnets are the same, so there is no difference to measure; change a choice."
        )
    drawn = _Drawn(secrets.token_hex(6), pair, "picked", seed)
    return _verify(study, [drawn], images, report, stop, alone)[0]


def verify_finds(
    study: Study,
    finds: Mapping[Chosen, Architecture],
    *,
    images: int | None = None,
    seed: int = 0,
    report: Report = not_told,
    stop: Callable[[], bool] = lambda: False,
    alone: AbstractContextManager[Any] | None = None,
) -> list[Trial]:
    """Measure what was found in several ways, each alone, by claims of fits that have seen none of
    them. Arguments and errors are as in `verify`."""
    drawn = [_Drawn(secrets.token_hex(6), (find,), chosen, seed) for chosen, find in finds.items()]
    return _verify(study, drawn, images, report, stop, alone)


def verify_random(
    study: Study,
    count: int,
    *,
    seed: int,
    images: int | None = None,
    report: Report = not_told,
    stop: Callable[[], bool] = lambda: False,
    alone: AbstractContextManager[Any] | None = None,
) -> list[Trial]:
    """Test the first `count` random edits of this seed (see `random_edits`), and return them all.

    What was measured already is not measured again, so a run that was stopped goes on; other
    weights have trials of their own. Arguments and errors are as in `verify`; those that a stop
    left over have no verdicts.
    """
    weights = file_hash(study.checkpoint_file) if study.checkpoint_file.exists() else ""
    drawn = [
        _Drawn(_random_id(study, weights, seed, number), pair, "random", seed)
        for number, pair in enumerate(random_edits(study.space, count, seed=seed))
    ]
    return _verify(study, drawn, images, report, stop, alone)


@dataclass(frozen=True)
class _Drawn:
    """Subnets that shall be tested, before anything is claimed."""

    id: str
    subnets: tuple[Architecture, ...]
    chosen: Chosen
    seed: int


def _random_id(study: Study, weights: str, seed: int, number: int) -> str:
    content = json.dumps([study.space.fingerprint, weights, seed, number])
    return hashlib.sha256(content.encode()).hexdigest()[:12]


def _verify(
    study: Study,
    drawn: Sequence[_Drawn],
    images: int | None,
    report: Report,
    stop: Callable[[], bool],
    alone: AbstractContextManager[Any] | None,
) -> list[Trial]:
    # Nothing is claimed that can't be measured.
    objective = study.load_checkpoint().task.objective
    total = len(study.images()[1])
    if images is not None and not min(LEAST_IMAGES, total) <= images <= total:
        raise InvalidInput(
            f"{images:,} images can't be scored; take {min(LEAST_IMAGES, total)} to all "
            f"{total:,} held-out images."
        )
    report(Progress(0, len(drawn), stage="Fitting without these subnets"))
    trials = _stated(study, drawn, objective)
    todo = [trial for trial in trials if not trial.done]
    if todo and not stop():
        measured = measured_trials(
            study, todo, images or total, report, stop, alone or nullcontext()
        )
        trials = [measured.get(trial.id, trial) for trial in trials]
    return trials


# Claims


def _stated(study: Study, drawn: Sequence[_Drawn], objective: str) -> list[Trial]:
    """The drawn ones as trials: those that the study has, and new ones, whose claims are kept."""
    table = study.table()
    parents = {
        "space": study.space.fingerprint,
        "measurements": table.fingerprint,
        "checkpoint": file_hash(study.checkpoint_file),
        "images": file_hash(study.images_file),
    }
    kept = study.record(CLAIMS).by_id
    waiting: dict[tuple[Chosen, tuple[Architecture, ...]], Trial] = {
        (trial.chosen, trial.subnets): trial
        for trial in kept.values()
        if not trial.done
        and trial.chosen != "random"
        and trial.parents["checkpoint"] == parents["checkpoint"]
    }
    found = [kept.get(d.id) or waiting.get((d.chosen, d.subnets)) for d in drawn]
    new = [d for d, trial in zip(drawn, found, strict=True) if trial is None]
    if not new:
        return [trial for trial in found if trial is not None]
    ids = table.frame["id"].isin({a.id for d in new for a in d.subnets}).to_numpy()
    predictors = _blind(study, table.rows(~ids) if ids.any() else table, objective)
    known = {
        d.id: told_of_searched(study, d.subnets, blind=True) if d.chosen != "random" else {}
        for d in new
    }
    made = now()
    stated = {
        d.id: Trial(
            id=d.id,
            subnets=d.subnets,
            edit=_edit(study, d.subnets),
            chosen=d.chosen,
            seed=d.seed,
            level=LEVEL,
            parents=parents,
            made=made,
            left_out=int(table.frame["id"].isin({a.id for a in d.subnets}).sum()),
            claims=tuple(
                claim
                for p in predictors
                for claim in claims_on(p, d.subnets, level=LEVEL, known=known[d.id])
            ),
        )
        for d in new
    }
    study.change(CLAIMS, lambda trials: trials.with_stated(list(stated.values())))
    return [trial or stated[d.id] for d, trial in zip(drawn, found, strict=True)]


def _blind(study: Study, table: MeasurementTable, objective: str) -> list[Predictor]:
    """A predictor for each target that is measured here and can be fitted to `table`."""
    if not len(table):
        raise MissingPart(
            "There are no other measured subnets to fit, so nothing can be claimed; measure some "
            "with 'python -m foxnas_core measure' or import a table."
        )
    found: list[Predictor] = []
    wrong, kept = [], kept_fits(study)
    for column in tested(table, objective):
        try:
            found += fit_all(table, targets=[column], kept=kept).values()
        except InvalidInput as error:
            wrong.append(error)
    if not found and wrong:
        raise wrong[0]
    if not found:
        raise MissingPart(
            f"The study's table has neither {metric_of(objective).word} nor latencies of this "
            "device, so nothing can be claimed; measure subnets with 'python -m foxnas_core "
            "measure'."
        )
    return found


def _edit(study: Study, subnets: Sequence[Architecture]) -> str:
    return changes(list(study.space.by_name), *subnets) if len(subnets) == 2 else ""
