"""Measuring what was claimed: claims are frozen and kept, then subnets measured, then judged.

Rows of verified subnets join the measurement table, whatever the verdict, in campaigns of origin
"verify": fits read them like any others, but the fit behind a claim never reads rows of the
claim's own subnets. Two things are left out of the table: rows of subnets that were scored on
fewer images than all, since its accuracies are all of the same images, and latencies that were
measured on another device than its own.
"""

import hashlib
import json
import math
import secrets
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.evidence.verification.claims import (
    CLAIMS,
    Chosen,
    Circumstances,
    Claim,
    Trial,
    Verdict,
)
from foxnas_core.evidence.verification.edits import random_edits
from foxnas_core.evidence.verification.judging import claims_on, judge_latency, judge_share
from foxnas_core.explanation.edits import changes
from foxnas_core.planning.plan import seconds_a_row
from foxnas_core.regression import Predictor
from foxnas_core.space.architecture import Architecture
from foxnas_core.steps.fit import predictor_or_transfer
from foxnas_core.steps.measure import baseline_of, devices_of, parts_of
from foxnas_core.study import Study, file_hash
from foxnas_core.table import latency_verdicts
from foxnas_core.table.measurements import MeasurementTable, empty_table
from foxnas_core.table.metrics import metric_of

if TYPE_CHECKING:
    from foxnas_core.measurement.campaign import CampaignProgress, Measured
    from foxnas_core.measurement.meter import Meter, Prepared

TARGETS = ("accuracy", "accuracy:int8", "latency_ms", "latency_ms:int8")
ORIGIN = "verify"
LEVEL = 0.95
LEAST_IMAGES = 100


@dataclass(frozen=True)
class VerifyProgress:
    """Trials done of all, what is going on, and the seconds that are left, NaN while unknown."""

    done: int
    total: int
    stage: str
    seconds_left: float


Report = Callable[[VerifyProgress], None]


class _Stopped(Exception):
    """Raised within a measurement, of which nothing is kept then."""


def verify(
    study: Study,
    subnets: Sequence[Architecture],
    *,
    images: int | None = None,
    seed: int = 0,
    known: Mapping[str, Predictor] | None = None,
    report: Report = lambda progress: None,
    stop: Callable[[], bool] = lambda: False,
    alone: AbstractContextManager[Any] | None = None,
) -> Trial:
    """Measure a subnet, or the second of two beside the first, and judge what was claimed.

    The claims are kept before anything is measured; where the same were stated before and not
    measured, those stand. `images` are so many of the held-out images, drawn by `seed`, by default
    all. `known` are predictors that may be taken where they are fitted to the same rows. `alone` is
    held while latencies are timed. Stopped, it returns the trial without verdicts. Raises
    `MissingPart` where the study has no weights, images or rows to fit, and `InvalidInput` for
    subnets or images that can't be tested.
    """
    pair = tuple(subnets)
    if len(pair) == 2 and pair[0] == pair[1]:
        raise InvalidInput(
            "Both subnets are the same, so there is no difference to measure; change a choice."
        )
    drawn = _Drawn(secrets.token_hex(6), pair, "picked", seed)
    return _verify(study, [drawn], images, known or {}, report, stop, alone)[0]


def verify_random(
    study: Study,
    count: int,
    *,
    seed: int,
    images: int | None = None,
    known: Mapping[str, Predictor] | None = None,
    report: Report = lambda progress: None,
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
    return _verify(study, drawn, images, known or {}, report, stop, alone)


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
    known: Mapping[str, Predictor],
    report: Report,
    stop: Callable[[], bool],
    alone: AbstractContextManager[Any] | None,
) -> list[Trial]:
    study.load_checkpoint()  # nothing is claimed that can't be measured
    total = len(study.images()[1])
    if images is not None and not min(LEAST_IMAGES, total) <= images <= total:
        raise InvalidInput(
            f"{images:,} images can't be scored; take {min(LEAST_IMAGES, total)} to all "
            f"{total:,} held-out images."
        )
    report(VerifyProgress(0, len(drawn), "Fitting without these subnets", math.nan))
    trials = _stated(study, drawn, known)
    todo = [trial for trial in trials if not trial.done]
    if todo and not stop():
        measured = _measured(study, todo, images or total, report, stop, alone or nullcontext())
        trials = [measured.get(trial.id, trial) for trial in trials]
    return trials


# Claims


