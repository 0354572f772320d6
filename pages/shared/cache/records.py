"""What a study keeps beside its table, and what that tells."""

from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from foxnas_core.study.storage import Study, file_hash, open_study
from pages.shared.cache.fits import predictors_of
from pages.shared.cache.versions import Stamp, stamp_of

if TYPE_CHECKING:
    from foxnas_core.evidence.handmade.claims import Comparison
    from foxnas_core.evidence.handmade.record import HandmadeRecord
    from foxnas_core.evidence.trust.pairs import TrustRecord
    from foxnas_core.evidence.trust.report import TrustReport
    from foxnas_core.evidence.verification.claims import Trial
    from foxnas_core.reporting.report import Report
    from foxnas_core.reporting.subject import ReportRequest
    from foxnas_core.search.rounds import RoundsRecord


def rounds_of(study: Study) -> "RoundsRecord | None":
    """The study's rounds of search and measurement; raises as `Study.rounds`."""
    return _rounds(str(study.folder), stamp_of(study, "space.json", "rounds.json"))


@st.cache_resource(max_entries=16, show_spinner=False)
def _rounds(folder: str, stamp: Stamp) -> "RoundsRecord | None":
    return open_study(Path(folder)).rounds()


def trust_of(study: Study) -> "TrustRecord | None":
    """The study's subnets that were trained alone; raises as `Study.trust`."""
    return _trust(str(study.folder), stamp_of(study, "space.json", "trust.json"))


@st.cache_resource(max_entries=16, show_spinner=False)
def _trust(folder: str, stamp: Stamp) -> "TrustRecord | None":
    return open_study(Path(folder)).trust()


def trust_report_of(study: Study) -> "TrustReport":
    """What those subnets tell; raises as `trust_report`."""
    return _trust_report(str(study.folder), stamp_of(study, "space.json", "trust.json"))


@st.cache_resource(max_entries=16, show_spinner=False)
def _trust_report(folder: str, stamp: Stamp) -> "TrustReport":
    from foxnas_core.evidence.trust.report import trust_report

    record = _trust(folder, stamp)
    pairs = record.pairs if record else ()
    # The seed of the run, so that page and command line say the same.
    return trust_report(pairs, seed=pairs[0].seed if pairs else 0)


def handmade_of(study: Study) -> "HandmadeRecord | None":
    """The study's networks designed by hand; raises as `Study.handmade`."""
    return _handmade(str(study.folder), stamp_of(study, "space.json", "handmade.json"))


@st.cache_resource(max_entries=16, show_spinner=False)
def _handmade(folder: str, stamp: Stamp) -> "HandmadeRecord | None":
    return open_study(Path(folder)).handmade()


def handmade_comparison_of(study: Study, way: str, precision: str) -> "Comparison":
    """Those held against the searched ones; raises as `handmade.claims.compare`."""
    stamp = stamp_of(study, "space.json", "handmade.json")
    return _handmade_comparison(str(study.folder), way, precision, stamp)


@st.cache_resource(max_entries=32, show_spinner=False)
def _handmade_comparison(folder: str, way: str, precision: str, stamp: Stamp) -> "Comparison":
    from foxnas_core.evidence.handmade.claims import compare

    record = _handmade(folder, stamp)
    assert record is not None
    # The seed of the command line's first run, so that both say the same.
    seed = record.seeds[0] if record.seeds else 0
    return compare(record, way=way, precision=precision, seed=seed)


def is_of_other_weights(study: Study, record: "TrustRecord | HandmadeRecord") -> bool:
    """Whether the study's weights, if it has any, are not those of the record."""
    stamp = stamp_of(study, "supernet.safetensors")
    return bool(stamp) and _weights(str(study.folder), stamp) != record.parents["checkpoint"]


@st.cache_resource(max_entries=16, show_spinner=False)
def _weights(folder: str, stamp: Stamp) -> str:
    return file_hash(open_study(Path(folder)).checkpoint_file)


def trials_of(study: Study) -> "list[Trial]":
    """The claims on the study's present weights, and what was measured; raises as
    `Study.trials`."""
    return _trials(
        str(study.folder), stamp_of(study, "space.json", "claims.json", "supernet.safetensors")
    )


@st.cache_resource(max_entries=16, show_spinner=False)
def _trials(folder: str, stamp: Stamp) -> "list[Trial]":
    return open_study(Path(folder)).current_trials()


def held_out_of(study: Study) -> int:
    """How many held-out images the study has; raises as `Study.images`."""
    return _held_out(str(study.folder), stamp_of(study, "images.npz"))


@st.cache_resource(max_entries=16, show_spinner=False)
def _held_out(folder: str, stamp: Stamp) -> int:
    return len(open_study(Path(folder)).images()[1])


def report_of(study: Study, request: "ReportRequest") -> "Report":
    """The study's report; raises as `build_report`."""
    names = (
        "study.json", "space.json", "measurements.parquet", "optima.parquet", "trust.json",
        "supernet.safetensors", "images.npz", "searches",
    )  # fmt: skip
    return _report(str(study.folder), repr(request), stamp_of(study, *names), request)


@st.cache_resource(max_entries=8, show_spinner="Writing the report …")
def _report(folder: str, key: str, stamp: Stamp, _request: "ReportRequest") -> "Report":
    from foxnas_core.reporting.report import build_report

    study = open_study(Path(folder))
    predictors, sentences = predictors_of(study)
    return build_report(study, predictors, _request, sentences)
