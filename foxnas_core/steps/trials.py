"""Measuring what trials have claimed, and judging each by what was measured."""

import math
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from foxnas_core.evidence.verification.claims import (
    CLAIMS,
    Circumstances,
    Claim,
    Trial,
    Verdict,
)
from foxnas_core.evidence.verification.judging import judge_latency, judge_score
from foxnas_core.measurement.here import machine_here
from foxnas_core.planning.plan import seconds_a_row
from foxnas_core.progress import Progress, Report, Stopped
from foxnas_core.space.architecture import Architecture
from foxnas_core.steps.make_device import timed_columns
from foxnas_core.steps.measure import cells_of, parts_of
from foxnas_core.study import Study, file_hash
from foxnas_core.table import latency_verdicts
from foxnas_core.table.machine import Machine, baselines_of, device_name_of, machine_of
from foxnas_core.table.measurements import MeasurementTable, empty_table
from foxnas_core.table.metrics import metric_of
from foxnas_core.tasks.dataset import ImageSet

if TYPE_CHECKING:
    from foxnas_core.measurement.campaign import Measured
    from foxnas_core.measurement.meter import Meter, Prepared
    from foxnas_core.supernet.checkpoint import Checkpoint

ORIGIN = "verify"


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def tested(table: MeasurementTable, objective: str) -> list[str]:
    """The table's columns that trials measure: a task's objective in each precision, and
    `timed_columns`."""
    own = [objective, f"{objective}:int8", *timed_columns(table)]
    known = {target.column for target in table.targets}
    return [column for column in own if column in known]