def _stated(study: Study, drawn: Sequence[_Drawn], known: Mapping[str, Predictor]) -> list[Trial]:
    """The drawn ones as trials: those that the study has, and new ones, whose claims are kept."""
    table = study.table()
    parents = {
        "space": study.space.fingerprint,
        "measurements": table.fingerprint,
        "checkpoint": file_hash(study.checkpoint_file),
        "images": file_hash(study.images_file),
    }
    kept = study.record(CLAIMS).by_id
    waiting = {
        trial.subnets: trial
        for trial in kept.values()
        if not trial.done
        and trial.chosen == "picked"
        and trial.parents["checkpoint"] == parents["checkpoint"]
    }
    found = [kept.get(d.id) or (waiting.get(d.subnets) if d.chosen == "picked" else None)
             for d in drawn]  # fmt: skip
    new = [d for d, trial in zip(drawn, found, strict=True) if trial is None]
    if not new:
        return [trial for trial in found if trial is not None]
    ids = table.frame["id"].isin({a.id for d in new for a in d.subnets}).to_numpy()
    predictors = _blind(table.rows(~ids) if ids.any() else table, known)
    made = _now()
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
                claim for p in predictors for claim in claims_on(p, d.subnets, level=LEVEL)
            ),
        )
        for d in new
    }
    study.change(CLAIMS, lambda trials: trials.with_stated(list(stated.values())))
    return [trial or stated[d.id] for d, trial in zip(drawn, found, strict=True)]


def _blind(table: MeasurementTable, known: Mapping[str, Predictor]) -> list[Predictor]:
    """A predictor for each target that is measured here and can be fitted to `table`."""
    if not len(table):
        raise MissingPart(
            "There are no other measured subnets to fit, so nothing can be claimed; measure some "
            "with 'python -m foxnas_core measure' or import a table."
        )
    columns = [t.column for t in table.targets if t.column in TARGETS]
    found, wrong = [], []
    for column in columns:
        taken = known.get(column)
        if taken is not None and taken.table_fingerprint == table.fingerprint:
            found.append(taken)
            continue
        try:
            link = "auto" if metric_of(column).saturates else "none"
            found.append(predictor_or_transfer(table, column, "auto", link))
        except InvalidInput as error:
            wrong.append(error)
    if not found and wrong:
        raise wrong[0]
    if not found:
        raise MissingPart(
            "The study's table has neither accuracies nor latencies of this device, so nothing can "
            "be claimed; measure subnets with 'python -m foxnas_core measure'."
        )
    return found


def _edit(study: Study, subnets: Sequence[Architecture]) -> str:
    return changes(list(study.space.by_name), *subnets) if len(subnets) == 2 else ""


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


# Measuring


def _measured(
    study: Study,
    trials: Sequence[Trial],
    images: int,
    report: Report,
    stop: Callable[[], bool],
    alone: AbstractContextManager[Any],
) -> dict[str, Trial]:
    """Measure trial after trial, keep each as it is done, and return those that are, by id.

    All trials have equally many subnets.
    """
    checkpoint, calibration, held_out = parts_of(study)
    table = study.table()

    from foxnas_core.measurement import campaign
    from foxnas_core.measurement.cost import CostMeter
    from foxnas_core.measurement.score import ScoreMeter

    seed, total = trials[0].seed, len(held_out)
    task = checkpoint.task
    watch = _Watch(trials, seconds_a_row(table), report, stop)
    watch.tell("Preparing the images and the reference network")
    if images < total:
        chosen = np.sort(np.random.default_rng(seed).choice(total, images, replace=False))
        held_out = held_out.take(chosen)
    right: dict[tuple[str, str], np.ndarray] = {}

    def scored(architecture: Architecture, precision: str, cases: np.ndarray) -> None:
        right[architecture.id, precision] = cases > 0
        watch.tell("Scoring and timing")

    with alone:
        timing = campaign.device_meters(
            checkpoint, calibration=calibration, seed=seed, baseline=baseline_of(table)
        )
    meters: list[Meter] = [
        ScoreMeter(held_out, calibration, task=task, scored=scored),
        CostMeter(),
        *(_Alone(meter, alone) for meter in timing),
    ]
    weights = {"checkpoint": file_hash(study.checkpoint_file)}
    home = latency_device(table)
    done: dict[str, Trial] = {}
    left = deque(trials)

    def keep(rows: "list[Measured]", circumstances: dict[str, Any]) -> None:
        [(name, how)] = circumstances.items()
        record = {name: weights | how}
        device = str(how["device"])
        if images == total:
            own = rows if home in (device, None) else [_without_latency(row) for row in rows]
            study.append([row.architecture for row in own], [row.values for row in own], record)
        trial = left.popleft()
        reasons = _reasons(study, rows, record, device, device if home is None else home)
        values = {row.architecture.id: row.values for row in rows}
        settled = replace(
            trial,
            verdicts=tuple(
                _judged(trial, claim, right, values, reasons, total) for claim in trial.claims
            ),
            circumstances=Circumstances(
                images=images,
                held_out=total,
                device=device,
                latency_device=home or "",
                campaign=name,
                rows=len(rows) if images == total else 0,
                measured=_now(),
            ),
        )
        trials = study.change(CLAIMS, lambda trials: trials.with_settled(settled))
        done[trial.id] = trials.by_id[trial.id]

    def told(progress: "CampaignProgress") -> None:
        watch.finished()

    with suppress(_Stopped), study.in_use():
        watch.tell("Recalibrating and scoring")
        campaign.run_campaign(
            checkpoint,
            [architecture for trial in trials for architecture in trial.subnets],
            meters=meters,
            calibration=calibration,
            seed=seed,
            keep=keep,
            report=told,
            # A pair is timed in the same rounds.
            batch=len(trials[0].subnets),
            origin={"origin": ORIGIN},
        )
    return done


