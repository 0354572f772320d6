"""What pages compute, kept by the content it was computed from. The only user of `st.cache_*`.

Tables, predictors and fronts are frozen values that no page changes, so all sessions share one
copy of each instead of unpickling their own at every rerun.
"""

import hashlib
import json
import os
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import streamlit as st

from foxnas_core.architecture import Architecture, Value
from foxnas_core.errors import FoxnasError, InvalidInput
from foxnas_core.importing import ColumnMapping, ForeignFile, read_content
from foxnas_core.search_space import SearchSpace
from foxnas_core.storage import Study, file_hash, open_study
from foxnas_core.table import MeasurementTable, count_rows
from foxnas_core.target import target_of
from pages.shared import choices
from pages.shared.choices import as_text
from pages.shared.registry import MEASURING

if TYPE_CHECKING:
    import pandas as pd

    from foxnas_core.answers.reach import Answer, Reached
    from foxnas_core.answers.reasons import Reasons
    from foxnas_core.answers.why_not import WhyNot
    from foxnas_core.design.plan import MeasurementPlan
    from foxnas_core.devices.comparison import DeviceComparison
    from foxnas_core.devices.curve import TransferCurve
    from foxnas_core.devices.reversals import RankReversals
    from foxnas_core.diagnostics.diagnosis import Diagnosis
    from foxnas_core.diagnostics.learning_curve import LearningCurve
    from foxnas_core.explanation.permutation import PermutationImportance
    from foxnas_core.explanation.second_opinion import SecondOpinion
    from foxnas_core.explanation.shapley import BlockShapley
    from foxnas_core.handmade.claims import Comparison
    from foxnas_core.handmade.record import HandmadeRecord
    from foxnas_core.profiling.result import Layer, LayerProfile
    from foxnas_core.regression import Predictor
    from foxnas_core.regression.inference import Inference
    from foxnas_core.regression.picker import Recommendation
    from foxnas_core.reporting.report import Report
    from foxnas_core.reporting.subject import ReportRequest
    from foxnas_core.search.calibration import SearchCalibration
    from foxnas_core.search.exact import Front
    from foxnas_core.search.milp import Solution
    from foxnas_core.search.problem import SearchProblem
    from foxnas_core.search.result import SearchResult
    from foxnas_core.search.rounds import RoundsRecord
    from foxnas_core.trust.pairs import TrustRecord
    from foxnas_core.trust.report import TrustReport
    from foxnas_core.verification.claims import Trial
    from pages.shared.exports import Exports
    from pages.shared.jobs import Jobs
    from pages.shared.races import Races
    from pages.shared.resamples import Resamplings
    from pages.shared.verifications import Verifications

Stamp = tuple[tuple[str, int, int, int], ...]
# By file, what identifies its content; of those that a fit reads.
Version = tuple[tuple[str, str], ...]
# That, and the number of rows, if it can be told.
Shown = tuple[Version, int | None]
Kept = tuple[tuple[str, tuple[Value, ...]], ...]
Limits = tuple[tuple[str, float], ...]
KEPT_SEARCHES = 50

# Parts of a study that a subnet is built from.
_NETWORK = ("space.json", "supernet.safetensors", "images.npz")


