"""Predictors of a study's table, and how sure one may be of them."""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from foxnas_core.errors import FoxnasError
from foxnas_core.study.storage import Study, open_study
from foxnas_core.table.metrics import metric_of
from pages.shared.cache.versions import Stamp, Version, cached_table, stamp_of, table_of, version_of

if TYPE_CHECKING:
    from foxnas_core.diagnostics.diagnosis import Diagnosis
    from foxnas_core.diagnostics.learning_curve import LearningCurve
    from foxnas_core.planning.plan import MeasurementPlan
    from foxnas_core.regression import Predictor
    from foxnas_core.regression.inference import Inference
    from foxnas_core.regression.picker import Recommendation
    from foxnas_core.search.calibration import SearchCalibration


def measured_labels_of(study: Study, latency: str) -> dict[str, str]:
    """The measured subnets by id, the most accurate first, with what they measured."""
    return _measured_labels(str(study.folder), latency, version_of(study))


@st.cache_resource(max_entries=16, show_spinner=False)
def _measured_labels(_folder: str, latency: str, stamp: Version) -> dict[str, str]:
    table = cached_table(_folder, stamp)
    targets = [t for t in table.targets if t.column in ("accuracy", latency)]
    rows = table.frame.drop_duplicates("id")
    if "accuracy" in rows:
        rows = rows.sort_values("accuracy", ascending=False, kind="stable")
    return {
        row["id"]: " · ".join([row["id"], *(f"{t.text(row[t.column])} {t.unit}" for t in targets)])
        for row in rows[["id", *(t.column for t in targets)]].to_dict("records")
    }


def middle_of(study: Study, column: str) -> float:
    """The middle of what was measured, to three digits."""
    return float(f"{table_of(study).frame[column].median():.3g}")


def predictor_of(study: Study, column: str, form: str = "auto", link: str = "auto") -> "Predictor":
    """The predictor of one target; `link` is the accuracy's. Raises as
    `predictor_or_transfer`."""
    return cached_predictor(str(study.folder), column, form, link, version_of(study))


@st.cache_resource(max_entries=64, show_spinner="Fitting the regression …")
def cached_predictor(
    _folder: str, column: str, form: str, link: str, stamp: Version
) -> "Predictor":
    from foxnas_core.steps.fit import fit_all

    return fit_all(cached_table(_folder, stamp), form, link, targets=[column])[column]


def predictors_of(study: Study, form: str = "auto") -> "tuple[dict[str, Predictor], list[str]]":
    """A predictor for each target that can be fitted or calibrated, and a sentence for each that
    can't or is calibrated."""
    predictors, sentences = _predictors(str(study.folder), form, version_of(study))
    return dict(predictors), list(sentences)


@st.cache_resource(max_entries=16, show_spinner="Fitting the regression …")
def _predictors(
    _folder: str, form: str, stamp: Version
) -> "tuple[dict[str, Predictor], list[str]]":
    from foxnas_core.steps.fit import fit_each

    return fit_each(
        cached_table(_folder, stamp).targets,
        lambda column: cached_predictor(_folder, column, form, "auto", stamp),
    )


def inference_of(study: Study, column: str, form: str, link: str, kind: str) -> "Inference":
    """How sure one may be of a predictor's effects; raises as `regression.fit`."""
    return _inference(str(study.folder), column, form, link, kind, version_of(study))


@st.cache_resource(max_entries=64, show_spinner="Computing intervals …")
def _inference(
    _folder: str, column: str, form: str, link: str, kind: str, stamp: Version
) -> "Inference":
    from foxnas_core.regression.inference import inference

    predictor = cached_predictor(_folder, column, form, link, stamp)
    return inference(predictor, kind, table=cached_table(_folder, stamp))


def recommendation_of(study: Study, column: str, link: str) -> "Recommendation":
    """The recommended form of one target and why; raises as `regression.fit`."""
    return _recommendation(str(study.folder), column, link, version_of(study))


@st.cache_resource(max_entries=16, show_spinner="Comparing the forms, 50 times over …")
def _recommendation(_folder: str, column: str, link: str, stamp: Version) -> "Recommendation":
    from foxnas_core.regression.picker import recommend

    return recommend(
        cached_table(_folder, stamp), column, link if metric_of(column).is_accuracy else "none"
    )


def calibrations_of(study: Study, latency: str) -> "dict[str, SearchCalibration]":
    """What measured optima tell of accuracy and one latency; raises as `calibrations`."""
    stamp = version_of(study)
    return cached_calibrations(str(study.folder), latency, stamp, stamp_of(study, "optima.parquet"))


@st.cache_resource(max_entries=16, show_spinner=False)
def cached_calibrations(
    _folder: str, latency: str, stamp: Version, optima: Stamp
) -> "dict[str, SearchCalibration]":
    from foxnas_core.steps.calibrate import calibrations

    predictors = [
        cached_predictor(_folder, c, "auto", "auto", stamp) for c in ("accuracy", latency)
    ]
    measured = open_study(Path(_folder)).optima()
    return calibrations(cached_table(_folder, stamp), measured, predictors, latency)


def diagnosis_of(study: Study, column: str, form: str, link: str) -> "Diagnosis":
    """What speaks against one predictor; raises as `regression.fit` and `diagnose`."""
    return _diagnosis(str(study.folder), column, form, link, version_of(study))


@st.cache_resource(max_entries=16, show_spinner="Looking for what speaks against the fit …")
def _diagnosis(_folder: str, column: str, form: str, link: str, stamp: Version) -> "Diagnosis":
    from foxnas_core.diagnostics.diagnosis import diagnose

    return diagnose(
        cached_predictor(_folder, column, form, link, stamp), cached_table(_folder, stamp)
    )


def learning_curve_of(study: Study, column: str, form: str, link: str) -> "LearningCurve":
    """How one predictor depends on the number of rows; raises as `learning_curve`."""
    return _learning_curve(str(study.folder), column, form, link, version_of(study))


@st.cache_resource(max_entries=16, show_spinner="Fitting parts of the table …")
def _learning_curve(
    _folder: str, column: str, form: str, link: str, stamp: Version
) -> "LearningCurve":
    from foxnas_core.diagnostics.learning_curve import learning_curve

    return learning_curve(
        cached_predictor(_folder, column, form, link, stamp), cached_table(_folder, stamp)
    )


def plan_of(study: Study, column: str, count: int) -> "MeasurementPlan":
    """The next batch for one target; raises as `plan_measurements`."""
    stamp = version_of(study)
    return _plan(str(study.folder), column, count, stamp, stamp_of(study, "optima.parquet"))


@st.cache_resource(max_entries=32, show_spinner="Planning the batch, which takes some seconds …")
def _plan(
    _folder: str, column: str, count: int, stamp: Version, optima: Stamp
) -> "MeasurementPlan":
    from foxnas_core.planning.plan import plan_next

    predictor = None
    with suppress(FoxnasError):  # too few rows for a fit, which the plan then says
        predictor = cached_predictor(_folder, column, "auto", "auto", stamp)
    taken = open_study(Path(_folder)).optima().codes
    return plan_next(cached_table(_folder, stamp), column, count, predictor=predictor, taken=taken)


def seconds_of(study: Study) -> float | None:
    """What measuring a subnet took in this study; see `design.plan.seconds_a_row`."""
    from foxnas_core.planning.plan import seconds_a_row

    return seconds_a_row(table_of(study))
