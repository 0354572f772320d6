"""What measured optima tell of architectures that somebody searched for."""

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from foxnas_core.errors import FoxnasError
from foxnas_core.regression.counting import with_counted
from foxnas_core.space.architecture import Architecture
from foxnas_core.steps.calibrate import calibrations, goals_of, optima_of
from foxnas_core.steps.fit import fit_all
from foxnas_core.steps.kept_fits import KeptFits, kept_fits
from foxnas_core.steps.search import cost_front
from foxnas_core.study import Study
from foxnas_core.table.measurements import MeasurementTable

if TYPE_CHECKING:
    from foxnas_core.search.calibration import SearchCalibration


def told_of_searched(
    study: Study, architectures: Sequence[Architecture], *, blind: bool = False
) -> "dict[str, SearchCalibration]":
    """What measured optima tell, by column, where one of the architectures is the optimum of some
    budget: of the study's objective and cost first, then of any others that optima were measured
    for; nothing of other architectures, or where too few were measured.

    What is `blind` is told without any measurement of the architectures themselves.
    """
    table, optima, kept = with_counted(study.table()), study.optima(), kept_fits(study)
    told: dict[str, SearchCalibration] = {}
    for goals in dict.fromkeys([(study.objective.column, study.cost.column), *goals_of(optima)]):
        with suppress(FoxnasError):
            told = _told(table, optima, goals, architectures, kept, blind) | told
    return told


def _told(
    table: MeasurementTable,
    optima: MeasurementTable,
    goals: tuple[str, str],
    architectures: Sequence[Architecture],
    kept: KeptFits,
    blind: bool,
) -> "dict[str, SearchCalibration]":
    """As `told_of_searched`, of optima of the first of `goals` under budgets of the second."""
    from foxnas_core.search.calibration import LEAST
    from foxnas_core.search.expectation import is_optimum
    from foxnas_core.search.lookup import whole_table

    if len(optima_of(optima, *goals)) < LEAST or whole_table(table, goals) is not None:
        return {}
    fitted = list(fit_all(table, targets=goals, kept=kept).values())
    found = calibrations(table, optima, fitted)
    front = cost_front(*fitted)
    if not any(is_optimum(front, architecture) for architecture in architectures):
        return {}
    own = {architecture.id for architecture in architectures}
    rows, left = (~each.frame["id"].isin(own).to_numpy() for each in (table, optima))
    if not blind or (rows.all() and left.all()):
        return found
    table, optima = table.rows(rows), optima.rows(left)
    fitted = list(fit_all(table, targets=goals, kept=kept).values())
    return calibrations(table, optima, fitted)
