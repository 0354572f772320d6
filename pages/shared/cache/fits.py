"""Predictors of a study's table, and how sure one may be of them."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from foxnas_core.study import Study
from pages.shared.cache.versions import cached, table_of

if TYPE_CHECKING:
    from foxnas_core.regression import Predictor
    from foxnas_core.search.calibration import SearchCalibration


@cached()
def measured_labels_of(study: Study, latency: str) -> dict[str, str]:
    """The measured subnets by id, the best first, with what they measured."""
    table = table_of(study)
    objective = study.objective
    targets = [t for t in table.targets if t.column in (objective.column, latency)]
    rows = table.frame.drop_duplicates("id")
    if objective.column in rows:
        least_first = objective.direction == "min"
        rows = rows.sort_values(objective.column, ascending=least_first, kind="stable")
    return {
        row["id"]: " · ".join([row["id"], *(f"{t.text(row[t.column])} {t.unit}" for t in targets)])
        for row in rows[["id", *(t.column for t in targets)]].to_dict("records")
    }


def middle_of(study: Study, column: str) -> float:
    """The middle of what was measured, to three digits."""
    return float(f"{table_of(study).frame[column].median():.3g}")


@cached(entries=64, spinner="Fitting the regression …")
def predictor_of(study: Study, column: str, form: str = "auto", link: str = "auto") -> "Predictor":
    """The predictor of one target; `link` is the accuracy's. Raises as
    `steps.fit.predictor_or_transfer`."""
    from foxnas_core.steps.fit import fit_all
    from foxnas_core.steps.kept_fits import kept_fits

    kept = kept_fits(study)
    return fit_all(table_of(study), form, link, targets=[column], kept=kept)[column]


@cached(spinner="Fitting the regression …")
def fits_of(study: Study, form: str = "auto") -> "tuple[Mapping[str, Predictor], Sequence[str]]":
    """A predictor for each target that can be fitted or calibrated, and a sentence for each that
    can't or is calibrated."""
    from foxnas_core.steps.fit import fit_each

    return fit_each(table_of(study).targets, lambda column: predictor_of(study, column, form))


@cached("optima.parquet")
def calibrations_of(study: Study, latency: str) -> "dict[str, SearchCalibration]":
    """What measured optima tell of the objective and one cost; raises as `steps.calibrate`."""
    from foxnas_core.steps.calibrate import calibrations

    predictors = [predictor_of(study, column) for column in (study.objective.column, latency)]
    return calibrations(table_of(study), study.optima(), predictors)
