"""What a study keeps beside its table, and what that tells."""

from typing import TYPE_CHECKING

from foxnas_core.study import Study
from pages.shared import choices
from pages.shared.cache.given import Cached
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
    chosen = choices.current()
    return _report(study, chosen.form, chosen.link, repr(request), request)


@cached(*_REPORTED, entries=8, spinner="Writing the report …")
def _report(study: Study, form: str, link: str, key: str, _request: "ReportRequest") -> "Report":
    from foxnas_core.reporting.report import build_report

    predictors, sentences = Cached(study, form=form, link=link).fits()
    return build_report(study, predictors, _request, sentences)