@dataclass(frozen=True)
class Upload:
    """A file that somebody uploaded: its name and its bytes."""

    name: str
    content: bytes = field(repr=False)

    @cached_property
    def digest(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


class TableChanged(InvalidInput):
    """The table that a page began with is not there any more."""


def settle(study: Study) -> None:
    """Begin a page: whatever it shows from here on is of the table that the study has now."""
    for _ in range(3):
        choices.remember("versions", {str(study.folder): _version(study)})
        try:
            table_of(study)
        except TableChanged:  # while it was read
            continue
        except FoxnasError:  # which the page says where it matters
            pass
        return


def drawn(study: Study) -> Shown:
    """The table that the page shows."""
    with suppress(FoxnasError):
        return _fit_stamp(study), len(table_of(study))
    return _fit_stamp(study), None


def on_disk(study: Study) -> Shown:
    """The table on disk; an empty version where the study is gone."""
    version = _version(study)
    digests = dict(version)
    if "measurements.parquet" not in digests:
        return version, 0
    with suppress(FoxnasError):
        return version, _rows(str(study.table_file), digests["measurements.parquet"])
    return version, None


def table_of(study: Study) -> MeasurementTable:
    """The measurement table; raises as `Study.table`."""
    return _table(str(study.folder), _fit_stamp(study))


def measured_labels_of(study: Study, latency: str) -> dict[str, str]:
    """The measured subnets by id, the most accurate first, with what they measured."""
    return _measured_labels(str(study.folder), latency, _fit_stamp(study))


def predictor_of(study: Study, column: str, form: str = "auto", link: str = "auto") -> "Predictor":
    """The predictor of one target; `link` is the accuracy's. Raises as
    `workflow.predictor_or_transfer`."""
    return _predictor(str(study.folder), column, form, link, _fit_stamp(study))


def inference_of(study: Study, column: str, form: str, link: str, kind: str) -> "Inference":
    """How sure one may be of a predictor's effects; raises as `regression.fit`."""
    return _inference(str(study.folder), column, form, link, kind, _fit_stamp(study))


def recommendation_of(study: Study, column: str, link: str) -> "Recommendation":
    """The recommended form of one target and why; raises as `regression.fit`."""
    return _recommendation(str(study.folder), column, link, _fit_stamp(study))


def calibrations_of(study: Study, latency: str) -> "dict[str, SearchCalibration]":
    """What measured optima tell of accuracy and one latency; raises as `workflow.calibrations`."""
    stamp = _fit_stamp(study)
    return _calibrations(str(study.folder), latency, stamp, _stamp(study, "optima.parquet"))


def predictors_of(study: Study, form: str = "auto") -> "tuple[dict[str, Predictor], list[str]]":
    """A predictor for each target that can be fitted or calibrated, and a sentence for each that
    can't or is calibrated."""
    predictors, sentences = _predictors(str(study.folder), form, _fit_stamp(study))
    return dict(predictors), list(sentences)


def front_of(study: Study, latency: str, kept: Kept = ()) -> "Front":
    """The best predicted accuracy for every latency, with the choices that decisions may take;
    raises as `regression.fit`."""
    return _front(str(study.folder), latency, kept, _fit_stamp(study))


def limited_front_of(study: Study, cost: str, limits: Limits, kept: Kept) -> "Front":
    """The front with further columns limited too; raises as `regression.fit` and
    `limited_front`."""
    return _limited_front(str(study.folder), cost, limits, kept, _fit_stamp(study))


def problem_of(study: Study, objective: str, limits: Limits, kept: Kept) -> "SearchProblem":
    """The search for the best of a column under limits on others, as `workflow.search_problem`
    takes them; raises as `regression.fit`."""
    (first, bound), *others = limits
    stamp = _fit_stamp(study)
    problem = _problem(str(study.folder), objective, first, tuple(others), kept, stamp)
    return problem.within(bound)


def solution_of(study: Study, objective: str, limits: Limits, kept: Kept) -> "Solution":
    """The optimum of `problem_of`; raises as `milp.solve`."""
    return _solution(str(study.folder), objective, limits, kept, _fit_stamp(study))


def reached_of(
    study: Study,
    objective: str,
    limits: Limits,
    kept: Kept,
    architecture: Architecture,
    relative: bool,
) -> "Reached":
    """The edits by which an architecture reaches a goal for the first of `limits`, whose number is
    that goal's amount; raises as `answers.reach`."""
    return _reached(
        str(study.folder), objective, limits, kept, as_text(architecture), relative,
        _fit_stamp(study), _stamp(study, "optima.parquet"),
    )  # fmt: skip


def kept_best_of(
    study: Study, objective: str, limits: Limits, kept: Kept, architecture: Architecture
) -> "Answer":
    """The best of `problem_of` beside an architecture; raises as `answers.best_with_kept`."""
    return _kept_best(
        str(study.folder), objective, limits, kept, as_text(architecture),
        _fit_stamp(study), _stamp(study, "optima.parquet"),
    )  # fmt: skip


def why_not_of(
    study: Study,
    objective: str,
    limits: Limits,
    kept: Kept,
    architecture: Architecture,
    asked: tuple[str, Value],
) -> "tuple[WhyNot, pd.DataFrame]":
    """Why an architecture does not have a decision's choice, and the best with each of its choices;
    raises as `answers.why_not`."""
    return _why_not(
        str(study.folder), objective, limits, kept, as_text(architecture), asked, _fit_stamp(study)
    )


def middle_of(study: Study, column: str) -> float:
    """The middle of what was measured, to three digits."""
    return float(f"{table_of(study).frame[column].median():.3g}")


def shapley_of(study: Study, column: str, architecture: Architecture | None) -> "BlockShapley":
    """Shapley values of one architecture's blocks, or of those of every measured subnet, against
    all measured subnets."""
    return _shapley(str(study.folder), column, _text_of(architecture), _fit_stamp(study))


def block_effects_of(
    study: Study, column: str, architecture: Architecture | None
) -> "pd.DataFrame":
    """The coefficients' share of each block in one architecture, or over all measured subnets."""
    return _block_effects(str(study.folder), column, _text_of(architecture), _fit_stamp(study))


def dependence_of(study: Study, column: str, architecture: Architecture | None) -> "pd.DataFrame":
    """Partial dependence on one architecture's blocks, or on every choice."""
    return _dependence(str(study.folder), column, _text_of(architecture), _fit_stamp(study))


def permutation_of(study: Study, column: str) -> "PermutationImportance":
    """Permutation importance of each block on the measured subnets."""
    return _permutation(str(study.folder), column, _fit_stamp(study))


def second_opinion_of(study: Study, column: str) -> "SecondOpinion":
    """Boosted trees fitted to the measured subnets; raises as `second_opinion`."""
    return _second_opinion(str(study.folder), column, _fit_stamp(study))


def diagnosis_of(study: Study, column: str, form: str, link: str) -> "Diagnosis":
    """What speaks against one predictor; raises as `regression.fit` and `diagnose`."""
    return _diagnosis(str(study.folder), column, form, link, _fit_stamp(study))


def learning_curve_of(study: Study, column: str, form: str, link: str) -> "LearningCurve":
    """How one predictor depends on the number of rows; raises as `learning_curve`."""
    return _learning_curve(str(study.folder), column, form, link, _fit_stamp(study))


def pair_of(study: Study, first: str, second: str) -> "tuple[Predictor, Predictor]":
    """Two devices' fits on the subnets that both measured; raises as `fit_pair`."""
    return _pair(str(study.folder), first, second, _fit_stamp(study))


def comparison_of(study: Study, first: str, second: str) -> "DeviceComparison":
    """How two devices' effects differ; raises as `fit_pair`."""
    return _comparison(str(study.folder), first, second, _fit_stamp(study))


def reversals_of(study: Study, first: str, second: str) -> "RankReversals":
    """Which subnets swap their order between two devices; raises as `rank_reversals`."""
    return _reversals(str(study.folder), first, second, _fit_stamp(study))


def curve_of(study: Study, source: str, target: str) -> "TransferCurve":
    """The error of a calibration by its rows; raises as `transfer_curve`."""
    return _curve(str(study.folder), source, target, _fit_stamp(study))


def plan_of(study: Study, column: str, count: int) -> "MeasurementPlan":
    """The next batch for one target; raises as `workflow.plan_measurements`."""
    stamp = _fit_stamp(study)
    return _plan(str(study.folder), column, count, stamp, _stamp(study, "optima.parquet"))


def seconds_of(study: Study) -> float | None:
    """What measuring a subnet took in this study; see `design.plan.seconds_a_row`."""
    from foxnas_core.design.plan import seconds_a_row

    return seconds_a_row(table_of(study))


def rounds_of(study: Study) -> "RoundsRecord | None":
    """The study's rounds of search and measurement; raises as `Study.rounds`."""
    return _rounds(str(study.folder), _stamp(study, "space.json", "rounds.json"))


def trust_of(study: Study) -> "TrustRecord | None":
    """The study's subnets that were trained alone; raises as `Study.trust`."""
    return _trust(str(study.folder), _stamp(study, "space.json", "trust.json"))


def trust_report_of(study: Study) -> "TrustReport":
    """What those subnets tell; raises as `trust_report`."""
    return _trust_report(str(study.folder), _stamp(study, "space.json", "trust.json"))


def handmade_of(study: Study) -> "HandmadeRecord | None":
    """The study's networks designed by hand; raises as `Study.handmade`."""
    return _handmade(str(study.folder), _stamp(study, "space.json", "handmade.json"))


def handmade_comparison_of(study: Study, way: str, precision: str) -> "Comparison":
    """Those held against the searched ones; raises as `handmade.claims.compare`."""
    stamp = _stamp(study, "space.json", "handmade.json")
    return _handmade_comparison(str(study.folder), way, precision, stamp)


def is_of_other_weights(study: Study, record: "TrustRecord | HandmadeRecord") -> bool:
    """Whether the study's weights, if it has any, are not those of the record."""
    stamp = _stamp(study, "supernet.safetensors")
    return bool(stamp) and _weights(str(study.folder), stamp) != record.parents["checkpoint"]


def export_stamp(study: Study) -> Stamp:
    """Changes whenever a file that exported files are made of does."""
    return _stamp(study, *_NETWORK)


def layers_of(study: Study, architecture: Architecture) -> "tuple[Layer, ...]":
    """One subnet's layers; raises as `workflow.subnet_layers`."""
    return _layers(str(study.folder), as_text(architecture), _stamp(study, *_NETWORK))


def profile_of(study: Study, architecture: Architecture, precision: str) -> "LayerProfile":
    """What each of its layers takes on this machine; raises as `workflow.profile_subnet`."""
    stamp = _stamp(study, *_NETWORK)
    return _profile(str(study.folder), as_text(architecture), precision, stamp)


def block_prices_of(study: Study, column: str, architecture: Architecture) -> "pd.DataFrame":
    """What each of its blocks adds to a target; raises as `predictor_of`."""
    return _block_prices(str(study.folder), column, as_text(architecture), _fit_stamp(study))


def reasons_of(study: Study, latency: str, architecture: Architecture, budget: float) -> "Reasons":
    """Why an architecture has its blocks at a latency budget; raises as `front_of`."""
    return _reasons(str(study.folder), latency, as_text(architecture), budget, _fit_stamp(study))


def trials_of(study: Study) -> "list[Trial]":
    """The claims on the study's present weights, and what was measured; raises as
    `Study.trials`."""
    return _trials(
        str(study.folder), _stamp(study, "space.json", "claims.json", "supernet.safetensors")
    )


def held_out_of(study: Study) -> int:
    """How many held-out images the study has; raises as `Study.images`."""
    return _held_out(str(study.folder), _stamp(study, "images.npz"))


def report_of(study: Study, request: "ReportRequest") -> "Report":
    """The study's report; raises as `build_report`."""
    names = (
        "study.json", "space.json", "measurements.parquet", "optima.parquet", "trust.json",
        "supernet.safetensors", "images.npz", "searches",
    )  # fmt: skip
    return _report(str(study.folder), repr(request), _stamp(study, *names), request)


def searches_of(study: Study) -> "dict[str, SearchResult]":
    """The newest of the study's kept searches by id, damaged ones left out."""
    return _searches(str(study.folder), _stamp(study, "searches"))


def foreign_of(upload: Upload) -> ForeignFile:
    """The uploaded file with its own columns; raises as `read_content`."""
    return _foreign(upload.name, upload.digest, upload)


def imported_of(
    upload: Upload, space: SearchSpace, mapping: ColumnMapping | None
) -> MeasurementTable:
    """The checked table of an uploaded file; raises as `ForeignFile.table`."""
    told = (dict(mapping.columns), dict(mapping.units)) if mapping else None
    key = json.dumps([space.to_dict(), told])
    return _imported(upload.name, upload.digest, key, upload, space, mapping)


@st.cache_resource
def jobs() -> "Jobs":
    """The searches that run in this server, whatever page or session looks at them."""
    from pages.shared.jobs import Jobs

    return Jobs()


@st.cache_resource
def races() -> "Races":
    """The races of strategies that run in this server."""
    from pages.shared.races import Races

    return Races()


@st.cache_resource
def resamplings() -> "Resamplings":
    """The fronts that are resampled in this server."""
    from pages.shared.resamples import Resamplings

    return Resamplings()


@st.cache_resource
def exports() -> "Exports":
    """The exports that run in this server."""
    from pages.shared.exports import Exports

    return Exports()


@st.cache_resource
def verifications() -> "Verifications":
    """The claims that are tested in this server."""
    from pages.shared.verifications import Verifications

    return Verifications()


def _stamp(study: Study, *names: str) -> Stamp:
    """Changes whenever one of the files does."""
    stamps = []
    for name in names:
        path = study.folder / name
        if path.exists():
            status = path.stat()
            stamps.append((name, status.st_ino, status.st_mtime_ns, status.st_size))
    return tuple(stamps)


def _fit_stamp(study: Study) -> Version:
    """What identifies the content of the files that a fit reads: of those that this page began
    with, so that all it shows is of one table."""
    kept: dict[str, Version] = choices.remembered("versions") or {}
    folder = str(study.folder)
    if folder not in kept:
        kept = {**kept, folder: _version(study)}
        choices.remember("versions", kept)
    return kept[folder]


def _version(study: Study) -> Version:
    found = []
    for name in ("space.json", "measurements.parquet"):
        with suppress(OSError), (study.folder / name).open("rb") as file:
            status = os.fstat(file.fileno())
            identity = (str(study.folder / name), status.st_ino, status.st_mtime_ns, status.st_size)
            found.append((name, _digest(*identity, file)))
    return tuple(found)


# A stamp is read as part of the key only. Architectures come as JSON, which Streamlit can hash.
# What follows from a table's content alone is kept by that, so that copies of a study share it:
# their `_folder` only says where it may be read.


@st.cache_resource(max_entries=256, show_spinner=False)
def _digest(path: str, node: int, changed: int, size: int, _file: BinaryIO) -> str:
    """Of the content that the other arguments identify: files are replaced, never changed."""
    return hashlib.file_digest(_file, "sha256").hexdigest()


@st.cache_resource(max_entries=256, show_spinner=False)
def _rows(path: str, digest: str) -> int:
    return count_rows(Path(path))


@st.cache_resource(max_entries=8, show_spinner=False)
def _table(_folder: str, stamp: Version) -> MeasurementTable:
    study = open_study(Path(_folder))
    table = study.table()
    if _version(study) != stamp:
        raise TableChanged(
            f"The table of {study.name} was changed while this page was drawn; reload the page."
        )
    return table


@st.cache_resource(max_entries=16, show_spinner=False)
def _measured_labels(_folder: str, latency: str, stamp: Version) -> dict[str, str]:
    table = _table(_folder, stamp)
    targets = [t for t in table.targets if t.column in ("accuracy", latency)]
    rows = table.frame.drop_duplicates("id")
    if "accuracy" in rows:
        rows = rows.sort_values("accuracy", ascending=False, kind="stable")
    return {
        row["id"]: " · ".join([row["id"], *(f"{t.text(row[t.column])} {t.unit}" for t in targets)])
        for row in rows[["id", *(t.column for t in targets)]].to_dict("records")
    }


@st.cache_resource(max_entries=64, show_spinner="Fitting the regression …")
def _predictor(_folder: str, column: str, form: str, link: str, stamp: Version) -> "Predictor":
    from foxnas_core.workflow import fit_all

    return fit_all(_table(_folder, stamp), form, link, targets=[column])[column]


@st.cache_resource(max_entries=16, show_spinner="Fitting the regression …")
def _predictors(
    _folder: str, form: str, stamp: Version
) -> "tuple[dict[str, Predictor], list[str]]":
    from foxnas_core.workflow import fit_each

    return fit_each(
        _table(_folder, stamp).targets,
        lambda column: _predictor(_folder, column, form, "auto", stamp),
    )


@st.cache_resource(max_entries=64, show_spinner="Computing intervals …")
def _inference(
    _folder: str, column: str, form: str, link: str, kind: str, stamp: Version
) -> "Inference":
    from foxnas_core.regression.inference import inference

    predictor = _predictor(_folder, column, form, link, stamp)
    return inference(predictor, kind, table=_table(_folder, stamp))


@st.cache_resource(max_entries=16, show_spinner="Comparing the forms, 50 times over …")
def _recommendation(_folder: str, column: str, link: str, stamp: Version) -> "Recommendation":
    from foxnas_core.regression.picker import recommend

    return recommend(
        _table(_folder, stamp), column, link if target_of(column).is_accuracy else "none"
    )


@st.cache_resource(max_entries=16, show_spinner=False)
def _calibrations(
    _folder: str, latency: str, stamp: Version, optima: Stamp
) -> "dict[str, SearchCalibration]":
    from foxnas_core.workflow import calibrations

    predictors = [_predictor(_folder, c, "auto", "auto", stamp) for c in ("accuracy", latency)]
    measured = open_study(Path(_folder)).optima()
    return calibrations(_table(_folder, stamp), measured, predictors, latency)


@st.cache_resource(max_entries=16, show_spinner="Finding the exact optimum for every budget …")
def _front(_folder: str, latency: str, kept: Kept, stamp: Version) -> "Front":
    from foxnas_core.search.exact import front

    return front(_problem(_folder, "accuracy", latency, (), kept, stamp))


@st.cache_resource(max_entries=16, show_spinner="Finding the front under all limits …")
def _limited_front(_folder: str, cost: str, limits: Limits, kept: Kept, stamp: Version) -> "Front":
    from foxnas_core.search.limited import limited_front

    return limited_front(_problem(_folder, "accuracy", cost, limits, kept, stamp))


@st.cache_resource(max_entries=16, show_spinner=False)
def _problem(
    _folder: str, objective: str, first: str, limits: Limits, kept: Kept, stamp: Version
) -> "SearchProblem":
    from foxnas_core.workflow import search_problem

    if kept:
        return _problem(_folder, objective, first, limits, (), stamp).restricted_to(dict(kept))
    # The first limit's number is set by `SearchProblem.within`, which shares what is compiled.
    bounds = {first: 0.0, **dict(limits)}
    predictors = {c: _predictor(_folder, c, "auto", "auto", stamp) for c in (objective, *bounds)}
    return search_problem(predictors, bounds, objective=objective)


@st.cache_resource(max_entries=64, show_spinner="Finding the optimum under all limits …")
def _solution(
    _folder: str, objective: str, limits: Limits, kept: Kept, stamp: Version
) -> "Solution":
    from foxnas_core.search.milp import solve

    (first, bound), *others = limits
    return solve(_problem(_folder, objective, first, tuple(others), kept, stamp).within(bound))


@st.cache_resource(max_entries=64, show_spinner="Finding the fewest edits …")
def _reached(
    _folder: str,
    objective: str,
    limits: Limits,
    kept: Kept,
    architecture: str,
    relative: bool,
    stamp: Version,
    optima: Stamp,
) -> "Reached":
    from foxnas_core.answers.reach import Goal, reach

    (first, amount), *others = limits
    problem = _problem(_folder, objective, first, tuple(others), (), stamp)
    return reach(
        problem,
        problem.space.architecture(json.loads(architecture)),
        Goal(amount, relative),
        allowed=dict(kept),
        calibration=_calibration(_folder, objective, first, stamp, optima),
    )


@st.cache_resource(max_entries=64, show_spinner="Optimising the rest …")
def _kept_best(
    _folder: str,
    objective: str,
    limits: Limits,
    kept: Kept,
    architecture: str,
    stamp: Version,
    optima: Stamp,
) -> "Answer":
    from foxnas_core.answers.reach import best_with_kept

    (first, bound), *others = limits
    problem = _problem(_folder, objective, first, tuple(others), (), stamp).within(bound)
    return best_with_kept(
        problem,
        problem.space.architecture(json.loads(architecture)),
        dict(kept),
        calibration=_calibration(_folder, objective, first, stamp, optima),
    )


@st.cache_resource(max_entries=64, show_spinner="Looking for the best subnet with it …")
def _why_not(
    _folder: str,
    objective: str,
    limits: Limits,
    kept: Kept,
    architecture: str,
    asked: tuple[str, Value],
    stamp: Version,
) -> "tuple[WhyNot, pd.DataFrame]":
    from foxnas_core.answers.why_not import every_choice, why_not

    (first, bound), *others = limits
    problem = _problem(_folder, objective, first, tuple(others), (), stamp).within(bound)
    base, allowed = problem.space.architecture(json.loads(architecture)), dict(kept)
    found = why_not(problem, base, *asked, allowed=allowed)
    return found, every_choice(problem, base, asked[0], allowed=allowed)


def _calibration(
    folder: str, objective: str, first: str, stamp: Version, optima: Stamp
) -> "SearchCalibration | None":
    """The calibration of what is limited, None where too few optima were measured."""
    latency = objective if first == "accuracy" else first
    with suppress(FoxnasError):
        return _calibrations(folder, latency, stamp, optima)[first]
    return None


def _text_of(architecture: Architecture | None) -> str | None:
    return None if architecture is None else as_text(architecture)


@st.cache_resource(max_entries=64, show_spinner="Computing Shapley values …")
def _shapley(_folder: str, column: str, choices: str | None, stamp: Version) -> "BlockShapley":
    from foxnas_core.explanation.shapley import block_shapley

    table = _table(_folder, stamp)
    background = table.architectures()
    one = choices and [table.space.architecture(json.loads(choices))]
    return block_shapley(
        _predictor(_folder, column, "auto", "auto", stamp),
        architectures=one or background,
        background=background,
    )


@st.cache_resource(max_entries=64, show_spinner=False)
def _block_effects(
    _folder: str, column: str, choices: str | None, stamp: Version
) -> "pd.DataFrame":
    from foxnas_core.explanation.block_effects import block_effects, mean_block_effects

    table = _table(_folder, stamp)
    predictor = _predictor(_folder, column, "auto", "auto", stamp)
    background = table.architectures()
    if choices is None:
        return mean_block_effects(predictor, background=background)
    one = table.space.architecture(json.loads(choices))
    return block_effects(predictor, architecture=one, background=background)


@st.cache_resource(max_entries=64, show_spinner="Computing partial dependence …")
def _dependence(_folder: str, column: str, choices: str | None, stamp: Version) -> "pd.DataFrame":
    from foxnas_core.explanation.permutation import block_dependence, partial_dependences

    table = _table(_folder, stamp)
    predictor = _predictor(_folder, column, "auto", "auto", stamp)
    background = table.architectures()
    if choices is None:
        return partial_dependences(predictor, background=background)
    one = table.space.architecture(json.loads(choices))
    return block_dependence(predictor, architecture=one, background=background)


@st.cache_resource(
    max_entries=16, show_spinner="Shuffling each block 30 times, which takes a few seconds …"
)
def _permutation(_folder: str, column: str, stamp: Version) -> "PermutationImportance":
    from foxnas_core.explanation.permutation import permutation_lens

    return permutation_lens(
        _predictor(_folder, column, "auto", "auto", stamp), _table(_folder, stamp)
    )


@st.cache_resource(
    max_entries=8,
    show_spinner="Fitting boosted trees six times, which takes about 10 to 20 seconds …",
)
def _second_opinion(_folder: str, column: str, stamp: Version) -> "SecondOpinion":
    from foxnas_core.explanation.second_opinion import second_opinion

    return second_opinion(
        _predictor(_folder, column, "auto", "auto", stamp), _table(_folder, stamp)
    )


@st.cache_resource(max_entries=16, show_spinner="Looking for what speaks against the fit …")
def _diagnosis(_folder: str, column: str, form: str, link: str, stamp: Version) -> "Diagnosis":
    from foxnas_core.diagnostics.diagnosis import diagnose

    return diagnose(_predictor(_folder, column, form, link, stamp), _table(_folder, stamp))


@st.cache_resource(max_entries=16, show_spinner="Fitting parts of the table …")
def _learning_curve(
    _folder: str, column: str, form: str, link: str, stamp: Version
) -> "LearningCurve":
    from foxnas_core.diagnostics.learning_curve import learning_curve

    return learning_curve(_predictor(_folder, column, form, link, stamp), _table(_folder, stamp))


@st.cache_resource(max_entries=16, show_spinner="Fitting both devices …")
def _pair(_folder: str, first: str, second: str, stamp: Version) -> "tuple[Predictor, Predictor]":
    from foxnas_core.devices.common import fit_pair

    return fit_pair(_table(_folder, stamp), first, second)


@st.cache_resource(max_entries=16, show_spinner=False)
def _comparison(_folder: str, first: str, second: str, stamp: Version) -> "DeviceComparison":
    from foxnas_core.devices.comparison import compare_devices

    pair = _pair(_folder, first, second, stamp)
    return compare_devices(*pair, table=_table(_folder, stamp))


@st.cache_resource(max_entries=16, show_spinner="Comparing every pair of subnets …")
def _reversals(_folder: str, first: str, second: str, stamp: Version) -> "RankReversals":
    from foxnas_core.devices.reversals import rank_reversals

    residual_sds = None
    with suppress(FoxnasError):  # the measurements' own noise needs no fit
        one, other = _pair(_folder, first, second, stamp)
        residual_sds = one.residual_variance**0.5, other.residual_variance**0.5
    return rank_reversals(_table(_folder, stamp), first, second, residual_sds=residual_sds)


@st.cache_resource(max_entries=16, show_spinner="Calibrating from few rows, many times …")
def _curve(_folder: str, source: str, target: str, stamp: Version) -> "TransferCurve":
    from foxnas_core.devices.curve import transfer_curve

    predictor = _predictor(_folder, source, "auto", "auto", stamp)
    return transfer_curve(predictor, table=_table(_folder, stamp), target=target)


@st.cache_resource(max_entries=32, show_spinner="Planning the batch, which takes some seconds …")
def _plan(
    _folder: str, column: str, count: int, stamp: Version, optima: Stamp
) -> "MeasurementPlan":
    from foxnas_core.design.plan import plan_next

    predictor = None
    with suppress(FoxnasError):  # too few rows for a fit, which the plan then says
        predictor = _predictor(_folder, column, "auto", "auto", stamp)
    taken = open_study(Path(_folder)).optima().codes
    return plan_next(_table(_folder, stamp), column, count, predictor=predictor, taken=taken)


@st.cache_resource(max_entries=16, show_spinner=False)
def _rounds(folder: str, stamp: Stamp) -> "RoundsRecord | None":
    return open_study(Path(folder)).rounds()


@st.cache_resource(max_entries=16, show_spinner=False)
def _trust(folder: str, stamp: Stamp) -> "TrustRecord | None":
    return open_study(Path(folder)).trust()


@st.cache_resource(max_entries=16, show_spinner=False)
def _trust_report(folder: str, stamp: Stamp) -> "TrustReport":
    from foxnas_core.trust.report import trust_report

    record = _trust(folder, stamp)
    pairs = record.pairs if record else ()
    # The seed of the run, so that page and command line say the same.
    return trust_report(pairs, seed=pairs[0].seed if pairs else 0)


@st.cache_resource(max_entries=16, show_spinner=False)
def _trials(folder: str, stamp: Stamp) -> "list[Trial]":
    return open_study(Path(folder)).current_trials()


@st.cache_resource(max_entries=16, show_spinner=False)
def _held_out(folder: str, stamp: Stamp) -> int:
    return len(open_study(Path(folder)).images()[1])


@st.cache_resource(max_entries=16, show_spinner=False)
def _handmade(folder: str, stamp: Stamp) -> "HandmadeRecord | None":
    return open_study(Path(folder)).handmade()


@st.cache_resource(max_entries=32, show_spinner=False)
def _handmade_comparison(folder: str, way: str, precision: str, stamp: Stamp) -> "Comparison":
    from foxnas_core.handmade.claims import compare

    record = _handmade(folder, stamp)
    assert record is not None
    # The seed of the command line's first run, so that both say the same.
    seed = record.seeds[0] if record.seeds else 0
    return compare(record, way=way, precision=precision, seed=seed)


@st.cache_resource(max_entries=16, show_spinner=False)
def _weights(folder: str, stamp: Stamp) -> str:
    return file_hash(open_study(Path(folder)).checkpoint_file)


# With every search that is kept there is another list, so each search is kept apart from it.
@st.cache_resource(max_entries=4, show_spinner=False)
def _searches(folder: str, stamp: Stamp) -> "dict[str, SearchResult]":
    study = open_study(Path(folder))
    found = {}
    for search_id in study.search_ids()[:KEPT_SEARCHES]:
        with suppress(FoxnasError):
            found[search_id] = _search(
                folder, search_id, _stamp(study, f"searches/{search_id}.json")
            )
    return found


@st.cache_resource(max_entries=2 * KEPT_SEARCHES, show_spinner=False)
def _search(folder: str, search_id: str, stamp: Stamp) -> "SearchResult":
    return open_study(Path(folder)).load_search(search_id)


@st.cache_resource(max_entries=32, show_spinner=False)
def _layers(folder: str, choices: str, stamp: Stamp) -> "tuple[Layer, ...]":
    from foxnas_core.workflow import subnet_layers

    study = open_study(Path(folder))
    return subnet_layers(study, study.space.architecture(json.loads(choices)))


@st.cache_resource(max_entries=16, show_spinner="Profiling the subnet, alone on one core …")
def _profile(folder: str, choices: str, precision: str, stamp: Stamp) -> "LayerProfile":
    from foxnas_core.workflow import profile_subnet

    study = open_study(Path(folder))
    with MEASURING:
        return profile_subnet(study, study.space.architecture(json.loads(choices)), precision)[1]


@st.cache_resource(max_entries=64, show_spinner=False)
def _block_prices(_folder: str, column: str, choices: str, stamp: Version) -> "pd.DataFrame":
    from foxnas_core.explanation.block_effects import block_prices

    predictor = _predictor(_folder, column, "auto", "auto", stamp)
    one = predictor.space.architecture(json.loads(choices))
    return block_prices(predictor, architecture=one)


@st.cache_resource(max_entries=64, show_spinner="Finding the reasons …")
def _reasons(folder: str, latency: str, choices: str, budget: float, stamp: Version) -> "Reasons":
    from foxnas_core.answers.reasons import reasons
    from foxnas_core.search.prices import front_prices

    gain, cost = (_predictor(folder, c, "auto", "auto", stamp) for c in ("accuracy", latency))
    return reasons(
        gain,
        cost,
        architecture=gain.space.architecture(json.loads(choices)),
        background=_table(folder, stamp).architectures(),
        price=front_prices(_front(folder, latency, (), stamp)).at(budget),
    )


@st.cache_resource(max_entries=8, show_spinner="Writing the report …")
def _report(folder: str, key: str, stamp: Stamp, _request: "ReportRequest") -> "Report":
    from foxnas_core.reporting.report import build_report

    study = open_study(Path(folder))
    predictors, sentences = predictors_of(study)
    return build_report(study, predictors, _request, sentences)


# Uploads are large and of use to one visitor, so few are kept, and not for long. Their bytes are
# known by their digest.


@st.cache_resource(max_entries=2, ttl=1800, show_spinner="Reading the file …")
def _foreign(name: str, digest: str, _upload: Upload) -> ForeignFile:
    return read_content(name, _upload.content)


@st.cache_resource(max_entries=4, ttl=1800, show_spinner="Checking the rows …")
def _imported(
    name: str,
    digest: str,
    key: str,
    _upload: Upload,
    _space: SearchSpace,
    _mapping: ColumnMapping | None,
) -> MeasurementTable:
    return _foreign(name, digest, _upload).table(_space, _mapping)
