"""What pages compute, kept by the content it was computed from. The only user of `st.cache_*`.

Tables, predictors and fronts are frozen values that no page changes, so all sessions share one
copy of each instead of unpickling their own at every rerun.
"""

import json
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from foxnas_core.architecture import Architecture
from foxnas_core.errors import FoxnasError
from foxnas_core.storage import Study, open_study
from foxnas_core.table import MeasurementTable
from pages.shared.choices import as_text

if TYPE_CHECKING:
    from foxnas_core.devices.comparison import DeviceComparison
    from foxnas_core.devices.curve import TransferCurve
    from foxnas_core.devices.reversals import RankReversals
    from foxnas_core.explanation.shapley import BlockShapley
    from foxnas_core.export.exporter import ExportedModel
    from foxnas_core.regression import Predictor
    from foxnas_core.search.exact import Front
    from foxnas_core.search.result import SearchResult
    from pages.shared.jobs import Jobs

Stamp = tuple[tuple[str, int, int], ...]
KEPT_SEARCHES = 50

_exporting = threading.Lock()


def table_of(study: Study) -> MeasurementTable:
    """The measurement table; raises as `Study.table`."""
    return _table(str(study.folder), _stamp(study, "space.json", "measurements.parquet"))


def predictor_of(study: Study, column: str, form: str = "auto") -> "Predictor":
    """The predictor of one target, as `workflow.predictor_or_transfer`."""
    stamp = _stamp(study, "space.json", "measurements.parquet")
    return _predictor(str(study.folder), column, form, stamp)


def predictors_of(study: Study, form: str = "auto") -> "tuple[dict[str, Predictor], list[str]]":
    """A predictor for each target that can be fitted or calibrated, and a sentence for each that
    can't or is calibrated."""
    found, sentences = {}, []
    for target in table_of(study).targets:
        try:
            predictor = predictor_of(study, target.column, form)
            found[target.column] = predictor
            if predictor.df is not None:  # calibrated from another device
                sentences += predictor.warnings
        except FoxnasError as error:
            sentences.append(f"{target.label}: {error}")
    return found, sentences


def front_of(study: Study, latency: str) -> "Front":
    """The best predicted accuracy for every latency; raises as `regression.fit`."""
    stamp = _stamp(study, "space.json", "measurements.parquet")
    return _front(str(study.folder), latency, stamp)


def shapley_of(study: Study, column: str, architecture: Architecture) -> "BlockShapley":
    """Shapley values of one architecture's blocks, against all measured subnets."""
    stamp = _stamp(study, "space.json", "measurements.parquet")
    return _shapley(str(study.folder), column, as_text(architecture), stamp)


def pair_of(study: Study, first: str, second: str) -> "tuple[Predictor, Predictor]":
    """Two devices' fits on the subnets that both measured; raises as `fit_pair`."""
    stamp = _stamp(study, "space.json", "measurements.parquet")
    return _pair(str(study.folder), first, second, stamp)


def comparison_of(study: Study, first: str, second: str) -> "DeviceComparison":
    """How two devices' effects differ; raises as `fit_pair`."""
    stamp = _stamp(study, "space.json", "measurements.parquet")
    return _comparison(str(study.folder), first, second, stamp)


def reversals_of(study: Study, first: str, second: str) -> "RankReversals":
    """Which subnets swap their order between two devices; raises as `rank_reversals`."""
    stamp = _stamp(study, "space.json", "measurements.parquet")
    return _reversals(str(study.folder), first, second, stamp)


def curve_of(study: Study, source: str, target: str) -> "TransferCurve":
    """The error of a calibration by its rows; raises as `transfer_curve`."""
    stamp = _stamp(study, "space.json", "measurements.parquet")
    return _curve(str(study.folder), source, target, stamp)


def export_of(study: Study, architecture: Architecture) -> "ExportedModel":
    """The exported files; raises as `workflow.export`."""
    names = ("space.json", "measurements.parquet", "supernet.safetensors", "images.npz")
    return _export(str(study.folder), as_text(architecture), _stamp(study, *names))


def searches_of(study: Study) -> "dict[str, SearchResult]":
    """The newest of the study's kept searches by id, damaged ones left out."""
    return _searches(str(study.folder), _stamp(study, "searches"))


