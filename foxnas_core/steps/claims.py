"""The claims that a study's own weights were measured for."""

from foxnas_core.evidence.verification.claims import CLAIMS, Trial
from foxnas_core.study import Study, file_hash


def current_trials(study: Study) -> list[Trial]:
    """Those of the weights that the study has now, or all where it has none; raises as
    `Study.record`."""
    found = list(study.record(CLAIMS).trials)
    if found and study.checkpoint_file.exists():
        weights = file_hash(study.checkpoint_file)
        return [trial for trial in found if trial.parents["checkpoint"] == weights]
    return found
