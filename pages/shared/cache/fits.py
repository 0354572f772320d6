"""Predictors of a study's table, and how sure one may be of them."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from foxnas_core.errors import FoxnasError
from foxnas_core.study import Study
from foxnas_core.table.metrics import metric_of
from pages.shared.cache.versions import cached, table_of

if TYPE_CHECKING:
    from foxnas_core.diagnostics.diagnosis import Diagnosis
    from foxnas_core.diagnostics.learning_curve import LearningCurve
    from foxnas_core.planning.plan import MeasurementPlan
    from foxnas_core.regression import Predictor
    from foxnas_core.regression.inference import Inference
    from foxnas_core.regression.picker import Recommendation
    from foxnas_core.search.calibration import SearchCalibration
    from foxnas_core.table.equals import EqualNetworks


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


@cached()
def equals_of(study: Study) -> "EqualNetworks":
    """The measured objective by network; raises as `MeasurementTable.values`."""
    from foxnas_core.table.equals import EqualNetworks

    return EqualNetworks.of(table_of(study), study.objective)


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
def predictors_of(
    study: Study, form: str = "auto"
) -> "tuple[Mapping[str, Predictor], Sequence[str]]":
    """A predictor for each target that can be fitted or calibrated, and a sentence for each that
    can't or is calibrated."""
    from foxnas_core.steps.fit import fit_each

    return fit_each(table_of(study).targets, lambda column: predictor_of(study, column, form))


@cached(entries=64, spinner="Computing intervals …")
def inference_of(study: Study, column: str, form: str, link: str, kind: str) -> "Inference":
    """How sure one may be of a predictor's effects; raises as `regression.fit`."""
    from foxnas_core.regression.inference import inference

    return inference(predictor_of(study, column, form, link), kind, table=table_of(study))


@cached(spinner="Comparing the forms, 50 times over …")
def recommendation_of(study: Study, column: str, link: str) -> "Recommendation":
    """The recommended form of one target and why; raises as `regression.fit`."""
    from foxnas_core.regression.picker import recommend

    return recommend(table_of(study), column, link if metric_of(column).saturates else "none")


@cached("optima.parquet")
def calibrations_of(study: Study, latency: str) -> "dict[str, SearchCalibration]":
    """What measured optima tell of accuracy and one latency; raises as `steps.calibrate`."""
    from foxnas_core.steps.calibrate import calibrations

    predictors = [predictor_of(study, column) for column in (study.objective.column, latency)]
    return calibrations(table_of(study), study.optima(), predictors, latency)


@cached(spinner="Looking for what speaks against the fit …")
def diagnosis_of(study: Study, column: str, form: str, link: str) -> "Diagnosis":
    """What speaks against one predictor; raises as `regression.fit` and `diagnose`."""
    from foxnas_core.diagnostics.diagnosis import diagnose

    return diagnose(predictor_of(study, column, form, link), table_of(study))


@cached(spinner="Fitting parts of the table …")
def learning_curve_of(study: Study, column: str, form: str, link: str) -> "LearningCurve":
    """How one predictor depends on the number of rows; raises as `learning_curve`."""
    from foxnas_core.diagnostics.learning_curve import learning_curve

    return learning_curve(predictor_of(study, column, form, link), table_of(study))


@cached("optima.parquet", entries=32, spinner="Planning the batch, which takes some seconds …")
def plan_of(study: Study, column: str, count: int) -> "MeasurementPlan":
    """The next batch for one target; raises as `steps.plan.plan_measurements`."""
    from foxnas_core.planning.plan import plan_next

    predictor = None
    with suppress(FoxnasError):  # too few rows for a fit, which the plan then says
        predictor = predictor_of(study, column)
    taken = study.optima().codes
    return plan_next(table_of(study), column, count, predictor=predictor, taken=taken)


def seconds_of(study: Study) -> float | None:
    """What measuring a subnet took in this study; see `planning.plan.seconds_a_row`."""
    from foxnas_core.planning.plan import seconds_a_row

    return seconds_a_row(table_of(study))