@dataclass(frozen=True)
class _Alone:
    """A meter that measures while something is held that others hold too."""

    meter: "Meter"
    held: AbstractContextManager[Any]

    def measure(self, subnets: "Sequence[Prepared]") -> list[dict[str, float]]:
        with self.held:
            return self.meter.measure(subnets)

    def record(self) -> dict[str, Any]:
        return self.meter.record()


class _Watch:
    """Tells how far it is, and stops where that is asked for."""

    def __init__(
        self,
        trials: Sequence[Trial],
        seconds: float | None,
        report: Report,
        stop: Callable[[], bool],
    ) -> None:
        self._subnets = [len(trial.subnets) for trial in trials]
        self._seconds, self._report, self._stop = seconds, report, stop
        self._done, self._begun = 0, time.monotonic()

    def tell(self, stage: str) -> None:
        if self._stop():
            raise _Stopped
        self._report(VerifyProgress(self._done, len(self._subnets), stage, self._left()))

    def finished(self) -> None:
        self._done += 1
        if self._done < len(self._subnets):
            self.tell("Recalibrating and scoring")
        else:
            self._report(VerifyProgress(self._done, self._done, "Done", 0.0))

    def _left(self) -> float:
        passed = time.monotonic() - self._begun
        left = sum(self._subnets[self._done :])
        if self._done:
            return passed / sum(self._subnets[: self._done]) * left
        return math.nan if self._seconds is None else max(self._seconds * left - passed, 1.0)


def latency_device(table: MeasurementTable) -> str | None:
    """The device that the table's latencies are of, the first where campaigns differ, "" where it
    does not say; None without any."""
    columns = [t.column for t in table.targets if t.column in TARGETS and t.timed]
    return next(iter(devices_of(table, columns[0])), "") if columns else None


def _without_latency(row: "Measured") -> "Measured":
    return replace(row, values={k: v for k, v in row.values.items() if "latency_ms" not in k})


def _reasons(
    study: Study, rows: "Sequence[Measured]", record: Mapping[str, Any], device: str, home: str
) -> dict[str, str]:
    """Why these rows' latencies do not count, by column; "" where they do."""
    columns = [column for column in TARGETS if metric_of(column).timed]
    if device != home:
        why = f"the table's are of {home}" if home else "the table does not say of which its are"
        return dict.fromkeys(columns, f"these latencies are of {device}, {why}")
    frame = pd.concat(
        [
            pd.DataFrame([row.architecture.to_dict() for row in rows]),
            pd.DataFrame([row.values for row in rows]),
        ],
        axis=1,
    )
    table = empty_table(study.space).with_rows(frame, record={"campaigns": dict(record)})
    reasons = {}
    for column in columns:
        verdicts = latency_verdicts.judge(table, column).verdicts
        failed = [
            check.fails
            for check in latency_verdicts.CHECKS
            if (verdicts[check.name] == latency_verdicts.FAILED).any()
        ]
        reasons[column] = "; ".join(failed)
    return reasons


def _judged(
    trial: Trial,
    claim: Claim,
    right: Mapping[tuple[str, str], np.ndarray],
    values: Mapping[str, Mapping[str, Any]],
    reasons: Mapping[str, str],
    total: int,
) -> Verdict:
    first, last = trial.subnets[0].id, trial.subnets[-1].id
    if metric_of(claim.target).quality:
        precision = claim.target.removeprefix("accuracy")
        return judge_share(
            claim,
            right[last, precision],
            before=right[first, precision],
            total=total,
            level=trial.level,
        )

    def rounds(subnet: str) -> tuple[float, float, float]:
        named = (claim.target, f"low_{claim.target}", f"high_{claim.target}")
        median, low, high = (float(values[subnet][name]) for name in named)
        return median, low, high

    return judge_latency(
        claim,
        rounds(last),
        before=rounds(first),
        level=trial.level,
        reason=reasons[claim.target],
    )
