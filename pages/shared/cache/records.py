"""What a study keeps beside its table, and what that tells."""

from typing import TYPE_CHECKING

from foxnas_core.study import Study
from pages.shared.cache.given import fits_of
from pages.shared.cache.versions import cached

if TYPE_CHECKING:
    from foxnas_core.cards.subject import ReportRequest
    from foxnas_core.reporting.report import Report


@cached("images.npz", table=False)
def held_out_of(study: Study) -> int:
    """How many held-out images the study has; raises as `Study.images`."""
    return len(study.images()[1])


_REPORTED = (
    "study.json", "optima.parquet", "trust.json", "handmade.json", "supernet.safetensors",
    "images.npz", "searches",
)  # fmt: skip


def report_of(study: Study, request: "ReportRequest") -> "Report":
    """The study's report; raises as `build_report`."""
    return _report(study, repr(request), request)


@cached(*_REPORTED, entries=8, spinner="Writing the report …")
def _report(study: Study, key: str, _request: "ReportRequest") -> "Report":
    from foxnas_core.reporting.report import build_report

    predictors, sentences = fits_of(study)
    return build_report(study, predictors, _request, sentences)