@st.cache_resource
def jobs() -> "Jobs":
    """The searches that run in this server, whatever page or session looks at them."""
    from pages.shared.jobs import Jobs

    return Jobs()


def _stamp(study: Study, *names: str) -> Stamp:
    """Changes whenever one of the files does."""
    stamps = []
    for name in names:
        path = study.folder / name
        if path.exists():
            status = path.stat()
            stamps.append((name, status.st_mtime_ns, status.st_size))
    return tuple(stamps)


# A stamp is read as part of the key only. Architectures come as JSON, which Streamlit can hash.


@st.cache_resource(max_entries=8, show_spinner=False)
def _table(folder: str, stamp: Stamp) -> MeasurementTable:
    return open_study(Path(folder)).table()


@st.cache_resource(max_entries=64, show_spinner="Fitting the regression …")
def _predictor(folder: str, column: str, form: str, stamp: Stamp) -> "Predictor":
    from foxnas_core.workflow import fit_all

    return fit_all(_table(folder, stamp), form, targets=[column])[column]


@st.cache_resource(max_entries=16, show_spinner="Finding the exact optimum for every budget …")
def _front(folder: str, latency: str, stamp: Stamp) -> "Front":
    from foxnas_core.search.exact import front
    from foxnas_core.search.problem import Limit, SearchProblem

    accuracy = _predictor(folder, "accuracy", "auto", stamp)
    limit = Limit(_predictor(folder, latency, "auto", stamp), 0.0)
    return front(SearchProblem(accuracy, (limit,)))


@st.cache_resource(max_entries=64, show_spinner="Computing Shapley values …")
def _shapley(folder: str, column: str, choices: str, stamp: Stamp) -> "BlockShapley":
    from foxnas_core.explanation.shapley import block_shapley

    table = _table(folder, stamp)
    return block_shapley(
        _predictor(folder, column, "auto", stamp),
        architectures=[table.space.architecture(json.loads(choices))],
        background=table.architectures(),
    )


@st.cache_resource(max_entries=16, show_spinner="Fitting both devices …")
def _pair(folder: str, first: str, second: str, stamp: Stamp) -> "tuple[Predictor, Predictor]":
    from foxnas_core.devices.common import fit_pair

    return fit_pair(_table(folder, stamp), first, second)


@st.cache_resource(max_entries=16, show_spinner=False)
def _comparison(folder: str, first: str, second: str, stamp: Stamp) -> "DeviceComparison":
    from foxnas_core.devices.comparison import compare_devices

    pair = _pair(folder, first, second, stamp)
    return compare_devices(*pair, table=_table(folder, stamp))


@st.cache_resource(max_entries=16, show_spinner="Comparing every pair of subnets …")
def _reversals(folder: str, first: str, second: str, stamp: Stamp) -> "RankReversals":
    from foxnas_core.devices.reversals import rank_reversals

    residual_sds = None
    with suppress(FoxnasError):  # the measurements' own noise needs no fit
        one, other = _pair(folder, first, second, stamp)
        residual_sds = one.residual_variance**0.5, other.residual_variance**0.5
    return rank_reversals(_table(folder, stamp), first, second, residual_sds=residual_sds)


@st.cache_resource(max_entries=16, show_spinner="Calibrating from few rows, many times …")
def _curve(folder: str, source: str, target: str, stamp: Stamp) -> "TransferCurve":
    from foxnas_core.devices.curve import transfer_curve

    predictor = _predictor(folder, source, "auto", stamp)
    return transfer_curve(predictor, table=_table(folder, stamp), target=target)


@st.cache_resource(max_entries=16, show_spinner=False)
def _searches(folder: str, stamp: Stamp) -> "dict[str, SearchResult]":
    study = open_study(Path(folder))
    found = {}
    for search_id in study.search_ids()[:KEPT_SEARCHES]:
        with suppress(FoxnasError):
            found[search_id] = study.load_search(search_id)
    return found


@st.cache_resource(max_entries=8, show_spinner="Extracting, measuring, writing and checking …")
def _export(folder: str, choices: str, stamp: Stamp) -> "ExportedModel":
    from foxnas_core.workflow import export

    study = open_study(Path(folder))
    predictors, _ = predictors_of(study)
    # One at a time: a latency that is measured beside another export would be too long.
    with _exporting:
        return export(study, study.space.architecture(json.loads(choices)), predictors)
