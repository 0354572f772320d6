"""What measured optima tell of architectures that somebody searched for."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from foxnas_core.errors import FoxnasError
from foxnas_core.regression.counting import with_counted
from foxnas_core.space.architecture import Architecture
from foxnas_core.steps.calibrate import calibrations, optima_of
from foxnas_core.steps.fit import fit_all
from foxnas_core.steps.kept_fits import kept_fits
from foxnas_core.steps.search import cost_front
from foxnas_core.study import Study

if TYPE_CHECKING:
    from foxnas_core.search.calibration import SearchCalibration


def told_of_searched(
    study: Study, architectures: Sequence[Architecture], *, blind: bool = False
) -> "dict[str, SearchCalibration]":
    """What measured optima tell, by column, where one of the architectures is the optimum of some
    budget of the study's cost; nothing of any others, or where too few were measured.

    What is `blind` is told without any measurement of the architectures themselves.
    """
    from foxnas_core.search.calibration import LEAST
    from foxnas_core.search.expectation import is_optimum
    from foxnas_core.search.lookup import whole_table

    columns = (study.objective.column, study.cost.column)
    table, optima, kept = with_counted(study.table()), study.optima(), kept_fits(study)
    if len(optima_of(optima, *columns)) < LEAST:
        return {}
    try:
        if whole_table(table, columns) is not None:
            return {}
        fitted = list(fit_all(table, targets=columns, kept=kept).values())
        found = calibrations(table, optima, fitted)
        front = cost_front(*fitted)
        if not any(is_optimum(front, architecture) for architecture in architectures):
            return {}
        own = {architecture.id for architecture in architectures}
        rows, left = (~each.frame["id"].isin(own).to_numpy() for each in (table, optima))
        if blind and not (rows.all() and left.all()):
            table, optima = table.rows(rows), optima.rows(left)
            fitted = list(fit_all(table, targets=columns, kept=kept).values())
            found = calibrations(table, optima, fitted)
    except FoxnasError:
        return {}
    return found
