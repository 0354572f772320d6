"""Rounds of search and measurement."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from foxnas_core.errors import InvalidInput
from foxnas_core.progress import Pace, Progress, Report
from foxnas_core.search.rounds.record import ROUNDS
from foxnas_core.steps.calibrate import told_by_optima
from foxnas_core.steps.columns import timed_here
from foxnas_core.steps.fit import fit_all
from foxnas_core.steps.kept_fits import kept_fits
from foxnas_core.steps.measure import measure_subnets
from foxnas_core.steps.search import cost_front
from foxnas_core.study import Study, file_hash

if TYPE_CHECKING:
    from foxnas_core.regression.predictor import Predictor
    from foxnas_core.search.rounds.record import Round, RoundsRecord
    from foxnas_core.table.measurements import MeasurementTable


def search_rounds(
    study: Study,
    cost: str,
    rounds: int,
    *,
    objective: str | None = None,
    per_round: int | None = None,
    shared: float | None = None,
    seed: int = 0,
    guard: float | None = None,
    by: str | None = None,
    report: Report,
    finished: "Callable[[Round, int], None]" = lambda done, number: None,
) -> "RoundsRecord":
    """Search, measure the finds, fit anew, until the study has so many rounds; returns them all.

    Each round finds the predicted optima of `per_round` budgets of the column `cost`, the best in
    `objective`, the study's by default; one budget is `shared`, or near ones where those were
    measured; `by` "improvement" what is expected to improve most on the best measured. Finds keep
    their budgets when measured as surely as the `guard` says, by default the usual one where optima
    of these columns were measured. What is planned is written before it is measured, so a killed
    round goes on where it was. Optima that calibrate are neither measured again nor read by the
    fits. `report` counts the subnets of all rounds that are left; `finished` is told each round and
    its number. Raises as `fit_all` and `measure_subnets`, `InvalidInput` where rounds were begun
    with other settings, `MissingPart` where a guard is asked for but no optima were measured.
    """
    from foxnas_core.search.rounds import outcome
    from foxnas_core.search.rounds import record as kept

    record = study.record(ROUNDS)
    columns = (objective or study.objective.column, cost)
    if record is not None:
        kept.check_continues(record, columns, per_round, shared, seed, guard, by)
    table = study.table()
    fitted = fit_all(table, targets=columns, kept=kept_fits(study))
    if record is None:
        record = _begun(study, table, fitted, columns, per_round, shared, seed, guard, by)
    pace, measured_before = Pace(len(record.budgets) * (rounds - record.done), report), 0
    while record.done < rounds:
        if not record.rounds or record.rounds[-1].done:
            planned = _planned(study, record, table, fitted, columns)
            record = record.with_last(planned)
            # Nothing is planned that can't be measured.
            study.load_checkpoint()
            timed_here(study, targets=columns)
            study.save(ROUNDS, record)
        current = record.rounds[-1]
        done = set(table.frame["id"])
        missing = [f.architecture for f in current.finds if f.architecture.id not in done]
        already = measured_before + len(current.finds) - len(missing)

        def told(progress: Progress, already: int = already) -> None:
            pace.at(already + progress.done)

        if missing:
            origin = {"origin": kept.ORIGIN, "round": len(record.rounds)}
            measure_subnets(study, missing, seed=seed, report=told, origin=origin, targets=columns)
        measured_before += len(current.finds)
        # What a fit before this round's finds says, also where the round was cut short.
        earlier = fitted
        if len(missing) < len(current.finds):
            ids = [find.architecture.id for find in current.finds]
            earlier = fit_all(table.rows(~table.frame["id"].isin(ids).to_numpy()), targets=columns)
        table = study.table()
        fitted = fit_all(table, targets=columns, kept=kept_fits(study))
        current = replace(
            current,
            finds=outcome.measured_finds(current.finds, table),
            after={c: kept.FitQuality.of(p) for c, p in fitted.items()},
            best=outcome.best_measured(table, columns, record.budgets),
            moved={
                c: outcome.movement(p, table, seed=seed)
                for c, p in earlier.items()
                if not p.transferred
            },
        )
        record = record.with_last(current)
        study.save(ROUNDS, record)
        finished(current, len(record.rounds))
    return record


def _begun(
    study: Study,
    table: "MeasurementTable",
    fitted: "Mapping[str, Predictor]",
    columns: tuple[str, str],
    per_round: int | None,
    shared: float | None,
    seed: int,
    guard: float | None,
    by: str | None,
) -> "RoundsRecord":
    """A record without a round: its budgets, and the guard that can be kept."""
    from foxnas_core.search.guard import OFF, share_of
    from foxnas_core.search.rounds import planning
    from foxnas_core.search.rounds import record as kept

    objective, cost = columns
    front = cost_front(*fitted.values())
    budgets = planning.spread_budgets(front, per_round or kept.PER_ROUND, shared)
    known = told_by_optima(
        table, study.optima(), fitted, *columns, limited=[cost], needed=bool(guard)
    )
    share = share_of(guard) if cost in known else OFF
    by = by or kept.OPTIMUM
    return kept.RoundsRecord(cost, budgets, shared, seed, objective=objective, guard=share, by=by)


def _planned(
    study: Study,
    record: "RoundsRecord",
    table: "MeasurementTable",
    fitted: "Mapping[str, Predictor]",
    columns: tuple[str, str],
) -> "Round":
    """The next round: what it shall find, and how the fits before it stood; raises `InvalidInput`
    where all that it could find is measured."""
    from foxnas_core.search.rounds import improvement, outcome, planning
    from foxnas_core.search.rounds import record as kept

    taken = {*table.frame["id"], *study.optima().frame["id"]}
    keeps: Callable[[float], float] = float
    known = told_by_optima(
        table, study.optima(), fitted, *columns, limited=columns[1:], needed=bool(record.guard)
    )
    if record.guard:
        keeps = partial(known[columns[1]].guarded, probability=record.guard)
    front, predictors = cost_front(*fitted.values()), list(fitted.values())
    if record.by == kept.IMPROVEMENT:
        finds = improvement.plan_improvements(
            front, table, predictors, record.budgets, taken, keeps, known
        )
    else:
        finds = planning.plan_finds(front, predictors, record.budgets, taken, keeps, known)
    if not finds:
        raise InvalidInput(
            "Every subnet within the rounds' budgets is measured already; there is nothing left to "
            "search."
        )
    weights = study.checkpoint_file
    return kept.Round(
        parents={
            "space": study.space.fingerprint,
            "measurements": table.fingerprint,
            "checkpoint": file_hash(weights) if weights.exists() else "",
        },
        finds=finds,
        before={c: kept.FitQuality.of(p) for c, p in fitted.items()},
        best_before=outcome.best_measured(table, columns, record.budgets),
    )
