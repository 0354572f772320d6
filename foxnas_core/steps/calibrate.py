"""Measured optima of random budgets, and what they tell of the predictors."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.progress import Report
from foxnas_core.regression import Predictor
from foxnas_core.steps.fit import fit_all
from foxnas_core.steps.kept_fits import kept_fits
from foxnas_core.steps.measure import measure_subnets
from foxnas_core.steps.search import cost_front
from foxnas_core.study import Study
from foxnas_core.table.measurements import MeasurementTable

if TYPE_CHECKING:
    from foxnas_core.search.calibration import SearchCalibration

SEARCHED = {"searched_objective": "accuracy", "searched_latency": "latency_ms"}
"""The columns that say what an optimum is the best in and what it is held against, and what is
meant where a table lacks one: the first ones were all of these."""


def measure_optima(
    study: Study,
    cost: str,
    count: int,
    *,
    objective: str | None = None,
    seed: int,
    report: Report,
) -> MeasurementTable:
    """Measure optima of random budgets of a cost, until the study has `count` of this seed's;
    returns all. `objective` is what they are the best in, the study's by default.

    The plan depends on table and seed alone, so a killed campaign goes on where it was. Raises as
    `fit_all` and `measure_subnets`.
    """
    from foxnas_core.search.calibration import random_optima

    columns = (objective or study.objective.column, cost)
    fitted = fit_all(study.table(), targets=columns, kept=kept_fits(study))
    front = cost_front(*fitted.values())
    planned = random_optima(front, count, seed=seed)
    done = set(optima_of(study.optima(), *columns).frame["id"])
    how = dict(zip(SEARCHED, columns, strict=True))
    found = {c.architecture.id: {"budget": c.costs[0], **how} for c in planned}
    missing = [c.architecture for c in planned if c.architecture.id not in done]
    measure_subnets(study, missing, seed=seed, report=report, optima=found, targets=columns)
    return study.optima()


def goals_of(optima: MeasurementTable) -> list[tuple[str, str]]:
    """By row, the column that an optimum is the best in, and the one it is held against."""
    frame = optima.frame
    columns = [
        frame[name].fillna(meant) if name in frame else [meant] * len(frame)
        for name, meant in SEARCHED.items()
    ]
    return list(zip(*columns, strict=True))


def optima_of(optima: MeasurementTable, objective: str, cost: str) -> MeasurementTable:
    """The optima that are the best in one column under budgets of another."""
    goals = goals_of(optima)
    return optima.rows(np.array([own == (objective, cost) for own in goals], dtype=bool))


def told_by_optima(
    table: MeasurementTable,
    optima: MeasurementTable,
    predictors: Mapping[str, Predictor],
    objective: str,
    cost: str,
    *,
    limited: Iterable[str] = (),
    needed: bool = False,
) -> "dict[str, SearchCalibration]":
    """What optima of the objective tell, by column: of it and of the cost by those under budgets of
    the cost, and of whatever else is `limited` by those under its own; columns of which nothing is
    told are left out.

    Raises `MissingPart` where nothing is told of a limit but something is `needed`.
    """
    found: dict[str, SearchCalibration] = {}
    missing = None
    for own in dict.fromkeys([cost, *limited]):
        if own == objective:
            continue
        try:
            told = calibrations(table, optima, [predictors[objective], predictors[own]])
        except MissingPart as error:
            missing = missing or error
        else:
            found |= told if own == cost else {own: told[own]}
    if needed and missing and found.keys().isdisjoint(limited):
        raise missing
    return found


def calibrations(
    table: MeasurementTable, optima: MeasurementTable, predictors: Sequence[Predictor]
) -> "dict[str, SearchCalibration]":
    """What optima of the first predictor's target under budgets of the second's tell of both, by
    column.

    Raises `MissingPart` where too few were measured.
    """
    objective, cost = (predictor.target.column for predictor in predictors)
    from foxnas_core.search.calibration import calibrate
    from foxnas_core.search.guard import calibrating

    try:
        own = optima_of(optima, objective, cost)
        return {p.target.column: calibrate(p, own, table) for p in predictors}
    except InvalidInput as error:
        how = calibrating(objective, cost)
        raise MissingPart(f"{error} Measure some with {how}.") from None