def measured_trials(
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

    from foxnas_core.measurement.campaign import run_campaign
    from foxnas_core.measurement.cost import CostMeter
    from foxnas_core.measurement.score import ScoreMeter

    seed, total = trials[0].seed, len(held_out)
    task = checkpoint.task
    watch = _Watch(trials, seconds_a_row(table), report, stop)
    watch.tell("Preparing the images and the reference network")
    held_out = _some(held_out, images, seed)
    scores: dict[tuple[str, str], np.ndarray] = {}

    def scored(architecture: Architecture, precision: str, cases: np.ndarray) -> None:
        scores[architecture.id, f"{task.objective}{precision}"] = cases
        watch.tell("Scoring and timing")

    clock = _Clock(timed_columns(table), latency_machine(table), machine_here())
    with alone:
        timing = clock.meters(checkpoint, table, calibration, seed)
    meters: list[Meter] = [
        ScoreMeter(held_out, calibration, task=task, scored=scored),
        CostMeter(),
        *(_Alone(meter, alone) for meter in timing),
    ]
    weights = {"checkpoint": file_hash(study.checkpoint_file)}
    done: dict[str, Trial] = {}
    left = deque(trials)

    def keep(rows: "list[Measured]", circumstances: dict[str, Any]) -> None:
        [(name, how)] = circumstances.items()
        record = {name: weights | how}
        if images == total:
            own = rows if clock.joins else [_without_latency(row) for row in rows]
            study.append([row.architecture for row in own], [cells_of(row) for row in own], record)
        trial = left.popleft()
        how_measured = Circumstances(
            images=images, held_out=total, device=clock.here.processor,
            latency_device=clock.home.processor if clock.home else "",
            campaign=name, rows=len(rows) if images == total else 0, measured=now(),
        )  # fmt: skip
        verdicts = _verdicts(trial, rows, scores, _reasons(study, rows, record, clock), total)
        settled = replace(trial, verdicts=verdicts, circumstances=how_measured)
        kept = study.change(CLAIMS, lambda stated: stated.with_settled(settled))
        done[trial.id] = kept.by_id[trial.id]

    with suppress(Stopped), study.in_use():
        watch.tell("Recalibrating and scoring")
        run_campaign(
            checkpoint,
            [architecture for trial in trials for architecture in trial.subnets],
            meters=meters,
            calibration=calibration,
            seed=seed,
            keep=keep,
            report=lambda progress: watch.finished(),
            # A pair is timed in the same rounds.
            batch=len(trials[0].subnets),
            origin={"origin": ORIGIN},
        )
    return done


def _some(held_out: ImageSet, images: int, seed: int) -> ImageSet:
    """So many of the images, drawn by the seed, in their order."""
    if images == len(held_out):
        return held_out
    chosen = np.random.default_rng(seed).choice(len(held_out), images, replace=False)
    return held_out.take(np.sort(chosen))


@dataclass(frozen=True)
class _Clock:
    """What trials are timed by: the table's latency columns, the machine that they are of, None
    without any, and this one."""

    columns: Sequence[str]
    home: Machine | None
    here: Machine

    @property
    def joins(self) -> bool:
        """Whether latencies of here belong to the table's."""
        return self.home is None or self.home.same_as(self.here)

    def meters(
        self, checkpoint: "Checkpoint", table: MeasurementTable, calibration: ImageSet, seed: int
    ) -> "list[Meter]":
        """Those of latency, against the table's reference network where what they tell joins."""
        from foxnas_core.measurement.campaign import device_meters

        return device_meters(
            checkpoint,
            calibration=calibration,
            seed=seed,
            device=device_name_of(self.columns[0]),
            baselines=baselines_of(table, self.columns) if self.joins else {},
        )


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
            raise Stopped
        self._report(Progress(self._done, len(self._subnets), self._left(), stage))

    def finished(self) -> None:
        self._done += 1
        if self._done < len(self._subnets):
            self.tell("Recalibrating and scoring")
        else:
            self._report(Progress(self._done, self._done, 0.0, "Done"))

    def _left(self) -> float:
        passed = time.monotonic() - self._begun
        left = sum(self._subnets[self._done :])
        if self._done:
            return passed / sum(self._subnets[: self._done]) * left
        return math.nan if self._seconds is None else max(self._seconds * left - passed, 1.0)


def latency_machine(table: MeasurementTable) -> Machine | None:
    """The machine that the table's latencies are of, one that is not known where it does not say;
    None without any."""
    columns = [c for c in timed_columns(table) if table.known(c)]
    return machine_of(table, columns[0]) or Machine() if columns else None


def _without_latency(row: "Measured") -> "Measured":
    return replace(row, values={k: v for k, v in row.values.items() if "latency_ms" not in k})


def _reasons(
    study: Study,
    rows: "Sequence[Measured]",
    record: Mapping[str, Any],
    clock: _Clock,
) -> dict[str, str]:
    """Why these rows' latencies do not count, by column; "" where they do."""
    home, here = clock.home or clock.here, clock.here
    if not home.same_as(here):
        why = f"these latencies are of {here.name}, the table's are of {home.name}"
        return dict.fromkeys(clock.columns, why)
    frame = pd.concat(
        [
            pd.DataFrame([row.architecture.to_dict() for row in rows]),
            pd.DataFrame([row.values for row in rows]),
        ],
        axis=1,
    )
    table = empty_table(study.space).with_rows(frame, record={"campaigns": dict(record)})
    reasons = {}
    for column in clock.columns:
        verdicts = latency_verdicts.judge(table, column).verdicts
        failed = [
            check.fails
            for check in latency_verdicts.CHECKS
            if (verdicts[check.name] == latency_verdicts.FAILED).any()
        ]
        reasons[column] = "; ".join(failed)
    return reasons


def _verdicts(
    trial: Trial,
    rows: "Sequence[Measured]",
    scores: Mapping[tuple[str, str], np.ndarray],
    reasons: Mapping[str, str],
    total: int,
) -> tuple[Verdict, ...]:
    """How each claim of a trial turned out, by its rows and their `scores` by case."""
    values = {row.architecture.id: row.values for row in rows}
    return tuple(_judged(trial, claim, scores, values, reasons, total) for claim in trial.claims)


def _judged(
    trial: Trial,
    claim: Claim,
    scores: Mapping[tuple[str, str], np.ndarray],
    values: Mapping[str, Mapping[str, Any]],
    reasons: Mapping[str, str],
    total: int,
) -> Verdict:
    first, last = trial.subnets[0].id, trial.subnets[-1].id
    if metric_of(claim.target).quality:
        after, before = scores[last, claim.target], scores[first, claim.target]
        return judge_score(claim, after, before=before, total=total, level=trial.level)

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
