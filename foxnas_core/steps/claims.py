"""The claims that a study's own weights were measured for."""

from collections.abc import Sequence

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


def next_seed(trials: Sequence[Trial]) -> int:
    """The seed whose random claims are not all measured yet, or else one that was not used."""
    random = [trial for trial in trials if trial.chosen == "random"]
    waiting = [trial.seed for trial in random if not trial.done]
    return waiting[0] if waiting else max((trial.seed for trial in random), default=-1) + 1
