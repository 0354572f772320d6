"""What a study keeps beside its table, and what that tells."""

from typing import TYPE_CHECKING

from foxnas_core.evidence.handmade.record import HANDMADE
from foxnas_core.evidence.trust.pairs import TRUST
from foxnas_core.search.rounds.record import ROUNDS
from foxnas_core.steps.claims import current_trials
from foxnas_core.study import Study, file_hash
from pages.shared.cache.fits import predictors_of
from pages.shared.cache.versions import cached

if TYPE_CHECKING:
    from foxnas_core.evidence.handmade.claims import Comparison
    from foxnas_core.evidence.handmade.record import HandmadeRecord
    from foxnas_core.evidence.trust.pairs import TrustRecord
    from foxnas_core.evidence.trust.report import TrustReport
    from foxnas_core.evidence.verification.claims import Trial
    from foxnas_core.reporting.report import Report
    from foxnas_core.reporting.subject import ReportRequest
    from foxnas_core.search.rounds.record import RoundsRecord


@cached("space.json", "rounds.json", table=False)
def rounds_of(study: Study) -> "RoundsRecord | None":
    """The study's rounds of search and measurement; raises as `Study.record`."""
    return study.record(ROUNDS)


@cached("space.json", "trust.json", table=False)
def trust_of(study: Study) -> "TrustRecord | None":
    """The study's subnets that were trained alone; raises as `Study.record`."""
    return study.record(TRUST)


@cached("space.json", "trust.json", table=False)
def trust_report_of(study: Study) -> "TrustReport":
    """What those subnets tell; raises as `trust_report`."""
    from foxnas_core.evidence.trust.report import trust_report

    record = trust_of(study)
    pairs = record.pairs if record else ()
    # The seed of the run, so that page and command line say the same.
    return trust_report(pairs, seed=pairs[0].seed if pairs else 0)


@cached("space.json", "handmade.json", table=False)
def handmade_of(study: Study) -> "HandmadeRecord | None":
    """The study's networks designed by hand; raises as `Study.record`."""
    return study.record(HANDMADE)


@cached("space.json", "handmade.json", table=False, entries=32)
def handmade_comparison_of(study: Study, way: str, precision: str) -> "Comparison":
    """Those held against the searched ones; raises as `claims.compare`."""
    from foxnas_core.evidence.handmade.claims import compare

    record = handmade_of(study)
    assert record is not None
    # The seed of the command line's first run, so that both say the same.
    seed = record.seeds[0] if record.seeds else 0
    return compare(record, way=way, precision=precision, seed=seed)


@cached("supernet.safetensors", table=False)
def weights_of(study: Study) -> str:
    """The hash of the study's weights, "" where it has none."""
    return file_hash(study.checkpoint_file) if study.checkpoint_file.exists() else ""


@cached("space.json", "claims.json", "supernet.safetensors", table=False)
def trials_of(study: Study) -> "list[Trial]":
    """The claims on the study's present weights, and what was measured; raises as
    `Study.record`."""
    return current_trials(study)


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

    predictors, sentences = predictors_of(study)
    return build_report(study, predictors, _request, sentences)
